"""The leak audit: what is known after ``as_of``, and the target night's own fields, never move a forecast by a bit."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import make_history
from hrv_shared.schemas import NIGHT_COLUMNS

FORECASTERS = find_forecasters()


def audit(forecaster, wearer, origin: date, slot: str) -> list[str]:
    """Forecast of an origin in the middle of the data, from the tables as they are and as they are not: what moved it.

    ``forecaster`` is called with the tables, as a forecaster that opens the store by itself could be.
    """
    as_of = wearer.history(origin, slot).as_of
    says = forecast_with(forecaster, origin, slot, as_of)
    honest = says(wearer.days, wearer.journal)
    moved = []
    fields = [NIGHT_COLUMNS] if forecaster is FORECASTERS["boosted"] else [(name,) for name in NIGHT_COLUMNS]
    for name, days, journal in attacks(wearer, origin, as_of, fields):
        if not np.array_equal(says(days, journal), honest):
            moved.append(name)
    return moved


def forecast_with(forecaster, origin: date, slot: str, as_of: datetime):
    def says(days: pl.DataFrame, journal: pl.DataFrame) -> np.ndarray:
        history = make_history(days, journal, "me", as_of, origin, slot)
        made = forecaster(days) if getattr(forecaster, "opens_tables", False) else forecaster()
        return made.fit(history).predict(history)

    return says


def attacks(wearer, origin: date, as_of: datetime, fields):
    rng = np.random.default_rng(7)
    later_day, later_fact = pl.col("known_at") > as_of, pl.col("known_at") > as_of
    yield "deleted", wearer.days.filter(~later_day), wearer.journal.filter(~later_fact)
    poison = {
        name: pl.Series(rng.uniform(1, 300, len(wearer.days)))
        for name, kind in wearer.days.schema.items() if kind == pl.Float64
    }  # fmt: skip
    poisoned = wearer.days.with_columns(
        pl.when(later_day).then(values).otherwise(pl.col(name)).alias(name) for name, values in poison.items()
    ).with_columns(state=pl.when(later_day).then(pl.lit("scored")).otherwise(pl.col("state")))
    lies = wearer.journal.with_columns(
        kind=pl.when(later_fact).then(pl.lit("amount")).otherwise(pl.col("kind")),
        amount=pl.when(later_fact).then(pl.lit(9.0)).otherwise(pl.col("amount")),
    )
    yield "poisoned", poisoned, lies
    target = pl.col("day") == origin + timedelta(days=1)
    for names in fields:  # one by one, or all at once where a fit is slow
        shuffled = wearer.days.with_columns(
            pl.when(target).then(pl.col(name).shuffle(3)).otherwise(pl.col(name)).alias(name) for name in names
        )
        yield f"target night's {names[0]}", shuffled, wearer.journal


@pytest.mark.parametrize("slot", ["evening", "morning"])
@pytest.mark.parametrize("name", sorted(FORECASTERS))
def test_nothing_known_later_moves_a_forecast(name, slot, wearer):
    assert audit(FORECASTERS[name], wearer, date(2026, 10, 1), slot) == []


class Leaky(FORECASTERS["ewma_8"]):
    """Opens the tables and looks at the resting heart rate of the night that it forecasts."""

    opens_tables = True

    def __init__(self, days: pl.DataFrame) -> None:
        self._days = days

    def predict(self, history, horizons=(1, 2, 3, 4, 5, 6, 7)):
        target = self._days.filter(pl.col("day") == history.origin_day + timedelta(days=1))
        seen = target["resting_hr_bpm"].drop_nulls()
        return super().predict(history, horizons) * (1 - 0.01 * (seen[0] - 55 if len(seen) else 0))


def test_the_audit_bites(wearer_of):
    """A forecaster that leaks is caught, by deletion, by poison and by the field that it looked at."""
    moved = audit(Leaky, wearer_of(90, missing=0.0), date(2026, 10, 1), "evening")
    assert {"deleted", "poisoned", "target night's resting_hr_bpm"} <= set(moved)
    assert "target night's spo2_pct" not in moved


def test_what_was_known_does_move_it(wearer):
    """The other way round: poison in a fact known in time is felt, so the audit doesn't pass for want of any effect."""
    origin = date(2026, 10, 1)
    as_of = wearer.history(origin).as_of
    drunk = wearer.journal.with_columns(
        kind=pl.when(pl.col("day") == origin).then(pl.lit("amount")).otherwise(pl.col("kind")),
        amount=pl.when(pl.col("day") == origin).then(pl.lit(6.0)).otherwise(pl.col("amount")),
    )
    says = forecast_with(FORECASTERS["ridge"], origin, "evening", as_of)
    sober = wearer.journal.with_columns(
        kind=pl.when(pl.col("day") == origin).then(pl.lit("no")).otherwise(pl.col("kind")),
        amount=pl.when(pl.col("day") == origin).then(None).otherwise(pl.col("amount")),
    )
    assert says(wearer.days, drunk)[0, 11] < 0.8 * says(wearer.days, sober)[0, 11]
