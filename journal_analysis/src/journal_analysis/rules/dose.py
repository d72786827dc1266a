"""Which quantity belongs to which behaviour: "sauna 20 min, then 3 minutes in the plunge; zinc 15 mg, turmeric"."""

from __future__ import annotations

import re
import weakref

from journal_analysis.behaviours import behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.quantity import BARE, Quantity, converted, find_quantities
from journal_analysis.rules.sighting import Sighting, sightings_in

__all__ = ["Dose", "doses_of"]

Dose = tuple[float, int, int, float]
"""Amount in the behaviour's unit, start, end, and how far from the words it stood."""

_RIVALS = phrase("dose", "rivals")
_LINK_AFTER = phrase("dose", "link_after")
_LINK_BEFORE = phrase("dose", "link_before")
_PARTING = re.compile(r"\b(?:and|then|plus|after|before|but|while|when|because|to|with)\b(?!,)|[;\n]")
_COMMA = re.compile(r"[,()–]")
_WORD = re.compile(r"[\w']+")
_NOT_A_LENGTH = re.compile(
    r"\s?(?:ago|late\b|early\b|earlier|later|away|until|before (?!bed|work|breakfast|dinner|sleep)|old)"
)
_TOTAL = re.compile(r"[ ,]*(?:in total|total\b|altogether|all in\b|all told|overall)")
_EACH_WAY = re.compile(r"[ ,]*(?:each way|there and back|either way|both ways)")
_AND_MORE = phrase("dose", "and_more")
_EACH = re.compile(r"[ ,]*(?:each|apiece|per (?:round|session|nap))\b(?! (?:way|day))")
_TIMES = re.compile(r"\bx ?(\d)\b|\b(\d) (?:times|naps|rounds|sessions|sets|saunas|walks|goes)\b")
_COUNT_BACK = 12
_GOES = re.compile(
    r"\b(\d) (?:goes|sessions|stints|visits|turns|spells|blocks|bouts) of (?:about |around )?$"
)
_GOES_BACK = 24
_NUMBER_BEFORE = phrase("dose", "number_before")
_NUMBER_AFTER = phrase("dose", "number_after")
_NUMBER_ENDS = phrase("dose", "number_ends")
_STATEMENT_ENDS = re.compile(r"\s*(?:[.;!\n]|$)")
_SHORTEST_MIN = 5
_FARTHEST = 60
_NEAR = 2.0
_TOO_FAR = 5.5
_IN_BETWEEN = 6.0

_latest: tuple[weakref.ref[Note], dict[tuple[str, int], list[Dose]]] | None = None


def doses_of(note: Note, sighting: Sighting) -> list[Dose]:
    """The amounts that were said of one sighting, in order; a total stands for all of them."""
    global _latest  # as for the sightings: one note, one look
    known = _latest
    if known is None or known[0]() is not note:
        known = (weakref.ref(note), _assigned(note))
        _latest = known
    return known[1].get((sighting.name, sighting.start), [])


def _assigned(note: Note) -> dict[tuple[str, int], list[Dose]]:
    anchors = [s for found in sightings_in(note).values() for s in found if behaviours()[s.name].unit]
    anchors = sorted((a for a in anchors if a.number is None), key=lambda s: s.start)
    rivals = [
        m.span()
        for m in _RIVALS.finditer(note.text)
        if not any(a.start < m.end() and m.start() < a.end for a in anchors)
    ]
    quantities = find_quantities(note)
    offers = sorted(
        (cost, number, order)
        for number, quantity in enumerate(quantities)
        for order, cost in _offers(note, quantity, anchors, rivals)
    )
    given: dict[int, list[Dose]] = {}
    owner: dict[int, int] = {}
    for cost, number, order in offers:
        if number not in owner and order not in given:
            owner[number] = order
            given[order] = [_dose(anchors[order], quantities[number], cost)]
    before: dict[str, int] = {}
    for number, quantity in enumerate(quantities):
        last = before.get(quantity.unit, -1)
        order = owner.get(last)
        if number not in owner and order is not None and _goes_on(note, quantities[last], quantity):
            owner[number] = order
            given[order].append(_dose(anchors[order], quantity, _NEAR))
        before[quantity.unit] = number
    return {
        (anchors[o].name, anchors[o].start): _totalled(note, anchors[o], doses) for o, doses in given.items()
    }


def _offers(
    note: Note, quantity: Quantity, anchors: list[Sighting], rivals: list[tuple[int, int]]
) -> list[tuple[int, float]]:
    """The sightings that a quantity may belong to and how far each is; none where something else is nearer."""
    length = quantity.unit == "minutes"
    if length and _NOT_A_LENGTH.match(note.text, quantity.end):
        return []
    found = []
    for order, anchor in enumerate(anchors):
        if abs(anchor.start - quantity.start) > _FARTHEST + (anchor.end - anchor.start):
            continue
        if converted(quantity, behaviours()[anchor.name]) is None:
            continue
        if quantity.unit == BARE and not _beside(note, anchor, quantity):
            continue
        cost = _distance(note, anchor.start, anchor.end, quantity, rivals if length else (), anchors)
        if cost is not None and cost <= _TOO_FAR:
            found.append((order, cost))
    if not length or not found:
        return found
    others = [_distance(note, *span, quantity, (), ()) for span in rivals]
    nearest = min((cost for cost in others if cost is not None), default=float("inf"))
    return [(order, cost) for order, cost in found if cost <= nearest]


def _dose(anchor: Sighting, quantity: Quantity, cost: float) -> Dose:
    amount = converted(quantity, behaviours()[anchor.name])
    return (amount or 0.0, quantity.start, quantity.end, cost)


def _distance(
    note: Note,
    start: int,
    end: int,
    quantity: Quantity,
    rivals: list[tuple[int, int]] | tuple[()],
    anchors: list[Sighting] | tuple[()],
) -> float | None:
    """How far a quantity stands from the words at [start, end): 0 beside them, None in another sentence."""
    if note.sentence_of(start) != note.sentence_of(quantity.start):
        return None
    if quantity.start < end and start < quantity.end:
        return 0.0
    behind = quantity.start >= end
    low, high = (end, quantity.start) if behind else (quantity.end, start)
    if high - low > _FARTHEST:
        return None
    gap = note.text[low:high]
    plain = (_LINK_AFTER if behind else _LINK_BEFORE).sub(" ", gap)
    cost = 2.0 * len(_COMMA.findall(gap.replace("(", ""))) + 2.5 * len(_PARTING.findall(plain))
    cost += len(_WORD.findall(plain)) * (0.6 if behind else 1.0)
    for a, b in rivals:
        cost += _IN_BETWEEN if low <= a and b <= high else 0.0
    for anchor in anchors:
        if low <= anchor.start and anchor.end <= high and (anchor.start, anchor.end) != (start, end):
            cost += _IN_BETWEEN / 2
    return cost


def _goes_on(note: Note, before: Quantity, quantity: Quantity) -> bool:
    """Whether it is more of the same: "one of 40 minutes and one of an hour", "10 minutes and another 15 minutes"."""
    between = note.text[before.end : quantity.start]
    return quantity.unit != BARE and _AND_MORE.fullmatch(between) is not None


def _beside(note: Note, anchor: Sighting, quantity: Quantity) -> bool:
    """Whether a number without a unit stands right at the words, and nothing is counted by it."""
    text = note.text
    if quantity.start < anchor.end:
        return _NUMBER_BEFORE.fullmatch(text[quantity.end : anchor.start]) is not None
    gap = text[anchor.end : quantity.start]
    if gap == ", " and behaviours()[anchor.name].unit == "minutes":
        return quantity.amount >= _SHORTEST_MIN and _STATEMENT_ENDS.match(text, quantity.end) is not None
    return _NUMBER_AFTER.fullmatch(gap) is not None and _NUMBER_ENDS.match(text, quantity.end) is not None


def _totalled(note: Note, anchor: Sighting, doses: list[Dose]) -> list[Dose]:
    """A total stands for all; "each way" is twice, "x2, 10 minutes each" as often as said."""
    for dose in doses:
        if _TOTAL.match(note.text, dose[2]):
            return [dose]
    times = _TIMES.search(note.text, max(0, anchor.start - _COUNT_BACK), doses[0][1])
    often = float(times.group(1) or times.group(2)) if times else 1.0
    found = []
    for amount, start, end, cost in doses:
        if _EACH_WAY.match(note.text, end):
            amount *= 2
        elif _EACH.match(note.text, end):
            amount *= often
        elif goes := _GOES.search(note.text, max(0, start - _GOES_BACK), start):
            amount *= float(goes.group(1))
        found.append((amount, start, end, cost))
    return found
