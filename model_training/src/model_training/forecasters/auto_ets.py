"""auto_ets: exponential smoothing whose error, trend and weekly season are chosen by AICc (statsforecast's AutoETS).

Assumes      ln RMSSD is a level that moves a little every night, perhaps with a trend and a weekly pattern, plus
             errors of one variance. A missing night counts as if it had lain on the level before it.
Is not       aware of strain, sleep or journal, nor of the left tail of bad nights: its band is Gaussian on the
             ln scale.
Refuses      below 14 scored nights, or when the last one is more than three days old.
Band         the library's own prediction intervals, stretched for the missing nights, clipped where they
             explode.
Cost         0.05-0.4 s for a fit of 60-730 nights, 2 ms for a forecast, and 2-6 s once for importing the library: a
             member of benchmarks and of training, too slow for the one second of a morning's forecasts.
"""

from __future__ import annotations

from model_training.opponents.auto_member import AutoMember, member_version
from model_training.opponents.auto_models import AutoEts

__all__ = ["AutoEtsMember"]


class AutoEtsMember(AutoMember):
    """Exponential smoothing, form chosen by AICc."""

    name = "auto_ets"
    version = member_version("1.0.0", __file__)
    opponent = AutoEts
    refit_days = 7
