"""Confirm, reject, correct, edit, undo: each a revision, each taken back by undo, none of it lost."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from hrv_shared.history import as_of_journal
from hrv_shared.store import Store
from journal_analysis import Correction, add_text, confirm, correct, edit, receipt, reject, show, undo
from journal_analysis.errors import BadCorrection, NoSpeech, NothingToUndo, UnknownFact

ME = "me"
NOTE = "Two glasses of wine, the last one at half past nine. Maybe a few coffees. No magnesium."


@pytest.fixture
def told(store):
    """A note and the numbers of its facts by behaviour."""
    entry = add_text(store, ME, NOTE, datetime(2026, 3, 4, 20, 15, tzinfo=UTC))
    return entry.key, {f["behaviour"]: f["number"] for f in show(store, ME)[0]["facts"]}


def facts(store):
    return {f["behaviour"]: f for f in show(store, ME)[0]["facts"]}


def in_force(store):
    table = as_of_journal(store.read_table("journal_facts"), store.clock())
    return {row["behaviour"]: row for row in table.iter_rows(named=True)}


def test_one_fact_is_confirmed_and_the_others_still_wait(store, told):
    key, number = told
    assert facts(store)["caffeine"]["status"] == "draft"
    done = confirm(store, ME, key, [number["caffeine"]])
    assert (done.changed, in_force(store)["caffeine"]["status"]) == (1, "accepted")
    assert undo(store, ME, key).what == "undo confirm"
    assert in_force(store)["caffeine"]["status"] == "draft"


def test_a_rejected_fact_is_seen_by_nobody_and_comes_back(store, told):
    key, number = told
    reject(store, ME, key, [number["alcohol"]])
    assert "alcohol" not in in_force(store) and "magnesium" in in_force(store)
    undo(store, ME, key)
    assert in_force(store)["alcohol"]["amount"] == 2


def test_a_correction_counts_from_its_own_time_on(settings):
    clock = [datetime(2026, 3, 4, 20, 15, tzinfo=UTC)]
    store = Store(settings.home, clock=lambda: clock[0])
    entry = add_text(store, ME, NOTE, clock[0])
    number = {f["behaviour"]: f["number"] for f in show(store, ME)[0]["facts"]}
    clock[0] += timedelta(hours=1)
    correct(store, ME, entry.key, number["alcohol"], Correction(amount=3))
    correct(store, ME, entry.key, number["alcohol_last_time"], Correction(clock_time="22:15"))
    table = store.read_table("journal_facts")
    before = as_of_journal(table, clock[0] - timedelta(minutes=1))
    assert before.filter(pl.col("behaviour") == "alcohol")["amount"].to_list() == [2.0]
    now = in_force(store)
    assert now["alcohol"]["amount"] == 3 and now["alcohol_last_time"]["clock_time"] == "22:15"
    assert now["alcohol"]["status"] == "accepted" and now["alcohol"]["quote"] == "Two glasses of wine"


@pytest.mark.parametrize(
    ("behaviour", "right", "expected"),
    [
        ("alcohol", Correction(denied=True), {"kind": "no", "amount": 0.0}),
        ("alcohol", Correction(amount=0), {"kind": "no", "amount": 0.0}),
        ("magnesium", Correction(amount=400), {"kind": "amount", "amount": 400.0, "unit": "mg"}),
        ("caffeine", Correction(day=date(2026, 3, 3)), {"day": date(2026, 3, 3), "night": date(2026, 3, 4)}),
        ("caffeine", Correction(is_plan=True), {"is_plan": True}),
    ],
)
def test_what_can_be_corrected(store, told, behaviour, right, expected):
    key, number = told
    correct(store, ME, key, number[behaviour], right)
    row = in_force(store)[behaviour]
    assert {name: row[name] for name in expected} == expected
    undo(store, ME, key)
    assert facts(store)[behaviour]["kind"] == {"magnesium": "no"}.get(behaviour, "amount")


@pytest.mark.parametrize(
    ("behaviour", "right", "words"),
    [
        ("alcohol", Correction(), "Expected what is right"),
        ("alcohol", Correction(clock_time="21:00"), "no clock time"),
        ("alcohol", Correction(amount=-1), "Expected 0 to"),
        ("alcohol_last_time", Correction(amount=2), "no amount"),
        ("alcohol_last_time", Correction(denied=True), "can't be denied"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(store, told, behaviour, right, words):
    key, number = told
    with pytest.raises(BadCorrection, match=words):
        correct(store, ME, key, number[behaviour], right)
    with pytest.raises(UnknownFact, match="from 1 to"):
        correct(store, ME, key, 99, Correction(amount=1))


def test_edited_words_are_read_anew_but_what_the_wearer_decided_stays(store, told):
    key, number = told
    correct(store, ME, key, number["alcohol"], Correction(amount=3))
    edit(store, ME, key, "Two glasses of wine and one coffee. Sauna for 20 minutes.")
    now = in_force(store)
    assert now["alcohol"]["amount"] == 3, "the wearer's own word stands over the rules'"
    assert now["caffeine"]["amount"] == 1 and now["sauna"]["amount"] == 20
    assert "magnesium" not in now and "alcohol_last_time" not in now
    assert show(store, ME)[0]["transcript"].endswith("20 minutes.")
    assert undo(store, ME, key).what == "undo edit"
    assert show(store, ME)[0]["transcript"] == NOTE
    now = in_force(store)
    assert "sauna" not in now and now["alcohol"]["amount"] == 3 and now["magnesium"]["kind"] == "no"


def test_undo_goes_back_step_by_step_to_the_note_itself(store, told):
    key, number = told
    states = [facts(store)]
    correct(store, ME, key, number["alcohol"], Correction(amount=3))
    states.append(facts(store))
    correct(store, ME, key, number["alcohol"], Correction(amount=4))
    states.append(facts(store))
    reject(store, ME, key, [number["magnesium"]])
    for what, before in zip(("reject", "correct", "correct"), reversed(states), strict=True):
        assert undo(store, ME, key).what == f"undo {what}"
        same = ("status", "amount", "kind", "clock_time", "day", "by_wearer")
        assert {b: [f.get(n) for n in same] for b, f in facts(store).items()} == {
            b: [f.get(n) for n in same] for b, f in before.items()
        }
    assert undo(store, ME, key).what == "undo told" and in_force(store) == {}
    with pytest.raises(NothingToUndo, match="hrv journal confirm"):
        undo(store, ME, key)
    confirm(store, ME, key)
    assert in_force(store)["alcohol"]["amount"] == 2
    assert undo(store, ME, key).what == "undo confirm" and in_force(store) == {}


def test_nothing_counts_before_confirmation_where_the_wearer_wants_it_so(store):
    entry = add_text(store, ME, NOTE, auto_accept=False)
    assert set(store.read_table("journal_facts")["status"]) == {"draft"}
    asked = receipt(entry)
    assert asked.startswith('I heard your note. Please check: [1] 2 drinks, from "Two glasses of wine"')
    assert f"hrv journal confirm {entry.key[:8]} 1 2 3 4." in asked
    confirm(store, ME, entry.key)
    assert {row["status"] for row in in_force(store).values()} == {"accepted"}


def test_the_recording_stays_until_nothing_of_its_note_waits(store, told):
    key, number = told
    recording = store.folder("audio") / f"{key}.flac"
    recording.write_bytes(b"sound")
    assert confirm(store, ME, key, [number["alcohol"]]).recordings_removed == 0 and recording.exists()
    assert confirm(store, ME, key, keep_audio=True).recordings_removed == 0 and recording.exists()
    assert confirm(store, ME, key).recordings_removed == 1 and not recording.exists()


@pytest.mark.parametrize("day", [date(9999, 12, 20), date(1, 1, 1)])
def test_a_day_far_from_the_note_is_refused_before_it_is_written(store, told, day):
    key, number = told
    with pytest.raises(BadCorrection, match="within 366 days"):
        correct(store, ME, key, number["alcohol"], Correction(day=day))
    assert add_text(store, ME, "One beer.").facts


def test_an_empty_edit_is_refused(store, told):
    with pytest.raises(NoSpeech):
        edit(store, ME, told[0], " ")
    assert show(store, ME)[0]["transcript"] == NOTE


def test_confirming_the_whole_note_leaves_rejected_what_the_wearer_or_an_edit_rejected(store, told):
    key, number = told
    reject(store, ME, key, [number["alcohol"]])
    edit(store, ME, key, "Two glasses of wine. Maybe a few coffees.")  # no magnesium any more, no last hour
    confirm(store, ME, key)
    assert {b: f["status"] for b, f in facts(store).items()} == {
        "alcohol": "rejected", "alcohol_last_time": "rejected", "caffeine": "accepted", "magnesium": "rejected"
    }  # fmt: skip
    confirm(store, ME, key, [number["alcohol"]])
    assert facts(store)["alcohol"]["status"] == "accepted", "by its number it comes back"


@pytest.mark.parametrize("how", [undo, reject])
def test_confirming_an_undone_note_brings_back_what_fell_with_it_and_nothing_else(store, told, how):
    key, number = told
    edit(store, ME, key, "Two glasses of wine. Maybe a few coffees. No magnesium.")  # no last hour
    reject(store, ME, key, [number["magnesium"]])
    before = {b: f["status"] for b, f in facts(store).items()}
    for _ in range(3 if how is undo else 1):
        how(store, ME, key)
    if how is undo:  # the edit and the rejection were taken back first
        before = dict.fromkeys(before, "accepted")
    assert {f["status"] for f in facts(store).values()} == {"rejected"}
    confirm(store, ME, key)
    expected = {b: "rejected" if s == "rejected" else "accepted" for b, s in before.items()}
    assert {b: f["status"] for b, f in facts(store).items()} == expected
    undo(store, ME, key)
    confirm(store, ME, key, [number["alcohol"]])
    undo(store, ME, key)
    confirm(store, ME, key)
    assert {b: f["status"] for b, f in facts(store).items()} == expected, (
        "also after changes that were taken back"
    )


def test_a_change_that_changes_nothing_uses_up_no_undo(store, told):
    key, number = told
    correct(store, ME, key, number["alcohol"], Correction(amount=3))
    assert correct(store, ME, key, number["alcohol"], Correction(amount=3)).changed == 0
    assert edit(store, ME, key, NOTE).changed == 0
    reject(store, ME, key, [number["magnesium"]])
    reject(store, ME, key, [number["magnesium"]])
    assert [undo(store, ME, key).what for _ in range(3)] == ["undo reject", "undo correct", "undo told"]


@pytest.mark.parametrize("how", ["correct", "reject"])
def test_the_recording_goes_also_when_the_last_waiting_fact_is_put_right_or_rejected(store, told, how):
    key, number = told
    recording = store.folder("audio") / f"{key}.flac"
    recording.write_bytes(b"sound")

    def decide(behaviour, **keep):
        if how == "correct":
            return correct(store, ME, key, number[behaviour], Correction(amount=1), **keep)
        return reject(store, ME, key, [number[behaviour]], **keep)

    assert decide("alcohol").recordings_removed == 0, "the coffees still wait"
    assert decide("caffeine", keep_audio=True).recordings_removed == 0 and recording.exists()
    assert decide("magnesium").recordings_removed == 1 and not recording.exists()
    recording.write_bytes(b"sound")
    assert reject(store, ME, key).recordings_removed == 0 and recording.exists(), (
        "confirm brings the note back"
    )
