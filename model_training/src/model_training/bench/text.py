"""The benchmark's result as text: Markdown tables that also read well in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hrv_shared.constants import PRODUCT

__all__ = ["render"]


def render(result: dict[str, Any]) -> str:
    """All tables of one run."""
    about = result["about"]
    lines = [
        f"# Forecast benchmark: {about['data']}", "",
        f"{about['people']} people, {about['nights']} nights; against {about['against']}; seed {about['seed']}; code {about['code']}; "
        f"{about['machine']}; {about['seconds']} s.",
        "CRPS skill in %, geometric mean over people, paired on identical nights, 90 % interval of a bootstrap over people and "
        "weeks. Second half of each person's nights; nobody is judged by a model that has seen them.", "",
    ]  # fmt: skip
    if about.get("left_out"):
        lines += [
            f"Left out, too few nights: {', '.join(f'{n} ({k})' for n, k in about['left_out'].items())}",
            "",
        ]
    lines += _section("Goals", ["goal", "figure", "90 % interval", "floor / goal / stretch", "n", "people", "reached"], (
        [g["goal"], _f(g["figure"]), _ci(g), _targets(g), g.get("n_forecasts", ""), g.get("n_people", ""),
         str(g["reached"]) + (f" ({g['alarm']})" if "alarm" in g else "")]
        for g in result["goals"]))  # fmt: skip
    for slot in ("evening", "morning"):
        lines += _section(f"Against the last 28 nights, {slot}",
            ["forecaster", "night 1", "90 % interval", "night 2", "nights 3-7", "90 % interval", "n (night 1)", "MAE ms", "CRPS ms",
             "in 50", "in 80", "in 95"], _skills(result["rows"], slot))  # fmt: skip
    lines += _section(f"{PRODUCT} against others, evening", ["reference", "night", "skill", "90 % interval", "n", "people", "p"], (
        [r["reference"], r["horizon"], _f(r["skill_pct"]), _ci(r), r["n_forecasts"], r["n_people"], f"{r['p_value']:.3f}"]
        for r in result["rows"]
        if r["forecaster"] == PRODUCT and r["slot"] == "evening" and r["reference"] != "last_28" and r["horizon"] in (1, 2, "3-7")))  # fmt: skip
    lines += _section(f"Calibration of {PRODUCT}", ["slot", "night", "group", "in 50", "in 80", "in 95", "80 % width / median", "n"], (
        [c["slot"], c["horizon"], c["group"], _f(c["coverage_50"]), _f(c["coverage_80"]), _f(c["coverage_95"]),
         f"{c['width_80_pct']:.0f} %", c["n"]] for c in result["calibration"]))  # fmt: skip
    lines += _section("First nights (night 1)", ["slot", "nights so far", "skill vs their quantiles", "in 80", "in 95", "n", "people"], (
        [c["slot"], c["nights"], _f(c["skill_pct"]), _f(c["coverage_80"]), _f(c["coverage_95"]), c["n"], c["n_people"]]
        for c in result["cold_start"]))  # fmt: skip
    lines += _section("Ladder (evening, night 1)", ["rung", "against last 28", "90 % interval", "against the rung below", "90 % interval"], (
        [r["rung"], _f(r.get("vs_last_28_skill_pct")), _ci(r, "vs_last_28_"), _f(r.get("vs_rung_below_skill_pct")), _ci(r, "vs_rung_below_")]
        for r in result["ladder"]))  # fmt: skip
    lines += _section(
        "People (evening, night 1, against the last 28 nights)", ["", ""], _people(result["people"])
    )
    for week in result["weeks"]:
        lines.append(
            f"Whole weeks, {week['slot']}: energy score {week['skill_pct']:+.2f} % ({_ci(week)}) better with the nights tied than "
            f"drawn apart, {week['n_weeks']} weeks of {week['n_people']} people."
        )
    for found in result["confidence_sets"]:
        lines.append(f"Model confidence set (90 %), {found['slot']}, night 1: {', '.join(found['members'])}.")
    return "\n".join(lines).rstrip()


def _skills(rows: list[dict[str, Any]], slot: str) -> Iterable[list[Any]]:
    own = {
        (r["forecaster"], r["horizon"]): r for r in rows if r["slot"] == slot and r["reference"] == "last_28"
    }
    first = [r for (_, h), r in own.items() if h == 1]
    for r in sorted(first, key=lambda row: -row["skill_pct"]):
        second, week = own.get((r["forecaster"], 2), {}), own.get((r["forecaster"], "3-7"), {})
        yield [r["forecaster"], _f(r["skill_pct"]), _ci(r), _f(second.get("skill_pct")), _f(week.get("skill_pct")), _ci(week),
               r["n_forecasts"], f"{r['mae_ms']:.2f}", f"{r['crps_ms']:.2f}", _f(r["coverage_50"]), _f(r["coverage_80"]),
               _f(r["coverage_95"])]  # fmt: skip


def _people(rows: list[dict[str, Any]]) -> Iterable[list[Any]]:
    own = sorted(
        (r for r in rows if r["slot"] == "evening" and r["reference"] == "last_28"),
        key=lambda r: r["skill_pct"],
    )
    if not own:
        return
    skills = [r["skill_pct"] for r in own]
    at = [skills[round(q * (len(skills) - 1))] for q in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)]
    yield ["skill: worst, 10, 25, 50, 75, 90 %, best", " / ".join(_f(v) for v in at)]
    yield [
        "better beyond chance (Diebold-Mariano, HLN, p < 0.05)",
        f"{sum(r['dm_p'] is not None and r['dm_p'] < 0.05 and r['skill_pct'] > 0 for r in own)} of {len(own)}",
    ]
    yield [
        "worse beyond chance",
        f"{sum(r['dm_p'] is not None and r['dm_p'] < 0.05 and r['skill_pct'] < 0 for r in own)} of {len(own)}",
    ]
    worst = max(own, key=lambda r: abs(r["coverage_80"] - 80))
    yield [
        "largest distance of one person's 80 % coverage, points (n)",
        f"{abs(worst['coverage_80'] - 80):.1f} ({worst['n']})",
    ]


def _section(title: str, head: list[str], rows: Iterable[list[Any]]) -> list[str]:
    body = [[str(cell) for cell in row] for row in rows]
    if not body:
        return []
    widths = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [f"## {title}", "", line(head), line(["-" * width for width in widths]), *map(line, body), ""]


def _targets(goal: dict[str, Any]) -> str:
    if "floor" not in goal:
        return f"at most {goal['target']:g}"
    return f"{goal['floor']:g} / {goal['target']:g} / {goal['stretch']:g}"


def _ci(row: dict[str, Any], prefix: str = "") -> str:
    low, high = row.get(f"{prefix}ci_low"), row.get(f"{prefix}ci_high")
    return "" if low is None or high is None else f"{low:+.1f} … {high:+.1f}"


def _f(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
