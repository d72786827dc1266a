"""Errors of the journal room.

HrvError
└── JournalError
    ├── UnreadableAudio     not a recording that can be decoded, or too long, or too large
    ├── NoSpeech            a recording (or text) in which nobody says anything
    ├── BadEntry            a text, time or line that is not a journal entry
    ├── NoInbox             the folder to watch is not there
    ├── UnknownEntry        no entry with this key
    ├── UnknownFact         no fact of this number in the entry
    ├── BadCorrection       a correction that does not fit the fact
    ├── NothingToUndo       the entry is undone already
    └── BadBenchmark        a folder that is not a test set
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = [
    "BadBenchmark", "BadCorrection", "BadEntry", "JournalError", "NoInbox", "NoSpeech", "NothingToUndo", "UnknownEntry",
    "UnknownFact", "UnreadableAudio",
]  # fmt: skip


class JournalError(HrvError):
    """Base of the room's errors."""


class UnreadableAudio(JournalError):
    """The file is not a recording that can be decoded, or it is too long or too large."""


class NoSpeech(JournalError):
    """Nobody says anything."""


class BadEntry(JournalError):
    """Not a journal entry."""


class NoInbox(JournalError):
    """The folder to watch is not there."""


class UnknownEntry(JournalError):
    """No entry has this key."""


class UnknownFact(JournalError):
    """The entry has no fact of this number."""


class BadCorrection(JournalError):
    """The correction does not fit the fact."""


class NothingToUndo(JournalError):
    """The entry is undone already."""


class BadBenchmark(JournalError):
    """The folder is not a test set."""
