"""The goals of forecasting.md section 9, and how far the rows of a run reach them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hrv_shared.constants import HORIZONS, PRODUCT

__all__ = ["GOALS", "goal_rows"]

GOALS = (
    ("night 1, evening, against the last 28 nights", "evening", 1, "last_28", 9.5, 12.0, 15.0),
    ("night 1, morning, against the last 28 nights", "morning", 1, "last_28", 5.5, 8.0, 10.0),
    ("night 1 against EWMA (half-life 8)", "evening", 1, "ewma_8", 7.5, 10.0, 13.0),
    (
        "night 1 against the best of AutoETS / AutoARIMA / AutoTheta",
        "evening",
        1,
        "best_auto",
        6.0,
        10.0,
        13.0,
    ),
    (
        "night 1 against default LightGBM through mlforecast",
        "evening",
        1,
        "lightgbm_mlforecast",
        1.0,
        3.0,
        5.0,
    ),
    ("night 1 against the tiny foundation model", "evening", 1, "fracast", 4.0, 6.0, 8.0),
    ("night 2 against the last 28 nights", "evening", 2, "last_28", 5.0, 6.5, 8.0),
    ("nights 3-7 against the last 28 nights", "evening", "3-7", "last_28", 4.0, 6.0, 7.5),
)
"""Name, slot, horizon, reference, floor, goal, stretch (CRPS skill in %)."""
LEAK_ALARM_PCT = 25.0


def goal_rows(rows: Sequence[dict[str, Any]], name: str = PRODUCT) -> list[dict[str, Any]]:
    """One row a goal: the figure with its interval, and whether it is reached.

    Returns
    -------
    list of dict
        goal, floor, target, stretch, figure, ci_low, ci_high, n_forecasts, n_people, reached.
    """
    found = {(r["slot"], r["horizon"], r["reference"]): r for r in rows if r["forecaster"] == name}
    reached = []
    for text, slot, horizon, reference, floor, goal, stretch in GOALS:
        row = found.get((slot, horizon, reference))
        if row is not None:
            reached.append(_row(text, floor, goal, stretch, row["skill_pct"], row))
    first = found.get(("evening", 1, "last_28"))
    if first is not None:
        reached.append(
            _row(
                "people with positive skill, night 1, evening, %",
                94,
                97,
                100,
                first["people_positive_pct"],
                first,
            )
        )
        if first["skill_pct"] > LEAK_ALARM_PCT:
            reached[0]["alarm"] = "above 25 %: a leak until proven otherwise"
    for mass, within in ((80, 2.0), (95, 1.0)):
        own = [found.get((slot, h, "last_28")) for slot in ("evening", "morning") for h in HORIZONS]
        off = [abs(row[f"coverage_{mass}"] - mass) for row in own if row is not None]
        if off:
            worst = max(off)
            text = f"pooled coverage of {mass} % bands, worst horizon and slot: points off"
            reached.append({"goal": text, "target": within, "figure": worst, "reached": worst <= within})
    true = [r for r in rows if r["forecaster"] == "true_law" and r["reference"] == "last_28"]
    for row in true:
        ours = found.get((row["slot"], row["horizon"], "last_28"))
        if ours is not None and row["horizon"] in (1, 2, "3-7"):
            share = 100 * ours["skill_pct"] / row["skill_pct"]
            text = f"share of the attainable skill, {row['slot']}, night {row['horizon']}, %"
            reached.append(
                _row(text, 80, 90, 95, share, ours)
                | {"attainable_pct": row["skill_pct"], "ci_low": None, "ci_high": None}
            )
    return reached


def _row(
    text: str, floor: float, goal: float, stretch: float, figure: float, row: dict[str, Any]
) -> dict[str, Any]:
    step = (
        "stretch"
        if figure >= stretch
        else "goal"
        if figure >= goal
        else "floor"
        if figure >= floor
        else "below the floor"
    )
    return {
        "goal": text, "floor": floor, "target": goal, "stretch": stretch, "figure": figure, "ci_low": row["ci_low"],
        "ci_high": row["ci_high"], "n_forecasts": row["n_forecasts"], "n_people": row["n_people"], "reached": step,
    }  # fmt: skip
