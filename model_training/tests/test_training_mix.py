"""The mix of the ledger's rows: shipped shares at the start, then only what was known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.past_scores import ledger_frame, scored_by
from hrv_shared.scoring import crps_from_quantiles
from model_training.combination import SHARES
from model_training.mix import mix_rows

DAY = date(2026, 6, 1)
EVENING = datetime(2026, 6, 1, 22, tzinfo=UTC)
SHAPE = np.linspace(0.7, 1.3, 23)


def row(
    forecaster: str, median_ms: float, horizon: int = 1, origin: date = DAY, version: str = "1"
) -> ForecastRow:
    as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
    target = origin + timedelta(days=horizon)
    quantiles = tuple(median_ms * SHAPE)
    return ForecastRow("me", "evening", as_of, origin, target, horizon, forecaster, version, quantiles, "d")


def past(said_ms: dict[str, float], outcome_ms: float, nights: int, horizon: int = 1) -> pl.DataFrame:
    """The same was said on so many nights before, and the same came true."""
    outcomes = outcome_ms * (1 + 0.1 * np.sin(np.arange(nights)))
    rows = [
        (
            DAY - timedelta(days=k + horizon), DAY - timedelta(days=k), horizon, name, (median * SHAPE).tolist(),
            outcomes[k], float(crps_from_quantiles(median * SHAPE[None], outcomes[k : k + 1])[0]),
        )
        for k in range(nights) for name, median in said_ms.items()
    ]  # fmt: skip
    columns = {"origin_day": pl.Date, "target_day": pl.Date, "horizon": pl.Int32, "forecaster": pl.String,
               "quantiles_ms": pl.List(pl.Float64), "hrv_rmssd_ms": pl.Float64, "crps_ms": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row")


NOTHING = past({"ridge": 1.0}, 1.0, 1).clear()


def test_shipped_shares_at_the_start_and_a_plain_average():
    mixed = mix_rows(
        [row("ridge", 40), row("state_space", 60), row("last_night", 500), row("agent", 9)], NOTHING
    )
    assert len(mixed) == 1 and mixed[0].forecaster == "mix"
    ridge, state = SHARES["ridge"][0], SHARES["state_space"][0]
    np.testing.assert_allclose(mixed[0].quantiles_ms, (ridge * 40 + state * 60) / (ridge + state) * SHAPE)
    assert mixed[0].reasons["weights"] == {
        "ridge": pytest.approx(ridge / (ridge + state), abs=1e-4),
        "state_space": pytest.approx(state / (ridge + state), abs=1e-4),
    }  # fmt: skip
    assert mixed[0].reasons["scored_nights"] == 0


def test_the_better_model_gains_weight_with_the_nights_that_show_it():
    rows = [row("ridge", 50), row("trees", 80)]
    known = [past({"ridge": 50, "trees": 80}, 50, nights) for nights in (0, 3, 14, 60)]
    weights = [mix_rows(rows, scores)[0].reasons["weights"]["ridge"] for scores in known]
    assert weights == sorted(weights) and weights[0] < 0.6 and weights[-1] > 0.9


def test_recent_nights_count_more():
    old = past({"ridge": 90, "trees": 50}, 50, 140).filter(pl.col("target_day") < DAY - timedelta(days=90))
    new = past({"ridge": 50, "trees": 90}, 50, 90)
    mixed = mix_rows([row("ridge", 50), row("trees", 50)], pl.concat([old, new]))
    assert mixed[0].reasons["weights"]["ridge"] > 0.6


def test_every_horizon_has_weights_of_its_own():
    known = pl.concat(
        [past({"ridge": 50, "trees": 80}, 50, 60, 1), past({"ridge": 80, "trees": 50}, 50, 60, 4)]
    )
    first, fourth = mix_rows([row(name, 50, h) for name in ("ridge", "trees") for h in (1, 4)], known)
    assert first.reasons["weights"]["ridge"] > 0.8 and fourth.reasons["weights"]["ridge"] < 0.2


def test_bands_that_held_too_little_are_widened_and_the_median_stays():
    narrow = past({"ridge": 50}, 50, 0)
    rng = np.random.default_rng(3)
    known = past({"ridge": 50}, 50, 120).with_columns(
        hrv_rmssd_ms=pl.Series(50 * np.exp(rng.normal(0, 0.5, 120)))
    )
    before, after = (np.array(mix_rows([row("ridge", 50)], k)[0].quantiles_ms) for k in (narrow, known))
    assert after[11] == pytest.approx(before[11])
    assert after[-1] - after[0] > 1.2 * (before[-1] - before[0])
    assert np.all(np.diff(after) >= 0)


def test_without_a_model_there_is_no_mix():
    assert mix_rows([row("ewma_8", 40), row("last_28", 60), row("weekday", 60)], NOTHING) == []
    assert mix_rows([], NOTHING) == []


def test_the_mix_of_other_versions_is_another_forecaster():
    before, after = (
        mix_rows([row("ridge", 40, version=v), row("trees", 60)], NOTHING)[0] for v in ("1", "2")
    )
    assert before.version != after.version and before.version.split(".")[:3] == after.version.split(".")[:3]


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
    plain = 2 * np.mean(
        [max(tau * (50 - q), (tau - 1) * (50 - q)) for q, tau in zip(quantiles, levels, strict=True)]
    )
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
