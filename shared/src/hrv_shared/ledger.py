"""The forecast ledger: what was said, by whom, before the night; and what came true.

Rows only grow (by trigger too) and are chained: each row's hash covers its content and the hash before it, one chain a
book (``live``, ``replay``) and one for the outcomes. ``ledger.head`` beside the database holds each chain's length and
last hash as of the last write, so that rows dropped from the end are found as well. The chain shows that a row was
changed, dropped, reordered or backdated; it cannot stop somebody who rewrites the whole chain and the head.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.clock import Clock, system_clock
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS, SETTLE_HOURS, SLOTS
from hrv_shared.database import Connection, connect, transaction
from hrv_shared.daytime import format_instant, night_begins_latest, parse_instant
from hrv_shared.errors import ClockBehind, InvalidForecast, NightHasBegun
from hrv_shared.postgres import PostgresPlace
from hrv_shared.record import canonical_json
from hrv_shared.schemas import INSTANT
from hrv_shared.store import write_bytes_atomic

__all__ = ["BOOKS", "ForecastRow", "IssueResult", "Ledger", "LedgerFault", "verify_chains"]

BOOKS = ("live", "replay")
GENESIS = "0" * 64

FORECAST_FIELDS = (
    "book", "n", "member_id", "slot", "as_of", "issued_at", "recorded_at", "origin_day", "target_day", "horizon",
    "forecaster", "version", "quantiles_ms", "input_digest", "reasons",
)  # fmt: skip
OUTCOME_FIELDS = (
    "n", "member_id", "day", "revision", "hrv_rmssd_ms", "night_began_at", "known_at", "recorded_at",
)  # fmt: skip


@dataclass(frozen=True)
class ForecastRow:
    """One forecaster's word on one night.

    Attributes
    ----------
    as_of : datetime
        Nothing known later went into it.
    quantiles_ms : tuple of 23 floats
        RMSSD at ``QUANTILE_LEVELS``, ms.
    input_digest : str
        Digest of what it was computed from; equal inputs and version give equal quantiles.
    reasons : dict, optional
        What the forecaster says in its defence.
    """

    member_id: str
    slot: str
    as_of: datetime
    origin_day: date
    target_day: date
    horizon: int
    forecaster: str
    version: str
    quantiles_ms: tuple[float, ...]
    input_digest: str
    reasons: dict[str, Any] | None = None


@dataclass(frozen=True)
class IssueResult:
    """How many rows were written, and how many had been issued before (those stay as they were)."""

    written: int
    already: int


@dataclass(frozen=True)
class LedgerFault:
    """A row that is not what was written."""

    chain: str
    n: int
    what: str


class Ledger:
    """The ledger of one store, safe for several processes at a time."""

    def __init__(self, place: Path | PostgresPlace, *, head_file: Path, clock: Clock = system_clock) -> None:
        self._connection = connect(place)
        self._head_file = head_file
        self._clock = clock

    def issue(self, book: str, rows: Iterable[ForecastRow], *, utc_offset_min: int = 0) -> IssueResult:
        """Write forecasts; durable when it returns. A slot already issued is kept as it was.

        Parameters
        ----------
        utc_offset_min : int
            The wearer's offset, by which a night counts as begun (04:00 local at the latest).

        Raises
        ------
        InvalidForecast, NightHasBegun, ClockBehind
            Nothing of ``rows`` is written then.
        """
        rows = list(rows)
        for row in rows:
            _check(book, row)
        with transaction(self._connection):
            now = self._clock()
            tip, n, last_issued = self._tip(book)
            written = 0
            for row in rows:
                if self._is_issued(book, row):
                    continue
                issued_at = now if book == "live" else row.as_of
                if book == "live":
                    self._refuse_late(row, now, last_issued, utc_offset_min)
                n += 1
                values = (
                    book, n, row.member_id, row.slot, format_instant(row.as_of), format_instant(issued_at),
                    format_instant(now), row.origin_day.isoformat(), row.target_day.isoformat(), row.horizon,
                    row.forecaster, row.version, canonical_json([float(q) for q in row.quantiles_ms]), row.input_digest,
                    None if row.reasons is None else canonical_json(row.reasons),
                )  # fmt: skip
                link = _link(tip, FORECAST_FIELDS, values)
                self._connection.execute(
                    f"INSERT INTO forecast VALUES ({', '.join('?' * (len(values) + 2))})",
                    (*values, tip, link),
                )
                tip = link
                written += 1
        self._write_head()
        return IssueResult(written, len(rows) - written)

    def record_outcomes(self, days: pl.DataFrame) -> int:
        """Enter what came true, from the vintages of ``days``; returns how many rows were new.

        Rule: the first scored value of a night, replaced while ``known_at`` is within 36 h of waking, then settled.
        """
        scored = days.filter(pl.col("state") == "scored", pl.col("hrv_rmssd_ms") > 0).sort(
            "member_id", "day", "known_at"
        )
        with transaction(self._connection):
            held = {
                (m, d): (revision, value, known_at)
                for m, d, revision, value, known_at in self._connection.execute(
                    "SELECT member_id, day, revision, hrv_rmssd_ms, known_at FROM outcome ORDER BY revision"
                )
            }
            row = self._connection.execute("SELECT n, hash FROM outcome ORDER BY n DESC LIMIT 1").fetchone()
            n, tip = row or (0, GENESIS)
            now, new = format_instant(self._clock()), 0
            columns = ("member_id", "day", "hrv_rmssd_ms", "sleep_onset_at", "wake_at", "known_at")
            for member_id, day, value, onset, wake, known_at in scored.select(columns).iter_rows():
                before = held.get((member_id, day.isoformat()))
                if before is not None:
                    settled = wake is not None and known_at > wake + timedelta(hours=SETTLE_HOURS)
                    if settled or before[1] == value or format_instant(known_at) <= before[2]:
                        continue
                n, new, revision = n + 1, new + 1, 1 if before is None else before[0] + 1
                values = (
                    n, member_id, day.isoformat(), revision, float(value),
                    None if onset is None else format_instant(onset), format_instant(known_at), now,
                )  # fmt: skip
                link = _link(tip, OUTCOME_FIELDS, values)
                self._connection.execute(
                    "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, tip, link)
                )
                held[member_id, day.isoformat()] = (revision, value, format_instant(known_at))
                tip = link
        self._write_head()
        return new

    def forecasts(
        self,
        book: str | None = None,
        member_id: str | None = None,
        *,
        forecaster: str | None = None,
        slot: str | None = None,
        origin_day: date | None = None,
        since: date | None = None,
    ) -> pl.DataFrame:
        """Rows of the ledger, oldest first; ``quantiles_ms`` is a list of 23 floats, ``reasons`` JSON text.

        ``since`` leaves out earlier origin days, so that a look at the last weeks does not read years.
        """
        wanted = {"book": book, "member_id": member_id, "forecaster": forecaster, "slot": slot}
        wanted["origin_day"] = None if origin_day is None else origin_day.isoformat()
        asked = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join([*(f"{name} = ?" for name in asked), "origin_day >= ?"])
        query = f"SELECT {', '.join(FORECAST_FIELDS)}, hash FROM forecast WHERE {where} ORDER BY book, n"
        earliest = "" if since is None else since.isoformat()
        rows = self._connection.execute(query, [*asked.values(), earliest]).fetchall()
        text = dict.fromkeys((*FORECAST_FIELDS, "hash"), pl.String) | {"n": pl.Int64, "horizon": pl.Int32}
        frame = pl.DataFrame(rows, schema=text, orient="row")
        return frame.with_columns(
            _instant("as_of"), _instant("issued_at"), _instant("recorded_at"),
            pl.col("origin_day").str.to_date(), pl.col("target_day").str.to_date(),
            pl.col("quantiles_ms").str.json_decode(pl.List(pl.Float64)),
        )  # fmt: skip

    def issued_slots(self, member_id: str, forecaster: str, since: date) -> set[tuple[date, str]]:
        """Origin day and slot of every live forecast of one forecaster, from a day on."""
        query = (
            "SELECT DISTINCT origin_day, slot FROM forecast WHERE book = 'live' AND member_id = ? AND slot = ?"
            " AND origin_day >= ? AND forecaster = ?"
        )
        return {
            (date.fromisoformat(day), slot)
            for wanted in SLOTS
            for day, slot in self._connection.execute(
                query, (member_id, wanted, since.isoformat(), forecaster)
            )
        }

    def last_issued_at(self) -> datetime | None:
        """When the last live forecast was issued; nothing can be issued before it any more."""
        last = self._tip("live")[2]
        return None if last is None else parse_instant(last)

    def outcomes(self, member_id: str | None = None, as_of: datetime | None = None) -> pl.DataFrame:
        """What came true, as known at ``as_of``: one row a night, its latest revision by then."""
        query, values = f"SELECT {', '.join(OUTCOME_FIELDS)} FROM outcome WHERE 1 = 1", []
        if member_id is not None:
            query, values = query + " AND member_id = ?", [member_id]
        if as_of is not None:
            query, values = query + " AND known_at <= ?", [*values, format_instant(as_of)]
        rows = self._connection.execute(query + " ORDER BY n", values).fetchall()
        types = dict.fromkeys(OUTCOME_FIELDS, pl.String) | {"n": pl.Int64, "revision": pl.Int32}
        frame = pl.DataFrame(rows, schema=types | {"hrv_rmssd_ms": pl.Float64}, orient="row")
        return (
            frame.with_columns(pl.col("day").str.to_date(), _instant("night_began_at"), _instant("known_at"))
            .drop("n", "recorded_at")
            .unique(["member_id", "day"], keep="last", maintain_order=True)
            .sort("member_id", "day")
        )

    def verify(self) -> list[LedgerFault]:
        """Every row that was changed, dropped, reordered or backdated; an empty list means a sound ledger."""
        try:
            head = json.loads(self._head_file.read_text())
        except FileNotFoundError:
            head = {}
        except (json.JSONDecodeError, UnicodeDecodeError):
            return [LedgerFault("head", 0, f"{self._head_file.name} is not readable")]
        return verify_chains(self._connection, head)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _is_issued(self, book: str, row: ForecastRow) -> bool:
        query = (
            "SELECT 1 FROM forecast WHERE book = ? AND member_id = ? AND slot = ? AND origin_day = ?"
            " AND forecaster = ? AND horizon = ?"
        )
        values = [book, row.member_id, row.slot, row.origin_day.isoformat(), row.forecaster, row.horizon]
        if book == "replay":
            query, values = query + " AND version = ?", [*values, row.version]
        return self._connection.execute(query, values).fetchone() is not None

    def _tip(self, book: str) -> tuple[str, int, str | None]:
        row = self._connection.execute(
            "SELECT hash, n, issued_at FROM forecast WHERE book = ? ORDER BY n DESC LIMIT 1", (book,)
        ).fetchone()
        return row or (GENESIS, 0, None)

    def _refuse_late(
        self, row: ForecastRow, now: datetime, last_issued: str | None, utc_offset_min: int
    ) -> None:
        if last_issued is not None and format_instant(now) < last_issued:
            raise ClockBehind(
                f"The clock says {format_instant(now)}, but the last forecast was issued at {last_issued}. "
                "Set the clock right; no forecast is backdated."
            )
        if row.as_of > now:
            raise InvalidForecast(
                f"A live forecast can't know what comes after now ({now}); its as_of is {row.as_of}."
            )
        known = self._connection.execute(
            "SELECT night_began_at FROM outcome WHERE member_id = ? AND day = ? ORDER BY revision DESC LIMIT 1",
            (row.member_id, row.target_day.isoformat()),
        ).fetchone()
        if known is not None or now >= night_begins_latest(row.target_day, utc_offset_min):
            raise NightHasBegun(
                f"The night of {row.target_day} has begun; a forecast of it must be issued before 04:00 local time "
                "and before its value is known. Ask for the next day, or replay this one: hrv replay"
            )

    def _write_head(self) -> None:
        head = {}
        for chain, table, where in _CHAINS:
            row = self._connection.execute(
                f"SELECT n, hash FROM {table} WHERE {where} ORDER BY n DESC LIMIT 1"
            ).fetchone()
            head[chain] = {"n": row[0], "hash": row[1]} if row else {"n": 0, "hash": GENESIS}
        write_bytes_atomic(self._head_file, canonical_json(head).encode())


_CHAINS = (
    ("live", "forecast", "book = 'live'"),
    ("replay", "forecast", "book = 'replay'"),
    ("outcome", "outcome", "1 = 1"),
)


def verify_chains(connection: Connection, head: dict[str, Any]) -> list[LedgerFault]:
    """Walk every chain and hold it against the head; returns the faults."""
    faults = []
    for chain, table, where in _CHAINS:
        fields = FORECAST_FIELDS if table == "forecast" else OUTCOME_FIELDS
        query = f"SELECT {', '.join(fields)}, prev_hash, hash FROM {table} WHERE {where} ORDER BY n"
        tip, expected, last_issued = GENESIS, 1, ""
        anchor = head.get(chain, {"n": 0, "hash": GENESIS})
        hashes = {0: GENESIS}
        for *values, prev_hash, link in connection.execute(query):
            row = dict(zip(fields, values, strict=True))
            n = row["n"]
            if n != expected:
                faults.append(LedgerFault(chain, n, f"row {expected} is missing"))
            if prev_hash != tip:
                faults.append(LedgerFault(chain, n, "does not follow the row before it"))
            if link != _link(prev_hash, fields, values):
                faults.append(LedgerFault(chain, n, "content is not what was written"))
            if chain == "live" and not last_issued <= row["issued_at"] == row["recorded_at"]:
                faults.append(LedgerFault(chain, n, "is backdated"))
            tip, expected, last_issued = link, n + 1, row.get("issued_at", "")
            hashes[n] = link
        if hashes.get(anchor["n"]) != anchor["hash"]:
            faults.append(
                LedgerFault(chain, anchor["n"], f"the head knows {anchor['n']} rows that end otherwise")
            )
    return faults


def _check(book: str, row: ForecastRow) -> None:
    if book not in BOOKS:
        raise InvalidForecast(f"Expected one of the books {BOOKS}, got {book!r}.")
    if row.slot not in SLOTS or row.horizon not in HORIZONS:
        raise InvalidForecast(
            f"Expected a slot of {SLOTS} and a horizon of 1 … 7, got {row.slot!r}, {row.horizon!r}."
        )
    if row.target_day != row.origin_day + timedelta(days=row.horizon):
        raise InvalidForecast(f"Horizon {row.horizon} of {row.origin_day} is not {row.target_day}.")
    quantiles = np.asarray(row.quantiles_ms, dtype=float)
    if quantiles.shape != (len(QUANTILE_LEVELS),) or not np.isfinite(quantiles).all():
        raise InvalidForecast(
            f"{row.forecaster}: expected 23 finite quantiles, got {_shorten(row.quantiles_ms)}."
        )
    if quantiles[0] <= 0 or (np.diff(quantiles) < 0).any():
        raise InvalidForecast(
            f"{row.forecaster}: quantiles must be positive and rise, got {_shorten(row.quantiles_ms)}."
        )


def _shorten(values: Sequence[float]) -> str:
    return f"{len(values)} values {[round(float(v), 1) for v in values][:23]}"


def _link(prev_hash: str, fields: Sequence[str], values: Sequence[Any]) -> str:
    content = canonical_json({"prev_hash": prev_hash, **dict(zip(fields, values, strict=True))})
    return hashlib.sha256(content.encode()).hexdigest()


def _instant(name: str) -> pl.Expr:
    return (
        pl.col(name)
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us")
        .dt.replace_time_zone("UTC")
        .cast(INSTANT)
    )
