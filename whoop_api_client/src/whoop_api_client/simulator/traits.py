"""Who a synthetic member is: the fixed numbers that their nights and days are drawn from.

Assumes the shapes measured on 17 wearers (reference forecasting.md 2.3 and 2.4): every range below is
that table's median and 10-90 % range, or was set so that the simulated cohort reproduces it. It is not
physiology: a win on these members proves the pipeline, not the body.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["SPORTS", "TRAINING_LEVELS", "Effects", "Habits", "Traits", "draw_traits", "stream"]

SPORTS = ("running", "weightlifting", "cycling", "swimming", "functional-fitness")
TRAINING_LEVELS = ("none", "easy", "moderate", "hard")


@dataclass(frozen=True)
class Effects:
    """True effects on ln RMSSD of the night that follows; 0 means that the behaviour does nothing."""

    strain_per_point: float
    alcohol_per_drink: float
    illness: float
    travel: float
    late_meal: float
    stress_per_point: float
    caffeine_per_serving: float
    magnesium: float
    weekday: tuple[float, ...]
    """By wake day, Monday first."""


@dataclass(frozen=True)
class Habits:
    """How the member lives."""

    drinker: bool
    alcohol_share_weekday: float
    alcohol_share_weekend: float
    typical_drinks: float
    training_shares: tuple[float, float, float, float]
    strain_base_0_21: float
    strain_noise_0_21: float
    illness_per_day: float
    late_meal_share: float
    coffee_per_day: float
    magnesium_share: float
    nap_share: float
    journal_share: float
    missing_share: float
    bed_hour: float
    in_bed_h: float
    sports: tuple[str, ...]

    @property
    def strain_reference_0_21(self) -> float:
        """The member's usual day strain; the strain effect counts from here."""
        gains = (0.0, 2.7, 5.3, 7.8)
        return self.strain_base_0_21 + sum(p * g for p, g in zip(self.training_shares, gains, strict=True))


@dataclass(frozen=True)
class Traits:
    """Level, noise and effects of one member; ``*_ln`` are in units of ln RMSSD."""

    level_ms: float
    sd_ln: float
    ordinary_sd_ln: float
    hit_share: float
    hit_depth_ln: float
    hit_sd_ln: float
    ar1: float
    drift_sd_ln: float
    drift_days: float
    season_ln: float
    resting_hr_bpm: float
    resting_hr_correlation: float
    resp_rate_rpm: float
    skin_temp_c: float
    old_hardware: bool
    max_hr_bpm: int
    height_m: float
    weight_kg: float
    effects: Effects
    habits: Habits


def draw_traits(seed: int) -> Traits:
    """Draw one member's traits.

    Parameters
    ----------
    seed : int
        The member; equal seeds give equal traits.
    """
    rng = stream(seed, "traits")
    sd_ln = float(np.clip(0.222 * math.exp(0.28 * rng.standard_normal()), 0.13, 0.42))
    drift = rng.uniform(0.35, 0.6)
    return Traits(
        level_ms=float(np.clip(59 * math.exp(0.37 * rng.standard_normal()), 28, 140)),
        sd_ln=sd_ln,
        ordinary_sd_ln=0.53 * sd_ln,
        hit_share=float(rng.uniform(0.03, 0.08)),
        hit_depth_ln=float(sd_ln * rng.uniform(2.0, 3.0)),
        hit_sd_ln=0.75 * sd_ln,
        ar1=float(np.clip(0.30 + 0.10 * rng.standard_normal(), 0.0, 0.5)),
        drift_sd_ln=drift * sd_ln,
        drift_days=float(rng.uniform(35, 80)),
        season_ln=float(0.2 * sd_ln * rng.uniform(0, 2)),
        resting_hr_bpm=float(np.clip(rng.normal(56, 5), 44, 70)),
        resting_hr_correlation=float(np.clip(rng.normal(-0.775, 0.08), -0.91, -0.56)),
        resp_rate_rpm=float(rng.normal(15, 1)),
        skin_temp_c=float(rng.normal(33.6, 0.4)),
        old_hardware=bool(rng.random() < 0.1),
        max_hr_bpm=int(rng.integers(178, 201)),
        height_m=float(np.round(rng.normal(1.74, 0.09), 2)),
        weight_kg=float(np.round(rng.normal(74, 11), 1)),
        effects=_draw_effects(rng),
        habits=_draw_habits(rng),
    )


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that one more draw here never moves a number there."""
    return np.random.default_rng([seed, *purpose.encode()])


def _draw_effects(rng: np.random.Generator) -> Effects:
    weekday = np.array([0.06, 0.035, 0.0, 0.005, -0.012, -0.008, -0.008]) + 0.025 * rng.standard_normal(7)
    weekday -= weekday.mean()
    return Effects(
        strain_per_point=float(min(rng.normal(-0.0195, 0.009), -0.002)),
        alcohol_per_drink=float(-0.10 * math.exp(0.4 * rng.standard_normal())),
        illness=float(min(rng.normal(-0.095, 0.03), -0.02)),
        travel=float(min(rng.normal(-0.05, 0.02), 0.0)),
        late_meal=float(rng.normal(-0.02, 0.015)),
        stress_per_point=float(rng.normal(-0.01, 0.01)),
        caffeine_per_serving=0.0,
        magnesium=0.0,
        weekday=tuple(float(value) for value in weekday),
    )


def _draw_habits(rng: np.random.Generator) -> Habits:
    drinker = bool(rng.random() < 0.75)
    active = rng.uniform(0.7, 1.3)
    easy, moderate, hard = 0.2 * active, 0.2 * active, 0.15 * active
    return Habits(
        drinker=drinker,
        alcohol_share_weekday=float(rng.uniform(0.02, 0.16)) if drinker else 0.0,
        alcohol_share_weekend=float(rng.uniform(0.15, 0.55)) if drinker else 0.0,
        typical_drinks=float(rng.uniform(1.9, 3.1)),
        training_shares=(1 - easy - moderate - hard, easy, moderate, hard),
        strain_base_0_21=float(rng.normal(8.0, 0.8)),
        strain_noise_0_21=float(rng.uniform(1.3, 2.2)),
        illness_per_day=float(rng.uniform(1 / 130, 1 / 60)),
        late_meal_share=float(rng.uniform(0.04, 0.2)),
        coffee_per_day=float(rng.uniform(0.5, 2.8)),
        magnesium_share=float(rng.uniform(0.1, 0.6)),
        nap_share=float(rng.uniform(0.02, 0.08)),
        journal_share=float(rng.uniform(0.75, 0.97)),
        missing_share=float(np.clip(0.02 * math.exp(0.9 * rng.standard_normal()), 0.004, 0.25)),
        bed_hour=float(rng.normal(23.0, 0.5)),
        in_bed_h=float(np.clip(rng.normal(7.9, 0.35), 7.0, 8.8)),
        sports=tuple(str(sport) for sport in rng.permutation(SPORTS)[:3]),
    )
