"""Made-up members with planted illness, travel, level shift, device change and overload.

Nights follow the statistics of real wearers (level, spread, autocorrelation, left tail, weekly rhythm, coupling of HRV
and resting heart rate). What makes it hard on purpose: evenings with alcohol that look like an illness and are logged
two times in three, menstrual cycles that move four channels every month, mild illnesses, half of the journeys without
any change of offset, drifting levels, nights not worn. It proves the pipeline, not the physiology.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from data_intelligence.nightly_channels import CHANNELS, TOLD, NightlyChannels
from hrv_shared.schemas import TABLES

__all__ = ["PlantedEvent", "PlantedMember", "planted_member"]

FIRST_DAY = date(2025, 1, 6)
WEEK_LN = np.array([0.058, 0.046, 0.006, 0.014, -0.027, -0.044, -0.046])
QUIET_NIGHTS, SPACING = 70, 24


@dataclass(frozen=True)
class PlantedEvent:
    """What was planted: rows ``start`` to ``end`` (the night of ``start`` is the first that shows it)."""

    kind: str
    start: int
    end: int
    size: float
    told: bool = False


@dataclass(frozen=True)
class PlantedMember:
    """One member's nights, journal and truth."""

    nights: NightlyChannels
    journal: pl.DataFrame
    moments: tuple[datetime, ...]
    events: tuple[PlantedEvent, ...]

    @property
    def untold(self) -> pl.DataFrame:
        """The journal without what would give the matter of an alert away."""
        giving_away = sorted(set().union(*TOLD.values()))
        return self.journal.filter(~pl.col("behaviour").is_in(giving_away))


def planted_member(seed: int, n: int = 420) -> PlantedMember:
    """Draw one member of ``n`` nights; equal seeds give equal members."""
    rng = np.random.default_rng([seed, 20261128])
    events = _draw_events(rng, n)
    days = tuple(FIRST_DAY + timedelta(days=i) for i in range(n))
    weekday = np.array([d.weekday() for d in days])
    facts: list[dict] = []
    ln, pulse, resp, skin, oxygen = _body(rng, n, weekday)
    strain = np.clip(rng.normal(rng.uniform(8, 13), rng.uniform(2, 3.5), n), 0.5, 20.5)
    onset, offset = rng.normal(rng.uniform(10.5, 12), rng.uniform(0.4, 0.9), n), np.full(n, 60.0)
    onset += 0.7 * np.isin(weekday, (5, 6))
    _drink(rng, days, weekday, (ln, pulse, resp, skin), facts)
    for event in events:
        _plant(rng, event, days, (ln, pulse, resp, skin, oxygen), strain, onset, offset, facts)
    ln[1:] += -0.09 * (strain[:-1] - strain.mean()) / 5
    worn = _worn(rng, n)
    values = dict(zip(CHANNELS, (ln, np.round(pulse), resp, skin, np.round(oxygen, 1)), strict=True))
    if rng.random() < 0.15:  # an old strap without the two sensors
        values["skin_temp_c"][:] = np.nan
        values["spo2_pct"][:] = np.nan
    values = {name: np.where(worn, x, np.nan) for name, x in values.items()}
    onset_utc = np.where(
        worn, onset - 1.0, np.nan
    )  # planted journeys move the instant; the home offset is +1 h
    nights = NightlyChannels(
        days, values, np.where(worn, onset_utc + offset / 60, np.nan), onset_utc, np.where(worn, 7.0, np.nan),
        np.where(worn, offset, np.nan), strain,
    )  # fmt: skip
    moments = tuple(_at(d, 12) for d in days)
    journal = pl.DataFrame(facts, schema=TABLES["journal_facts"].columns, orient="row")
    return PlantedMember(nights, journal, moments, events)


def _draw_events(rng: np.random.Generator, n: int) -> tuple[PlantedEvent, ...]:
    kinds = ["illness", "illness", "travel", "travel", "level_shift", "device_change", "overload"]
    rng.shuffle(kinds)
    room = (n - QUIET_NIGHTS - 30) // len(kinds)
    events = []
    for k, kind in enumerate(kinds):
        length = {
            "illness": rng.integers(3, 8),
            "travel": rng.integers(4, 11),
            "overload": rng.integers(14, 20),
        }
        span = int(length.get(kind, 1))
        slack = max(1, room - SPACING - min(span, 10))
        start = QUIET_NIGHTS + k * room + int(rng.integers(0, slack))
        size = {
            "illness": rng.uniform(0.5, 1.6), "travel": rng.choice([-1, 1]) * rng.integers(2, 9),
            "level_shift": rng.choice([-1, 1]) * rng.uniform(0.12, 0.3), "device_change": rng.uniform(0.7, 1.6),
            "overload": rng.uniform(0.1, 0.25),
        }[kind]  # fmt: skip
        told = bool(rng.random() < {"illness": 0.6, "travel": 0.5, "device_change": 0.3}.get(kind, 0.0))
        end = start + span - 1 if kind in length else n - 1
        events.append(PlantedEvent(kind, start, end, float(size), told))
    return tuple(events)


def _body(rng: np.random.Generator, n: int, weekday: np.ndarray) -> tuple[np.ndarray, ...]:
    """Undisturbed nights: drifting level, AR(1), left-tailed noise; pulse follows HRV with correlation about -0.8."""
    sd = rng.uniform(0.12, 0.24)
    noise = np.where(rng.random(n) < 0.07, rng.normal(-1.2, 1.0, n), rng.normal(0.09, 0.85, n)) * sd
    carried = np.zeros(n)
    for i in range(n):
        carried[i] = noise[i] + (0.23 * carried[i - 1] if i else 0.0)
    ln = np.log(rng.uniform(35, 95)) + np.cumsum(rng.normal(0, 0.004, n)) + carried + 0.8 * WEEK_LN[weekday]
    pulse = rng.uniform(46, 64) - rng.uniform(8, 14) * carried + rng.normal(0, 1.1, n)
    season = np.sin(2 * np.pi * np.arange(n) / 365 + rng.uniform(0, 6))
    pulse += np.cumsum(rng.normal(0, 0.05, n)) + 0.8 * season
    resp = rng.uniform(13, 17) + rng.normal(0, 0.32, n) - 0.4 * carried
    skin = rng.uniform(33.2, 34.8) + rng.normal(0, 0.3, n) + 0.25 * season
    oxygen = rng.uniform(94.5, 97.0) + rng.normal(0, 0.7, n)
    if rng.random() < 0.45:
        wave = np.sin(2 * np.pi * (np.arange(n) + rng.integers(28)) / rng.uniform(26, 31))
        ln, pulse, resp, skin = ln - 0.05 * wave, pulse + 1.3 * wave, resp + 0.25 * wave, skin + 0.2 * wave
    return ln, pulse, resp, skin, oxygen


def _drink(rng, days, weekday, body, facts) -> None:
    ln, pulse, resp, skin = body
    share, effect = rng.uniform(0.02, 0.2), rng.uniform(0.1, 0.45)
    for i, day in enumerate(days):
        if rng.random() < share * (2.0 if weekday[i] in (5, 6) else 0.7):
            dose = rng.uniform(0.4, 1.5)
            ln[i] -= effect * dose
            pulse[i] += 16 * effect * dose
            resp[i] += 0.5 * dose * rng.random()
            skin[i] += 0.25 * dose * rng.random()
            if rng.random() < 0.66:
                facts.append(_fact(day - timedelta(days=1), "alcohol"))


def _plant(rng, event: PlantedEvent, days, body, strain, onset, offset, facts) -> None:
    ln, pulse, resp, skin, oxygen = body
    span = slice(event.start, event.end + 1)
    if event.kind == "illness":
        length = event.end - event.start + 1
        course = event.size * np.minimum(
            1.0, np.array([0.6, 1.0, *np.linspace(1.0, 0.3, max(length - 2, 1))])
        )
        course = course[:length] * rng.uniform(0.85, 1.15, length)
        for x, per in ((ln, -0.22), (pulse, 6.0), (resp, 1.4), (skin, 0.7), (oxygen, -0.8)):
            x[span] += per * course * rng.uniform(0.5, 1.4)
        strain[span] *= 0.6
        for i in range(event.start, event.end + 1):
            if event.told and rng.random() < 0.7:
                facts.append(_fact(days[i], "sick"))
    elif event.kind == "travel":
        with_offset = rng.random() < 0.5
        left = event.size
        for i in range(event.start, min(event.end + 4, len(ln))):
            away = i <= event.end
            if away and with_offset:
                offset[i] = 60.0 + 60 * event.size
            moved = left * (1 - 0.6 ** (i - event.start + 1)) if away else left * 0.4 ** (i - event.end)
            onset[i] -= moved if away else 0.5 * moved
            ln[i] -= 0.05 if away else 0.0
        if event.told:
            facts.append(_fact(days[event.start] - timedelta(days=1), "air_travel"))
    elif event.kind == "level_shift":
        ln[span] += event.size
        pulse[span] -= 9 * event.size
    elif event.kind == "device_change":
        for x, per in ((ln, 0.1), (pulse, 2.0), (resp, 0.7), (skin, 0.8), (oxygen, 1.2)):
            if rng.random() < 0.8:
                x[span] += rng.choice([-1, 1]) * per * event.size * rng.uniform(0.6, 1.4)
        if event.told:
            facts.append(_fact(days[event.start] - timedelta(days=1), "device_changed"))
    else:
        ramp = np.minimum(1.0, np.arange(event.end - event.start + 1) / 5)
        strain[span] = np.clip(strain[span] + 4.0, 0, 20.5)
        ln[span] -= event.size * ramp
        pulse[span] += 16 * event.size * ramp
        tail = slice(event.end + 1, min(event.end + 8, len(ln)))
        fade = np.linspace(0.85, 0.1, tail.stop - tail.start)
        ln[tail] -= event.size * fade
        pulse[tail] += 16 * event.size * fade


def _worn(rng: np.random.Generator, n: int) -> np.ndarray:
    worn, i = np.ones(n, dtype=bool), 0
    while i < n:
        if rng.random() < 0.012:
            gap = int(rng.integers(1, 5))
            worn[i : i + gap] = False
            i += gap
        i += 1
    return worn


def _fact(day: date, behaviour: str) -> dict:
    """One accepted fact spoken at nine in the evening of ``day``."""
    night = day + timedelta(days=1)
    return {
        "member_id": "made-up", "fact_key": f"{day}:{behaviour}", "revision": 1, "known_at": _at(day, 21),
        "basis": "seen", "source": "voice", "entry_key": str(day), "day": day, "night": night,
        "behaviour": behaviour, "kind": "yes", "amount": None, "unit": None, "clock_time": None, "is_plan": False,
        "quote": behaviour, "confidence": 1.0, "status": "accepted",
    }  # fmt: skip


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
