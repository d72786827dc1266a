"""The week as a fan: past nights, then the bands of the next seven; drawn here, so the first page needs no script."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dashboard.words import WEEKDAYS

__all__ = ["fan", "strip"]


def fan(card: dict[str, Any], nights: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The drawing's places for a wide and a narrow screen."""
    return [_drawn(card, nights, 720, 250, "wide"), _drawn(card, nights[-7:], 340, 220, "narrow")]


def strip(card: dict[str, Any]) -> dict[str, Any]:
    """Tomorrow's bands on one line beside the usual level, places in a strip of 320."""
    night, base = card["tomorrow"], card["baseline_ms"]
    ends = [night["p10_ms"], night["p90_ms"]] + ([] if base is None else [base])
    low, high = min(ends) - 2, max(ends) + 2

    def x(ms: float) -> float:
        return round(10 + (ms - low) / (high - low) * 300, 1)

    return {name: x(night[f"{name}_ms"]) for name in ("p10", "p25", "p50", "p75", "p90")} | {
        "base": None if base is None else x(base)
    }


def _drawn(
    card: dict[str, Any], nights: list[dict[str, Any]], width: int, height: int, name: str
) -> dict[str, Any]:
    left, right, top, bottom = 34, 12, 14, 34
    first_target = date.fromisoformat(card["week"][0]["target_day"])
    first = min([first_target, *(date.fromisoformat(n["day"]) for n in nights)])
    last = date.fromisoformat(card["week"][-1]["target_day"])
    known = [n["hrv_rmssd_ms"] for n in nights if n["hrv_rmssd_ms"] is not None]
    ends = [night[p] for night in card["week"] for p in ("p10_ms", "p90_ms")] + known
    base = card["baseline_ms"]
    low, high = min([*ends, base or ends[0]]) - 3, max([*ends, base or ends[0]]) + 3
    days = max((last - first).days, 1)

    def x(day: str | date) -> float:
        at = day if isinstance(day, date) else date.fromisoformat(day)
        return round(left + (at - first).days / days * (width - left - right), 1)

    def y(ms: float) -> float:
        return round(top + (high - ms) / (high - low) * (height - top - bottom), 1)

    def band(lower: str, upper: str) -> str:
        there = [f"{x(n['target_day'])},{y(n[upper])}" for n in card["week"]]
        back = [f"{x(n['target_day'])},{y(n[lower])}" for n in reversed(card["week"])]
        return " ".join([*there, *back])

    step = 10 if high - low < 60 else 20
    ticks = [t for t in range(0, 400, step) if low < t < high]
    return {
        "name": name, "width": width, "height": height, "left": left, "right": width - right,
        "axis_y": height - bottom,
        "band80": band("p10_ms", "p90_ms"), "band50": band("p25_ms", "p75_ms"),
        "median": " ".join(f"{x(n['target_day'])},{y(n['p50_ms'])}" for n in card["week"]),
        "medians": [{"x": x(n["target_day"]), "y": y(n["p50_ms"])} for n in card["week"]],
        "past": [{"x": x(n["day"]), "y": y(n["hrv_rmssd_ms"])} for n in nights if n["hrv_rmssd_ms"] is not None],
        "base_y": None if base is None else y(base),
        "ticks": [{"ms": t, "y": y(t)} for t in ticks],
        "now_x": round((x(first_target) + x(first_target - timedelta(days=1))) / 2, 1) if nights else None,
        "days": [
            {"x": x(first + timedelta(days=k)), "name": WEEKDAYS[(first + timedelta(days=k)).weekday()][:2],
             "date": (first + timedelta(days=k)).day, "ahead": first + timedelta(days=k) >= first_target}
            for k in range(days + 1)
        ],
    }  # fmt: skip
