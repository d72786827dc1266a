"""Rolling origin: the same forecasters at every past day, each time with what was known then and nothing else.

Costly forecasters are fitted once in a block of days and then only look at newer history. A block is a stretch of the
calendar, not of the run, and is fitted as of its first origin; so a run that was cut off and carries on says what an
uncut one would have said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import Forecaster
from hrv_shared.history import History, make_history
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from model_training.behaviours import doses

__all__ = ["JOURNAL_COUNTED", "JOURNAL_SHIFT", "RollingOrigin", "forecast_rows"]

JOURNAL_SHIFT, JOURNAL_COUNTED = "journal_shift_ms", "journal_counted"
"""Keys of ``reasons``: what the coming nights' journal facts did to the median, and the names of those facts; whoever
corrects the forecast by the same facts takes that into account, so that no fact counts twice."""

REFIT_DAYS = 7
"""Block of a forecaster that names none itself (``refit_days``)."""


class RollingOrigin:
    """Histories, fits and forecasts of a sequence of issues.

    Parameters
    ----------
    days, journal : DataFrame
        The whole tables; each issue sees its as-of cut.
    issues : sequence of Issue
        All that a block may be fitted at, oldest first; those before the first wanted origin serve as its block's
        start.
    patience : int
        Blocks are so many times longer than the forecaster asks for.
    """

    def __init__(
        self, days: pl.DataFrame, journal: pl.DataFrame, issues: Sequence[Issue], *, patience: int = 1
    ) -> None:
        self._days, self._journal, self._patience = days, journal, patience
        self._issues = list(issues)
        self._fitted: dict[tuple[str, datetime], Forecaster | Refusal] = {}

    def history(self, issue: Issue) -> History:
        """What was known at the issue."""
        return make_history(
            self._days, self._journal, issue.member_id, issue.as_of, issue.origin_day, issue.slot
        )

    def forecast(self, forecaster: type[Forecaster], issue: Issue, history: History) -> list[ForecastRow]:
        """The forecaster's rows for one issue.

        Raises
        ------
        Refusal
            Neither the block's start nor this origin bears a forecast.
        """
        begin = self._block_start(forecaster, issue)
        fitted = self._fit(forecaster, begin, None if begin is not issue else history)
        if isinstance(fitted, Refusal) and begin is not issue:
            begin, fitted = issue, self._fit(forecaster, issue, history)
        if isinstance(fitted, Refusal):
            raise fitted
        return forecast_rows(fitted, history, issue, fitted_as_of=begin.as_of)

    def _block_start(self, forecaster: type[Forecaster], issue: Issue) -> Issue:
        length = getattr(forecaster, "refit_days", REFIT_DAYS)
        length = length if length == 1 else length * self._patience
        block = issue.origin_day.toordinal() // length
        same = (
            i for i in self._issues if i.origin_day.toordinal() // length == block and i.as_of <= issue.as_of
        )
        return next(same, issue)

    def _fit(
        self, forecaster: type[Forecaster], issue: Issue, history: History | None
    ) -> Forecaster | Refusal:
        key = (forecaster.name, issue.as_of)
        if key not in self._fitted:
            try:
                self._fitted[key] = forecaster().fit(history or self.history(issue))
            except Refusal as refusal:
                self._fitted[key] = refusal
        return self._fitted[key]


def forecast_rows(
    forecaster: Forecaster, history: History, issue: Issue, *, fitted_as_of: datetime | None = None
) -> list[ForecastRow]:
    """One ledger row a horizon, from a fitted forecaster.

    Raises
    ------
    Refusal
        The history does not bear a forecast.
    """
    quantiles_ms = np.asarray(forecaster.predict(history, HORIZONS), dtype=float)
    digest = history.digest()
    reasons = {
        "fitted_as_of": (fitted_as_of or history.as_of).isoformat(),
        "nights": len(history.scored_nights()),
    }
    moved_ms = _moved_by_journal(forecaster, history, quantiles_ms)
    read = sorted(set(doses(_of_coming_nights(history))["source"]))
    return [
        ForecastRow(
            issue.member_id, issue.slot, issue.as_of, issue.origin_day, issue.origin_day + timedelta(days=h), h,
            forecaster.name, forecaster.version, tuple(map(float, row)), digest,
            reasons | ({JOURNAL_SHIFT: moved, JOURNAL_COUNTED: read} if moved else {}),
        )
        for h, row, moved in zip(HORIZONS, quantiles_ms, moved_ms, strict=True)
    ]  # fmt: skip


def _moved_by_journal(forecaster: Forecaster, history: History, quantiles_ms: np.ndarray) -> list[float]:
    """By how much each median moved, in ms, because of what was said about nights still to come."""
    coming = _of_coming_nights(history)
    if coming.is_empty():
        return [0.0] * len(quantiles_ms)
    silent = replace(history, journal=history.journal.join(coming, on="fact_key", how="anti"))
    without = np.asarray(forecaster.predict(silent, HORIZONS), dtype=float)
    return [round(float(d), 3) for d in quantiles_ms[:, MEDIAN_INDEX] - without[:, MEDIAN_INDEX]]


def _of_coming_nights(history: History) -> pl.DataFrame:
    return history.journal.filter(pl.col("night") > history.origin_day)
