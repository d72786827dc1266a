"""auto_arima: seasonal ARIMA with orders chosen by KPSS tests and stepwise AICc (statsforecast's AutoARIMA).

Assumes      ln RMSSD, perhaps after differences, is a linear process with constant coefficients and a week of
             seven nights. A missing night counts as if it had lain on the level before it.
Is not       aware of strain, sleep or journal, nor of the left tail of bad nights: its band is Gaussian on the
             ln scale.
Refuses      below 14 scored nights, or when the last one is more than three days old.
Band         the library's own prediction intervals, stretched for the missing nights, clipped where they
             explode. Two weeks can give a moving-average term on the unit circle, whose forecasts swing out of
             all range: it is fitted anew.
Cost         0.2-1.3 s for a fit of 60-730 nights, 3 ms for a forecast, and 2-6 s once for importing the library: a
             member of benchmarks and of training, too slow for the one second of a morning's forecasts.
"""

from __future__ import annotations

from model_training.opponents.auto_member import AutoMember, member_version
from model_training.opponents.auto_models import AutoArima

__all__ = ["AutoArimaMember"]


class AutoArimaMember(AutoMember):
    """Seasonal ARIMA, orders chosen by AICc."""

    name = "auto_arima"
    version = member_version("1.0.0", __file__)
    opponent = AutoArima
    refit_days = 28
