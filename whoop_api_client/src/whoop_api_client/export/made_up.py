"""Write a data export of somebody who does not exist, as WHOOP's app would: any header version and language.

For benchmarks, tests and demonstrations; the numbers are drawn, their form and order are WHOOP's (whoop_export.md).
"""

from __future__ import annotations

import csv
import io
import random
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from whoop_api_client.export.headers import translated

__all__ = ["JOURNAL", "MadeUpNight", "export_files", "nights_at_home", "write_export"]

JOURNAL = ("Have any alcoholic drinks?", "Have any caffeine?", "Did you juggle?", "Masturbated?")
"""What is asked each night: two questions that are known, one that is not, one that is private."""


@dataclass(frozen=True)
class MadeUpNight:
    """One cycle: a night and the day after it. Instants are UTC, whole seconds.

    Attributes
    ----------
    nap_at : datetime or None
        Start of a nap of 45 minutes in the day that follows.
    is_overwritten : bool
        The cycles file shows that nap instead of the night (whoop_export.md 6.1).
    """

    onset_at: datetime
    wake_at: datetime
    utc_offset_min: int
    hrv_ms: int
    nap_at: datetime | None = None
    is_overwritten: bool = False


def nights_at_home(
    count: int, *, last_day: date, seed: int = 0, zone: str = "Europe/Berlin"
) -> list[MadeUpNight]:
    """Draw nights that end on consecutive days, oldest first; a nap in one of ten days, half of them overwriting."""
    draw, home = random.Random(seed), ZoneInfo(zone)
    nights = []
    for back in range(count - 1, -1, -1):
        evening = datetime.combine(last_day - timedelta(days=back + 1), time(22), home)
        onset = evening.astimezone(UTC) + timedelta(seconds=draw.randrange(7200))
        wake = onset + timedelta(minutes=draw.randrange(380, 540))
        nap = wake + timedelta(hours=7) if back and draw.random() < 0.1 else None
        offset = wake.astimezone(home).utcoffset() or timedelta(0)
        hrv = max(8, min(250, round(60 * 2 ** draw.gauss(0, 0.25))))
        minutes = round(offset.total_seconds() / 60)
        nights.append(MadeUpNight(onset, wake, minutes, hrv, nap, nap is not None and draw.random() < 0.5))
    return nights


def write_export(path: Path, nights: Sequence[MadeUpNight], **choices: object) -> Path:
    """Write the files of `export_files` into a ZIP (a path that ends so) or a folder; same arguments, same bytes."""
    files = export_files(nights, **choices)  # type: ignore[arg-type]
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(f"my_whoop_data/{name}"), text, zipfile.ZIP_DEFLATED)
        return path
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_bytes(text.encode())
    return path


def export_files(
    nights: Sequence[MadeUpNight],
    *,
    language: str = "en",
    is_old: bool = False,
    seed: int = 0,
    is_open: bool = True,
    questions: Sequence[str] = JOURNAL,
) -> dict[str, str]:
    """The four files by their localised names, newest row first.

    Parameters
    ----------
    nights : sequence of MadeUpNight
        Oldest first.
    language : str
        ``en``, ``de``, ``es``, ``pt`` or ``fr``.
    is_old : bool
        The headers E1 (without consistency) and W1 (with distance and altitude) instead of E2 and W2.
    is_open : bool
        The last cycle still runs.
    """
    rows: dict[str, list[dict[str, object]]] = {"cycles": [], "sleeps": [], "workouts": [], "journal": []}
    for place, night in enumerate(nights):
        draw = random.Random(f"{seed} {night.onset_at.timestamp():.0f}")
        following = nights[place + 1].onset_at if place + 1 < len(nights) else None
        if following is None and not is_open:
            following = night.onset_at + timedelta(hours=24)
        _add(rows, night, following, draw, questions)
    columns = _OLD if is_old else _NEW
    return {_NAMES[kind][language]: _csv(columns[kind], reversed(rows[kind]), language) for kind in rows}


def _add(rows: dict[str, list[dict[str, object]]], night: MadeUpNight, following: datetime | None, draw: random.Random,
         questions: Sequence[str]) -> None:  # fmt: skip
    def wall(instant: datetime | None) -> str:
        return (
            ""
            if instant is None
            else f"{instant + timedelta(minutes=night.utc_offset_min):%Y-%m-%d %H:%M:%S}"
        )

    hours, minutes = divmod(abs(night.utc_offset_min), 60)
    sign = "-" if night.utc_offset_min < 0 else "+"
    zone = f"UTC{sign}{hours:02}:{minutes:02}" if night.utc_offset_min else "UTCZ"
    span = dict(zip(_SPAN, (wall(night.onset_at), wall(following), zone), strict=True))
    slept = {"Sleep onset": wall(night.onset_at), "Wake onset": wall(night.wake_at), **_slept(night, draw)}
    napped = None
    if night.nap_at is not None:
        end = night.nap_at + timedelta(minutes=45)
        napped = {
            "Sleep onset": wall(night.nap_at),
            "Wake onset": wall(end),
            **_slept(night, draw, minutes=45),
        }
    shown = napped if napped is not None and night.is_overwritten else slept
    hrv = round(night.hrv_ms * 0.6) if shown is napped else night.hrv_ms
    recovery = (draw.randrange(1, 99), draw.randrange(45, 65), hrv, f"{draw.uniform(33, 35):.2f}",
                f"{draw.uniform(94, 99):.2f}")  # fmt: skip
    load = ("",) * 4 if following is None else (f"{draw.uniform(4, 18):.1f}", draw.randrange(1500, 3200),
                                                draw.randrange(120, 185), draw.randrange(60, 85))  # fmt: skip
    rows["cycles"].append(span | dict(zip((*_RECOVERY, *_LOAD), (*recovery, *load), strict=True)) | shown)
    rows["sleeps"].append(span | slept | {"Nap": "false"})
    if napped is not None:
        rows["sleeps"].append(span | napped | {"Nap": "true", "Sleep consistency %": ""})
    if draw.random() < 0.5:
        begin = night.wake_at + timedelta(hours=3)
        zones = dict(zip((f"HR Zone {n} %" for n in range(1, 6)), (10, 25, 35, 20, 5), strict=True))
        worked = (wall(begin), wall(begin + timedelta(minutes=40)), 40, "Running", "9.5", "400.0", 160, 130)
        rows["workouts"].append(
            span | dict(zip(_WORKOUT, worked, strict=True)) | zones | {"GPS enabled": "false"}
        )
    for question in questions:
        answer = "true" if draw.random() < 0.4 else "false"
        rows["journal"].append(span | {"Question text": question, "Answered yes": answer, "Notes": ""})


def _slept(night: MadeUpNight, draw: random.Random, minutes: int = 0) -> dict[str, object]:
    in_bed = minutes or round((night.wake_at - night.onset_at).total_seconds() / 60)
    awake, deep, rem = in_bed // 12, in_bed // 5, in_bed // 4
    asleep = in_bed - awake
    return dict(zip(_SLEEP, (draw.randrange(60, 100), f"{draw.uniform(13, 17):.1f}", asleep, in_bed,
                             asleep - deep - rem, deep, rem, awake, draw.randrange(450, 560), draw.randrange(90),
                             round(100 * asleep / in_bed), draw.randrange(50, 96)), strict=True))  # fmt: skip


def _csv(columns: Sequence[str], rows: Iterable[dict[str, object]], language: str) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([translated(column, language) for column in columns])
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return out.getvalue()


_SPAN = ("Cycle start time", "Cycle end time", "Cycle timezone")
_RECOVERY = ("Recovery score %", "Resting heart rate (bpm)", "Heart rate variability (ms)", "Skin temp (celsius)",
             "Blood oxygen %")  # fmt: skip
_LOAD = ("Day Strain", "Energy burned (cal)", "Max HR (bpm)", "Average HR (bpm)")
_SLEEP = (
    "Sleep performance %", "Respiratory rate (rpm)", "Asleep duration (min)", "In bed duration (min)",
    "Light sleep duration (min)", "Deep (SWS) duration (min)", "REM duration (min)", "Awake duration (min)",
    "Sleep need (min)", "Sleep debt (min)", "Sleep efficiency %", "Sleep consistency %",
)  # fmt: skip
_WORKOUT = ("Workout start time", "Workout end time", "Duration (min)", "Activity name", "Activity Strain",
            "Energy burned (cal)", "Max HR (bpm)", "Average HR (bpm)")  # fmt: skip
_NEW = {
    "cycles": (*_SPAN, *_RECOVERY, *_LOAD, "Sleep onset", "Wake onset", *_SLEEP),
    "sleeps": (*_SPAN, "Sleep onset", "Wake onset", *_SLEEP, "Nap"),
    "workouts": (*_SPAN, *_WORKOUT, *(f"HR Zone {n} %" for n in range(1, 6)), "GPS enabled"),
    "journal": (*_SPAN, "Question text", "Answered yes", "Notes"),
}
_OLD = {kind: tuple(c for c in columns if c != "Sleep consistency %") for kind, columns in _NEW.items()} | {
    "workouts": (*_NEW["workouts"], "Distance (meters)", "Altitude gain (meters)", "Altitude change (meters)")
}
_NAMES = {
    "cycles": {"en": "physiological_cycles.csv", "de": "physiologische_zyklen.csv", "es": "physiological_cycles.csv",
               "pt": "ciclos_fisiológicos.csv", "fr": "physiological_cycles.csv"},
    "sleeps": {"en": "sleeps.csv", "de": "Schlaf.csv", "es": "sueño.csv", "pt": "sonos.csv", "fr": "sommeil.csv"},
    "workouts": {"en": "workouts.csv", "de": "Trainings.csv", "es": "entrenamientos.csv", "pt": "treinos.csv",
                 "fr": "entraînements.csv"},
    "journal": {"en": "journal_entries.csv", "de": "logbuch_eintraege.csv", "es": "journal_entries.csv",
                "pt": "entradas_diário.csv", "fr": "journal_entries.csv"},
}  # fmt: skip
