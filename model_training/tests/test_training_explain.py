"""Explanations add up: to the location, to each member's median, to the mix's, to the final's, after rounding too."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hrv_shared.cli import app_for
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, RMSSD_PLAUSIBLE_MS
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import day_grid
from model_training.explain_cli import register
from model_training.explanation.errors import NothingToExplain
from model_training.explanation.explain import (
    NOT_TAKEN_APART,
    PARTS,
    explain_rows,
    final_with_parts,
    mix_with_parts,
)
from model_training.explanation.groups import (
    AGENT_PART,
    BASE,
    CALIBRATION,
    LAW,
    RECENT,
    group_of,
    in_groups,
    label,
)
from model_training.explanation.latest import explain_latest
from model_training.explanation.split import log_mean, rounded, usual_level_ms
from model_training.features import features, target_columns
from model_training.final import final_rows
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import STATES, StateSpace
from model_training.mix import average
from model_training.rolling import forecast_rows

MEMBERS = (Ridge, StateSpace, Ewma8)
LOW_MS, HIGH_MS = RMSSD_PLAUSIBLE_MS
levels_ms = st.floats(LOW_MS, HIGH_MS)


@pytest.mark.parametrize("slot", ["morning", "evening"])
@pytest.mark.parametrize("nights", [12, 45, 160])
@pytest.mark.parametrize("member", [Ridge, StateSpace])
def test_contributions_sum_to_the_location(member, nights, slot, wearer_of):
    grid = day_grid(wearer_of(nights, seed=nights, missing=0.15).history(slot=slot))
    parts = member().contributions(grid)
    assert sum(parts.values()) == pytest.approx(member().locate(grid).mean[-1], abs=1e-9)
    assert {RECENT, "weekday", "load", "body", "sleep"} <= set(parts)


@pytest.mark.parametrize("member", [Ridge, StateSpace])
def test_each_behaviour_that_was_spoken_has_its_part_and_no_other(member, wearer, fact_of, table_of):
    silent = _silent(wearer.history())
    assert not [g for g in member().contributions(day_grid(silent)) if g.startswith("journal")]
    tonight = [fact_of("a", silent.origin_day, known_at=silent.as_of, kind="amount", amount=4.0),
               fact_of("s", silent.origin_day, known_at=silent.as_of, behaviour="sick")]  # fmt: skip
    spoken = replace(silent, journal=pl.concat([silent.journal, table_of("journal_facts", tonight)]))
    parts = member().contributions(day_grid(spoken))
    assert {g for g in parts if g.startswith("journal")} == {"journal_alcohol", "journal_sick"}
    assert parts["journal_alcohol"][0] < -0.1 and not parts["journal_alcohol"][1:].any()


def test_a_hidden_calendar_takes_the_weekday_part_away(wearer):
    grid = day_grid(wearer.history())
    assert np.abs(StateSpace().contributions(grid)["weekday"]).max() > 0
    assert not StateSpace().contributions(replace(grid, knows_weekday=False))["weekday"].any()


def test_every_feature_and_state_has_a_group(wearer):
    grid = day_grid(wearer.history())
    names = [*features(grid).names, *target_columns(grid, 1)[0], *STATES]
    assert {n for n in names if not n.startswith("dose_") and group_of(n) == "other"} == set()
    assert {label(f"journal_{b.name}") for b in BEHAVIOURS} >= {"journal: alcohol", "journal: late meal"}
    assert in_groups(["strange"], np.ones((7, 1)), grid)["other"] == pytest.approx(np.ones(7))


@pytest.mark.parametrize(
    "factor", [1.0, 0.02, 6.5], ids=["usual", "at the lower bound", "at the upper bound"]
)
@pytest.mark.parametrize("slot", ["morning", "evening"])
@pytest.mark.parametrize("seed", range(3))
def test_members_mix_and_final_add_up(wearer_of, seed, slot, factor):
    wearer = wearer_of(40 + 35 * seed, seed=seed, noise=0.15 + 0.3 * seed)
    wearer = replace(
        wearer,
        days=wearer.days.with_columns((pl.col("hrv_rmssd_ms") * factor).clip(LOW_MS, HIGH_MS)),
    )
    history = wearer.history(slot=slot)
    rows = _issued(history)
    explained = explain_rows(history, rows)
    assert set(explained) == {"ridge", "state_space", "ewma_8", "mix", "final"}
    for row in (r for r in rows if r.forecaster != "agent_calibrated"):
        parts = explained[row.forecaster][row.horizon]
        assert math.fsum(parts.values()) == pytest.approx(row.quantiles_ms[MEDIAN_INDEX], abs=1e-9)
        assert parts[BASE] == usual_level_ms(history)
    moved = [explained["final"][h][AGENT_PART] for h in HORIZONS]
    assert moved == pytest.approx(
        [_median(rows, "final", h) - _median(rows, "mix", h) for h in HORIZONS], abs=1e-9
    )


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_medians_contributions_and_weights_add_up(data, wearer):
    """Members that say the wildest things of themselves, clipped medians, a mix that was calibrated anywhere."""
    history = wearer.history()
    wild = st.lists(st.floats(-9, 9), min_size=7, max_size=7)
    rows, members = [], {}
    for name in ("one", "two", "three"):
        parts = data.draw(
            st.dictionaries(st.sampled_from([RECENT, "load", "journal_sick"]), wild, min_size=1)
        )
        told = {group: np.array(ln) for group, ln in parts.items()}
        members[name] = _member(name, told) if data.draw(st.booleans()) else type(name, (), {"name": name})
        medians = data.draw(st.lists(levels_ms, min_size=7, max_size=7))
        rows += [_row(history, name, h, median) for h, median in zip(HORIZONS, medians, strict=True)]
    weights = dict(zip(members, data.draw(st.tuples(*[st.floats(0, 1)] * 3).filter(any)), strict=True))
    mix = [_row(history, "mix", h, data.draw(levels_ms), {"weights": weights}) for h in HORIZONS]
    rows += mix + [
        _row(history, "final", h, data.draw(levels_ms), {"weights": {"agent_calibrated": 0.2}})
        for h in HORIZONS
    ]
    explained = explain_rows(history, rows, members)
    for row in rows:
        total = math.fsum(explained[row.forecaster][row.horizon].values())
        assert total == pytest.approx(row.quantiles_ms[MEDIAN_INDEX], abs=1e-9)
        assert sum(explained[row.forecaster][row.horizon].values()) == pytest.approx(total, abs=1e-9)


@given(a=levels_ms, b=levels_ms)
def test_the_logarithmic_mean_turns_ln_into_ms(a, b):
    assert log_mean(a, b) * (math.log(a) - math.log(b)) == pytest.approx(a - b, abs=1e-10)
    assert min(a, b) * (1 - 1e-12) <= log_mean(a, b) <= max(a, b) * (1 + 1e-12)


@given(parts=st.dictionaries(st.text(min_size=1), st.floats(-400, 400), min_size=1), digits=st.integers(0, 3))
def test_rounded_parts_sum_to_the_rounded_sum(parts, digits):
    told = rounded(parts, digits)
    assert sum(told.values()) == pytest.approx(math.fsum(parts.values()), abs=0.5001 * 10**-digits)
    assert all(abs(told[name] - value) <= 1.0001 * 10**-digits for name, value in parts.items())


def test_the_law_is_what_the_median_lies_off_the_location(wearer):
    history = wearer.history()
    member = StateSpace().fit(history)
    parts = explain_rows(history, forecast_rows(member, history, _issue(history)))["state_space"][1]
    mean_ms = math.exp(member.locate(day_grid(history)).mean[-1, 0])
    median = member.predict(history)[0, MEDIAN_INDEX]
    assert parts[LAW] == pytest.approx(math.log(median / mean_ms) * log_mean(median, parts[BASE]), abs=1e-9)


def test_what_only_calibration_moved_is_calibration(wearer):
    history = wearer.history()
    rows = [row for row in _issued(history) if row.forecaster not in ("mix", "final", "agent_calibrated")]
    plain = _mixed(rows, 1.0)
    moved = [replace(row, quantiles_ms=tuple(1.02 * q for q in row.quantiles_ms)) for row in plain]
    for row in mix_with_parts(history, rows, plain):
        assert row.reasons[PARTS][CALIBRATION] == pytest.approx(0.0, abs=1e-9)
    for before, row in zip(plain, mix_with_parts(history, rows, moved), strict=True):
        assert row.reasons[PARTS][CALIBRATION] == pytest.approx(
            0.02 * before.quantiles_ms[MEDIAN_INDEX], abs=1e-9
        )


def test_who_does_not_tell_is_named_and_counts_as_recent_nights(wearer):
    history = wearer.history()
    rows = [row for row in _issued(history) if row.forecaster in ("ridge", "state_space", "ewma_8")]
    other = [replace(r, input_digest="0" * 64) if r.forecaster == "ridge" else r for r in rows]
    newer = [replace(r, version="99") if r.forecaster == "state_space" else r for r in rows]
    for members, silent in (
        (rows, ["ewma_8"]),
        (other, ["ewma_8", "ridge"]),
        (newer, ["ewma_8", "state_space"]),
    ):
        told = mix_with_parts(history, members, _mixed(members, 1.0))
        assert all(row.reasons[NOT_TAKEN_APART] == silent for row in told)
    parts = explain_rows(history, other)["ridge"][1]
    assert set(parts) <= {BASE, RECENT, "journal"}


def test_a_member_whose_explanation_breaks_off_is_still_mixed(wearer):
    history = wearer.history()
    rows = [_row(history, name, h, 50.0) for name in ("one", "two") for h in HORIZONS]
    broken = {"one": _member("one", None), "two": _member("two", {RECENT: np.full(7, np.nan)})}
    (told,) = mix_with_parts(
        history, rows, [_row(history, "mix", 1, 50.0, {"weights": {"one": 1, "two": 1}})], broken
    )
    assert told.reasons[NOT_TAKEN_APART] == ["one", "two"]
    assert sum(told.reasons[PARTS].values()) == pytest.approx(50.0, abs=1e-9)


def test_final_without_the_agent_has_the_mixs_parts(wearer):
    history = wearer.history()
    rows = _issued(history)
    mix = mix_with_parts(history, rows, [row for row in rows if row.forecaster == "mix"])
    final = final_with_parts(mix, final_rows(mix, _no_scores()))
    assert [row.reasons[PARTS] for row in final] == [row.reasons[PARTS] for row in mix]
    plain = [replace(row, reasons={}) for row in mix]
    assert all(PARTS not in row.reasons for row in final_with_parts(plain, final_rows(plain, _no_scores())))


@pytest.mark.parametrize("stored", [True, False], ids=["as issued", "made anew"])
def test_the_command_says_parts_that_sum_and_draws_them(store, wearer, stored, tmp_path, monkeypatch):
    history = wearer.history()
    rows = [row for row in _issued(history) if row.forecaster != "final"]
    mix = [row for row in rows if row.forecaster == "mix"]
    told = mix_with_parts(history, rows, mix) if stored else mix
    store.ledger.issue("replay", [row for row in rows if row.forecaster != "mix"] + told)
    monkeypatch.setenv("HRV_HOME", str(store.home))
    app = app_for("test", "both commands")
    register(app)
    picture = tmp_path / "why.svg"
    done = CliRunner().invoke(app, ["explain", "--slot", "evening", "--json", "--svg", str(picture)])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert [n["horizon"] for n in result["nights"]] == list(HORIZONS)
    for night, row in zip(result["nights"], mix, strict=True):
        total = night["base_ms"] + math.fsum(night["parts_ms"].values())
        assert total == pytest.approx(row.quantiles_ms[MEDIAN_INDEX], abs=1e-9)
        assert night["rest_ms"] == pytest.approx(0, abs=1e-9)
        assert all(result["labels"][group] for group in night["parts_ms"])
    assert picture.read_text().count("<svg") == 1
    words = CliRunner().invoke(app, ["explain"]).stdout
    assert f"{mix[0].quantiles_ms[MEDIAN_INDEX]:.1f}  median" in words and "The week" in words


def test_nothing_issued_says_what_to_do(store):
    with pytest.raises(NothingToExplain, match="python -m model_training forecast"):
        explain_latest(store, "me", "morning")


def _issue(history) -> Issue:
    return Issue("me", "replay", history.slot, history.as_of, history.origin_day, 0)


def _issued(history) -> list[ForecastRow]:
    """Three members, a calibrated mix, an agent that is 4 ms lower, and final."""
    rows = [row for m in MEMBERS for row in forecast_rows(m().fit(history), history, _issue(history))]
    mix = _mixed(rows, 1.01)
    agent = [
        replace(row, forecaster="agent_calibrated", quantiles_ms=tuple(0.9 * q for q in row.quantiles_ms))
        for row in mix
    ]
    weights = {"mix": 0.7, "agent_calibrated": 0.3}
    final = [
        average({"mix": m, "agent_calibrated": a}, weights, "final", "1", {"weights": weights})
        for m, a in zip(mix, agent, strict=True)
    ]
    return [*rows, *mix, *agent, *final]


def _mixed(rows, calibration: float) -> list[ForecastRow]:
    weights = {"ridge": 0.5, "state_space": 0.3, "ewma_8": 0.2}
    mixed = []
    for h in HORIZONS:
        parts = {row.forecaster: row for row in rows if row.horizon == h}
        row = average(parts, weights, "mix", "1", {"weights": weights})
        mixed.append(replace(row, quantiles_ms=tuple(calibration * q for q in row.quantiles_ms)))
    return mixed


def _row(history, name, horizon, median, reasons=None) -> ForecastRow:
    quantiles = tuple(median * f for f in np.linspace(0.5, 1.5, 23))
    target = history.origin_day + timedelta(days=horizon)
    assert quantiles[MEDIAN_INDEX] == median
    return ForecastRow(
        "me", history.slot, history.as_of, history.origin_day, target, horizon, name, "1", quantiles,
        history.digest(), reasons,
    )  # fmt: skip


def _member(name, parts):
    """A forecaster of anybody's that tells its parts; None breaks off."""

    def contributions(self, grid):
        if parts is None:
            raise RuntimeError("no idea")
        return parts

    return type(name, (), {"name": name, "version": "1", "contributions": contributions})


def _median(rows, name, horizon) -> float:
    return next(r.quantiles_ms[MEDIAN_INDEX] for r in rows if r.forecaster == name and r.horizon == horizon)


def _silent(history):
    return replace(history, journal=history.journal.filter(pl.col("night") <= history.origin_day))


def _no_scores() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"target_day": pl.Date, "origin_day": pl.Date, "horizon": pl.Int32, "forecaster": pl.String,
                "crps_ms": pl.Float64, "group": pl.String}
    )  # fmt: skip
