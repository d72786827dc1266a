"""``hrv evidence ID``: what a number of a report rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from data_intelligence.cli_options import open_store
from data_intelligence.errors import NoEvidence
from hrv_shared.cli import JsonOption, MemberOption, emit

__all__ = ["evidence", "numbers_resting_on"]

SHOWN_VALUES, SHOWN_NUMBERS = 12, 12

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Such as E12, as it stands behind the number.")]
IssueOption = Annotated[
    str | None,
    typer.Option("--issue", metavar="NAME", help="Name of the report; default: the issue that is due."),
]
ReportOption = Annotated[str, typer.Option("--report", help="daily, weekly or reliability.")]


def evidence(
    key: IdArgument,
    name: IssueOption = None,
    period: ReportOption = "daily",
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Follow an evidence id of a report to the cell, ledger row, scores or fit that it rests on."""
    from data_intelligence.follow import Follower, issue_of
    from data_intelligence.report_files import PERIODS, read_report
    from hrv_shared.issue import current_issue

    settings, store = open_store()
    if period not in PERIODS:
        raise NoEvidence(f"Expected --report {', '.join(PERIODS)}, got {period!r}.")
    name = name or current_issue(store, member or settings.member_id).name
    report = read_report(store, period, name)
    held = report.get("evidence", {})
    if key not in held:
        raise NoEvidence(
            f"The {period} report {name} cites E1 to E{len(held)}, not {key!r}. Its Markdown lists them."
        )
    follower = Follower(store, issue_of(report["issue"]), seed=settings.seed)
    item = held[key]
    places = [follower.follow(place) for place in item["where"]]
    numbers = dict(numbers_resting_on(report, key))
    result = {
        "id": key, "report": period, "name": name, "kind": item["kind"], "what": item["what"], "numbers": numbers,
        "places": [{"place": p.place, "found": p.found, "words": p.words, "values": p.values} for p in places],
    }  # fmt: skip
    emit(result, _text(result), as_json)


def numbers_resting_on(
    value: Any, key: str, path: str = "", above: str | None = None
) -> Iterator[tuple[str, Any]]:
    """Paths and values of the numbers whose nearest enclosing object cites ``key``."""
    if isinstance(value, dict):
        own = value.get("evidence", above)
        for name, inner in value.items():
            if (path, name) not in (("", "issue"), ("", "evidence")):
                yield from numbers_resting_on(inner, key, f"{path}.{name}" if path else name, own)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from numbers_resting_on(inner, key, f"{path}[{at}]", above)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and above == key:
        yield path, value


def _text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['id']} of the {result['report']} report {result['name']}: {result['what']} ({result['kind']})"
    ]
    for place in result["places"]:
        lines += ["", f"{'' if place['found'] else 'NOT FOUND: '}{place['place']}", f"  {place['words']}"]
        values = list(place["values"].items())
        lines += [f"  {name}: {_short(value)}" for name, value in values[:SHOWN_VALUES]]
        if len(values) > SHOWN_VALUES:
            lines.append(f"  … and {len(values) - SHOWN_VALUES} more (--json)")
    if result["numbers"]:
        lines += ["", "Numbers that rest on it:"]
        numbers = list(result["numbers"].items())
        lines += [f"  {path} = {value}" for path, value in numbers[:SHOWN_NUMBERS]]
        if len(numbers) > SHOWN_NUMBERS:
            lines.append(f"  … and {len(numbers) - SHOWN_NUMBERS} more (--json)")
    return "\n".join(lines)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in list(value.items())[:6])
    return f"{value:.4g}" if isinstance(value, float) else str(value)
