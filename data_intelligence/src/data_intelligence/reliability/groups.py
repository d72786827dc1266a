"""Where predictions succeed and where they fail: the same forecaster on kinds of nights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np
import polars as pl

from data_intelligence.behaviours import NOT_CAUSES, read_dose
from data_intelligence.evidence import EvidenceBook
from data_intelligence.reliability.layout import GroupRow
from data_intelligence.reliability.rows import band_of, pair_with_best_naive

__all__ = ["event_facts", "group_rows", "success_and_failure"]

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
LOW_SHARE, LOW_WINDOW, LOW_NIGHTS = 0.8, 28, 14
"""A low night lies a fifth or more below the median of the 28 days before it (forecasting.md 2.3)."""
START_NIGHTS = 30
MIN_NIGHTS, TELLING = 8, 30
"""Nights of a group below which it is not shown, and below which nothing is claimed about it."""
SCATTERED_BLOCK = 3
"""Bootstrap block of nights that seldom follow each other; a weekday's never do."""


def group_rows(
    own: pl.DataFrame, naive: pl.DataFrame, values: dict[date, float], events: pl.DataFrame,
    alerted: set[tuple[date, str]], book: EvidenceBook, *, where: str, seed: int,
) -> tuple[GroupRow, ...]:  # fmt: skip
    """Score one forecaster's next-night rows on each kind of night.

    Parameters
    ----------
    values : dict day -> ms
        What came true, from the ledger.
    events : DataFrame
        ``event_facts``: origin_day and behaviour.
    alerted : set of (origin day, alert name)
    where : str
        Place of the rows in the ledger, for the evidence.
    """
    rows = []
    for kind, name, by_outcome, days in _kinds(own, values, events, alerted):
        here = own.filter(pl.col("target_day").is_in(list(days)))
        if here["target_day"].n_unique() < MIN_NIGHTS:
            continue
        pair = pair_with_best_naive(here, naive)
        shown = pair.rows if len(pair.rows) else here
        skill, low, high = pair.skill_pct(seed, block=1 if kind == "weekday" else SCATTERED_BLOCK)
        band = band_of(shown["in_80"], 80, len(shown))
        bias = float(np.mean(shown["median_ms"].to_numpy() - shown["hrv_rmssd_ms"].to_numpy()))
        cited = book.cite("scores", f"{here['forecaster'][0]} on nights: {name}", [f"{where}/{kind}:{name}"])
        rows.append(
            GroupRow(
                forecaster=here["forecaster"][0], kind=kind, group=name, by_outcome=by_outcome, n=len(shown),
                skill_pct=skill, skill_low_pct=low, skill_high_pct=high, cover_80_pct=band.observed_pct,
                chance_low_pct=band.chance_low_pct, chance_high_pct=band.chance_high_pct, bias_ms=round(bias, 1),
                verdict="chosen by outcome" if by_outcome else _verdict(len(shown), low, high, band.holds),
                evidence=cited,
            )
        )  # fmt: skip
    return tuple(rows)


def success_and_failure(groups: Iterable[GroupRow]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The groups in words: where the forecast beats the naive rule, and where it loses or its bands do not hold."""
    good, bad = [], []
    for g in groups:
        interval = "" if g.skill_low_pct is None else f" ({g.skill_low_pct:+.0f} … {g.skill_high_pct:+.0f})"
        skill = "" if g.skill_pct is None else f"skill {g.skill_pct:+.0f} %{interval}, "
        held = f"{skill}{g.cover_80_pct:.0f} % inside the 80 % band, n={g.n}"
        if g.verdict == "succeeds":
            good.append(f"{g.group}: {held}")
        elif g.verdict == "fails":
            bad.append(f"{g.group}: {held}")
        elif g.verdict == "bands do not hold":
            side = "too narrow" if g.cover_80_pct < g.chance_low_pct else "too wide"
            bad.append(f"{g.group}: band {side}, {held}")
    return tuple(good), tuple(bad)


def event_facts(own: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Journal facts about the coming night that were in force when each forecast was issued.

    Returns
    -------
    DataFrame
        origin_day, target_day, and the columns of the fact.
    """
    nights = own.select("origin_day", "target_day", issue_as_of="as_of").unique("origin_day")
    in_force = (
        journal.join(nights, left_on="night", right_on="target_day", coalesce=False)
        .filter(pl.col("known_at") <= pl.col("issue_as_of"))
        .sort("origin_day", "fact_key", "known_at", "revision")
        .unique(["origin_day", "fact_key"], keep="last", maintain_order=True)
        .filter(pl.col("status") == "accepted", ~pl.col("behaviour").is_in(list(NOT_CAUSES)))
        .filter(~pl.col("kind").is_in(["time", "text"]))
    )
    happened = [read_dose(fact)[0] for fact in in_force.iter_rows(named=True)]
    return in_force.filter(pl.Series(happened, dtype=pl.Boolean))


def _kinds(
    own: pl.DataFrame, values: dict[date, float], events: pl.DataFrame, alerted: set[tuple[date, str]]
) -> Iterator[tuple[str, str, bool, set[date]]]:
    targets = own["target_day"].unique().sort().to_list()
    for at, name in enumerate(WEEKDAYS):
        yield "weekday", f"{name}s", False, {d for d in targets if d.weekday() == at}
    eventful = set(events["night"])
    yield "event", "something was said in the journal", False, eventful
    yield "event", "nothing was said in the journal", False, set(targets) - eventful
    for (behaviour,), facts in events.sort("behaviour").group_by("behaviour", maintain_order=True):
        yield "event", f"after {behaviour.replace('_', ' ')}", False, set(facts["night"])
    for name in sorted({name for _, name in alerted}):
        days = {day + timedelta(days=1) for day, of in alerted if of == name}
        yield "alert", f"under the alert {name.replace('_', ' ')}", False, days
    yield "gap", "after a night without a value", False, {d for d in targets if _before(d) not in values}
    low = {d for d in targets if _is_low(d, values)}
    yield "low", "after a low night", False, {d for d in targets if _is_low(_before(d), values)}
    yield "low", "nights that came out low", True, low
    yield "low", "nights that did not", True, set(targets) - low
    yield "start", f"the first {START_NIGHTS} nights", False, set(targets[:START_NIGHTS])


def _verdict(n: int, low: float | None, high: float | None, holds: bool) -> str:
    if n >= TELLING and high is not None and high < 0:
        return "fails"
    if n >= TELLING and not holds:
        return "bands do not hold"
    if n >= TELLING and low is not None and low > 0:
        return "succeeds"
    return "cannot tell yet"


def _is_low(day: date, values: dict[date, float]) -> bool:
    past = [values[d] for i in range(1, LOW_WINDOW + 1) if (d := day - timedelta(days=i)) in values]
    return day in values and len(past) >= LOW_NIGHTS and values[day] < LOW_SHARE * float(np.median(past))


def _before(day: date) -> date:
    return day - timedelta(days=1)
