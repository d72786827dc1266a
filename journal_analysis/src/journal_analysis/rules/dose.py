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
    given: dict[tuple[str, int], list[Dose]] = {}
    last: tuple[tuple[str, int], Dose] | None = None
    for quantity in find_quantities(note):
        length = quantity.unit == "minutes"
        if length and _NOT_A_LENGTH.match(note.text, quantity.end):
            continue
        best: tuple[float, int, Sighting] | None = None
        for order, anchor in enumerate(anchors):
            if abs(anchor.start - quantity.start) > _FARTHEST + (anchor.end - anchor.start):
                continue
            if converted(quantity, behaviours()[anchor.name]) is None:
                continue
            cost = _distance(note, anchor.start, anchor.end, quantity, rivals if length else (), anchors)
            if cost is None:
                continue
            cost += 2.0 if (anchor.name, anchor.start) in given else 0.0
            if best is None or (cost, order) < best[:2]:
                best = (cost, order, anchor)
        if (best is None or best[0] > _NEAR) and last and _goes_on(note, last[1], quantity):
            _, dose = last[0], last[1]
            amount = converted(quantity, behaviours()[last[0][0]])
            if amount is not None:
                given[last[0]].append((amount, quantity.start, quantity.end, dose[3]))
                continue
        if (
            best is None
            or best[0] > _TOO_FAR
            or (quantity.unit == BARE and not _beside(note, best[2], quantity))
        ):
            continue
        if length and any(
            (rival := _distance(note, *span, quantity, (), ())) is not None and rival < best[0]
            for span in rivals
        ):
            continue
        cost, _, anchor = best
        amount = converted(quantity, behaviours()[anchor.name])
        dose = (amount, quantity.start, quantity.end, cost)
        given.setdefault((anchor.name, anchor.start), []).append(dose)
        last = ((anchor.name, anchor.start), dose)
    return {key: _totalled(note, doses) for key, doses in given.items()}


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
    cost = 2.0 * len(_COMMA.findall(gap.replace("(", ""))) + 2.5 * len(_PARTING.findall(gap))
    plain = (_LINK_AFTER if behind else _LINK_BEFORE).sub(" ", gap)
    cost += len(_WORD.findall(plain)) * (0.6 if behind else 1.0)
    for a, b in rivals:
        cost += _IN_BETWEEN if low <= a and b <= high else 0.0
    for anchor in anchors:
        if low <= anchor.start and anchor.end <= high and (anchor.start, anchor.end) != (start, end):
            cost += _IN_BETWEEN / 2
    return cost


def _goes_on(note: Note, dose: Dose, quantity: Quantity) -> bool:
    """Whether a quantity is more of the same: "one of 40 minutes and one of an hour", "10 minutes and another 15 minutes"."""
    return quantity.unit != BARE and _AND_MORE.fullmatch(note.text[dose[2] : quantity.start]) is not None


def _beside(note: Note, anchor: Sighting, quantity: Quantity) -> bool:
    """Whether a number without a unit stands right at the words, and nothing is counted by it."""
    text = note.text
    if quantity.start >= anchor.end:
        gap, after = text[anchor.end : quantity.start], text[quantity.end :]
        ends = re.match(
            r"\s*(?:[,;.!)\n]|$|and\b|this\b|today|on the|before|then\b|tonight|in the morning|✔|\+)", after
        )
        return (
            re.fullmatch(
                r"[:= ]*(?:(?:of|was|is|at|about|around|approximately|up to|said|reads?|showed|today)[: ]*)*",
                gap,
            )
            is not None
            and ends is not None
        )
    return re.fullmatch(r" (?:on|by|of) the ", text[quantity.end : anchor.start]) is not None


def _totalled(note: Note, doses: list[Dose]) -> list[Dose]:
    for dose in doses:
        if _TOTAL.match(note.text, dose[2]):
            return [dose]
    return [(2 * a, s, e, c) if _EACH_WAY.match(note.text, e) else (a, s, e, c) for a, s, e, c in doses]
