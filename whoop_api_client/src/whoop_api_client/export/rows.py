"""One CSV file of the export -> typed rows; a bad row becomes an error value and the good rows travel on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from whoop_api_client.export import cells
from whoop_api_client.export.errors import DamagedExport
from whoop_api_client.export.headers import Header, read_header
from whoop_api_client.export.report import RowError

__all__ = ["ExportRow", "ParsedFile", "parse"]

EARLIEST, LATEST = datetime(2012, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST = {"cycle": timedelta(days=14), "sleep": timedelta(hours=48), "workout": timedelta(hours=48)}


@dataclass(frozen=True)
class ExportRow:
    """A readable row; all instants are UTC.

    Attributes
    ----------
    cycle_start_at, cycle_end_at : datetime
        Of the row's cycle; no end while the cycle is open.
    start_at, end_at : datetime or None
        Cycles and sleeps: sleep onset and waking. Workouts: begin and end. Journal: None.
    raw : dict of str to str
        English column name -> text as it came.
    """

    line: int
    cycle_start_at: datetime
    cycle_end_at: datetime | None
    utc_offset_min: int
    start_at: datetime | None
    end_at: datetime | None
    raw: dict[str, str]


@dataclass
class ParsedFile:
    """A recognised file, its rows in file order, and what was wrong with the others."""

    name: str
    header: Header
    rows: list[ExportRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parse(name: str, data: bytes, *, latest: datetime = LATEST) -> ParsedFile | None:
    """Read a CSV file; None when its header is not one of a WHOOP export.

    Parameters
    ----------
    latest : datetime
        A row that begins or ends after it is an error: nobody can have lived it yet.

    Raises
    ------
    DamagedExport
        Not UTF-8, not CSV, columns missing, or rewritten by a spreadsheet program.
    """
    lines = _lines(name, data)
    first = next(lines, None)
    header = read_header(first[1], name) if first else None
    if header is None:
        return None
    parsed = ParsedFile(name, header)
    if data.startswith(b"\xef\xbb\xbf") or b"\r\n" in data[:4096]:
        parsed.notes.append(
            f"{name} was saved again by another program (BOM or CRLF); its values were still readable."
        )
    damaged: list[str] = []
    decimals = False
    for line, values in lines:
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header.columns):
            message = f"expected {len(header.columns)} cells, got {len(values)}"
            parsed.errors.append(RowError(name, line, message))
            continue
        raw = dict(zip(header.columns, values, strict=True))
        if trace := cells.damage(raw):
            damaged.append(trace)
        decimals = decimals or any(raw.get(column, "").endswith(".0") for column in _WHOLE)
        try:
            row = _row(header.kind, line, raw)
            _lived(row, latest)
            parsed.rows.append(row)
        except ValueError as error:
            parsed.errors.append(RowError(name, line, str(error)))
    if decimals:
        parsed.notes.append(f"{name}: whole numbers are written 72.0 instead of 72; they were read as 72.")
    if header.is_by_place:
        if not parsed.rows:
            return None
        parsed.notes.append(
            f"{name}: question, answer and notes were taken by their place; their headers are not known."
        )
    _refuse_if_damaged(parsed, damaged)
    return parsed


def _lines(name: str, data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DamagedExport(
            f"{name}: expected UTF-8 text, got another encoding. A spreadsheet program has saved this file; "
            "take the original out of WHOOP's ZIP."
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            yield reader.line_num, values
    except csv.Error as error:
        raise DamagedExport(
            f"{name} line {reader.line_num}: expected comma-separated values ({error}). "
            "The file may be cut off; download the export again."
        ) from error


def _refuse_if_damaged(parsed: ParsedFile, damaged: list[str]) -> None:
    total = len(parsed.rows) + len(parsed.errors)
    if total and len(damaged) * 2 >= total:
        raise DamagedExport(
            f"{parsed.name}: expected {damaged[0]}. A spreadsheet program has rewritten {len(damaged)} of "
            f"{total} rows; take the original out of WHOOP's ZIP (opening it is harmless, saving it is not)."
        )
    if total and not parsed.rows:
        first = parsed.errors[0]
        raise DamagedExport(
            f"{parsed.name}: none of its {total} rows can be read; line {first.line}: {first.message}. "
            "Import the export as WHOOP sent it."
        )


def _row(kind: str, line: int, raw: dict[str, str]) -> ExportRow:
    offset = cells.offset_min(raw)
    if offset is None and kind != "journal":
        raise ValueError("Cycle timezone: expected an offset such as UTC-05:00 or UTCZ, got nothing")
    local = (
        offset or 0
    )  # a journal row without an offset is matched to its cycle by the wall time (see journal_rows)
    start_at = cells.stamp(raw, "Cycle start time", local)
    if start_at is None:
        raise ValueError("Cycle start time: expected a time, got nothing")
    cycle_end_at = cells.stamp(raw, "Cycle end time", local)
    _ordered("cycle", start_at, cycle_end_at)
    begin, end = _own_times(kind, raw, local)
    for column in _NUMBERS.get(kind, ()):
        cells.number(raw, column)
    for column in _ANSWERS.get(kind, ()):
        if cells.yes_no(raw, column) is None and column in raw and column != "GPS enabled":
            raise ValueError(f"{column}: expected true or false, got nothing")
    if kind == "journal" and not raw["Question text"].strip():
        raise ValueError("Question text: expected a question, got nothing")
    return ExportRow(line, start_at, cycle_end_at, local, begin, end, raw)


def _own_times(kind: str, raw: dict[str, str], offset: int) -> tuple[datetime | None, datetime | None]:
    """Begin and end of the sleep or workout of a row; cycles may lack both, never one of them."""
    if kind == "journal":
        return None, None
    what = "workout" if kind == "workouts" else "sleep"
    columns = (
        ("Workout start time", "Workout end time") if kind == "workouts" else ("Sleep onset", "Wake onset")
    )
    begin, end = (cells.stamp(raw, column, offset) for column in columns)
    if (begin is None or end is None) and (kind != "cycles" or begin is not end):
        raise ValueError(
            f"{columns[0]}, {columns[1]}: expected both times, got {'one' if begin or end else 'none'}"
        )
    if begin is not None:
        _ordered(what, begin, end)
    return begin, end


def _lived(row: ExportRow, latest: datetime) -> None:
    """Refuse what lies in the future: a wrong date, or this machine's clock is wrong."""
    instants = (row.cycle_start_at, row.cycle_end_at, row.start_at, row.end_at)
    newest = max(instant for instant in instants if instant is not None)
    if newest > latest:
        raise ValueError(
            f"expected a past time, got {newest:%Y-%m-%d %H:%M} UTC; is this machine's clock right?"
        )


def _ordered(what: str, begin: datetime, end: datetime | None) -> None:
    if not EARLIEST <= begin < LATEST:
        raise ValueError(
            f"{what}: expected a start from {EARLIEST.year} to {LATEST.year}, got {begin:%Y-%m-%d}"
        )
    if end is not None and not begin <= end <= begin + _LONGEST[what]:
        hours = (end - begin).total_seconds() / 3600
        came = "it ends before it starts" if hours < 0 else f"it lasts {hours:.0f} hours"
        raise ValueError(f"{what}: expected an end after the start and a likely length, but {came}")


_WHOLE = (
    "Heart rate variability (ms)",
    "Resting heart rate (bpm)",
    "Asleep duration (min)",
    "Duration (min)",
)
"""Columns that WHOOP writes without decimals."""

_SLEEP_NUMBERS = (
    "Sleep performance %", "Respiratory rate (rpm)", "Asleep duration (min)", "In bed duration (min)",
    "Light sleep duration (min)", "Deep (SWS) duration (min)", "REM duration (min)", "Awake duration (min)",
    "Sleep need (min)", "Sleep debt (min)", "Sleep efficiency %", "Sleep consistency %",
)  # fmt: skip
_LOAD_NUMBERS = ("Energy burned (cal)", "Max HR (bpm)", "Average HR (bpm)")
_NUMBERS = {
    "cycles": (
        "Recovery score %", "Resting heart rate (bpm)", "Heart rate variability (ms)", "Skin temp (celsius)",
        "Blood oxygen %", "Day Strain", *_LOAD_NUMBERS, *_SLEEP_NUMBERS,
    ),
    "sleeps": _SLEEP_NUMBERS,
    "workouts": ("Duration (min)", "Activity Strain", *_LOAD_NUMBERS, *(f"HR Zone {n} %" for n in range(1, 6)),
                 "Distance (meters)", "Altitude gain (meters)", "Altitude change (meters)"),
}  # fmt: skip
_ANSWERS = {"sleeps": ("Nap",), "workouts": ("GPS enabled",), "journal": ("Answered yes",)}
