"""The sleep stream of a night (whoop_api.md 4.9), drawn from the record's own numbers: one sample a minute.

What it is not: a sensor model. It has the answer's shape, ends and means that agree with the sleep's score.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.timeline import api_instant

__all__ = ["STREAM_TYPES", "sleep_stream"]

STREAM_TYPES = {
    "hr": "hr",
    "skin_temp": "skin_temp",
    "board_temp": "board_temp",
    "battery_temp": "battery_temp",
    "sleep_classification": "is_sleeping",
    "charging_status": "is_charging",
}
_ALGORITHM = "simulated-1"
_STEP = timedelta(minutes=1)


def sleep_stream(
    sleep: Mapping[str, Any], resting_hr_bpm: float, skin_temp_c: float | None, types: Sequence[str]
) -> dict[str, Any]:
    """The answer for one scored sleep; types that were not asked for are null."""
    wanted = {STREAM_TYPES[name] for name in (types or STREAM_TYPES)}
    start, end = parse_instant(sleep["start"]), parse_instant(sleep["end"])
    stages = sleep["score"]["stage_summary"]
    awake_share = stages["total_awake_time_milli"] / max(stages["total_in_bed_time_milli"], 1)
    dice = random.Random(sleep["id"])
    samples = []
    for minute in range(int((end - start) / _STEP) + 1):
        phase = minute * _STEP / (end - start)
        asleep = dice.random() >= awake_share
        heart = resting_hr_bpm + 4 + 6 * (phase - 0.6) ** 2 + dice.gauss(0, 1.5) + (0 if asleep else 9)
        skin = None if skin_temp_c is None else skin_temp_c + 0.4 * math.sin(math.pi * phase)
        values = {
            "hr": round(heart),
            "skin_temp": None if skin is None else round(skin, 3),
            "board_temp": round((skin or 33.0) + 1.2, 3),
            "battery_temp": round((skin or 33.0) + 0.8, 3),
            "is_sleeping": asleep,
            "is_charging": False,
        }
        shown = {name: value if name in wanted else None for name, value in values.items()}
        samples.append({"timestamp": api_instant(start + minute * _STEP)} | shown)
    return {"stream": samples, "algorithm_version": _ALGORITHM}
