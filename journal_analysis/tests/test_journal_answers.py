"""Answers of the WHOOP journal from an export."""

from datetime import UTC, date, datetime

from hrv_shared.private_questions import choose_private
from hrv_shared.record import FactDraft
from journal_analysis import rebuild
from journal_analysis.answers import read_answers

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


def test_a_no_to_enough_is_not_a_zero(store):
    store.record.append_many([answer("Hydrated sufficiently?", "false")])
    rows, _ = read_answers(store.record, "me")
    assert [(r["behaviour"], r["kind"], r["amount"]) for r in rows] == [("hydration", "no", None)]


def test_the_wearer_decides_which_answers_become_facts(store):
    store.record.append_many([answer("Have any alcoholic drinks?", "true"), answer("Masturbated?", "true")])
    choose_private(store.record, "me", leave_out=["alcohol"], let_in=["Masturbated?"])
    rows, report = read_answers(store.record, "me")
    assert [r["behaviour"] for r in rows] == ["masturbation"]
    assert report.private == 1
