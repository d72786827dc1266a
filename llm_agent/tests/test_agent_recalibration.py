"""The recalibrated agent: what an overconfident or overstating agent's own scored nights do to its next rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import ledger_frame, scored_by
from hrv_shared.scoring import covered, crps_from_quantiles
from llm_agent.recalibration import BELIEVED, SHIFT, recalibrate, recalibrated_rows

Z = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
NOISE, BURN_IN, NIGHTS = 0.16, 60, 700
FIRST = date(2026, 1, 1)


def agent(seed, *, overstated=1.0, bias=0.0, narrowed=1.0, whims=0.0):
    """An agent beside the truth: events move ln RMSSD by about -0.1 on a quarter of the nights, and it hears of them.

    Returns said [N, 7, 23], shifts [N, 7], outcomes [N] and the events [N] (told on day i, felt on night i + 1).
    """
    rng = np.random.default_rng(seed)
    event = rng.random(NIGHTS) < 0.25
    effect = np.where(event, rng.normal(-0.1, 0.04, NIGHTS), 0.0)
    noise = rng.normal(0, NOISE, NIGHTS)
    for i in range(1, NIGHTS):
        noise[i] += 0.2 * noise[i - 1]
    outcomes = 60 * np.exp(np.r_[0, effect[:-1]] + noise)
    shift = np.where(event, overstated * effect + rng.normal(0, 0.03, NIGHTS), 0.0)
    shift += whims * rng.normal(0, 0.1, NIGHTS) * (rng.random(NIGHTS) < 0.3)
    said = np.empty((NIGHTS, 7, 23))
    said[:] = 60 * np.exp(bias + narrowed * NOISE * Z)
    said[:, 0] *= np.exp(shift)[:, None]
    shifts = np.zeros((NIGHTS, 7))
    shifts[:, 0] = 60 * np.exp(bias) * (np.exp(shift) - 1)
    return said, shifts, outcomes, event


@pytest.mark.parametrize(
    "faults",
    [dict(), dict(narrowed=0.6), dict(narrowed=0.4), dict(overstated=2.0, narrowed=0.8), dict(bias=0.1, narrowed=0.7),
     dict(whims=1.0, narrowed=0.7), dict(narrowed=1.5)],
    ids=["honest", "overconfident", "very sure", "overstating", "biased", "whimsical", "timid"],
)  # fmt: skip
def test_eighty_percent_bands_hold_eighty_percent_whatever_the_agents_fault(faults):
    """n = 2 seeds x (639 nights 1, 636 nights 4) after 60 nights; the worst agent, a timid one, is 2 points off."""
    held, raw = {1: [], 4: []}, {1: [], 4: []}
    for seed in range(2):
        said, shifts, outcomes, _ = agent(seed, **faults)
        told = recalibrate(said, shifts, outcomes).quantiles_ms
        for h in held:
            origins = np.arange(BURN_IN, NIGHTS - h)
            held[h] += covered(told[origins, h - 1], outcomes[origins + h], 0.8).tolist()
            raw[h] += covered(said[origins, h - 1], outcomes[origins + h], 0.8).tolist()
    for h in held:
        assert np.mean(held[h]) == pytest.approx(0.8, abs=0.03), (h, np.mean(held[h]), np.mean(raw[h]))
    if faults.get("narrowed", 1.0) < 0.7:
        assert np.mean(raw[1]) < 0.65


def test_a_bias_that_chance_alone_would_show_is_left_alone():
    for seed in range(6):
        said, shifts, outcomes, _ = agent(seed)
        honest = recalibrate(said, shifts, outcomes).bias_pct[BURN_IN:, 0]
        said, shifts, outcomes, _ = agent(seed, bias=0.1)
        biased = recalibrate(said, shifts, outcomes).bias_pct[2 * BURN_IN :, 0]
        assert np.mean(honest == 0) > 0.5 and np.all(biased < -2)


def test_an_overstated_shift_is_halved_and_an_understated_one_is_not():
    believed = {}
    for overstated in (0.5, 1.0, 2.0):
        said, shifts, outcomes, event = agent(3, overstated=overstated)
        told = recalibrate(said, shifts, outcomes)
        believed[overstated] = told.believed[-1]
        nights = np.flatnonzero(event[BURN_IN : NIGHTS - 1]) + BURN_IN
        crps = {name: crps_from_quantiles(q[nights, 0], outcomes[nights + 1]).mean()
                for name, q in {"raw": said, "told": told.quantiles_ms}.items()}  # fmt: skip
        assert crps["told"] < 1.01 * crps["raw"]
    assert 0.35 < believed[2.0] < 0.65 < believed[1.0] < 1.1 and believed[0.5] > believed[1.0]


def test_shifts_that_mean_nothing_are_no_longer_believed():
    rng = np.random.default_rng(5)
    said, shifts, outcomes, _ = agent(5, overstated=0.0, whims=2.0)
    assert recalibrate(said, shifts, rng.permutation(outcomes)).believed[-1] < 0.3


def test_what_is_said_at_an_origin_rests_on_earlier_nights_only():
    said, shifts, outcomes, _ = agent(1, narrowed=0.5)
    whole = recalibrate(said, shifts, outcomes)
    cut = 300
    poisoned = outcomes.copy()
    poisoned[cut + 1 :] = 5.0
    np.testing.assert_array_equal(
        recalibrate(said, shifts, poisoned).quantiles_ms[: cut + 1], whole.quantiles_ms[: cut + 1]
    )
    early = recalibrate(said[: cut + 1], shifts[: cut + 1], outcomes[: cut + 1])
    np.testing.assert_array_equal(early.quantiles_ms, whole.quantiles_ms[: cut + 1])


def test_a_night_of_seven_days_ahead_teaches_seven_days_later():
    said, shifts, outcomes, _ = agent(2, narrowed=0.3)
    scored = recalibrate(said[:20], shifts[:20], outcomes[:20]).scored
    assert scored[10].tolist() == [10, 9, 8, 7, 6, 5, 4]


# rows of the ledger


def rows_of(said, shifts, i, segment="s1"):
    origin = FIRST + timedelta(days=i)
    as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
    reasons = {
        "segment": segment,
        "spread_factor": 1.0,
        "hit_weight": 0.0,
        "levers": [{"id": "L1", "taken_ms": -4.0}, {"id": "L2", "taken_ms": 0.0}],
    }
    return [
        ForecastRow("me", "evening", as_of, origin, origin + timedelta(days=h), h, "agent", "1",
                    tuple(map(float, said[i, h - 1])), "d", reasons | {SHIFT: float(shifts[i, h - 1])})
        for h in HORIZONS
    ]  # fmt: skip


def known(said, shifts, outcomes, until, segment="s1"):
    """Scores known on the evening of day ``until``."""
    frame = ledger_frame([r for i in range(until) for r in rows_of(said, shifts, i, segment)], "live")
    at = [datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(days=i) for i in range(len(outcomes))]
    came = pl.DataFrame({"day": [FIRST + timedelta(days=i) for i in range(len(outcomes))], "hrv_rmssd_ms": outcomes,
                         "night_began_at": [t - timedelta(hours=9) for t in at], "known_at": at})  # fmt: skip
    return scored_by(frame, came, at[until] + timedelta(hours=14))


def test_rows_of_the_ledger_come_out_as_the_walk_over_arrays_says():
    said, shifts, outcomes, _ = agent(4, narrowed=0.6)
    walk = recalibrate(said[:81], shifts[:81], outcomes[:81])
    made = recalibrated_rows(rows_of(said, shifts, 80), known(said, shifts, outcomes, 80))
    assert [r.forecaster for r in made] == ["agent_calibrated"] * 7
    for row in made:
        np.testing.assert_allclose(row.quantiles_ms, walk.quantiles_ms[80, row.horizon - 1], rtol=1e-12)
        assert row.reasons["scored_nights"] == 80 - row.horizon + 1 and row.reasons["levers"] == ["L1"]
        assert row.version.endswith("+s1")
    assert made[0].reasons["spread"] > 1.3
    assert made[0].reasons["moved"] == (shifts[80, 0] != 0)


def test_another_segment_starts_from_what_was_shipped():
    said, shifts, outcomes, _ = agent(4, narrowed=0.6)
    past = known(said, shifts, outcomes, 80)
    (first, *_) = recalibrated_rows(rows_of(said, shifts, 80, "s2"), past)
    (alone, *_) = recalibrated_rows(rows_of(said, shifts, 80, "s2"), past.clear())
    assert first == alone
    assert (first.reasons["believed"], first.reasons["spread"], first.reasons["scored_nights"]) == (
        BELIEVED,
        1.0,
        0,
    )


def test_without_any_past_a_shift_is_partly_believed_and_its_band_wider():
    said, shifts, *_ = agent(6)
    i = int(np.flatnonzero(shifts[:, 0])[0])
    raw = rows_of(said, shifts, i)
    made = recalibrated_rows(raw, known(said, shifts, np.full(2, 50.0), 0))
    base = raw[0].quantiles_ms[11] - shifts[i, 0]
    moved = np.log(made[0].quantiles_ms[11] / base) / np.log(raw[0].quantiles_ms[11] / base)
    assert moved == pytest.approx(BELIEVED)
    assert made[0].reasons[SHIFT] == pytest.approx(made[0].quantiles_ms[11] - base, abs=1e-3)
    width = [np.log(r.quantiles_ms[18] / r.quantiles_ms[4]) for r in (raw[0], made[0])]
    assert width[1] > 1.01 * width[0]
    np.testing.assert_allclose(made[3].quantiles_ms, raw[3].quantiles_ms)
    assert recalibrated_rows([], past_scores=known(said, shifts, np.full(2, 50.0), 0)) == []
    assert (
        recalibrated_rows([replace(raw[0], forecaster="mix")], known(said, shifts, np.full(2, 50.0), 0)) == []
    )
