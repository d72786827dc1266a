"""agent_calibrated: the agent's rows after what its own scored nights teach about it, and nothing else.

Language models are overconfident and overstate single effects; both are learned here from the outcomes of the same
segment (prompt, model, sampling), each horizon as late as its nights come true:

- how much of a shift to believe, one factor over all horizons, drawn to ``BELIEVED`` by ``BELIEVED_NIGHTS`` nights
  with a shift of ``USUAL_SHIFT``;
- a bias and a factor of the spread for each horizon, drawn to none by ``BIAS_NIGHTS`` and ``SPREAD_NIGHTS`` nights and
  by as much as chance alone would show (James and Stein): the models that the agent corrects are calibrated already;
  what is not known about a shift widens the band of the nights that have one;
- at last each level's offset (``hrv_shared.quantile_tracking``).

Everything happens on the ln scale, in half-widths of the band, and errors count up to ``WINSOR`` half-widths of the
band as it is calibrated by then, so that one odd night teaches no more than a bad one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hrv_shared import quantile_tracking
from hrv_shared.constants import AGENT, AGENT_CALIBRATED, HORIZONS, MEDIAN_INDEX, QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.quantile_tracking import half_width, moved, no_offsets, tracked
from hrv_shared.record import canonical_json

__all__ = ["SEGMENT", "SHIFT", "Recalibrated", "has_moved", "recalibrate", "recalibrated_rows", "segment_of"]

SHIFT, SEGMENT = "shift_of_this_night_ms", "segment"
"""Keys of an agent row's reasons: what it moved this night's median by, and whose score segment it belongs to."""

BELIEVED = 0.6
BELIEVED_NIGHTS = 20.0
USUAL_SHIFT = 0.08
"""ln; the size of shift by which the nights of the prior are counted."""
MOST_BELIEVED = 1.5
BELIEF_SD = 0.5
"""How far a night's true effect lies from the believed one, as a share of the shift, before anything was scored."""
BIAS_NIGHTS = 40.0
SPREAD_NIGHTS = 20.0
SPREADS = (0.5, 3.0)
NOISIER = 2.0
"""Variance of a mean of errors against that of independent ones: bad nights come in rows, and the errors of h nights
ahead overlap, h times more."""
SPREAD_NOISE = 0.75
"""Variance of the log spread of one night, as measured by a square; 0.5 for a normal distribution."""
WINSOR = 3.0
HALF_LIFE = 180.0
"""Nights after which an outcome counts half: an agent's bias drifts with the wearer."""
SD_OF_HALF_WIDTH = 1.0364
"""Half the 15-85 % band of a normal distribution, in its standard deviations."""

VERSION = "1." + hashlib.sha256(
    b"".join(Path(f).read_bytes().replace(b"\r\n", b"\n") for f in (__file__, quantile_tracking.__file__))
).hexdigest()[:8]  # fmt: skip


@dataclass(frozen=True)
class Recalibrated:
    """The recalibrated forecasts of every origin, and what was known about the agent there.

    Attributes
    ----------
    quantiles_ms : ndarray [N, 7, 23]
        NaN where the agent did not speak.
    believed : ndarray [N]
        Share of a shift that is believed.
    bias_pct, spread : ndarray [N, 7]
        Percent by which the median is moved besides; factor of the band.
    scored : ndarray [N, 7], int
        Outcomes that they rest on.
    """

    quantiles_ms: np.ndarray
    believed: np.ndarray
    bias_pct: np.ndarray
    spread: np.ndarray
    scored: np.ndarray


def recalibrated_rows(agent_rows: Sequence[ForecastRow], past_scores: pl.DataFrame) -> list[ForecastRow]:
    """The rows of ``agent_calibrated`` beside the agent's own of one issue.

    Parameters
    ----------
    agent_rows : sequence of ForecastRow
        Raw rows of ``agent``, one issue, with ``SHIFT`` and ``SEGMENT`` among their reasons.
    past_scores : DataFrame
        ``hrv_shared.past_scores.known_scores(store, issue)``: nothing in it was learned after the issue's as_of.
    """
    rows = [row for row in agent_rows if row.forecaster == AGENT]
    if not rows:
        return []
    origin, segment = rows[0].origin_day, segment_of(rows[0])
    said, shifts_ms, outcomes = _arrays(rows, _own_past(past_scores, segment, origin))
    learned = recalibrate(said, shifts_ms, outcomes)
    made = []
    for row in rows:
        k = row.horizon - 1
        told = row.reasons or {}
        quantiles = tuple(float(q) for q in learned.quantiles_ms[-1, k])
        reasons = {
            SHIFT: round(_believed_ms(row, float(learned.believed[-1])), 3), SEGMENT: segment,
            "moved": has_moved(told),
            "levers": [lever["id"] for lever in told.get("levers", ()) if lever.get("taken_ms")],
            "believed": round(float(learned.believed[-1]), 4), "bias_pct": round(float(learned.bias_pct[-1, k]), 3),
            "spread": round(float(learned.spread[-1, k]), 4), "scored_nights": int(learned.scored[-1, k]),
        }  # fmt: skip
        digest = hashlib.sha256(
            canonical_json([row.input_digest, row.version, list(row.quantiles_ms), list(quantiles)]).encode()
        ).hexdigest()
        made.append(
            replace(
                row, forecaster=AGENT_CALIBRATED, version=f"{VERSION}+{segment}", quantiles_ms=quantiles,
                input_digest=digest, reasons=reasons,
            )
        )  # fmt: skip
    return made


def _believed_ms(row: ForecastRow, believed: float) -> float:
    """What is left of a row's shift when a share of it, on the ln scale, is believed."""
    median = row.quantiles_ms[MEDIAN_INDEX]
    base = max(median - float((row.reasons or {}).get(SHIFT, 0.0)), 0.1 * median)
    return base * ((median / base) ** believed - 1)


def has_moved(reasons: dict[str, Any]) -> bool:
    """Whether an agent row differs at all from what it corrects."""
    return bool(
        reasons.get(SHIFT, 0.0) or reasons.get("hit_weight", 0.0) or reasons.get("spread_factor", 1.0) != 1.0
    )


def segment_of(row: ForecastRow) -> str:
    """The score segment of an agent row; rows that name none belong together."""
    return str((row.reasons or {}).get(SEGMENT, "none"))


def recalibrate(said: np.ndarray, shifts_ms: np.ndarray, outcomes_ms: np.ndarray) -> Recalibrated:
    """Walk through the origins; at each, correct what the agent said by the outcomes known there.

    Parameters
    ----------
    said : ndarray [N, 7, 23], ms
        Forecast of day index i + h at [i, h - 1]; NaN where the agent did not speak.
    shifts_ms : ndarray [N, 7], ms
        What the agent had moved the medians by.
    outcomes_ms : ndarray [N], ms
        NaN where there is none.
    """
    n = len(outcomes_ms)
    median = said[..., MEDIAN_INDEX]
    with np.errstate(invalid="ignore"):
        base = np.log(np.maximum(median - shifts_ms, 0.1 * median))
        shift, width, log_y = np.log(median) - base, half_width(said), np.log(outcomes_ms)
    share = 1.0 / np.maximum(np.sum(np.abs(np.nan_to_num(shift)) > 1e-9, axis=1), 1)
    learner = _Learner()
    calibrated = np.full(said.shape, np.nan)
    believed, bias = np.zeros(n), np.zeros((n, len(HORIZONS)))
    spread, scored = np.ones((n, len(HORIZONS))), np.zeros((n, len(HORIZONS)), dtype=int)
    for i in range(n):
        learner.forget()
        for k, h in enumerate(HORIZONS):
            j = i - h
            if j >= 0 and np.isfinite(log_y[i]) and np.isfinite(median[j, k]):
                learner.learn(k, log_y[i] - base[j, k], shift[j, k], width[j, k], share[j])
                learner.offsets[k] = tracked(learner.offsets[k], calibrated[j, k], outcomes_ms[i])
                learner.count[k] += 1
        believed[i], scored[i] = learner.believed, learner.count
        for k in range(len(HORIZONS)):
            spread[i, k] = learner.spread(k)
            if np.isfinite(median[i, k]):
                bias[i, k] = 100 * np.expm1(learner.bias(k) * width[i, k])
                calibrated[i, k] = learner.corrected(k, said[i, k], base[i, k], shift[i, k], width[i, k])
    return Recalibrated(calibrated, believed, bias, spread, scored)


class _Learner:
    """What the scored nights so far say of the agent."""

    def __init__(self) -> None:
        self.offsets = [no_offsets() for _ in HORIZONS]
        self.count = np.zeros(len(HORIZONS), dtype=int)
        self._shift_sq = self._shift_by_error = 0.0
        self._nights, self._error, self._square = (np.zeros(len(HORIZONS)) for _ in range(3))

    @property
    def believed(self) -> float:
        prior = BELIEVED_NIGHTS * USUAL_SHIFT**2
        share = (BELIEVED * prior + self._shift_by_error) / (prior + self._shift_sq)
        return float(np.clip(share, 0.0, MOST_BELIEVED))

    def bias(self, k: int) -> float:
        """In half-widths."""
        nights = max(self._nights[k], 1e-9)
        variance = NOISIER * HORIZONS[k] * self._square[k] / nights / SD_OF_HALF_WIDTH**2 / nights
        return _beyond_chance(self._error[k] / (self._nights[k] + BIAS_NIGHTS), variance)

    def spread(self, k: int) -> float:
        nights = SPREAD_NIGHTS + self._nights[k]
        log_factor = 0.5 * np.log((SPREAD_NIGHTS + self._square[k]) / nights)
        return float(np.clip(np.exp(_beyond_chance(log_factor, SPREAD_NOISE / nights)), *SPREADS))

    def forget(self) -> None:
        keep = 0.5 ** (1 / HALF_LIFE)
        self._shift_sq, self._shift_by_error = keep * self._shift_sq, keep * self._shift_by_error
        for sums in (self._nights, self._error, self._square):
            sums *= keep

    def learn(self, k: int, residual: float, shift: float, width: float, share: float) -> None:
        """One outcome: ``residual`` is ln(outcome / base median)."""
        bias, limit = self.bias(k), WINSOR * self.spread(k)
        error = float(np.clip((residual - self.believed * shift) / width, -limit, limit))
        sd = SD_OF_HALF_WIDTH * (error - bias) / self._widening(shift, width)
        self._nights[k] += 1
        self._error[k] += error
        self._square[k] += sd**2
        if shift:
            told = limit * width
            self._shift_sq += share * shift**2
            self._shift_by_error += share * shift * float(np.clip(residual - bias * width, -told, told))

    def corrected(
        self, k: int, quantiles_ms: np.ndarray, base: float, shift: float, width: float
    ) -> np.ndarray:
        log_q = np.log(quantiles_ms)
        median = base + self.believed * shift + self.bias(k) * width
        factor = self.spread(k) * self._widening(shift, width)
        return moved(np.exp(median + factor * (log_q - log_q[MEDIAN_INDEX])), self.offsets[k])

    def _widening(self, shift: float, width: float) -> float:
        """What is not known about a shift, as a factor of the band."""
        prior = BELIEVED_NIGHTS * USUAL_SHIFT**2
        unsure = BELIEF_SD * np.sqrt(prior / (prior + self._shift_sq))
        return float(np.sqrt(1 + (SD_OF_HALF_WIDTH * unsure * shift / width) ** 2))


def _beyond_chance(value: float, variance: float) -> float:
    """What is left of an estimate when its sampling variance is taken off its square (positive-part James-Stein)."""
    return float(value * max(0.0, 1.0 - variance / value**2)) if value else 0.0


def _own_past(
    past_scores: pl.DataFrame, segment: str, origin
) -> list[tuple[int, int, list[float], float, float]]:
    """Age in days, horizon, quantiles, shift and outcome of the segment's scored rows."""
    age = (pl.lit(origin) - pl.col("origin_day")).dt.total_days()
    own = past_scores.filter(pl.col("forecaster") == AGENT, pl.col("reasons").is_not_null())
    rows = own.select(age, "horizon", "quantiles_ms", "reasons", "hrv_rmssd_ms").iter_rows()
    return [
        (days, horizon, quantiles, float(told.get(SHIFT, 0.0)), outcome)
        for days, horizon, quantiles, reasons, outcome in rows
        if days > 0 and (told := json.loads(reasons)).get(SEGMENT, "none") == segment
    ]


def _arrays(
    now: Sequence[ForecastRow], past: Sequence[tuple[int, int, list[float], float, float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Said [N, 7, 23], shifts [N, 7] and outcomes [N] on the days up to the origin, which is the last."""
    n = max((days for days, *_ in past), default=0) + 1
    said = np.full((n, len(HORIZONS), len(QUANTILE_LEVELS)), np.nan)
    shifts, outcomes = np.zeros((n, len(HORIZONS))), np.full(n, np.nan)
    for days, horizon, quantiles, shift_ms, outcome in past:
        said[n - 1 - days, horizon - 1], shifts[n - 1 - days, horizon - 1] = quantiles, shift_ms
        if horizon <= days:
            outcomes[n - 1 - days + horizon] = outcome
    for row in now:
        said[-1, row.horizon - 1] = row.quantiles_ms
        shifts[-1, row.horizon - 1] = float((row.reasons or {}).get(SHIFT, 0.0))
    return said, shifts, outcomes
