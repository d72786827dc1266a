"""From scores to the tables that the benchmark prints: skills, calibration, cold start, ladder, tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.comparison import diebold_mariano, model_confidence_set, pooled_skill
from hrv_shared.constants import HORIZONS, PRODUCT, SLOTS
from model_training.bench.masks import RUNGS
from model_training.bench.origins import FIRST, LADDER, MAIN
from model_training.bench.origins import WEEK as WEEK_PERIOD
from model_training.bench.scoring import INDEPENDENT, JOINT

__all__ = ["BEST_AUTO", "REFERENCE", "calibration_rows", "cold_start_rows", "confidence_sets", "ladder_rows",
           "person_rows", "week_rows", "skill_rows", "with_best_auto"]  # fmt: skip

REFERENCE = "last_28"
BEST_AUTO = "best_auto"
AUTO = ("auto_ets", "auto_arima", "auto_theta")
REFERENCES = ("last_28", "ewma_8", BEST_AUTO, "lightgbm_mlforecast", "fracast", "last_night")
WEEK = (3, 4, 5, 6, 7)
LEAST_ROWS = 8
"""Paired forecasts below which a person says nothing about a skill."""
RESAMPLES = 1000
PAIR = ["person", "origin", "horizon"]
SUBGROUPS = {
    "weekend": pl.col("weekend"), "event": pl.col("event"), "after a low night": pl.col("low_night"),
    "after a gap": pl.col("gap"), "first 60 nights": pl.col("nights") < 60,
}  # fmt: skip


def with_best_auto(scores: pl.DataFrame) -> pl.DataFrame:
    """Add ``best_auto``: for each person and horizon whichever automatic model did best, chosen with hindsight."""
    autos = scores.filter(pl.col("forecaster").is_in(AUTO))
    if autos.is_empty():
        return scores
    key = ["person", "slot", "horizon"]
    means = (
        autos.group_by(*key, "forecaster").agg(mean=pl.col("crps_ms").mean()).sort(*key, "mean", "forecaster")
    )
    best = autos.join(
        means.unique(key, keep="first", maintain_order=True), on=[*key, "forecaster"], how="semi"
    )
    return pl.concat([scores, best.with_columns(forecaster=pl.lit(BEST_AUTO))])


def skill_rows(scores: pl.DataFrame, *, seed: int, product: Sequence[str]) -> Iterator[dict[str, Any]]:
    """One row a slot, horizon (and '3-7'), forecaster and reference: all against ``last_28``, ours against all."""
    main = scores.filter(pl.col("period") == MAIN)
    for slot in SLOTS:
        own = main.filter(pl.col("slot") == slot)
        for horizons in [*((h,) for h in HORIZONS), WEEK]:
            at = own.filter(pl.col("horizon").is_in(horizons))
            for name in at["forecaster"].unique().sort():
                references = REFERENCES if name in product else (REFERENCE,)
                for reference in references:
                    row = _skill_row(at, name, reference, seed)
                    if row is not None:
                        yield {
                            "slot": slot,
                            "horizon": _label(horizons),
                            "forecaster": name,
                            "reference": reference,
                        } | row


def _skill_row(at: pl.DataFrame, name: str, reference: str, seed: int) -> dict[str, Any] | None:
    if name == reference:
        return None
    pair = _paired(at, name, reference)
    people = [p for p in pair.partition_by("person", maintain_order=True) if len(p) >= LEAST_ROWS]
    if not people:
        return None
    pooled = pooled_skill(
        [(p["crps_ms"].to_numpy(), p["reference_ms"].to_numpy(), p["origin"].to_numpy()) for p in people],
        seed=seed, resamples=RESAMPLES,
    )  # fmt: skip
    rows = pl.concat(people)
    return {
        "skill_pct": pooled.skill_pct, "ci_low": pooled.ci_low, "ci_high": pooled.ci_high,
        "n_forecasts": pooled.n_forecasts, "n_people": pooled.n_people,
        "people_positive_pct": 100 * pooled.people_positive / pooled.n_people, "p_value": pooled.p_value,
        "mae_ms": (rows["hrv_rmssd_ms"] - rows["median_ms"]).abs().mean(), "crps_ms": rows["crps_ms"].mean(),
        "coverage_50": 100 * rows["in_50"].mean(), "coverage_80": 100 * rows["in_80"].mean(),
        "coverage_95": 100 * rows["in_95"].mean(),
        "width_80_pct": 100 * (rows["width_80_ms"] / rows["median_ms"]).median(),
    }  # fmt: skip


def person_rows(scores: pl.DataFrame, *, name: str = PRODUCT) -> Iterator[dict[str, Any]]:
    """Night 1 of each person against ``last_28`` and ``ewma_8``: skill, Diebold-Mariano (HLN), coverage."""
    main = scores.filter(pl.col("period") == MAIN, pl.col("horizon") == 1)
    for slot in SLOTS:
        at = main.filter(pl.col("slot") == slot)
        for reference in (REFERENCE, "ewma_8"):
            for person in _paired(at, name, reference).partition_by("person", maintain_order=True):
                if len(person) < LEAST_ROWS:
                    continue
                crps, other = person["crps_ms"].to_numpy(), person["reference_ms"].to_numpy()
                t, p = diebold_mariano(crps, other, 1) if len(person) >= 16 else (None, None)
                yield {
                    "person": person["person"][0], "slot": slot, "reference": reference, "n": len(person),
                    "skill_pct": 100 * (1 - crps.mean() / other.mean()), "dm_t": t, "dm_p": p,
                    "coverage_80": 100 * person["in_80"].mean(), "coverage_95": 100 * person["in_95"].mean(),
                }  # fmt: skip


def calibration_rows(scores: pl.DataFrame, *, name: str = PRODUCT) -> Iterator[dict[str, Any]]:
    """Coverage, width and PIT of the product per slot and horizon, pooled, and of subgroups at night 1."""
    main = scores.filter(pl.col("period") == MAIN, pl.col("forecaster") == name)
    for slot in SLOTS:
        own = main.filter(pl.col("slot") == slot)
        for h in HORIZONS:
            yield {"slot": slot, "horizon": h, "group": "all"} | _calibration(
                own.filter(pl.col("horizon") == h)
            )
        for group, rule in SUBGROUPS.items():
            inside = own.filter(pl.col("horizon") == 1).filter(rule)
            if len(inside):
                yield {"slot": slot, "horizon": 1, "group": group} | _calibration(inside)


def _calibration(rows: pl.DataFrame) -> dict[str, Any]:
    counts = np.histogram(rows["pit"].to_numpy(), bins=10, range=(0, 1))[0]
    return {
        "n": len(rows), "coverage_50": 100 * rows["in_50"].mean(), "coverage_80": 100 * rows["in_80"].mean(),
        "coverage_95": 100 * rows["in_95"].mean(),
        "width_80_pct": 100 * (rows["width_80_ms"] / rows["median_ms"]).median(), "pit_tenths": counts.tolist(),
    }  # fmt: skip


def cold_start_rows(scores: pl.DataFrame, *, name: str = PRODUCT) -> Iterator[dict[str, Any]]:
    """Night 1 while a wearer has few nights: coverage, and skill against the quantiles of the nights so far."""
    first = scores.filter(pl.col("period") == FIRST, pl.col("horizon") == 1)
    for slot in SLOTS:
        at = first.filter(pl.col("slot") == slot)
        for low, high in ((3, 6), (7, 13), (14, 20), (21, 27)):
            inside = at.filter(pl.col("nights").is_between(low, high))
            own = inside.filter(pl.col("forecaster") == name)
            if own.is_empty():
                continue
            pair = _paired(inside, name, REFERENCE)
            sums = pair.group_by("person").agg(pl.col("crps_ms", "reference_ms").mean())
            ratio = np.log((sums["crps_ms"] / sums["reference_ms"]).to_numpy())
            yield {
                "slot": slot, "nights": f"{low}-{high}", "n": len(own), "n_people": len(sums),
                "skill_pct": 100 * (1 - float(np.exp(ratio.mean()))) if len(ratio) else None,
                "coverage_80": 100 * own["in_80"].mean(), "coverage_95": 100 * own["in_95"].mean(),
            }  # fmt: skip


def ladder_rows(scores: pl.DataFrame, *, seed: int) -> Iterator[dict[str, Any]]:
    """Evening, night 1: each rung against ``last_28`` and against the rung below it, overall and on event nights."""
    rungs = scores.filter(pl.col("period") == LADDER, pl.col("horizon") == 1)
    reference = scores.filter(
        pl.col("period") == MAIN,
        pl.col("slot") == "evening",
        pl.col("horizon") == 1,
        pl.col("forecaster") == REFERENCE,
    )
    pool = pl.concat([rungs, reference])
    for below, rung in zip((None, *RUNGS), RUNGS, strict=False):
        row: dict[str, Any] = {"rung": rung}
        for label, other in (("vs_last_28", REFERENCE), ("vs_rung_below", below)):
            found = _skill_row(pool, rung, other, seed) if other else None
            row |= (
                {f"{label}_{key}": found[key] for key in ("skill_pct", "ci_low", "ci_high", "n_forecasts")}
                if found
                else {}
            )
        if rung == "journal":
            found = _skill_row(
                pool.filter(pl.col("event") | (pl.col("forecaster") == below)), rung, below, seed
            )
            row |= (
                {f"event_{key}": found[key] for key in ("skill_pct", "ci_low", "ci_high", "n_forecasts")}
                if found
                else {}
            )
        yield row


def week_rows(scores: pl.DataFrame, *, seed: int) -> Iterator[dict[str, Any]]:
    """Energy score of the tied week against seven nights drawn apart, per slot."""
    weeks = scores.filter(pl.col("period") == WEEK_PERIOD)
    for slot in SLOTS:
        at = weeks.filter(pl.col("slot") == slot)
        pair = _paired(at, JOINT, INDEPENDENT)
        people = [p for p in pair.partition_by("person", maintain_order=True) if len(p) >= LEAST_ROWS]
        if people:
            found = pooled_skill(
                [(p["crps_ms"].to_numpy(), p["reference_ms"].to_numpy(), p["origin"].to_numpy()) for p in people],
                seed=seed, resamples=RESAMPLES,
            )  # fmt: skip
            yield {"slot": slot, "skill_pct": found.skill_pct, "ci_low": found.ci_low, "ci_high": found.ci_high,
                   "n_weeks": found.n_forecasts, "n_people": found.n_people}  # fmt: skip


def confidence_sets(scores: pl.DataFrame, *, seed: int) -> Iterator[dict[str, Any]]:
    """Per slot at night 1: which forecasters can't be told from the best (90 % model confidence set)."""
    main = scores.filter(pl.col("period") == MAIN, pl.col("horizon") == 1, ~pl.col("forecaster").is_in(AUTO))
    for slot in SLOTS:
        at = main.filter(pl.col("slot") == slot, pl.col("forecaster") != BEST_AUTO)
        names = sorted(at["forecaster"].unique())
        full = at.filter(pl.col("forecaster").n_unique().over("person", "origin") == len(names))
        people = [
            p for p in full.partition_by("person", maintain_order=True) if len(p) >= LEAST_ROWS * len(names)
        ]
        if not people or len(names) < 2:
            continue
        losses = {
            name: [
                p.filter(pl.col("forecaster") == name).sort("origin")["crps_ms"].to_numpy() for p in people
            ]
            for name in names
        }
        days = [
            p.filter(pl.col("forecaster") == names[0]).sort("origin")["origin"].to_numpy() for p in people
        ]
        found = model_confidence_set(losses, seed=seed, day_index=days)
        yield {
            "slot": slot,
            "n_people": len(people),
            "members": sorted(found.names),
            "p_values": found.p_values,
        }


def _paired(at: pl.DataFrame, name: str, reference: str) -> pl.DataFrame:
    other = at.filter(pl.col("forecaster") == reference).select(*PAIR, reference_ms="crps_ms")
    return at.filter(pl.col("forecaster") == name).join(other, on=PAIR).sort("person", "origin", "horizon")


def _label(horizons: tuple[int, ...]) -> int | str:
    return horizons[0] if len(horizons) == 1 else f"{horizons[0]}-{horizons[-1]}"
