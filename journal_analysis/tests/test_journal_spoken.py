"""Spoken numbers, clock times and durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal_analysis.clauses import read_note
from journal_analysis.clocks import find_clocks, find_durations
from journal_analysis.spoken import TENS, UNITS, canonical


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Two glasses", "2 glasses"),
        ("forty five minutes", "45 minutes"),
        ("forty-five minutes", "45 minutes"),
        ("eight hundred metres", "800 metres"),
        ("one hundred and twenty", "120"),
        ("two and a half litres", "2.5 litres"),
        ("an hour and a half", "90 minutes"),
        ("half an hour", "30 minutes"),
        ("a couple of beers", "2 beers"),
        ("at nine thirty p.m.", "at 9 30 pm"),
        ("one o'clock", "1 oclock"),
        ("the last one at four", "the last one at 4"),
        ("Rough one.", "rough one."),
        ("often, someone, bones", "often, someone, bones"),
    ],
)
def test_numbers_in_words_become_digits(said, written):
    assert canonical(said).text == written


@given(st.integers(min_value=0, max_value=99))
def test_every_number_below_a_hundred_is_read(number):
    names = {n: w for w, n in UNITS.items()}
    tens = {n: w for w, n in TENS.items()}
    word = names.get(number) or " ".join(
        part for part in (tens[number // 10 * 10], names[number % 10] if number % 10 else "") if part
    )
    assert canonical(f"I had {word} of them").text == f"i had {number} of them"


@given(st.text(max_size=80))
def test_any_text_keeps_the_way_back_to_its_words(text):
    read = canonical(text)
    assert len(read.text) == len(read.starts) == len(read.ends)
    assert read.quote(0, len(read.text)) == text.strip()


@pytest.mark.parametrize(
    ("said", "from_hour", "time"),
    [
        ("at half past nine", 12, "21:30"),
        ("at nine thirty", 12, "21:30"),
        ("at 9.30pm", 0, "21:30"),
        ("quarter to ten in the evening", 0, "21:45"),
        ("ten past eight", 5, "08:10"),
        ("at twelve at night", 12, "00:00"),
        ("at one at night", 12, "01:00"),
        ("by 22:15", 0, "22:15"),
        ("at 07:05", 12, "07:05"),
        ("around eleven", 19, "23:00"),
        ("at midnight", 12, "00:00"),
        ("at noon", 0, "12:00"),
        ("at three in the afternoon", 0, "15:00"),
        ("at seven am", 12, "07:00"),
        ("bed at twelve", 19, "00:00"),
    ],
)
def test_clock_times(said, from_hour, time):
    clocks = find_clocks(canonical(said).text)
    assert [c.resolve(from_hour) for c in clocks] == [time]


@pytest.mark.parametrize(
    "said", ["for about 40 minutes", "10.5 km run", "two out of five", "by 8 minutes", "at 150 watts"]
)
def test_other_numbers_are_no_clock_times(said):
    assert find_clocks(canonical(said).text) == []


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("one hour twenty minutes", [80]),
        ("two hours", [120]),
        ("two and a half hours", [150]),
        ("a thirty minute spin", [30]),
        ("four by eight minutes, fifty five minutes in all", [55]),
        ("five times three minutes", []),
    ],
)
def test_durations(said, minutes):
    assert [d.minutes for d in find_durations(canonical(said).text) if d.sets == 1] == minutes


def test_a_clause_knows_whose_it_is_and_when():
    note = read_note("My wife had wine tonight, but I had water. Yesterday I ran. Tomorrow I will rest.")
    of = {note.text[c.start : c.end].strip(" ,"): c for c in note.clauses}
    assert of["my wife had wine tonight"].others
    assert not of["but i had water."].others
    assert of["yesterday i ran."].day_shift == -1
    assert of["tomorrow i will rest."].day_shift == 1 and of["tomorrow i will rest."].plan
