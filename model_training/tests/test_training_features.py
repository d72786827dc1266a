"""Features against a slow, plain reference, and every training row against the view of its own evening."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from model_training.behaviours import BEHAVIOURS, doses
from model_training.features import features, training_rows


@pytest.mark.parametrize("slot", ["evening", "morning"])
def test_features_equal_the_plain_reference(wearer, slot):
    history = wearer.history(slot=slot)
    names, x = features(history)
    for row, h in zip(x, range(1, 8), strict=True):
        expected = plain_features(history, h)
        assert set(expected) <= set(names)
        got = dict(zip(names, row, strict=True))
        for name, value in expected.items():
            assert got[name] == pytest.approx(value, abs=1e-9, nan_ok=True), (name, h)


@pytest.mark.parametrize("slot", ["evening", "morning"])
@pytest.mark.parametrize("days_ago", [2, 5, 40])
def test_a_training_row_is_what_its_own_day_would_have_seen(wearer, slot, days_ago):
    now = wearer.history(slot=slot)
    rows = training_rows(now)
    day = now.origin_day - timedelta(days=days_ago)
    then = wearer.history(day, slot, as_of=due(now, day, slot))
    names, x = features(then)
    first = now.hrv_series()[0][0]
    own = rows.origin == (day - first).days
    assert rows.names == names and own.sum() >= 1
    for row, h in zip(rows.x[own], rows.horizon[own], strict=True):
        np.testing.assert_array_equal(row, x[h - 1])


def test_outcomes_are_those_of_the_target_night(wearer):
    history = wearer.history()
    days, values = history.hrv_series()
    rows = training_rows(history)
    pairs = list(zip(rows.origin.tolist(), rows.horizon.tolist(), strict=True))
    level = {i: plain_ewma(np.log(values[: i + 1]), 8.0) for i, _ in pairs}
    expected = [np.log(values[i + h]) - level[i] for i, h in pairs]
    np.testing.assert_allclose(rows.y, expected, atol=1e-9)
    assert np.isfinite(rows.y).all()


def test_said_later_is_not_in_the_row(wearer, table_of, fact_of):
    history = wearer.history()
    day = history.origin_day - timedelta(days=10)
    evening = due(history, day, "evening")
    late = fact_of("late", day, known_at=evening + timedelta(seconds=1), behaviour="sauna")
    in_time = fact_of("in time", day, known_at=evening, behaviour="cannabis")
    journal = table_of("journal_facts", [late, in_time])
    rows = training_rows(type(history)(**{**vars(history), "journal": journal}), [1])
    index = (day - history.hrv_series()[0][0]).days
    row = dict(zip(rows.names, rows.x[rows.origin == index][0], strict=True))
    assert np.isnan(row["dose_sauna"]) and row["known_sauna"] == 0
    assert row["dose_cannabis"] == 1 and row["known_cannabis"] == 1


def test_doses_tell_zero_from_unknown(table_of, fact_of):
    day, heard = date(2026, 5, 1), datetime(2026, 5, 1, 20, tzinfo=UTC)
    said = [
        fact_of("a", day, known_at=heard, kind="no"),
        fact_of("b", day, known_at=heard, kind="yes"),
        fact_of("c", day, known_at=heard, kind="amount", amount=2.0),
        fact_of("d", day, known_at=heard, kind="amount", amount=40.0),
        fact_of("e", day, known_at=heard, kind="yes", behaviour="alcohol_free_day"),
        fact_of("f", day, known_at=heard, kind="no", behaviour="alcohol_free_day"),
        fact_of("g", day, known_at=heard, kind="amount", amount=90.0, behaviour="strength_training"),
        fact_of("h", day, known_at=heard, kind="time", behaviour="alcohol"),
        fact_of("i", day, known_at=heard, kind="yes", confidence=0.2),
        fact_of("j", day, known_at=heard, kind="yes", status="rejected"),
        fact_of("k", day, known_at=heard, kind="yes", behaviour="a behaviour of tomorrow's journal"),
    ]  # fmt: skip
    read = doses(table_of("journal_facts", said)).select("entry_key", "behaviour", "dose").iter_rows()
    got = {key: (behaviour, dose) for key, behaviour, dose in read}
    most = next(b.most for b in BEHAVIOURS if b.name == "alcohol")
    assert got == {
        "a": ("alcohol", 0.0), "b": ("alcohol", 3.0), "c": ("alcohol", 2.0), "d": ("alcohol", most),
        "e": ("alcohol", 0.0), "g": ("training_h", 1.5),
    }  # fmt: skip


def test_one_entry_adds_up_and_a_second_one_does_not_count_twice(wearer, table_of, fact_of):
    history = wearer.history()
    day, heard = history.origin_day, history.as_of - timedelta(hours=2)
    said = [
        fact_of("beer", day, known_at=heard, kind="amount", amount=2.0, entry_key="evening"),
        fact_of("whisky", day, known_at=heard, kind="amount", amount=1.0, entry_key="evening"),
        fact_of("again", day, known_at=heard, kind="amount", amount=2.0, entry_key="later"),
    ]
    names, x = features(type(history)(**{**vars(history), "journal": table_of("journal_facts", said)}))
    assert x[0, names.index("dose_alcohol")] == 3.0
    assert np.isnan(x[1, names.index("dose_alcohol")])


def test_names_that_tell_of_the_same_session_do_not_add_up(wearer, table_of, fact_of):
    history = wearer.history()
    day, heard = history.origin_day, history.as_of - timedelta(hours=2)
    said = [
        fact_of("an hour", day, known_at=heard, kind="amount", amount=60.0, behaviour="workout", entry_key="evening"),
        fact_of("intervals", day, known_at=heard, kind="yes", behaviour="hiit", entry_key="evening"),
    ]
    names, x = features(type(history)(**{**vars(history), "journal": table_of("journal_facts", said)}))
    assert x[0, names.index("dose_training_h")] == 1.0


def due(history, day: date, slot: str) -> datetime:
    """When the forecast of a day was due, read off its row by hand."""
    row = history.days.filter(day=day).row(0, named=True)
    if slot == "evening":
        return row["day_closed_at"]
    return (row["wake_at"] or datetime(day.year, day.month, day.day, 9, tzinfo=UTC)) + timedelta(hours=1)


def plain_ewma(values, half_life: float) -> float:
    """The last exponentially weighted mean, by its definition."""
    top = bottom = 0.0
    for age, value in enumerate(reversed(list(values))):
        if np.isfinite(value):
            top, bottom = top + 0.5 ** (age / half_life) * value, bottom + 0.5 ** (age / half_life)
    return top / bottom if bottom else np.nan


def plain_features(history, h: int) -> dict[str, float]:
    """The features of the origin day, one after the other."""
    days, values = history.hrv_series()
    log_hrv = np.log(values)
    rows = {row["day"]: row for row in history.days.iter_rows(named=True)}

    def column(name: str, *, night: bool) -> list[float]:
        out = []
        for day in days:
            row = rows.get(day)
            usable = row is not None and row[name] is not None and (not night or row["state"] == "scored")
            out.append(float(row[name]) if usable else np.nan)
        return out if night or history.slot == "evening" else [np.nan, *out[:-1]]

    def dev(series) -> float:
        return series[-1] - plain_ewma(series, 28.0)

    anchor = plain_ewma(log_hrv, 8.0)
    strain = column("strain_0_21", night=False)
    target = history.origin_day + timedelta(days=h)
    day_of_load = history.origin_day - timedelta(days=0 if history.slot == "evening" else 1)
    ended = rows[day_of_load]["last_workout_end_at"]
    said = history.journal.filter(night=target)
    drunk = [row["amount"] or 0.0 for row in said.iter_rows(named=True)]
    return {
        "last_dev": log_hrv[-1] - anchor,
        "before_dev": log_hrv[-2] - anchor,
        "fast_dev": plain_ewma(log_hrv, 2.0) - anchor,
        "slow_dev": plain_ewma(log_hrv, 30.0) - anchor,
        "night_missing": float(not np.isfinite(log_hrv[-1])),
        "rhr_dev_bpm": dev(column("resting_hr_bpm", night=True)),
        "resp_dev_rpm": dev(column("resp_rate_rpm", night=True)),
        "skin_temp_dev_c": dev(column("skin_temp_c", night=True)),
        "asleep_dev_h": dev(column("asleep_min", night=True)) / 60,
        "strain_dev": dev(strain),
        "strain_balance": plain_ewma(strain, 4.0) - plain_ewma(strain, 28.0),
        "late_workout": float(ended is not None and ended.hour >= 19),
        "dose_alcohol": drunk[0] if drunk else np.nan,
        "known_alcohol": float(bool(drunk)),
        "horizon": float(h),
        **{f"wakes_on_{k}": float(target.weekday() == k) for k in range(7)},
    }
