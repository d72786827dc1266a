"""Scores of quantile forecasts, from the ledger alone.

CRPS is twice the mean pinball loss over the 23 levels (the quantile decomposition of Laio & Tamea 2007,
doi:10.5194/hess-11-1267-2007; equal to ``scoringrules.crps_quantile``), in ms. Skill is one minus the ratio of CRPS
sums on identical nights against the best naive rule, with a moving-block bootstrap interval because neighbouring
targets overlap.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from hrv_shared.constants import MEDIAN_INDEX, NAIVE_FORECASTERS, QUANTILE_LEVELS
from hrv_shared.schemas import TABLES

__all__ = [
    "covered",
    "crps_from_quantiles",
    "pinball_loss",
    "pit",
    "score_rows",
    "scorecard",
    "skill_interval",
]

LEVELS = np.asarray(QUANTILE_LEVELS)
BLOCK_NIGHTS = 7
_SPOKEN_ONCE = ("member_id", "book", "slot", "origin_day", "horizon", "forecaster")
"""A replay of new code stands beside that of the old; the newest word on a night is the one that counts."""


def pinball_loss(q_pred: np.ndarray, y: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
    """Pinball loss of every quantile.

    Parameters
    ----------
    q_pred : ndarray [N, Q], ms
    y : ndarray [N], ms
    levels : ndarray [Q]

    Returns
    -------
    ndarray [N, Q], ms
    """
    error = np.asarray(y, float)[:, None] - np.asarray(q_pred, float)
    return np.maximum(levels * error, (levels - 1.0) * error)


def crps_from_quantiles(q_pred: np.ndarray, y: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
    """CRPS as twice the mean pinball loss; ``q_pred`` [N, Q] ms, ``y`` [N] ms -> [N] ms."""
    return 2.0 * pinball_loss(q_pred, y, levels).mean(axis=1)


def pit(q_pred: np.ndarray, y: np.ndarray, levels: np.ndarray = LEVELS) -> np.ndarray:
    """Probability integral transform by linear interpolation between quantiles; [N, Q], [N] -> [N] in [0, 1].

    Below the first or above the last quantile the mass beyond it is halved (nothing is known of its shape).
    """
    q_pred, y = np.asarray(q_pred, float), np.asarray(y, float)
    values = np.array([np.interp(value, row, levels) for row, value in zip(q_pred, y, strict=True)])
    values = np.where(y < q_pred[:, 0], levels[0] / 2, values)
    return np.where(y > q_pred[:, -1], (1 + levels[-1]) / 2, values)


def covered(q_pred: np.ndarray, y: np.ndarray, mass: float) -> np.ndarray:
    """Whether ``y`` lies in the central band of ``mass`` (0.5, 0.8, 0.95 …); [N, Q], [N] -> bool [N].

    Raises
    ------
    ValueError
        The band's ends are not among the levels.
    """
    low, high = _band(mass)
    y = np.asarray(y, float)
    return (y >= q_pred[:, low]) & (y <= q_pred[:, high])


def score_rows(forecasts: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Score every ledger row whose outcome is known (schema ``scores``).

    ``void`` marks a row issued after its night had begun, as the record now knows: it is shown and never counted.
    """
    joined = forecasts.join(
        outcomes.select(
            "member_id", pl.col("day").alias("target_day"), "hrv_rmssd_ms", "night_began_at", "known_at"
        ),
        on=["member_id", "target_day"],
    )
    if joined.is_empty():
        return pl.DataFrame(schema=TABLES["scores"].columns)
    q_pred = np.array(joined["quantiles_ms"].to_list())
    y = joined["hrv_rmssd_ms"].to_numpy()
    scored = joined.with_columns(
        median_ms=pl.Series(q_pred[:, MEDIAN_INDEX]),
        crps_ms=pl.Series(crps_from_quantiles(q_pred, y)),
        abs_error_ms=pl.Series(np.abs(y - q_pred[:, MEDIAN_INDEX])),
        pit=pl.Series(pit(q_pred, y)),
        in_50=pl.Series(covered(q_pred, y, 0.5)),
        in_80=pl.Series(covered(q_pred, y, 0.8)),
        in_95=pl.Series(covered(q_pred, y, 0.95)),
        void=(pl.col("issued_at") > pl.col("night_began_at")).fill_null(False),
    )
    return scored.select(list(TABLES["scores"].columns)).sort(TABLES["scores"].key)


def scorecard(scores: pl.DataFrame, *, seed: int = 0, resamples: int = 1000) -> pl.DataFrame:
    """How good each forecaster has been, per member, book, slot and horizon group (night 1, nights 2-7).

    Returns
    -------
    DataFrame
        member_id, book, slot, horizons ('1', '2-7'), forecaster, n, crps_ms, mae_ms, skill, skill_low, skill_high
        (90 %; null under 14 nights), reference, cover_50, cover_80, cover_95. ``n`` counts nights on which this
        forecaster **and** the reference spoke; the reference is the naive rule with the lowest CRPS on the nights
        common to all three.
    """
    rows = []
    newest = scores.sort("n").unique(_SPOKEN_ONCE, keep="last", maintain_order=True)
    counted = newest.filter(~pl.col("void")).with_columns(
        horizons=pl.when(pl.col("horizon") == 1).then(pl.lit("1")).otherwise(pl.lit("2-7"))
    )
    for key, group in counted.group_by("member_id", "book", "slot", "horizons", maintain_order=True):
        reference = _best_naive(group)
        for (name,), own in group.group_by("forecaster", maintain_order=True):
            rows.append(_card_row(key, name, own, reference, group, seed, resamples))
    return (
        pl.DataFrame(rows, schema=_CARD)
        .fill_nan(None)
        .sort("member_id", "book", "slot", "horizons", "crps_ms")
    )


def skill_interval(
    crps: np.ndarray,
    reference: np.ndarray,
    *,
    seed: int = 0,
    resamples: int = 1000,
    block: int = BLOCK_NIGHTS,
) -> tuple[float, float]:
    """90 % moving-block bootstrap interval of the skill 1 - sum(crps) / sum(reference).

    Parameters
    ----------
    crps, reference : ndarray [N]
        Paired, in the order of their target days.
    """
    n = len(crps)
    if n < 2 * block:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, n - block + 1, size=(resamples, -(-n // block)))
    index = (starts[:, :, None] + np.arange(block)).reshape(resamples, -1)[:, :n]
    skills = 1 - crps[index].sum(axis=1) / reference[index].sum(axis=1)
    return float(np.quantile(skills, 0.05)), float(np.quantile(skills, 0.95))


_CARD = {
    "member_id": pl.String, "book": pl.String, "slot": pl.String, "horizons": pl.String, "forecaster": pl.String,
    "n": pl.Int32, "crps_ms": pl.Float64, "mae_ms": pl.Float64, "skill": pl.Float64, "skill_low": pl.Float64,
    "skill_high": pl.Float64, "reference": pl.String, "cover_50": pl.Float64, "cover_80": pl.Float64,
    "cover_95": pl.Float64,
}  # fmt: skip


def _best_naive(group: pl.DataFrame) -> str | None:
    naive = group.filter(pl.col("forecaster").is_in(NAIVE_FORECASTERS))
    if naive.is_empty():
        return None
    present = naive["forecaster"].n_unique()
    common = naive.filter(pl.col("forecaster").n_unique().over("origin_day", "horizon") == present)
    return (
        common.group_by("forecaster")
        .agg(pl.col("crps_ms").mean())
        .sort("crps_ms", "forecaster")["forecaster"][0]
    )


def _card_row(key, name, own, reference, group, seed, resamples) -> dict:
    skill = low = high = None
    if reference is not None:
        ref = group.filter(pl.col("forecaster") == reference).select(
            "origin_day", "horizon", ref_ms="crps_ms"
        )
        own = own.join(ref, on=["origin_day", "horizon"])
        own = own.sort("target_day", "horizon")
        if len(own):
            skill = 1 - own["crps_ms"].sum() / own["ref_ms"].sum()
            per_day = own.group_by("target_day", maintain_order=True).agg(pl.col("crps_ms", "ref_ms").mean())
            low, high = skill_interval(
                per_day["crps_ms"].to_numpy(), per_day["ref_ms"].to_numpy(), seed=seed, resamples=resamples
            )
    return {
        **dict(zip(("member_id", "book", "slot", "horizons"), key, strict=True)), "forecaster": name, "n": len(own),
        "crps_ms": own["crps_ms"].mean(), "mae_ms": own["abs_error_ms"].mean(), "skill": skill,
        "skill_low": low, "skill_high": high, "reference": reference, "cover_50": own["in_50"].mean(),
        "cover_80": own["in_80"].mean(), "cover_95": own["in_95"].mean(),
    }  # fmt: skip


def _band(mass: float) -> tuple[int, int]:
    ends = []
    for level in ((1 - mass) / 2, (1 + mass) / 2):
        at = int(np.argmin(np.abs(LEVELS - level)))
        if abs(LEVELS[at] - level) > 1e-9:
            raise ValueError(f"expected a band whose ends are quantile levels, got {mass}")
        ends.append(at)
    return ends[0], ends[1]
