"""``hrv why DAY QUANTITY``: the value in force, what told it, what it replaced, and why there is none."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hrv_shared.record import Record
from whoop_api_client.errors import UnknownQuantity
from whoop_api_client.tables.lineage import Origin, Vintage, lineage
from whoop_api_client.tables.payload_paths import PARTS
from whoop_api_client.tables.revisions import KINDS

__all__ = ["quantity_named", "why", "why_text"]

_SHORT = {
    "hrv": "hrv_rmssd_ms",
    "rhr": "resting_hr_bpm",
    "recovery": "recovery_pct",
    "spo2": "spo2_pct",
    "resp": "resp_rate_rpm",
    "strain": "strain_0_21",
    "sleep": "asleep_min",
    "energy": "energy_kcal",
    "nap": "nap_min",
}
_UNITS = {
    "ms": "ms",
    "bpm": "bpm",
    "pct": "%",
    "min": "min",
    "c": "°C",
    "rpm": "per min",
    "kcal": "kcal",
    "21": "of 21",
}


def quantity_named(text: str) -> str:
    """The column of ``days`` that a word means: its name, a short name, or a beginning that fits only one.

    Raises
    ------
    UnknownQuantity
        None, or several.
    """
    word = text.strip().lower().replace("-", "_")
    if word in PARTS:
        return word
    if word in _SHORT:
        return _SHORT[word]
    fitting = [name for name in PARTS if word and name.startswith(word)]
    if len(fitting) == 1:
        return fitting[0]
    raise UnknownQuantity(
        f"Expected one quantity, such as hrv, rhr, strain, deep_min; {text!r} means "
        f"{'one of ' + ', '.join(fitting) if fitting else 'none'}. Known: {', '.join(PARTS)}."
    )


def why(
    record: Record, member_id: str, day: date, quantity: str, as_of: datetime | None = None
) -> dict[str, Any]:
    """Say where a value came from.

    Returns
    -------
    dict
        ``member_id``, ``day``, ``quantity``, ``value``, ``unit``, ``state``, ``missing`` (None, or a sentence),
        and ``vintages`` (`tables.lineage.Vintage`), oldest first; the last one is in force.
    """
    name = quantity_named(quantity)
    vintages = lineage(record.facts(KINDS, member_id, as_of), day, name)
    last = vintages[-1] if vintages else None
    return {
        "member_id": member_id,
        "day": day,
        "quantity": name,
        "unit": _UNITS.get(name.rpartition("_")[2], ""),
        "value": last.value if last else None,
        "state": last.state if last else "missing",
        "missing": _missing(last, day),
        "vintages": vintages,
    }


def why_text(found: dict[str, Any]) -> str:
    """`why` for people."""
    vintages = found["vintages"]
    head = f"{found['quantity']} of {found['day']}: "
    if not vintages:
        return head + found["missing"]
    now = vintages[-1]
    lines = [
        f"{head}{_value(now.value, found['unit'])}, {now.state}, known since {_instant(now.known_at)} ({now.basis})"
    ]
    if found["missing"]:
        lines.append(f"  why: {found['missing']}")
    lines += _told(now)
    if len(vintages) > 1:
        lines.append("before that:")
    for vintage in reversed(vintages[:-1]):
        lines.append(
            f"  {_instant(vintage.known_at)} to {_instant(vintage.until)}: {_value(vintage.value, found['unit'])}, "
            f"{vintage.state} ({vintage.basis})"
        )
        lines += [f"  {line}" for line in _told(vintage)]
    return "\n".join(lines)


def _missing(last: Vintage | None, day: date) -> str | None:
    """Why there is no value, as a sentence."""
    if last is None:
        return (
            f"nothing is known of {day}: no cycle that WHOOP told or an export holds ends its night on that day. "
            f"Run: hrv pull --day {day}, or import a newer export; hrv gaps shows what is missing around it."
        )
    if last.value is not None:
        return None
    if "night_copied" in last.flags:
        return "the export's row repeats the night of another cycle; this one has none of its own."
    if not last.told_by or last.state not in ("scored", "calibrating"):
        return _BY_STATE[last.state]
    places = ", ".join(dict.fromkeys(path for origin in last.told_by for path in origin.payload))
    return f"WHOOP told the record but not this quantity ({places or 'it has no such field'} is empty)."


_BY_STATE = {
    "pending": "WHOOP has not scored the night yet; it is read again at each pull.",
    "unscorable": "WHOOP could not score it (too short, or the signal was poor); this does not change any more.",
    "no_sleep": "no sleep was recorded: the strap was not worn, or its battery was flat.",
    "invalid": (
        "the export shows a nap's values in place of the night's; the night's own are not in it. "
        "Connect to WHOOP's API (hrv connect, hrv pull), which has them."
    ),
    "vanished": "the record was there and is no longer at WHOOP: deleted, or moved to another day.",
    "scored": "no record tells it: it happened before the first of its kind that is known, or not at all.",
    "calibrating": "no record tells it: it happened before the first of its kind that is known, or not at all.",
}


def _told(vintage: Vintage) -> list[str]:
    lines = [f"  from {_origin(origin)}" for origin in vintage.told_by]
    lines += [f"  not used: {_origin(origin)}" for origin in vintage.not_used]
    if vintage.changed_by:
        lines.append(f"  came with {', '.join(vintage.changed_by)}")
    return lines


def _origin(origin: Origin) -> str:
    places = ", ".join(f"{path} = {value!r}" for path, value in origin.payload.items())
    return (
        f"{origin.kind} {origin.key} revision {origin.revision} ({origin.source}, fact {origin.seq}, known "
        f"{_instant(origin.known_at)}, {origin.basis}): {places or 'the record itself'}"
    )


def _value(value: Any, unit: str) -> str:
    if value is None:
        return "no value"
    if isinstance(value, datetime):
        return _instant(value)
    return f"{value:g} {unit}".rstrip() if isinstance(value, float) else f"{value} {unit}".rstrip()


def _instant(instant: datetime | None) -> str:
    return "now" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"
