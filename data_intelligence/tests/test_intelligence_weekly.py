"""The weekly summary: week against week, how the forecasts did, and the worst miss with everyone's word on it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from data_intelligence import write_weekly
from data_intelligence.weekly import WeeklySummary, summarise_week


def test_week_against_the_week_before(store, world, issue):
    week = summarise_week(store, issue)
    values = world.days.unique("day").sort("day")
    last, before = values["hrv_rmssd_ms"][-7:].mean(), values["hrv_rmssd_ms"][-14:-7].mean()
    assert (week.first_day, week.last_day) == (issue.origin_day - timedelta(days=6), issue.origin_day)
    assert week.mean_ms == pytest.approx(last, abs=0.051)
    assert week.change_pct == pytest.approx(100 * (last / before - 1), abs=0.1)
    assert [n.day for n in week.nights] == [week.first_day + timedelta(days=i) for i in range(7)]


def test_the_worst_miss_is_the_products_and_shows_what_each_said(store, issue):
    week = summarise_week(store, issue)
    assert {s.forecaster for s in week.scores} == {"last_night", "last_28", "ewma_8", "mix", "final"}
    assert all(s.n == 7 for s in week.scores)
    miss = week.worst_miss
    assert miss.forecaster == "final"
    said = {s.forecaster: s for s in miss.sayings}
    assert set(said) == {"last_night", "last_28", "ewma_8", "mix", "final"}
    from hrv_shared.scoring import score_rows

    scores = score_rows(store.ledger.forecasts("replay", forecaster="final"), store.ledger.outcomes())
    own = scores.filter(
        pl.col("horizon") == 1, pl.col("target_day").is_between(week.first_day, week.last_day)
    )
    assert said["final"].crps_ms == pytest.approx(own["crps_ms"].max(), abs=0.006)
    assert own.sort("crps_ms")["target_day"][-1] == miss.target_day


def test_it_is_written_as_json_and_markdown_with_evidence_that_resolves(store, issue):
    first = [path.read_bytes() for path in write_weekly(store, issue)]
    assert first == [path.read_bytes() for path in write_weekly(store, issue)]
    summary = json.loads(first[0])
    WeeklySummary.model_validate(summary)
    text = first[0].decode()
    cited = {part.split('"')[0] for part in text.split('"evidence": "')[1:]}
    assert cited <= set(summary["items"])
    assert b"Worst miss" in first[1]


def test_an_unscored_night_is_named_and_not_replaced(world, synth, now, tmp_path):
    gone = world.last_day - timedelta(days=2)
    world = type(world)(world.days.filter(pl.col("day") != gone), world.journal)
    week = summarise_week(world.write(tmp_path, now), world.issue())
    night = next(n for n in week.nights if n.day == gone)
    assert (night.state, night.hrv_rmssd_ms) == ("missing", None)
    assert week.n_nights == 6
    assert any("1 nights of the week" in line for line in week.unknown)
    assert week.worst_miss is None


def test_a_week_seen_earlier_knows_nothing_later(store, world, synth, issue):
    origin = world.last_day - timedelta(days=3)
    past = replace(issue, origin_day=origin, as_of=synth.at(origin, 21.5))
    week = summarise_week(store, past)
    assert week.last_day == origin
    assert all(s.issued_at <= past.as_of for s in week.worst_miss.sayings)
    assert week.worst_miss.target_day <= origin
