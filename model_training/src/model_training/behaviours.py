"""What of the journal a forecast may use: behaviours, how their dose is read, and what is believed before any data.

The beliefs are wide priors on the effect on ln RMSSD of the night that follows, per unit of dose (forecasting.md 4.3;
alcohol -24 % for the 3.6 drinks of a typical drinking day). They matter while a wearer has logged little; the wearer's
own nights outweigh them soon.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

__all__ = ["BEHAVIOURS", "Behaviour", "doses"]

LEAST_CONFIDENCE = 0.5
"""Facts heard with less confidence than this are left unknown."""


@dataclass(frozen=True)
class Behaviour:
    """One column of the design.

    Attributes
    ----------
    sources : dict
        Name in the journal -> factor from its amount to a dose.
    dose_of_yes : float
        Dose of a bare "yes".
    usual_dose : float
        Mean dose of nights about which nothing was said, before any data.
    most : float
        Larger doses count as this one.
    effect, effect_sd : float
        Prior of the change in ln RMSSD per unit of dose.
    opposite : str, optional
        Name in the journal whose "yes" is an explicit zero.
    """

    name: str
    sources: dict[str, float]
    dose_of_yes: float
    usual_dose: float
    most: float
    effect: float
    effect_sd: float
    opposite: str | None = None


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("alcohol", {"alcohol": 1.0}, 3.0, 0.7, 10.0, -0.075, 0.06, "alcohol_free_day"),
    Behaviour("sick", {"sick": 1.0, "fever": 1.0}, 1.0, 0.03, 1.0, -0.095, 0.08),
    Behaviour("vaccination", {"vaccination": 1.0}, 1.0, 0.0, 1.0, -0.11, 0.12),
    Behaviour(
        "training_h",
        dict.fromkeys(("workout", "strength_training", "hiit", "zone2_cardio", "long_endurance"), 1 / 60)
        | {"race_or_competition": 1.0},
        1.0, 0.5, 5.0, -0.02, 0.03, "rest_day",
    ),
    Behaviour("late_meal", {"late_meal": 1.0, "big_meal": 1.0}, 1.0, 0.2, 1.0, -0.02, 0.04),
    Behaviour("caffeine", {"caffeine": 1.0}, 2.0, 1.5, 8.0, 0.0, 0.015),
    Behaviour("stress", {"stress": 1.0}, 6.0, 4.0, 10.0, -0.005, 0.015),
    Behaviour("travel", {"travel": 1.0, "air_travel": 1.0, "jet_lag": 1.0}, 1.0, 0.03, 1.0, -0.03, 0.08),
    Behaviour("cannabis", {"cannabis": 1.0}, 1.0, 0.0, 4.0, 0.0, 0.06),
    Behaviour("sauna", {"sauna": 1.0}, 1.0, 0.05, 1.0, 0.0, 0.05),
)  # fmt: skip


def doses(journal: pl.DataFrame) -> pl.DataFrame:
    """The dose that each fact speaks of.

    Parameters
    ----------
    journal : DataFrame
        Schema ``journal_facts``, as of some instant.

    Returns
    -------
    DataFrame
        behaviour (name in ``BEHAVIOURS``), night, entry_key, source (name in the journal), known_at, dose (own units of
        the behaviour). An explicit "no" is 0; what was not said has no row.
    """
    heard = journal.filter(
        pl.col("night").is_not_null(),
        pl.col("status") != "rejected",
        pl.col("confidence").fill_null(1.0) >= LEAST_CONFIDENCE,
        pl.col("kind").is_in(["yes", "no", "amount", "scale"]),
    )
    rows = []
    for fact in heard.iter_rows(named=True):
        for behaviour in BEHAVIOURS:
            dose = _dose(behaviour, fact)
            if dose is not None:
                told = (fact["entry_key"], fact["behaviour"], fact["known_at"])
                rows.append((behaviour.name, fact["night"], *told, dose))
    schema = {"behaviour": pl.String, "night": pl.Date, "entry_key": pl.String, "source": pl.String,
              "known_at": pl.Datetime("us", "UTC"), "dose": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort(list(schema))


def _dose(behaviour: Behaviour, fact: dict) -> float | None:
    if fact["behaviour"] == behaviour.opposite:
        return 0.0 if fact["kind"] == "yes" else None
    factor = behaviour.sources.get(fact["behaviour"])
    if factor is None:
        return None
    if fact["kind"] == "no":
        return 0.0
    amount = fact["amount"]
    told = amount is not None and (
        amount > 0 or (amount == 0 and fact["kind"] != "yes")
    )  # NaN is no amount either
    dose = amount * factor if told else behaviour.dose_of_yes
    return min(dose, behaviour.most)
