"""A synthetic account has the live API's shapes and oddities, and shows nothing before its time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hrv_shared.daytime import local_time, parse_instant, parse_offset_min, wake_day
from whoop_api_client.simulator import BadMemberRequest, Presentation, demo_offset, make_cohort, make_member

NOW = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)
SPEC = Path(__file__).resolve().parents[3] / "shared" / "reference" / "whoop_openapi.json"


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(12, 1, now=NOW, n_nights=300)


@pytest.fixture(scope="module")
def member():
    return make_member(0, now=NOW)


@pytest.mark.parametrize("minute", range(0, 24 * 60, 7))
def test_it_is_evening_for_the_demo_member_at_any_hour(minute):
    now = datetime(2026, 7, 1, tzinfo=UTC) + timedelta(minutes=minute)
    offset_min = demo_offset(now)
    assert offset_min % 60 == 0
    assert -11 * 60 <= offset_min <= 12 * 60
    local = local_time(now, offset_min)
    assert 21 * 60 + 30 <= local.hour * 60 + local.minute < 22 * 60 + 30


@pytest.mark.parametrize("hour", [0, 5, 9, 13, 21])
def test_the_demo_member_woke_today_and_the_day_is_open(hour):
    now = datetime(2026, 3, 30, hour, 10, tzinfo=UTC)
    member = make_member(5, now=now)
    newest = member.cycles[0]
    sleep = next(s for s in member.sleeps if not s["nap"])
    assert newest["end"] is None
    assert newest["score_state"] == "SCORED"
    offset_min = parse_offset_min(newest["timezone_offset"])
    assert offset_min == demo_offset(now)
    woke_on = wake_day(parse_instant(sleep["end"]), offset_min)
    assert woke_on == local_time(now, offset_min).date() == member.calendar.today
    assert member.recoveries[0]["cycle_id"] == newest["id"]
    assert member.journal[-1].day == woke_on
    assert member.journal[-1].recorded_at < now
    assert len([r for r in member.recoveries if r["score"]]) >= 200


def test_records_have_the_specs_required_keys_and_types(cohort):
    if not SPEC.is_file():
        pytest.skip("the reference folder with WHOOP's OpenAPI document is not beside this checkout")
    schemas = json.loads(SPEC.read_text())["components"]["schemas"]
    for member in cohort[:4]:
        for kind, name in (
            ("cycle", "Cycle"),
            ("sleep", "Sleep"),
            ("recovery", "Recovery"),
            ("workout", "WorkoutV2"),
        ):
            for record in member.records(kind):
                _conform(record, schemas[name], schemas)
        _conform(member.profile, schemas["UserBasicProfile"], schemas)
        _conform(member.body, schemas["UserBodyMeasurement"], schemas)


def test_cycles_are_contiguous_and_start_with_their_sleep(cohort):
    for member in cohort:
        cycles = member.cycles[::-1]
        main = {s["cycle_id"]: s for s in member.sleeps if not s["nap"]}
        assert len(main) == sum(not s["nap"] for s in member.sleeps)
        for before, after in zip(cycles, cycles[1:], strict=False):
            assert before["end"] == after["start"]
            assert before["start"] < before["end"]
        for cycle in cycles:
            if cycle["id"] in main:
                assert main[cycle["id"]]["start"] == cycle["start"]
        assert [c["end"] for c in cycles].count(None) == 1


def test_the_first_cycle_begins_at_midnight_with_z_and_the_first_nights_calibrate(cohort):
    for member in cohort:
        first = member.cycles[-1]
        assert first["start"].endswith("T00:00:00.000Z")
        assert first["timezone_offset"] == "Z"
        assert all(r["cycle_id"] != first["id"] for r in member.recoveries)
        calibrating = [r["score"]["user_calibrating"] for r in member.recoveries if r["score"]][::-1]
        assert calibrating[:5] == [True] * 4 + [False]
        assert not any(calibrating[5:])


def test_stages_add_up_to_the_time_in_bed(cohort):
    for member in cohort[:4]:
        for sleep in member.sleeps:
            if sleep["score"] is None:
                continue
            stages = sleep["score"]["stage_summary"]
            parts = ("awake", "no_data", "light_sleep", "slow_wave_sleep", "rem_sleep")
            assert stages["total_in_bed_time_milli"] == sum(stages[f"total_{p}_time_milli"] for p in parts)
            span = parse_instant(sleep["end"]) - parse_instant(sleep["start"])
            assert abs(span.total_seconds() * 1000 - stages["total_in_bed_time_milli"]) < 2
        for workout in member.workouts:
            span = parse_instant(workout["end"]) - parse_instant(workout["start"])
            assert sum(workout["score"]["zone_durations"].values()) == span.total_seconds() * 1000
            assert 0 < workout["score"]["percent_recorded"] <= 1
            assert workout["sport_name"] == workout["sport_name"].lower()


def test_every_oddity_occurs(cohort):
    sleeps = [s for m in cohort for s in m.sleeps]
    recoveries = [r for m in cohort for r in m.recoveries]
    cycles = [c for m in cohort for c in m.cycles]
    assert any(s["nap"] for s in sleeps)
    assert any(s["score_state"] == "UNSCORABLE" and s["score"] is None for s in sleeps)
    assert any(r["score_state"] == "UNSCORABLE" and r["score"] is None for r in recoveries)
    assert any(r["score"] and r["score"]["spo2_percentage"] is None for r in recoveries)
    with_sleep = {s["cycle_id"] for s in sleeps}
    assert any(c["id"] not in with_sleep and not c["start"].endswith("T00:00:00.000Z") for c in cycles)
    lengths_h = [
        (parse_instant(c["end"]) - parse_instant(c["start"])).total_seconds() / 3600
        for c in cycles
        if c["end"]
    ]
    assert max(lengths_h) > 30
    assert 23 < sorted(lengths_h)[len(lengths_h) // 2] < 25
    assert all("step_count" in c for c in cycles)
    assert any(w["score"]["distance_meter"] is None for m in cohort for w in m.workouts)
    nap_cycles = {s["id"] for s in sleeps if s["nap"]}
    assert not any(r["sleep_id"] in nap_cycles for r in recoveries)
    late = [
        (parse_instant(r["updated_at"]) - parse_instant(r["created_at"])).total_seconds() / 3600
        for r in recoveries
    ]
    assert 0.04 < sum(h > 1 for h in late) / len(late) < 0.13
    assert max(late) > 24
    deleted = [
        t
        for m in cohort
        for t in m.world.timelines
        if t.kind == "workout" and t.revisions[-1].payload is None
    ]
    assert deleted
    for timeline in deleted:
        begins, ends = (revision.visible_at for revision in timeline.revisions)
        assert timeline.at(begins) is not None
        assert timeline.at(ends) is None


def test_offsets_change_with_summer_time_and_a_trip_but_history_shows_the_accounts_current_one(member):
    offsets = [c["timezone_offset"] for c in member.cycles[:-1]]
    assert len(set(offsets)) >= 3
    for record in (*member.sleeps, *member.workouts):
        assert record["timezone_offset"] == offsets[0]
    honest = Presentation(account_offset_on_history=False)
    own = {s["cycle_id"]: s["timezone_offset"] for s in member.world.records("sleep", NOW, honest)}
    assert {own[c["id"]] for c in member.cycles if c["id"] in own} == set(offsets)
    assert all(own[c["id"]] == c["timezone_offset"] for c in member.cycles if c["id"] in own)


def test_wake_days_from_the_cycles_offset_are_unique(cohort):
    for member in cohort:
        offset = {c["id"]: parse_offset_min(c["timezone_offset"]) for c in member.cycles}
        days = [
            wake_day(parse_instant(s["end"]), offset[s["cycle_id"]]) for s in member.sleeps if not s["nap"]
        ]
        assert len(days) == len(set(days))
        observed = {night.wake_day for night in member.days if night.observed}
        assert {d for d in days if d in observed} - {member.calendar.today} == {
            d for d in observed if d < member.calendar.today
        }


def test_hrv_served_is_the_truth_of_its_wake_day(cohort):
    for member in cohort[:5]:
        truth = {night.wake_day: night.hrv_rmssd_ms for night in member.days}
        sleeps = {s["id"]: s for s in member.sleeps}
        offset = {c["id"]: parse_offset_min(c["timezone_offset"]) for c in member.cycles}
        exact = 0
        scored = [r for r in member.recoveries if r["score"]]
        for recovery in scored:
            woke = parse_instant(sleeps[recovery["sleep_id"]]["end"])
            expected = truth[wake_day(woke, offset[recovery["cycle_id"]])]
            assert recovery["score"]["hrv_rmssd_milli"] == pytest.approx(expected, rel=0.05)
            exact += recovery["score"]["hrv_rmssd_milli"] == pytest.approx(expected, rel=1e-6)
        assert exact >= 0.97 * len(scored)  # the rest were rescored weeks later


def test_nothing_shows_before_its_time(member):
    """At any instant of the last week no record carries an end, a stamp or a note from after it."""
    for hours in range(0, 170, 5):
        at = NOW - timedelta(hours=hours)
        for kind in ("cycle", "sleep", "recovery", "workout"):
            for record in member.records(kind, at):
                assert parse_instant(record["created_at"]) <= at
                assert parse_instant(record["updated_at"]) <= at
                if record.get("end"):
                    assert parse_instant(record["end"]) <= at
        assert all(note.recorded_at <= at for note in member.journal_at(at))


def test_the_coming_night_is_kept_back_until_tomorrow_morning(member):
    tomorrow = member.calendar.today + timedelta(days=1)
    truth = member.truth_of(tomorrow)
    before = {r["cycle_id"] for r in member.recoveries}
    assert all(
        abs(r["score"]["hrv_rmssd_milli"] - truth.hrv_rmssd_ms) > 1e-4
        for r in member.recoveries
        if r["score"]
    )
    later = member.records("recovery", NOW + timedelta(hours=18))
    new = [r for r in later if r["cycle_id"] not in before]
    assert [r["score"]["hrv_rmssd_milli"] for r in new] == [pytest.approx(truth.hrv_rmssd_ms, rel=1e-6)]
    assert member.records("cycle", NOW + timedelta(hours=18))[1]["end"] is not None
    with pytest.raises(BadMemberRequest, match="expected a wake day"):
        member.truth_of(tomorrow + timedelta(days=99))


def test_an_open_cycles_strain_grows_to_its_final_value(member):
    key = str(member.cycles[0]["id"])
    seen = [member.world.record("cycle", key, NOW + timedelta(hours=h)) for h in (-9, -6, -3, 0, 2)]
    strains = [record["score"]["strain"] for record in seen]
    assert strains == sorted(strains)
    assert len(set(strains)) > 3
    final = member.world.record("cycle", key, NOW + timedelta(hours=18))
    assert final["end"] is not None
    assert final["score"]["strain"] == pytest.approx(
        member.behaviours[member.calendar.today_index].day_strain_0_21, abs=1e-5
    )
    assert final["score"]["max_heart_rate"] >= seen[0]["score"]["max_heart_rate"]


def test_a_revision_moves_sleep_end_and_hrv_under_the_same_ids(cohort):
    revised = [
        t
        for m in cohort
        for t in m.world.timelines
        if t.kind == "sleep"
        and len(t.revisions) > 1
        and t.revisions[0].payload["end"] < t.revisions[1].payload["end"]
    ]
    share = len(revised) / sum(not s["nap"] for m in cohort for s in m.sleeps)
    assert 0.04 < share < 0.12
    for timeline in revised:
        first, last = timeline.revisions[0].payload, timeline.revisions[1].payload
        assert first["id"] == last["id"]
        assert first["created_at"] == last["created_at"] == first["updated_at"] < last["updated_at"]
        assert last["end"] < last["updated_at"]
        instants = [revision.visible_at for revision in timeline.revisions]
        assert instants == sorted(instants)


def test_pending_score_lasts_as_long_as_asked(member):
    created = parse_instant(member.recoveries[0]["created_at"])
    key = str(member.recoveries[0]["cycle_id"])
    look = Presentation(pending_score_s=60)
    pending = member.world.record("recovery", key, created + timedelta(seconds=30), look)
    assert (pending["score_state"], pending["score"]) == ("PENDING_SCORE", None)
    scored = member.world.record("recovery", key, created + timedelta(seconds=61), look)
    assert scored["score_state"] == "SCORED"


def test_notes_say_what_happened(cohort):
    days = {(m.seed, b.day): b for m in cohort for b in m.behaviours}
    stated = [(m.seed, note) for m in cohort for note in m.journal]
    assert len(stated) > 2000
    for seed, note in stated:
        day = days[seed, note.day]
        for name, value in note.stated.items():
            assert getattr(day, name) == value
        wet = any(word in note.text for word in ("wine", "beer", "gin and tonic"))
        assert wet == (day.alcohol_drinks > 0)
        assert ("sick" in note.text) == day.illness
    recorded = sum(1 for _ in stated) / sum(m.calendar.today_index for m in cohort)
    assert 0.7 < recorded < 0.98


def _conform(value, schema, schemas) -> None:
    """Required keys present, types as stated; a null stands for a key that the schema calls optional."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    for part in schema.get("allOf", []):
        _conform(value, part, schemas)
    for name in schema.get("required", []):
        assert value.get(name) is not None, name
    for name, inner in schema.get("properties", {}).items():
        if value.get(name) is None:
            continue
        kinds = {"integer": int, "number": (int, float), "string": str, "boolean": bool}
        if inner.get("type") in kinds:
            assert isinstance(value[name], kinds[inner["type"]]), name
        if inner.get("type") == "number":
            assert isinstance(value[name], float), name
        if "enum" in inner:
            assert value[name] in inner["enum"]
        if isinstance(value[name], dict):
            _conform(value[name], inner, schemas)
