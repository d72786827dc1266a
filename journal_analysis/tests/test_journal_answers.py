"""Answers of the WHOOP journal from an export."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hrv_shared.record import FactDraft
from journal_analysis import rebuild
from journal_analysis.answers import PRIVATE, behaviour_of_question, read_answers

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
KNOWN_AT = datetime(2024, 5, 15, 5, 31, tzinfo=UTC)


def draft(kind, key, payload, known_at=KNOWN_AT):
    return FactDraft("me", kind, key, payload, known_at, "inferred:wake+30min", "whoop-export")


def cycle(**more):
    return {"Cycle start time": "2024-05-14 23:12:40", "Cycle timezone": "UTC+02:00", **more}


def answer(question, yes, **more):
    return draft(
        "export_journal",
        f"2024-05-14T21:12:40Z#{question}",
        cycle(**{"Question text": question, "Answered yes": yes}, **more),
    )


def test_an_answer_speaks_of_the_day_before_the_night_that_opens_its_cycle(store):
    store.record.append_many(
        [
            draft(
                "export_cycle",
                "2024-05-14T21:12:40Z",
                cycle(**{"Sleep onset": "2024-05-15 14:05:00", "Wake onset": "2024-05-15 14:52:30"}),
            ),
            draft(
                "export_sleep",
                "2024-05-14T21:12:40Z",
                cycle(**{"Wake onset": "2024-05-15 07:01:12", "Nap": "false"}),
            ),
            answer("Have any alcoholic drinks?", "true"),
            answer("Take a magnesium supplement?", "false"),
            answer("Sick / Not Sick", "true"),
            answer("Did you juggle?", "true"),
            answer("Masturbated?", "true"),
            answer("Use a sauna?", "maybe"),
        ]
    )
    report = rebuild(store)["me"]
    rows = {r["behaviour"]: r for r in store.read_table("journal_facts").iter_rows(named=True)}
    assert set(rows) == {"alcohol", "magnesium", "sick"}
    drink = rows["alcohol"]
    assert (drink["day"], drink["night"]) == (date(2024, 5, 14), date(2024, 5, 15))
    assert drink["kind"] == "yes" and drink["amount"] is None
    assert drink["known_at"] == KNOWN_AT and drink["source"] == "whoop-export"
    assert rows["magnesium"]["kind"] == "no" and rows["magnesium"]["amount"] == 0
    assert report.unknown == {"Did you juggle?": 1}
    assert (report.answers, report.private, report.without_day) == (3, 1, 1)


def test_a_changed_answer_is_a_revision(store):
    store.record.append_many([answer("Use a sauna?", "true")])
    store.record.append_many([answer("Use a sauna?", "false", Notes="wrong")])
    rows, _ = read_answers(store.record, "me")
    assert [(r["revision"], r["kind"]) for r in rows] == [(1, "yes"), (2, "no")]


@pytest.mark.parametrize(
    ("question", "behaviour"),
    [
        ("Consumed caffeine?", "caffeine"),
        ("Have any caffeine? ", "caffeine"),
        ("¿Consumiste cafeína?", "caffeine"),
        ("Alkohol konsumiert?", "alcohol"),
        ("Read (non-screened device) while in bed?", "read_in_bed"),
        ("View a screened device while in bed?", "screen_in_bed"),
        ("Avoid consuming processed foods?", "avoided_processed_food"),
        ("Consumed carbohydrates", "carbohydrate"),
        ("Hydrated sufficiently?", "hydration"),
        ("Experiencing COVID-19 symptoms?", "covid_symptoms"),
        ("Receive booster of COVID-19 vaccination?", "vaccination"),
        ("Engaged in sexual activity?", PRIVATE),
        ("Single?", None),
    ],
)
def test_questions_are_mapped(question, behaviour):
    assert behaviour_of_question(question) == behaviour


def test_nearly_every_question_of_real_exports_is_mapped():
    file = REFERENCE / "whoop_export.md"
    if not file.exists():
        pytest.skip(f"the list of questions is not at {file}")
    listed = file.read_text(encoding="utf-8").split("## 5.")[1].split("## 6.")[0].split("The list:")[1]
    questions = re.findall(r"`([^`]+)`", listed)
    unknown = [q for q in questions if behaviour_of_question(q) is None]
    assert len(questions) > 100
    assert len(unknown) <= 2, unknown
