"""Typed rows of one file -> drafts of facts, against what the record already holds.

A closed cycle becomes two revisions, as life would have shown them: its night after waking, the whole row when the
cycle ended. ``Cycle end time`` is kept with the cycle only: repeated in the other files it would tell the next sleep's
onset to whoever reads tonight's row, and make every row change when its cycle closes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hrv_shared.record import SEEN, Fact, FactDraft
from whoop_api_client.export import cells
from whoop_api_client.export.closing import CLOSED_INFERRED, Closing
from whoop_api_client.export.held import Held
from whoop_api_client.export.known_at import AFTER_WAKING, Learned, learned
from whoop_api_client.export.nights import COPIED, NONE, whose_night
from whoop_api_client.export.rows import ExportRow

__all__ = ["SOURCE", "Drafting"]

SOURCE = "whoop-export"
_DAYTIME = (
    "Cycle end time",
    CLOSED_INFERRED,
    "Day Strain",
    "Energy burned (cal)",
    "Max HR (bpm)",
    "Average HR (bpm)",
)


@dataclass(frozen=True)
class Drafting:
    """One import's view: for whom, when, and whether the record has seen a newer export already."""

    member_id: str
    now: datetime
    is_older: bool = False

    def cycle(self, row: ExportRow, closing: Closing, held: Held) -> list[FactDraft]:
        """Draft the revisions of a cycles row."""
        whole = dict(row.raw)
        if closing.inferred_text:
            whole[CLOSED_INFERRED] = closing.inferred_text
        key = held.key(row.cycle_start_at)
        before = held.facts.get(key)
        at_end = learned(closing.at, closing.rule, self.now)
        if before is not None:
            when = at_end if _only_closes(before.payload, whole) else Learned(self.now, SEEN)
            return self._revision("export_cycle", key, whole, before, when)
        if held.covers(row.cycle_start_at):
            return [self._draft("export_cycle", key, whole, Learned(self.now, SEEN))]
        if whose_night(row.cycle_start_at, row.start_at) in (NONE, COPIED):
            return [self._draft("export_cycle", key, whole, at_end)]
        woken = learned(row.end_at + AFTER_WAKING, "wake+30min", self.now)
        night = _night_block(whole)
        if night == whole:
            return [self._draft("export_cycle", key, whole, woken)]
        drafts = [self._draft("export_cycle", key, whole, at_end)]
        if woken.known_at < at_end.known_at:
            drafts.insert(0, self._draft("export_cycle", key, night, woken))
        return drafts

    def activity(self, kind: str, at: datetime, complete_at: datetime, rule: str, raw: dict[str, str],
                 held: Held, suffix: str = "") -> list[FactDraft]:  # fmt: skip
        """Draft a sleep or workout that starts at ``at`` and was complete at ``complete_at``."""
        return self._simple(kind, held.key(at) + suffix, raw, held, at, learned(complete_at, rule, self.now))

    def answer(self, key: str, row: ExportRow, raw: dict[str, str], held: Held, complete_at: datetime,
               rule: str) -> list[FactDraft]:  # fmt: skip
        """Draft a journal answer; ``held`` finds by the cycle's instant, the key adds the question."""
        return self._simple(
            "export_journal", key, raw, held, row.cycle_start_at, learned(complete_at, rule, self.now)
        )

    def _simple(
        self, kind: str, key: str, raw: dict[str, str], held: Held, at: datetime, when: Learned
    ) -> list[FactDraft]:
        payload = {column: text for column, text in raw.items() if column != "Cycle end time"}
        before = held.facts.get(key)
        if before is not None:
            return self._revision(kind, key, payload, before, Learned(self.now, SEEN))
        if held.covers(at):
            when = Learned(self.now, SEEN)
        return [self._draft(kind, key, payload, when)]

    def _revision(
        self, kind: str, key: str, payload: dict[str, str], before: Fact, when: Learned
    ) -> list[FactDraft]:
        if self.is_older or cells.same(before.payload, payload):
            return []
        return [self._draft(kind, key, payload, when.not_before(before.known_at))]

    def _draft(self, kind: str, key: str, payload: dict[str, str], when: Learned) -> FactDraft:
        return FactDraft(self.member_id, kind, key, payload, when.known_at, when.basis, SOURCE)


def _night_block(whole: dict[str, str]) -> dict[str, str]:
    """The row as it stood after waking: nothing of the day that follows."""
    return {c: "" if c in _DAYTIME else text for c, text in whole.items() if c != CLOSED_INFERRED}


def _only_closes(before: dict[str, str], whole: dict[str, str]) -> bool:
    """Whether the held row was open and its night is still the same: then nothing but time has passed."""
    was_open = not before.get("Cycle end time") and not before.get(CLOSED_INFERRED)
    is_closed = bool(whole.get("Cycle end time") or whole.get(CLOSED_INFERRED))
    return was_open and is_closed and cells.same(_night_block(before), _night_block(whole))
