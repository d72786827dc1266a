"""The weekly summary: week against week, what was said against what came, and the pages made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import jsonschema
import polars as pl
import pytest

from data_intelligence import write_weekly
from data_intelligence.nights import usable_hrv
from data_intelligence.plots import history_svg
from data_intelligence.segments import scored_rows
from data_intelligence.weekly import summarise_week
from data_intelligence.weekly_calls import week_sentence
from data_intelligence.weekly_layout import SeenEffect, WeeklySummary
from data_intelligence.weekly_page import draw_week
from data_intelligence.weekly_pdf import weekly_pdf, weekly_pngs


def week_of(store, issue) -> WeeklySummary:
    return summarise_week(store, issue).summary


def test_week_against_the_week_before(store, world, issue):
    week = week_of(store, issue)
    values = world.days.unique("day").sort("day")
    last, before = values["hrv_rmssd_ms"][-7:].mean(), values["hrv_rmssd_ms"][-14:-7].mean()
    assert (week.first_day, week.last_day) == (issue.origin_day - timedelta(days=6), issue.origin_day)
    assert week.means.mean_ms == pytest.approx(last, abs=0.051)
    assert week.means.change_pct == pytest.approx(100 * (last / before - 1), abs=0.1)
    assert [n.day for n in week.nights] == [week.first_day + timedelta(days=i) for i in range(7)]


def test_best_and_worst_are_the_products_and_show_what_each_said(store, issue):
    week = week_of(store, issue)
    everybody = {"last_night", "last_28", "ewma_8", "mix", "final"}
    assert {s.forecaster for s in week.scores} == everybody
    assert all(s.n == 7 for s in week.scores)
    own = scored_rows(store, issue.member_id, issue.as_of).filter(
        pl.col("horizon") == 1, pl.col("forecaster") == "final",
        pl.col("target_day").is_between(week.first_day, week.last_day),
    ).sort("crps_ms")  # fmt: skip
    for miss, at in ((week.best_call, 0), (week.worst_miss, -1)):
        assert miss.target_day == own["target_day"][at]
        said = {w.forecaster: w for w in miss.words}
        assert set(said) == everybody
        assert said["final"].crps_ms == pytest.approx(own["crps_ms"][at], abs=0.006)


def test_each_night_stands_beside_what_was_said_of_it(store, issue):
    week = week_of(store, issue)
    rows = scored_rows(store, issue.member_id, issue.as_of).filter(
        pl.col("horizon") == 1, pl.col("forecaster") == "final"
    )
    own = {row["target_day"]: row for row in rows.iter_rows(named=True)}
    for call in week.calls:
        row = own[call.day]
        assert call.forecaster == "final"
        assert call.off_ms == pytest.approx(row["hrv_rmssd_ms"] - row["median_ms"], abs=0.051)
        assert call.in_80 == row["in_80"] == (call.p10_ms - 0.06 <= call.hrv_rmssd_ms <= call.p90_ms + 0.06)
    held = sum(call.in_80 for call in week.calls)
    assert f"held {held} of 7 nights" in week.sentence
    off = next(call.off_ms for call in week.calls if call.day == week.worst_miss.target_day)
    assert f"({off:+.0f} ms" in week.sentence


def test_beside_the_furthest_miss_stands_only_what_is_known_to_move_the_wearer(store, issue):
    week = week_of(store, issue)
    worst = week.worst_miss.target_day
    effect = SeenEffect(
        behaviour="alcohol", text="alcohol, 3 drinks", label="adjusted association", effect_ms=-6.0, low80_ms=-9.0,
        high80_ms=-3.0, n_yes=20, nights=(worst,), week_mean_ms=40.0, week_evidence="E1", evidence="E1",
    )  # fmt: skip
    elsewhere = effect.model_copy(update={"nights": (worst + timedelta(days=30),)})
    assert ", after alcohol, 3 drinks)" in week_sentence(week.means, week.calls, week.worst_miss, (effect,))
    assert "after" not in week_sentence(week.means, week.calls, week.worst_miss, (elsewhere,))


def test_the_picture_shows_what_had_been_said_of_each_night(store, issue):
    view = summarise_week(store, issue)
    day, shown = view.day, (usable_hrv(view.day.history), view.day.summary.baseline, view.day.rows)
    bands = [call for call in view.summary.calls if call.p10_ms is not None]
    plain, told = (
        history_svg(*shown, day.summary.issue.origin_day, "x", calls) for calls in ((), view.summary.calls)
    )
    in_the_legend = 1
    assert told.count('stroke-width="5"') - plain.count('stroke-width="5"') == len(bands) + in_the_legend == 8


def test_effects_at_work_are_those_of_behaviours_noted_this_week(store, world, issue):
    week = week_of(store, issue)
    noted = world.journal.filter(pl.col("night").is_between(week.first_day, week.last_day))
    for seen in week.effects_seen:
        own = set(noted.filter(pl.col("behaviour") == seen.behaviour)["night"])
        assert set(seen.nights) == own
        values = world.days.unique("day").filter(pl.col("day").is_in(list(own)))["hrv_rmssd_ms"]
        assert seen.week_mean_ms == pytest.approx(values.mean(), abs=0.051)


def test_it_is_written_alike_each_time_and_by_its_schema(store, issue):
    files = write_weekly(store, issue)
    first = {path.name: path.read_bytes() for path in files}
    assert first == {path.name: path.read_bytes() for path in write_weekly(store, issue)}
    name = issue.name
    assert set(first) == {f"{name}.{kind}" for kind in ("json", "md", "html", "pdf")} | {
        f"{name}-history.svg", f"{name}-skill.svg", "schema.json"
    }  # fmt: skip
    summary = json.loads(first[f"{name}.json"])
    jsonschema.validate(summary, json.loads(first["schema.json"]))
    text = first[f"{name}.json"].decode()
    cited = {part.split('"')[0] for part in text.split('evidence": "')[1:]}
    assert cited == set(summary["evidence"])
    for words in ("What came true", "Worst miss", "Best call", "The coming week", "Not known"):
        assert words in first[f"{name}.md"].decode()
        assert words in first[f"{name}.html"].decode()
    page = first[f"{name}.html"].decode()
    assert "<script" not in page and "http" not in page.replace("http-equiv", "").replace(
        "http://www.w3.org", ""
    )


def test_the_pdf_is_one_page_whatever_was_said(store, issue):
    view = summarise_week(store, issue)
    plots = draw_week(view)
    long = "word #strong[x] $y$ *z* <b> " * 40
    miss = view.summary.worst_miss.model_copy(update={"post_mortem": long, "post_mortem_evidence": "E1"})
    crowded = view.summary.model_copy(
        update={"worst_miss": miss, "best_call": miss, "unknown": (long[:180],) * 12, "sentence": long[:250],
                "alerts": ()}
    )  # fmt: skip
    for week in (view.summary, crowded):
        assert len(weekly_pngs(week, plots)) == 1
        pdf = weekly_pdf(week, plots)
        assert pdf.startswith(b"%PDF-")
        assert f"{issue.as_of:D:%Y%m%d%H%M}".encode() in pdf


def test_an_unscored_night_is_named_and_not_replaced(world, synth, now, tmp_path):
    gone = world.last_day - timedelta(days=2)
    world = type(world)(world.days.filter(pl.col("day") != gone), world.journal)
    week = week_of(world.write(tmp_path, now), world.issue())
    night = next(n for n in week.nights if n.day == gone)
    assert (night.state, night.hrv_rmssd_ms) == ("missing", None)
    assert week.means.n_nights == 6
    assert any("1 nights of the week" in line for line in week.unknown)
    assert week.worst_miss is None
    assert "no forecast of ours could be held against it" in week.sentence


def test_a_week_seen_earlier_knows_nothing_later(store, world, synth, issue):
    origin = world.last_day - timedelta(days=3)
    past = replace(issue, origin_day=origin, as_of=synth.at(origin, 21.5))
    week = week_of(store, past)
    assert week.last_day == origin
    assert all(w.issued_at <= past.as_of for w in week.worst_miss.words)
    assert week.worst_miss.target_day <= origin
    before = {p.name: p.read_bytes() for p in write_weekly(store, past)}
    store.ledger.issue("replay", synth.forecast_rows(world, world.last_day, "evening", "rules"))
    assert before == {p.name: p.read_bytes() for p in write_weekly(store, past)}


def test_two_members_do_not_overwrite_each_other(store, issue):
    names = {path.name for path in write_weekly(store, issue)} - {"schema.json"}
    assert all(name.startswith(f"{issue.member_id}-{issue.origin_day}-{issue.slot}") for name in names)
