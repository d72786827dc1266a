"""The room's commands: daily, weekly, card; alerts, experiment, bench."""

from __future__ import annotations

import sys

from data_intelligence.alerts_cli import alerts
from data_intelligence.bench_cli import bench_app
from data_intelligence.cli_options import AsOfOption, SlotOption, open_store
from data_intelligence.effects_cli import effects
from data_intelligence.evidence_cli import evidence
from data_intelligence.experiments.cli import experiment_app
from data_intelligence.reliability.cli import reliability
from hrv_shared.cli import JsonOption, MemberOption, app_for, emit

app = app_for("data_intelligence", "Trends, effects, reliability, plots and summaries.")
app.command()(alerts)
app.command()(reliability)
app.command()(evidence)
app.command()(effects)
app.add_typer(experiment_app)
app.add_typer(bench_app)


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

    settings, store = open_store()
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
    """Write the week on one page: HTML, PDF, Markdown and JSON under reports/weekly."""
    from data_intelligence.moment import chosen_issue
    from data_intelligence.weekly import write_weekly

    settings, store = open_store()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    files = write_weekly(store, issue, seed=settings.seed)
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

    settings, store = open_store()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    made = today_card(store, issue, seed=settings.seed)
    result = made.model_dump(mode="json")
    if as_json or not sys.stdout.isatty():
        emit(result, card_text(made), as_json)
        return
    print_card(made)
    emit(result, "", as_json=False)
