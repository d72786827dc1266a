"""Taking in one note: a recording or a text."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hrv_shared.store import write_bytes_atomic
from journal_analysis.audio import MAX_AUDIO_BYTES, recorded_at_of
from journal_analysis.entries import Entry, text_key, write_entry
from journal_analysis.errors import BadEntry, NoSpeech, UnreadableAudio
from journal_analysis.kept import kept_entry
from journal_analysis.table import refresh
from journal_analysis.telling import Spoken, spoken_at
from journal_analysis.transcription import transcribe

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = [
    "MAX_TEXT_CHARS",
    "add_audio",
    "add_text",
    "audio_suffix",
    "checked_text",
    "keep_audio",
    "keep_text",
]

MAX_TEXT_CHARS = 20_000
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


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
    entry = keep_text(store, member_id, checked_text(text), spoken, auto_accept)
    refresh(store)
    return entry


def add_audio(
    store: Store, settings: Settings, member_id: str, path: Path, recorded_at: datetime | None = None
) -> Entry:
    """Take in a recording: transcribe it, keep its facts and a copy of it.

    Its time is the one written into it, else that of the file, unless ``recorded_at`` says otherwise.

    Raises
    ------
    UnreadableAudio, NoSpeech
        Nothing is kept.
    """
    entry = keep_audio(store, settings, member_id, path, recorded_at)
    refresh(store)
    return entry


def keep_text(store: Store, member_id: str, text: str, spoken: Spoken, auto_accept: bool) -> Entry:
    """Write a checked text to the record; the tables are the caller's business."""
    key = text_key(spoken.day, text)
    return kept_entry(store, member_id, key) or write_entry(
        store, member_id, key, text, spoken, source="text", auto_accept=auto_accept
    )


def keep_audio(
    store: Store, settings: Settings, member_id: str, path: Path, recorded_at: datetime | None = None
) -> Entry:
    """Write a recording to the record and keep a copy; the tables are the caller's business."""
    try:
        if path.stat().st_size > MAX_AUDIO_BYTES:
            raise UnreadableAudio(
                f"{path.name} is larger than {MAX_AUDIO_BYTES / 1e6:.0f} MB. Cut or compress it."
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        reason = getattr(error, "strerror", None) or error
        raise UnreadableAudio(
            f"Expected a recording at {path}, but it can't be opened ({reason})."
        ) from error
    key = hashlib.sha256(data).hexdigest()
    if (kept := kept_entry(store, member_id, key)) is not None:
        return kept
    now = store.clock()
    spoken = spoken_at(store, member_id, recorded_at or recorded_at_of(path, now), now=now)
    heard = transcribe(path, settings)
    copy = store.folder("audio") / f"{key}{audio_suffix(path)}"
    if not copy.exists():
        write_bytes_atomic(copy, data)
    accept = settings.journal_auto_accept
    return write_entry(
        store, member_id, key, heard.text, spoken, source="voice", heard=heard, auto_accept=accept
    )


def audio_suffix(path: Path) -> str:
    """The ending under which a file is kept: its own where that is a plain one. The rest of its name is not used."""
    suffix = path.suffix.lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ".note"


def checked_text(text: str) -> str:
    """The words of a typed note.

    Raises
    ------
    NoSpeech, BadEntry
        There are none, or too many.
    """
    whole = text.encode("utf-8", "replace").decode(
        "utf-8"
    )  # half a surrogate pair has no place in the record
    cleaned = whole.replace("\x00", "").strip()
    if not any(c.isalnum() for c in cleaned):
        raise NoSpeech("Expected a note in words; the text is empty. Nothing was noted.")
    if len(cleaned) > MAX_TEXT_CHARS:
        raise BadEntry(
            f"Expected a note of at most {MAX_TEXT_CHARS} characters, got {len(cleaned)}. Split it by day."
        )
    return cleaned
