"""Every switch of a synthetic account's history does what its name says, and off means none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hrv_shared.daytime import parse_instant, parse_offset_min
from whoop_api_client.simulator import PRESETS, BadMemberRequest, Happenings, make_member, read_settings

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
NONE = {
    "late_share": 0.0, "revised_share": 0.0, "rescored_share": 0.0, "deleted_workout_share": 0.0, "nap_share": 0.0,
    "unscorable_share": 0.0, "missing_share": 0.0, "pause_days": 0, "dst": "none", "trip_hours": 0.0,
}  # fmt: skip


def member_with(nights: int = 120, seed: int = 4, **happenings):
    return make_member(
        seed, now=NOW, n_nights=nights, utc_offset_min=60, happenings=Happenings(**NONE | happenings)
    )


def timelines(member, kind: str):
    return [line for line in member.world.timelines if line.kind == kind]


def delay_h(line) -> float:
    first = line.revisions[0]
    return (first.visible_at - parse_instant(first.payload["end"])).total_seconds() / 3600


def past(lines):
    return [line for line in lines if line.revisions[0].visible_at <= NOW - timedelta(days=3)]


def test_with_everything_off_every_night_is_plain():
    member = member_with()
    sleeps = timelines(member, "sleep")
    assert len(sleeps) == 128
    assert all(0 < delay_h(line) < 0.8 for line in sleeps)
    assert {len({r.payload["end"] for r in line.revisions}) for line in sleeps} == {1}
    assert {s["score_state"] for s in member.sleeps} == {"SCORED"}
    assert not any(s["nap"] for s in member.sleeps)
    assert len(member.recoveries) == len(member.sleeps) == 120
    assert len(member.cycles) == 121
    assert {c["timezone_offset"] for c in member.cycles} == {"Z", "+01:00"}
    assert not any(r.payload is None for line in member.world.timelines for r in line.revisions)


def test_late_nights_arrive_hours_after_waking():
    late = [line for line in past(timelines(member_with(late_share=0.5), "sleep")) if delay_h(line) > 1.9]
    assert 40 < len(late) < 80
    assert max(delay_h(line) for line in late) <= 8


def test_revised_nights_move_their_end_within_five_hours_under_the_same_id():
    member = member_with(revised_share=1.0)
    recoveries = {line.revisions[0].payload["sleep_id"]: line for line in timelines(member, "recovery")}
    moved = 0
    for line in past(timelines(member, "sleep")):
        first, last = line.revisions
        assert first.payload["end"] < last.payload["end"]
        assert first.payload["id"] == last.payload["id"]
        assert timedelta(0) < last.visible_at - parse_instant(last.payload["end"]) < timedelta(hours=5)
        states = recoveries[line.key].revisions
        moved += (
            states[0].payload["score"]["hrv_rmssd_milli"] != states[1].payload["score"]["hrv_rmssd_milli"]
        )
    assert moved > 100


def test_rescored_nights_change_days_to_weeks_later():
    lines = [
        line for line in timelines(member_with(rescored_share=1.0), "recovery") if len(line.revisions) > 1
    ]
    ages = [line.revisions[-1].visible_at - line.revisions[0].visible_at for line in lines]
    assert len(ages) == 89
    assert timedelta(days=2) <= min(ages) <= max(ages) <= timedelta(days=21)


@pytest.mark.parametrize(
    ("switch", "kinds"),
    [("deleted_sleep_share", ("sleep", "recovery")), ("deleted_workout_share", ("workout",))],
)
def test_deletions_take_records_away(switch, kinds):
    member, whole = member_with(**{switch: 0.4}), member_with()
    for kind in ("cycle", "sleep", "recovery", "workout"):
        here, there = len(member.records(kind)), len(whole.records(kind))
        assert here < 0.8 * there if kind in kinds else here == there
    gone = [line for line in timelines(member, kinds[0]) if line.revisions[-1].payload is None]
    before, after = gone[0].revisions[-1].visible_at - timedelta(seconds=1), gone[0].revisions[-1].visible_at
    assert member.world.record(kinds[0], gone[0].key, before)
    assert member.world.record(kinds[0], gone[0].key, after) is None


def test_naps_belong_to_their_cycle_and_get_no_recovery():
    member = member_with(nap_share=1.0)
    naps = [s for s in member.sleeps if s["nap"]]
    assert len(naps) == 120
    assert not {n["id"] for n in naps} & {r["sleep_id"] for r in member.recoveries}
    cycles = {c["id"]: c for c in member.cycles}
    for nap in naps:
        cycle = cycles[nap["cycle_id"]]
        assert cycle["start"] < nap["start"]
        assert cycle["end"] is None or nap["end"] < cycle["end"]


def test_unscorable_sleeps_have_no_score():
    states = [s["score_state"] for s in member_with(unscorable_share=0.5).sleeps]
    assert 35 < states.count("UNSCORABLE") < 75


def test_missing_nights_leave_cycles_without_sleep_and_long_ones():
    member = member_with(missing_share=0.3, long_cycle_share=0.5)
    with_sleep = {s["cycle_id"] for s in member.sleeps}
    assert 80 < len(with_sleep) < 88
    assert len([c for c in member.cycles if c["id"] not in with_sleep]) > 15
    assert max(lengths_h(member)) > 40
    assert max(lengths_h(member_with(missing_share=0.3, long_cycle_share=0.0))) < 40


@pytest.mark.parametrize(
    ("how", "cycles", "longest_h"), [("no_sleep", 121, 40), ("long_cycle", 100, 560), ("no_cycle", 100, 40)]
)
def test_a_pause_of_weeks_in_three_ways(how, cycles, longest_h):
    member = member_with(pause_days=21, pause_as=how)
    assert len(member.recoveries) == 99
    assert len(member.cycles) == cycles
    assert longest_h - 50 < max(lengths_h(member)) < longest_h
    gaps = [
        after["start"] != before["end"]
        for before, after in zip(member.cycles[1:], member.cycles, strict=False)
    ]
    assert sum(gaps) == (how == "no_cycle")


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("eu", [(date(2025, 10, 26), -60), (date(2026, 3, 29), 60), (date(2026, 10, 25), -60)]),
        ("us", [(date(2025, 11, 2), -60), (date(2026, 3, 8), 60), (date(2026, 11, 1), -60)]),
        ("south", [(date(2025, 10, 5), 60), (date(2026, 4, 5), -60), (date(2026, 10, 4), 60)]),
        ("none", []),
    ],
)
def test_summer_time_begins_and_ends_by_its_rule(rule, changes):
    member = member_with(nights=440, dst=rule)
    days, offsets = member.calendar.days, member.calendar.offsets_min
    found = [
        (days[k], offsets[k] - offsets[k - 1]) for k in range(1, len(days)) if offsets[k] != offsets[k - 1]
    ]
    assert found == changes
    served = {parse_offset_min(c["timezone_offset"]) for c in member.cycles[:-1]}
    assert len(served) == 1 + bool(changes)


@pytest.mark.parametrize("hours", [-11.0, 5.75])
def test_a_trip_goes_there_and_back(hours):
    offsets = [parse_offset_min(c["timezone_offset"]) for c in member_with(trip_hours=hours).cycles[:-1]]
    abroad = [offset for offset in offsets if offset != 60]
    assert 6 <= len(abroad) <= 10
    assert set(abroad) == {60 + round(60 * hours)}
    assert offsets[0] == offsets[-1] == 60


def test_the_first_cycle_the_calibration_and_the_old_strap():
    plain = member_with(first_cycle_at_midnight=False, calibrating_nights=0, old_hardware=False)
    assert not any(c["timezone_offset"] == "Z" for c in plain.cycles)
    assert not any(r["score"]["user_calibrating"] for r in plain.recoveries)
    assert sum(r["score"]["spo2_percentage"] is None for r in plain.recoveries) < 8
    odd = member_with(calibrating_nights=9, old_hardware=True)
    assert odd.cycles[-1]["start"].endswith("T00:00:00.000Z")
    assert [r["score"]["user_calibrating"] for r in odd.recoveries[::-1]] == [True] * 9 + [False] * 111
    assert {r["score"]["spo2_percentage"] for r in odd.recoveries} == {None}
    assert {r["score"]["skin_temp_celsius"] for r in odd.recoveries} == {None}


def test_trouble_ahead_reaches_the_coming_nights():
    ahead = member_with(late_share=1.0, trouble_ahead=True)
    coming = [line for line in timelines(ahead, "sleep") if line.sort_at > NOW]
    assert len(coming) == 8
    assert all(delay_h(line) > 1.9 for line in coming)
    assert all(
        delay_h(line) < 1 for line in timelines(member_with(late_share=1.0), "sleep") if line.sort_at > NOW
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_make_an_account(preset):
    member = make_member(9, now=NOW, n_nights=150, happenings=read_settings(preset=preset).happenings)
    assert len(member.recoveries) > 60


@pytest.mark.parametrize(
    "wrong",
    [{"late_share": 1.5}, {"missing_share": 0.9}, {"dst": "mars"}, {"pause_as": "x"}, {"trip_hours": 13},
     {"trip_hours": 0.1}, {"calibrating_nights": -1}, {"pause_days": 110}],
)  # fmt: skip
def test_what_cannot_happen_is_refused(wrong):
    with pytest.raises(BadMemberRequest, match="expected"):
        member_with(**wrong)


def test_a_trip_needs_a_history_around_it():
    with pytest.raises(BadMemberRequest, match="40 nights"):
        member_with(nights=30, trip_hours=3)


def lengths_h(member) -> list[float]:
    spans = [(parse_instant(c["start"]), parse_instant(c["end"])) for c in member.cycles if c["end"]]
    return [(end - start).total_seconds() / 3600 for start, end in spans]
