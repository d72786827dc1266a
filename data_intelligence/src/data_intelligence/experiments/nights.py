"""What an experiment reads of an as-of view: nights before, outcomes, whether the coin was followed."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from data_intelligence.behaviours import nightly_journal
from data_intelligence.evidence import EvidenceBook
from data_intelligence.experiments.analysis import Adjustment, adjusted
from data_intelligence.experiments.harmless import harmless_habit
from data_intelligence.experiments.power import settle_adjustment
from data_intelligence.experiments.records import Experiment
from data_intelligence.nightly_channels import NightlyChannels, nightly_channels
from data_intelligence.trends import weekly_rhythm
from hrv_shared.history import History

__all__ = ["adjustment_of", "followed", "outcomes"]

BEFORE_NIGHTS = 120


def adjustment_of(history: History) -> Adjustment:
    """The wearer's numbers from the last 120 nights known."""
    nights = nightly_channels(history)
    rhythm = weekly_rhythm(nights, EvidenceBook())
    weekday_ln = tuple(float(np.log1p(row.effect_pct / 100)) for row in rhythm)
    start = max(1, len(nights) - BEFORE_NIGHTS)
    return settle_adjustment(
        nights.values["ln_hrv"][start:], _weekdays(nights)[start:], nights.strain[start - 1 : -1], weekday_ln
    )


def outcomes(experiment: Experiment, history: History) -> np.ndarray:
    """The adjusted outcome of each evening; NaN where its night does not count (yet); [D]."""
    nights = nightly_channels(history)
    y = adjusted(
        nights.values["ln_hrv"],
        _weekdays(nights),
        np.concatenate([[np.nan], nights.strain[:-1]]),
        experiment.adjustment,
    )
    at = dict(zip(nights.days, y, strict=True))
    evenings = range(len(experiment.plan))
    return np.array([at.get(experiment.first_evening + timedelta(days=k + 1), np.nan) for k in evenings])


def followed(experiment: Experiment, history: History) -> np.ndarray:
    """Whether the journal says that each evening went as the coin said: 1, 0, or NaN (it does not say); [D].

    Only what was told before the night was over counts; an evening without any entry says nothing.
    """
    habit = harmless_habit(experiment.behaviour)
    journal = nightly_journal(history, with_retrospective=False)
    done, not_done = set(journal.doses.get(habit.told_as, ())), journal.no_nights(habit.told_as)
    out = np.full(len(experiment.plan), np.nan)
    for k, coin in enumerate(experiment.plan):
        night = experiment.first_evening + timedelta(days=k + 1)
        if night in done or night in not_done:
            as_tested = (night in done) == habit.told_when_done
            out[k] = float(as_tested == coin)
    return out


def _weekdays(nights: NightlyChannels) -> np.ndarray:
    return np.array([day.weekday() for day in nights.days])
