"""Journal answers of the export -> drafts of facts; what they mean is the journal room's business."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hrv_shared.record import FactDraft
from whoop_api_client.export.facts import Drafting
from whoop_api_client.export.held import Held
from whoop_api_client.export.known_at import AFTER_WAKING
from whoop_api_client.export.report import FileReport
from whoop_api_client.export.rows import ExportRow

__all__ = ["journal_drafts"]

_BY_NOON = timedelta(hours=12)
"""When the answers of a cycle without sleep count as known: half a day after it began."""


def journal_drafts(
    rows: list[ExportRow],
    offset_by_wall_time: dict[str, int],
    woken_at: dict[str, datetime],
    held: Held,
    drafting: Drafting,
    summary: FileReport,
) -> list[FactDraft]:
    """Draft one fact per (cycle, question), known half an hour after the waking that opens the cycle at the earliest.

    Parameters
    ----------
    offset_by_wall_time : dict of str to int
        ``Cycle start time`` as written -> minutes east of UTC, for rows whose own offset is empty.
    woken_at : dict of str to datetime
        Waking of each cycle by its instant key.
    """
    drafts: list[FactDraft] = []
    for key, row in sorted(_one_a_question(rows, offset_by_wall_time, held, summary).items()):
        waking = woken_at.get(key.partition("#")[0])
        if waking is not None:
            at, rule = waking + AFTER_WAKING, "wake+30min"
        else:
            at, rule = row.cycle_start_at + _BY_NOON, "cycle-start+12h"
        drafts += drafting.answer(key, row, row.raw, held, at, rule)
    return drafts


def _one_a_question(
    rows: list[ExportRow], offset_by_wall_time: dict[str, int], held: Held, summary: FileReport
) -> dict[str, ExportRow]:
    """Of several answers to one question of a cycle a yes wins, else the one further up in the file (the newer)."""
    answers: dict[str, ExportRow] = {}
    for row in rows:
        if not row.raw.get("Cycle timezone", "").strip():
            offset = offset_by_wall_time.get(row.raw["Cycle start time"].strip(), 0)
            row = replace(
                row, cycle_start_at=row.cycle_start_at - timedelta(minutes=offset), utc_offset_min=offset
            )
        key = f"{held.key(row.cycle_start_at)}#{row.raw['Question text'].strip()}"
        first = answers.get(key)
        summary.duplicates += first is not None
        if first is None or (row.raw["Answered yes"].strip() == "true" != first.raw["Answered yes"].strip()):
            answers[key] = row
    return answers
