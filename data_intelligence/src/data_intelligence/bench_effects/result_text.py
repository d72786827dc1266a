"""The results of the effects benchmark as Markdown."""

from __future__ import annotations

from typing import Any

from data_intelligence.bench_effects.measuring import OURS

__all__ = ["effects_text"]

HEAD = """# Personal effects on made-up members whose effects are known

`hrv bench effects --members {members} --seed {seed} --out benchmarks/effects`. Twenty behaviours a member, Student-t
noise, AR 0.25, a drifting level, habits that go with weekends. What holds here holds of the pipeline, not of hearts.
Nothing was tuned on these seeds: the priors of the estimate were settled on members of a separate generator (seeds 9000
and up), the widths of the intervals on seeds 110000 to 130199 of this one, after seed 1 had shown them too wide.
Alcohol is judged at three drinks, whatever a member typically drinks.

**claimed**: of the joint model, an effect shown within the budget of 10 % false findings; of the others, significant at
5 % (two-sided). **displayed**: of the joint model the same as claimed: nothing else is displayed as an effect; of
the others an estimate of 3 % or more, as apps do. A finding on a null is false; an error is in percentage points of
RMSSD, over all twenty behaviours. The power of the other methods is at their own rate of false claims.
"""
PRIORS = """
The -15 % of *main* and *seldom* is a habit without any prior knowledge; those of *studied* are sickness (prior -9 %,
SD 8) and alcohol (prior -24 % at 3.6 drinks, SD 20). *nothing acts*: alcohol and sickness keep their priors and do
nothing here. Sampling error of a power of 90 % at n = 200: about 4 points either way.
"""


def effects_text(result: dict[str, Any]) -> str:
    """Goals, the methods side by side, and the joint model by size of the effect and number of nights."""
    head = HEAD.format(**result)
    return "\n".join([head, _goals(result), PRIORS, _methods(result["rows"]), _sizes(result["by_effect"])])


def _goals(result: dict[str, Any]) -> str:
    rows = {(r["world"], r["nights"]): r for r in result["rows"] if r["method"] == OURS}
    main, studied = rows.get(("main", 90)), rows.get(("studied", 90))
    if main is None or studied is None:
        return ""
    goals = [
        ("error, points", "at most 2.6", main["error_pp"], main["error_pp"] <= 2.6, main["n_null"] + main["n_real"]),
        ("90 % intervals cover, %", "88 to 94", main["cover90_pct"], 88 <= main["cover90_pct"] <= 94,
         main["n_null"] + main["n_real"]),
        ("nulls claimed, %", "at most 2", main["null_claimed_pct"], main["null_claimed_pct"] <= 2, main["n_null"]),
        ("nulls displayed, %", "at most 5", main["null_displayed_pct"], main["null_displayed_pct"] <= 5,
         main["n_null"]),
        ("power for -15 %, no prior knowledge, %", "at least 80", main["power_15_pct"], main["power_15_pct"] >= 80,
         main["power_15_n"]),
        ("power for -15 %, sickness, %", "at least 80", studied["power_sick_pct"], studied["power_sick_pct"] >= 80,
         studied["power_sick_n"]),
        ("power for -15 %, alcohol, %", "at least 80", studied["power_alcohol_pct"], studied["power_alcohol_pct"] >= 80,
         studied["power_alcohol_n"]),
    ]  # fmt: skip
    lines = ["## Goals, 90 nights", "", "| | goal | figure | n | reached |", "|---|---|---|---|---|"]
    lines += [
        f"| {what} | {goal} | {figure} | {n} | {'yes' if met else 'no'} |"
        for what, goal, figure, met, n in goals
    ]
    return "\n".join(lines) + "\n"


def _methods(rows: list[dict[str, Any]]) -> str:
    lines = [
        "## Methods side by side",
        "",
        "| world | nights | members | method | error | 90 % covers | nulls | real ones | nulls claimed "
        "| nulls displayed | claims that are false | power -15 % | power alcohol |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        power = r["power_15_pct"] if r["power_15_pct"] is not None else r["power_sick_pct"]
        cells = [r["world"], r["nights"], r["members"], r["method"], r["error_pp"], r["cover90_pct"],
                 r["cover90_null_pct"], r["cover90_real_pct"], r["null_claimed_pct"], r["null_displayed_pct"],
                 r["false_share_pct"], power, r["power_alcohol_pct"]]  # fmt: skip
        lines.append("| " + " | ".join("–" if cell is None else str(cell) for cell in cells) + " |")
    lines.append("\nIn *studied* the column power -15 % is sickness. Later nights shown although nothing acts there: "
                 + ", ".join(f"{r['world']} {r['nights']}: {r['later_nights_shown_pct']} %"
                             for r in rows if r["method"] == OURS) + ".\n")  # fmt: skip
    return "\n".join(lines)


def _sizes(rows: list[dict[str, Any]]) -> str:
    lines = [
        "## The joint model at 90 nights by true effect and yes nights",
        "",
        "| world | truth % | prior | yes nights | n | mean estimate % | error | 90 % covers | width "
        "| shown % | clear % |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for r in rows:
        nights = (
            "all"
            if r["yes_to"] - r["yes_from"] > 390 and r["yes_from"] == 1
            else f"{r['yes_from']}-{r['yes_to']}"
        )
        nights = nights.replace("-400", " and more")
        lines.append(
            f"| {r['world']} | {r['truth_pct']:.0f} | {'literature' if r['studied'] else 'none'} | {nights} | {r['n']} "
            f"| {r['estimate_pct']} | {r['error_pp']} | {r['cover90_pct']} | {r['width90_pp']} | {r['shown_pct']} "
            f"| {r['clear_pct']} |"
        )
    return "\n".join(lines) + "\n"
