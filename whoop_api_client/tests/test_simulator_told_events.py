"""Told events: off nothing changes; on, the note tells them, the night feels them, and decoys do nothing."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator import (
    BadMemberRequest,
    Happenings,
    SyntheticMember,
    load_answers,
    make_member,
    read_settings,
    running,
)
from whoop_api_client.simulator.told_events import plan_told_events, told_kinds

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)
BEFORE = {0: "5870d8afc8e69a8a", 3: "124d0678e690d152", 11: "898864fd8a68e0ce", 42: "1a79c20e74f69ca2"}
"""Digests of these members, made by `digest` with the simulator as it was before it had told events."""


@pytest.fixture(scope="module")
def plain() -> SyntheticMember:
    return make_member(8, now=NOW, n_nights=1200)


@pytest.fixture(scope="module")
def told() -> SyntheticMember:
    return make_member(8, now=NOW, n_nights=1200, happenings=Happenings(told_events_share=0.1))


@pytest.mark.parametrize("seed", BEFORE)
def test_without_told_events_members_are_what_they_were(seed):
    assert digest(make_member(seed, now=NOW, n_nights=90, utc_offset_min=60)) == BEFORE[seed]
    assert digest(make_member(seed, now=NOW, n_nights=90, utc_offset_min=60, happenings=Happenings(
        told_events_share=0.05))) != BEFORE[seed]  # fmt: skip


def test_the_share_of_days_is_as_asked_and_decoys_are_as_many(told):
    acting = sum(event.acts for event in told.told) / len(told.days)
    decoys = sum(not event.acts for event in told.told) / len(told.days)
    assert 0.075 < acting < 0.125
    assert 0.075 < decoys < 0.125
    assert len({event.day for event in told.told}) == len(told.told)


def test_no_sentence_comes_twice_before_all_have_come(told):
    for acts, count in ((True, 85), (False, 35)):
        said = [event.sentence for event in told.told if event.acts == acts]
        assert len(said) > count
        assert len(set(said[:count])) == count


def test_the_note_of_the_day_always_tells_it_and_no_other_note_does(plain, told):
    notes = {note.day: note.text for note in told.notes}
    assert all(notes[event.day].count(event.sentence) == 1 for event in told.told)
    event_days = {event.day for event in told.told}
    without = {note.day: note.text for note in plain.notes}
    assert event_days - set(without), "some fall on evenings that had no note"
    assert {d: t for d, t in notes.items() if d not in event_days} == {
        d: t for d, t in without.items() if d not in event_days
    }
    places = [notes[event.day].index(event.sentence) > 0 for event in told.told]
    assert 0.3 < np.mean(places) < 0.95


def test_a_day_with_an_event_does_not_sound_untroubled(told):
    event_days = {event.day for event in told.told}
    for note in told.notes:
        if note.day in event_days:
            assert "I feel healthy" not in note.text
            assert not re.search(r"Stress (one|two) out of five", note.text)
            assert note.stated.get("stress_1to5", 5) > 2


def test_nights_feel_exactly_the_drawn_effects_and_decoys_change_nothing(plain, told):
    """All else equal, the difference of two histories is the sum of the events' effects."""
    expected = dict.fromkeys((night.wake_day for night in told.days), 0.0)
    for event in told.told:
        assert event.acts == (event.nights_ln != (0.0, 0.0, 0.0))
        for later, effect in enumerate(event.nights_ln, start=1):
            if (day := event.day + timedelta(days=later)) in expected:
                expected[day] += effect
    for before, after in zip(plain.days, told.days, strict=True):
        change = np.log(after.hrv_rmssd_ms / before.hrv_rmssd_ms)
        assert change == pytest.approx(expected[after.wake_day], abs=1e-9)
        assert after.effects_ln["told_event"] == pytest.approx(expected[after.wake_day])
        assert "told_event" not in before.effects_ln
        assert after.law.mean_ln - before.law.mean_ln == pytest.approx(expected[after.wake_day], abs=1e-9)


def test_resting_heart_rate_and_recovery_follow_and_the_rest_stays(plain, told):
    low = [k for k, night in enumerate(told.days) if night.effects_ln["told_event"] < -0.08]
    assert len(low) > 50
    assert all(told.days[k].resting_hr_bpm > plain.days[k].resting_hr_bpm for k in low)
    assert np.mean([told.days[k].recovery_pct - plain.days[k].recovery_pct for k in low]) < -8
    assert told.behaviours == plain.behaviours
    assert [sleep["score"]["stage_summary"] for sleep in told.sleeps if sleep["score"]] == [
        sleep["score"]["stage_summary"] for sleep in plain.sleeps if sleep["score"]
    ]
    assert told.workouts == plain.workouts
    assert [c["score"]["strain"] for c in told.cycles] == [c["score"]["strain"] for c in plain.cycles]


def test_a_regression_on_served_nights_finds_the_effects():
    """Without any truth but the events': served HRV less the mean of the nights around it."""
    rows, target = [], []
    for seed in range(5):
        happenings = Happenings(told_events_share=0.15)
        member = make_member(seed, now=NOW, n_nights=1000, utc_offset_min=0, happenings=happenings)
        events = {event.day + timedelta(days=1): event for event in member.told}
        after = {
            event.day + timedelta(days=k): event.nights_ln[k - 1] for event in member.told for k in (2, 3)
        }
        served = served_ln(member)
        for day, ln in served.items():
            around = [served[d] for k in range(-10, 11) if k and (d := day + timedelta(days=k)) in served]
            event = events.get(day)
            told_ln = event.effect_ln if event else 0.0
            rows.append([1.0, told_ln, after.get(day, 0.0), float(event is not None and not event.acts)])
            target.append(ln - np.mean(around))
    x, y = np.array(rows), np.array(target)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * (y - x @ beta).var())
    assert beta[1] == pytest.approx(1, abs=3 * errors[1])
    assert beta[3] == pytest.approx(0, abs=3 * errors[3])
    assert beta[1] > 6 * errors[1]
    assert errors[3] < 0.02


def test_the_bank_is_large_varied_and_of_the_size_of_the_literature():
    kinds = told_kinds()
    sentences = [sentence for kind in kinds for sentence in kind.sentences]
    assert len(set(sentences)) == len(sentences) == 120
    count = {
        sign: sum(len(k.sentences) for k in kinds if np.sign(k.effect_pct) == sign) for sign in (-1, 0, 1)
    }
    assert count == {-1: 64, 0: 35, 1: 21}
    assert len({kind.name for kind in kinds}) == len(kinds) == 49
    for kind in kinds:
        assert -15 <= kind.effect_pct <= 6
        assert kind.acts == (kind.spread_pct > 0)
        assert 1 >= kind.carry[0] >= kind.carry[1] >= 0
        assert all(sentence[-1] in ".!" and sentence[0].isupper() for sentence in kind.sentences)


def test_drawn_effects_scatter_around_their_kinds_mean():
    days = [NOW.date() + timedelta(days=k) for k in range(20_000)]
    events = plan_told_events(1, 0.5, days)
    drawn = np.array([e.effect_ln for e in events if e.kind == "food_poisoning"])
    assert drawn.size > 200
    assert drawn.mean() == pytest.approx(np.log(0.87), abs=4 * 0.05 / np.sqrt(drawn.size))
    assert 0.04 < drawn.std() < 0.06


def test_a_larger_share_or_a_given_note_moves_no_other_day():
    days = [NOW.date() + timedelta(days=k) for k in range(300)]
    rare, often = plan_told_events(5, 0.05, days), plan_told_events(5, 0.2, days)
    assert {e.day for e in rare if e.acts} <= {e.day for e in often if e.acts}
    day = rare[-1].day
    assert plan_told_events(5, 0.05, days, wordless_day=day) == rare[:-1]
    assert plan_told_events(5, 0.0, days) == ()


def test_a_note_that_is_given_tells_no_event():
    always = Happenings(told_events_share=0.5)
    free = make_member(2, now=NOW, happenings=always)
    assert free.calendar.today in {event.day for event in free.told}
    given = make_member(2, now=NOW, happenings=always, today_note="Two glasses of wine.")
    assert given.calendar.today not in {event.day for event in given.told}
    assert given.journal[-1].text == "Two glasses of wine."


@pytest.mark.parametrize("share", [-0.1, 0.51])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(BadMemberRequest, match="expected 0 to 0.5 for told_events_share"):
        Happenings(told_events_share=share)


def test_the_truth_routes_list_them_and_nobody_knows_of_recorded_people():
    settings = read_settings(["told_events_share=0.2", "clock_runs=off"])
    member = make_member(9, now=NOW, n_nights=60, happenings=settings.happenings)
    with running(member, settings.config) as place:
        answer = httpx.get(f"{place.base_url}/_sim/truth/told-events")
        nights = httpx.get(f"{place.base_url}/_sim/truth/nights").json()["nights"]
        notes = httpx.get(f"{place.base_url}/_sim/journal").json()["notes"]
    events = answer.json()["events"]
    assert answer.status_code == 200
    assert len(events) == len(member.told) > 10
    assert {event["acts"] for event in events} == {True, False}
    sums = {night["wake_day"]: 0.0 for night in nights}
    for event in events:
        assert event["effect_ln"] == next(iter(event["nights_ln"].values()))
        for wake_day, effect in event["nights_ln"].items():
            sums[wake_day] = sums.get(wake_day, 0.0) + effect
    for night in nights:
        assert night["effects_ln"]["told_event"] == pytest.approx(sums[night["wake_day"]])
    texts = {note["day"]: note["text"] for note in notes}
    assert all(event["sentence"] in texts[event["day"]] for event in events if not event["to_come"])
    assert any(event["to_come"] for event in events)


def test_off_the_list_is_empty_and_recorded_people_have_none(tmp_path):
    member = make_member(9, now=NOW, n_nights=30)
    other = make_member(10, now=NOW, n_nights=30)
    (tmp_path / "cycle.json").write_text(json.dumps(other.cycles), encoding="utf-8")
    person = load_answers(tmp_path)
    with running([member, person], read_settings(["clock_runs=off"]).config) as place:
        route = f"{place.base_url}/_sim/truth/told-events"
        assert httpx.get(route).json() == {"events": []}
        assert httpx.get(route, params={"user_id": other.profile["user_id"]}).status_code == 404


def served_ln(member: SyntheticMember) -> dict[date, float]:
    """Served ln RMSSD by wake day, of a member who lives in UTC."""
    ends = {sleep["id"]: parse_instant(sleep["end"]).date() for sleep in member.sleeps}
    return {
        ends[recovery["sleep_id"]]: float(np.log(recovery["score"]["hrv_rmssd_milli"]))
        for recovery in member.recoveries
        if recovery["score"]
    }


def digest(member: SyntheticMember) -> str:
    """Of every revision, note and true night; floats to six decimals: another machine's last bit is no change."""
    lines = [
        [line.kind, line.key, str(line.sort_at),
         [[str(r.visible_at), r.payload, str(r.grows_from), str(r.grows_until)] for r in line.revisions]]
        for line in member.world.timelines
    ]  # fmt: skip
    notes = [[str(n.day), str(n.recorded_at), n.text, n.stated] for n in member.notes]
    nights = [
        [str(d.wake_day), d.level_ln, d.effects_ln, d.residual_carried_ln, asdict(d.law), d.hit, d.hrv_rmssd_ms,
         d.resting_hr_bpm, d.recovery_pct, d.observed]
        for d in member.days
    ]  # fmt: skip
    whole = _rounded([lines, notes, nights, member.world.profile, member.world.body])
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, (list, tuple)) else value
