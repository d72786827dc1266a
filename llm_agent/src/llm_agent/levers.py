"""Levers: what a forecast is moved by, each with its size, its doubt, its evidence and how long it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hrv_shared.constants import HORIZONS

__all__ = ["EVENT_PCT", "LASTING", "ONE_NIGHT", "Lever", "event_lever", "listed_levers", "shift_of_nights"]

LEAST_CERTAINTY = 0.9
"""Personal effects whose sign is less certain than this move nothing: most of them are noise (forecasting.md 8)."""

LASTING_BEHAVIOURS = frozenset({"sick", "illness", "fever", "covid_symptoms", "injury"})
"""Their effect goes on for two more nights (forecasting.md 2.4: feeling sick; alcohol is gone the night after)."""
LASTING = {1: 1.0, 2: 0.7, 3: 0.4}
ONE_NIGHT = {1: 1.0}
EVENT_CARRY = {
    "body": {1: 1.0, 2: 0.5, 3: 0.25}, "heart": {1: 1.0, 2: 0.5, 3: 0.25}, "night": {1: 1.0},
    "relief": {1: 1.0, 2: 0.3},
}  # fmt: skip
"""How long what no feature holds goes on: a rule of thumb; a strain lasts, a bad night is one night."""

EVENT_PCT = {
    "lowers a little": -4.0, "lowers clearly": -7.0, "lowers a lot": -9.5, "no change": 0.0,
    "raises a little": 2.5, "raises clearly": 4.0, "raises a lot": 5.0,
}  # fmt: skip
"""Sizes of what no feature holds, in % of the models' median: rules of thumb, not the own history. A vaccination
-9 to -13 %, sickness -9 to -10 %, any training -5 % (forecasting.md 4.3); what raises is smaller than what lowers.
How strong a sentence is, the reader tells right two times in three, so each is the mean of what such sentences stand
for by their labels, of notes that it had not seen (``fit_reader.py --held-out``)."""
EVENT_DOUBT = 0.8
"""SD of an event's true effect, in units of its size."""

MOST_DOWN, MOST_UP = -0.30, 0.15
"""Bounds of the whole shift, as a share of the models' median."""


@dataclass(frozen=True)
class Lever:
    """One reason to move.

    Attributes
    ----------
    id : str
        Line of the briefing: ``X1`` a personal effect, ``U1`` a usual one, ``J2`` a sentence of the wearer.
    kind : str
        ``effect`` (personal), ``usual`` (a rule of thumb for a fact without own nights), ``event`` (a sentence
        judged by the model) or ``free`` (a free answer's own size).
    text : str
        What it is, in words.
    effect_ms, sd_ms : float, ms
        Its size on night 1 and the doubt about it.
    taken_ms : float, ms
        How much of it moves the forecast.
    behaviour : str or None
        Of an effect; of an event what it is about: ``body``, ``heart``, ``night`` or ``relief``.
    evidence : tuple of str
        Evidence ids of the summary, or the place of the words.
    lasts : dict horizon -> share
        Its effect on each night, as a share of night 1's.
    counted_ms : float or None
        What the models made of the same fact already; None when they don't read it.
    """

    id: str
    kind: Literal["effect", "usual", "event", "free"]
    text: str
    effect_ms: float
    sd_ms: float
    taken_ms: float
    behaviour: str | None
    evidence: tuple[str, ...]
    lasts: Mapping[int, float]
    counted_ms: float | None = None

    def describe(self) -> dict[str, Any]:
        """As JSON values, rounded as shown."""
        return {
            "id": self.id, "kind": self.kind, "text": self.text, "effect_ms": round(self.effect_ms, 2),
            "taken_ms": round(self.taken_ms, 2), "behaviour": self.behaviour, "evidence": list(self.evidence),
            "counted_ms": None if self.counted_ms is None else round(self.counted_ms, 2),
        }  # fmt: skip


def listed_levers(matched: Iterable[dict[str, Any]]) -> tuple[Lever, ...]:
    """The summary's matched effects whose sign is certain enough, largest first."""
    levers = []
    for effect in matched:
        if max(effect["p_negative"], 1 - effect["p_negative"]) < LEAST_CERTAINTY:
            continue
        half = (effect["high80_ms"] - effect["low80_ms"]) / (2 * 1.2816)
        levers.append((effect, half))
    levers.sort(key=lambda pair: (-abs(pair[0]["effect_ms"]), pair[0]["behaviour"]))
    return tuple(
        Lever(
            f"X{i}", "effect", effect["text"], effect["effect_ms"], half, effect["effect_ms"], effect["behaviour"],
            tuple(dict.fromkeys((effect["evidence"], effect["fact_evidence"]))),
            LASTING if effect["behaviour"] in LASTING_BEHAVIOURS else ONE_NIGHT,
        )
        for i, (effect, half) in enumerate(levers, start=1)
    )  # fmt: skip


def event_lever(sentence_id: str, about: str, text: str, judged: str, median_ms: float, where: str) -> Lever:
    """What a sentence was judged to do to the night (a key of ``EVENT_PCT``), in ms at the present median."""
    size = EVENT_PCT[judged] / 100 * median_ms
    return Lever(
        sentence_id, "event", text, size, EVENT_DOUBT * abs(size), size, about, (where,), EVENT_CARRY[about]
    )


def shift_of_nights(levers: Iterable[Lever], median_ms: float) -> tuple[dict[int, float], dict[int, float]]:
    """Shift and its doubt for each night.

    Returns
    -------
    shifts_ms, sds_ms : dict horizon -> ms
    """
    shifts = dict.fromkeys(HORIZONS, 0.0)
    variances = dict.fromkeys(HORIZONS, 0.0)
    for lever in levers:
        share = min(abs(lever.taken_ms / lever.effect_ms), 1.0) if lever.effect_ms else 0.0
        for horizon, carried in lever.lasts.items():
            shifts[horizon] += lever.taken_ms * carried
            variances[horizon] += (lever.sd_ms * share * carried) ** 2
    bounded = {h: min(max(shift, MOST_DOWN * median_ms), MOST_UP * median_ms) for h, shift in shifts.items()}
    return bounded, {h: v**0.5 for h, v in variances.items()}
