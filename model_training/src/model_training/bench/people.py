"""People of a benchmark table, as histories of the same form as the product's.

The table has one row a person and wake day (columns: ``hrv bench forecast --help`` and the benchmark page). An evening
forecast of D+1 may use every column of rows up to D; a morning one the night columns of D and everything before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hrv_shared.constants import RMSSD_PLAUSIBLE_MS
from hrv_shared.history import History, make_history
from hrv_shared.schemas import TABLES
from model_training.bench.errors import BadTable
from model_training.day_grid import DayGrid, day_grid

__all__ = ["LEAST_NIGHTS", "BenchPerson", "people_of", "read_people"]

LEAST_NIGHTS = 30
"""People with fewer nights are left out, and named."""
NEEDED = ("dataset", "person_id", "date", "hrv_rmssd_ms")
NIGHT = {"rhr_bpm": "resting_hr_bpm", "resp_rate": "resp_rate_rpm", "skin_temp_c": "skin_temp_c",
         "sleep_min": "asleep_min", "deep_min": "deep_min"}  # fmt: skip
DAYTIME = {"strain": "strain_0_21", "steps": "steps_count"}
WAKE = time(7)
EVENING = time(21)

WORDS = {
    "alcohol": r"alcohol|wine|beer|drinks?$|drunk", "sick": r"\bsick|\bill\b|illness|fever|covid|\bflu\b",
    "caffeine": r"caffein|coffee", "late_meal": r"late.?meal|eat.*late|close to bed", "stress": r"^stress",
    "travel": r"travel|jet.?lag", "sauna": r"sauna", "cannabis": r"cannabis|marijuana", "vaccination": r"vaccin",
}  # fmt: skip
"""Journal key or tag -> behaviour of the journal ontology."""


@dataclass(frozen=True)
class BenchPerson:
    """One person of the table.

    Attributes
    ----------
    name : str
        dataset/person_id.
    days, journal : DataFrame
        Schemas ``days`` (one vintage a day) and ``journal_facts``.
    day_rhr : bool
        The device gives a day's smoothed heart rate, known at the day's end, in place of the night's.
    doubled : int
        Rows that were passed over because another row told of the same day.
    """

    name: str
    days: pl.DataFrame
    journal: pl.DataFrame
    day_rhr: bool
    doubled: int = 0

    def history(self, slot: str, origin: date | None = None) -> History:
        """All that is known at one origin day; the last one by default."""
        origin = origin or self.days["day"].max()
        days = self.days
        if slot == "morning" and self.day_rhr:
            days = days.sort("day").with_columns(pl.col("resting_hr_bpm").shift(1))
        as_of = datetime.combine(origin, time(22) if slot == "evening" else time(10), UTC)
        return make_history(days, self.journal, self.name, as_of, origin, slot)

    def grid(self, slot: str) -> DayGrid:
        """The whole series; row i of a path over it uses nothing later than day i."""
        return self._grids.setdefault(slot, day_grid(self.history(slot)))

    @cached_property
    def _grids(self) -> dict[str, DayGrid]:
        return {}

    @cached_property
    def digest(self) -> str:
        """Of the nights alone: says whether a pool has seen this person, and nothing else about them."""
        nights = self.days.filter(pl.col("state") == "scored").select(pl.col("hrv_rmssd_ms").round(2))
        return hashlib.sha256(nights.write_csv().encode()).hexdigest()[:16]

    @property
    def nights(self) -> int:
        """Scored nights."""
        return self.days["hrv_rmssd_ms"].count()


def read_people(path: Path) -> tuple[list[BenchPerson], dict[str, int]]:
    """Read a table.

    Returns
    -------
    people : list of BenchPerson
        Sorted by name.
    left_out : dict
        Name -> nights of people with fewer than ``LEAST_NIGHTS``.

    Raises
    ------
    BadTable
        The file is no Parquet table with the needed columns, or a column is of the wrong kind.
    """
    people, left_out = people_of(_read(path), path.name)
    if not people:
        raise BadTable(
            f"{path.name}: nobody has {LEAST_NIGHTS} nights with hrv_rmssd_ms; there is nothing to measure."
        )
    return people, left_out


def people_of(table: pl.DataFrame, source: str = "table") -> tuple[list[BenchPerson], dict[str, int]]:
    """The people of a table that is in memory; see ``read_people``."""
    people, left_out = [], {}
    table = _typed(table, source)
    for (dataset, person), rows in table.group_by("dataset", "person_id", maintain_order=True):
        name = f"{dataset}/{person}"
        one_a_day = _one_a_day(rows)
        person_of = _person(name, one_a_day.sort("date"), len(rows) - len(one_a_day))
        if person_of.nights < LEAST_NIGHTS:
            left_out[name] = person_of.nights
        else:
            people.append(person_of)
    return sorted(people, key=lambda p: p.name), left_out


def _read(path: Path) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except FileNotFoundError:
        raise BadTable(f"Expected a Parquet table at {path}, found no file.") from None
    except Exception as error:  # polars has a dozen kinds for a damaged file
        raise BadTable(f"Expected a Parquet table at {path}, could not read it: {error}") from None
    return table


def _typed(table: pl.DataFrame, source: str) -> pl.DataFrame:
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise BadTable(f"{source}: expected the columns {', '.join(NEEDED)}; missing: {', '.join(missing)}.")
    numbers = [n for n in ("hrv_rmssd_ms", *NIGHT, *DAYTIME, "sleep_onset_h") if n in table.columns]
    try:
        return table.with_columns(
            pl.col("date").cast(pl.Date), pl.col("dataset", "person_id").cast(pl.String),
            *(pl.col(name).cast(pl.Float64) for name in numbers),
        ).sort("dataset", "person_id", "date")  # fmt: skip
    except pl.exceptions.PolarsError as error:
        raise BadTable(f"{source}: a column is not of the kind that it should be: {error}") from None


def _one_a_day(rows: pl.DataFrame) -> pl.DataFrame:
    """Of several rows for one day the one with a night in it, and of those the longest sleep."""
    order = [pl.col("hrv_rmssd_ms").is_not_null()] + (
        [pl.col("sleep_min")] if "sleep_min" in rows.columns else []
    )
    ranked = rows.sort(order, descending=True, nulls_last=True, maintain_order=True)
    return ranked.unique("date", keep="first", maintain_order=True)


def _person(name: str, rows: pl.DataFrame, doubled: int) -> BenchPerson:
    low, high = RMSSD_PLAUSIBLE_MS
    usable = pl.col("hrv_rmssd_ms").is_between(low, high) & pl.col("hrv_rmssd_ms").is_not_nan()
    columns: dict[str, Any] = {
        "member_id": pl.lit(name), "day": pl.col("date"), "utc_offset_min": pl.lit(0, pl.Int32),
        "known_at": pl.col("date").dt.combine(WAKE).dt.replace_time_zone("UTC").dt.cast_time_unit("us"),
        "state": pl.when(usable.fill_null(False)).then(pl.lit("scored")).otherwise(pl.lit("no_sleep")),
        "hrv_rmssd_ms": pl.when(usable).then(pl.col("hrv_rmssd_ms")),
        "strain_is_final": pl.lit(True),
    }  # fmt: skip
    for theirs, ours in (NIGHT | DAYTIME).items():
        if theirs in rows.columns:
            columns[ours] = pl.col(theirs).fill_nan(None)
    if "sleep_onset_h" in rows.columns:
        noon = pl.col("date").dt.offset_by("-1d").dt.combine(time(12)).dt.replace_time_zone("UTC")
        minutes = (pl.col("sleep_onset_h").fill_nan(None) * 60).round(0).cast(pl.Int64)
        columns["sleep_onset_at"] = (noon + pl.duration(minutes=minutes)).dt.cast_time_unit("us")
    extra = _objects(rows, "extra")
    last_workout = [_workout_end(day, e) for day, e in zip(rows["date"], extra, strict=True)]
    columns["last_workout_end_at"] = pl.Series(last_workout, dtype=pl.Datetime("us", "UTC"))
    columns["sleep_debt_min"] = pl.Series([_number(e.get("sleep_debt")) for e in extra], dtype=pl.Float64)
    days = rows.with_columns(**columns)
    schema = TABLES["days"].columns
    absent = [pl.lit(None, dtype=kind).alias(c) for c, kind in schema.items() if c not in days.columns]
    days = days.with_columns(absent).select(
        [*schema, *(["steps_count"] if "steps_count" in days.columns else [])]
    )
    device = str(rows["device"].drop_nulls().first() or "") if "device" in rows.columns else ""
    journal = _journal(name, rows["date"].to_list(), _objects(rows, "journal"))
    night_rhr = "whoop" in f"{name} {device}".lower() or "synthetic" in name
    return BenchPerson(name, days, journal, day_rhr=not night_rhr, doubled=doubled)


def _journal(name: str, dates: list[date], entries: list[dict]) -> pl.DataFrame:
    """Facts of day D act on the night of D+1 and are known in the evening of D."""
    facts = []
    for day, entry in zip(dates, entries, strict=True):
        for behaviour, kind, amount in _heard(entry):
            facts.append({
                "member_id": name, "fact_key": f"{day}-{behaviour}", "revision": 1,
                "known_at": datetime.combine(day, EVENING, UTC), "basis": "seen", "source": "table",
                "entry_key": f"{day}", "day": day, "night": day + timedelta(days=1), "behaviour": behaviour,
                "kind": kind, "amount": amount, "confidence": 1.0, "status": "accepted",
            })  # fmt: skip
    schema = TABLES["journal_facts"].columns
    return pl.DataFrame([{key: fact.get(key) for key in schema} for fact in facts], schema=schema)


def _heard(entry: dict) -> Iterator[tuple[str, str, float | None]]:
    """Behaviour, kind and amount of what is recognised; one fact a behaviour."""
    heard: dict[str, tuple[str, float | None]] = {}
    for key, value in entry.items():
        tags = (
            [key]
            if isinstance(value, bool | int | float)
            else [t for t in np.ravel(value) if isinstance(t, str)]
        )
        for behaviour, words in WORDS.items():
            if any(re.search(words, tag.replace("_", " ").lower()) for tag in tags):
                if isinstance(value, bool) or not isinstance(value, int | float):
                    heard[behaviour] = ("yes" if value else "no", None)
                else:
                    heard[behaviour] = ("amount", float(value)) if value else ("no", None)
    for behaviour, (kind, amount) in heard.items():
        yield behaviour, kind, amount


def _objects(rows: pl.DataFrame, column: str) -> list[dict]:
    if column not in rows.columns:
        return [{}] * len(rows)
    objects = []
    for text in rows[column].to_list():
        try:
            value = json.loads(text) if text else {}
        except (TypeError, ValueError):
            value = {}
        objects.append(value if isinstance(value, dict) else {})
    return objects


def _workout_end(day: date, extra: dict) -> datetime | None:
    hour = _number(extra.get("last_workout_end_h"))
    return None if hour is None else datetime.combine(day, time(0), UTC) + timedelta(hours=hour)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None
