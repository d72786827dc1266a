"""From days to nights: the level, the effects of the day before, an AR(1) residual, and now and then a hit night.

ln RMSSD(d) = level(d) + effects(day d-1, weekday of d) + ar1 * residual(d-1) + shock(d)

The shock is a mixture with mean zero: ordinary, or with a small share a deep loss that nobody logged.
Told events (`told_events`), where they are on, are one more effect.
What it is not: no hormones, no age, no interaction of behaviours; effects are additive in ln RMSSD.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from whoop_api_client.simulator.behaviours import Behaviours
from whoop_api_client.simulator.nightly_law import NightlyLaw
from whoop_api_client.simulator.traits import Traits, stream

__all__ = ["NightTruth", "simulate_nights"]


@dataclass(frozen=True)
class NightTruth:
    """The truth of the night that ends on ``wake_day``; ``*_ln`` in ln RMSSD, ``z`` in the member's own SDs."""

    wake_day: date
    level_ln: float
    effects_ln: dict[str, float]
    residual_carried_ln: float
    law: NightlyLaw
    hit: bool
    hrv_rmssd_ms: float
    resting_hr_bpm: float
    recovery_pct: float
    observed: bool = True


def simulate_nights(
    seed: int, traits: Traits, behaviours: list[Behaviours], told_ln: Sequence[float] | None = None
) -> list[NightTruth]:
    """Nights that end on the days of ``behaviours``, each following from the day before it.

    ``told_ln`` : what told events add to each night; None where they are off.
    """
    rng = stream(seed, "nights")
    levels = _levels(stream(seed, "level"), traits, [b.day for b in behaviours])
    nights: list[NightTruth] = []
    recent: list[float] = []
    residual = 0.0
    for k, today in enumerate(behaviours):
        yesterday = behaviours[k - 1] if k else None
        effects = _effects(traits, yesterday, today.day)
        if told_ln is not None:
            effects["told_event"] = told_ln[k]
        carried = traits.ar1 * residual
        expected = levels[k] + sum(effects.values()) + carried
        law = _law(traits, expected)
        uniform, shock, heart_noise, recovery_noise = rng.random(), *rng.standard_normal(3)
        hit = bool(uniform < traits.hit_share)
        ln = law.means_ln[hit] + law.sds_ln[hit] * shock
        residual = ln - expected + carried
        recent.append(ln)
        nights.append(
            NightTruth(
                wake_day=today.day,
                level_ln=float(levels[k]),
                effects_ln=effects,
                residual_carried_ln=float(carried),
                law=law,
                hit=hit,
                hrv_rmssd_ms=float(math.exp(ln)),
                resting_hr_bpm=_resting_hr(traits, ln, heart_noise),
                recovery_pct=_recovery(traits, recent, recovery_noise),
            )
        )
    return nights


def _effects(traits: Traits, yesterday: Behaviours | None, wake_day: date) -> dict[str, float]:
    """Contribution of each cause to ln RMSSD of the night ending on ``wake_day``."""
    true = traits.effects
    effects = {"weekday": true.weekday[wake_day.weekday()]}
    if yesterday is None:
        return effects
    strain_above = yesterday.day_strain_0_21 - traits.habits.strain_reference_0_21
    return effects | {
        "strain": true.strain_per_point * strain_above,
        "alcohol": true.alcohol_per_drink * yesterday.alcohol_drinks,
        "illness": true.illness * yesterday.illness,
        "travel": true.travel * yesterday.travel,
        "late_meal": true.late_meal * yesterday.late_meal,
        "stress": true.stress_per_point * (yesterday.stress_1to5 - 2),
        "caffeine": true.caffeine_per_serving * yesterday.caffeine_servings,
        "magnesium": true.magnesium * yesterday.magnesium,
    }


def _law(traits: Traits, expected_ln: float) -> NightlyLaw:
    share, depth = traits.hit_share, traits.hit_depth_ln
    ordinary = expected_ln + share * depth
    return NightlyLaw(
        weights=(1 - share, share),
        means_ln=(ordinary, ordinary - depth),
        sds_ln=(traits.ordinary_sd_ln, traits.hit_sd_ln),
    )


def _levels(rng: np.random.Generator, traits: Traits, days: list[date]) -> np.ndarray:
    """Slow level: the member's own, a yearly wave, and a drift that forgets itself in ``drift_days``."""
    keep = math.exp(-1 / traits.drift_days)
    drift = np.empty(len(days))
    drift[0] = traits.drift_sd_ln * rng.standard_normal()
    steps = traits.drift_sd_ln * math.sqrt(1 - keep**2) * rng.standard_normal(len(days))
    for k in range(1, len(days)):
        drift[k] = keep * drift[k - 1] + steps[k]
    yearly = np.array([math.cos(2 * math.pi * (day.timetuple().tm_yday - 200) / 365.25) for day in days])
    return math.log(traits.level_ms) + drift + traits.season_ln * yearly


def _resting_hr(traits: Traits, ln: float, noise: float) -> float:
    """Same window, same night: ln resting HR falls with ln RMSSD at the member's own correlation."""
    z = (ln - math.log(traits.level_ms)) / traits.sd_ln
    r = traits.resting_hr_correlation
    return float(traits.resting_hr_bpm * math.exp(0.08 * (r * z + math.sqrt(1 - r * r) * noise)))


def _recovery(traits: Traits, recent_ln: list[float], noise: float) -> float:
    """0-100 %: where this night stands against the member's own last 30, with other inputs as noise."""
    window = recent_ln[-30:]
    z = (recent_ln[-1] - sum(window) / len(window)) / traits.sd_ln
    score = 0.35 + 0.60 * z + 0.36 * noise
    return float(min(max(round(50 * (1 + math.erf(score / math.sqrt(2)))), 1), 99))
