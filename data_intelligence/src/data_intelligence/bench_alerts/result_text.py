"""The alert benchmark as a table in words."""

from __future__ import annotations

from typing import Any

__all__ = ["alerts_text"]


def alerts_text(found: dict[str, Any]) -> str:
    """Two tables: against what was planted, and as forecasts by the rules."""
    lines = [
        f"{found['members']} made-up members (seeds {found['seeds']}) of {found['nights']} nights; "
        f"models {found['models']}, tuned on {found['tuned_on'].split(', n=')[0]}.",
        "Against what was planted (by the signs alone; what the wearer tells is hidden from it):",
        "kind           planted  recall  precision  delay, nights (p90)  false alerts a healthy month",
    ]
    for row in found["rows"]:
        lines.append(
            f"{row['kind']:13}  {row['planted']:7}  {_pct(row['recall'])}   {_pct(row['precision'])}      "
            f"{row['median_delay_nights']} ({row['p90_delay_nights']})            "
            f"{row['false_alerts_per_healthy_month']}"
            f"   at others: {row['at_other_events'] or 'none'}"
        )
    lines += [
        "As daily probabilities by the rules of coming true:",
        "kind           days    base rate  mean p  Brier  skill %  precision  recall of raised days",
    ]
    for row in found["rows"]:
        lines.append(
            f"{row['kind']:13}  {row['days']:6}  {row['base_rate']:9}  {row['mean_probability']:6}  {row['brier']:5}  "
            f"{row['brier_skill_pct']!s:7}  {_pct(row['precision_days'])}      {_pct(row['recall_days'])}"
        )
    for person in found.get("people", []):
        lines.append(str(person["sentence"]))
    return "\n".join(lines)


def _pct(share: float | None) -> str:
    return "   -  " if share is None else f"{100 * share:5.1f}%"
