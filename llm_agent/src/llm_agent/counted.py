"""What the models have made of tonight's journal already, so that the agent corrects it and does not count twice.

The combination reads some behaviours of the journal itself (drinks, sickness, training …), and says in its reasons
which of tonight's facts it read and how far they moved it together. A lever on one of those facts moves the night by
half of the difference only: the own effect and the models are two estimates of one thing, and their mean is safer
than either. Most models of the combination read no journal, so its move is usually the smaller one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llm_agent.levers import ONE_NIGHT, Lever

__all__ = ["NOTHING_COUNTED", "Counted", "beyond_counted", "counted_by"]

OWN_SHARE = 0.5
"""Weight of the own effect against what the models made of the same facts."""


@dataclass(frozen=True)
class Counted:
    """The models' reading of tonight's journal.

    Attributes
    ----------
    behaviours : frozenset of str
        Tonight's facts that they read, by name.
    shift_ms : float
        What all of those together did to night 1's median.
    """

    behaviours: frozenset[str]
    shift_ms: float


NOTHING_COUNTED = Counted(frozenset(), 0.0)


def counted_by(row: Mapping[str, Any]) -> Counted:
    """From the ledger row of the combination's night 1."""
    reasons = json.loads(row["reasons"]) if row["reasons"] else {}
    return Counted(frozenset(reasons.get("journal_counted", ())), float(reasons.get("journal_shift_ms", 0.0)))


def beyond_counted(levers: Sequence[Lever], counted: Counted) -> tuple[Lever, ...]:
    """The same levers; those on facts that the models read take only what is still to be corrected.

    The models' move is shared out by the levers' sizes. Where some counted fact has no lever, part of the move is not
    theirs: then no lever may turn against its own sign, nor take more than its share.
    """
    read = [lever for lever in levers if lever.behaviour in counted.behaviours]
    total = sum(lever.effect_ms for lever in read)
    if not read or not total:
        return tuple(levers)
    all_known = counted.behaviours <= {lever.behaviour for lever in read}
    return tuple(_beyond(lever, counted, total, all_known) if lever in read else lever for lever in levers)


def _beyond(lever: Lever, counted: Counted, total: float, all_known: bool) -> Lever:
    moved = counted.shift_ms * lever.effect_ms / total
    taken = OWN_SHARE * (lever.effect_ms - moved)
    if not all_known:
        low, high = sorted((0.0, OWN_SHARE * lever.effect_ms))
        taken = min(max(taken, low), high)
    return replace(lever, taken_ms=taken, counted_ms=moved, lasts=ONE_NIGHT)
