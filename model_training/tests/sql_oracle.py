"""The oracle of the features: a DuckDB program that recomputes every column from the raw tables, as-of cut included.

It is slow and plain (every mean is a join over the whole past) and shares no line with the Python that it checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

PROGRAM = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
NOT_FEATURES = ("i", "anchor", "scale", "nights")


@dataclass(frozen=True)
class Oracle:
    """What the SQL found.

    Attributes
    ----------
    origin : dict of ndarray [N]
        ``anchor``, ``scale``, ``nights`` and every feature by name; NaN = unknown.
    target : dict of int to dict of ndarray [N]
        Horizon -> every target column by name, and ``y``, the outcome in personal units.
    usual_doses, weekday_effects : ndarray [N, B], [N, 7]
    """

    origin: dict[str, np.ndarray]
    target: dict[int, dict[str, np.ndarray]]
    usual_doses: dict[str, np.ndarray]
    weekday_effects: np.ndarray

    @property
    def feature_names(self) -> set[str]:
        """Features of the origin that the SQL knows."""
        return set(self.origin) - set(NOT_FEATURES)


def ask(
    days: pl.DataFrame, journal: pl.DataFrame, member_id: str, as_of: datetime, origin_day: date, slot: str
) -> Oracle:
    """Run the program on all vintages and revisions; the cut at ``as_of`` is its own."""
    asked = pl.DataFrame(
        {"member_id": [member_id], "as_of": [as_of], "origin_day": [origin_day], "slot": [slot]},
        schema_overrides={"as_of": pl.Datetime("us", "UTC")},
    )
    if "steps_count" not in days.columns:
        days = days.with_columns(steps_count=pl.lit(None, pl.Float64))
    with duckdb.connect(config={"threads": 1}) as connection:
        for name, frame in (("days", days), ("journal_facts", journal), ("asked", asked)):
            connection.register(f"{name}_view", frame.to_arrow())
            connection.execute(f"CREATE TABLE {name} AS FROM {name}_view")
        connection.execute(PROGRAM)
        return _read(connection)


def _read(connection: duckdb.DuckDBPyConnection) -> Oracle:
    def rows(query: str) -> dict[str, np.ndarray]:
        found = connection.execute(query)
        names = [column[0] for column in found.description]
        table = np.array(found.fetchall(), dtype=object).reshape(-1, len(names))
        return {name: table[:, k] for k, name in enumerate(names)}

    def numbers(values: np.ndarray) -> np.ndarray:
        return np.array([np.nan if v is None else float(v) for v in values])

    origin = {k: numbers(v) for k, v in rows("FROM origin_features ORDER BY i").items() if k != "i"}
    n = len(origin["anchor"])
    behaviours = list(rows("SELECT DISTINCT behaviour FROM meaning")["behaviour"])
    targets: dict[int, dict[str, np.ndarray]] = {}
    for h in range(1, 8):
        found = rows(f"FROM target_features WHERE h = {h} ORDER BY i")
        weekday = numbers(found["weekday"])
        columns = {f"wakes_on_{k}": (weekday == k).astype(float) for k in range(7)}
        columns |= {"weekday_own": numbers(found["weekday_own"]), "y": numbers(found["y"])}
        columns |= {f"dose_{name}": np.full(n, np.nan) for name in behaviours}
        said = rows(f"SELECT i, behaviour, dose FROM dose WHERE h = {h}")
        for i, behaviour, dose in zip(*said.values(), strict=True):
            columns[f"dose_{behaviour}"][i] = dose
        targets[h] = columns
    usual = {name: np.full(n, np.nan) for name in behaviours}
    for i, behaviour, dose in zip(*rows("SELECT i, behaviour, usual FROM usual_dose").values(), strict=True):
        usual[behaviour][i] = dose
    effects = np.full((n, 7), np.nan)
    for i, weekday, effect in zip(*rows("SELECT i, weekday, effect FROM own_weekday").values(), strict=True):
        effects[i, weekday] = effect
    return Oracle(origin, targets, usual, effects)
