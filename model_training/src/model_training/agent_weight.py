"""How much the recalibrated agent weighs in ``final``: what its scored nights earned, never more than harm allows.

Two things are decided night by night, each from outcomes that were known at the origin:

**Earned.** Every weight of ``GRID`` is an expert whose loss is the CRPS of the average that it would have made; the
share of each follows exp(-rate x loss), in units of the mix's mean CRPS (V'yugin & Trunov 2019, arXiv 1902.10173), with
a fixed share that goes back to the start, so that an agent whose worth changes is found out and may come back (Herbster
& Warmuth 1998). Event nights (the agent moved the median by ``EVENT`` half-widths or more) and others are learned
apart, night 1 and later nights too. Where the agent moved nothing, or no lever that code had checked stands behind what
it moved, the weight is 0.

**Allowed.** Averaging w of the agent into the mix costs at most w x D, with D = 2 mean(max(t, 1 - t) |agent - mix|)
over the levels t, whatever comes true. The weight is held to what is left of a budget of ``HARM_NIGHTS`` mean CRPS plus
``HARM_SHARE`` of all CRPS so far, after the harm that is known and the worst that is still open. So final's CRPS summed
from the first night on can never exceed the mix's by more than the budget: 1 % from 200 nights on, whatever the agent
does. Past gains count at most ``GAIN_NIGHTS``, so that no agent can first earn trust and then spend all of it.

A new segment (prompt, model, sampling) starts with the weight of the start or, if that is less, with what the old one
had left: what was earned goes, what was lost stays and fades by the fixed share. Harm is counted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.quantile_tracking import half_width
from hrv_shared.scoring import crps_from_quantiles

__all__ = ["AgentWeights", "Voices", "agent_weights"]

LEVELS = np.asarray(QUANTILE_LEVELS)
GRID = np.array([0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0])
START = np.array([0.45, 0.12, 0.13, 0.12, 0.10, 0.05, 0.03])
"""Shares of the weights before anything was scored; they make a weight of 0.20, the most for an unproven agent."""
RATES = (1.0, 0.5)
"""Night 1, later nights (those overlap, and one event is told by several of them)."""
FIXED_SHARE = 0.01
EVENT = 0.25
HARM_NIGHTS = 1.0
HARM_SHARE = 0.005
GAIN_NIGHTS = 2.0
FEW = 14
"""Nights before which the mix's mean CRPS is not yet a unit; until then it is what the first mix expected of itself."""


@dataclass(frozen=True)
class Voices:
    """Mix and agent on the days up to the issue's origin, which is the last.

    Attributes
    ----------
    mix, agent : ndarray [N, 7, 23], ms
        Forecast of day index i + h at [i, h - 1]; NaN where there is none.
    outcomes_ms : ndarray [N]
        NaN where there is none.
    counts : ndarray [N, 7], bool
        Whether the agent moved something and a checked lever stands behind it.
    segments : sequence of str [N]
        Empty where the agent did not speak.
    """

    mix: np.ndarray
    agent: np.ndarray
    outcomes_ms: np.ndarray
    counts: np.ndarray
    segments: Sequence[str]


@dataclass(frozen=True)
class AgentWeights:
    """Weights at every origin, and what they rest on.

    Attributes
    ----------
    weights, earned : ndarray [N, 7]
        In force, and before harm held them back.
    event : ndarray [N, 7], bool
        Whether it was an event night.
    scored : ndarray [N, 7], int
        Scored nights of the agent that counted, of the origin's segment and of the same kind of night.
    gain_nights : ndarray [N, 7]
        What final has gained on the mix by then, in mean CRPS of the mix (past gains above the cap left out).
    """

    weights: np.ndarray
    earned: np.ndarray
    event: np.ndarray
    scored: np.ndarray
    gain_nights: np.ndarray


def agent_weights(voices: Voices) -> AgentWeights:
    """Walk through the origins; at each, weigh the agent by what was known there."""
    n, nights = voices.mix.shape[:2]
    both = np.isfinite(voices.agent[..., 0]) & np.isfinite(voices.mix[..., 0])
    counts = voices.counts & both
    event = counts & (_distance(voices) >= EVENT)
    losses = _losses(voices, counts)  # [N, 7, G], by origin
    worst = 2 * np.mean(np.maximum(LEVELS, 1 - LEVELS) * np.abs(voices.agent - voices.mix), axis=-1)
    usual = _expected_crps(voices.mix)
    shares, guards = _Shares(), [_Guard() for _ in HORIZONS]
    weights, earned, gain = np.zeros((n, nights)), np.zeros((n, nights)), np.zeros((n, nights))
    scored = np.zeros((n, nights), dtype=int)
    for i in range(n):
        if voices.segments[i]:
            shares.enter(voices.segments[i])
        for k, h in enumerate(HORIZONS):
            if i >= h and np.isfinite(losses[i - h, k, 0]):
                gain_ms = _gain(voices, losses, i, k)
                guards[k].learn(
                    i - h, losses[i - h, k, 0], gain_ms(weights[i - h, k]) if counts[i - h, k] else 0.0
                )
                if counts[i - h, k] and voices.segments[i - h] == shares.segment:
                    excess = (losses[i - h, k] - losses[i - h, k, 0]) / guards[k].unit(np.nan)
                    shares.learn(k, event[i - h, k], excess)
            elif i >= h:
                guards[k].learn(i - h, None, 0.0)
        for k in range(nights):
            unit = guards[k].unit(usual[i, k])
            gain[i, k] = guards[k].gained / unit if unit else 0.0
            if not counts[i, k]:
                continue
            earned[i, k] = shares.weight(k, event[i, k])
            scored[i, k] = shares.count(k, event[i, k])
            weights[i, k] = guards[k].allowed(earned[i, k], worst[i, k], unit)
            guards[k].open[i] = weights[i, k] * worst[i, k]
    return AgentWeights(weights, earned, event, scored, gain)


class _Shares:
    """The share of every weight of the grid, for each kind of night."""

    def __init__(self) -> None:
        self.segment = ""
        self._log = np.log(np.tile(START, (2, 2, 1)))  # night 1 or later, event or not
        self._count = np.zeros((2, 2), dtype=int)

    def enter(self, segment: str) -> None:
        """A new segment keeps no trust above the start, and no scored nights."""
        if segment == self.segment:
            return
        if self.segment:
            kept = np.minimum(1.0, np.exp(self._log) @ GRID / (START @ GRID))
            share = kept[..., None] * START
            share[..., 0] = 1 - share[..., 1:].sum(axis=-1)
            self._log = np.log(share)
            self._count[:] = 0
        self.segment = segment

    def learn(self, k: int, event: bool, excess: np.ndarray) -> None:
        kind = min(k, 1), int(event)
        log = self._log[kind] - RATES[kind[0]] * excess
        share = np.exp(log - log.max())
        self._log[kind] = np.log((1 - FIXED_SHARE) * share / share.sum() + FIXED_SHARE * START)
        self._count[kind] += 1

    def weight(self, k: int, event: bool) -> float:
        return float(np.exp(self._log[min(k, 1), int(event)]) @ GRID)

    def count(self, k: int, event: bool) -> int:
        return int(self._count[min(k, 1), int(event)])


class _Guard:
    """The budget of harm of one horizon, ms."""

    def __init__(self) -> None:
        self.open: dict[int, float] = {}
        self.gained = 0.0
        self._crps, self._nights = 0.0, 0
        self._first_unit = 0.0

    def unit(self, usual: float) -> float:
        """One night's CRPS of the mix: the mean so far, at the start what the mix expects of itself."""
        if np.isfinite(usual):
            self._first_unit = self._first_unit or usual
        return self._crps / self._nights if self._nights >= FEW else self._first_unit

    def learn(self, origin: int, crps_mix: float | None, gain: float) -> None:
        """A night came true, or will never (None)."""
        self.open.pop(origin, None)
        if crps_mix is not None:
            self._crps, self._nights = self._crps + crps_mix, self._nights + 1
            self.gained = min(self.gained + gain, GAIN_NIGHTS * self.unit(np.nan))

    def allowed(self, weight: float, worst: float, unit: float) -> float:
        """As much of a weight as the budget bears, if the worst comes true on this night and on all open ones."""
        left = HARM_NIGHTS * unit + HARM_SHARE * self._crps + self.gained - sum(self.open.values())
        held = min(weight, left / worst) if worst > 0 else weight
        return max(0.0, np.floor(1e4 * held) / 1e4)


def _distance(voices: Voices) -> np.ndarray:
    """How far the agent's median lies from the mix's, in half-widths of the mix's band; ndarray [N, 7]."""
    apart = np.log(voices.agent[..., MEDIAN_INDEX]) - np.log(voices.mix[..., MEDIAN_INDEX])
    return np.nan_to_num(np.abs(apart) / half_width(voices.mix))


def _losses(voices: Voices, counts: np.ndarray) -> np.ndarray:
    """CRPS of the average with every weight; ndarray [N, 7, G], the first is the mix's own; NaN = unknown."""
    n, nights = counts.shape
    losses = np.full((n, nights, len(GRID)), np.nan)
    for k, h in enumerate(HORIZONS):
        if n <= h:
            continue
        came, mix, agent = voices.outcomes_ms[h:], voices.mix[:-h, k], voices.agent[:-h, k]
        losses[:-h, k] = crps_from_quantiles(mix, came)[:, None]
        at = np.flatnonzero(counts[:-h, k])
        for g in range(1, len(GRID)):
            losses[at, k, g] = crps_from_quantiles(_averaged(mix[at], agent[at], GRID[g]), came[at])
    return losses


def _gain(voices: Voices, losses: np.ndarray, i: int, k: int):
    """What a weight gained on the mix for the night that came true on day i, ms."""
    j = i - HORIZONS[k]
    mix, agent, came = voices.mix[j : j + 1, k], voices.agent[j : j + 1, k], voices.outcomes_ms[i : i + 1]
    return lambda weight: float(losses[j, k, 0] - crps_from_quantiles(_averaged(mix, agent, weight), came)[0])


def _averaged(mix: np.ndarray, agent: np.ndarray, weight: float) -> np.ndarray:
    return (1 - weight) * mix + weight * agent


def _expected_crps(mix: np.ndarray) -> np.ndarray:
    """The CRPS that the mix expects of itself; ndarray [N, 7]."""
    apart = np.abs(mix[..., :, None] - mix[..., None, :]).mean(axis=(-1, -2))
    return apart / 2
