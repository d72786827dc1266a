"""Personal effects: what each logged behaviour went with on the next night, all else adjusted for, with intervals.

Card. One joint robust regression per member on ln RMSSD (``design``, ``regression``). Assumes that effects add on the
log scale and grow in proportion to the dose. Is not a cause: behaviours that always come together can't be told apart,
and what was never logged is not adjusted for. Says "too little data" below five nights with or without. A behaviour is
called *clear* only with enough nights and a 95 % interval on one side of zero.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from data_intelligence.behaviours import NightlyJournal, describe_dose, nightly_journal, typical_dose
from data_intelligence.design import Design, build_design, dose_scale
from data_intelligence.regression import Posterior, fit_robust
from hrv_shared.history import History

__all__ = ["Effect", "EffectFit", "estimate_effects"]

MIN_NIGHTS = 5
Z80, Z95 = 1.2815515655446004, 1.959963984540054


@dataclass(frozen=True)
class Effect:
    """A behaviour's effect at one dose on the next night: posterior on ln RMSSD, and ms at the present level."""

    behaviour: str
    text: str
    retrospective: bool
    mean_ln: float
    sd_ln: float
    level_ms: float
    night_sd_ms: float
    n_yes: int
    n_no: int

    @property
    def label(self) -> str:
        """``adjusted association``, or ``too little data`` below five nights with or without."""
        return "adjusted association" if min(self.n_yes, self.n_no) >= MIN_NIGHTS else "too little data"

    @property
    def p_negative(self) -> float:
        """Posterior probability that the effect lowers HRV."""
        return 0.5 * math.erfc(self.mean_ln / self.sd_ln / math.sqrt(2.0))

    @property
    def clear(self) -> bool:
        """Enough nights, and a 95 % interval that excludes zero."""
        return self.label == "adjusted association" and abs(self.mean_ln) > Z95 * self.sd_ln

    @property
    def phrase(self) -> str:
        """The line that the agent and people read, such as ``alcohol, 2-3 drinks: -6.3 ms (n=17, sd 5.2)``."""
        return f"{self.text}: {self.ms(0.0):+.1f} ms (n={self.n_yes}, sd {self.night_sd_ms:.1f})"

    def pct(self, z: float) -> float:
        """The effect in % at ``z`` posterior SDs from its median."""
        return 100.0 * math.expm1(self.mean_ln + z * self.sd_ln)

    def ms(self, z: float) -> float:
        """The same in ms at the present level."""
        return self.level_ms * math.expm1(self.mean_ln + z * self.sd_ln)


@dataclass(frozen=True)
class EffectFit:
    """One joint fit; ``effects`` are sorted by how sure their sign is, then by name."""

    journal: NightlyJournal
    design: Design
    posterior: Posterior
    effects: list[Effect]
    retrospective: bool

    @property
    def level_ms(self) -> float:
        """The present level: trailing geometric mean, ms."""
        return math.exp(self.design.level_now)

    @property
    def digest(self) -> str:
        """Names the fit: equal inputs give equal digests."""
        sha = hashlib.sha256(np.round(self.posterior.mean, 12).tobytes())
        sha.update(",".join(c.name for c in self.design.columns).encode())
        return sha.hexdigest()[:16]

    def effect(self, behaviour: str, dose: float | None) -> Effect | None:
        """The effect of a behaviour at a dose (None: at the typical one), or None when it was never logged."""
        at = self.design.index(f"behaviour {behaviour}")
        if at is None:
            return None
        doses = self.journal.doses[behaviour]
        direction = np.zeros(len(self.design.columns))
        direction[at] = dose_scale(doses, dose)
        mean_ln, sd_ln = self.posterior.of(direction)
        used = set(self.design.nights)
        shown = dose if dose is not None else typical_dose(doses)
        return Effect(
            behaviour=behaviour,
            text=describe_dose(behaviour, shown, self.journal.units.get(behaviour)),
            retrospective=self.retrospective and behaviour in self.journal.late,
            mean_ln=mean_ln,
            sd_ln=sd_ln,
            level_ms=self.level_ms,
            night_sd_ms=self._night_sd_ms(at),
            n_yes=len(used & set(doses)),
            n_no=len(used & self.journal.no_nights(behaviour)),
        )

    def _night_sd_ms(self, at: int) -> float:
        """How much single nights with the behaviour scatter around its effect, ms."""
        with_it = self.posterior.residual[self.design.columns[at].values > 0]
        spread = float(np.std(with_it, ddof=1)) if len(with_it) >= 3 else self.posterior.sigma
        return self.level_ms * spread


def estimate_effects(history: History, *, with_retrospective: bool = False) -> EffectFit:
    """Fit every logged behaviour at once, from what was known at ``history.as_of``.

    Parameters
    ----------
    with_retrospective : bool
        Let in answers given after the score was visible (export journals). Such a fit is for looking back only.
    """
    journal = nightly_journal(history, with_retrospective=with_retrospective)
    design = build_design(history, journal)
    posterior = fit_robust(
        design.x,
        design.y,
        np.array([c.prior[0] for c in design.columns]),
        np.array([c.prior[1] for c in design.columns]),
    )
    fit = EffectFit(journal, design, posterior, [], with_retrospective)
    found = [fit.effect(behaviour, None) for behaviour in sorted(journal.doses)]
    kept = [effect for effect in found if effect is not None and effect.n_yes > 0]
    kept.sort(
        key=lambda e: (e.label != "adjusted association", min(e.p_negative, 1 - e.p_negative), e.behaviour)
    )
    return EffectFit(journal, design, posterior, kept, with_retrospective)
