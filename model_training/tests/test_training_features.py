"""What a feature means, on numbers small enough to check by hand; that all are right is the SQL oracle's business."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import HORIZONS
from hrv_shared.history import make_history
from model_training.behaviours import BEHAVIOURS, doses
from model_training.day_grid import DayGrid, day_grid, ewma
from model_training.design import design
from model_training.features import (
    LEAST_VALUES,
    USUAL_SCALE,
    WEEKDAY_NIGHTS,
    features,
    target_columns,
    weekday_effects,
)

MONDAY = date(2026, 5, 4)
HEARD = datetime(2026, 5, 1, 20, tzinfo=UTC)
NIGHT = (
    "resting_hr_bpm",
    "resp_rate_rpm",
    "skin_temp_c",
    "asleep_min",
    "deep_min",
    "sleep_debt_min",
    "sleep_onset_h",
)
DAYTIME = ("strain_0_21", "steps_count", "workout_min", "nap_min", "late_workout")


def grid_of(log_hrv, **columns) -> DayGrid:
    """A grid from Monday on of which nothing is known but what is given."""
    n = len(log_hrv)

    def part(names):
        return {name: np.asarray(columns.get(name, np.full(n, np.nan)), dtype=float) for name in names}

    days = [MONDAY + timedelta(days=k) for k in range(n)]
    dose = np.full((n, len(HORIZONS), len(BEHAVIOURS)), np.nan)
    return DayGrid("evening", days, np.asarray(log_hrv, dtype=float), part(NIGHT), part(DAYTIME), dose)


# --- features -----------------------------------------------------------------------------------------------------


def test_the_level_forgets_by_half_in_a_half_life():
    assert ewma(np.array([1.0, 0.0]), 1.0)[1] == pytest.approx(1 / 3)
    assert ewma(np.array([np.nan, 2.0, np.nan]), 5.0)[1:] == pytest.approx([2.0, 2.0])
    assert np.isnan(ewma(np.array([np.nan, 2.0]), 5.0)[0])


def test_a_first_night_knows_nothing_and_says_so():
    seen = features(grid_of([4.0]))
    assert seen.anchor[0] == 4.0 and seen.scale[0] == pytest.approx(USUAL_SCALE) and seen.nights[0] == 1
    assert seen.column("night_0_back")[0] == 0 and np.isnan(seen.column("night_1_back")[0])
    assert np.isnan(seen.column("rhr_z")[0]) and seen.column("rhr_acute_z")[0] == 0


def test_nights_are_told_in_the_wearers_own_units():
    """The same person with twice the spread and another level has the same features but for the prior on the spread."""
    rng = np.random.default_rng(1)
    shape = rng.normal(0, 0.15, 400)
    quiet, loud = (features(grid_of(level + factor * shape)) for level, factor in ((3.2, 1.0), (4.7, 2.0)))
    for name in ("night_0_back", "level_8", "level_all"):
        a, b = quiet.column(name)[300:], loud.column(name)[300:]
        assert np.corrcoef(a, b)[0, 1] > 0.999 and 0.7 < np.std(b) / np.std(a) < 1.3
    assert loud.column("spread")[-1] > quiet.column("spread")[-1] + 0.4


def test_a_gap_is_counted_and_ends():
    nights = [4.0, 4.1, np.nan, np.nan, np.nan, 4.2]
    seen = features(grid_of(nights))
    assert seen.column("gap_nights").tolist() == [0, 0, 1, 2, 3, 0]
    assert seen.column("night_missing").tolist() == [0, 0, 1, 1, 1, 0]
    assert np.isnan(seen.column("night_0_back")[4]) and np.isfinite(seen.column("level_4")).all()
    assert features(grid_of([4.0] + [np.nan] * 20)).column("gap_nights")[-1] == 14


def test_a_quantity_speaks_from_its_fifth_value_on():
    strain = np.array([10, 12, np.nan, 8, 11, 18, 10.0])
    z = features(grid_of(np.full(7, 4.0), strain_0_21=strain)).column("strain_z")
    assert np.isnan(z[:5]).all() and z[5] > 1 and LEAST_VALUES == 5
    assert np.isnan(features(grid_of(np.full(7, 4.0))).column("strain_z")).all()
    constant = features(grid_of(np.full(9, 4.0), skin_temp_c=np.full(9, 33.3))).column("skin_z")
    assert (constant[4:] == 0).all()


def test_steps_stand_in_for_strain_only_where_there_is_none():
    n = 30
    steps = np.random.default_rng(2).uniform(2000, 15000, n)
    strain = np.where(np.arange(n) < 15, np.linspace(4, 18, n), np.nan)
    column = features(grid_of(np.full(n, 4.0), strain_0_21=strain, steps_count=steps)).column
    assert np.isnan(column("steps_z")[5:15]).all() and np.isfinite(column("steps_z")[15:]).all()
    assert np.isnan(column("strain_z")[15:]).all()
    assert column("load_1_back")[16] == column("steps_z")[15]


def test_the_weekday_effect_is_shrunk_and_of_that_weekday():
    """Sundays (index 6) are 0.3 lower; after k of them, k / (k + 8) of it is believed."""
    log_hrv = np.array([4.0 - 0.3 * (k % 7 == 6) for k in range(140)])
    effects = weekday_effects(grid_of(log_hrv))
    assert effects[-1, 6] < -0.5 and np.abs(effects[-1, :6]).max() < 0.5
    assert np.all(effects[:6, 6] == 0)
    share = 20 / (20 + WEEKDAY_NIGHTS)
    assert -4 * share <= effects[-1, 6]
    names, x = target_columns(grid_of(log_hrv), 2)
    row = dict(zip(names, x[4], strict=True))  # a Friday; two nights on it is Sunday
    assert row["wakes_on_6"] == 1 and sum(row[f"wakes_on_{k}"] for k in range(7)) == 1


def test_a_hidden_calendar_is_hidden():
    grid = replace(grid_of(4 + 0.1 * np.sin(np.arange(60))), knows_weekday=False)
    names, x = target_columns(grid, 1)
    assert not x[:, [k for k, name in enumerate(names) if name.startswith(("wakes", "weekday"))]].any()


def test_rows_have_their_own_outcome():
    rng = np.random.default_rng(3)
    grid = grid_of(4 + 0.2 * rng.normal(size=50))
    for h in HORIZONS:
        laid = design(grid, h)
        back = laid.anchor + laid.scale * laid.y
        np.testing.assert_allclose(back[6:-h], grid.log_hrv[6 + h :], atol=1e-12)
        assert np.isnan(laid.y[:6]).all() and np.isnan(laid.y[-h:]).all() and len(laid.known()) == 44 - h


@pytest.mark.parametrize("slot", ["evening", "morning"])
def test_nobody_has_no_features(wearer, slot):
    nobody = make_history(wearer.days.head(0), wearer.journal.head(0), "me", HEARD, MONDAY, slot)
    assert features(day_grid(nobody)).x.shape[0] == 0


# --- doses --------------------------------------------------------------------------------------------------------


def test_doses_tell_zero_from_unknown(table_of, fact_of):
    day = date(2026, 5, 1)

    def said(key, kind, **values):
        return fact_of(key, day, known_at=HEARD, kind=kind, **values)

    facts = [
        said("a", "no"), said("b", "yes"), said("c", "amount", amount=2.0), said("d", "amount", amount=40.0),
        said("e", "yes", behaviour="alcohol_free_day"), said("f", "no", behaviour="alcohol_free_day"),
        said("g", "amount", amount=90.0, behaviour="strength_training"), said("h", "time"),
        said("i", "yes", confidence=0.2), said("j", "yes", status="rejected"),
        said("k", "yes", behaviour="a behaviour of tomorrow's journal"), said("l", "yes", amount=0.0),
        said("m", "amount", amount=0.0), said("n", "yes", night=None), said("o", "yes", confidence=None),
    ]  # fmt: skip
    read = doses(table_of("journal_facts", facts)).select("entry_key", "behaviour", "dose").iter_rows()
    most = next(b.most for b in BEHAVIOURS if b.name == "alcohol")
    assert {key: (behaviour, dose) for key, behaviour, dose in read} == {
        "a": ("alcohol", 0.0), "b": ("alcohol", 3.0), "c": ("alcohol", 2.0), "d": ("alcohol", most),
        "e": ("alcohol", 0.0), "g": ("training_h", 1.5), "l": ("alcohol", 3.0), "m": ("alcohol", 0.0),
        "o": ("alcohol", 3.0),
    }  # fmt: skip


@pytest.mark.parametrize("amount", [-2.0, float("nan")])
def test_an_amount_that_is_none_is_a_bare_yes(table_of, fact_of, amount):
    fact = fact_of("a", MONDAY, known_at=HEARD, kind="amount", amount=amount)
    assert doses(table_of("journal_facts", [fact]))["dose"].to_list() == [3.0]


def told(wearer, table_of, *facts: dict) -> dict[int, dict[str, float]]:
    """Doses of the origin day by horizon, as told by these facts alone."""
    history = replace(wearer.history(), journal=table_of("journal_facts", list(facts)))
    columns = {h: target_columns(day_grid(history), h) for h in HORIZONS}
    return {h: dict(zip(names, x[-1], strict=True)) for h, (names, x) in columns.items()}


@pytest.fixture
def tonight(wearer, fact_of):
    """Facts of the origin day, heard two hours before the issue."""
    history = wearer.history()

    def fact(key: str, behaviour: str = "alcohol", **values) -> dict:
        heard = {"known_at": history.as_of - timedelta(hours=2)} | values
        return fact_of(key, history.origin_day, behaviour=behaviour, **heard)

    return fact


def test_one_entry_adds_up_and_a_second_one_does_not_count_twice(wearer, table_of, tonight):
    found = told(
        wearer, table_of, tonight("beer", kind="amount", amount=2.0, entry_key="evening"),
        tonight("whisky", kind="amount", amount=1.0, entry_key="evening"),
        tonight("again", kind="amount", amount=2.0, entry_key="later"),
    )  # fmt: skip
    assert found[1]["dose_alcohol"] == 3.0 and np.isnan(found[2]["dose_alcohol"])


def test_the_sum_of_an_entry_is_bounded_too(wearer, table_of, tonight):
    found = told(
        wearer, table_of, tonight("beer", kind="amount", amount=8.0, entry_key="evening"),
        tonight("wine", kind="amount", amount=8.0, entry_key="evening"),
    )  # fmt: skip
    assert found[1]["dose_alcohol"] == next(b.most for b in BEHAVIOURS if b.name == "alcohol")


def test_names_that_tell_of_the_same_session_do_not_add_up(wearer, table_of, tonight):
    found = told(
        wearer, table_of, tonight("an hour", "workout", kind="amount", amount=60.0, entry_key="evening"),
        tonight("intervals", "hiit", entry_key="evening"),
    )  # fmt: skip
    assert found[1]["dose_training_h"] == 1.0


def test_a_plan_counts_for_its_night(wearer, table_of, tonight):
    """What is intended for tonight, and a journey in four nights."""
    night = wearer.history().origin_day + timedelta(days=4)
    found = told(
        wearer, table_of, tonight("plan", is_plan=True), tonight("trip", "travel", night=night, is_plan=True)
    )
    assert found[1]["dose_alcohol"] == 3.0
    assert [h for h in HORIZONS if found[h]["dose_travel"] == 1.0] == [4]


def test_a_word_after_the_issue_is_too_late_for_a_past_row(wearer, table_of, fact_of):
    history = wearer.history()
    day = history.origin_day - timedelta(days=10)
    evening = history.days.filter(pl.col("day") == day)["day_closed_at"][0]
    journal = table_of("journal_facts", [
        fact_of("late", day, known_at=evening + timedelta(microseconds=1), behaviour="sauna"),
        fact_of("in time", day, known_at=evening, behaviour="cannabis"),
    ])  # fmt: skip
    grid = day_grid(replace(history, journal=journal))
    names, x = target_columns(grid, 1)
    row = dict(zip(names, x[grid.days.index(day)], strict=True))
    assert np.isnan(row["dose_sauna"]) and row["dose_cannabis"] == 1
