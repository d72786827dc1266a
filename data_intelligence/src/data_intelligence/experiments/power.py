"""What an experiment of so many evenings could find, simulated from the wearer's own nights before it starts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from data_intelligence.experiments.analysis import Adjustment, coin_estimates
from data_intelligence.experiments.plans import blocks_of, plan_set

__all__ = ["ALPHA", "noise_paths", "power_table", "settle_adjustment"]

ALPHA, DRAWS, FOLLOWED, KNOWN = 0.10, 400, 0.85, 0.95
"""A finding is p <= 0.10; the coin is followed on 85 % of the evenings, 95 % of the nights count."""

EFFECTS_PCT = (5.0, 10.0, 15.0, 20.0)
TAILS_DF = 5
POOLED_STRAIN_SLOPE, POOLED_SLOPE_SD, MIN_PAIRS = -0.019, 0.012, 10
LEVEL_NIGHTS = 28


def settle_adjustment(
    ln_hrv: np.ndarray, weekday: np.ndarray, strain_before: np.ndarray, weekday_ln: tuple[float, ...]
) -> Adjustment:
    """The wearer's numbers from the nights before the start.

    Parameters
    ----------
    ln_hrv, weekday, strain_before : ndarray [N]
        Nights before the start, NaN where unknown.
    weekday_ln : tuple [7]
        Rhythm (own, shrunk to the pooled one).
    """
    x = ln_hrv - np.asarray(weekday_ln)[weekday]
    level = np.full(len(x), np.nan)
    for i in range(len(x)):
        around = x[max(0, i - 14) : i + 15]
        around = around[np.isfinite(around)]
        level[i] = np.mean(around) if len(around) >= 5 else np.nan
    rest = x - level
    both = np.isfinite(rest) & np.isfinite(strain_before)
    slope, mean = POOLED_STRAIN_SLOPE, float(np.nanmean(strain_before)) if both.any() else 10.0
    sd = float(np.nanstd(rest))
    if both.sum() >= MIN_PAIRS:
        centred = strain_before[both] - mean
        precision = float((centred**2).sum()) / max(sd, 0.03) ** 2
        slope = (float(centred @ rest[both]) / max(sd, 0.03) ** 2 + slope / POOLED_SLOPE_SD**2) / (
            precision + 1 / POOLED_SLOPE_SD**2
        )
    rest = rest - np.where(np.isfinite(strain_before), slope * (strain_before - mean), 0.0)
    pairs = np.isfinite(rest[1:]) & np.isfinite(rest[:-1])
    rho = (
        float(np.clip(np.corrcoef(rest[1:][pairs], rest[:-1][pairs])[0, 1], 0.0, 0.6))
        if pairs.sum() > 20
        else 0.23
    )
    recent = x[-LEVEL_NIGHTS:][np.isfinite(x[-LEVEL_NIGHTS:])]
    return Adjustment(
        round(float(np.mean(recent)), 4), round(max(float(np.nanstd(rest)), 0.03), 4), round(rho, 3),
        tuple(round(float(w), 4) for w in weekday_ln), round(slope, 5), round(mean, 2), int(np.isfinite(rest).sum()),
    )  # fmt: skip


def power_table(fixed: Adjustment, days: int, first_evening: date, seed: int) -> dict[str, Any]:
    """Chance of finding an effect of 5 … 20 %, and how many evenings a chance of 80 % would take.

    ``nights_for_80_pct`` is the usual normal approximation with the share of followed evenings.
    """
    plans = plan_set(days, first_evening, seed)
    blocks = blocks_of(days)
    rng = np.random.default_rng([seed, 7])
    rows = []
    for effect_pct in EFFECTS_PCT:
        found = 0
        noise = noise_paths(rng, DRAWS, days, fixed.sd_ln, fixed.autocorrelation)
        for k in range(DRAWS):
            plan = plans[rng.integers(len(plans))]
            done = np.where(rng.random(days) < FOLLOWED, plan, ~plan)
            y = noise[k] + np.log1p(effect_pct / 100) * done
            y[rng.random(days) > KNOWN] = np.nan
            own = abs(float(coin_estimates(y, plan[None, :], blocks)[0]))
            others = np.abs(coin_estimates(y, plans, blocks))
            found += (1 + (others >= own - 1e-12).sum()) / (1 + len(plans)) <= ALPHA
        seen = (2 * FOLLOWED - 1) * np.log1p(effect_pct / 100)
        nights = 4 * (fixed.sd_ln * (1.645 + 0.842) / seen) ** 2 / KNOWN
        rows.append(
            {
                "effect_pct": effect_pct,
                "power": round(found / DRAWS, 2),
                "nights_for_80_pct": int(np.ceil(nights)),
            }
        )
    return {
        "days": days,
        "draws": DRAWS,
        "alpha": ALPHA,
        "night_sd_pct": round(100 * fixed.sd_ln, 1),
        "rows": rows,
    }


def noise_paths(rng: np.random.Generator, draws: int, days: int, sd: float, rho: float) -> np.ndarray:
    """Heavy-tailed AR(1) noise with SD ``sd``; [draws, days]."""
    shocks = rng.standard_t(TAILS_DF, (draws, days)) / np.sqrt(TAILS_DF / (TAILS_DF - 2))
    path = np.empty_like(shocks)
    path[:, 0] = shocks[:, 0]
    for k in range(1, days):
        path[:, k] = rho * path[:, k - 1] + np.sqrt(1 - rho**2) * shocks[:, k]
    return sd * path
