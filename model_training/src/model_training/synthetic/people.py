"""Who lives in the synthetic cohort: every parameter of every person, drawn once and known exactly.

The spreads are set so that the nights look like those of ``forecasting.md`` 2.3 and answer to the day as in 2.4.
Effects act on ln RMSSD; -0.10 is about -10 %. Nothing here was fitted to anybody's record.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

__all__ = ["DOSES", "People", "draw_people"]

DOSES = (0, 1, 2, 3, 4, 6, 8)
"""Drinks of a day, in standard drinks."""

TYPICAL_DRINKS = 3.6
"""Drinks of the typical drinking day that the personal alcohol effect is quoted for."""

_HRV_WEEKDAY = np.array([0.042, 0.031, 0.000, 0.008, -0.023, -0.022, -0.004])
"""Pooled effect by wake day Mon..Sun, without what drinking adds to the weekend."""
_STRAIN_WEEKDAY = np.array([-0.3, 0.3, 0.2, 0.2, -0.1, 0.6, -0.9])
_DRINKING_WEEKDAY = np.array([0.50, 0.50, 0.65, 0.80, 1.70, 2.00, 0.75])
_DOSE_WEIGHTS = np.array([0.19, 0.20, 0.20, 0.17, 0.15, 0.09])


@dataclass(frozen=True)
class People:
    """True parameters, one entry per person; ``one(i)`` gives the scalars of person i.

    Attributes
    ----------
    location : ndarray [N], ln ms
    sigma : ndarray [N], SD of an ordinary night on the ln scale
    hit_logit, hit_drop : ndarray [N], usual log-odds of an unexplained bad night; its depth in sigmas
    slow_gain, fast_gain, fast_memory, slow_memory : ndarray [N], how a surprise moves the level and tomorrow
    rhr_gain, resp_gain : ndarray [N], what surprises of resting HR and breathing add to both
    hrv_weekday, strain_weekday, drink_probability : ndarray [N, 7], by weekday Mon..Sun (HRV by wake day)
    dose_weights : ndarray [N, 7], law of DOSES on a drinking day (first entry 0)
    strain_effect, load_effect, late_effect, debt_effect : ndarray [N], ln per point, per point, per event, per h
    alcohol_effect, sick_effect : ndarray [N], ln per drink, ln per sick day
    season_amplitude, season_peak : ndarray [N], ln; day of the year
    device_shift : ndarray [N], ln, from the change of device on
    strain_mean, workout_probability, workout_strain, strain_noise, strain_readiness : ndarray [N]
    gap_start, gap_stay : ndarray [N], probability that a gap begins; that it goes on
    journals : ndarray [N] of bool, whether the person keeps a journal
    rhr_ln, rhr_hrv_slope, rhr_noise : ndarray [N]
    resp_mean, temp_mean, sleep_mean, onset_mean, steps_mean : ndarray [N], levels of the other night and day values
    """

    location: np.ndarray
    sigma: np.ndarray
    hit_logit: np.ndarray
    hit_drop: np.ndarray
    slow_gain: np.ndarray
    slow_memory: np.ndarray
    fast_gain: np.ndarray
    fast_memory: np.ndarray
    rhr_gain: np.ndarray
    resp_gain: np.ndarray
    hrv_weekday: np.ndarray
    strain_weekday: np.ndarray
    drink_probability: np.ndarray
    dose_weights: np.ndarray
    strain_effect: np.ndarray
    load_effect: np.ndarray
    late_effect: np.ndarray
    debt_effect: np.ndarray
    alcohol_effect: np.ndarray
    sick_effect: np.ndarray
    season_amplitude: np.ndarray
    season_peak: np.ndarray
    device_shift: np.ndarray
    strain_mean: np.ndarray
    workout_probability: np.ndarray
    workout_strain: np.ndarray
    strain_noise: np.ndarray
    strain_readiness: np.ndarray
    gap_start: np.ndarray
    gap_stay: np.ndarray
    journals: np.ndarray
    rhr_ln: np.ndarray
    rhr_hrv_slope: np.ndarray
    rhr_noise: np.ndarray
    resp_mean: np.ndarray
    temp_mean: np.ndarray
    sleep_mean: np.ndarray
    onset_mean: np.ndarray
    steps_mean: np.ndarray

    def one(self, index: int) -> People:
        """The same parameters for one person: Python floats, and arrays [7] where there is a weekday."""
        return People(
            **{
                f.name: values[index].item() if values.ndim == 1 else values[index]
                for f in fields(self)
                for values in (getattr(self, f.name),)
            }
        )


def draw_people(people: int, rng: np.random.Generator, journal_share: float) -> People:
    """Draw the parameters of ``people`` persons."""

    def normal(mean: float, sd: float, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
        return np.clip(rng.normal(mean, sd, people), low, high)

    def lognormal(median: float, sd: float) -> np.ndarray:
        return median * np.exp(rng.normal(0.0, sd, people))

    sigma = lognormal(0.140, 0.37)
    typical_alcohol = normal(-0.28, 0.20, -0.80, 0.04)
    rhr_hrv_slope = lognormal(0.18, 0.15)
    correlation = normal(-0.73, 0.13, -0.91, -0.42)
    return People(
        location=np.log(lognormal(61.0, 0.37)),
        sigma=sigma,
        hit_logit=normal(-2.5, 0.7),
        hit_drop=normal(2.9, 0.6, 1.4, 4.2),
        slow_gain=normal(0.082, 0.03, 0.02, 0.16),
        slow_memory=normal(0.986, 0.005, 0.965, 0.994),
        fast_gain=normal(0.24, 0.09, -0.05, 0.45),
        fast_memory=normal(0.35, 0.08, 0.1, 0.6),
        rhr_gain=normal(0.12, 0.05, 0.0, 0.25),
        resp_gain=normal(0.05, 0.03, 0.0, 0.12),
        hrv_weekday=_HRV_WEEKDAY + rng.normal(0.0, 0.016, (people, 7)),
        strain_weekday=_STRAIN_WEEKDAY + rng.normal(0.0, 0.7, (people, 7)),
        drink_probability=_drink_probability(people, rng),
        dose_weights=_dose_weights(people, rng),
        strain_effect=normal(-0.0150, 0.0100, -0.05, 0.006),
        load_effect=normal(-0.006, 0.006, -0.03, 0.01),
        late_effect=normal(-0.05, 0.03, -0.18, 0.02),
        debt_effect=normal(-0.004, 0.004, -0.015, 0.004),
        alcohol_effect=typical_alcohol / TYPICAL_DRINKS,
        sick_effect=normal(-0.12, 0.06, -0.30, 0.04),
        season_amplitude=np.abs(normal(0.0, 0.030)),
        season_peak=rng.uniform(0.0, 365.25, people),
        device_shift=normal(0.0, 0.08, -0.2, 0.2),
        strain_mean=normal(9.5, 1.5, 6.0, 13.0),
        workout_probability=normal(0.42, 0.16, 0.08, 0.85),
        workout_strain=normal(3.0, 0.8, 1.0, 5.0),
        strain_noise=normal(2.2, 0.5, 1.2, 3.6),
        strain_readiness=normal(0.35, 0.25, -0.3, 1.0),
        gap_start=np.clip(lognormal(0.009, 1.45), 0.001, 0.20),
        gap_stay=normal(0.58, 0.15, 0.15, 0.85),
        journals=rng.random(people) < journal_share,
        rhr_ln=np.log(normal(55.0, 6.5, 40.0, 75.0)),
        rhr_hrv_slope=rhr_hrv_slope,
        rhr_noise=rhr_hrv_slope * 1.45 * sigma * np.sqrt(1.0 / correlation**2 - 1.0),
        resp_mean=normal(15.0, 1.3, 11.0, 19.0),
        temp_mean=normal(33.8, 0.5, 32.0, 35.5),
        sleep_mean=normal(425.0, 35.0, 320.0, 510.0),
        onset_mean=normal(11.3, 0.8, 9.0, 14.0),
        steps_mean=lognormal(8500.0, 0.3),
    )


def _drink_probability(people: int, rng: np.random.Generator) -> np.ndarray:
    share = np.clip(rng.beta(1.2, 20.0, people), 0.0, 0.45)
    return np.clip(share[:, None] * _DRINKING_WEEKDAY, 0.0, 0.9)


def _dose_weights(people: int, rng: np.random.Generator) -> np.ndarray:
    tilt = np.exp(rng.normal(0.0, 0.2, people)[:, None] * (np.array(DOSES[1:]) - TYPICAL_DRINKS))
    weights = _DOSE_WEIGHTS * tilt
    return np.hstack([np.zeros((people, 1)), weights / weights.sum(axis=1, keepdims=True)])
