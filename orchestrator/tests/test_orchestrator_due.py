"""What is due, at the edges of its rules; and the store's view that it is computed from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from orchestrator.due import MemberView, NightSeen, StoreView, due

DAY = date(2026, 3, 10)
OFFSET = 60


def at(hour: float, day: date = DAY) -> datetime:
    """A local hour of a day, as an instant; 25 is one at night."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour, minutes=-OFFSET)


def night(
    back: int = 0, *, known: datetime | None = None, state: str = "scored", offset: int = OFFSET
) -> NightSeen:
    day = DAY - timedelta(days=back)
    return NightSeen(day, state, known or at(7.5, day), offset)


def view(*nights: NightSeen, issued=(), notes=(), last_issued_at=None, evening_hour=22.0) -> StoreView:
    return StoreView([MemberView("me", nights, frozenset(issued), notes)], last_issued_at, evening_hour)


def slots(found) -> list[tuple[date, str]]:
    return [(item.day, item.slot) for item in found]


WEEK = [night(back) for back in range(7, 0, -1)]


@pytest.mark.parametrize(
    ("hour", "is_due"), [(7.4, False), (7.5, True), (12, True), (17.99, True), (18, False), (21.99, False)]
)
def test_a_morning_is_due_from_the_recovery_to_eighteen(hour, is_due):
    found = due(view(*WEEK, night()), at(hour))
    assert slots(found) == ([(DAY, "morning")] if is_due else [])


@pytest.mark.parametrize(("hour", "is_due"), [(15.99, False), (16, True), (17.99, True)])
def test_without_a_recovery_the_morning_waits_until_sixteen(hour, is_due):
    pending = night(state="pending", known=at(7))
    for nights in (WEEK, [*WEEK, pending]):
        found = due(view(*nights), at(hour))
        assert slots(found) == ([(DAY, "morning")] if is_due else [])
        assert not found or "not scored by 16:00" in found[0].why


@pytest.mark.parametrize(("hour", "is_due"), [(21.99, False), (22, True), (27.99, True), (28, False)])
def test_an_evening_is_due_at_the_wearer_s_hour_until_four(hour, is_due):
    assert slots(due(view(*WEEK, night()), at(hour))) == ([(DAY, "evening")] if is_due else [])


def test_an_hour_after_midnight_belongs_to_the_evening():
    assert due(view(*WEEK, night(), evening_hour=25.5), at(25.4)) == []
    (item,) = due(view(*WEEK, night(), evening_hour=25.5), at(25.5))
    assert (item.day, item.slot) == (DAY, "evening") and "01:30" in item.why


@pytest.mark.parametrize(
    ("told", "hour", "is_due"),
    [
        ([19.9], 21, False),  # a note of the afternoon is not the evening's
        ([20.0], 20.1, False),  # it may be followed by another
        ([20.0], 20.17, True),
        ([20.0, 20.3], 20.4, False),
        ([20.0, 20.3], 20.5, True),
        ([21.5], 20.5, False),  # told later than now: a clock that went back
    ],
)
def test_a_note_of_the_evening_makes_it_due_once_it_is_quiet(told, hour, is_due):
    found = due(view(*WEEK, night(), notes=[at(h) for h in told]), at(hour))
    assert slots(found) == ([(DAY, "evening")] if is_due else [])


def test_what_stands_in_the_ledger_is_not_due_again():
    assert due(view(*WEEK, night(), issued={(DAY, "morning")}), at(12)) == []
    assert slots(due(view(*WEEK, night(), issued={(DAY, "morning")}), at(23))) == [(DAY, "evening")]


def test_after_a_week_asleep_only_the_slot_of_now_is_due_and_only_with_new_data():
    woke_up = at(10) + timedelta(days=7)
    assert due(view(*WEEK, night()), woke_up) == []
    fresh = NightSeen(DAY + timedelta(days=7), "scored", woke_up, OFFSET)
    assert slots(due(view(*WEEK, night(), fresh), woke_up)) == [(fresh.day, "morning")]


def test_stale_after_three_days():
    assert slots(due(view(*WEEK), at(16.5) + timedelta(days=2))) == [(DAY + timedelta(days=2), "morning")]
    assert due(view(*WEEK), at(16.5) + timedelta(days=3)) == []


def test_a_clock_behind_the_ledger_or_the_data_makes_nothing_due():
    assert due(view(*WEEK, night(), last_issued_at=at(12.1)), at(12)) == []
    assert due(view(night(known=at(7.5))), at(7.4)) == []


def test_nothing_is_known_of_an_empty_store():
    assert due(view(), at(12)) == [] and due(StoreView([]), at(12)) == []
    assert due(view(night(state="unscorable")), at(17)) == []


def test_the_night_that_vanished_is_none():
    gone = night(state="vanished", known=at(9))
    assert due(view(*WEEK, night(), gone), at(12)) == []
    assert slots(due(view(*WEEK, night(), gone), at(8))) == [(DAY, "morning")]


def test_the_wearer_s_place_is_that_of_the_last_scored_night():
    """At 10:00 in Berlin it is still night in Los Angeles: whoever woke up there last has their own evening."""
    moved = night(offset=-480, known=at(7.5))
    assert slots(due(view(*WEEK, moved), at(32 + 1))) == [(DAY, "evening")]


def test_an_early_riser_gets_the_morning_of_the_new_day():
    early = NightSeen(DAY + timedelta(days=1), "scored", at(27.3), OFFSET)
    assert slots(due(view(*WEEK, night(), early), at(27.5))) == [(early.day, "morning")]


def test_each_member_has_their_own():
    served = MemberView("b", [night()], frozenset({(DAY, "morning")}))
    members = [MemberView("a", [night()]), served, MemberView("c", [])]
    assert [item.name for item in due(StoreView(members), at(12))] == [f"a-{DAY}-morning"]


def test_run_keys_are_the_same_for_all_ticks_of_half_an_hour():
    keys = [
        due(view(*WEEK, night()), at(12 + minute / 60))[0].run_key(at(12 + minute / 60))
        for minute in range(60)
    ]
    assert keys == sorted(keys) and len(set(keys)) == 2 and keys[0] == f"me-{DAY}-morning-24"
    (item,) = due(view(*WEEK, night()), at(17.9))
    assert len({item.run_key(at(17.5 + minute / 60)) for minute in range(1, 30)}) == 6
    assert (item.choice, item.describe()["day"]) == (f"morning:{DAY}", DAY.isoformat())
