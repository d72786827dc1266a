"""A note becomes an entry: its transcript and its facts, written to the record in one transaction.

The key of a recording is the sha256 of its bytes, that of a text the sha256 of its day and its words ("rest day, no
alcohol" may be written on many days). So the same note given twice is one entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hrv_shared.daytime import format_instant
from hrv_shared.record import SEEN, FactDraft
from journal_analysis.extraction import JournalFact
from journal_analysis.reading import read_facts
from journal_analysis.telling import Spoken

if TYPE_CHECKING:
    from hrv_shared.store import Store
    from journal_analysis.transcript import Transcript

__all__ = ["ENTRY", "FACT", "Entry", "draft_entry", "entry_keys", "fact_drafts", "text_key", "write_entry"]

ENTRY, FACT = "journal_entry", "journal_fact"


@dataclass(frozen=True)
class Entry:
    """One note as kept: its key, its day, what was understood, and whether it had been kept before.

    ``statuses`` has one of ``accepted``, ``draft`` or ``rejected`` for each fact. ``state`` is ``kept``, ``confirmed``
    or ``undone``; ``language`` (ISO 639-1) is as seen, and only English yields facts.
    """

    key: str
    day: date
    transcript: str
    facts: tuple[JournalFact, ...]
    statuses: tuple[str, ...]
    already: bool = False
    state: str = "kept"
    language: str = "en"

    def of_status(self, *statuses: str) -> list[JournalFact]:
        """The facts that stand so."""
        return [f for f, status in zip(self.facts, self.statuses, strict=True) if status in statuses]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        facts = [
            {"number": n, **asdict(f), "status": status}
            for n, (f, status) in enumerate(zip(self.facts, self.statuses, strict=True), start=1)
        ]
        return {
            "entry": self.key,
            "day": self.day,
            "transcript": self.transcript,
            "already": self.already,
            "state": self.state,
            "language": self.language,
            "facts": facts,
        }


def write_entry(
    store: Store,
    member_id: str,
    key: str,
    text: str,
    spoken: Spoken,
    *,
    source: str,
    heard: Transcript | None = None,
    auto_accept: bool = True,
) -> Entry:
    """Write a note and its facts in one transaction, known as of now."""
    now = store.clock()
    entry, drafts = draft_entry(
        member_id,
        key,
        text,
        spoken,
        source=source,
        known_at=now,
        basis=SEEN,
        heard=heard,
        auto_accept=auto_accept,
    )
    store.record.append_many(drafts)
    return entry


def draft_entry(
    member_id: str, key: str, text: str, spoken: Spoken, *, source: str, known_at: datetime, basis: str,
    heard: Transcript | None = None, auto_accept: bool = True,
) -> tuple[Entry, list[FactDraft]]:  # fmt: skip
    """Draft a note for the record: one ``journal_entry``, and a ``journal_fact`` for each statement."""
    read = read_facts(text, spoken, heard)
    said = {
        "transcript": text,
        "recorded_at": format_instant(spoken.at),
        "utc_offset_min": spoken.utc_offset_min,
        "day": spoken.day.isoformat(),
        "source": source,
        "state": "kept",
        "language": read.language,
        "model": heard.model if heard else None,
        "model_sha256": heard.model_sha256 if heard else None,
        "audio_sha256": key if heard else None,
        "audio_s": round(heard.seconds, 2) if heard else None,
    }
    entry = FactDraft(member_id, ENTRY, key, said, known_at, basis, source)
    own = fact_drafts(
        member_id,
        key,
        read.facts,
        spoken.day,
        known_at=known_at,
        basis=basis,
        source=source,
        auto_accept=auto_accept,
    )
    statuses = tuple(str(draft.payload["status"]) for draft in own)
    kept = Entry(key, spoken.day, text, read.facts, statuses, language=read.language)
    return kept, [entry, *own]


def fact_drafts(
    member_id: str, key: str, facts: Iterable[JournalFact], day: date, *, known_at: datetime, basis: str, source: str,
    auto_accept: bool = True,
) -> list[FactDraft]:  # fmt: skip
    """Draft a note's facts for the record; without ``auto_accept`` each waits for the wearer's confirmation."""
    return [
        FactDraft(
            member_id,
            FACT,
            _fact_key(key, fact),
            _fact_payload(key, fact, day, auto_accept),
            known_at,
            basis,
            source,
        )
        for fact in facts
    ]


def text_key(day: date, text: str) -> str:
    """Key of a written note."""
    return hashlib.sha256(f"{day.isoformat()}\n{text.strip()}".encode()).hexdigest()


def entry_keys(store: Store, member_id: str) -> set[str]:
    """Keys of every note kept."""
    return set(store.record.latest(ENTRY, member_id))


def _fact_key(entry_key: str, fact: JournalFact) -> str:
    parts = [
        entry_key[:24],
        fact.behaviour,
        f"{fact.day_shift:+d}" if fact.day_shift else "",
        "plan" if fact.is_plan else "",
    ]
    return ":".join(part for part in parts if part)


def _fact_payload(entry_key: str, fact: JournalFact, day: date, auto_accept: bool) -> dict[str, Any]:
    about = day + timedelta(days=fact.day_shift)
    return {
        "entry_key": entry_key,
        "day": about.isoformat(),
        "night": (about + timedelta(days=1)).isoformat(),
        "behaviour": fact.behaviour,
        "kind": fact.kind,
        "amount": fact.amount,
        "unit": fact.unit,
        "clock_time": fact.clock_time,
        "is_plan": fact.is_plan,
        "quote": fact.quote,
        "confidence": fact.confidence,
        "status": fact.status if auto_accept else "draft",
        "rule": fact.rule,
    }
