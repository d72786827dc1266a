"""Alerts: what is seen, that nothing later is seen, that each day's word is written once and scored by its rule."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from data_intelligence import summarise_day, write_daily
from data_intelligence.alert_models import alert_models
from data_intelligence.alert_rules import KINDS, RULES, came_true
from data_intelligence.alert_scores import brier_figures, issued_alerts, score_alerts, score_table
from data_intelligence.alert_watch import alert_runs, watch_nights
from data_intelligence.alerts import issue_alerts, watch_history
from data_intelligence.bench_alerts.matching import judged_rows, tally_member
from data_intelligence.bench_alerts.planted_members import planted_member
from data_intelligence.cli import app
from data_intelligence.errors import ExperimentRefused
from data_intelligence.nightly_channels import nightly_channels, told_days, trailing_z
from hrv_shared.history import load_history, make_history
from hrv_shared.store import Store


@pytest.fixture(scope="module")
def member():
    return planted_member(5, 420)


@pytest.fixture(scope="module")
def watch(member):
    return watch_nights(member.nights, member.untold, member.moments)


@pytest.fixture
def ill_world(synth, world):
    """The world's last two nights with a fever's signs."""
    day = world.last_day
    ill = pl.col("day").is_in([day, day - timedelta(days=1)])
    days = world.days.with_columns(
        pl.when(ill).then(28.0).otherwise(pl.col("hrv_rmssd_ms")).alias("hrv_rmssd_ms"),
        pl.when(ill).then(66.0).otherwise(pl.col("resting_hr_bpm")).alias("resting_hr_bpm"),
        pl.when(ill).then(17.0).otherwise(pl.col("resp_rate_rpm")).alias("resp_rate_rpm"),
    )
    return type(world)(days, world.journal)


def test_planted_illness_is_seen_on_its_nights_and_not_before(member, watch):
    first = next(e for e in member.events if e.kind == "illness" and e.size > 1.2)
    at = watch.p["illness"][first.start : first.end + 1]
    before = watch.p["illness"][first.start - 12 : first.start - 2]
    assert np.nanmax(at) > alert_models()["illness"].raise_at > np.nanmax(before)
    assert tally_member(member, watch, "illness").found >= 1


def test_every_row_uses_only_its_past(member, watch):
    for count in (150, 260, 377):
        cut = watch_nights(member.nights.rows(0, count), member.untold, member.moments[:count])
        for kind in KINDS:
            np.testing.assert_array_equal(cut.p[kind], watch.p[kind][:count], err_msg=kind)
            np.testing.assert_array_equal(cut.raised[kind], watch.raised[kind][:count], err_msg=kind)


def test_the_last_rows_do_not_need_the_far_past(member, watch):
    part = watch_nights(member.nights.rows(220, 420), member.untold, member.moments[220:])
    for kind in KINDS:
        np.testing.assert_allclose(part.p[kind][100:], watch.p[kind][320:], err_msg=kind)


def test_a_usual_is_not_raised_by_the_fever_it_judges():
    x = np.concatenate([np.tile([50.0, 51.0, 52.0], 12), [60.0, 60.0, 60.0]])
    z, usual = trailing_z(x, "resting_hr_bpm")
    assert usual[-1] == 51.0 and z[-1] == z[-3] > 5
    assert np.isnan(z[16]) and np.isfinite(z[17])  # 14 nights, the last three left out


def test_what_was_told_in_time_is_known_and_what_came_later_is_not(member):
    said = told_days(member.journal, "illness")
    assert said, "seed without told illness"
    row = member.nights.days.index(min(said))
    told = watch_nights(member.nights, member.journal, member.moments)
    assert not told.told["illness"][row]  # said in the evening of that day, issued at noon
    assert told.told["illness"][row + 1] and told.p["illness"][row + 1] == 0.97


def test_a_clock_change_is_no_journey_and_six_hours_are(synth):
    start = synth.last_day.replace(month=3, day=29) - timedelta(days=27)  # ends on Sunday, 29 March 2026

    def last_p(minutes: int) -> float:
        rows = []
        for i in range(28):
            day = start + timedelta(days=i)
            rows.append(synth.day_row(day, hrv_rmssd_ms=60.0, utc_offset_min=minutes if i == 27 else 0))
        last = start + timedelta(days=27)
        days, journal = synth.days_frame(rows), synth.journal_frame([])
        history = make_history(days, journal, synth.member, synth.at(last, 12), last, "morning")
        return float(watch_history(history).p["travel"][-1])

    assert last_p(60) < 0.1 < 0.5 < last_p(360)


def test_a_new_strap_resets_what_is_usual(member):
    event = next(e for e in member.events if e.kind == "device_change")
    told = watch_nights(member.nights, member.journal, member.moments)
    runs = alert_runs(told, "device_change")
    for first, _, since in runs:
        assert (told.fresh_from[first:] >= since).all()
    assert all(abs(since - event.start) < 8 for _, _, since in runs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_waits_for_the_nights_that_decide(member, watch, kind):
    rows, p, outcome = judged_rows(member, watch, kind)
    assert len(rows) > 50 and set(np.unique(outcome)) == {0.0, 1.0}
    day = member.nights.days[rows[-1]]
    reference = watch.signs[kind].reference[rows[-1]]
    known = member.nights.rows(0, int(rows[-1]) + 1)
    assert came_true(kind, day, reference, known, {}) is None


def test_brier_figures_against_the_definition():
    p, y = np.array([0.9, 0.2, 0.6, 0.1]), np.array([1.0, 0.0, 0.0, 1.0])
    told = brier_figures(p, y, 0.5)
    assert told["brier"] == round(float(np.mean((p - y) ** 2)), 3)
    assert (told["precision_days"], told["recall_days"], told["base_rate"]) == (0.5, 0.5, 0.5)
    assert told["verdict"].startswith("cannot tell yet") and told["brier_skill_pct"] is None


def test_alerts_stand_in_the_summary_with_evidence(ill_world, issue, tmp_path, now):
    summary = summarise_day(ill_world.write(tmp_path, now), issue).summary
    (alert,) = [a for a in summary.alerts if a.name == "illness"]
    assert alert.probability > 0.3 and "breathing 17.0" in alert.sentence and "no diagnosis" in alert.sentence
    assert alert.since_day in (issue.origin_day, issue.origin_day - timedelta(days=1))
    assert "resp_rate_rpm" in " ".join(summary.evidence[alert.evidence].where)
    assert [a.name for a in summary.anomalies] == ["hrv", "resting_hr", "resp_rate"]
    assert any("alert: illness" in reason for reason in summary.anomalies[0].reasons)


def test_each_day_is_issued_once_and_the_first_word_counts(ill_world, issue, tmp_path, now):
    store = ill_world.write(tmp_path, now)
    write_daily(store, issue)
    issued = issued_alerts(store, issue.member_id)
    assert {row["kind"] for row in issued} >= {"illness", "travel", "level_shift"}
    write_daily(store, issue)
    write_daily(store, ill_world.issue("morning"))
    assert issued_alerts(store, issue.member_id) == issued


def test_an_alert_is_scored_when_its_nights_are_known(ill_world, issue, tmp_path, now, synth):
    store = ill_world.write(tmp_path, now)
    write_daily(store, issue)
    (row,) = [a for a in score_alerts(store, issue) if a.kind == "illness"]
    assert row.raised and row.came_true is None
    ahead = [
        synth.day_row(
            issue.origin_day + timedelta(days=k), hrv_rmssd_ms=30.0, resting_hr_bpm=66.0, resp_rate_rpm=17.5
        )
        for k in (1, 2, 3)
    ]
    store.write_table("days", pl.concat([ill_world.days, synth.days_frame(ahead)]))
    later = ill_world.issue()
    later = type(later)(
        later.member_id, "replay", "evening", synth.at(issue.origin_day + timedelta(days=3), 21.5),
        issue.origin_day + timedelta(days=3), 0, "later",
    )  # fmt: skip
    (row,) = [a for a in score_alerts(store, later) if a.kind == "illness"]
    assert row.came_true is True
    (line,) = [r for r in score_table([row]) if r["name"] == "illness"]
    assert line["days"] == 1 and line["verdict"].startswith("cannot tell yet")


def test_nothing_after_the_moment_touches_an_alert(ill_world, issue, tmp_path, now, synth):
    poisoned = [
        synth.day_row(issue.origin_day + timedelta(days=k), hrv_rmssd_ms=5.0, resting_hr_bpm=99.0)
        for k in (1, 2)
    ]
    clean = ill_world.write(tmp_path / "a", now)
    dirty = Store(tmp_path / "b", clock=lambda: now)
    dirty.write_table("days", pl.concat([ill_world.days, synth.days_frame(poisoned)]))
    dirty.write_table("journal_facts", ill_world.journal)
    one, two = (summarise_day(s, issue).summary for s in (clean, dirty))
    assert one.alerts == two.alerts and one.trends == two.trends


def test_a_night_without_value_raises_no_illness(ill_world, issue, tmp_path, now):
    days = ill_world.days.with_columns(
        pl.when(pl.col("day") == issue.origin_day)
        .then(pl.lit("pending"))
        .otherwise(pl.col("state"))
        .alias("state")
    )
    store = type(ill_world)(days, ill_world.journal).write(tmp_path, now)
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    watch = watch_history(history)
    assert np.isnan(watch.p["illness"][-1]) and np.isnan(nightly_channels(history).values["ln_hrv"][-1])
    issue_alerts(store, issue, watch)
    assert "illness" not in {row["kind"] for row in issued_alerts(store, issue.member_id)}


def test_the_command_lists_what_is_raised_and_how_it_came_out(ill_world, tmp_path, now, monkeypatch):
    store = ill_world.write(tmp_path, now)
    write_daily(store, ill_world.issue())
    for name in [key for key in os.environ if key.startswith("HRV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HRV_HOME", str(store.home))
    runner = CliRunner()
    shown = runner.invoke(app, ["alerts", "--member", "me", "--as-of", "2026-06-30T21:30:00Z", "--scores"])
    assert shown.exit_code == 0 and "illness since 2026-06-29" in shown.stdout
    assert "cannot tell yet" in shown.stdout
    told = runner.invoke(app, ["alerts", "--member", "me", "--as-of", "2026-06-30T21:30:00Z", "--json"])
    answer = json.loads(told.stdout)
    (raised,) = [row for row in answer["raised"] if row["name"] == "illness"]
    assert (
        answer["evidence"][raised["evidence"]]["where"]
        and answer["rules"]["illness"] == RULES["illness"].text
    )
    assert {row["name"] for row in answer["rows"]} >= {"illness", "level_shift"}
    refused = runner.invoke(app, ["experiment", "start", "alcohol", "--member", "me"])
    assert isinstance(refused.exception, ExperimentRefused)


@pytest.mark.parametrize(("scatter_h", "raised"), [(0.4, True), (2.5, False)])
def test_a_late_night_is_a_journey_only_for_who_sleeps_by_the_clock(synth, scatter_h, raised):
    rng = np.random.default_rng(8)
    first = synth.last_day - timedelta(days=39)
    late = [*rng.normal(0, scatter_h, 38), 4.0, 4.0]
    rows = [
        synth.day_row(
            first + timedelta(days=i),
            hrv_rmssd_ms=60.0,
            sleep_onset_at=synth.at(first + timedelta(days=i), -1.0 + late[i]),
        )
        for i in range(40)
    ]
    moment = synth.at(synth.last_day, 12)
    history = make_history(
        synth.days_frame(rows), synth.journal_frame([]), synth.member, moment, synth.last_day, "morning"
    )
    assert bool(watch_history(history).raised["travel"][-1]) is raised
