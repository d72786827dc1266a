"""Find the effects of many made-up members by every method, and count what came right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl

from data_intelligence.bench_effects.members import TYPICAL_DRINKS, WORLDS, make_member
from data_intelligence.bench_effects.rivals import RIVALS

__all__ = ["OURS", "PLAN", "find_effects", "measure_effects", "summarise"]

OURS = "joint model"
PLAN = (
    ("main", 90, 1.0), ("studied", 90, 0.5), ("nothing acts", 90, 0.25), ("seldom", 90, 0.25), ("main", 180, 0.25),
    ("main", 60, 0.25), ("main", 365, 0.2), ("everything acts a little", 90, 0.2), ("normal noise", 90, 0.2),
)  # fmt: skip
"""World, nights, and the share of the members that is spent on it."""
Z90, Z95 = 1.6448536269514722, 1.959963984540054
DISPLAYED_PCT = 3.0
"""From here on a consumer app shows an impact (forecasting.md 1)."""
YES_NIGHTS = ((1, 11), (12, 20), (21, 400))


def measure_effects(
    members: int,
    seed: int,
    workers: int,
    advance: Callable[..., None],
    plan: Sequence[tuple[str, int, float]] = PLAN,
) -> dict[str, Any]:
    """Every world of ``plan`` with its share of so many members; member i has the seed ``seed * 10000 + i``."""
    rows = []
    found: list[pl.DataFrame] = []
    with _mapping(workers) as mapped:
        for name, nights, share in plan:
            seeds = [seed * 10_000 + i for i in range(max(round(share * members), 2))]
            own: list[dict[str, Any]] = []
            for part in mapped(find_effects, repeat(name), repeat(nights), seeds):
                own += part
                advance(1)
            table = _judged(own)
            rows += summarise(table, name, nights, len(seeds))
            found.append(table)
    return {"members": members, "seed": seed, "rows": rows, "by_effect": _by_effect(pl.concat(found))}


@contextmanager
def _mapping(workers: int) -> Iterator[Callable[..., Any]]:
    """``map`` in so many fresh processes (a fork would take the locks of polars along); with one, in this one."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield pool.map


def find_effects(world: str, nights: int, seed: int) -> list[dict[str, Any]]:
    """One member by every method: a row for each method and behaviour."""
    from data_intelligence.effects import estimate_effects

    member = make_member(WORLDS[world], nights, seed)
    names, yes = list(member.truth_ln), member.done.sum(axis=0)
    rows = []
    fit = estimate_effects(member.history)
    ours = {effect.behaviour: effect for effect in fit.effects}
    rivals = {method: rival(member) for method, rival in RIVALS.items()}
    for at, name in enumerate(names):
        base = {
            "world": world, "nights": nights, "behaviour": name, "yes": int(yes[at]),
            "truth_pct": 100.0 * float(np.expm1(member.truth_ln[name])), "is_null": member.truth_ln[name] == 0.0,
        }  # fmt: skip
        effect = ours.get(name)
        if effect is not None:
            # The truth of alcohol is that of three drinks, whatever this member typically drinks.
            told = fit.effect(name, TYPICAL_DRINKS if name == "alcohol" else None)
            low, high = told.ends_pct(90)
            rows.append(
                base
                | _row(OURS, told.effect_pct, low, high, effect.shown, effect.shown)
                | {"clear": effect.clear, "p_false": effect.p_false}
            )
            rows[-1]["later_shown"] = sum(night.shown for night in effect.later)
        for method, values in rivals.items():
            estimate, error = values[0][at], values[1][at]
            if np.isfinite(estimate):
                low, high = (_pct(estimate + sign * Z90 * error) for sign in (-1, 1))
                claimed = abs(estimate) > Z95 * error
                rows.append(
                    base
                    | _row(method, _pct(estimate), low, high, claimed, abs(_pct(estimate)) >= DISPLAYED_PCT)
                )
    return rows


def _judged(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows with what was right about them."""
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        error_pp=(pl.col("estimate_pct") - pl.col("truth_pct")).abs(),
        covered=pl.col("truth_pct").is_between(pl.col("low90_pct"), pl.col("high90_pct")),
    )


def summarise(found: pl.DataFrame, world: str, nights: int, members: int) -> list[dict[str, Any]]:
    """One row a method: error, coverage, false claims, power for -15 %."""
    rows = []
    for (method,), own in found.group_by("method", maintain_order=True):
        null, real = own.filter(pl.col("is_null")), own.filter(~pl.col("is_null"))
        rows.append({
            "world": world, "nights": nights, "method": method, "members": members, "n_null": null.height,
            "n_real": real.height, "error_pp": _mean(own["error_pp"]), "cover90_pct": _share(own["covered"]),
            "cover90_null_pct": _share(null["covered"]), "cover90_real_pct": _share(real["covered"]),
            "null_claimed_pct": _share(null["claimed"]), "null_displayed_pct": _share(null["displayed"]),
            "null_clear_pct": _share(null["clear"].drop_nulls()),
            "false_share_pct": _share(own.filter(pl.col("claimed"))["is_null"]),
            "later_nights_shown_pct": None if method != OURS else _share(own["later_shown"].cast(pl.Float64) / 2.0),
            **_power(own, "habit_15", "power_15"), **_power(own, "alcohol", "power_alcohol"),
            **_power(own, "sick", "power_sick"),
        })  # fmt: skip
    return rows


def _by_effect(found: pl.DataFrame) -> list[dict[str, Any]]:
    """Ours at 90 nights by true effect and number of yes nights."""
    own = found.filter(pl.col("method") == OURS, pl.col("nights") == 90)
    rows = []
    for (world, size), part in own.with_columns(size=pl.col("truth_pct").round(0)).group_by(
        "world", "size", maintain_order=True
    ):
        if world == "everything acts a little":
            continue
        for low, high in ((1, 400), *YES_NIGHTS):
            some = part.filter(pl.col("yes").is_between(low, high))
            for studied in (True, False):
                one = some.filter(pl.col("behaviour").is_in(["alcohol", "sick"]) == studied)
                if one.height:
                    rows.append({
                        "world": world, "truth_pct": size, "studied": studied, "yes_from": low, "yes_to": high,
                        "n": one.height, "yes_median": float(one["yes"].median()),
                        "estimate_pct": _mean(one["estimate_pct"]),
                        "error_pp": _mean(one["error_pp"]), "cover90_pct": _share(one["covered"]),
                        "width90_pp": _mean(one["high90_pct"] - one["low90_pct"]), "shown_pct": _share(one["claimed"]),
                        "clear_pct": _share(one["clear"]),
                    })  # fmt: skip
    return sorted(rows, key=lambda r: (r["world"], r["truth_pct"], r["studied"], r["yes_from"], -r["yes_to"]))


def _row(
    method: str, estimate: float, low: float, high: float, claimed: bool, displayed: bool
) -> dict[str, Any]:
    return {
        "method": method, "estimate_pct": float(estimate), "low90_pct": float(low), "high90_pct": float(high),
        "claimed": bool(claimed), "displayed": bool(displayed), "clear": None, "p_false": None, "later_shown": None,
    }  # fmt: skip


def _power(own: pl.DataFrame, behaviour: str, name: str) -> dict[str, Any]:
    one = own.filter(pl.col("behaviour") == behaviour, ~pl.col("is_null"))
    return {f"{name}_pct": _share(one["claimed"]) if one.height else None, f"{name}_n": one.height}


def _mean(values: pl.Series) -> float | None:
    return round(float(values.mean()), 2) if len(values) else None


def _share(values: pl.Series) -> float | None:
    return round(100.0 * float(values.cast(pl.Float64).mean()), 1) if len(values) else None


def _pct(ln: float) -> float:
    return float(100.0 * np.expm1(ln))
