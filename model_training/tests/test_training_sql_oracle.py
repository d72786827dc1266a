"""Every feature equals what a DuckDB program finds in the raw tables, for every origin day, to 1e-9."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import HORIZONS
from hrv_shared.daytime import replay_evening_at
from hrv_shared.history import make_history
from model_training import features as features_module
from model_training.behaviours import BEHAVIOURS
from model_training.day_grid import DayGrid, day_grid
from model_training.design import design, usual_doses
from model_training.features import Features, features, target_columns, weekday_effects
from sql_oracle import Oracle, ask

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily_hrv.parquet"
SLOTS = ("evening", "morning")
FIRST = date(2026, 2, 24)
LENGTH = 96


def differences(grid: DayGrid, oracle: Oracle) -> list[str]:
    """Everything in which Python and SQL disagree, and every column that one of them lacks."""
    seen = features(grid)
    ours = {name: seen.column(name) for name in seen.names}
    ours |= {"anchor": seen.anchor, "scale": seen.scale, "nights": seen.nights.astype(float)}
    faults = _compare("", ours, oracle.origin)
    for h in HORIZONS:
        names, x = target_columns(grid, h)
        laid = design(grid, h, seen)
        faults += _compare(f"h{h} ", dict(zip(names, x.T, strict=True)) | {"y": laid.y}, oracle.target[h])
    usual = dict(zip((b.name for b in BEHAVIOURS), usual_doses(grid).T, strict=True))
    faults += _compare("usual ", usual, oracle.usual_doses)
    effects = {"weekday effects": weekday_effects(grid).ravel()}
    return faults + _compare("", effects, {"weekday effects": oracle.weekday_effects.ravel()})


def _compare(label: str, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> list[str]:
    faults = [f"{label}{name}: only one of them has it" for name in sorted(set(ours) ^ set(theirs))]
    for name in ours.keys() & theirs.keys():
        same_shape = ours[name].shape == theirs[name].shape
        if not same_shape or not np.allclose(ours[name], theirs[name], atol=1e-9, rtol=0, equal_nan=True):
            faults.append(f"{label}{name}: the numbers differ")
    return faults


def both(days, journal, as_of, origin, slot) -> tuple[DayGrid, Oracle]:
    grid = day_grid(make_history(days, journal, "me", as_of, origin, slot))
    return grid, ask(days, journal, "me", as_of, origin, slot)


@pytest.mark.parametrize("slot", SLOTS)
def test_a_synthetic_wearer(wearer_of, slot):
    wearer = wearer_of(140, seed=3, missing=0.1)
    history = wearer.history(slot=slot)
    assert differences(*both(wearer.days, wearer.journal, history.as_of, history.origin_day, slot)) == []


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("ago", [0, 1, 26, 61])
def test_a_nasty_history(table_of, fact_of, slot, ago):
    """Gaps, no Wednesday at all, three time zones, corrections, late and repeated words, plans; from four days on."""
    days, journal = nasty_days(table_of), nasty_journal(table_of, fact_of)
    origin = FIRST + timedelta(days=LENGTH - 1 - ago)
    hour = 21 if slot == "evening" else 9
    as_of = datetime(origin.year, origin.month, origin.day, hour, 20, tzinfo=UTC)
    grid, oracle = both(days, journal, as_of, origin, slot)
    assert differences(grid, oracle) == []
    if ago == 0:
        column = features(grid).column
        tame = [
            name
            for name in features(grid).names
            if len(np.unique(column(name)[np.isfinite(column(name))])) < 2
        ]
        assert tame == [], "the history is too tame for these"
        assert np.isfinite(grid.dose).any(axis=(0, 1)).all(), "a behaviour was never told"


def test_a_feature_without_its_sql_is_noticed(wearer_of, monkeypatch):
    wearer = wearer_of(40)
    history = wearer.history()
    grid, oracle = both(wearer.days, wearer.journal, history.as_of, history.origin_day, "evening")
    assert differences(grid, oracle) == []

    def with_one_more(grid: DayGrid) -> Features:
        seen = features_module.features(grid)
        x = np.column_stack([seen.x, seen.anchor])
        return Features((*seen.names, "moon"), x, seen.anchor, seen.scale, seen.nights)

    monkeypatch.setitem(differences.__globals__, "features", with_one_more)
    assert differences(grid, oracle) == ["moon: only one of them has it"]


@pytest.mark.parametrize(
    ("constant", "value", "felt"),
    [
        ("ANCHOR_HALF_LIFE", 14.1, "anchor"), ("USUAL_HALF_LIFE", 27.0, "coverage"), ("LEAST_VALUES", 4, "strain_z"),
        ("SCALE_NIGHTS", 11.0, "scale"), ("WEEKDAY_NIGHTS", 9.0, "h3 weekday_own"), ("Z_MOST", 1.5, "rhr_z"),
    ],
)  # fmt: skip
def test_another_number_is_noticed(wearer_of, monkeypatch, constant, value, felt):
    """The oracle would see a half-life or a threshold that is off by a little."""
    wearer = wearer_of(60, seed=1)
    history = wearer.history()
    grid, oracle = both(wearer.days, wearer.journal, history.as_of, history.origin_day, "evening")
    monkeypatch.setattr(features_module, constant, value)
    assert f"{felt}: the numbers differ" in differences(grid, oracle)


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not beside the checkout")
@pytest.mark.parametrize("slot", SLOTS)
def test_real_people(table_of, slot):
    """The longest series of every source; steps are there for the SQL too."""
    everybody = pl.read_parquet(REAL).filter(pl.col("hrv_rmssd_ms").is_not_null())
    people = everybody.group_by("dataset", "person_id").len().sort("dataset", "len", "person_id")
    chosen = people.group_by("dataset", maintain_order=True).tail(1)
    assert len(chosen) >= 5
    if slot == "morning":
        chosen = chosen.filter(pl.col("dataset").is_in(["lifesnaps", "whoop_community"]))
    for dataset, person, _ in chosen.iter_rows():
        days = real_days(pl.read_parquet(REAL).filter(dataset=dataset, person_id=person), table_of)
        origin = days["day"].max()
        as_of = datetime(origin.year, origin.month, origin.day, 22, tzinfo=UTC)
        grid, oracle = both(days, table_of("journal_facts", []), as_of, origin, slot)
        assert differences(grid, oracle) == [], dataset


def real_days(rows: pl.DataFrame, table_of) -> pl.DataFrame:
    """Rows of the shared table as days, all times UTC, with the column of steps that other devices have."""
    made = []
    for row in rows.sort("date").iter_rows(named=True):
        day = row["date"].date()
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        onset = row["sleep_onset_h"]
        made.append(dict(
            member_id="me", day=day, known_at=noon, state="no_sleep" if row["hrv_rmssd_ms"] is None else "scored",
            utc_offset_min=0, hrv_rmssd_ms=row["hrv_rmssd_ms"], resting_hr_bpm=row["rhr_bpm"],
            resp_rate_rpm=row["resp_rate"], skin_temp_c=row["skin_temp_c"], asleep_min=row["sleep_min"],
            deep_min=row["deep_min"], strain_0_21=row["strain"],
            sleep_onset_at=None if onset is None else noon + timedelta(days=-1, seconds=round(onset * 3600)),
        ))  # fmt: skip
    return table_of("days", made).with_columns(steps_count=rows.sort("date")["steps"].cast(pl.Float64))


def nasty_days(table_of) -> pl.DataFrame:
    """Vintages of a wearer who travels, forgets the strap, changes the device and is corrected afterwards."""
    rng = np.random.default_rng(11)
    rows = [dict(member_id="someone else", day=FIRST + timedelta(days=k), known_at=_at(FIRST, k, 7), state="scored",
                 hrv_rmssd_ms=200.0, strain_0_21=20.0) for k in range(90)]  # fmt: skip
    for k in range(LENGTH):
        day = FIRST + timedelta(days=k)
        if day.weekday() == 2 or 40 <= k < 51 or k in (17, 18, 66):
            continue  # no row at all
        offset = 60 if k < 33 else 120 if k < 55 else -480 if k < 70 else 330
        wake = _at(day, 0, 6) + timedelta(minutes=int(rng.integers(-90, 200)) - offset)
        closed = wake + timedelta(hours=float(rng.uniform(14, 19)))
        night = dict(
            member_id="me", day=day, known_at=wake + timedelta(minutes=20), state="scored",
            utc_offset_min=None if k in (20, 56) else offset, hrv_rmssd_ms=float(np.exp(rng.normal(4.0, 0.25))),
            resting_hr_bpm=rng.normal(54, 3), resp_rate_rpm=rng.normal(15, 0.4), skin_temp_c=rng.normal(34, 0.3),
            asleep_min=rng.normal(420, 50), deep_min=rng.normal(80, 20), sleep_debt_min=float(rng.uniform(0, 90)),
            sleep_onset_at=wake - timedelta(hours=float(rng.uniform(5, 9))), wake_at=wake,
        )  # fmt: skip
        for name in (
            "resting_hr_bpm",
            "resp_rate_rpm",
            "skin_temp_c",
            "deep_min",
            "sleep_onset_at",
            "wake_at",
        ):
            if rng.random() < 0.12:
                night[name] = None
        state = {0: "calibrating", 1: "no_sleep", 9: "unscorable", 23: "invalid", 30: "pending"}.get(k)
        if state:
            night |= dict(state=state, hrv_rmssd_ms=70.0 if state == "calibrating" else None)
        if k in (12, 60):
            night["hrv_rmssd_ms"] = 0.4  # scored, but no such RMSSD exists
        workouts = (None, (3, 59), (4, 0), (18, 59), (19, 0), (23, 30))
        ended = workouts[int(rng.integers(len(workouts)))]
        local = None if ended is None else _at(day, int(ended[0] < 4), ended[0]) + timedelta(minutes=ended[1])
        device_knows_strain = not 52 <= k < 75
        day_values = dict(
            strain_0_21=float(rng.uniform(2, 19)) if device_knows_strain else None,
            steps_count=float(rng.integers(900, 20_000)) if k > 45 and rng.random() < 0.9 else None,
            workout_min=float(rng.integers(0, 90)) if rng.random() < 0.8 else None,
            nap_min=float(rng.integers(0, 60)) if rng.random() < 0.7 else None,
            last_workout_end_at=None if local is None else local - timedelta(minutes=offset),
            day_closed_at=None if k % 13 == 5 else closed + timedelta(days=2 * (k % 17 == 3)),
        )  # fmt: skip
        rows += [night, night | day_values | dict(known_at=closed)]
        if k in (7, 29, 80):  # corrected five days later
            rows.append(
                rows[-1] | dict(known_at=closed + timedelta(days=5), hrv_rmssd_ms=33.0, strain_0_21=1.0)
            )
        if k in (25, 77):  # gone, and one of them back again
            rows.append(rows[-1] | dict(known_at=closed + timedelta(days=1), state="vanished"))
        if k == 25:
            rows.append(
                rows[-1] | dict(known_at=closed + timedelta(days=3), state="scored", hrv_rmssd_ms=41.0)
            )
    steps = pl.Series("steps_count", [row.pop("steps_count", None) for row in rows], pl.Float64)
    return table_of("days", rows).with_columns(steps).sample(fraction=1.0, shuffle=True, seed=2)


def nasty_journal(table_of, fact_of) -> pl.DataFrame:
    """Words of every behaviour and kind, in time, too late, at the very instant, corrected, rejected and twice."""
    rng = np.random.default_rng(5)
    names = sorted({s for b in BEHAVIOURS for s in (*b.sources, b.opposite) if s}) + ["reading"]
    facts = []
    for k in range(LENGTH):
        day = FIRST + timedelta(days=k)
        for name in rng.choice(names, 4, replace=False):
            kind = str(
                rng.choice(
                    ["yes", "no", "amount", "scale", "time", "text"], p=[0.3, 0.2, 0.3, 0.1, 0.05, 0.05]
                )
            )
            asked_for_number = kind in ("amount", "scale")
            amount = (
                float(rng.choice([0.0, 0.5, 2.0, 3.5])) if asked_for_number and rng.random() < 0.9 else None
            )
            said = dict(
                behaviour=str(name), kind=kind, amount=amount, entry_key=None if rng.random() < 0.1 else f"entry {k}",
                known_at=_at(day, int(rng.choice([-1, 0, 0, 0, 1, 4])), int(rng.integers(8, 23))),
                confidence=[None, 0.4, 0.5, 0.9][int(rng.integers(4))],
                status=str(rng.choice(["accepted", "draft", "rejected"], p=[0.7, 0.2, 0.1])),
                source=str(rng.choice(["voice", "text"])),
                night=day + timedelta(days=int(rng.choice([1, 1, 1, 2, 5, 7]))),
            )  # fmt: skip
            if rng.random() < 0.05:
                said["night"] = None
            fact = fact_of(f"{k} {name}", day, **said)
            facts.append(fact)
            if rng.random() < 0.2:
                later = fact["known_at"] + timedelta(days=int(rng.integers(0, 3)), hours=1)
                change = dict(status="rejected") if rng.random() < 0.3 else dict(kind="amount", amount=1.0)
                facts.append(fact | dict(revision=2, known_at=later) | change)
    last = FIRST + timedelta(days=LENGTH - 1)
    near, edge = FIRST + timedelta(days=30), FIRST + timedelta(days=31)
    evening = replay_evening_at(near, 60, None)
    facts += [
        fact_of("beer", last, known_at=_at(last, 0, 19), kind="amount", amount=2.0, entry_key="tonight"),
        fact_of("whisky", last, known_at=_at(last, 0, 19), kind="amount", amount=1.0, entry_key="tonight"),
        fact_of("again", last, known_at=_at(last, 0, 20), kind="amount", amount=2.0, entry_key="later"),
        fact_of("plan", last, known_at=_at(last, 0, 8), behaviour="sauna", is_plan=True, entry_key="morning"),
        fact_of("after", last, known_at=_at(last, 0, 22), behaviour="fever", entry_key="too late"),
        fact_of("just", near, known_at=evening, behaviour="cannabis", kind="amount", amount=3.0),
        fact_of("not", edge, known_at=evening + timedelta(days=1, microseconds=1), behaviour="vaccination"),
        fact_of("his", near, known_at=_at(near, 0, 12), behaviour="travel", member_id="someone else"),
    ]
    return table_of("journal_facts", facts)


def _at(day: date, later_days: int, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) + timedelta(days=later_days)
