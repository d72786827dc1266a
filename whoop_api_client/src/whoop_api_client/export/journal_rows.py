"""Journal answers of the export -> drafts of facts; what an answer means is the journal room's business."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hrv_shared.journal_questions import behaviour_of_question
from hrv_shared.private_questions import PrivateQuestions
from hrv_shared.record import FactDraft
from whoop_api_client.export.facts import Drafting
from whoop_api_client.export.held import Held
from whoop_api_client.export.known_at import AFTER_WAKING
from whoop_api_client.export.report import FileReport, JournalReport, RowError
from whoop_api_client.export.rows import ExportRow

__all__ = ["journal_drafts", "sort_questions"]

_BY_NOON = timedelta(hours=12)
"""When the answers of a cycle without sleep count as known: half a day after it began."""


def sort_questions(
    rows: list[ExportRow], private: PrivateQuestions, summary: FileReport, journal: JournalReport
) -> list[ExportRow]:
    """Count the answers by what their question asks for; returns all rows but those that the wearer leaves out."""
    kept, known, unknown = [], Counter[str](), Counter[str]()
    for row in rows:
        question = row.raw["Question text"].strip()
        if private.is_left_out(question):
            summary.left_out += 1
            continue
        kept.append(row)
        behaviour = behaviour_of_question(question)
        if private.is_private(question):
            journal.private += 1
        elif behaviour is None:
            unknown[question] += 1
        else:
            known[behaviour] += 1
    journal.known, journal.unknown = dict(known.most_common()), dict(unknown.most_common())
    return kept


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
    answers = _one_a_question(rows, offset_by_wall_time, held, summary)
    for key, row in sorted(answers.items()):
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
            offset = offset_by_wall_time.get(row.raw["Cycle start time"].strip())
            if offset is None:
                message = "Cycle timezone: expected an offset, or a cycle with this start; got neither"
                summary.errors.append(RowError(summary.name, row.line, message))
                continue
            row = replace(
                row, cycle_start_at=row.cycle_start_at - timedelta(minutes=offset), utc_offset_min=offset
            )
        key = f"{held.key(row.cycle_start_at)}#{row.raw['Question text'].strip()}"
        first = answers.get(key)
        summary.duplicates += first is not None
        if first is None or (row.raw["Answered yes"].strip() == "true" != first.raw["Answered yes"].strip()):
            answers[key] = row
    return answers
