"""What the rules read out of a note, and what they must not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal_analysis.extraction import extract

WEDNESDAY = date(2026, 3, 4)


def facts(text):
    return {(f.behaviour, f.day_shift, f.is_plan): f for f in extract(text, WEDNESDAY)}


def amount(text, behaviour, shift=0):
    fact = facts(text).get((behaviour, shift, False))
    return fact and fact.amount


def kind(text, behaviour, shift=0, plan=False):
    fact = facts(text).get((behaviour, shift, plan))
    return fact and fact.kind


@pytest.mark.parametrize(
    ("text", "drinks"),
    [
        ("Two glasses of red wine with dinner.", 2),
        ("Three, no, two beers.", 2),
        ("Two beers, sorry, three.", 3),
        ("A cold beer on the terrace, actually two beers.", 2),
        ("I started with one beer, then two gin and tonics, so three drinks overall.", 3),
        ("I had three drinks: two beers and a glass of wine.", 3),
        ("Not only two beers but also a whisky.", 3),
        ("One beer. And then another one around eleven pm.", 2),
        ("We shared a bottle of wine so I'd count three glasses for me plus a whisky at home.", 4),
        ("Two or three glasses of red.", 2.5),
        ("I had two beers and my wife had three.", 2),
        ("I didn't sleep well and had two beers.", 2),
        ("Alcohol: 2.", 2),
        ("No alcohol at all today.", 0),
        ("I stopped drinking this month.", 0),
        ("Nothing alcoholic.", 0),
        ("I just had sparkling water.", 0),
        ("Alcohol: none.", 0),
    ],
)
def test_drinks_are_counted(text, drinks):
    assert amount(text, "alcohol") == drinks


@pytest.mark.parametrize(
    "text",
    [
        "My wife had three glasses of wine.",
        "Anna had two beers.",
        "Everybody at the party was drinking beer.",
        "Alcohol-free beer with dinner.",
        "An energy drink and a soft drink.",
        "I drank a lot of water.",
        "Almost had a beer but resisted.",
        "If I had a beer I would sleep badly.",
        "We sat in the beer garden.",
        "It was a good day.",
    ],
)
def test_what_is_not_the_wearers_drink_gives_no_drink(text):
    assert not amount(text, "alcohol")


def test_unknown_is_not_no():
    assert extract("It was a good day at the office, we talked about the new project.") == []


@pytest.mark.parametrize(
    ("text", "behaviour", "time"),
    [
        ("Two glasses of wine with dinner, the last one at half past nine.", "alcohol_last_time", "21:30"),
        (
            "Three coffees, the last one at four p.m., and one beer after the ride.",
            "caffeine_last_time",
            "16:00",
        ),
        ("Two coffees, at eight and at eleven.", "caffeine_last_time", "11:00"),
        ("A whisky at one at night, before that a beer at ten.", "alcohol_last_time", "01:00"),
        ("I will go to bed around eleven.", "planned_bedtime", "23:00"),
        ("In bed by 22:15.", "planned_bedtime", "22:15"),
        ("Alarm at six.", "planned_wake_time", "06:00"),
        ("Pizza at nine thirty pm.", "last_meal_time", "21:30"),
    ],
)
def test_clock_times_go_to_what_they_belong_to(text, behaviour, time):
    found = [f for f in extract(text) if f.behaviour == behaviour]
    assert [f.clock_time for f in found] == [time]


def test_a_last_time_is_not_given_to_the_drink_of_another_day():
    read = facts("Two beers, the last at ten. Yesterday I had four beers.")
    assert read["alcohol_last_time", 0, False].clock_time == "22:00"
    assert ("alcohol_last_time", -1, False) not in read


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Stress was two out of five.", 4),
        ("Stress is low, one out of five.", 2),
        ("stress 7 out of 10", 7),
        ("Stress at work is maybe a four out of five because of the deadline.", 8),
        ("Stress was for.", 8),
        ("Stress 4/5.", 8),
        ("I had a three for stress.", 6),
    ],
)
def test_stress_is_brought_to_ten(text, level):
    assert amount(text, "stress") == level


@pytest.mark.parametrize(
    "text", ["Stress because of two meetings.", "Stress fracture in 2019.", "Stress after 3 coffees."]
)
def test_other_numbers_are_no_stress_level(text):
    assert all(f.rule == "level in words" for f in extract(text) if f.behaviour == "stress")


@pytest.mark.parametrize(
    ("text", "behaviour", "expected"),
    [
        ("Forgot my magnesium.", "magnesium", "no"),
        ("I took magnesium before going to sleep.", "magnesium", "yes"),
        ("Took 400 mg of magnesium.", "magnesium", "amount"),
        ("Sore throat and a runny nose.", "sick", "yes"),
        ("My throat hurts.", "sick", "yes"),
        ("No cold symptoms any more.", "sick", "no"),
        ("My son has the flu.", "sick", None),
        ("My hay fever is killing me, sneezing like mad.", "sick", None),
        ("I'm sick of this project.", "sick", None),
        ("A cold beer and a cold shower.", "sick", None),
        ("Then I had sauna for fifteen minutes.", "sauna", "amount"),
        ("No phone in bed.", "screen_in_bed", "no"),
        ("Scrolled on my phone in bed.", "screen_in_bed", "yes"),
        ("Flew back home from Singapore.", "air_travel", "yes"),
        ("The week flew by.", "air_travel", None),
        ("We drove to the mountains, about four hours.", "driving_long", "amount"),
        ("Drove to work, twenty minutes.", "driving_long", None),
        ("Skipped the gym.", "workout", "no"),
        ("Rest day.", "rest_day", "yes"),
        ("Burgers really late, close to eleven at night.", "late_meal", "yes"),
        ("Dinner at half past six.", "late_meal", None),
        ("Twenty minute nap at two.", "nap", "amount"),
        ("Took an ibuprofen.", "nsaid", "yes"),
        ("I twisted my ankle.", "injury", "yes"),
    ],
)
def test_things_done_and_not_done(text, behaviour, expected):
    assert kind(text, behaviour) == expected


@pytest.mark.parametrize(
    ("text", "minutes", "rpe", "other"),
    [
        (
            "I did a two hour long ride and then heavy squats in the gym for forty minutes.",
            160,
            5,
            None,
        ),
        (
            "Hard interval session, six times eight hundred meters, about seventy minutes in total.",
            70,
            5,
            None,
        ),
        ("Easy zone two run for fifty minutes.", 50, 2, None),
        ("Threshold session, 4 by 8 minutes, 55 minutes in all, that was hard.", 55, 5, None),
        ("I ran for thirty minutes and then had sauna for fifteen minutes.", 30, None, None),
        ("Trained for an hour, effort 8 out of 10.", 60, 8, None),
    ],
)
def test_training_minutes_effort_and_kind(text, minutes, rpe, other):
    assert amount(text, "workout") == minutes
    assert amount(text, "rpe") == rpe
    assert other is None or kind(text, other) == "yes"


def test_days_are_named_and_carried():
    read = facts("We had a party yesterday. I had four beers. This morning I did yoga for twenty minutes.")
    assert read["alcohol", -1, False].amount == 4
    assert read["workout", 0, False].amount == 20
    assert read["alcohol", -1, False].day == date(2026, 3, 3)
    assert facts("On Saturday I had two beers.")["alcohol", -4, False].day == date(2026, 2, 28)
    assert facts("Journal for Tuesday. One beer.")["alcohol", -1, False].amount == 1


def test_last_nights_sleep_belongs_to_today_and_its_wine_to_yesterday():
    read = facts("I slept badly last night. Two glasses of wine last night.")
    assert read["sleep_quality_felt", 0, False].amount == 4
    assert read["alcohol", -1, False].amount == 2


def test_plans_are_marked_and_never_mixed_with_deeds():
    read = facts("I had one beer. I'll have a glass of wine later tonight.")
    assert read["alcohol", 0, False].amount == 1
    assert read["alcohol", 0, True].is_plan
    assert kind("Tomorrow I race a half marathon.", "race_or_competition", 1, True) == "yes"
    assert kind("I was planning to do a tempo run but I only walked.", "workout") is None


def test_doubt_lowers_confidence_and_the_reason_is_told():
    sure = facts("I had two beers.")["alcohol", 0, False]
    unsure = facts("I think I had a few beers, maybe.")["alcohol", 0, False]
    assert sure.status == "accepted" and unsure.status == "draft"
    assert sure.rule == "number" and unsure.rule == "vague number"
    assert sure.quote == "two beers"


@given(st.text(max_size=120))
def test_any_text_is_read_without_falling_over(text):
    for fact in extract(text, WEDNESDAY):
        assert 0 < fact.confidence <= 1


WORDS = (
    "i my wife had two three no not beers wine coffee stress out of five ten at nine thirty pm last one yesterday "
    "tomorrow the run for minutes hours bed magnesium and but then another . , half past late dinner in total or"
).split()


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_any_jumble_of_its_own_words_is_read(text):
    for fact in extract(text, WEDNESDAY):
        assert fact.amount is None or fact.amount >= 0
        assert fact.kind != "time" or len(fact.clock_time) == 5
        assert fact.quote
