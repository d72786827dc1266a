"""Made-up members with known effects, as the tables have them: nights, strain, and a journal of twenty behaviours.

The world of forecasting.md 8: 20 behaviours, few of them real, Student-t noise, AR 0.25, a drifting level, habits that
go with weekends. Noise and frequencies were set so that the raw difference and the plain adjusted regression err about
as much as they do in its table (4.6 and 4.7 points at 90 days): the task is as hard as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from hrv_shared import schemas
from hrv_shared.history import History, make_history

__all__ = ["WORLDS", "Member", "World", "make_member"]

MEMBER, LAST_DAY = "synthetic", date(2026, 6, 30)
BEHAVIOURS = 20
PERSISTENCE, TAILS, NOISE, DRIFT = 0.25, 4.0, 0.14, 0.012
WEEKEND, WEEKEND_MORE, WEEKEND_HABITS = -0.02, 1.8, 10
STRAIN_EFFECT = -0.09
DRINKS, TYPICAL_DRINKS = (1, 2, 3, 3, 4, 5), 3


@dataclass(frozen=True)
class World:
    """What is true: effects in % (of alcohol: of three drinks), and how often a habit is done.

    ``drawn_sd_pct``: every effect is drawn from a normal law with this SD instead.
    """

    name: str
    real_pct: Mapping[str, float] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    share: tuple[float, float] = (0.15, 0.35)
    drawn_sd_pct: float = 0.0
    tails: float = TAILS


WORLDS = {
    world.name: world
    for world in (
        World("main", {"alcohol": -24.0, "habit_15": -15.0, "habit_8": 8.0, "habit_6": -6.0}),
        World("studied", {"alcohol": -15.0, "sick": -15.0, "habit_8": 8.0, "habit_6": -6.0}),
        World(
            "seldom",
            {"alcohol": -24.0, "habit_15": -15.0, "habit_8": 8.0, "habit_6": -6.0},
            share=(0.07, 0.12),
        ),
        World("nothing acts", nulls=("alcohol", "sick")),
        World("everything acts a little", drawn_sd_pct=6.0),
        World(
            "normal noise",
            {"alcohol": -24.0, "habit_15": -15.0, "habit_8": 8.0, "habit_6": -6.0},
            tails=200.0,
        ),
    )
}


@dataclass(frozen=True)
class Member:
    """One made-up member.

    Attributes
    ----------
    history : History
        As the rooms read it.
    truth_ln : dict behaviour -> effect on ln RMSSD (of alcohol: of three drinks)
    y, done, weekday, strain : ndarray
        For the rival methods: ln RMSSD [N], whether each behaviour was done before the night [N, 20] in the order of
        ``truth_ln``, wake weekday [N], strain of the day before in steps of five [N].
    """

    history: History
    truth_ln: dict[str, float]
    y: np.ndarray
    done: np.ndarray
    weekday: np.ndarray
    strain: np.ndarray


def make_member(world: World, nights: int, seed: int) -> Member:
    """Draw one member; equal seeds give equal members."""
    rng = np.random.default_rng(seed)
    truth = _truth(world, rng)
    names = list(truth)
    days = [LAST_DAY - timedelta(days=nights - 1 - i) for i in range(nights)]
    weekday = np.array([day.weekday() for day in days])
    share = rng.uniform(*world.share, BEHAVIOURS)
    linked = np.zeros(BEHAVIOURS, dtype=bool)
    linked[rng.choice(BEHAVIOURS, WEEKEND_HABITS, replace=False)] = True
    often = np.where((weekday >= 5)[:, None] & linked, np.minimum(WEEKEND_MORE * share, 0.8), share)
    done = rng.random((nights, BEHAVIOURS)) < often
    dose = done.astype(float)
    drinks = rng.choice(DRINKS, nights)
    if "alcohol" in truth:
        dose[:, names.index("alcohol")] *= drinks / TYPICAL_DRINKS
    strain = rng.normal(0.0, 0.6, nights)
    y = np.log(60.0) + np.cumsum(rng.normal(0.0, DRIFT, nights)) + _noise(rng, nights, world.tails)
    y += WEEKEND * (weekday >= 5) + STRAIN_EFFECT * strain + dose @ np.array(list(truth.values()))
    history = make_history(
        _days_table(days, y, strain), _journal_table(days, names, done, drinks), MEMBER, _at(LAST_DAY, 21.5), LAST_DAY,
        "evening",
    )  # fmt: skip
    return Member(history, truth, y, done.astype(float), weekday, strain)


def _truth(world: World, rng: np.random.Generator) -> dict[str, float]:
    truth = {name: float(np.log1p(pct / 100.0)) for name, pct in world.real_pct.items()}
    truth |= dict.fromkeys(world.nulls, 0.0)
    for i in range(BEHAVIOURS - len(truth)):
        truth[f"null_{i:02d}"] = (
            float(rng.normal(0.0, world.drawn_sd_pct / 100.0)) if world.drawn_sd_pct else 0.0
        )
    return truth


def _noise(rng: np.random.Generator, nights: int, tails: float) -> np.ndarray:
    new = NOISE * rng.standard_t(tails, nights) * np.sqrt((1 - 2 / tails) * TAILS / (TAILS - 2))
    noise = np.zeros(nights)
    carried = 0.0
    for i in range(nights):
        carried = PERSISTENCE * carried + new[i]
        noise[i] = carried
    return noise


def _days_table(days: list[date], y: np.ndarray, strain: np.ndarray) -> pl.DataFrame:
    """Two vintages a day: after waking, and when the day has closed with its strain."""
    columns = schemas.TABLES["days"].columns
    after = [*strain[1:], 0.0]  # strain [i] is of the day before night i
    rows = []
    for day, value, coming in zip(days, np.exp(np.clip(y, np.log(6.0), np.log(240.0))), after, strict=True):
        row = dict.fromkeys(columns) | {
            "member_id": MEMBER, "day": day, "known_at": _at(day, 7.5), "basis": "seen", "source": "synthetic",
            "state": "scored", "utc_offset_min": 0, "hrv_rmssd_ms": float(value), "wake_at": _at(day, 7.0), "flags": [],
        }  # fmt: skip
        closed = {
            "strain_0_21": 11.0 + 5.0 * float(coming),
            "strain_is_final": True,
            "known_at": _at(day, 21.4),
        }
        rows += [row, row | closed | {"day_closed_at": _at(day, 21.4)}]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _journal_table(days: list[date], names: list[str], done: np.ndarray, drinks: np.ndarray) -> pl.DataFrame:
    columns = schemas.TABLES["journal_facts"].columns
    rows = []
    for i, night in enumerate(days):
        evening = night - timedelta(days=1)
        base = dict.fromkeys(columns) | {
            "member_id": MEMBER, "revision": 1, "known_at": _at(evening, 21.0), "basis": "seen", "source": "synthetic",
            "entry_key": f"entry:{night}", "day": evening, "night": night, "is_plan": False, "confidence": 1.0,
            "status": "accepted", "quote": "",
        }  # fmt: skip
        rows.append(base | {"fact_key": f"{night}:note", "behaviour": "free_note", "kind": "text"})
        for at in np.flatnonzero(done[i]):
            said = {"kind": "yes"}
            if names[at] == "alcohol":
                said = {"kind": "amount", "amount": float(drinks[i]), "unit": "drinks"}
            rows.append(base | said | {"fact_key": f"{night}:{names[at]}", "behaviour": names[at]})
    return pl.DataFrame(rows, schema=columns, orient="row")


def _at(day: date, hour: float) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour)
