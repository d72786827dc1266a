"""What is believed of an effect before this member's nights are seen: the literature's word, else "mostly little".

Every mean is a published or measured one (forecasting.md 2.4 and 4.3); every SD is as large as the effect, because
people differ that much. A behaviour without a line here gets the sparse law of `UNSTUDIED`, whose SD is 6 % in all.
All numbers are on ln RMSSD, at the member's typical dose.
"""

from __future__ import annotations

import math

from data_intelligence.sparse_prior import Prior

__all__ = [
    "CLOCK_PRIORS",
    "FIT_SD",
    "STUDIED",
    "UNSTUDIED",
    "WIDE_SD",
    "WIDTH_KEPT",
    "behaviour_prior",
    "clock_prior",
    "later_night_prior",
]

LITTLE_SD = 0.03
UNSTUDIED = Prior(0.0, 0.12, 0.2, LITTLE_SD)
UNSTUDIED_LATER = Prior(0.0, 0.06, 0.1, 0.012)

WIDE_SD = {"night": 0.20, "later": 0.10, "later, when the first night is asked": 0.022}
"""SDs under which the intervals are made: they say what the nights leave open, not how unlikely an effect is. The last
is the SD of `UNSTUDIED_LATER` in all: what is not asked needs no wide law."""

FIT_SD = {"night": 0.12, "later": 0.03}
"""SDs under which persistence, drift, tails and noise are found."""

WIDTH_KEPT = 0.97
"""Share of an interval's width that is kept. Under heavy tails a coefficient takes less than one night's part of the
weighted squares, about ``(nu + 2) / (nu + 5)``, but is counted as one: on made-up members sigma came out 7 % too large
at 90 nights and 4 % at 365; under normal noise 4 % too small."""

TYPICAL_DRINKS = 3.6


def _pct(change: float) -> float:
    return math.log1p(change / 100.0)


STUDIED = {
    "alcohol": Prior(_pct(-24), 0.20, 0.95, LITTLE_SD),  # five WHOOP users; Pietila 2018; 3.6 drinks typical
    "sick": Prior(_pct(-9), 0.08, 0.9, LITTLE_SD),  # three WHOOP users; Altini & Plews 2021 say -10
    "fever": Prior(_pct(-10), 0.12, 0.9, LITTLE_SD),
    "covid_symptoms": Prior(_pct(-10), 0.12, 0.9, LITTLE_SD),
    "vaccination": Prior(_pct(-11), 0.15, 0.9, LITTLE_SD),  # JMIR Form Res 2021 e28568
    "luteal_phase": Prior(_pct(-3.2), 0.05, 0.8, 0.02),  # Altini & Plews 2021
    "race_or_competition": Prior(_pct(-9), 0.10, 0.8, LITTLE_SD),  # a maximal run; strain +5 measured -9.1
}
"""At the typical dose of those who were measured."""

STUDIED_LATER = {
    "alcohol": Prior(_pct(-2), 0.05, 0.7, 0.012),
    "sick": Prior(_pct(-9), 0.08, 0.7, 0.02),
    "fever": Prior(_pct(-9), 0.10, 0.7, 0.02),
    "covid_symptoms": Prior(_pct(-9), 0.10, 0.7, 0.02),
    "vaccination": Prior(_pct(-4), 0.08, 0.5, 0.02),
}

CLOCK_PRIORS = {
    "alcohol_last_time": Prior(-0.02, 0.03),  # earlier is better, up to 9 h before bed
    "last_meal_time": Prior(-0.01, 0.02),
    "workout_end_time": Prior(
        -0.015, 0.025
    ),  # none if it ends 4 h before sleep, much when later (Leota 2025)
    "caffeine_last_time": Prior(-0.005, 0.015),
    "nicotine_last_time": Prior(0.0, 0.02),
    "sauna_end_time": Prior(0.0, 0.02),
}
"""For each hour later than usual."""


def behaviour_prior(behaviour: str, typical_dose: float | None) -> Prior:
    """Of the night after, at the typical dose; alcohol's grows with how much the member typically drinks."""
    known = STUDIED.get(behaviour, UNSTUDIED)
    if behaviour != "alcohol" or typical_dose is None:
        return known
    share = min(typical_dose / TYPICAL_DRINKS, 1.5)
    return Prior(known.mean * share, known.sd * max(share, 0.3), known.p_something, known.little_sd)


def later_night_prior(behaviour: str, nights_later: int) -> Prior:
    """Of the second and third night after."""
    known = STUDIED_LATER.get(behaviour, UNSTUDIED_LATER)
    if nights_later == 1 or behaviour in ("sick", "fever", "covid_symptoms"):
        return known
    return Prior(known.mean / 2.0, known.sd, known.p_something / 2.0, known.little_sd)


def clock_prior(behaviour: str) -> Prior:
    """Of one hour later than usual."""
    return CLOCK_PRIORS[behaviour]
