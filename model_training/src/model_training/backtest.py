"""Rolling-origin backtest: how well each forecaster would have done over the last weeks, by night and slot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, NAIVE_FORECASTERS, SLOTS
from hrv_shared.errors import HrvError, Refusal
from hrv_shared.forecaster import Forecaster
from hrv_shared.history import History
from hrv_shared.issue import Issue
from hrv_shared.scoring import covered, crps_from_quantiles, pit
from model_training.day_grid import day_grid
from model_training.rolling import RollingOrigin

__all__ = ["backtest", "metrics_of", "ranked", "reference_of"]

BANDS = (0.5, 0.8, 0.95)
_NIGHT = ("slot", "origin_day", "horizon")
_SCHEMA = {
    "forecaster": pl.String, "slot": pl.String, "origin_day": pl.Date, "target_day": pl.Date, "horizon": pl.Int32,
    "hrv_rmssd_ms": pl.Float64, "quantiles_ms": pl.List(pl.Float64),
}  # fmt: skip


def backtest(
    rolling: RollingOrigin,
    forecasters: Mapping[str, type[Forecaster]],
    issues: Sequence[Issue],
    latest: History,
    *,
    advance: Callable[[float], None] = lambda _amount: None,
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Forecast at every issue of one slot and score what has come true.

    A forecaster with a ``path`` speaks for all origins in one pass over the latest history: row i of it looks at nights
    up to i and at the journal as of i, but at old nights as they stand now, with WHOOP's later corrections. The others
    are fitted block by block on what was known then.

    Parameters
    ----------
    latest : History
        Of the same slot, as of the backtest's own issue; holds the outcomes.

    Returns
    -------
    scored : DataFrame
        forecaster, slot, origin_day, target_day, horizon, hrv_rmssd_ms, median_ms, crps_ms, pit, in_50, in_80, in_95;
        one row a forecast whose outcome is known.
    faults : dict
        Forecaster -> how it broke off at least once; refusals are none.
    """
    scored_nights = latest.scored_nights()
    truth = dict(zip(scored_nights["day"], scored_nights["hrv_rmssd_ms"], strict=True))
    passed = {name: forecaster for name, forecaster in forecasters.items() if hasattr(forecaster, "path")}
    rows, faults = [], {}
    for name, forecaster in passed.items():
        try:
            rows += _rows(name, latest.slot, _in_one_pass(forecaster, issues, latest), truth)
        except Refusal:
            continue
        except Exception as error:  # may be anybody's; its fault must not end the others' backtest
            faults[name] = _fault(name, error)
    for issue in issues:
        history = rolling.history(issue)
        for name, forecaster in forecasters.items():
            if name in passed:
                continue
            try:
                said = rolling.forecast(forecaster, issue, history)
            except Refusal:
                continue
            except Exception as error:  # as above
                faults[name] = _fault(name, error)
                continue
            rows += _rows(name, latest.slot, [(r.origin_day, r.horizon, r.quantiles_ms) for r in said], truth)
        advance(1.0)
    return _scored(pl.DataFrame(rows, schema=_SCHEMA, orient="row")), faults


def reference_of(scored: pl.DataFrame) -> str | None:
    """The naive rule with the lowest CRPS on the nights that all naive rules spoke of."""
    naive = _together(scored.filter(pl.col("forecaster").is_in(list(NAIVE_FORECASTERS))))
    if naive.is_empty():
        return None
    return (
        naive.group_by("forecaster")
        .agg(pl.col("crps_ms").mean())
        .sort("crps_ms", "forecaster")["forecaster"][0]
    )


def ranked(scored: pl.DataFrame, names: Sequence[str]) -> list[str]:
    """Names by CRPS, the best first: those that spoke of at least half of the nights on the nights of which all of them
    spoke, then the rest by how much they spoke. A naive rule may win.
    """
    spoke = dict(
        scored.filter(pl.col("forecaster").is_in(list(names))).group_by("forecaster").len().iter_rows()
    )
    most = max(spoke.values(), default=0)
    regular = [name for name in names if 2 * spoke.get(name, 0) >= most > 0]
    common = _together(scored.filter(pl.col("forecaster").is_in(regular)), len(regular))
    order = (
        common.group_by("forecaster")
        .agg(pl.col("crps_ms").mean())
        .sort("crps_ms", "forecaster")["forecaster"]
    )
    rest = sorted(set(names) - set(order), key=lambda name: (-spoke.get(name, 0), name))
    return [*order, *rest]


def metrics_of(scored: pl.DataFrame, name: str, reference: str | None) -> dict[str, float]:
    """Metrics of one forecaster.

    Returns
    -------
    dict
        ``n``, ``crps_ms``, ``mae_ms``, ``skill`` (against the reference on nights of which both spoke), ``cover_50``,
        ``cover_80``, ``cover_95``: over all, with the suffix ``_h1`` … ``_h7`` for each horizon, ``_morning`` and
        ``_evening`` for each slot, ``_morning_h1`` … for each of both. What there is no night for is left out.
    """
    own = scored.filter(pl.col("forecaster") == name)
    pair = _together(
        scored.filter(pl.col("forecaster").is_in([name, reference])), 1 if name == reference else 2
    )
    metrics = {}
    for slot in ("", *SLOTS):
        for h in (0, *HORIZONS):
            where = pl.lit(True)
            where = where & (pl.col("slot") == slot) if slot else where
            where = where & (pl.col("horizon") == h) if h else where
            suffix = (f"_{slot}" if slot else "") + (f"_h{h}" if h else "")
            metrics |= _summary(own.filter(where), pair.filter(where), name, suffix)
    return metrics


def _fault(name: str, error: Exception) -> str:
    """In words; what another's exception says may hold values of nights, which are not for logs."""
    return str(error) if isinstance(error, HrvError) else f"{name} broke off with {type(error).__name__}."


def _in_one_pass(forecaster: type[Forecaster], issues: Sequence[Issue], latest: History) -> list[tuple]:
    """origin_day, horizon, quantiles_ms of a ``PathForecaster``."""
    grid = day_grid(latest)
    at = {day: i for i, day in enumerate(grid.days)}
    origins = [at[issue.origin_day] for issue in issues if issue.origin_day in at]
    if not origins:
        return []
    paths = forecaster().path(grid, np.array(origins))
    return [
        (grid.days[i], h, quantiles)
        for i, path in zip(origins, paths, strict=True)
        for h, quantiles in zip(HORIZONS, path, strict=True)
        if np.isfinite(quantiles).all()
    ]


def _rows(name: str, slot: str, said: Sequence[tuple], truth: Mapping[date, float]) -> list[tuple]:
    """Rows of what was said, as far as it has come true."""
    targets = ((day, day + timedelta(days=h), h, quantiles) for day, h, quantiles in said)
    return [
        (name, slot, day, target, h, truth[target], list(map(float, quantiles)))
        for day, target, h, quantiles in targets
        if target in truth
    ]


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
    return scored.filter(pl.col("forecaster").n_unique().over(_NIGHT) == wanted)


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    quantiles = np.array(rows["quantiles_ms"].to_list()).reshape(len(rows), -1)
    y = rows["hrv_rmssd_ms"].to_numpy()
    if rows.is_empty():
        columns = {"median_ms": y, "crps_ms": y, "pit": y}
        columns |= {f"in_{round(100 * band)}": y.astype(bool) for band in BANDS}
    else:
        columns = {"median_ms": quantiles[:, MEDIAN_INDEX], "crps_ms": crps_from_quantiles(quantiles, y)}
        columns |= {"pit": pit(quantiles, y)}
        columns |= {f"in_{round(100 * band)}": covered(quantiles, y, band) for band in BANDS}
    return rows.drop("quantiles_ms").with_columns(pl.Series(name, values) for name, values in columns.items())
