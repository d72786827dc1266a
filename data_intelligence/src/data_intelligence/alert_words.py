"""Alerts in words and in cells: what was seen, against what, and how sure; never a diagnosis."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from data_intelligence.alert_rules import RULES
from data_intelligence.alert_watch import Watch

__all__ = ["CHANNEL_WORDS", "alert_cells", "alert_sentence"]

CHANNEL_WORDS = {
    "ln_hrv": ("HRV", "ms"), "resting_hr_bpm": ("resting heart rate", "bpm"),
    "resp_rate_rpm": ("breathing", "a minute"), "skin_temp_c": ("skin temperature", "°C"),
    "spo2_pct": ("blood oxygen", "%"),
}  # fmt: skip
CELL_OF = {"ln_hrv": "hrv_rmssd_ms"}
SHOWN_Z = 1.0


def alert_sentence(watch: Watch, kind: str) -> str:
    """What is seen on the last day and how likely it is to come true."""
    if watch.told[kind][-1] and not np.isfinite(watch.signs[kind].x[-1]).all():
        seen = "The journal says so; the nights cannot tell yet."
    else:
        seen = _SEEN[kind](watch)
    if watch.told[kind][-1]:
        return f"{seen} You have told of it in the journal."
    chance = round(100 * float(watch.p[kind][-1]))
    return f"{seen} Chance that it proves true within {RULES[kind].horizon_nights} nights: {chance} %."


def alert_cells(watch: Watch, kind: str) -> list[str]:
    """The cells of the store that an alert rests on."""
    last = watch.nights.days[-1]
    columns = {
        "illness": ["resp_rate_rpm", "resting_hr_bpm", "skin_temp_c", "hrv_rmssd_ms"],
        "travel": ["utc_offset_min", "sleep_onset_at"], "overload": ["strain_0_21", "hrv_rmssd_ms", "resting_hr_bpm"],
        "level_shift": ["hrv_rmssd_ms"],
        "device_change": ["hrv_rmssd_ms", "resting_hr_bpm", "resp_rate_rpm", "skin_temp_c", "spo2_pct"],
    }[kind]  # fmt: skip
    back = {"illness": 35, "travel": 28, "overload": 66, "level_shift": 75, "device_change": 42}[kind]
    first = max(watch.nights.days[0], last - timedelta(days=back))
    return [f"days/{first}..{last}/{column}" for column in columns]


def _illness(watch: Watch) -> str:
    table, parts = watch.signs["illness"], []
    for name, side in (("resp_rate_rpm", 1), ("resting_hr_bpm", 1), ("skin_temp_c", 1), ("ln_hrv", -1)):
        z = table.z[name][-1]
        if np.isfinite(z) and side * z >= SHOWN_Z:
            parts.append(_against(name, watch.nights.values[name][-1], table.usual[name][-1]))
    if not parts:
        return "Together the night's signs lean to the ill side."
    return f"As before an illness: {', '.join(parts)}. This is no diagnosis."


def _travel(watch: Watch) -> str:
    row = watch.signs["travel"].reference[-1]
    offset, old = watch.nights.offset_min[-1], row.get("offset_min")
    if old is not None and np.isfinite(offset) and offset != old:
        return f"The clock has moved by {(offset - old) / 60:+.1f} h."
    moved = float(watch.signs["travel"].z["onset_shift_h"][-1])
    side = "later" if moved > 0 else "earlier"
    return f"Sleep began {abs(moved):.1f} h {side} than its usual instant (travel or a shift of hours)."


def _overload(watch: Watch) -> str:
    excess, low = watch.signs["overload"].x[-1, :2]
    return (
        f"The week's strain is {1 + excess:.2f} times the month's, and the week's HRV lies {low:.1f} smallest "
        "worthwhile changes below the usual."
    )


def _level_shift(watch: Watch) -> str:
    step = watch.steps[-1]
    assert step is not None  # raised needs a step's t
    old, new = float(np.exp(step.before)), float(np.exp(step.after))
    since = watch.nights.days[step.row]
    return (
        f"HRV stepped from about {old:.0f} to {new:.0f} ms ({100 * (new / old - 1):+.0f} %) around {since}."
    )


def _device_change(watch: Watch) -> str:
    step = watch.strap[-1]
    assert step is not None  # raised by its signs
    moved = [_against(k, step.after[k], step.before[k]) for k in step.t if step.t[k] > 3.0]
    return (
        f"Several channels stepped together around {watch.nights.days[step.row]}: {', '.join(moved)}. A new strap, "
        "place or algorithm does that; values before and after may not be comparable."
    )


_SEEN = {
    "illness": _illness, "travel": _travel, "overload": _overload, "level_shift": _level_shift,
    "device_change": _device_change,
}  # fmt: skip


def _against(name: str, value: float, usual: float) -> str:
    words, unit = CHANNEL_WORDS[name]
    if name == "ln_hrv":
        value, usual = float(np.exp(value)), float(np.exp(usual))
    return f"{words} {value:.1f} {unit} (usual {usual:.1f})"
