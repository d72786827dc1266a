"""Amounts with their unit: "2000 mg", "half a gram", "5k IU", "two litres", brought to one unit of each kind."""

from __future__ import annotations

import re
from dataclasses import dataclass

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note

__all__ = ["BARE", "Quantity", "converted", "find_quantities"]

BARE = "number"
"""The unit of a number that stands alone."""

_UNITS = (
    (r"mgs?|milligram(?:me)?s?|milli-?grams?", "mg", 1.0),
    (r"g|gms?|gr|gram(?:me)?s?", "mg", 1000.0),
    (r"mcgs?|µg|μg|ug|microgram(?:me)?s?", "mg", 0.001),
    (r"i\.?u\.?s?|international units?|units?", "IU", 1.0),
    (r"l|lit(?:re|er)s?|ltrs?|lts?", "litres", 1.0),
    (r"mls?|millilit(?:re|er)s?", "litres", 0.001),
    (r"(?:fl ?)?oz|(?:fluid )?ounces?", "litres", 0.0295735),
    (r"gallons?", "litres", 3.78541),
    (r"steps", "steps", 1.0),
    (r"(?:degrees?|deg|°) ?f(?:ahrenheit)?|fahrenheit|f", "degF", 1.0),
    (r"(?:degrees?|deg|°)(?: ?c(?:elsius|entigrade)?\b)?|celsius|centigrade|c", "degC", 1.0),
    (r"kgs?|kilos?|kilogram(?:me)?s?", "kg", 1.0),
    (r"lbs?|pounds?", "kg", 0.45359237),
    (r"stones?", "kg", 6.35029),
    (r"kcals?|cals?|calories", "kcal", 1.0),
    (r"m|met(?:re|er)s?", "m", 1.0),
    (r"ft|feet", "m", 0.3048),
)
_UNIT = "|".join(f"(?P<u{n}>{words})" for n, (words, _, _) in enumerate(_UNITS))
_QUANTITY = re.compile(
    r"(?<![\w.,:/])(?:(?P<times>\d{1,2}) ?(?:x|times) ?)?"
    r"(?:(?P<minus>minus |-)?(?P<n>\d+(?:\.\d+)?)(?P<k> ?k(?=[ -]))?(?: ?(?:-|–|to|or) ?(?P<m>\d+(?:\.\d+)?)k?)?|"
    r"(?P<half>half an?)|(?P<one>an?))"
    rf"[ -]?(?:{_UNIT})(?![\w°])(?P<and> and an? half\b)?"
)
_NUMBER = re.compile(
    r"(?<![\w.,:/-])(?:(?P<times>\d{1,2}) x )?(?P<minus>minus |-)?(?P<n>\d+(?:\.\d+)?)(?P<k>k)?"
    r"(?![\w%:/°]|[.,]\d| ?(?:x|%)\b)"
)
_NO_AMOUNT = re.compile(
    r" (?:times|out of|of (?:the|us|them|my)|people|days?|weeks?|months?|years?|percent|km|miles?)\b"
)
_A_UNIT_IN_FULL = 4
"""Letters from which "a" before a unit surely counts one ("a litre", not "a c")."""


@dataclass(frozen=True)
class Quantity:
    """``amount`` of ``unit`` (mg, IU, litres, minutes, … or `BARE`) at canonical [start, end)."""

    start: int
    end: int
    amount: float
    unit: str


def find_quantities(note: Note) -> list[Quantity]:
    """Every quantity of a note in order, numbers that stand alone too; durations are minutes."""
    text = note.text
    found = [Quantity(d.start, d.end, d.minutes, "minutes") for d in note.durations]
    taken = bytearray(len(text) + 1)
    for span in (*note.durations, *note.clocks):
        taken[span.start : span.end] = b"\1" * (span.end - span.start)
    for match in _QUANTITY.finditer(text):
        index = next(n for n in range(len(_UNITS)) if match.group(f"u{n}"))
        _, unit, size = _UNITS[index]
        if match.group("one") and len(match.group(f"u{index}")) < _A_UNIT_IN_FULL:
            continue
        _add(found, taken, Quantity(match.start(), match.end(), _said(match) * size, unit))
    for match in _NUMBER.finditer(text):
        if not _NO_AMOUNT.match(text, match.end()):
            unit = "degC" if match.group("minus") == "minus " else BARE
            _add(found, taken, Quantity(match.start(), match.end(), _said(match), unit))
    return sorted(found, key=lambda q: q.start)


def converted(quantity: Quantity, behaviour: Behaviour) -> float | None:
    """The amount in the behaviour's unit, or None where it is no amount of it."""
    amount = _in_unit(quantity, behaviour.unit)
    if amount is None:
        return None
    least = float(behaviour.options.get("least", float("-inf")))
    most = float(behaviour.options.get("most", float("inf")))
    return amount if least <= amount <= most else None


def _in_unit(quantity: Quantity, unit: str) -> float | None:
    said, amount = quantity.unit, quantity.amount
    if said == BARE:
        return _bare(amount, unit)
    if said == unit:
        return _rounded(amount)
    if said == "minutes" and unit == "hours":
        return _rounded(amount / 60)
    if said == "mg" and unit in ("g", "mcg", "IU"):
        return _rounded({"g": amount / 1000, "mcg": amount * 1000, "IU": amount * 1000 * 40}[unit])
    if said == "degF" and unit == "degC":
        return round((amount - 32) / 1.8, 1)
    if said == "degC" and unit == "degC":
        return amount
    return None


def _bare(amount: float, unit: str) -> float | None:
    """A number without a unit, where its size leaves no doubt about the unit."""
    sizes = {
        "IU": (200, 60000), "mg": (50, 5000), "minutes": (1, 240), "kcal": (500, 9000), "kg": (35, 220),
        "steps": (100, 120000),
    }  # fmt: skip
    if unit == "degC":
        if 95 <= amount <= 107:
            return round((amount - 32) / 1.8, 1)
        return amount if 34 <= amount <= 43 and amount != int(amount) else None
    low, high = sizes.get(unit, (1, 0))
    return amount if low <= amount <= high else None


def _rounded(amount: float) -> float:
    return round(amount, 2 if amount < 100 else 1)


def _said(match: re.Match[str]) -> float:
    groups = match.groupdict()
    if groups.get("half"):
        return 0.5
    if groups.get("one"):
        return 1.5 if groups.get("and") else 1.0
    low = float(groups["n"]) * (1000 if groups.get("k") else 1)
    high = float(groups["m"]) * (1000 if groups.get("k") else 1) if groups.get("m") else low
    amount = (low + high) / 2 if high > low else low
    amount += 0.5 if groups.get("and") else 0.0
    return amount * float(groups.get("times") or 1) * (-1 if groups.get("minus") == "minus " else 1)


def _add(found: list[Quantity], taken: bytearray, new: Quantity) -> None:
    """Add it unless some of its characters belong to another; ``taken`` marks those that do."""
    if not any(taken[new.start : new.end]):
        taken[new.start : new.end] = b"\1" * (new.end - new.start)
        found.append(new)
