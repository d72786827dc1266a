"""Two forecasters against each other on the ledger: paired losses by night, and whether one is worse beyond chance.

A night's loss is the mean CRPS of what was said of it (up to seven horizons, two slots), over forecasts of which both
spoke from the same origin, in the same book, before the night began. Neighbouring nights share origins, so the test
reckons with correlation over a week (Diebold & Mariano 1995 with the small-sample correction of Harvey, Leybourne &
Newbold 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl

from hrv_shared.comparison import diebold_mariano
from hrv_shared.constants import HORIZONS
from hrv_shared.scoring import score_rows
from hrv_shared.store import Store

__all__ = ["Duel", "LedgerScores", "ledger_scores"]

LAGS = len(HORIZONS) - 1
"""Two nights share an origin when they lie at most so many days apart. The test needs twice as many nights and two."""
_NIGHT = ("slot", "origin_day", "horizon")


@dataclass(frozen=True)
class Duel:
    """Paired losses of two forecasters.

    Attributes
    ----------
    nights : int
        Nights of which both were scored.
    skill : float
        1 - CRPS of the first / CRPS of the second; NaN without nights.
    p_better, p_worse : float
        One-sided p of "the first is no better" and "the first is no worse"; 1 with fewer than 14 nights.
    """

    first: str
    second: str
    nights: int
    skill: float
    p_better: float
    p_worse: float

    def describe(self) -> dict[str, float | int | str | None]:
        """The duel as JSON values."""
        skill = round(self.skill, 4) if np.isfinite(self.skill) else None
        return {
            "first": self.first, "second": self.second, "nights": self.nights, "skill": skill,
            "p_better": round(self.p_better, 5), "p_worse": round(self.p_worse, 5),
        }  # fmt: skip


@dataclass(frozen=True)
class LedgerScores:
    """Every scored word of one member by an instant; columns of schema ``scores``."""

    frame: pl.DataFrame

    def duel(
        self, first: str, second: str, *, codes: dict[str, str] | None = None, after: date | None = None,
        last: int | None = None,
    ) -> Duel:  # fmt: skip
        """Pair two forecasters.

        Parameters
        ----------
        codes : dict, optional
            Forecaster -> code version whose rows alone count.
        after : date, optional
            Only nights after it.
        last : int, optional
            Only so many nights, the latest.
        """
        both = self.frame.filter(pl.col("forecaster").is_in([first, second]))
        for name, code in (codes or {}).items():
            both = both.filter((pl.col("forecaster") != name) | (pl.col("version") == code))
        if after is not None:
            both = both.filter(pl.col("target_day") > after)
        nights = _paired(both, first, second)
        if last is not None:
            nights = nights.tail(last)
        a, b = nights["first"].to_numpy(), nights["second"].to_numpy()
        if len(a) < 2:
            return Duel(first, second, len(a), float("nan"), 1.0, 1.0)
        return Duel(first, second, len(a), 1 - a.sum() / max(b.sum(), 1e-9), _p_lower(a, b), _p_lower(b, a))

    def origins_of(self, forecaster: str) -> set[date]:
        """Origin days from which a forecaster spoke, in any slot and book."""
        return set(self.frame.filter(pl.col("forecaster") == forecaster)["origin_day"])


def ledger_scores(store: Store, member_id: str, as_of: datetime) -> LedgerScores:
    """Scores whose forecast was issued and whose outcome was known by an instant, void ones left out."""
    said = store.ledger.forecasts(None, member_id).filter(pl.col("issued_at") <= as_of)
    scores = score_rows(said, store.ledger.outcomes(member_id, as_of=as_of))
    return LedgerScores(scores.filter(~pl.col("void")))


def _paired(both: pl.DataFrame, first: str, second: str) -> pl.DataFrame:
    """One row a target night: target_day, first, second (ms); a live pair counts before a replayed one."""
    newest = both.sort("n").unique(["book", *_NIGHT, "forecaster"], keep="last", maintain_order=True)
    key = ["book", *_NIGHT, "target_day"]
    own = (
        newest.filter(pl.col("forecaster") == name).select(*key, pl.col("crps_ms"))
        for name in (first, second)
    )
    a, b = own
    pairs = a.rename({"crps_ms": "first"}).join(b.rename({"crps_ms": "second"}), on=key)
    return (
        pairs.sort(pl.col("book") != "live")
        .unique(_NIGHT, keep="first", maintain_order=True)
        .group_by("target_day")
        .agg(pl.col("first").mean(), pl.col("second").mean())
        .sort("target_day")
    )


def _p_lower(a: np.ndarray, b: np.ndarray) -> float:
    """One-sided p that the mean of ``a`` is not below that of ``b``."""
    try:
        statistic, p_two_sided = diebold_mariano(a, b, len(HORIZONS), lags=LAGS)
    except ValueError:  # too few nights, or the very same difference every night
        return 1.0
    return p_two_sided / 2 if statistic < 0 else 1 - p_two_sided / 2
