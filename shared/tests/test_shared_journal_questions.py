"""Every question of the WHOOP journal that real exports are known to hold, and the behaviour that it must become."""

import re
from pathlib import Path

import pytest

from hrv_shared.journal_questions import behaviour_of_question, fold_question
from hrv_shared.ontology import behaviours
from hrv_shared.private_questions import PrivateQuestions, choose_private, private_questions
from hrv_shared.record import Record

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "whoop_export.md"

QUESTIONS = {
    "breakfast": ["Ate breakfast?"],
    "late_meal": [
        "Ate food close to bedtime?",
        "Eat any food close to bedtime?",
        "Kurz vor dem Schlafengehen noch etwas gegessen?",
    ],
    "avoided_processed_food": ["Avoid consuming processed foods?", "Avoided processed foods?"],
    "commute": ["Commute to work?"],
    "socializing": ["Connected with family and/or friends?"],
    "added_sugar": ["Consume added sugar?"],
    "dairy": ["Consume dairy?"],
    "fruit_vegetables": ["Consume fruits and/or vegetables?", "Consumed fruits and/or vegetables?"],
    "meat": ["Consume meat?", "Consumed meat?"],
    "caffeine": [
        "Consumed caffeine?",
        "Have any caffeine?",
        "Koffein konsumiert?",
        "¿Consumiste cafeína?",
        "Have any caffeine? ",
    ],
    "calcium": ["Consumed calcium", "Took a calcium supplement?"],
    "carbohydrate": ["Consumed carbohydrates", "Consumed carbohydrates?"],
    "fat": ["Consumed fats", "Consumed fats?"],
    "fiber": ["Consumed fiber", "Consumed fiber?"],
    "magnesium": ["Consumed magnesium?", "Take a magnesium supplement?"],
    "protein": ["Consumed protein?"],
    "sodium": ["Consumed sodium?"],
    "zone2_cardio": ["Did Zone 2 cardio?", "Cardio in Zone 2 gemacht?"],
    "dim_lights_evening": ["Dim lights after sunset?"],
    "felt_recovered": ["Do you feel recovered today?", "Felt recovered", "Felt recovered?"],
    "meals_in_daylight": ["Eat all your meals during daylight hours?"],
    "sexual_activity": ["Engage in sexual activity?", "Engaged in sexual activity?"],
    "irritability": ["Experience any irritability?"],
    "stress": ["Experience any stress?"],
    "bloating": ["Experience bloating?"],
    "jet_lag": ["Experience jet lag?"],
    "fatigue": ["Experienced fatigue?"],
    "covid_symptoms": ["Experiencing COVID-19 symptoms", "Experiencing COVID-19 symptoms?"],
    "fever": ["Experiencing a fever", "Fever / No Fever"],
    "menstrual_cramps": ["Experiencing menstrual cramps"],
    "emotional_stability": ["Feel emotionally and mentally stable?"],
    "energy": ["Feel energized throughout the day?", "Felt energized throughout the day?"],
    "optimism": ["Feel generally positive about the future?"],
    "socially_fulfilled": ["Feel socially fulfilled?"],
    "sick": ["Feeling sick or ill?", "Sick / Not Sick"],
    "low_mood": ["Felt depressed or down"],
    "dizziness": ["Felt dizzy or lightheaded today?"],
    "anxiety": ["Felt nervous or anxious"],
    "sense_of_control": ["Felt you had control over your life"],
    "resources_for_goals": ["Felt you had the resources/skills needed to complete your daily goals"],
    "gluten_free": ["Follow a gluten-free diet?"],
    "ketogenic": ["Follow a ketogenic diet?"],
    "fasting_hours": ["Follow an intermittent fasting diet?"],
    "injury": ["Have an injury or wound", "Injured / Not Injured"],
    "alcohol": ["Have any alcoholic drinks?", "Alkohol konsumiert?"],
    "hydration": ["Hydrate sufficiently?", "Hydrated sufficiently", "Hydrated sufficiently?"],
    "journaling": ["Journal your thoughts?", "Journaled your thoughts?"],
    "learned_something": ["Learn something interesting or important?"],
    "goal_progress": ["Make progress on an important goal?"],
    "masturbation": ["Masturbate?", "Masturbated?"],
    "meditation": ["Meditate?"],
    "menstruation": ["Menstruating"],
    "read_in_bed": [
        "Read (non-screened device) while in bed?",
        "im Bett gelesen (kein Gerät mit Bildschirm)?",
    ],
    "vaccination": [
        "Receive booster of COVID-19 vaccination?",
        "Receive dose #1 of COVID-19 vaccination?",
        "Receive dose #2 of COVID-19 vaccination?",
    ],
    "artificial_light_on_waking": [
        "Saw artificial light upon waking up?",
        "See artificial light upon waking up?",
    ],
    "morning_sunlight": ["See direct sunlight upon waking up?"],
    "shared_bed": ["Share your bed?"],
    "relationship_status_single": ["Single?"],
    "usual_bed": [
        "Sleep in the same bed as usual?",
        "Slept in the same bed as usual",
        "Slept in the same bed as usual?",
    ],
    "dark_room": ["Slept in a dark room?"],
    "snacking": ["Snack in between meals?"],
    "outdoors": ["Spend time outdoors?"],
    "stretching": ["Spend time stretching?", "Spent time stretching?"],
    "multivitamin": ["Take a multivitamin?"],
    "probiotic": ["Take a probiotic?", "Took a probiotic?"],
    "ice_bath": ["Take an ice bath?"],
    "creatine": ["Take creatine?", "Took creatine?"],
    "electrolytes": ["Take electrolyte supplements?"],
    "omega3": ["Take fish oil?"],
    "sleep_medication": ["Take prescription sleep medication?"],
    "vitamin_d": ["Take vitamin D?", "Took vitamin D?"],
    "cold_shower": ["Took a cold shower", "Took a cold shower?"],
    "hot_shower_before_bed": ["Took a hot shower before bed", "Took a hot shower before bed?"],
    "day_off": ["Took a vacation day?"],
    "zinc": ["Took a zinc supplement?"],
    "nsaid": ["Took an anti-inflammatory drug (NSAIDs)"],
    "anti_androgen": ["Took anti-androgen medication (e.g., Spironolactone)?"],
    "anti_anxiety_medication": ["Took anti-anxiety medication"],
    "vitamin_b12": ["Took vitamin B-12?"],
    "vitamin_c": ["Took vitamin C?"],
    "tracked_calories": ["Tracked your calories", "Tracked your calories?"],
    "air_travel": ["Travel on a plane?"],
    "cbd": ["Use CBD oil in any form?"],
    "humidifier": ["Use a humidifier while sleeping?"],
    "sauna": ["Use a sauna?", "Used a sauna?"],
    "steam_room": ["Use a steam room?"],
    "breathwork": ["Use breathwork?"],
    "nicotine": ["Use tobacco in any form?"],
    "percussive_massage": ["Used a percussive massager (e.g., Hypervolt, Theragun)?"],
    "cannabis": ["Used marijuana"],
    "screen_in_bed": [
        "View a screened device while in bed?",
        "Viewed a screen device in bed",
        "Viewed a screen device in bed?",
    ],
    "watched_sunset": ["Watch the sunset?"],
    "earplugs": ["Wear ear plugs to bed?", "Wore ear plugs to bed?"],
    "mouthguard": ["Wore a mouthguard while sleeping?"],
    "sleep_mask": ["Wore a sleep mask?"],
    "blue_light_glasses": [
        "Wore blue-light blocking glasses (WHOOP Evening Lenses)",
        "Wore blue-light blocking glasses before bed",
        "Wore blue-light blocking glasses before bed?",
    ],
    "worked_late": ["Work late?", "Worked late?"],
    "work_from_home": ["Worked from home?"],
}


@pytest.mark.parametrize(("behaviour", "question"), [(b, q) for b, qs in QUESTIONS.items() for q in qs])
def test_every_known_question_asks_for_its_behaviour(behaviour, question):
    assert behaviour in behaviours()
    assert behaviour_of_question(question) == behaviour
    assert behaviour_of_question(f"  {question.upper()} ") == behaviour


@pytest.mark.parametrize(
    "question",
    [
        "No alcohol?", "Caffeine after 2 pm?", "Avoid caffeine", "Less than 2 alcoholic drinks?", "Kein Alkohol?",
        "Sin cafeína", "Did you juggle?", "", "?!", "Homesick?", "Skipped breakfast?", "Stressed or calm person",
        "Feverish / No Sick", "More protein than usual?", "Work late or early?",
    ],
)  # fmt: skip
def test_a_question_that_asks_something_else_stays_unknown(question):
    assert behaviour_of_question(question) is None


def test_the_table_above_holds_every_question_of_the_reference():
    if not REFERENCE.exists():
        pytest.skip(f"the list of questions is not at {REFERENCE}")
    text = REFERENCE.read_text(encoding="utf-8").split("## 5.")[1].split("## 6.")[0].split("The list:")[1]
    listed = set(re.findall(r"`([^`]+)`", text))
    assert len(listed) == 139
    assert listed <= {question for questions in QUESTIONS.values() for question in questions}


def test_folding_keeps_only_what_is_asked():
    assert fold_question("Sick / Not Sick") == "sick"
    assert fold_question("Feverish / No Sick") == "feverish no sick"
    assert fold_question("¿Consumiste  cafeína?") == "consumiste cafeina"


def test_intimate_questions_are_private_until_let_in():
    by_default = PrivateQuestions()
    assert by_default.is_private("Engage in sexual activity?") and by_default.is_private("Masturbated?")
    assert by_default.is_private("Take prescription sleep medication?")
    assert not by_default.is_private("Have any alcoholic drinks?")
    assert not by_default.is_left_out("Masturbated?")


def test_the_wearers_choice_is_kept_and_can_be_taken_back(tmp_path):
    record = Record(tmp_path / "record.sqlite")
    choose_private(record, "me", leave_out=["alcohol", "Did you juggle?"], let_in=["sleep_medication"])
    chosen = private_questions(record, "me")
    assert chosen.is_left_out("Alkohol konsumiert?") and chosen.is_left_out("did you JUGGLE")
    assert not chosen.is_private("Take prescription sleep medication?")
    assert private_questions(record, "other") == PrivateQuestions()
    choose_private(record, "me", let_in=["alcohol"])
    assert not private_questions(record, "me").is_private("Have any alcoholic drinks?")
    assert private_questions(record, "me").is_left_out("Did you juggle?")
    record.close()
