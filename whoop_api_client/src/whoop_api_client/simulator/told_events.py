"""Events that no feature of a model holds: told in the evening's note, felt by the night after.

Off unless `Happenings.told_events_share` is set. Then on that share of days something befalls the member (food
poisoning, a burglary, a holiday that begins …), and on as many other days the note has a decoy: as vivid, without any
effect. The sentences and the sizes of the effects are in ``data/told_*.toml``; each member hears every sentence once
before any comes again.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import numpy as np

from whoop_api_client.simulator.traits import stream

__all__ = ["ToldEvent", "ToldKind", "plan_told_events", "told_by_night", "told_kinds"]

_ACTING, _DECOYS = ("told_lowering", "told_raising"), ("told_decoys",)


@dataclass(frozen=True)
class ToldKind:
    """A kind of event.

    ``effect_pct`` : mean change of the next night's RMSSD, 0 for a decoy; ``spread_pct`` : its SD between
    occasions; ``carry`` : share of the drawn effect that is left on the second and third night.
    """

    name: str
    sentences: tuple[str, ...]
    effect_pct: float = 0.0
    spread_pct: float = 0.0
    carry: tuple[float, float] = (0.0, 0.0)

    @property
    def acts(self) -> bool:
        """Whether it does anything to the night."""
        return self.effect_pct != 0


@dataclass(frozen=True)
class ToldEvent:
    """What the note of ``day`` tells besides; ``nights_ln`` : ln RMSSD of the first, second and third night after.

    ``place_0_1`` : where among the note's sentences it stands.
    """

    day: date
    kind: str
    acts: bool
    sentence: str
    nights_ln: tuple[float, float, float]
    place_0_1: float

    @property
    def effect_ln(self) -> float:
        """The drawn effect on ln RMSSD of the night after."""
        return self.nights_ln[0]


def plan_told_events(
    seed: int, share: float, days: Sequence[date], wordless_day: date | None = None
) -> tuple[ToldEvent, ...]:
    """Draw the told events of all days, oldest first; at most one a day.

    Parameters
    ----------
    share : float
        Of days on which something acts, 0 to 0.5; decoys come on as many other days.
    wordless_day : date, optional
        A day whose note is given already, so that nothing can be told on it.
    """
    if not share:
        return ()
    rng = stream(seed, "told-events")
    acting = _told_in_turn(stream(seed, "told-acting"), _ACTING)
    decoys = _told_in_turn(stream(seed, "told-decoys"), _DECOYS)
    events = []
    for day in days:
        chance, place_0_1 = rng.random(2)
        z = float(rng.standard_normal())
        if chance >= 2 * share or day == wordless_day:
            continue
        kind, sentence = next(acting if chance < share else decoys)
        first = math.log1p(kind.effect_pct / 100) + kind.spread_pct / 100 * z if kind.acts else 0.0
        nights_ln = (first, kind.carry[0] * first, kind.carry[1] * first)
        events.append(ToldEvent(day, kind.name, kind.acts, sentence, nights_ln, float(place_0_1)))
    return tuple(events)


def told_by_night(events: Sequence[ToldEvent], days: Sequence[date]) -> list[float]:
    """What the told events of the three days before add to ln RMSSD of the night that ends on each of ``days``."""
    sums = [0.0] * len(days)
    position = {day: k for k, day in enumerate(days)}
    for event in events:
        for later, effect in enumerate(event.nights_ln, start=position[event.day] + 1):
            if later < len(days):
                sums[later] += effect
    return sums


@cache
def told_kinds(*files: str) -> tuple[ToldKind, ...]:
    """The kinds of the named data files, by default of all."""
    folder = resources.files("whoop_api_client.simulator") / "data"
    found = []
    for file in files or _ACTING + _DECOYS:
        table = tomllib.loads((folder / f"{file}.toml").read_text(encoding="utf-8"))
        for name, row in table.items():
            lists = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
            found.append(ToldKind(name, **row | lists))
    return tuple(found)


def _told_in_turn(rng: np.random.Generator, files: tuple[str, ...]) -> Iterator[tuple[ToldKind, str]]:
    """Every sentence once in random order, then all of them again in another."""
    bank = [(kind, sentence) for kind in told_kinds(*files) for sentence in kind.sentences]
    while True:
        for position in rng.permutation(len(bank)):
            yield bank[position]
