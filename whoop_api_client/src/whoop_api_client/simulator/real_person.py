"""A real person's account out of a flat table of cycles and recoveries (openly licensed; it stays outside the project).

Each row is a cycle with the recovery that opened it (`whoop.csv` of github.com/ald0405/whoop-data, MIT).
What the table lacks is derived by a stated rule or left null, never invented: a sleep starts with its
cycle and ends after its time in bed; awake time is what the stages leave over; ids are UUIDs made from
the table's integers. There are no workouts, sleep needs or body measures in it, so none are served.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from hrv_shared.daytime import parse_instant, parse_offset_min, wake_day
from whoop_api_client.simulator.errors import BadPersonFile
from whoop_api_client.simulator.world import Revision, Timeline, World, api_instant

__all__ = ["load_person"]

_NAMESPACE = UUID("6f6fd1c8-54b7-5c55-9e2b-0a1d5c3a1f10")
_USER_ID = 20_000_001
_MS_PER_TABLE_UNIT = 36_000
"""The columns ``total_*_time_hrs`` hold hundredths of an hour: x 0.6 = minutes."""
_REQUIRED = (
    "cycle_id created_ts_x updated_ts_x cycle_start_ts cycle_end_ts timezone_offset score_state_x score_strain "
    "score_kilojoule score_avg_heart_rate score_max_heart_rate sleep_id created_ts_y updated_ts_y score_state_y "
    "user_calibrating recovery_score resting_heart_rate hrv_rmssd_milli spo2_percentage skin_temp_celsius "
    "total_in_bed_time_hrs avg_sleep_performance total_light_sleep_time_hrs total_rem_sleep_time_hrs "
    "total_slow_wave_sleep_time_hrs avg_respiratory_rate"
).split()


def load_person(path: Path | str) -> World:
    """Read the table and lay it out as an account.

    Parameters
    ----------
    path : Path
        The CSV file, or the folder that holds ``whoop.csv``.

    Returns
    -------
    World
        Its ``default_now`` is 21:00 local on the last wake day, with that day's cycle still open.

    Raises
    ------
    BadPersonFile
        Missing, unreadable, without the columns, or with a value that is not what its column holds.
    """
    rows = sorted(_read_rows(Path(path)), key=lambda row: row.instant("cycle_start_ts"))
    seen: set[int] = set()
    timelines: list[Timeline] = []
    mapping: dict[int, str] = {}
    for position, row in enumerate(rows):
        cycle_id = row.integer("cycle_id")
        if cycle_id in seen:
            raise BadPersonFile(f"expected one row per cycle, got cycle {cycle_id} twice in {row.where}")
        seen.add(cycle_id)
        following = rows[position + 1] if position + 1 < len(rows) else None
        timelines.append(_cycle(row, following))
        sleep = _sleep(row)
        if sleep is None:
            continue
        timelines.append(sleep)
        if not row.blank("sleep_id"):
            mapping[row.integer("sleep_id")] = sleep.key
        if not row.blank("hrv_rmssd_milli"):
            timelines.append(_recovery(row, sleep))
    profile = {
        "user_id": _USER_ID,
        "email": "recorded-person@example.invalid",
        "first_name": "Recorded",
        "last_name": "Person",
    }
    return World(profile, {}, tuple(timelines), _evening_of_last_day(rows), mapping)


class _Row:
    """One line of the table with typed access that names line and column when a value is not in form."""

    def __init__(self, values: Mapping[str, str | None], where: str) -> None:
        self.values, self.where = values, where

    def blank(self, column: str) -> bool:
        return (self.values[column] or "").strip().lower() in ("", "nan", "nat", "none", "null")

    def number(self, column: str) -> float:
        return self._read(column, _finite, "a number")

    def number_or_none(self, column: str) -> float | None:
        return None if self.blank(column) else self.number(column)

    def integer(self, column: str) -> int:
        return self._read(column, _whole, "a whole number")

    def instant(self, column: str) -> datetime:
        return self._read(column, parse_instant, "an instant such as 2024-09-27 07:15:50+00:00")

    def offset(self) -> str:
        self._read("timezone_offset", parse_offset_min, "an offset such as +01:00 or Z")
        return self.values["timezone_offset"].strip()

    def _read(self, column: str, reader: Any, wanted: str) -> Any:
        text = (self.values[column] or "").strip()
        try:
            return reader(text)
        except ValueError:
            raise BadPersonFile(
                f"expected {wanted} in column {column} of {self.where}, got {text!r}; correct that cell"
            ) from None


def _read_rows(path: Path) -> list[_Row]:
    file = path / "whoop.csv" if path.is_dir() else path
    if not file.is_file():
        raise BadPersonFile(
            f"expected a table of cycles and recoveries at {file}, found nothing; give the path of a whoop.csv"
        )
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            header = reader.fieldnames or []
            absent = [column for column in _REQUIRED if column not in header]
            if absent:
                raise BadPersonFile(
                    f"expected the columns {', '.join(absent)} in {file.name}, but its header has only "
                    f"{len(header)} other names; give the whoop.csv of a whoop-data dump"
                )
            rows = []
            for values in reader:
                where = f"{file.name} line {reader.line_num}"
                if None in values or any(values[column] is None for column in _REQUIRED):
                    raise BadPersonFile(f"expected {len(header)} cells in {where}, got another number")
                rows.append(_Row(values, where))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadPersonFile(f"expected a readable UTF-8 CSV file at {file}, got: {error}") from error
    if not rows:
        raise BadPersonFile(f"expected at least one cycle in {file.name}, got a header alone")
    return rows


def _cycle(row: _Row, following: _Row | None) -> Timeline:
    """Open from creation, closed when the next cycle appeared, once more if the table has a later change."""
    created, updated = row.instant("created_ts_x"), row.instant("updated_ts_x")
    start = row.instant("cycle_start_ts")
    end = None if row.blank("cycle_end_ts") else row.instant("cycle_end_ts")
    closed = {
        "id": row.integer("cycle_id"),
        "user_id": _USER_ID,
        "created_at": api_instant(created),
        "updated_at": api_instant(updated),
        "start": api_instant(start),
        "end": api_instant(end) if end else None,
        "timezone_offset": row.offset(),
        "score_state": row.values["score_state_x"],
        "score": None
        if row.blank("score_strain")
        else {
            "strain": row.number("score_strain"),
            "kilojoule": row.number("score_kilojoule"),
            "average_heart_rate": row.integer("score_avg_heart_rate"),
            "max_heart_rate": row.integer("score_max_heart_rate"),
        },
    }
    if end is None or end <= created:
        revisions = (Revision(created, closed),)
    else:
        opening = closed | {"end": None, "updated_at": closed["created_at"]}
        begins = _sleep_end(row) or start
        known_closed_at = (
            max(end, updated) if following is None else max(created, end, following.instant("created_ts_x"))
        )
        closing = closed | {"updated_at": api_instant(known_closed_at)}
        revisions = (
            Revision(created, opening, grows_from=begins, grows_until=end),
            Revision(known_closed_at, closing),
        )
        if updated > known_closed_at:
            revisions += (Revision(updated, closed),)
    return Timeline("cycle", str(closed["id"]), start, revisions)


def _sleep(row: _Row) -> Timeline | None:
    end = _sleep_end(row)
    if end is None:
        return None
    start = row.instant("cycle_start_ts")
    suffix = "x" if row.blank("created_ts_y") else "y"
    # A cycle's own `updated` is its closing, a day later; without a recovery only `created` speaks of the sleep.
    created = row.instant(f"created_ts_{suffix}")
    updated = created if suffix == "x" else row.instant("updated_ts_y")
    name = f"cycle-{row.integer('cycle_id')}" if row.blank("sleep_id") else f"sleep-{row.integer('sleep_id')}"
    in_bed_ms = _table_ms(row, "total_in_bed_time_hrs")
    stages = {
        "total_light_sleep_time_milli": _table_ms(row, "total_light_sleep_time_hrs"),
        "total_slow_wave_sleep_time_milli": _table_ms(row, "total_slow_wave_sleep_time_hrs"),
        "total_rem_sleep_time_milli": _table_ms(row, "total_rem_sleep_time_hrs"),
    }
    awake_ms = in_bed_ms - sum(stages.values())
    if awake_ms < -60_000:
        raise BadPersonFile(
            f"expected sleep stages within the time in bed in {row.where}, got {-awake_ms} ms more"
        )
    payload = {
        "id": str(uuid5(_NAMESPACE, name)),
        "cycle_id": row.integer("cycle_id"),
        "v1_id": None,
        "user_id": _USER_ID,
        "created_at": api_instant(created),
        "updated_at": api_instant(updated),
        "start": api_instant(start),
        "end": api_instant(end),
        "timezone_offset": row.offset(),
        "nap": False,
        "score_state": "SCORED",
        "score": {
            "stage_summary": {
                "total_in_bed_time_milli": in_bed_ms,
                "total_awake_time_milli": max(awake_ms, 0),
                "total_no_data_time_milli": 0,
                **stages,
                "sleep_cycle_count": None,
                "disturbance_count": None,
            },
            "sleep_needed": None,
            "respiratory_rate": row.number_or_none("avg_respiratory_rate"),
            "sleep_performance_percentage": row.number_or_none("avg_sleep_performance"),
            "sleep_consistency_percentage": None,
            "sleep_efficiency_percentage": round(100 * (1 - max(awake_ms, 0) / in_bed_ms), 4),
        },
    }
    return Timeline("sleep", payload["id"], start, (Revision(max(created, updated), payload),))


def _recovery(row: _Row, sleep: Timeline) -> Timeline:
    """Served from its last change on: what it read before is not in the table."""
    created, updated = row.instant("created_ts_y"), row.instant("updated_ts_y")
    payload = {
        "cycle_id": row.integer("cycle_id"),
        "sleep_id": sleep.key,
        "user_id": _USER_ID,
        "created_at": api_instant(created),
        "updated_at": api_instant(updated),
        "score_state": row.values["score_state_y"],
        "score": {
            "user_calibrating": row.values["user_calibrating"].strip().lower() == "true",
            "recovery_score": row.number("recovery_score"),
            "resting_heart_rate": row.number("resting_heart_rate"),
            "hrv_rmssd_milli": row.number("hrv_rmssd_milli"),
            "spo2_percentage": row.number_or_none("spo2_percentage"),
            "skin_temp_celsius": row.number_or_none("skin_temp_celsius"),
        },
    }
    revision = Revision(max(created, updated), payload)
    return Timeline("recovery", str(payload["cycle_id"]), sleep.sort_at, (revision,))


def _sleep_end(row: _Row) -> datetime | None:
    """Start plus time in bed, inside its cycle; None without a sleep."""
    if row.blank("total_in_bed_time_hrs"):
        return None
    in_bed_ms = _table_ms(row, "total_in_bed_time_hrs")
    if in_bed_ms <= 0:
        raise BadPersonFile(f"expected a time in bed above zero in {row.where}, got {in_bed_ms} ms")
    end = row.instant("cycle_start_ts") + timedelta(milliseconds=in_bed_ms)
    return end if row.blank("cycle_end_ts") else min(end, row.instant("cycle_end_ts"))


def _evening_of_last_day(rows: list[_Row]) -> datetime:
    for row in reversed(rows):
        wake_at = _sleep_end(row)
        if wake_at is None:
            continue
        offset_min = parse_offset_min(row.offset())
        day = wake_day(wake_at, offset_min)
        evening = datetime.combine(day, time(21), tzinfo=UTC) - timedelta(minutes=offset_min)
        return max(evening, row.instant("created_ts_x") + timedelta(hours=1))
    raise BadPersonFile("expected at least one cycle with a sleep, got none; give a table with recoveries")


def _table_ms(row: _Row, column: str) -> int:
    return round(row.number(column) * _MS_PER_TABLE_UNIT)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _whole(text: str) -> int:
    value = _finite(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)
