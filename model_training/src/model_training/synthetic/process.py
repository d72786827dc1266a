"""One day and one night of the synthetic process, in innovations form.

Every state is a function of the *observed* past and the person's parameters (single source of error: the surprise of a
night moves the level), so nothing has to be filtered and the law of the coming night can be written down. The hidden
rest (an unlogged drink, an illness not yet seen, a hit night) has no memory but illness, and illness shows itself in
the skin temperature of the very night that it acts on. A night that was not worn has no surprise.

With y = ln RMSSD of night t+1 and the facts of day t before it:

    y = location + e,   location = person + slow + fast + weekday + season + device
                                   + strain, load, late workout, sleep debt + what the journal says of day t
    e = unlogged drinks + unlogged illness + (sigma z, or on a hit night -drop sigma + 1.3 sigma z)
    slow' = m_s slow + sigma (g_s k - g_r z_rhr),   fast' = m_f fast + sigma (g_f k - g_r z_rhr - g_b z_resp)

where k is the surprise in sigmas, clipped (a bad night rebounds fast), cleared of the illness that the night revealed.
The same functions serve the generator (arrays [N] over people) and the law (arrays [O, M] over origins and paths).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model_training.synthetic.people import DOSES, People

__all__ = [
    "HIT_SPREAD", "Calendar", "Day", "Night", "State", "advance", "calendar", "dose_law", "draw_day",
    "draw_night", "hit_probability", "location", "logged_probability", "missing_probability", "sick_probability",
]  # fmt: skip

HIT_SPREAD = 1.3
SICK_ON, SICK_STAY = 0.006, 0.72
LATE_SHARE = 0.22
DEVICE_CHANGE = 1 / 900
DAY_UNSEEN_IN_GAP = 0.7
LOGGED_SOBER, LOGGED_DRINKING = 0.92, 0.85
GAP_FACTOR_DRINKING = 2.5
SURPRISE_CLIP = 2.0
SURPRISE_CENTRE = 0.22
_UNIX_WEEKDAY = 3
"""1970-01-01 was a Thursday (Monday is 0)."""


@dataclass
class State:
    """What the observed past has left behind on the morning of a day; arrays of any one shape.

    ``sick`` (yesterday) is the one hidden entry; ``acute``, ``chronic``, ``strain_before`` are strain points around the
    personal mean, ``debt_h`` hours of sleep, ``readiness`` last night's surprise in sigmas.
    """

    slow: np.ndarray
    fast: np.ndarray
    acute: np.ndarray
    chronic: np.ndarray
    strain_before: np.ndarray
    debt_h: np.ndarray
    readiness: np.ndarray
    missing: np.ndarray
    sick: np.ndarray
    device: np.ndarray


@dataclass
class Day:
    """Facts of a waking day; ``seen`` says whether strain and workouts were recorded, ``logged`` the journal."""

    strain: np.ndarray
    workout: np.ndarray
    late: np.ndarray
    seen: np.ndarray
    drinks: np.ndarray
    sick: np.ndarray
    logged: np.ndarray
    device: np.ndarray


@dataclass
class Night:
    """A night: ``y`` ln RMSSD, ``e`` its surprise, standardised surprises of RHR and breathing, hours asleep."""

    missing: np.ndarray
    y: np.ndarray
    e: np.ndarray
    hit: np.ndarray
    z_rhr: np.ndarray
    z_resp: np.ndarray
    sleep_h: np.ndarray


@dataclass
class Calendar:
    """What the date alone says of a day and of the night after it."""

    strain: np.ndarray
    drinking: np.ndarray
    hrv: np.ndarray
    weekend: np.ndarray


def calendar(person: People, day_number: np.ndarray) -> Calendar:
    """Calendar terms of days counted from 1970-01-01; the night after a day has the wake day that follows.

    ``person`` of N people with ``day_number`` [N], or of one person with any shape.
    """
    weekday = (day_number + _UNIX_WEEKDAY) % 7
    wake = (weekday + 1) % 7
    angle = 2 * np.pi * (day_number + 1 - person.season_peak) / 365.25
    return Calendar(
        strain=_by_weekday(person.strain_weekday, weekday),
        drinking=_by_weekday(person.drink_probability, weekday),
        hrv=_by_weekday(person.hrv_weekday, wake) + person.season_amplitude * np.cos(angle),
        weekend=wake >= 5,
    )


def draw_day(person: People, state: State, cal: Calendar, u: dict[str, np.ndarray]) -> Day:
    """Draw the facts of a day from uniforms ``u`` (``z_strain`` is a standard normal)."""
    workout = u["workout"] < person.workout_probability
    around = (
        person.strain_mean
        + cal.strain
        + person.workout_strain * (workout - person.workout_probability)
        + 0.15 * state.strain_before
        + person.strain_readiness * state.readiness
    )
    drinking = u["drinking"] < cal.drinking
    drinks = np.where(drinking, _dose(person, u["dose"]), 0)
    return Day(
        strain=np.clip(around + person.strain_noise * u["z_strain"], 0.5, 20.8),
        workout=workout,
        late=workout & (u["late"] < LATE_SHARE),
        seen=~(state.missing & (u["seen"] < DAY_UNSEEN_IN_GAP)),
        drinks=drinks,
        sick=u["sick"] < sick_probability(state.sick),
        logged=u["logged"] < logged_probability(person, drinks),
        device=state.device | (u["device"] < DEVICE_CHANGE),
    )


def draw_night(person: People, state: State, day: Day, cal: Calendar, u: dict[str, np.ndarray]) -> Night:
    """Draw the night after ``day``; entries of nights not worn carry values that nobody sees."""
    hit = u["hit"] < hit_probability(person, day, cal)
    noise = np.where(hit, HIT_SPREAD * u["z"] - person.hit_drop, u["z"]) * person.sigma
    unlogged = person.alcohol_effect * day.drinks + person.sick_effect * day.sick
    e = noise + np.where(day.logged, 0.0, unlogged)
    return Night(
        missing=u["missing"] < missing_probability(person, state, day.drinks),
        y=location(person, state, day, cal) + e,
        e=e,
        hit=hit,
        z_rhr=u["z_rhr"],
        z_resp=u["z_resp"],
        sleep_h=person.sleep_mean / 60 + 0.2 * np.clip(e / person.sigma, -3, 3) + 0.9 * u["z_sleep"],
    )


def advance(person: People, state: State, day: Day, night: Night) -> State:
    """The state on the next morning, from what was observed of ``day`` and ``night`` alone (``sick`` apart)."""
    worn = ~night.missing
    revealed = np.where(day.logged, 0.0, person.sick_effect * day.sick)
    surprise = np.clip((night.e - revealed) / person.sigma, -SURPRISE_CLIP, SURPRISE_CLIP) + SURPRISE_CENTRE
    surprise = np.where(worn, surprise, 0.0)
    z_rhr = np.where(worn, night.z_rhr, 0.0)
    z_resp = np.where(worn, night.z_resp, 0.0)
    strain = _strain_around_mean(person, day)
    short_h = np.where(worn, person.sleep_mean / 60 - night.sleep_h, 0.0)
    return State(
        slow=person.slow_memory * state.slow
        + person.sigma * person.slow_gain * (surprise - 2.0 * person.rhr_gain * z_rhr),
        fast=person.fast_memory * state.fast
        + person.sigma * (person.fast_gain * surprise - person.rhr_gain * z_rhr - person.resp_gain * z_resp),
        acute=state.acute + (strain - state.acute) * (2 / 8),
        chronic=state.chronic + (strain - state.chronic) * (2 / 43),
        strain_before=strain,
        debt_h=0.75 * state.debt_h + short_h,
        readiness=surprise,
        missing=night.missing,
        sick=day.sick,
        device=day.device,
    )


def location(person: People, state: State, day: Day, cal: Calendar) -> np.ndarray:
    """Centre of an ordinary night on the ln scale, given everything that can be known on the evening before."""
    strain = _strain_around_mean(person, day)
    acute = state.acute + (strain - state.acute) * (2 / 8)
    chronic = state.chronic + (strain - state.chronic) * (2 / 43)
    logged = person.alcohol_effect * day.drinks + person.sick_effect * day.sick
    return (
        person.location
        + state.slow
        + state.fast
        + cal.hrv
        + person.device_shift * day.device
        + person.strain_effect * strain
        + person.load_effect * (acute - chronic)
        + person.late_effect * (day.late & day.seen)
        + person.debt_effect * state.debt_h
        + np.where(day.logged, logged, 0.0)
    )


def hit_probability(person: People, day: Day, cal: Calendar) -> np.ndarray:
    """Weight of the hit component; weekends and hard days, as far as they were recorded, raise it."""
    hard = np.clip(_strain_around_mean(person, day) / 4.0, -2.0, 2.0)
    return 1.0 / (1.0 + np.exp(-(person.hit_logit + 0.4 * cal.weekend + 0.35 * hard)))


def missing_probability(person: People, state: State, drinks: np.ndarray) -> np.ndarray:
    """Probability that the night is not worn; three drinks make a gap likelier, whether told or not."""
    start = person.gap_start * np.where(drinks >= 3, GAP_FACTOR_DRINKING, 1.0)
    return np.where(state.missing, person.gap_stay, start)


def sick_probability(sick_before: np.ndarray) -> np.ndarray:
    """Probability of being ill today given yesterday's illness, or given its probability."""
    return SICK_ON + (SICK_STAY - SICK_ON) * sick_before


def logged_probability(person: People, drinks: np.ndarray) -> np.ndarray:
    """Probability that the journal of a day is kept; nobody's journal is complete, and least so after drinks."""
    return person.journals * np.where(drinks > 0, LOGGED_DRINKING, LOGGED_SOBER)


def dose_law(person: People, drinking: np.ndarray) -> np.ndarray:
    """Law of the day's drinks [..., D] over DOSES for one person, given the weekday's chance to drink."""
    law = np.asarray(drinking)[..., None] * person.dose_weights
    law[..., 0] = 1.0 - drinking
    return law


def _strain_around_mean(person: People, day: Day) -> np.ndarray:
    return np.where(day.seen, day.strain - person.strain_mean, 0.0)


def _dose(person: People, u: np.ndarray) -> np.ndarray:
    edges = np.cumsum(person.dose_weights, axis=-1)
    drinks = np.full(np.shape(u), DOSES[1])
    for k in range(1, len(DOSES) - 1):
        drinks = np.where(u > edges[..., k], DOSES[k + 1], drinks)
    return drinks


def _by_weekday(values: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    if values.ndim == 1:
        return values[weekday]
    return values[np.arange(len(values)), weekday]
