"""The inbox: recordings and texts that lie in a folder become notes.

The store's own inbox is emptied: each file moves to ``audio`` once its note is in the record. A folder of the wearer's
(setting ``journal_inbox``, into which a phone syncs memos) is left as it is; what was read of it is remembered.

Of a file's name only a plain ending is ever used. Killed anywhere, the next run carries on: the note is in the record
before its file moves, and its key is made of its bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hrv_shared.store import write_bytes_atomic
from journal_analysis.backfilling import TEXT_SUFFIXES, keep_old, notes_of_lines
from journal_analysis.entries import Entry
from journal_analysis.errors import BadEntry, NoInbox, NoSpeech, UnreadableAudio
from journal_analysis.kept import kept_entry
from journal_analysis.notes import MAX_TEXT_CHARS, audio_suffix, checked_text, keep_audio, keep_text
from journal_analysis.table import refresh
from journal_analysis.telling import spoken_at

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = ["IngestResult", "inbox_folders", "ingest", "waiting_files"]

_UNFINISHED = (".part", ".tmp", ".crdownload", ".download", ".icloud", ".partial")
_LARGEST_LINES = 50 * 1024 * 1024
_SEEN = "inbox-seen.json"


@dataclass
class IngestResult:
    """Notes taken in, notes there already, old notes from files of them, what was no note (with the reason), and files
    that were still being written."""

    entries: list[Entry] = field(default_factory=list)
    already: int = 0
    backfilled: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


def ingest(
    store: Store,
    settings: Settings,
    member_id: str,
    files: Iterable[Path] | None = None,
    *,
    patient: bool = False,
) -> IngestResult:
    """Take in every file of the inbox.

    A ``.jsonl`` file holds old notes (see `backfilling`). A file that is no note goes to ``inbox/refused``.

    Parameters
    ----------
    files : iterable of Path, optional
        Only these of the waiting ones.
    patient : bool
        Leave a recording that can't be read yet for later while it is younger than a minute.
    """
    result, seen = IngestResult(), _read_seen(store)
    waiting = waiting_files(store, settings)
    chosen = waiting if files is None else [path for path in waiting if path in set(files)]
    own = store.folder("inbox")
    try:
        for path in chosen:
            stamp = _stamp(path)
            if stamp is None:
                continue
            if path.parent == own:
                _take_own(store, settings, member_id, path, result, patient)
            elif _take(store, settings, member_id, path, result, patient):
                seen[str(path)] = stamp
                _write_seen(store, seen)
    finally:
        refresh(store)  # what was taken in counts, whatever became of the file after it
    return result


def inbox_folders(store: Store, settings: Settings) -> list[Path]:
    """Where notes may lie: the store's inbox, and the folder of the setting ``journal_inbox``.

    Raises
    ------
    NoInbox
        That folder is not there.
    """
    own, other = store.folder("inbox"), settings.journal_inbox
    if other is not None and not other.is_dir():
        raise NoInbox(
            f"Expected a folder at {other} (setting journal_inbox), and there is none. Make it, or set "
            "HRV_JOURNAL_INBOX to the folder into which your phone syncs its memos."
        )
    return [own] if other is None or other.resolve() == own.resolve() else [own, other]


def waiting_files(store: Store, settings: Settings) -> list[Path]:
    """Files of the inbox that have not been read as they are now."""
    seen = _read_seen(store)
    return [
        path
        for folder in inbox_folders(store, settings)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")
        and path.suffix.lower() not in _UNFINISHED
        and (path.is_symlink() or path.is_file())
        and seen.get(str(path), "") != _stamp(path)
    ]


def _take_own(
    store: Store, settings: Settings, member_id: str, path: Path, result: IngestResult, patient: bool
) -> None:
    """A file of the store's own inbox: taken in, then moved away."""
    kept_before = result.already
    key = _take(store, settings, member_id, path, result, patient)
    if not key:
        return
    if key == "refused":
        if os.path.lexists(path):
            os.replace(path, _free(store.folder("inbox", "refused") / path.name))
        return
    if (
        result.already > kept_before
        and not settings.journal_keep_audio
        and _let_go(store, member_id, key, path)
    ):
        path.unlink(missing_ok=True)
        return
    _move(path, store.folder("audio") / f"{key}{audio_suffix(path)}")


def _let_go(store: Store, member_id: str, key: str, path: Path) -> bool:
    """Whether a note that comes again was decided on, so that its file must not come back.

    A recording's copy is there before its note is; without one it was removed.
    """
    entry = kept_entry(store, member_id, key)
    if entry is None:
        return False  # a file of old notes
    voice = path.suffix.lower() not in TEXT_SUFFIXES
    return entry.state == "confirmed" or (voice and not any(store.folder("audio").glob(f"{key}.*")))


def _take(
    store: Store, settings: Settings, member_id: str, path: Path, result: IngestResult, patient: bool
) -> str:
    """Read one file into the record and say in ``result`` what became of it.

    Returns its key, or what was wrong with it; empty when it is to be looked at again later.
    """
    before = _stamp(path)
    try:
        if path.is_symlink():
            raise BadEntry(f"{path.name} is a link. Put the file itself into the inbox.")
        if path.suffix.lower() == ".jsonl":
            return _take_lines(store, settings, member_id, path, result)
        entry = _keep_file(store, settings, member_id, path)
    except UnreadableAudio as error:
        if _stamp(path) != before or (patient and _is_young(path, store.clock())):
            result.later.append(path.name)
            return ""
        result.refused.append({"file": path.name, "reason": str(error)})
        return "refused"
    except (BadEntry, NoSpeech) as error:
        result.refused.append({"file": path.name, "reason": str(error)})
        return "refused"
    if _stamp(path) not in (before, None):
        result.later.append(
            path.name
        )  # it went on growing: what was read of it stands, the whole comes next time
        return ""
    if entry.already:
        result.already += 1
    else:
        result.entries.append(entry)
    return entry.key


def _take_lines(store: Store, settings: Settings, member_id: str, path: Path, result: IngestResult) -> str:
    """Old notes that lie in the inbox as one file; one with bad lines is put aside, with what is good in it taken."""
    before = _stamp(path)
    try:
        if path.stat().st_size > _LARGEST_LINES:
            raise BadEntry(f"{path.name} is larger than {_LARGEST_LINES / 1e6:.0f} MB. Split it.")
        data = path.read_bytes()
        lines = notes_of_lines(data.decode("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(f"{path.name} can't be read as text in UTF-8 ({error}).") from error
    done = keep_old(store, member_id, lines, settings.journal_auto_accept)
    result.backfilled += done.entries
    if _stamp(path) not in (before, None):
        result.later.append(path.name)  # it went on growing: its last line may have been half a line
        return ""
    result.already += done.already
    result.refused += [
        {"file": f"{path.name}, line {b['line']}", "reason": b["reason"]} for b in done.bad_lines
    ]
    return "refused" if done.bad_lines else hashlib.sha256(data).hexdigest()


def _keep_file(store: Store, settings: Settings, member_id: str, path: Path) -> Entry:
    if path.suffix.lower() not in TEXT_SUFFIXES:
        return keep_audio(store, settings, member_id, path)
    try:
        if path.stat().st_size > MAX_TEXT_CHARS * 4:
            raise BadEntry(f"{path.name} is longer than {MAX_TEXT_CHARS} characters. Split it by day.")
        text = checked_text(path.read_bytes().decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadEntry(f"{path.name} can't be read as text in UTF-8 ({error}).") from error
    now = store.clock()
    at = min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)  # a clock that ran ahead counts as now
    spoken = spoken_at(store, member_id, at, now=now)
    return keep_text(store, member_id, text, spoken, settings.journal_auto_accept)


def _stamp(path: Path) -> str | None:
    """Size and time of a file; None when it is gone."""
    try:
        held = path.lstat()
    except OSError:
        return None
    return f"{held.st_size}:{held.st_mtime_ns}"


def _is_young(path: Path, now: datetime) -> bool:
    try:
        return abs((now - datetime.fromtimestamp(path.stat().st_mtime, UTC)).total_seconds()) < 60
    except OSError:
        return False


def _read_seen(store: Store) -> dict[str, str]:
    try:
        told = json.loads((store.home / _SEEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # nothing is lost: a note that is read twice is one entry
    return told if isinstance(told, dict) else {}


def _write_seen(store: Store, seen: dict[str, str]) -> None:
    write_bytes_atomic(store.home / _SEEN, json.dumps(seen).encode())


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
    numbered = (path.with_name(f"{path.stem[:200]}-{n}{path.suffix[:20]}") for n in range(2, 10_000))
    return path if not os.path.lexists(path) else next(p for p in numbered if not os.path.lexists(p))
