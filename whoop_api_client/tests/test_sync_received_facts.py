"""From a received record to facts: when was it known, and what may not be written at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from hrv_shared.record import FactDraft
from whoop_api_client.received import Quarantined, drafts_for, is_final

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
CYCLE = {
    "id": 1, "user_id": 7, "created_at": "2026-05-01T07:10:00.000Z", "updated_at": "2026-05-02T07:10:00.000Z",
    "start": "2026-04-30T23:00:00.000Z", "end": "2026-05-01T22:30:00.000Z", "timezone_offset": "+02:00",
    "score_state": "SCORED", "score": {"strain": 11.0, "kilojoule": 9000.0, "average_heart_rate": 60,
    "max_heart_rate": 150}, "a_key_of_2027": {"x": 1},
}  # fmt: skip
SLEEP = {
    "id": "5f0e8a8e-0000-4000-8000-000000000001", "cycle_id": 1, "v1_id": None, "user_id": 7,
    "created_at": "2026-05-01T07:10:00.000Z", "updated_at": "2026-05-01T07:12:00.000Z",
    "start": "2026-04-30T23:00:00.000Z", "end": "2026-05-01T07:00:00.000Z", "timezone_offset": "+02:00", "nap": False,
    "score_state": "UNSCORABLE", "score": None,
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def drafts(kind: str, raw: dict, held=None, now=NOW) -> list[FactDraft]:
    made = drafts_for(kind, raw, held or {}, member_id="me", now=now)
    assert isinstance(made, list), made
    return made


def test_a_closed_cycle_of_long_ago_becomes_two_revisions():
    opening, closed = drafts("cycle", CYCLE)
    assert (opening.known_at, opening.basis) == (at("2026-05-01T07:10:00Z"), "inferred:cycle-opened")
    assert opening.payload == CYCLE | {"end": None, "score": None}
    assert (closed.known_at, closed.basis) == (at("2026-05-01T22:30:00Z"), "inferred:cycle-end")
    assert closed.payload == CYCLE
    assert {draft.key for draft in (opening, closed)} == {"1"}


def test_the_opening_revision_never_outlives_the_closed_one():
    late = CYCLE | {"created_at": "2026-05-02T06:00:00.000Z"}
    (only,) = drafts("cycle", late)
    assert only.payload == late
    assert only.known_at == at("2026-05-02T06:00:00Z")


def test_a_night_of_long_ago_was_known_when_whoop_last_touched_it():
    (draft,) = drafts("sleep", SLEEP)
    assert (draft.known_at, draft.basis) == (at("2026-05-01T07:12:00Z"), "inferred:updated-at")
    assert draft.payload is SLEEP


@pytest.mark.parametrize(("hours", "basis"), [(48, "seen"), (48.001, "inferred:updated-at")])
def test_history_begins_two_days_after_the_last_change(hours, basis):
    now = at(SLEEP["updated_at"]) + timedelta(hours=hours)
    (draft,) = drafts("sleep", SLEEP, now=now)
    assert draft.basis == basis
    if basis == "seen":
        assert draft.known_at == now


def test_what_we_hold_already_is_only_known_in_its_new_form_from_now_on():
    held = {"1": FactDraft("me", "cycle", "1", CYCLE, NOW, "seen", "whoop-api")}
    (draft,) = drafts("cycle", CYCLE, held)
    assert (draft.known_at, draft.basis) == (NOW, "seen")


@pytest.mark.parametrize("kind", ["absent", "null"])
def test_absent_and_null_are_the_same(kind):
    raw = {k: v for k, v in CYCLE.items() if k not in ("end", "score")}
    if kind == "null":
        raw |= {"end": None, "score": None}
    (draft,) = drafts("cycle", raw)
    assert not is_final(draft.payload)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": None}, "id"),
        ({"start": "yesterday"}, "start"),
        ({"start": None}, "start"),
        ({"timezone_offset": "Europe/Berlin"}, "timezone_offset"),
        ({"timezone_offset": "+29:00"}, "timezone_offset"),
        ({"end": "2026-04-29T00:00:00.000Z"}, "end"),
        ({"score": {"strain": "much"}}, "strain"),
        ({"updated_at": "2026-06-10T12:11:00.000Z"}, "future"),
        ({"start": "2036-01-01T00:00:00.000Z", "end": None}, "future"),
        ({"score": []}, "score"),
    ],
)
def test_a_malformed_or_future_record_is_set_aside_with_its_reason(change, word):
    made = drafts_for("cycle", CYCLE | change, {}, member_id="me", now=NOW)
    assert isinstance(made, Quarantined)
    assert word in made.reason
    assert "yesterday" not in made.reason
    assert "much" not in made.reason
    json.dumps(made.reason)


def test_a_clock_a_few_minutes_off_is_no_reason():
    (draft,) = drafts("sleep", SLEEP | {"updated_at": "2026-06-10T12:09:00.000Z"})
    assert draft.basis == "seen"


@pytest.mark.parametrize(
    ("payload", "final"),
    [
        (CYCLE, True),
        (CYCLE | {"end": None}, False),
        (SLEEP, True),
        (SLEEP | {"score_state": "PENDING_SCORE"}, False),
        ({"cycle_id": 1, "sleep_id": "x", "score_state": "SCORED"}, True),
        ({"cycle_id": 1, "sleep_id": "x", "score_state": "PENDING_SCORE"}, False),
    ],
)
def test_only_open_and_pending_records_are_not_final(payload, final):
    assert is_final(payload) is final
