"""What tonight's journal did to a forecast is told, so that nobody counts it a second time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import MEDIAN_INDEX
from hrv_shared.issue import Issue
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.forecasters.trees import Trees
from model_training.mix import mix_rows
from model_training.rolling import JOURNAL_SHIFT, forecast_rows


@pytest.fixture(scope="module")
def drinking(wearer_of, fact_of, table_of):
    wearer = wearer_of(160, seed=5, alcohol_effect=-0.12)
    history = wearer.history()
    tonight = fact_of("tonight", history.origin_day, known_at=history.as_of, kind="amount", amount=4.0)
    sober = history.journal.filter(pl.col("night") <= history.origin_day)
    return replace(history, journal=pl.concat([sober, table_of("journal_facts", [tonight])]))


@pytest.mark.parametrize("forecaster", [Ridge, StateSpace, Trees])
def test_the_shift_is_what_the_forecast_would_have_been_without_the_words(drinking, forecaster):
    issue = Issue("me", "live", "evening", drinking.as_of, drinking.origin_day, 0)
    fitted = forecaster().fit(drinking)
    rows = forecast_rows(fitted, drinking, issue)
    silent = replace(drinking, journal=drinking.journal.filter(pl.col("night") <= drinking.origin_day))
    without = fitted.predict(silent)[:, MEDIAN_INDEX]
    assert rows[0].reasons[JOURNAL_SHIFT] < -1
    assert rows[0].quantiles_ms[MEDIAN_INDEX] - rows[0].reasons[JOURNAL_SHIFT] == pytest.approx(
        without[0], abs=1e-3
    )
    assert all(JOURNAL_SHIFT not in row.reasons for row in forecast_rows(fitted, silent, issue))


def test_tonights_words_are_tonights_alone(drinking):
    """Horizons are apart in the ridge: a drink of this evening moves the coming night and no other."""
    issue = Issue("me", "live", "evening", drinking.as_of, drinking.origin_day, 0)
    rows = forecast_rows(Ridge().fit(drinking), drinking, issue)
    assert JOURNAL_SHIFT in rows[0].reasons and all(JOURNAL_SHIFT not in row.reasons for row in rows[1:])


def test_the_mix_adds_up_its_parts_shifts(drinking):
    issue = Issue("me", "live", "evening", drinking.as_of, drinking.origin_day, 0)
    rows = forecast_rows(Ridge().fit(drinking), drinking, issue)
    unmoved = [
        replace(r, forecaster="other", reasons=None, quantiles_ms=tuple(np.linspace(40, 60, 23)))
        for r in rows
    ]
    mixed = {row.horizon: row for row in mix_rows([*rows, *unmoved], _no_scores())}
    share = mixed[1].reasons["weights"]["ridge"]
    assert 0 < share < 1
    assert mixed[1].reasons[JOURNAL_SHIFT] == pytest.approx(share * rows[0].reasons[JOURNAL_SHIFT], abs=2e-3)


def _no_scores() -> pl.DataFrame:
    return pl.DataFrame(
        schema={"target_day": pl.Date, "origin_day": pl.Date, "horizon": pl.Int32, "forecaster": pl.String,
                "quantiles_ms": pl.List(pl.Float64), "hrv_rmssd_ms": pl.Float64, "crps_ms": pl.Float64}
    )  # fmt: skip
