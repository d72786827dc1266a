"""The room's commands: daily, weekly, card."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit

app = app_for("data_intelligence", "Trends, effects, reliability, plots and summaries.")

SlotOption = Annotated[
    str | None, typer.Option("--slot", help="morning or evening; default: what the clock says.")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="An earlier instant (ISO 8601), replayed.")]


@app.command()
def daily(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the daily summary: JSON, Markdown and three plots under reports/daily."""
    from data_intelligence.daily import write_daily
    from data_intelligence.moment import chosen_issue

    settings, store = _open()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    files = write_daily(store, issue, seed=settings.seed)
    result = {"issue": issue.describe(), "name": issue.name, "files": [str(path) for path in files]}
    emit(result, f"Daily summary {issue.name} ({issue.book}): {files[1]}", as_json)


@app.command()
def weekly(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the weekly summary: JSON and Markdown under reports/weekly."""
    from data_intelligence.moment import chosen_issue
    from data_intelligence.weekly import write_weekly

    settings, store = _open()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    files = write_weekly(store, issue)
    result = {"issue": issue.describe(), "name": issue.name, "files": [str(path) for path in files]}
    emit(result, f"Weekly summary to {issue.origin_day} ({issue.book}): {files[1]}", as_json)


@app.command()
def card(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the one card: tomorrow, why, the week, how good we have been."""
    from data_intelligence.card import today_card
    from data_intelligence.card_print import card_text, print_card
    from data_intelligence.moment import chosen_issue

    settings, store = _open()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    made = today_card(store, issue, seed=settings.seed)
    result = made.model_dump(mode="json")
    if as_json or not sys.stdout.isatty():
        emit(result, card_text(made), as_json)
        return
    print_card(made)
    emit(result, "", as_json=False)


def _open():
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store

    settings = load_settings()
    return settings, Store.open(settings)
