"""``hrv alerts``: what is raised now, and how the alerts so far came out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from data_intelligence.cli_options import AsOfOption, SlotOption, open_store
from hrv_shared.cli import JsonOption, MemberOption, emit

__all__ = ["alerts"]


def alerts(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    scores: Annotated[bool, typer.Option("--scores", help="Every issued row with its outcome.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Illness, travel, overload, level shift, device change: what is raised, and how earlier alerts came out."""
    from data_intelligence.alert_rules import RULES
    from data_intelligence.alert_scores import score_alerts, score_table
    from data_intelligence.alerts import alert_rows, watch_history
    from data_intelligence.evidence import EvidenceBook
    from data_intelligence.moment import chosen_issue
    from hrv_shared.history import load_history

    settings, store = open_store()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    book = EvidenceBook()
    watch = watch_history(history, issue.utc_offset_min)
    raised = [row.model_dump(mode="json") for row in alert_rows(watch, book)]
    scored = score_alerts(store, issue)
    table = score_table(scored)
    result = {
        "issue": issue.describe(), "raised": raised,
        "probabilities": {kind: _plain(watch.p[kind]) for kind in RULES},
        "scores": table, "rows": [row.describe() for row in scored],
        "rules": {kind: rule.text for kind, rule in RULES.items()},
        "evidence": {key: item.model_dump(mode="json") for key, item in book.items().items()},
    }  # fmt: skip
    emit(result, _text(result, with_rows=scores), as_json)


def _text(result: dict[str, Any], *, with_rows: bool) -> str:
    issue = result["issue"]
    lines = [f"Alerts as of {issue['origin_day']} {issue['slot']} ({issue['book']})"]
    for row in result["raised"]:
        lines.append(f"  {row['name'].replace('_', ' ')} since {row['since_day']}: {row['sentence']}")
    if not result["raised"]:
        lines.append("  nothing is raised")
    quiet = [
        f"{kind.replace('_', ' ')} {'unknown' if p is None else f'{100 * p:.0f} %'}"
        for kind, p in result["probabilities"].items()
    ]
    lines += [
        "  today's probabilities: " + ", ".join(quiet),
        "",
        "How the daily probabilities have come out:",
    ]
    for row in result["scores"]:
        head = f"  {row['book']:6} {row['name'].replace('_', ' '):13}"
        if row["verdict"] != "scored":
            lines.append(f"{head} {row['verdict']}; {row['open']} open")
            continue
        lines.append(
            f"{head} {row['days']} days, base rate {row['base_rate']}, said {row['mean_probability']} on average, "
            f"Brier {row['brier']} (skill {row['brier_skill_pct']} %), precision {_or_none(row['precision_days'])}, "
            f"recall {_or_none(row['recall_days'])}; {row['open']} open"
        )
    if not result["scores"]:
        lines.append("  none was issued yet; each daily summary issues one row for each kind")
    if with_rows:
        lines += ["", "day         kind           p     raised  came true"]
        words = {True: "yes", False: "no", None: "cannot tell yet"}
        for row in result["rows"]:
            outcome = "told before, not scored" if row["told"] else words[row["came_true"]]
            mark = "yes" if row["raised"] else "-"
            lines.append(f"{row['day']}  {row['name']:13}  {row['probability']:.2f}  {mark:6}  {outcome}")
    lines += ["", "What counts as true is fixed beforehand: hrv alerts --json, rules."]
    return "\n".join(lines)


def _or_none(value: float | None) -> str:
    return "-" if value is None else str(value)


def _plain(p: Any) -> float | None:
    import numpy as np

    return round(float(p[-1]), 3) if len(p) and np.isfinite(p[-1]) else None
