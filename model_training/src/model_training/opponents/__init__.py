"""The peers that we are measured against: what a competent person gets from well-known libraries in an afternoon.

They speak on plain arrays (dense calendar days, ms, NaN = no night) and not through the ``Forecaster`` protocol,
because a benchmark asks them for thousands of origins at once. The libraries are imported only when one of them speaks.
"""

from __future__ import annotations

from model_training.opponents.auto_models import AutoArima, AutoEts, AutoTheta
from model_training.opponents.lightgbm_panel import LightGbmMlforecast
from model_training.opponents.protocol import MissingLibrary, PanelOpponent, Person, SeriesOpponent

__all__ = [
    "AutoArima",
    "AutoEts",
    "AutoTheta",
    "LightGbmMlforecast",
    "MissingLibrary",
    "PanelOpponent",
    "Person",
    "SeriesOpponent",
]
