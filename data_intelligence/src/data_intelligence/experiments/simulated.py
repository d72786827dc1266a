"""False findings, power and coverage of the whole procedure, by simulation with the code that runs for a wearer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from data_intelligence.experiments.analysis import adjusted, analyse
from data_intelligence.experiments.plans import blocks_of, plan_set
from data_intelligence.experiments.power import ALPHA, FOLLOWED, KNOWN, noise_paths, settle_adjustment
from data_intelligence.trends import POOLED_WEEK_LN

__all__ = ["experiments_text", "measure_experiments", "measure_row"]

LENGTHS, EFFECTS_PCT, BEFORE = (14, 28, 56), (0.0, -10.0, -15.0, -25.0), 90
START = date(2026, 1, 5)


def measure_experiments(draws: int, seed: int, advance: Callable[..., None]) -> dict[str, Any]:
    """Simulate wearers with their own spread, drift, weekday rhythm, strain effect, gaps and half-hearted adherence."""
    rows = []
    for days in LENGTHS:
        for effect_pct in EFFECTS_PCT:
            rng = np.random.default_rng([seed, days, int(abs(effect_pct))])
            rows.append(measure_row(rng, draws, days, effect_pct))
            advance()
    return {
        "draws": draws,
        "seed": seed,
        "alpha": ALPHA,
        "followed": FOLLOWED,
        "nights_known": KNOWN,
        "rows": rows,
    }


def measure_row(rng: np.random.Generator, draws: int, days: int, effect_pct: float) -> dict[str, Any]:
    """One length and effect: shares of findings, coverage of both intervals, error of the posterior."""
    found, found_5, covered, covered_protocol, errors, told, told_protocol = 0, 0, 0, 0, [], 0, 0
    true = 100 * np.log1p(effect_pct / 100)
    for k in range(draws):
        first = START + timedelta(days=int(rng.integers(0, 7)))
        plans = plan_set(days, first, k % 20)
        plan = plans[rng.integers(len(plans))]
        done = np.where(rng.random(days) < FOLLOWED, plan, ~plan)
        y, y_protocol = _one(rng, days, first, np.log1p(effect_pct / 100) * done, done == plan)
        intention, protocol = (analyse(v, plan, plans, blocks_of(days)) for v in (y, y_protocol))
        if intention.effect_pct is None:
            continue
        told += 1
        found += intention.p <= ALPHA
        found_5 += intention.p <= ALPHA / 2
        diluted = 100 * (np.exp((2 * FOLLOWED - 1) * true / 100) - 1)
        covered += intention.low90_pct <= diluted <= intention.high90_pct
        errors.append(intention.posterior_pct - effect_pct)
        if protocol.effect_pct is not None:
            told_protocol += 1
            covered_protocol += protocol.low90_pct <= effect_pct <= protocol.high90_pct
    return {
        "days": days, "effect_pct": effect_pct, "n": told, "found_share": round(found / told, 4),
        "found_share_p05": round(found_5 / told, 4), "cover90_intention": round(covered / told, 3),
        "n_protocol": told_protocol, "cover90_protocol": round(covered_protocol / max(told_protocol, 1), 3),
        "posterior_mae_pct": round(float(np.mean(np.abs(errors))), 2),
    }  # fmt: skip


def _one(
    rng, days: int, first: date, shift: np.ndarray, as_planned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of one wearer: all known nights, and those on which the coin was followed."""
    n = BEFORE + days
    sd, rho = rng.uniform(0.12, 0.30), rng.uniform(0.05, 0.4)
    weekday = np.array([(first - timedelta(days=BEFORE - 1 - k)).weekday() for k in range(n)])
    week = np.array(POOLED_WEEK_LN) + rng.normal(0, 0.04, 7)
    strain = np.clip(rng.normal(11, 3, n), 1, 20)
    x = 4.0 + np.cumsum(rng.normal(0, 0.008, n)) + week[weekday] - 0.018 * (strain - 11)
    x += noise_paths(rng, 1, n, sd, rho)[0]
    x[BEFORE:] += shift
    x[rng.random(n) > KNOWN] = np.nan
    fixed = settle_adjustment(x[:BEFORE], weekday[:BEFORE], strain[:BEFORE], POOLED_WEEK_LN)
    y = adjusted(x[BEFORE:], weekday[BEFORE:], strain[BEFORE:], fixed)
    told = rng.random(days) < 0.8
    return y, np.where(as_planned & told, y, np.nan)


def experiments_text(found: dict[str, Any]) -> str:
    """The table in words."""
    lines = [
        f"Coin-flip experiments, {found['draws']} made-up ones a row, seed {found['seed']}; found = "
        f"p <= {found['alpha']}; the coin followed on {100 * found['followed']:.0f} % of evenings",
        "evenings  effect %   found  p<=0.05  90 % int. covers (intention, protocol)  posterior MAE, points",
    ]
    for row in found["rows"]:
        lines.append(
            f"{row['days']:8}  {row['effect_pct']:8.0f}  {100 * row['found_share']:5.1f} %  "
            f"{100 * row['found_share_p05']:5.1f} %  {100 * row['cover90_intention']:5.1f} %, "
            f"{100 * row['cover90_protocol']:5.1f} %          {row['posterior_mae_pct']:5.1f}"
        )
    return "\n".join(lines)
