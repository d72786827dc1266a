"""Wordings that earlier readings missed: sums told at the end, whose drink, which hour was the last; and long text."""

from __future__ import annotations

import time
from datetime import date

import pytest

from journal_analysis.extraction import JournalFact, extract

_DAY = date(2026, 3, 10)
_LONGEST_SECONDS = 3.0
"""CPU for 20,000 characters; it takes 0.4 to 1.2 s on the two cores that this was written on."""


def _fact(text: str, behaviour: str, shift: int = 0) -> JournalFact | None:
    return next((f for f in extract(text, _DAY) if f.behaviour == behaviour and f.day_shift == shift), None)


@pytest.mark.parametrize(
    ("text", "behaviour", "amount"),
    [
        (
            "First two beers, then one sake, I count three together. My boss had, I think, nine drinks.",
            "alcohol",
            3,
        ),
        ("I had a pint of Peroni, then bought one back, so two pints.", "alcohol", 2),
        ("no workout um two cans of coke one at lunch and one at seven", "caffeine", 2),
        ("nothing crazy had one diet coke", "caffeine", 1),
        ("No coffee also because coffee calls the cigarette.", "caffeine", 0),
        ("Coffee was decaf only.", "caffeine", 0),
        ("Not even one coffee today!", "caffeine", 0),
        ("My husband drank his grappa, me nothing today.", "alcohol", 0),
        ("again at half past ten black tea four glasses this evening", "caffeine", 4),
        ("Coffee: 07:10, 09:45, 13:30.", "caffeine", 3),
        ("then two beers at the bar no three actually three", "alcohol", 3),
        ("1 beer (0.5l) at home", "alcohol", 1),
        ("Curling practice, two hours, an easy one.", "workout", 120),
        ("session was 40 min w warmup + 60 min easy row this morning = 100.", "workout", 100),
        ("Zumba 1h at four, hammam afterwards 40 min.", "workout", 60),
        ("Two hour hike up to the ridge, not too hard.", "rpe", 3),
        ("Kickboxing tonight, an hour and a quarter, coach destroyed us, it was brutal.", "rpe", 7),
        ("We came home from Lyon with the TGV, two hours.", "train_or_bus_travel", 2),
        ("We went with the coach's car, two and a half hours there and the same back.", "driving_long", 5),
    ],
)
def test_amount_is_what_was_said(text: str, behaviour: str, amount: float) -> None:
    fact = _fact(text, behaviour)
    assert fact is not None
    assert fact.amount == amount


@pytest.mark.parametrize(
    ("text", "behaviour", "clock_time"),
    [
        ("Turkish coffee three, the last one at six.", "caffeine_last_time", "18:00"),
        ("One coffee at six.", "caffeine_last_time", "06:00"),
        ("There was a Red Bull before kickoff, at quarter past six.", "caffeine_last_time", "18:15"),
        ("then one flat white when I got up at five pm.", "caffeine_last_time", "17:00"),
        ("two cokes one at lunch one at seven this evening jollof at ten past eight", "caffeine_last_time", "19:00"),
        ("First coffee 6.45, second 9.30, third 12.15.", "caffeine_last_time", "12:15"),
        ("dinner eight forty five chapati", "last_meal_time", "20:45"),
        ("I didn't get round to dinner until half past nine.", "last_meal_time", "21:30"),
    ],
)  # fmt: skip
def test_time_is_that_of_the_last_one(text: str, behaviour: str, clock_time: str) -> None:
    fact = _fact(text, behaviour)
    assert fact is not None
    assert fact.clock_time == clock_time


@pytest.mark.parametrize(
    ("text", "behaviour"),
    [
        ("pizza 9:30pm, 1 hard seltzer.", "alcohol_last_time"),
        ("A glass of red with the food. We were finished eating at nine thirty.", "alcohol_last_time"),
        ("dinner at eight, my son ate at ten like an owl", "late_meal"),
    ],
)
def test_hour_of_something_else_is_not_taken(text: str, behaviour: str) -> None:
    assert _fact(text, behaviour) is None


def test_yesterdays_count_stands_beside_todays_none() -> None:
    text = "Yesterday four pints, today none."
    yesterday, today = _fact(text, "alcohol", -1), _fact(text, "alcohol")
    assert yesterday is not None and yesterday.amount == 4
    assert today is not None and today.kind == "no"


@pytest.mark.parametrize(
    "piece", ["beer ", "coffee and ", "2 beers at 9, ", "ran 30 minutes ", "9:30 ", "dinner at 9 and "]
)
def test_endless_repetition_does_not_take_long(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    start = time.process_time()
    extract(text, _DAY)
    assert time.process_time() - start < _LONGEST_SECONDS
