"""One effect as it is told: estimate, intervals, probabilities, and what more nights could tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypedDict

from scipy.special import stdtrit

__all__ = ["MASSES", "MIN_NIGHTS", "Effect", "LaterNight", "Spread", "TestedEffect"]

MIN_NIGHTS = 5
MASSES = (80, 90, 95)
CLEAR = 0.05
TOLD = 1.959963984540054 + 0.8416212335729143
"""Standard errors that an effect must measure to be told from zero: 5 % two-sided, 4 times in 5."""


class TestedEffect(TypedDict):
    """What a finished randomised experiment of a behaviour found."""

    effect_pct: float
    low90_pct: float
    high90_pct: float
    n: int


@dataclass(frozen=True)
class Spread:
    """Posterior of one coefficient times its dose, on ln RMSSD.

    Attributes
    ----------
    median_ln : float
        Under the sparse law.
    wide_mean_ln, wide_sd_ln, freedom : float
        Student-t posterior under the wide law: of the intervals.
    p_negative : float
        That HRV is lowered at all.
    p_harm, p_help : float
        That it is lowered, or raised, by at least the smallest effect worth a word.
    """

    median_ln: float
    wide_mean_ln: float
    wide_sd_ln: float
    freedom: float
    p_negative: float
    p_harm: float
    p_help: float

    @property
    def p_false(self) -> float:
        """Probability that the sign told is wrong or the effect too small for a word."""
        return 1.0 - max(self.p_harm, self.p_help)

    def ends_ln(self, mass: int) -> tuple[float, float]:
        """Interval of ``mass`` %; it holds the median."""
        reach = float(stdtrit(self.freedom, 0.5 + mass / 200.0)) * self.wide_sd_ln
        return min(self.wide_mean_ln - reach, self.median_ln), max(self.wide_mean_ln + reach, self.median_ln)


@dataclass(frozen=True)
class LaterNight:
    """The effect on a later night: 1 is the night after the coming one."""

    nights_later: int
    spread: Spread
    shown: bool = False

    @property
    def p_false(self) -> float:
        """As of a `Spread`."""
        return self.spread.p_false


@dataclass(frozen=True)
class Effect:
    """A behaviour's effect at one dose on the next night.

    Attributes
    ----------
    n_yes, n_no : int
        Nights with and without it; of a clock time: nights later and earlier than usual.
    later : tuple of LaterNight
        The second and third night after.
    tested : TestedEffect or None
        The result of a finished randomised experiment.
    information : float
        What ``n_nights`` nights say by themselves, as a precision of the effect at the typical dose.
    shown : bool
        Within the budget for false findings.
    """

    behaviour: str
    text: str
    retrospective: bool
    spread: Spread
    level_ms: float
    night_sd_ms: float
    n_yes: int
    n_no: int
    later: tuple[LaterNight, ...]
    tested: TestedEffect | None
    information: float
    n_nights: int
    shown: bool = False

    @property
    def enough(self) -> bool:
        """Five nights with it and five without, or an experiment."""
        return self.tested is not None or min(self.n_yes, self.n_no) >= MIN_NIGHTS

    @property
    def label(self) -> str:
        """``tested`` by an experiment, ``adjusted association``, or ``too little data``."""
        if self.tested is not None:
            return "tested"
        return "adjusted association" if self.enough else "too little data"

    @property
    def p_negative(self) -> float:
        """Posterior probability that the effect lowers HRV."""
        return self.spread.p_negative

    @property
    def p_harm(self) -> float:
        """That it lowers HRV by at least 2 %."""
        return self.spread.p_harm

    @property
    def p_false(self) -> float:
        """That what would be said of it is false."""
        return self.spread.p_false

    @property
    def clear(self) -> bool:
        """Shown, and sure on its own."""
        return self.shown and self.p_false <= CLEAR

    @property
    def effect_pct(self) -> float:
        """Posterior median, %."""
        return 100.0 * math.expm1(self.spread.median_ln)

    @property
    def effect_ms(self) -> float:
        """Posterior median, ms at the present level."""
        return self.level_ms * math.expm1(self.spread.median_ln)

    @property
    def phrase(self) -> str:
        """The line that the agent and people read, such as ``alcohol, 2-3 drinks: -6.3 ms (n=17, sd 5.2)``."""
        return f"{self.text}: {self.effect_ms:+.1f} ms (n={self.n_yes}, sd {self.night_sd_ms:.1f})"

    def ends_pct(self, mass: int) -> tuple[float, float]:
        """Interval of ``mass`` %, in %."""
        low, high = self.spread.ends_ln(mass)
        return 100.0 * math.expm1(low), 100.0 * math.expm1(high)

    def ends_ms(self, mass: int) -> tuple[float, float]:
        """Interval of ``mass`` %, in ms."""
        low, high = self.ends_pct(mass)
        return self.level_ms * low / 100.0, self.level_ms * high / 100.0

    def detectable_pct(self, more_nights: int = 0) -> float | None:
        """The smallest effect that could be told by now, or after so many more nights lived as so far; %."""
        if self.information <= 0.0:
            return None
        share = (self.n_nights + more_nights) / self.n_nights
        return 100.0 * -math.expm1(-TOLD / math.sqrt(self.information * share))

    def nights_for(self, pct: float) -> int | None:
        """How many more nights, lived as so far, until an effect of ``pct`` % could be told; 0 when it can be now."""
        if self.information <= 0.0:
            return None
        needed = (TOLD / -math.log1p(-pct / 100.0)) ** 2
        return max(math.ceil(self.n_nights * (needed / self.information - 1.0)), 0)
