"""Taking notes in: one recording or text, everything in the inbox, or a file of old notes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrv_shared.record import FactDraft
from hrv_shared.store import write_bytes_atomic
from journal_analysis.audio import MAX_AUDIO_BYTES, recorded_at_of
from journal_analysis.entries import Entry, Spoken, draft_entry, entry_keys, spoken_at, text_key, write_entry
from journal_analysis.errors import BadEntry, JournalError, NoSpeech, UnreadableAudio
from journal_analysis.table import rebuild
from journal_analysis.transcription import transcribe

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = ["BackfillResult", "IngestResult", "add_audio", "add_text", "backfill", "ingest"]

INFERRED = "inferred:recorded-at"
MAX_TEXT_CHARS = 20_000
_UNFINISHED = (".part", ".tmp", ".crdownload", ".download")


@dataclass
class IngestResult:
    """Notes taken in, notes there already, old notes from files of them, and what was no note (with the reason)."""

    entries: list[Entry] = field(default_factory=list)
    already: int = 0
    backfilled: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)


@dataclass
class BackfillResult:
    """Old notes taken in, those that were there already, their facts, and lines that were not notes."""

    entries: int = 0
    already: int = 0
    facts: int = 0
    bad_lines: list[dict[str, Any]] = field(default_factory=list)


def add_text(
    store: Store, member_id: str, text: str, recorded_at: datetime | None = None, *, auto_accept: bool = True
) -> Entry:
    """Take in a typed note, told now unless ``recorded_at`` says otherwise.

    ``auto_accept`` : whether facts that were plainly read count at once (setting ``journal_auto_accept``).

    Raises
    ------
    BadEntry
        An empty or endless text, or a time ahead of now.
    """
    now = store.clock()
    spoken = spoken_at(store, member_id, recorded_at or now, now=now)
    entry = _keep_text(store, member_id, _checked(text), spoken, auto_accept)
    rebuild(store)
    return entry


def add_audio(
    store: Store, settings: Settings, member_id: str, path: Path, recorded_at: datetime | None = None
) -> Entry:
    """Take in a recording: transcribe it, keep its facts and a copy of it. Its time is that of the file by default.

    Raises
    ------
    UnreadableAudio, NoSpeech
        Nothing is kept.
    """
    entry = _keep_audio(store, settings, member_id, path, recorded_at)
    rebuild(store)
    return entry


def ingest(store: Store, settings: Settings, member_id: str) -> IngestResult:
    """Take in every file of the store's ``inbox``; each goes to ``audio`` once its note is in the record.

    A ``.jsonl`` file holds old notes (see `backfill`). A file that is no note goes to ``inbox/refused``. Killed
    anywhere, the next run carries on: the note is in the record before its file moves, and its key is made of its
    bytes.
    """
    result = IngestResult()
    for path in sorted(store.folder("inbox").iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.suffix.lower() in _UNFINISHED:
            continue
        try:
            if path.suffix.lower() == ".jsonl":
                _ingest_old(store, member_id, path, result)
                continue
            entry = _keep_file(store, settings, member_id, path)
        except (BadEntry, NoSpeech, UnreadableAudio) as error:
            if path.exists():
                os.replace(path, _free(store.folder("inbox", "refused") / path.name))
            result.refused.append({"file": path.name, "reason": str(error)})
            continue
        _move(path, store.folder("audio") / f"{entry.key}{path.suffix.lower()}")
        if entry.already:
            result.already += 1
        else:
            result.entries.append(entry)
    rebuild(store)
    return result


def backfill(store: Store, member_id: str, path: Path) -> BackfillResult:
    """Take in old notes from a JSON-lines file of ``{"recorded_at": ISO with offset, "text": …}``.

    They count as known when they were recorded (basis ``inferred:recorded-at``). A line that is no note is reported
    with its number and does not stop the others; all go into the record in one transaction.

    Raises
    ------
    BadEntry
        The file can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(
            f"Expected a text file with one JSON object per line at {path}; it can't be read ({error})."
        ) from error
    result = _keep_old(store, member_id, lines)
    rebuild(store)
    return result


def _ingest_old(store: Store, member_id: str, path: Path, result: IngestResult) -> None:
    """Old notes that lie in the inbox as one file."""
    try:
        data = path.read_bytes()
        done = _keep_old(store, member_id, data.decode("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(f"{path.name} can't be read as text in UTF-8 ({error}).") from error
    _move(path, store.folder("audio") / f"{hashlib.sha256(data).hexdigest()}{path.suffix.lower()}")
    result.backfilled += done.entries
    result.already += done.already
    result.refused += [
        {"file": f"{path.name}, line {b['line']}", "reason": b["reason"]} for b in done.bad_lines
    ]


def _keep_old(store: Store, member_id: str, lines: list[str]) -> BackfillResult:
    """Old notes in one transaction."""
    result, drafts, held = BackfillResult(), [], entry_keys(store, member_id)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            key, entry, new = _old_note(store, member_id, line)
        except JournalError as error:
            result.bad_lines.append({"line": number, "reason": str(error)})
            continue
        if key in held:
            result.already += 1
            continue
        held.add(key)
        drafts += new
        result.entries += 1
        result.facts += len(entry.facts)
    store.record.append_many(drafts)
    return result


def _keep_file(store: Store, settings: Settings, member_id: str, path: Path) -> Entry:
    if path.suffix.lower() != ".txt":
        return _keep_audio(store, settings, member_id, path, None)
    try:
        data = path.read_bytes()
        text = _checked(data.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(f"{path.name} can't be read as text in UTF-8 ({error}).") from error
    now = store.clock()
    spoken = spoken_at(store, member_id, _file_time(path, now), now=now)
    return _keep_text(store, member_id, text, spoken, settings.journal_auto_accept)


def _keep_text(store: Store, member_id: str, text: str, spoken: Spoken, auto_accept: bool) -> Entry:
    key = text_key(spoken.day, text)
    return write_entry(store, member_id, key, text, spoken, source="text", auto_accept=auto_accept)


def _keep_audio(
    store: Store, settings: Settings, member_id: str, path: Path, recorded_at: datetime | None
) -> Entry:
    try:
        if path.stat().st_size > MAX_AUDIO_BYTES:
            raise UnreadableAudio(
                f"{path.name} is larger than {MAX_AUDIO_BYTES / 1e6:.0f} MB. Cut or compress it."
            )
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableAudio(
            f"Expected a recording at {path}, but it can't be opened ({error.strerror})."
        ) from error
    key = hashlib.sha256(data).hexdigest()
    now = store.clock()
    spoken = spoken_at(store, member_id, recorded_at or recorded_at_of(path, now), now=now)
    if key in entry_keys(store, member_id):
        return write_entry(store, member_id, key, "", spoken, source="voice")
    heard = transcribe(path, settings)
    copy = store.folder("audio") / f"{key}{path.suffix.lower()}"
    if not copy.exists():
        write_bytes_atomic(copy, data)
    accept = settings.journal_auto_accept
    return write_entry(
        store, member_id, key, heard.text, spoken, source="voice", heard=heard, auto_accept=accept
    )


def _old_note(store: Store, member_id: str, line: str) -> tuple[str, Entry, list[FactDraft]]:
    expected = 'Expected {"recorded_at": "2026-03-01T21:40:00+01:00", "text": "…"}'
    try:
        note = json.loads(line)
        text, stamp = note["text"], datetime.fromisoformat(note["recorded_at"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadEntry(f"{expected}; got something else ({type(error).__name__}: {error}).") from None
    if not isinstance(text, str) or stamp.tzinfo is None:
        raise BadEntry(f"{expected}: the time needs its offset from UTC, the text has to be a string.")
    zoned = stamp if stamp.utcoffset() else stamp.replace(tzinfo=UTC)
    spoken = spoken_at(store, member_id, zoned, now=store.clock())
    key = text_key(spoken.day, _checked(text))
    entry, drafts = draft_entry(
        member_id, key, text.strip(), spoken, source="text", known_at=spoken.at, basis=INFERRED
    )
    return key, entry, drafts


def _checked(text: str) -> str:
    cleaned = text.replace("\x00", "").strip()
    if not any(c.isalnum() for c in cleaned):
        raise NoSpeech("Expected a note in words; the text is empty. Nothing was noted.")
    if len(cleaned) > MAX_TEXT_CHARS:
        raise BadEntry(
            f"Expected a note of at most {MAX_TEXT_CHARS} characters, got {len(cleaned)}. Split it by day."
        )
    return cleaned


def _file_time(path: Path, now: datetime) -> datetime:
    """When the file was last written; a clock that ran ahead counts as now."""
    return min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)


def _move(path: Path, target: Path) -> None:
    """Move a file that is in the record; a second run, or another process, may have done it."""
    try:
        os.replace(path, target)
    except FileNotFoundError:
        return
    except OSError:  # another file system
        shutil.copy2(path, target)
        path.unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """The path, or the same name with a number where it is taken."""
    numbered = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in range(2, 10_000))
    return path if not path.exists() else next(p for p in numbered if not p.exists())
