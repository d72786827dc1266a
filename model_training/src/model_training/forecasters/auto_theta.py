"""auto_theta: the theta method in the form with the smallest squared error (statsforecast's AutoTheta).

Assumes      ln RMSSD is a level smoothed exponentially, drawn towards half of its long trend, with a weekly
             pattern where the autocorrelation shows one. A missing night counts as if it had lain on the level
             before it.
Is not       aware of strain, sleep or journal, nor of the left tail of bad nights: its band is Gaussian on the
             ln scale.
Refuses      below 14 scored nights, or when the last one is more than three days old.
Band         quantiles of the library's own simulated paths (fixed seed), stretched for the missing nights.
Cost         0.01-0.15 s for a fit of 60-730 nights, 4 ms for a forecast, and 2-6 s once for importing the library: a
             member of benchmarks and of training, too slow for the one second of a morning's forecasts.
"""

from __future__ import annotations

from model_training.opponents.auto_member import AutoMember, member_version
from model_training.opponents.auto_models import AutoTheta

__all__ = ["AutoThetaMember"]


class AutoThetaMember(AutoMember):
    """The theta method, form chosen by squared error."""

    name = "auto_theta"
    version = member_version("1.0.0", __file__)
    opponent = AutoTheta
    refit_days = 7
