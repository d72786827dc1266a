"""Voice or text in, transcript and facts out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journal_analysis.backfilling import backfill
    from journal_analysis.corrections import Correction, correct, edit
    from journal_analysis.entries import Entry
    from journal_analysis.extraction import JournalFact, extract
    from journal_analysis.inbox import ingest
    from journal_analysis.notes import add_audio, add_text
    from journal_analysis.reply import receipt
    from journal_analysis.review import confirm, reject, show, undo
    from journal_analysis.table import rebuild
    from journal_analysis.table_view import as_of_days, as_of_weeks

__all__ = [
    "Correction", "Entry", "JournalFact", "add_audio", "add_text", "as_of_days", "as_of_weeks", "backfill", "confirm",
    "correct", "edit", "extract", "ingest", "rebuild", "receipt", "reject", "show", "undo",
]  # fmt: skip

_HOME = {
    "Correction": "corrections", "correct": "corrections", "edit": "corrections", "reject": "review",
    "Entry": "entries", "JournalFact": "extraction", "extract": "extraction", "add_audio": "notes", "add_text": "notes",
    "backfill": "backfilling", "ingest": "inbox", "receipt": "reply", "confirm": "review", "show": "review",
    "undo": "review", "rebuild": "table", "as_of_days": "table_view", "as_of_weeks": "table_view",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a verb when it is asked for: ``--help`` needs no tables."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
