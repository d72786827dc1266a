"""What an import did, as values: rows, facts, and every row that could not be used."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["FileReport", "ImportReport", "JournalReport", "RowError"]

_SHOWN = 20
"""Unknown questions that are shown by text; ``--json`` has them all."""


@dataclass(frozen=True)
class RowError:
    """A row that was not imported, and why (expected, came)."""

    file: str
    line: int
    message: str


@dataclass
class FileReport:
    """One CSV file of the export: ``rows`` is the sum of ``new`` … ``left_out`` and the errors, so that no row is lost.

    Attributes
    ----------
    rows : int
        Data rows in the file, good and bad.
    new, changed, already_known : int
        Rows that told something unheard of, something else than before, nothing else.
    kept_newer : int
        Rows of an older export that say something else than the newer one, which stands.
    duplicates : int
        Rows that repeat another row of the file (a journal question: that answer it again).
    left_out : int
        Answers to questions that the wearer leaves out; not recorded.
    facts_written : int
        New revisions in the record; a closed cycle makes two.
    """

    name: str
    kind: str
    language: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    already_known: int = 0
    kept_newer: int = 0
    duplicates: int = 0
    left_out: int = 0
    facts_written: int = 0
    errors: list[RowError] = field(default_factory=list)

    def line(self) -> str:
        """The file in one line for a person."""
        counts = [(self.new, "new"), (self.changed, "changed"), (self.already_known, "known already"),
                  (self.kept_newer, "older than what is held"), (self.duplicates, "repeated"),
                  (self.left_out, "left out"), (len(self.errors), "not usable")]  # fmt: skip
        told = ", ".join(f"{count} {what}" for count, what in counts if count) or "none"
        return f"{self.kind}: {self.rows} rows ({self.language}): {told}; {self.facts_written} facts written"


@dataclass
class JournalReport:
    """The journal's questions: answers by known behaviour, by unknown question (kept aside, shown), private ones."""

    known: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    private: int = 0

    def lines(self) -> list[str]:
        """What a person is told; a private question is counted and never named."""
        if not (self.known or self.unknown or self.private):
            return []
        lines = [f"journal: {sum(self.known.values())} answers about {len(self.known)} behaviours"]
        if self.private:
            lines[0] += f", {self.private} answers to private questions kept out of the facts"
        if self.unknown:
            shown = [f"{question!r} ({count})" for question, count in list(self.unknown.items())[:_SHOWN]]
            rest = len(self.unknown) - len(shown)
            lines.append(
                f"{_questions(len(self.unknown))} not known; {sum(self.unknown.values())} answers to them are kept as "
                f"they are and not used: {'; '.join(shown)}{f'; and {rest} more' if rest > 0 else ''}."
            )
        return lines


@dataclass
class ImportReport:
    """The whole import.

    Attributes
    ----------
    nights : int
        Cycles whose night is usable (HRV present and their own).
    nap_overwritten : int
        Cycles whose night columns are a nap's (whoop_export.md 6.1): their HRV is not used.
    repaired_sleep, repaired_hrv : int
        Of these, cycles whose sleep was taken from the sleeps file, and whose HRV the API has told.
    night_copied : int
        Cycles that repeat another cycle's night: they count as nights without sleep.
    first_night, last_night : str or None
        Wake days, ISO dates.
    """

    member_id: str
    files: list[FileReport] = field(default_factory=list)
    journal: JournalReport = field(default_factory=JournalReport)
    cycles: int = 0
    nights: int = 0
    nap_overwritten: int = 0
    repaired_sleep: int = 0
    repaired_hrv: int = 0
    night_copied: int = 0
    no_sleep: int = 0
    first_night: str | None = None
    last_night: str | None = None
    ignored_files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def facts_written(self) -> int:
        """New revisions in the record, over all files."""
        return sum(file.facts_written for file in self.files)

    @property
    def errors(self) -> list[RowError]:
        """Every row that was not imported."""
        return [error for file in self.files for error in file.errors]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return {**asdict(self), "facts_written": self.facts_written, "row_errors": len(self.errors)}

    def text(self) -> str:
        """The report as a few lines for a person."""
        lines = [file.line() for file in self.files]
        if self.cycles:
            span = f", {self.first_night} to {self.last_night}" if self.first_night else ""
            lines.append(
                f"{self.nights} usable nights of {self.cycles} cycles{span}; {self._overwritten()}"
                f"{self.night_copied} copies of another night, {self.no_sleep} without sleep."
            )
        lines += self.journal.lines()
        lines += self.notes
        shown = self.errors[:10]
        lines += [f"{error.file} line {error.line}: {error.message}" for error in shown]
        if len(self.errors) > len(shown):
            lines.append(f"… and {len(self.errors) - len(shown)} more rows like these.")
        return "\n".join(lines)

    def _overwritten(self) -> str:
        if not self.nap_overwritten:
            return "0 overwritten by a nap, "
        return (
            f"{self.nap_overwritten} overwritten by a nap (their HRV is not used; sleep of {self.repaired_sleep} "
            f"mended from the sleeps file, HRV of {self.repaired_hrv} from the API), "
        )


def _questions(count: int) -> str:
    return "1 question is" if count == 1 else f"{count} questions are"
