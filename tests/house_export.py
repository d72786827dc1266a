"""A WHOOP data export of somebody who does not exist, for tests that need one of a given length."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

__all__ = ["write_export"]

NIGHT = (
    "Sleep performance %", "Respiratory rate (rpm)", "Asleep duration (min)", "In bed duration (min)",
    "Light sleep duration (min)", "Deep (SWS) duration (min)", "REM duration (min)", "Awake duration (min)",
    "Sleep need (min)", "Sleep debt (min)", "Sleep efficiency %", "Sleep consistency %",
)  # fmt: skip
CYCLE = ("Cycle start time", "Cycle end time", "Cycle timezone")
SLEEP = ("Sleep onset", "Wake onset")
BODY = (
    "Recovery score %", "Resting heart rate (bpm)", "Heart rate variability (ms)", "Skin temp (celsius)",
    "Blood oxygen %", "Day Strain", "Energy burned (cal)", "Max HR (bpm)", "Average HR (bpm)",
)  # fmt: skip


def write_export(folder: Path, *, seed: int, nights: int, last_day: date) -> Path:
    """Write ``physiological_cycles.csv`` and ``sleeps.csv``, newest first as WHOOP does; the last cycle is open.

    Parameters
    ----------
    nights : int
        Wake days up to and with ``last_day``; the offset is UTC+01:00.
    """
    draw = random.Random(seed)
    onsets = [
        datetime.combine(last_day - timedelta(days=back + 1), datetime.min.time())
        + timedelta(hours=22, minutes=draw.randint(0, 150), seconds=draw.randint(0, 59))
        for back in range(nights)
    ]
    cycles, sleeps = [], []
    for back, onset in enumerate(onsets):
        in_bed = draw.randint(400, 540)
        awake = draw.randint(20, 60)
        deep, rem = draw.randint(60, 120), draw.randint(60, 130)
        span = {
            "Cycle start time": onset, "Cycle end time": "" if back == 0 else onsets[back - 1],
            "Cycle timezone": "UTC+01:00", "Sleep onset": onset, "Wake onset": onset + timedelta(minutes=in_bed),
        }  # fmt: skip
        asleep = in_bed - awake
        slept = dict(zip(NIGHT, (
            draw.randint(60, 99), round(draw.uniform(13, 17), 1), asleep, in_bed, asleep - deep - rem, deep, rem, awake,
            draw.randint(450, 560), draw.randint(0, 90), round(100 * asleep / in_bed), draw.randint(50, 95),
        ), strict=True))  # fmt: skip
        measured = dict(zip(BODY, (
            draw.randint(20, 98), draw.randint(48, 60), round(60 * 2 ** draw.gauss(0, 0.25)),
            round(draw.uniform(33, 35), 2), round(draw.uniform(94, 98), 2), round(draw.uniform(4, 18), 1),
            draw.randint(1500, 3200), draw.randint(120, 185), draw.randint(60, 85),
        ), strict=True))  # fmt: skip
        cycles.append(span | measured | slept)
        sleeps.append(span | slept | {"Nap": "false"})
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "physiological_cycles.csv", (*CYCLE, *BODY, *SLEEP, *NIGHT), cycles)
    _write(folder / "sleeps.csv", (*CYCLE, *SLEEP, *NIGHT, "Nap"), sleeps)
    return folder


def _write(path: Path, columns: tuple[str, ...], rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
