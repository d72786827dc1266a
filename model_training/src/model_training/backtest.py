"""Rolling-origin backtest: how well each forecaster would have done over the last weeks, night by night."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, NAIVE_FORECASTERS
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster
from hrv_shared.issue import Issue
from hrv_shared.scoring import covered, crps_from_quantiles
from model_training.rolling import RollingOrigin

__all__ = ["backtest", "metrics_of", "reference_of"]

BANDS = (0.5, 0.8, 0.95)
_SCHEMA = {
    "forecaster": pl.String, "origin_day": pl.Date, "target_day": pl.Date, "horizon": pl.Int32,
    "hrv_rmssd_ms": pl.Float64, "quantiles_ms": pl.List(pl.Float64),
}  # fmt: skip


def backtest(
    rolling: RollingOrigin,
    forecasters: Mapping[str, type[Forecaster]],
    issues: Sequence[Issue],
    outcomes: pl.DataFrame,
    *,
    advance: Callable[[float], None] = lambda _amount: None,
) -> pl.DataFrame:
    """Forecast at every issue and score what has come true.

    Parameters
    ----------
    outcomes : DataFrame
        day, hrv_rmssd_ms of scored nights known at the backtest's own as_of.

    Returns
    -------
    DataFrame
        forecaster, origin_day, target_day, horizon, hrv_rmssd_ms, median_ms, crps_ms, in_50, in_80, in_95; one row a
        forecast whose outcome is known.
    """
    truth = dict(zip(outcomes["day"], outcomes["hrv_rmssd_ms"], strict=True))
    rows = []
    for issue in issues:
        history = rolling.history(issue)
        for name, forecaster in forecasters.items():
            try:
                said = rolling.forecast(forecaster, issue, history)
            except Refusal:
                continue
            rows += [
                (name, r.origin_day, r.target_day, r.horizon, truth[r.target_day], list(r.quantiles_ms))
                for r in said if r.target_day in truth
            ]  # fmt: skip
        advance(1.0)
    return _scored(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))


def reference_of(scored: pl.DataFrame) -> str | None:
    """The naive rule with the lowest CRPS on the nights that all naive rules spoke of."""
    naive = _together(scored.filter(pl.col("forecaster").is_in(list(NAIVE_FORECASTERS))))
    if naive.is_empty():
        return None
    return naive.group_by("forecaster").agg(pl.col("crps_ms").mean()).sort("crps_ms", "forecaster")["forecaster"][0]


def metrics_of(scored: pl.DataFrame, name: str, reference: str | None) -> dict[str, float]:
    """Metrics of one forecaster.

    Returns
    -------
    dict
        n, crps_ms, mae_ms, cover_50/80/95, skill (1 - ratio of CRPS sums against ``reference`` on the same nights), and
        with suffix ``_h1`` … ``_h7`` those of each horizon. What there is no night for is left out.
    """
    own = scored.filter(pl.col("forecaster") == name)
    pair = _together(scored.filter(pl.col("forecaster").is_in([name, reference])), 1 if name == reference else 2)
    metrics = _summary(own, pair, name, "")
    for h in HORIZONS:
        at = pl.col("horizon") == h
        metrics |= _summary(own.filter(at), pair.filter(at), name, f"_h{h}")
    return metrics


def _summary(own: pl.DataFrame, pair: pl.DataFrame, name: str, suffix: str) -> dict[str, float]:
    if own.is_empty():
        return {f"n{suffix}": 0.0}
    summary = {
        f"n{suffix}": float(len(own)),
        f"crps_ms{suffix}": own["crps_ms"].mean(),
        f"mae_ms{suffix}": (own["hrv_rmssd_ms"] - own["median_ms"]).abs().mean(),
    }
    summary |= {f"cover_{round(100 * band)}{suffix}": own[f"in_{round(100 * band)}"].mean() for band in BANDS}
    sums = dict(pair.group_by("forecaster").agg(pl.col("crps_ms").sum()).iter_rows())
    if name in sums:
        other = next((total for key, total in sums.items() if key != name), sums[name])
        summary[f"skill{suffix}"] = 1 - sums[name] / other
    return summary


def _together(scored: pl.DataFrame, speakers: int | None = None) -> pl.DataFrame:
    """Only nights of which all (or ``speakers``) forecasters in the frame spoke."""
    wanted = speakers or scored["forecaster"].n_unique()
    return scored.filter(pl.col("forecaster").n_unique().over("origin_day", "horizon") == wanted)


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    quantiles = np.array(rows["quantiles_ms"].to_list()).reshape(len(rows), -1)
    y = rows["hrv_rmssd_ms"].to_numpy()
    if rows.is_empty():
        columns = {"median_ms": y, "crps_ms": y} | {f"in_{round(100 * band)}": y.astype(bool) for band in BANDS}
    else:
        columns = {"median_ms": quantiles[:, MEDIAN_INDEX], "crps_ms": crps_from_quantiles(quantiles, y)}
        columns |= {f"in_{round(100 * band)}": covered(quantiles, y, band) for band in BANDS}
    return rows.drop("quantiles_ms").with_columns(pl.Series(name, values) for name, values in columns.items())
