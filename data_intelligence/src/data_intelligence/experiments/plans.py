"""The coin's plans: balanced blocks of four evenings, even at weekends, no long runs; and the set they are drawn from.

The set is what the randomisation test compares with, so it is part of the analysis that is fixed in advance.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from itertools import combinations, product

import numpy as np

__all__ = ["BLOCK", "DAYS_ALLOWED", "blocks_of", "draw_plan", "plan_set"]

BLOCK, MAX_RUN, SET_SIZE, ENUMERATED_DAYS = 4, 3, 1000, 14
DAYS_ALLOWED = (10, 56)
"""Fewer evenings than the first tell nothing (and the test has too few plans); an even number is needed."""

WEEKEND_EVENINGS = (4, 5)


def plan_set(days: int, first_evening: date, seed: int) -> np.ndarray:
    """Every admissible plan of at most 14 evenings; of longer ones 1,000 drawn by ``seed``.

    Returns
    -------
    ndarray of bool [S, days]
        True: do what is tested (or leave it out).
    """
    return _plan_set(days, first_evening.weekday(), seed if days > ENUMERATED_DAYS else 0)


@lru_cache(maxsize=256)
def _plan_set(days: int, weekday: int, seed: int) -> np.ndarray:
    sizes = [BLOCK] * (days // BLOCK) + ([days % BLOCK] if days % BLOCK else [])
    halves = {size: _halves(size) for size in set(sizes)}
    if days <= ENUMERATED_DAYS:
        plans = np.array([np.concatenate(parts) for parts in product(*(halves[size] for size in sizes))])
    else:
        rng = np.random.default_rng([seed, days])
        parts = [halves[size][rng.integers(0, len(halves[size]), 8 * SET_SIZE)] for size in sizes]
        plans = np.unique(np.concatenate(parts, axis=1), axis=0)
    weekend = np.array([(weekday + k) % 7 in WEEKEND_EVENINGS for k in range(days)])
    apart = np.abs(2 * plans[:, weekend].sum(axis=1) - weekend.sum())
    kept = plans[(apart <= 1 + (weekend.sum() % 2 == 0)) & (_longest_run(plans) <= MAX_RUN)]
    if len(kept) > SET_SIZE:
        kept = kept[np.random.default_rng([seed, days, 2]).permutation(len(kept))[:SET_SIZE]]
    return kept


def draw_plan(days: int, first_evening: date, seed: int) -> np.ndarray:
    """One plan out of the set, by the seed; bool [days]."""
    plans = plan_set(days, first_evening, seed)
    return plans[np.random.default_rng([seed, days, 1]).integers(len(plans))]


def blocks_of(days: int) -> np.ndarray:
    """The block of each evening, int [days]."""
    return np.arange(days) // BLOCK


def _halves(size: int) -> np.ndarray:
    rows = []
    for chosen in combinations(range(size), size // 2):
        row = np.zeros(size, dtype=bool)
        row[list(chosen)] = True
        rows.append(row)
    return np.array(rows)


def _longest_run(plans: np.ndarray) -> np.ndarray:
    longest = run = np.ones(len(plans), dtype=int)
    for k in range(1, plans.shape[1]):
        run = np.where(plans[:, k] == plans[:, k - 1], run + 1, 1)
        longest = np.maximum(longest, run)
    return longest
