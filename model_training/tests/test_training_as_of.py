"""The leak audit from the tables on: what is known after ``as_of`` never moves a history, a feature or a forecast.

And the audits audited: each guard of the code is taken out in turn, and one of the audits has to notice.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from hrv_shared import history as history_module
from hrv_shared.constants import HORIZONS
from hrv_shared.history import make_history
from hrv_shared.schemas import NIGHT_COLUMNS
from model_training import combination, day_grid, features, paths, residual_law
from model_training.forecasters import last_night, ridge
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.ridge import Ridge
from test_training_paths import FOUND, ORIGINS, audit, combined, made, people
from test_training_sql_oracle import both, differences

ORIGIN = date(2026, 10, 1)
SAME_NIGHT = "before = ewma(grid.log_hrv, USUAL_HALF_LIFE)"
SLOTS = ("evening", "morning")


@pytest.fixture(scope="module")
def late_talker(wearer_of, fact_of, table_of):
    """A wearer of whose days some things are said two days later."""
    wearer = wearer_of(90, seed=4)
    last = wearer.days["day"].max()
    late = []
    for ago in range(5, 85, 4):
        day = last - timedelta(days=ago)
        heard = datetime(day.year, day.month, day.day, 20, tzinfo=UTC) + timedelta(days=2)
        late.append(fact_of(f"late {ago}", day, known_at=heard, behaviour="sick"))
    journal = pl.concat([wearer.journal, table_of("journal_facts", late)])
    return type(wearer)(wearer.days, journal, wearer.drinks)


# --- tables -------------------------------------------------------------------------------------------------------


def audit_tables(forecaster: Callable, wearer, origin: date, slot: str, fields=(NIGHT_COLUMNS,)) -> list[str]:
    """Forecast an origin in the middle of the data, from the tables as they are and as they are not: what moved it?

    ``forecaster`` is called with the table of days, as one that opens the store by itself could be.
    """
    as_of = wearer.history(origin, slot).as_of

    def says(days: pl.DataFrame, journal: pl.DataFrame) -> np.ndarray:
        history = make_history(days, journal, "me", as_of, origin, slot)
        return forecaster(days).fit(history).predict(history)

    honest = says(wearer.days, wearer.journal)
    attacked = attacks(wearer, origin, as_of, fields)
    return [name for name, days, journal in attacked if not np.array_equal(says(days, journal), honest)]


def attacks(
    wearer, origin: date, as_of: datetime, fields
) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    rng = np.random.default_rng(7)
    later = pl.col("known_at") > as_of
    yield "deleted", wearer.days.filter(~later), wearer.journal.filter(~later)
    poison = {
        name: pl.Series(rng.uniform(1, 300, len(wearer.days)))
        for name, kind in wearer.days.schema.items() if kind == pl.Float64
    }  # fmt: skip
    poisoned = wearer.days.with_columns(
        pl.when(later).then(values).otherwise(pl.col(name)).alias(name) for name, values in poison.items()
    ).with_columns(state=pl.when(later).then(pl.lit("scored")).otherwise(pl.col("state")))
    lies = wearer.journal.with_columns(
        kind=pl.when(later).then(pl.lit("amount")).otherwise(pl.col("kind")),
        amount=pl.when(later).then(pl.lit(9.0)).otherwise(pl.col("amount")),
    )
    yield "poisoned", poisoned, lies
    to_come = pl.col("day") > origin
    for names in fields:
        shuffled = wearer.days.with_columns(
            pl.when(to_come).then(pl.col(name).shuffle(3).over(to_come)).otherwise(pl.col(name)).alias(name)
            for name in names
        )
        yield f"target night's {names[0]}", shuffled, wearer.journal


def audit_histories(wearer, slot: str) -> list[str]:
    """Attacks that change a history by a bit."""
    as_of = wearer.history(ORIGIN, slot).as_of
    honest = wearer.history(ORIGIN, slot).digest()
    attacked = attacks(wearer, ORIGIN, as_of, [(column,) for column in NIGHT_COLUMNS])
    return [n for n, d, j in attacked if make_history(d, j, "me", as_of, ORIGIN, slot).digest() != honest]


@pytest.mark.parametrize("slot", SLOTS)
def test_nothing_known_later_is_in_a_history(late_talker, slot):
    assert audit_histories(late_talker, slot) == []


@pytest.mark.parametrize("name", sorted(set(FOUND) - {"fracast"}))
def test_nothing_known_later_moves_a_forecast(name, late_talker):
    assert audit_tables(lambda _: made(name, "evening"), late_talker, ORIGIN, "evening") == []


class Leaky(Ewma8):
    """Opens the tables and looks at the resting heart rate of the night that it forecasts."""

    def __init__(self, days: pl.DataFrame) -> None:
        self._days = days

    def predict(self, history, horizons=HORIZONS):
        target = self._days.filter(pl.col("day") == history.origin_day + timedelta(days=1))
        seen = target["resting_hr_bpm"].drop_nulls()
        return super().predict(history, horizons) * (1 - 0.01 * (seen[0] - 55 if len(seen) else 0))


def test_the_audit_bites(wearer_of):
    """A forecaster that leaks is caught, by deletion, by poison and by the field that it looked at."""
    fields = [(name,) for name in NIGHT_COLUMNS]
    moved = audit_tables(Leaky, wearer_of(90, missing=0.0), ORIGIN, "evening", fields)
    assert {"deleted", "poisoned", "target night's resting_hr_bpm"} <= set(moved)
    assert "target night's spo2_pct" not in moved


def test_what_was_known_does_move_it(wearer):
    """The other way round: a fact known in time is felt, so the audit doesn't pass for want of any effect."""
    at_origin = pl.col("day") == ORIGIN
    as_of = wearer.history(ORIGIN).as_of
    medians = []
    for kind, amount in (("no", None), ("amount", 6.0)):
        told = wearer.journal.with_columns(
            kind=pl.when(at_origin).then(pl.lit(kind)).otherwise(pl.col("kind")),
            amount=pl.when(at_origin).then(pl.lit(amount, pl.Float64)).otherwise(pl.col("amount")),
        )
        history = make_history(wearer.days, told, "me", as_of, ORIGIN, "evening")
        medians.append(Ridge().fit(history).predict(history)[0, 11])
    assert medians[1] < 0.8 * medians[0]


# --- a row of the past is what its own day saw ----------------------------------------------------------------------


def audit_rows(wearer, slot: str) -> list[str]:
    """Columns of past rows that differ by a bit from those that a history of that very instant gives."""
    now = day_grid.day_grid(wearer.history(slot=slot))
    found = set()
    for i in (30, 48, 66, 82, 86):
        then = day_grid.day_grid(wearer.history(now.days[i], slot, due(wearer, now.days[i], slot)))
        assert len(then) == i + 1
        old, new = columns_at(then, i), columns_at(now, i)
        found |= {
            name
            for name in old.keys() | new.keys()
            if not np.array_equal(old[name], new[name], equal_nan=True)
        }
    return sorted(found)


def columns_at(grid: day_grid.DayGrid, i: int) -> dict[str, float]:
    seen = features.features(grid)
    columns = dict(zip(seen.names, seen.x[i], strict=True)) | {
        "anchor": seen.anchor[i],
        "scale": seen.scale[i],
    }
    for h in HORIZONS:
        names, x = features.target_columns(grid, h)
        columns |= {f"h{h} {name}": value for name, value in zip(names, x[i], strict=True)}
    return columns


def due(wearer, day: date, slot: str) -> datetime:
    """When the forecast of a day was due, read off its row by hand."""
    row = wearer.days.filter(day=day).sort("known_at").row(-1, named=True)
    if slot == "evening":
        return row["day_closed_at"]
    return (row["wake_at"] or datetime(day.year, day.month, day.day, 9, tzinfo=UTC)) + timedelta(hours=1)


@pytest.mark.parametrize("slot", SLOTS)
def test_a_past_row_is_what_its_own_day_saw(late_talker, slot):
    assert audit_rows(late_talker, slot) == []


# --- the audits audited -------------------------------------------------------------------------------------------


def without(monkeypatch, module: ModuleType, function: str, guard: str, instead: str) -> None:
    """Take a guard out of a function's source, wherever in our packages the function has been imported to."""
    whole = getattr(module, function)
    source = inspect.getsource(whole)
    assert source.count(guard) == 1, f"{function} no longer has the guard {guard!r}: name the new one here"
    scope = dict(vars(module))
    exec(
        compile("from __future__ import annotations\n" + source.replace(guard, instead), "<mutant>", "exec"),
        scope,
    )
    for name, other in list(sys.modules.items()):
        if name.startswith(("model_training", "hrv_shared")) and getattr(other, function, None) is whole:
            monkeypatch.setattr(other, function, scope[function])
    monkeypatch.setattr(day_grid, "_LAST", {})


def test_journal_doses_wait_until_they_are_known(late_talker, monkeypatch):
    without(monkeypatch, day_grid, "_doses", " and known_at <= issue_at[i]", "")
    assert "h1 dose_sick" in audit_rows(late_talker, "evening")


def test_journal_doses_wait_for_the_issue_and_not_for_today(late_talker, monkeypatch):
    without(monkeypatch, day_grid, "_doses", "issue_at[i]", "issue_at[-1]")
    assert "h1 dose_sick" in audit_rows(late_talker, "evening")


def test_a_morning_does_not_know_its_day(late_talker, monkeypatch):
    without(monkeypatch, day_grid, "_lay_out", 'history.slot == "morning"', "False")
    assert {"strain_z", "load_acute", "late_workout"} <= set(audit_rows(late_talker, "morning"))


@pytest.mark.parametrize(
    ("module", "function", "guard", "instead"),
    [
        (features, "weekday_effects", "before = _lag(ewma(grid.log_hrv, USUAL_HALF_LIFE), 1)", SAME_NIGHT),
        (features, "weekday_effects", "_lag(scale, 1)", "scale"),
        (features, "personal_scale", "_lag(anchor, 1)", "anchor"),
        (day_grid, "_issue_instants", 'row["wake_at"] + MORNING_AFTER_WAKE', 'row["wake_at"]'),
    ],
)  # fmt: skip
def test_the_oracle_notices(late_talker, monkeypatch, module, function, guard, instead):
    """What is another number without being a look into the future: the SQL has the right one."""
    slot = "morning" if function == "_issue_instants" else "evening"
    history = late_talker.history(ORIGIN, slot)
    tables = (_with_a_word_at_breakfast(late_talker), history.as_of, history.origin_day, slot)
    without(monkeypatch, module, function, guard, instead)
    assert differences(*both(late_talker.days, *tables)) != []


def test_the_oracle_has_nothing_to_notice_before(late_talker):
    history = late_talker.history(ORIGIN, "morning")
    journal = _with_a_word_at_breakfast(late_talker)
    assert differences(*both(late_talker.days, journal, history.as_of, history.origin_day, "morning")) == []


def _with_a_word_at_breakfast(wearer) -> pl.DataFrame:
    """The journal, with one note made half an hour after waking."""
    woke = wearer.days.filter(day=date(2026, 9, 20))["wake_at"][0]
    first = wearer.journal.head(1).with_columns(
        fact_key=pl.lit("breakfast"), behaviour=pl.lit("sauna"), kind=pl.lit("yes"), night=pl.lit(date(2026, 9, 21)),
        known_at=pl.lit(woke + timedelta(minutes=30)).dt.cast_time_unit("us"),
    )  # fmt: skip
    return pl.concat([wearer.journal, first])


@pytest.mark.parametrize("function", ["as_of_days", "as_of_journal"])
def test_the_cut_at_as_of_is_needed(late_talker, monkeypatch, function):
    """In the morning a later vintage of the day itself is there to be cut."""
    without(monkeypatch, history_module, function, 'pl.col("known_at") <= as_of', "True")
    assert {"deleted", "poisoned"} <= set(audit_histories(late_talker, "morning"))


@pytest.mark.parametrize(
    ("name", "module", "function", "guard", "instead"),
    [
        ("ridge", ridge, "_adapted", "np.searchsorted(known + horizon,", "np.searchsorted(known,"),
        ("ridge", residual_law, "personal_laws", 'side="right")', 'side="right") * 0 + len(known)'),
        ("ridge", paths, "standardised_errors", "errors[h:, k]", "errors[:-h, k]"),
        ("ewma_8", last_night, "own_errors", "errors[h:, k]", "errors[:-h, k]"),
        ("state_space", features, "_lag", "return np.concatenate(", "return np.roll(values, -days) if days else ("),
        ("combination", combination, "_relative_losses", "losses[horizon:, m]", "losses[:-horizon, m]"),
    ],
)  # fmt: skip
def test_the_audit_of_paths_notices(monkeypatch, name, module, function, guard, instead):
    says = combined() if name == "combination" else made(name, "evening").path
    without(monkeypatch, module, function, guard, instead)
    assert {"truncation", "poison"} & set(audit(says, people("evening")[-1], ORIGINS[1:]))
