"""Weights of the mix and of the agent: equal at the start, earned later, and only by what was known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from model_training.final import agent_weight, final_rows
from model_training.mix import mix_rows, mix_weights
from model_training.past_scores import horizon_group, ledger_frame, scored_by

DAY = date(2026, 6, 1)
EVENING = datetime(2026, 6, 1, 22, tzinfo=UTC)
SHAPE = np.linspace(0.7, 1.3, 23)


def row(forecaster: str, median_ms: float, horizon: int = 1, origin: date = DAY, version: str = "1") -> ForecastRow:
    as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
    target = origin + timedelta(days=horizon)
    quantiles = tuple(median_ms * SHAPE)
    return ForecastRow("me", "evening", as_of, origin, target, horizon, forecaster, version, quantiles, "d")


def scores(crps_ms: dict[str, float], nights: int, horizon: int = 1) -> pl.DataFrame:
    rows = [
        (DAY - timedelta(days=k + horizon), DAY - timedelta(days=k), horizon, horizon_group(horizon), name, value)
        for k in range(nights) for name, value in crps_ms.items()
    ]  # fmt: skip
    columns = ["origin_day", "target_day", "horizon", "group", "forecaster", "crps_ms"]
    return pl.DataFrame(rows, schema=columns, orient="row").with_columns(pl.col("horizon").cast(pl.Int32))


NOTHING = scores({"ridge": 1.0}, 1).clear()


def test_equal_weights_at_the_start_and_a_plain_average():
    mixed = mix_rows([row("ridge", 40), row("boosted", 60), row("last_night", 500)], NOTHING)
    assert len(mixed) == 1 and mixed[0].forecaster == "mix"
    np.testing.assert_allclose(mixed[0].quantiles_ms, 50 * SHAPE)
    assert mixed[0].reasons["weights"] == {"boosted": 0.5, "ridge": 0.5}
    assert mixed[0].reasons["scored_nights"] == 0


def test_the_better_model_gains_weight_with_the_nights_that_show_it():
    shown = [mix_weights(scores({"ridge": 4.0, "boosted": 5.0}, n), ["boosted", "ridge"], DAY)[0] for n in (3, 14, 200)]
    ridge = [weights["ridge"] for weights in shown]
    assert 0.5 < ridge[0] < ridge[1] < ridge[2] < 1
    merit = np.array([5.0, 4.0]) ** -6.0
    assert ridge[2] == pytest.approx(200 / 214 * merit[1] / merit.sum() + 14 / 214 / 2, abs=1e-3)
    assert all(sum(weights.values()) == pytest.approx(1, abs=1e-3) for weights in shown)


def test_recent_nights_count_more():
    old = scores({"ridge": 9.0, "boosted": 3.0}, 100).filter(pl.col("target_day") < DAY - timedelta(days=60))
    new = scores({"ridge": 3.0, "boosted": 9.0}, 40)
    weights, _ = mix_weights(pl.concat([old, new]), ["boosted", "ridge"], DAY)
    assert weights["ridge"] > 0.6


def test_weights_come_from_nights_on_which_all_spoke():
    alone = scores({"ridge": 0.1}, 50)
    assert mix_weights(alone, ["boosted", "ridge"], DAY) == ({"boosted": 0.5, "ridge": 0.5}, 0)


def test_night_1_and_the_week_have_weights_of_their_own():
    known = pl.concat([scores({"ridge": 3.0, "boosted": 6.0}, 60, 1), scores({"ridge": 6.0, "boosted": 3.0}, 60, 4)])
    rows = [row(name, median, h) for name, median in (("ridge", 40), ("boosted", 60)) for h in (1, 4)]
    first, fourth = mix_rows(rows, known)
    assert first.reasons["weights"]["ridge"] > 0.7 and fourth.reasons["weights"]["ridge"] < 0.3


def test_simple_rules_stand_in_until_a_model_speaks():
    mixed = mix_rows([row("ewma_8", 40), row("last_28", 60), row("last_night", 500)], NOTHING)
    np.testing.assert_allclose(mixed[0].quantiles_ms, 50 * SHAPE)
    assert "stand in" in mixed[0].reasons["note"]
    assert mix_rows([], NOTHING) == []


def test_the_mix_of_other_versions_is_another_forecaster():
    before, after = (mix_rows([row("ridge", 40, version=v), row("boosted", 60)], NOTHING)[0] for v in ("1", "2"))
    assert before.version != after.version and before.version.split(".")[:3] == after.version.split(".")[:3]


def test_without_the_agent_final_is_the_mix_and_says_so():
    final = final_rows([row("mix", 50)], NOTHING)
    assert final[0].quantiles_ms == pytest.approx(row("mix", 50).quantiles_ms)
    assert final[0].reasons["weights"] == {"mix": 1.0} and "no forecast" in final[0].reasons["note"]
    assert final_rows([row("agent", 50)], NOTHING) == []


@pytest.mark.parametrize(
    ("nights", "agent_crps", "expected"),
    [(0, 4.0, 0.0), (13, 4.0, 0.0), (14, 4.0, 0.5 / 47), (60, 4.0, 0.5), (400, 1.0, 0.5), (60, 5.0, 0.0),
     (60, 7.0, 0.0), (60, 4.875, 0.25)],
)  # fmt: skip
def test_the_agent_earns_its_weight(nights, agent_crps, expected):
    weight, record = agent_weight(scores({"mix": 5.0, "agent": agent_crps}, nights) if nights else NOTHING)
    assert weight == pytest.approx(expected, abs=1e-4)
    assert record["scored_nights"] == nights


def test_a_trusted_agent_moves_final_by_its_weight():
    known = scores({"mix": 5.0, "agent": 4.0}, 60)
    final = final_rows([row("mix", 50), row("agent", 30)], known)[0]
    np.testing.assert_allclose(final.quantiles_ms, 40 * SHAPE)
    assert final.reasons["weights"] == {"mix": 0.5, "agent": 0.5}
    untrusted = final_rows([row("mix", 50), row("agent", 30)], NOTHING)[0]
    np.testing.assert_allclose(untrusted.quantiles_ms, 50 * SHAPE)


def test_scores_wait_for_their_outcome():
    forecasts = ledger_frame([row("ridge", 50, h) for h in (1, 2, 3)], "replay")
    known_at = [EVENING + timedelta(hours=9), EVENING + timedelta(hours=33), EVENING + timedelta(hours=57)]
    outcomes = pl.DataFrame(
        {"day": [DAY + timedelta(days=h) for h in (1, 2, 3)], "hrv_rmssd_ms": [50.0, 55.0, 60.0],
         "night_began_at": [t - timedelta(hours=9) for t in known_at], "known_at": known_at}
    )  # fmt: skip
    counts = [len(scored_by(forecasts, outcomes, EVENING + timedelta(hours=t))) for t in (8, 9, 33, 100)]
    assert counts == [0, 1, 2, 3]
    first = scored_by(forecasts, outcomes, known_at[0])
    quantiles, levels = np.array(row("ridge", 50).quantiles_ms), np.array(QUANTILE_LEVELS)
    plain = 2 * np.mean([max(tau * (50 - q), (tau - 1) * (50 - q)) for q, tau in zip(quantiles, levels, strict=True)])
    assert first["crps_ms"][0] == pytest.approx(plain)


def test_a_live_row_counts_before_a_replayed_one_and_a_late_one_not_at_all():
    live, replayed = row("ridge", 40), row("ridge", 50)
    outcomes = pl.DataFrame(
        {"day": [DAY + timedelta(days=1)], "hrv_rmssd_ms": [40.0], "night_began_at": [EVENING + timedelta(hours=1)],
         "known_at": [EVENING + timedelta(hours=9)]}
    )  # fmt: skip
    both = pl.concat([ledger_frame([live], "live"), ledger_frame([replayed], "replay")])
    later = EVENING + timedelta(days=1)
    alone = scored_by(ledger_frame([live], "live"), outcomes, later)["crps_ms"][0]
    assert scored_by(both, outcomes, later)["crps_ms"].to_list() == [alone]
    begun = outcomes.with_columns(night_began_at=pl.lit(EVENING - timedelta(hours=1)))
    assert scored_by(both, begun, later).is_empty()
