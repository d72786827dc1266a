"""The alerts on real people's open data: a look at whether they are plausible, for there is no list of the truth.

Columns as in a table of days: ``dataset``, ``person_id``, ``date``, ``hrv_rmssd_ms``, ``rhr_bpm``, ``resp_rate``,
``skin_temp_c``, ``spo2``, ``sleep_onset_h``, ``strain``, ``journal`` (JSON). A day counts as told
ill when its journal says so.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data_intelligence.alert_rules import KINDS
from data_intelligence.alert_watch import Watch, alert_runs, watch_nights
from data_intelligence.errors import IntelligenceError
from data_intelligence.nightly_channels import CHANNELS, NightlyChannels
from hrv_shared.constants import RMSSD_PLAUSIBLE_MS
from hrv_shared.schemas import empty

__all__ = ["look_at_people"]

COLUMNS = {
    "ln_hrv": "hrv_rmssd_ms", "resting_hr_bpm": "rhr_bpm", "resp_rate_rpm": "resp_rate", "skin_temp_c": "skin_temp_c",
    "spo2_pct": "spo2",
}  # fmt: skip
MIN_NIGHTS, ILL_TAGS = 30, ("illness", "cold/flu", "covid-19", "fever", "sick")


def look_at_people(path: Path) -> list[dict[str, Any]]:
    """Alerts a month by data set and kind, and how the days with told symptoms compare with the others.

    Raises
    ------
    IntelligenceError
        Not a Parquet table with the columns that are needed.
    """
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise IntelligenceError(
            f"Expected --data as a Parquet table of days, got {path.name} ({error})."
        ) from error
    missing = {"dataset", "person_id", "date", *COLUMNS.values()} - set(table.columns)
    if missing:
        raise IntelligenceError(f"Expected columns {sorted(missing)} in {path.name}, which are not there.")
    found = []
    for (name,), people in sorted(table.group_by(["dataset"]), key=lambda pair: str(pair[0])):
        found.append(_look(str(name), people))
    return found


def _look(name: str, people: pl.DataFrame) -> dict[str, Any]:
    nights_seen, persons, alerts = 0, 0, dict.fromkeys(KINDS, 0)
    ill_p: list[float] = []
    well_p: list[float] = []
    for _, person in sorted(people.group_by(["person_id"]), key=lambda pair: str(pair[0])):
        nights, symptoms = _nights(person)
        if nights.worn.sum() < MIN_NIGHTS:
            continue
        watch = _watch(nights)
        persons += 1
        nights_seen += int(nights.worn.sum())
        for kind in KINDS:
            alerts[kind] += len(alert_runs(watch, kind))
        p = watch.p["illness"]
        ill_p += [float(p[i]) for i in np.flatnonzero(symptoms & np.isfinite(p))]
        well_p += [float(p[i]) for i in np.flatnonzero(~symptoms & np.isfinite(p))]
    months = nights_seen / 30
    a_month = {kind: round(count / months, 2) if months else None for kind, count in alerts.items()}
    told = None if not ill_p else round(float(np.mean(ill_p)), 3)
    others = round(float(np.mean(well_p)), 3) if well_p else None
    auc = _auc(ill_p, well_p)
    return {
        "dataset": name, "persons": persons, "nights": nights_seen, "alerts_a_month": a_month,
        "days_told_ill": len(ill_p), "illness_p_told": told, "illness_p_others": others, "auc": auc,
        "sentence": f"{name}: {persons} people, {nights_seen} nights; alerts a month {a_month}; illness probability on "
        f"{len(ill_p)} days with told symptoms {told}, on {len(well_p)} others "
        f"{others}; AUC {auc}",
    }  # fmt: skip


def _watch(nights: NightlyChannels) -> Watch:
    moments = [datetime(d.year, d.month, d.day, 12, tzinfo=UTC) for d in nights.days]
    return watch_nights(nights, empty("journal_facts"), moments)


def _nights(person: pl.DataFrame) -> tuple[NightlyChannels, np.ndarray]:
    frame = person.sort("date")
    days = [d.date() if isinstance(d, datetime) else d for d in frame["date"]]
    first, n = days[0], (days[-1] - days[0]).days + 1
    calendar = tuple(first + timedelta(days=i) for i in range(n))
    values = {name: np.full(n, np.nan) for name in CHANNELS}
    onset, strain, symptoms = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool)
    low, high = RMSSD_PLAUSIBLE_MS
    for row in frame.iter_rows(named=True):
        i = (_day(row["date"]) - first).days
        symptoms[i] = _tells_symptoms(row.get("journal"))
        strain[i] = np.nan if row.get("strain") is None else row["strain"]
        if row["hrv_rmssd_ms"] is None or not low <= row["hrv_rmssd_ms"] <= high:
            continue
        for name, column in COLUMNS.items():
            values[name][i] = np.nan if row[column] is None else row[column]
        values["ln_hrv"][i] = np.log(row["hrv_rmssd_ms"])
        onset[i] = np.nan if row.get("sleep_onset_h") is None else row["sleep_onset_h"]
    unknown = np.full(n, np.nan)
    return NightlyChannels(calendar, values, onset, onset, unknown, unknown, strain), symptoms


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _tells_symptoms(text: str | None) -> bool:
    """Whether the day's journal names an illness: a tag, or the COVID questionnaire's state above "none" (1)."""
    if not text:
        return False
    said = json.loads(text)
    tags = " ".join(str(tag) for value in said.values() if isinstance(value, list) for tag in value).lower()
    return any(word in tags for word in ILL_TAGS) or (said.get("covid_overall") or 0) > 1


def _auc(ill: list[float], well: list[float]) -> float | None:
    """Chance that a told day has the higher probability of the two."""
    if len(ill) < 10 or len(well) < 10:
        return None
    a, b = np.array(ill)[:, None], np.array(well)[None, :]
    return round(float((a > b).mean() + 0.5 * (a == b).mean()), 3)
