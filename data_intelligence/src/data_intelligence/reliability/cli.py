"""``hrv reliability``: where predictions succeed and where they fail, on one page."""

from __future__ import annotations

from typing import Annotated

import typer

from data_intelligence.cli_options import AsOfOption, SlotOption, open_store
from hrv_shared.cli import JsonOption, MemberOption, emit, progress

__all__ = ["reliability"]

EverythingOption = Annotated[bool, typer.Option("--all", help="Both books and both slots.")]


def reliability(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    everything: EverythingOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show where predictions succeed and where they fail; write the page under reports/reliability."""
    from data_intelligence.moment import chosen_issue
    from data_intelligence.reliability import write_reliability
    from data_intelligence.reliability.text import reliability_text

    settings, store = open_store()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    with progress("Scoring the ledger"):
        report, files = write_reliability(store, issue, seed=settings.seed)
    result = {**report.model_dump(mode="json"), "files": [str(path) for path in files]}
    emit(result, reliability_text(report, more=f"page: {files[0]}", everything=everything), as_json)
