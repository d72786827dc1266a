"""The benchmark's result as text: Markdown tables that also read well in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hrv_shared.constants import PRODUCT

__all__ = ["render"]

CI = "90 % interval"
HOW = (
    "CRPS skill in %, geometric mean over people, paired on identical nights, 90 % interval of a bootstrap over people",
    "and weeks. Second half of each person's nights; nobody is judged by a model that has seen them.",
)
SHOWN_NIGHTS = (1, 2, "3-7")
Cells = Iterable[list[Any]]


def render(result: dict[str, Any]) -> str:
    """All tables of one run."""
    about = result["about"]
    lines = [
        f"# Forecast benchmark: {about['data']}",
        "",
        f"{about['people']} people, {about['nights']} nights; against {about['against']}; seed {about['seed']};",
        f"code {about['code']}; {about['machine']}; {about['workers']} processes, {about['seconds']} s.",
        *HOW,
        "",
    ]
    if about.get("left_out"):
        lines += [
            f"Left out, too few nights: {', '.join(f'{n} ({k})' for n, k in about['left_out'].items())}",
            "",
        ]
    if about.get("doubled_days"):
        lines += [
            f"{about['doubled_days']} rows passed over, because another told of the same day (longest sleep).",
            "",
        ]
    lines += [f"{name} is silent, and not in {PRODUCT}: {why}" for name, why in about["silent"].items()]
    for title, head, cells in _tables(result):
        lines += _section(title, head, cells)
    for week in result["weeks"]:
        lines.append(
            f"Whole weeks, {week['slot']}: the energy score with the nights tied is {week['skill_pct']:.2f} % better"
            f" ({_ci(week)}) than with nights drawn apart; {week['n_weeks']} weeks of {week['n_people']} people."
        )
    for found in result["confidence_sets"]:
        lines.append(f"Model confidence set (90 %), {found['slot']}, night 1: {', '.join(found['members'])}.")
    return "\n".join(lines).rstrip()


def _tables(result: Mapping[str, Any]) -> Iterable[tuple[str, list[str], Cells]]:
    yield (
        "Goals",
        ["goal", "figure", CI, "floor / goal / stretch", "n", "people", "reached"],
        _goals(result["goals"]),
    )
    columns = [
        "forecaster",
        "night 1",
        CI,
        "night 2",
        "3-7",
        CI,
        "n",
        "MAE ms",
        "CRPS ms",
        "in 50",
        "in 80",
        "in 95",
    ]
    for slot in ("evening", "morning"):
        yield f"Against the last 28 nights, {slot}", columns, _skills(result["rows"], slot)
    columns = ["reference", "night", "skill", CI, "n", "people", "p"]
    yield f"{PRODUCT} against others, evening", columns, _others(result["rows"])
    columns = ["slot", "night", "group", "in 50", "in 80", "in 95", "80 % width, % of the median", "n"]
    yield f"Calibration of {PRODUCT}", columns, _calibration(result["calibration"])
    columns = ["slot", "nights so far", "skill vs their quantiles", "in 80", "in 95", "n", "people"]
    yield "First nights (night 1)", columns, _first(result["cold_start"])
    columns = ["rung", "against last 28", CI, "against the rung below", CI, "the same on event nights", CI]
    yield "Ladder (evening, night 1)", columns, _ladder(result["ladder"])
    yield "People (evening, night 1, against the last 28 nights)", ["", ""], _people(result["people"])


def _goals(goals: list[dict[str, Any]]) -> Cells:
    for g in goals:
        reached = f"{g['reached']} ({g['alarm']})" if "alarm" in g else str(g["reached"])
        counts = [g.get("n_forecasts", ""), g.get("n_people", "")]
        yield [g["goal"], _f(g["figure"]), _ci(g), _targets(g), *counts, reached]


def _skills(rows: list[dict[str, Any]], slot: str) -> Cells:
    own = {
        (r["forecaster"], r["horizon"]): r for r in rows if r["slot"] == slot and r["reference"] == "last_28"
    }
    first = [r for (_, h), r in own.items() if h == 1]
    for r in sorted(first, key=lambda row: -row["skill_pct"]):
        second, week = own.get((r["forecaster"], 2), {}), own.get((r["forecaster"], "3-7"), {})
        skills = [
            _f(r["skill_pct"]),
            _ci(r),
            _f(second.get("skill_pct")),
            _f(week.get("skill_pct")),
            _ci(week),
        ]
        errors = [r["n_forecasts"], f"{r['mae_ms']:.2f}", f"{r['crps_ms']:.2f}"]
        yield [r["forecaster"], *skills, *errors, *_coverage(r)]


def _others(rows: list[dict[str, Any]]) -> Cells:
    for r in rows:
        ours = r["forecaster"] == PRODUCT and r["slot"] == "evening" and r["horizon"] in SHOWN_NIGHTS
        if ours and r["reference"] != "last_28":
            counts = [r["n_forecasts"], r["n_people"], f"{r['p_value']:.3f}"]
            yield [r["reference"], r["horizon"], _f(r["skill_pct"]), _ci(r), *counts]


def _calibration(rows: list[dict[str, Any]]) -> Cells:
    for c in rows:
        yield [c["slot"], c["horizon"], c["group"], *_coverage(c), f"{c['width_80_pct']:.0f}", c["n"]]


def _first(rows: list[dict[str, Any]]) -> Cells:
    for c in rows:
        counts = [c["n"], c["n_people"]]
        yield [
            c["slot"],
            c["nights"],
            _f(c["skill_pct"]),
            _f(c["coverage_80"]),
            _f(c["coverage_95"]),
            *counts,
        ]


def _ladder(rows: list[dict[str, Any]]) -> Cells:
    for r in rows:
        cells = [r["rung"]]
        for prefix in ("vs_last_28_", "vs_rung_below_", "event_"):
            cells += [_f(r.get(f"{prefix}skill_pct")), _ci(r, prefix)]
        yield cells


def _people(rows: list[dict[str, Any]]) -> Cells:
    evening = [r for r in rows if r["slot"] == "evening" and r["reference"] == "last_28"]
    own = sorted(evening, key=lambda r: r["skill_pct"])
    if not own:
        return
    at = [own[round(q * (len(own) - 1))]["skill_pct"] for q in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)]
    sure = [r["skill_pct"] for r in own if r["dm_p"] is not None and r["dm_p"] < 0.05]
    worst = max(own, key=lambda r: abs(r["coverage_80"] - 80))
    yield ["skill: worst, 10, 25, 50, 75, 90 %, best", " / ".join(_f(value) for value in at)]
    yield ["better beyond chance (Diebold-Mariano, HLN, 5 %)", f"{sum(s > 0 for s in sure)} of {len(own)}"]
    yield ["worse beyond chance", f"{sum(s < 0 for s in sure)} of {len(own)}"]
    yield [
        "one person's 80 % coverage at most off, points",
        f"{abs(worst['coverage_80'] - 80):.1f} (n {worst['n']})",
    ]


def _section(title: str, head: list[str], rows: Cells) -> list[str]:
    body = [[str(cell) for cell in row] for row in rows]
    if not body:
        return []
    widths = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return [f"## {title}", "", line(head), line(["-" * width for width in widths]), *map(line, body), ""]


def _coverage(row: Mapping[str, Any]) -> list[str]:
    return [_f(row[f"coverage_{mass}"]) for mass in (50, 80, 95)]


def _targets(goal: dict[str, Any]) -> str:
    if "floor" not in goal:
        return f"at most {goal['target']:g}"
    return f"{goal['floor']:g} / {goal['target']:g} / {goal['stretch']:g}"


def _ci(row: Mapping[str, Any], prefix: str = "") -> str:
    low, high = row.get(f"{prefix}ci_low"), row.get(f"{prefix}ci_high")
    return "" if low is None or high is None else f"{low:+.1f} … {high:+.1f}"


def _f(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
