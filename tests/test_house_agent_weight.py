"""From the raw agent to ``final`` over both rooms and the ledger: what one room writes, the other reads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import known_scores
from hrv_shared.store import Store
from llm_agent.recalibration import recalibrated_rows
from model_training.final import final_rows
from model_training.issued import issued_for, newest

FIRST, NIGHTS, NOISE = date(2026, 1, 1), 24, 0.14
SAID = (1, 2)
Z = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])


def days_table(values: dict[date, float]) -> pl.DataFrame:
    """As much of ``days`` as the ledger's outcomes need."""
    wakes = [datetime(d.year, d.month, d.day, 7, tzinfo=UTC) for d in values]
    return pl.DataFrame(
        {"member_id": "me", "day": list(values), "state": "scored", "hrv_rmssd_ms": list(values.values()),
         "sleep_onset_at": [w - timedelta(hours=8) for w in wakes], "wake_at": wakes, "known_at": wakes}
    )  # fmt: skip


def say(store: Store, origin: date, effect: float, *, sign: float, segment: str) -> dict[int, ForecastRow]:
    """Mix, raw agent, recalibrated agent and final of one evening; the final's rows by horizon."""
    as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
    issue = Issue("me", "replay", "evening", as_of, origin, 0)
    lever = {"id": "X1", "text": "wine", "taken_ms": 60 * (np.exp(effect) - 1), "evidence": ["E9"]}
    mix, agent = [], []
    for h in SAID:
        moved = sign * effect if h == 1 else 0.0
        told = {
            "shift_of_this_night_ms": 60 * (np.exp(moved) - 1), "spread_factor": 1.0, "hit_weight": 0.0,
            "segment": segment, "levers": [lever] if effect else [],
        }  # fmt: skip
        for name, rows, q, why in (
            ("mix", mix, NOISE * Z, {"parts_ms": {"base": 60.0}}),
            ("agent", agent, moved + 0.7 * NOISE * Z, told),
        ):
            quantiles = tuple(map(float, 60 * np.exp(q)))
            target = origin + timedelta(days=h)
            rows.append(
                ForecastRow("me", "evening", as_of, origin, target, h, name, "1", quantiles, "d", why)
            )
    calibrated = recalibrated_rows(agent, known_scores(store, issue))
    store.ledger.issue("replay", [*mix, *agent, *calibrated])
    parts = newest(issued_for(store, issue), "mix", "agent_calibrated")
    final = final_rows(parts, known_scores(store, issue))
    store.ledger.issue("replay", final)
    return {row.horizon: row for row in final}


@pytest.mark.parametrize(("sign", "earns"), [(1.0, True), (-1.0, False)], ids=["right", "wrong way round"])
def test_an_agent_earns_or_loses_its_weight_on_the_way_through_the_ledger(tmp_path, sign, earns):
    rng = np.random.default_rng(3)
    store = Store(tmp_path / "home", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    weights, came, moved = [], {}, []
    for i in range(NIGHTS):
        origin, effect = FIRST + timedelta(days=i), (0.0, -0.2, 0.2)[i % 3]
        final = say(store, origin, effect, sign=sign, segment="s1")
        weights.append(final[1].reasons["weights"].get("agent_calibrated", 0.0))
        assert all(final[h].reasons["weights"] == {"mix": 1.0} for h in SAID[1:])
        moved.append(abs(np.log(final[1].quantiles_ms[11] / 60)))
        came[origin + timedelta(days=1)] = float(60 * np.exp(effect + rng.normal(0, NOISE)))
        store.ledger.record_outcomes(days_table(came))
    assert weights[1] == pytest.approx(0.2, abs=0.005) and weights[::3] == [0.0] * (NIGHTS // 3)
    assert bool(moved[-1] > 0.05) is earns and moved[1] > 0
    assert weights[-1] > 0.3 or not earns
    rows = store.ledger.forecasts("replay", "me", forecaster="agent_calibrated").filter(horizon=1)
    believed = rows["reasons"].str.json_path_match("$.believed").cast(pl.Float64).to_list()
    assert believed[0] == 0.6 and (believed[-1] > 0.6) is earns
    assert store.ledger.verify() == []
    again = say(store, FIRST + timedelta(days=NIGHTS + 2), -0.15, sign=sign, segment="s2")
    start = again[1].reasons["agent"]
    assert start["scored_nights"] == 0 and start["earned"] <= 0.205
    assert not earns or start["earned"] == pytest.approx(0.2, abs=0.005)
