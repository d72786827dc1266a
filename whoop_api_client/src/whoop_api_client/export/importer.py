"""Import WHOOP's data export (a ZIP, a folder or a CSV file) into the record.

All files are read and judged before anything is written; then each file is one transaction. Importing again writes
nothing; a newer export adds revisions only where something changed; an older one adds only what was missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hrv_shared.daytime import parse_instant
from hrv_shared.ontology import behaviours
from hrv_shared.private_questions import choose_private
from hrv_shared.record import Fact, FactDraft
from hrv_shared.store import Store
from whoop_api_client.export import cells
from whoop_api_client.export.archive import DEFAULT_LIMITS, Limits, csv_files
from whoop_api_client.export.closing import closings
from whoop_api_client.export.errors import DamagedExport, NotAnExport
from whoop_api_client.export.facts import Drafting
from whoop_api_client.export.held import Held, instant_key
from whoop_api_client.export.journal_rows import journal_drafts, sort_questions
from whoop_api_client.export.known_at import AFTER_WAKING
from whoop_api_client.export.night_counts import count_nights
from whoop_api_client.export.nights import SAME_INSTANT
from whoop_api_client.export.report import FileReport, ImportReport, RowError
from whoop_api_client.export.rows import ExportRow, ParsedFile, parse
from whoop_api_client.export.vanished_rows import vanished_drafts

__all__ = ["import_export"]

Progress = Callable[[str, int, int], None]
"""Called with (what, files done, files in all)."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""How far a row may lie in our future: clocks differ, and an export is made before it is imported."""

_CYCLE_SPAN = ("Cycle start time", "Cycle end time")

_ORDER = ("sleeps", "workouts", "cycles", "journal")
_API_KIND = {"cycles": "cycle", "sleeps": "sleep", "workouts": "workout"}


def import_export(
    store: Store,
    path: Path | str,
    member_id: str,
    now: datetime | None = None,
    *,
    leave_out: Sequence[str] = (),
    let_in: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
    on_progress: Progress = lambda what, done, total: None,
) -> ImportReport:
    """Import an export.

    Parameters
    ----------
    path : Path
        WHOOP's ZIP, its unpacked folder, or one of its CSV files.
    now : datetime, aware
        When we meet it; default: the store's clock.
    leave_out, let_in : sequence of str
        Journal questions or behaviours that are private from now on, or no longer (`hrv_shared.private_questions`).

    Returns
    -------
    ImportReport
        With every row that could not be used; the good ones are in the record.

    Raises
    ------
    ExportError
        Nothing was written: not an export, an unsafe ZIP, or a file rewritten by a spreadsheet program.
    """
    now = (now or store.clock()).astimezone(UTC)
    report = ImportReport(member_id)
    files = _read(Path(path), now, report, limits, on_progress)
    private = choose_private(store.record, member_id, leave_out, let_in)
    report.notes += [_as_question(text) for text in leave_out if text not in behaviours()]
    drafting = Drafting(member_id, now, _is_older(store, member_id, files, report))
    unique: dict[str, list[ExportRow]] = {}
    for done, kind in enumerate(kind for kind in _ORDER if kind in files):
        parsed = files[kind]
        on_progress(f"writing {kind}", len(files) + done, 2 * len(files))
        summary = FileReport(parsed.name, kind, parsed.header.language, len(parsed.rows) + len(parsed.errors))
        summary.errors += parsed.errors
        rows = unique[kind] = _unique(parsed, summary)
        if kind == "journal":
            rows = sort_questions(rows, private, summary, report.journal)
        held = _held(store, kind, member_id)
        drafts = _drafts(store, kind, rows, files, drafting, held, summary)
        _count_rows(summary, drafts, held, drafting.is_older)
        if not drafting.is_older:
            drafts += vanished_drafts(store.record, parsed, drafting, report.notes)
        summary.facts_written = store.record.append_many(drafts)
        summary.errors.sort(key=lambda error: error.line)
        report.files.append(summary)
        report.notes += parsed.notes
    count_nights(report, unique, store.record)
    on_progress("imported", 2 * len(files), 2 * len(files))
    return report


def _as_question(text: str) -> str:
    return (
        f"{text!r} is no behaviour that I know: what is left out is the question of exactly these words. "
        "The behaviours: hrv_shared/data/journal_ontology.csv."
    )


def _read(
    path: Path, now: datetime, report: ImportReport, limits: Limits, on_progress: Progress
) -> dict[str, ParsedFile]:
    files: dict[str, ParsedFile] = {}
    for name, data in csv_files(path, limits, report.ignored_files):
        on_progress(f"reading {name}", len(files), 0)
        parsed = parse(name, data, latest=now + CLOCK_TOLERANCE)
        if parsed is None:
            report.ignored_files.append(name)
            report.notes.append(
                f"{name}: its header is not one of WHOOP's that I know; nothing of it was read."
            )
            continue
        kind = parsed.header.kind
        if kind in files:
            raise DamagedExport(
                f"expected one {kind} file, got {files[kind].name} and {name}. "
                "Import one export at a time, the oldest first."
            )
        files[kind] = parsed
    if not files:
        came = f"got {', '.join(report.ignored_files[:5])}" if report.ignored_files else "it is empty"
        raise NotAnExport(
            f"{path.name}: expected physiological_cycles.csv and the other files of WHOOP's export (in English, "
            f"German, Spanish, Portuguese or French), but {came}. In the WHOOP app choose: menu, Export WHOOP Data."
        )
    if "cycles" not in files:
        report.notes.append(
            "There is no cycles file: without physiological_cycles.csv no nights can be made of this."
        )
    elif "sleeps" not in files:
        report.notes.append(
            "There is no sleeps file: naps and the sleep of nap-overwritten nights are unknown."
        )
    return files


def _is_older(store: Store, member_id: str, files: dict[str, ParsedFile], report: ImportReport) -> bool:
    """Whether the record already holds a newer export: then this one may add, but not revise."""
    newest_held = Held(store.record.latest("export_cycle", member_id)).newest()
    newest_here = max((r.cycle_start_at for f in files.values() for r in f.rows), default=None)
    older = newest_held is not None and newest_here is not None and newest_here < newest_held - SAME_INSTANT
    if older:
        report.notes.append(
            f"A newer export (to {newest_held:%Y-%m-%d}) was imported before; this one fills gaps."
        )
    return older


def _unique(parsed: ParsedFile, summary: FileReport) -> list[ExportRow]:
    """Rows oldest first, without those that begin like another one (journal rows are judged by question instead)."""
    if parsed.header.kind == "journal":
        return parsed.rows
    own = parsed.header.kind == "cycles"

    def start(row: ExportRow) -> datetime:
        return row.cycle_start_at if own else row.start_at

    # of two sleeps with one onset the true one lies next to its cycle's start
    ordered = sorted(parsed.rows, key=lambda r: (start(r), abs(start(r) - r.cycle_start_at), r.line))
    kept: list[ExportRow] = []
    for row in ordered:
        if kept and start(row) - start(kept[-1]) <= SAME_INSTANT:
            if _told(row, own) == _told(kept[-1], own):
                summary.duplicates += 1
                continue
            message = (
                f"expected one row for this start, got another beside line {kept[-1].line}, which is kept"
            )
            summary.errors.append(RowError(parsed.name, row.line, message))
            continue
        kept.append(row)
    return kept


def _told(row: ExportRow, own: bool) -> dict[str, str]:
    """What a row tells; a sleep repeated under the next cycle (exports made from API snapshots) tells nothing new."""
    return row.raw if own else {c: text for c, text in row.raw.items() if c not in _CYCLE_SPAN}


def _held(store: Store, kind: str, member_id: str) -> Held:
    """What the record holds of a kind of row, under keys that follow the API's starts."""
    api = store.record.latest(_API_KIND[kind], member_id).values() if kind in _API_KIND else ()
    starts = [parse_instant(fact.payload["start"]) for fact in api]
    return Held(store.record.latest(f"export_{_SINGULAR[kind]}", member_id), starts)


def _drafts(store: Store, kind: str, rows: list[ExportRow], files: dict[str, ParsedFile], drafting: Drafting,
            held: Held, summary: FileReport) -> list[FactDraft]:  # fmt: skip
    if kind == "cycles":
        closed = closings(rows)
        return [draft for row in rows for draft in drafting.cycle(row, closed[row.line], held)]
    if kind == "journal":
        held_cycles = store.record.latest("export_cycle", drafting.member_id).values()
        woken_at, offsets = _wakings(files, held_cycles), _offsets(files, held_cycles)
        return journal_drafts(rows, offsets, woken_at, held, drafting, summary)
    rule = "wake+30min" if kind == "sleeps" else "workout-end+30min"
    fact_kind = f"export_{_SINGULAR[kind]}"
    return [
        draft
        for row in rows
        for draft in drafting.activity(fact_kind, row.start_at, _complete_at(row), rule, row.raw, held)
    ]


def _complete_at(row: ExportRow) -> datetime:
    """Half an hour after the end, but not after the cycle closed: an evening knows the whole day before it."""
    by_then = row.end_at + AFTER_WAKING
    return by_then if row.cycle_end_at is None else min(by_then, max(row.end_at, row.cycle_end_at))


_SINGULAR = {"cycles": "cycle", "sleeps": "sleep", "workouts": "workout", "journal": "journal"}


def _count_rows(summary: FileReport, drafts: list[FactDraft], held: Held, is_older: bool) -> None:
    """Every row that is neither wrong nor doubled nor left out told something new, something else, or nothing."""
    keys = {draft.key for draft in drafts}
    summary.new = len(keys - set(held.facts))
    summary.changed = len(keys) - summary.new
    quiet = summary.rows - len(summary.errors) - summary.duplicates - summary.left_out - len(keys)
    summary.already_known, summary.kept_newer = (0, quiet) if is_older else (quiet, 0)


def _wakings(files: dict[str, ParsedFile], held_cycles: Iterable[Fact]) -> dict[str, datetime]:
    """Waking of each cycle's main sleep, by the cycle's instant key; sleeps.csv knows better than the cycles file."""
    wakings = {
        fact.key: cells.stamp(fact.payload, "Wake onset", cells.offset_min(fact.payload) or 0)
        for fact in held_cycles
    }
    for kind in ("cycles", "sleeps"):
        for row in files[kind].rows if kind in files else ():
            if row.end_at is not None and row.raw.get("Nap", "false") == "false":
                wakings[instant_key(row.cycle_start_at)] = row.end_at
    return {key: waking for key, waking in wakings.items() if waking is not None}


def _offsets(files: dict[str, ParsedFile], held_cycles: Iterable[Fact]) -> dict[str, int]:
    """Offset of each cycle by the wall time of its start, for journal rows that lost theirs."""
    offsets = {
        fact.payload["Cycle start time"].strip(): cells.offset_min(fact.payload) or 0 for fact in held_cycles
    }
    for row in files["cycles"].rows if "cycles" in files else ():
        offsets[row.raw["Cycle start time"].strip()] = row.utc_offset_min
    return offsets
