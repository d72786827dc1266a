"""What the rules read out of a note, and what they must not."""

import time
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


STORIES = [
    # who
    ("My wife drank a bottle of wine, two beers for me.", {("alcohol", 0): 2}),
    ("Marco had four coffees, I had one.", {("caffeine", 0): 1}),
    ("Wife on prosecco all evening, me just the 1 lager.", {("alcohol", 0): 1}),
    ("My son has gastro but I've got no symptoms.", {("sick", 0): "no"}),
    ("She had the wine, I drove: none for me.", {("alcohol", 0): "no"}),
    ("We each had one glass of champagne at 6pm.", {("alcohol", 0): 1, ("alcohol_last_time", 0): "18:00"}),
    ("Kids in bed, two beers and a run of 30 minutes.", {("alcohol", 0): 2, ("workout", 0): 30}),
    # counts
    ("2 cups chai in morning, 1 more at 4pm.", {("caffeine", 0): 3, ("caffeine_last_time", 0): "16:00"}),
    ("Coffee at 8, 11 and 3.", {("caffeine", 0): 3, ("caffeine_last_time", 0): "15:00"}),
    ("Three beers, two at the pub and one at home.", {("alcohol", 0): 3}),
    ("One coffee, then an energy drink at two and another at six, so three in all.", {("caffeine", 0): 3}),
    ("2 cafe stops with 1 espresso each.", {("caffeine", 0): 2}),
    ("Coffee x3, last 1:30p", {("caffeine", 0): 3, ("caffeine_last_time", 0): "13:30"}),
    ("Coffees: 2.\nTea green: 1, at 15:00.", {("caffeine", 0): 3, ("caffeine_last_time", 0): "15:00"}),
    ("Skipped my afternoon coffee, so only the one at eight.", {("caffeine", 0): 1}),
    ("No coffee at all, just peppermint tea, two cups.", {("caffeine", 0): "no"}),
    ("No alcohol, which with a bottle of rosé in the fridge is a medal.", {("alcohol", 0): "no"}),
    ("I said one beer. It was two.", {("alcohol", 0): 2}),
    ("Three no wait four coffees.", {("caffeine", 0): 4}),
    ("2 tinnies and a schooner of lager.", {("alcohol", 0): 3}),
    ("Two pegs of whisky.", {("alcohol", 0): 2}),
    ("Wine o'clock came and went, no drinks.", {("alcohol", 0): "no"}),
    ("☕ x2, 🍷 x1 at 8pm", {("caffeine", 0): 2, ("alcohol", 0): 1, ("alcohol_last_time", 0): "20:00"}),
    ("3 Augustiner in the beer garden, last 20:30.", {("alcohol", 0): 3, ("alcohol_last_time", 0): "20:30"}),
    ("Flat cola, two glasses.", {("caffeine", 0): 2, ("alcohol", 0): None}),
    ("Only rooibos, two cups of it.", {("caffeine", 0): "no"}),
    ("A few beers, well let me count, four, four beers.", {("alcohol", 0): 4}),
    ("Two coffees plus one cola, total three; the cola was last, 4.30pm.", {("caffeine", 0): 3}),
    ("Curry at quarter past eight and one calvados at nine.", {("alcohol", 0): 1}),
    ("Vitamin D, two thousand units.", {("alcohol", 0): None}),
    ("Poured a glass of Malbec and tipped it down the sink, so no alcohol.", {("alcohol", 0): "no"}),
    ("3 coffees (9, 11, 2).", {("caffeine", 0): 3, ("caffeine_last_time", 0): "14:00"}),
    # days and plans
    ("Sat: 2h ride, hard. 3 beers.\nSun: rest day. 2 coffees.", {("workout", -4): 120, ("alcohol", -4): 3}),
    ("Sat: 2h ride, hard. 3 beers.\nSun: rest day. 2 coffees.", {("rest_day", -3): "yes", ("caffeine", -3): 2}),
    ("Gave blood yesterday, no training today.", {("workout", 0): "no"}),
    ("Sore throat since last night. Skipped my run.", {("sick", 0): "yes", ("workout", 0): "no"}),
    ("Last night two beers, and I slept great.", {("alcohol", -1): 2, ("sleep_quality_felt", 0): 10}),
    ("I drank 3 beer yesterday night, today nothing.", {("alcohol", -1): 3, ("alcohol", 0): "no"}),
    ("So I was gonna go for a swim tonight but then didn't.", {("workout", 0): "no"}),
    ("Magnesium I'll take later.", {("magnesium", 0): None}),
    # training
    ("Weights 20 min + run 25 min, both moderate.", {("workout", 0): 45, ("strength_training", 0): 20, ("rpe", 0): 3}),
    ("Run, mins: 15 easy, 25 tempo, 10 easy = 50 total.", {("workout", 0): 50}),
    ("Lifted 40 min anyways, normal strength session.", {("workout", 0): 40, ("strength_training", 0): 40}),
    ("Did 3x10 minutes threshold within a 70 minute ride.", {("workout", 0): 70, ("rpe", 0): 5}),
    ("Brick: bike 75 + run 20 mins, steady.", {("workout", 0): 95}),
    ("Long run 20 mi, 2h45, steady.", {("long_endurance", 0): 165, ("workout", 0): 165}),
    ("Ran errands, no training.", {("workout", 0): "no"}),
    ("6p yoga class got cancelled, did 25 min yoga at home.", {("yoga", 0): 25, ("workout", 0): 25}),
    ("London marathon, spectating!", {("workout", 0): None}),
    ("Hard day at work, heavy dinner, easy run 30 min.", {("rpe", 0): 2, ("workout", 0): 30}),
    ("Gym: bailed.", {("workout", 0): "no"}),
    ("Skipped bouldering.", {("workout", 0): "no"}),
    ("A bike ride, two hours and a half, steady.", {("workout", 0): 150, ("rpe", 0): 3}),
    # meals, sleep, stress
    ("Dinner at 6, nothing after.", {("last_meal_time", 0): "18:00", ("late_meal", 0): "no"}),
    ("We did not eat until 21:45.", {("last_meal_time", 0): "21:45", ("late_meal", 0): "yes"}),
    ("3 coffees, none after midday.", {("caffeine", 0): 3, ("caffeine_last_time", 0): None, ("late_meal", 0): None}),
    ("We ate at eight, no, quarter past eight.", {("last_meal_time", 0): "20:15"}),
    ("A bit stressed.", {("stress", 0): 6}),
    ("Stress? Through the roof.", {("stress", 0): 10}),
    ("I'd give the stress a four, no make that three.", {("stress", 0): 6}),
    ("Slept poorly last night.", {("sleep_quality_felt", 0): 4, ("sick", 0): None}),
    # travel and being ill
    ("Flew home, 7 hrs.", {("air_travel", 0): 7}),
    ("Two hour commute each way by train.", {("driving_long", 0): None}),
    ("4.5 hours behind the wheel.", {("driving_long", 0): 4.5, ("timezone_shift", 0): None}),
    ("Nine hours on the bus.", {("train_or_bus_travel", 0): 9}),
    ("6 hrs ahead of home.", {("timezone_shift", 0): 6}),
    ("Runny nose, NOT allergies, caught the kids' cold.", {("sick", 0): "yes"}),
    ("The cold's gone.", {("sick", 0): "no"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STORIES)
def test_wordings_from_many_pens(text, expected):
    read = facts(text)
    got = {}
    for name, shift in expected:
        fact = read.get((name, shift, False))
        got[name, shift] = fact and (
            fact.clock_time
            if fact.kind == "time"
            else fact.kind
            if fact.kind in ("yes", "no")
            else fact.amount
        )
    assert got == expected


@pytest.mark.parametrize(
    ("text", "behaviour", "shift", "value"),
    [
        ("2 margs tomorrow.", "alcohol", 1, 2),
        ("Bed: 10", "planned_bedtime", 0, "22:00"),
        ("Alarm is set for twenty to six.", "planned_wake_time", 1, "05:40"),
        ("Race Sat so taper.", "race_or_competition", 3, None),
        ("Ill be in bed by ten thirty.", "planned_bedtime", 0, "22:30"),
        ("Mag 200 mg tonight, must not forget.", "magnesium", 0, 200),
        ("Train to Glasgow later, 4.5 hours.", "train_or_bus_travel", 0, 4.5),
        ("On Friday I drive up to Bodø, five hours.", "driving_long", 2, 5),
    ],
)
def test_plans_from_many_pens(text, behaviour, shift, value):
    fact = facts(text)[behaviour, shift, True]
    assert (fact.clock_time or fact.amount) == value


def test_what_is_told_among_others_or_only_might_be_is_offered_and_not_counted():
    plain = facts("I had two beers.")["alcohol", 0, False]
    story = facts("My brother went on and on about work, two beers, and the whole pub would have agreed.")
    assert plain.status == "accepted"
    assert all(fact.status == "draft" for fact in story.values())


@pytest.mark.parametrize(
    "words", ["a" * 20_000, "1 " * 10_000, "no " * 6_000, "ran run ride " * 400, "slept really " * 1_500]
)
def test_long_texts_are_read_in_time(words):
    began = time.perf_counter()
    extract(words, WEDNESDAY)
    assert time.perf_counter() - began < 15  # some tenths of a second on a quiet machine
