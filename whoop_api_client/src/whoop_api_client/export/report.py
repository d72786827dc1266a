"""What an import did, as values: rows, facts, and every row that could not be used."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["FileReport", "ImportReport", "RowError"]


@dataclass(frozen=True)
class RowError:
    """A row that was not imported, and why (expected, came)."""

    file: str
    line: int
    message: str


@dataclass
class FileReport:
    """One CSV file of the export.

    Attributes
    ----------
    rows : int
        Data rows in the file, good and bad.
    facts_written : int
        New revisions in the record.
    already_known : int
        Rows that said nothing new.
    """

    name: str
    kind: str
    language: str
    rows: int = 0
    facts_written: int = 0
    already_known: int = 0
    duplicates: int = 0
    errors: list[RowError] = field(default_factory=list)


@dataclass
class ImportReport:
    """The whole import.

    Attributes
    ----------
    nights : int
        Cycles whose night is usable (HRV present and their own).
    nap_overwritten : int
        Cycles whose night columns are a nap's (whoop_export.md 6.1): their HRV is not used.
    night_copied : int
        Cycles that repeat another cycle's night: they count as nights without sleep.
    first_night, last_night : str or None
        Wake days, ISO dates.
    """

    member_id: str
    files: list[FileReport] = field(default_factory=list)
    cycles: int = 0
    nights: int = 0
    nap_overwritten: int = 0
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
        lines = [
            f"{file.kind}: {file.rows} rows ({file.language}), {file.facts_written} facts written"
            + (f", {len(file.errors)} rows not usable" if file.errors else "")
            for file in self.files
        ]
        if self.cycles:
            span = f", {self.first_night} to {self.last_night}" if self.first_night else ""
            lines.append(
                f"{self.nights} usable nights of {self.cycles} cycles{span}; "
                f"{self.nap_overwritten} overwritten by a nap, {self.night_copied} copies of another night, "
                f"{self.no_sleep} without sleep."
            )
        lines += self.notes
        shown = self.errors[:10]
        lines += [f"{error.file} line {error.line}: {error.message}" for error in shown]
        if len(self.errors) > len(shown):
            lines.append(f"… and {len(self.errors) - len(shown)} more rows like these.")
        return "\n".join(lines)
