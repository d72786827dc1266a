"""Taking in notes of past days: a file of JSON lines, or a folder of dated text files.

They count as known when they were told (basis ``inferred:recorded-at``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from hrv_shared.constants import REPLAY_EVENING_HOUR
from hrv_shared.record import FactDraft
from journal_analysis.entries import draft_entry, entry_keys, text_key
from journal_analysis.errors import BadEntry, JournalError
from journal_analysis.notes import MAX_TEXT_CHARS, checked_text
from journal_analysis.table import refresh
from journal_analysis.telling import spoken_at, wearers_offset_min

if TYPE_CHECKING:
    from hrv_shared.store import Store

__all__ = ["BackfillResult", "OldNote", "backfill", "keep_old", "notes_of", "notes_of_lines"]

INFERRED = "inferred:recorded-at"
TEXT_SUFFIXES = (".txt", ".md")
_AT_ONCE = 100
"""Notes in one transaction: a run that is killed keeps what it has done."""
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?([01]\d)[-_. ]?([0-3]\d)(?!\d)")
_TIME = re.compile(r"[ T_-]+([01]\d|2[0-3])[-_:.h]?([0-5]\d)(?!\d)")
_EXPECTED = 'Expected {"recorded_at": "2026-03-01T21:40:00+01:00", "text": "…"}'

Advance = Callable[..., None]
Progress = Callable[[str, float], AbstractContextManager[Advance]]


@dataclass(frozen=True)
class OldNote:
    """A note of the past as given: where it stands, and how to read it (its text and its time)."""

    place: dict[str, Any]
    read: Callable[[], tuple[str, datetime]]


@dataclass
class BackfillResult:
    """Old notes taken in, those that were there already, their facts, and what was no note."""

    entries: int = 0
    already: int = 0
    facts: int = 0
    bad_lines: list[dict[str, Any]] = field(default_factory=list)


def backfill(
    store: Store, member_id: str, path: Path, *, auto_accept: bool = True, progress: Progress | None = None
) -> BackfillResult:
    """Take in old notes from a JSON-lines file of ``{"recorded_at": ISO with offset, "text": …}``, or from a folder of
    ``.txt`` and ``.md`` files with a date in their name (and a time, else the evening of that day).

    What is no note is reported with its line or file and does not stop the others.

    Parameters
    ----------
    auto_accept : bool
        Whether facts that were plainly read count at once (setting ``journal_auto_accept``).
    progress : callable, optional
        Shows how far it is, as `hrv_shared.cli.progress` does.

    Raises
    ------
    BadEntry
        The file or folder can't be read.
    """
    notes = notes_of(store, member_id, path)
    try:
        with progress("Reading old notes", len(notes)) if progress else nullcontext() as advance:
            return keep_old(store, member_id, notes, auto_accept, advance)
    finally:
        refresh(store)


def notes_of(store: Store, member_id: str, path: Path) -> list[OldNote]:
    """The notes of a file of JSON lines or of a folder of dated files, not read yet."""
    try:
        if path.is_dir():
            return list(_dated_files(store, member_id, path))
        return notes_of_lines(path.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, ValueError) as error:
        raise BadEntry(
            f"Expected a text file with one JSON object per line, or a folder of dated .txt and .md files, at {path}; "
            f"it can't be read ({error})."
        ) from error


def notes_of_lines(lines: Iterable[str]) -> list[OldNote]:
    """The notes of JSON lines."""
    return [
        OldNote({"line": number}, lambda line=line: _of_line(line))  # type: ignore[misc]
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def keep_old(
    store: Store, member_id: str, notes: Iterable[OldNote], auto_accept: bool, advance: Advance | None = None
) -> BackfillResult:
    """Write old notes to the record; the tables are the caller's business."""
    result, held = BackfillResult(), entry_keys(store, member_id)
    drafts: list[FactDraft] = []
    for number, note in enumerate(notes, start=1):
        try:
            text, at = note.read()
            spoken = spoken_at(store, member_id, at, now=store.clock())
            words = checked_text(text)
        except JournalError as error:
            result.bad_lines.append({**note.place, "reason": str(error)})
            continue
        finally:
            if advance is not None:
                advance(1.0)
        key = text_key(spoken.day, words)
        if key in held:
            result.already += 1
            continue
        held.add(key)
        entry, new = draft_entry(
            member_id, key, words, spoken, source="text", known_at=spoken.at, basis=INFERRED,
            auto_accept=auto_accept,
        )  # fmt: skip
        drafts += new
        result.entries += 1
        result.facts += len(entry.facts)
        if number % _AT_ONCE == 0:
            store.record.append_many(drafts)
            drafts = []
    store.record.append_many(drafts)
    return result


def _of_line(line: str) -> tuple[str, datetime]:
    try:
        note = json.loads(line)
        text, stamp = note["text"], datetime.fromisoformat(note["recorded_at"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadEntry(f"{_EXPECTED}; got something else ({type(error).__name__}: {error}).") from None
    if not isinstance(text, str) or stamp.tzinfo is None:
        raise BadEntry(f"{_EXPECTED}: the time needs its offset from UTC, the text has to be a string.")
    return text, stamp if stamp.utcoffset() else stamp.replace(tzinfo=UTC)


def _dated_files(store: Store, member_id: str, folder: Path) -> Iterator[OldNote]:
    days = store.read_table("days").filter(pl.col("member_id") == member_id)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and not path.is_symlink() and path.suffix.lower() in TEXT_SUFFIXES:
            yield OldNote({"file": str(name)}, lambda path=path: _of_file(path, days, store.clock()))  # type: ignore[misc]


def _of_file(path: Path, days: pl.DataFrame, now: datetime) -> tuple[str, datetime]:
    dated = _DATE.search(path.stem)
    try:
        day = date(*(int(part) for part in dated.groups())) if dated else None
    except ValueError:
        day = None
    if dated is None or day is None:
        raise BadEntry("Expected a date in its name, such as 2026-03-01.txt or 2026-03-01 21-40.md.")
    timed = _TIME.match(path.stem, dated.end())
    clock = time(int(timed[1]), int(timed[2])) if timed else time(REPLAY_EVENING_HOUR)
    guess = datetime.combine(day, clock, UTC)
    at = guess.replace(tzinfo=timezone(timedelta(minutes=wearers_offset_min(days, guess))))
    if timed is None and at > now >= at - timedelta(days=1):
        at = now.astimezone(at.tzinfo)  # today's file, and it is not evening yet
    try:
        if path.stat().st_size > MAX_TEXT_CHARS * 4:
            raise BadEntry(f"Expected a note of at most {MAX_TEXT_CHARS} characters. Split it by day.")
        return path.read_bytes().decode("utf-8-sig"), at if at.utcoffset() else at.replace(tzinfo=UTC)
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(f"It can't be read as text in UTF-8 ({error}).") from error
