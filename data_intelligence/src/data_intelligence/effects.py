"""Personal effects: what each logged behaviour went with on the nights that followed, all else adjusted for.

Card. One joint model per member on ln RMSSD (``design``, ``regression``): drifting level, weekday, strain and load,
lagged residual, and every behaviour by dose, clock time and night (the coming one and the two after it). Assumes that
effects add on the log scale and grow in proportion to the dose.

Two readings of the same likelihood, which answer two questions. The **estimate**, the probabilities and what is shown
come from the sparse law (most behaviours do little, ``sparse_prior``): the best guess. The **interval** comes from a
wide law (SD 20 %, or the literature's): what the nights leave open. So an interval covers a real effect as often as it
says, of whatever size, while the estimate of what does nothing stays near nothing. It always holds the estimate.

Is not a cause, unless an experiment *tested* it: behaviours that always come together can't be told apart, and what was
never logged is not adjusted for. Says "too little data" below five nights with or without, and never shows that as an
effect. What is shown keeps a budget for false findings over everything that is shown (``discoveries``).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from data_intelligence.behaviours import NightlyJournal, describe_dose, nightly_journal, typical_dose
from data_intelligence.clock_times import say_clock
from data_intelligence.design import LATER_NIGHTS, Column, Design, build_design, dose_scale
from data_intelligence.discoveries import SMALLEST_PCT, within_budget
from data_intelligence.effect import MIN_NIGHTS, Effect, LaterNight, Spread, TestedEffect
from data_intelligence.effect_priors import FIT_SD, WIDE_SD, WIDTH_KEPT
from data_intelligence.regression import JointFit, fit_joint
from data_intelligence.sparse_prior import draw_coefficients
from hrv_shared.history import History

__all__ = ["Effect", "EffectFit", "estimate_effects"]

PERIOD_WORDS = {
    "alcohol_last_time": "last drink", "last_meal_time": "last meal", "workout_end_time": "training",
    "caffeine_last_time": "last caffeine", "nicotine_last_time": "last nicotine", "sauna_end_time": "sauna",
}  # fmt: skip
"""What is late, by the name of its clock time."""


@dataclass(frozen=True)
class EffectFit:
    """One joint fit; ``effects`` are what is shown first, then by how sure they are, then by name."""

    journal: NightlyJournal
    design: Design
    joint: JointFit
    draws: np.ndarray
    effects: list[Effect]
    retrospective: bool
    tested: Mapping[str, TestedEffect]

    @property
    def level_ms(self) -> float:
        """The present level: an ordinary night without any of the behaviours, ms."""
        return math.exp(float(self.joint.level[-1])) if len(self.joint.level) else float("nan")

    @property
    def digest(self) -> str:
        """Names the fit: equal inputs give equal digests."""
        sha = hashlib.sha256(np.round(self.draws.mean(axis=0), 9).tobytes())
        sha.update(",".join(f"{c.part}:{c.name}:{c.later}" for c in self.design.columns).encode())
        return sha.hexdigest()[:16]

    def effect(self, behaviour: str, dose: float | None) -> Effect | None:
        """The effect of a behaviour at a dose (None: at the typical one), or None when it was never logged."""
        at = self.design.index("behaviour", behaviour)
        if at is None:
            return None
        doses = self.journal.doses[behaviour]
        scale = dose_scale(doses, dose)
        used = set(self.design.nights)
        words = describe_dose(
            behaviour, dose if dose is not None else typical_dose(doses), self.journal.units.get(behaviour)
        )
        later = [self.design.index("behaviour", behaviour, nights) for nights in LATER_NIGHTS]
        return self._made(
            behaviour, words, at, scale, len(used & set(doses)), len(used & self.journal.no_nights(behaviour)),
            tuple(
                self._later(place, nights, scale)
                for place, nights in zip(later, LATER_NIGHTS, strict=True)
                if place is not None
            ),
        )  # fmt: skip

    def clock_effect(self, name: str, hours: float | None = None) -> Effect | None:
        """The effect of a clock time (None: one hour later than usual), or None when it was hardly ever told."""
        at = self.design.index("clock", name)
        if at is None:
            return None
        usual, values = self.design.usual_hours[name], self.design.columns[at].values
        scale = 1.0 if hours is None else float(np.clip(hours - usual, -6.0, 6.0))
        words = f"{PERIOD_WORDS[name]} {abs(scale):.1f} h {'later' if scale >= 0 else 'earlier'} than usual"
        words = words.replace("1.0 h", "1 h") + f" ({say_clock(usual)})"
        return self._made(name, words, at, scale, int((values > 0.25).sum()), int((values < -0.25).sum()), ())

    def _made(
        self,
        name: str,
        words: str,
        at: int,
        scale: float,
        n_yes: int,
        n_no: int,
        later: tuple[LaterNight, ...],
    ) -> Effect:
        return Effect(
            behaviour=name,
            text=words,
            retrospective=self.retrospective and name in self.journal.late,
            spread=self._spread(at, scale),
            level_ms=self.level_ms,
            night_sd_ms=self._night_sd_ms(at),
            n_yes=n_yes,
            n_no=n_no,
            later=later,
            tested=self.tested.get(name),
            information=self._information(at) if scale else 0.0,
            n_nights=len(self.design.nights),
        )

    def _later(self, at: int, nights: int, scale: float) -> LaterNight:
        return LaterNight(nights, self._spread(at, scale))

    def _spread(self, at: int, scale: float) -> Spread:
        smallest = math.log1p(SMALLEST_PCT / 100.0)
        drawn = self.draws[:, at] * scale
        mean, sd = self._wide(at)
        return Spread(
            median_ln=float(np.median(drawn)),
            wide_mean_ln=mean * scale,
            wide_sd_ln=WIDTH_KEPT * sd * abs(scale),
            freedom=self.joint.scale_nights,
            p_negative=float(np.mean(drawn < 0.0)),
            p_harm=float(np.mean(drawn < -smallest)),
            p_help=float(np.mean(drawn > smallest)),
        )

    def _wide(self, at: int) -> tuple[float, float]:
        """Mean and scale of a coefficient under the wide law."""
        mean, cov = self._wide_laws[self.design.columns[at].later > 0]
        return float(mean[at]), float(math.sqrt(cov[at, at]))

    @cached_property
    def _wide_laws(self) -> dict[bool, tuple[np.ndarray, np.ndarray]]:
        return {later: wide_law(self.joint, self.design.columns, later) for later in (False, True)}

    def _information(self, at: int) -> float:
        """What the nights alone say of a coefficient, as a precision."""
        column = self.design.columns[at]
        own = wide_sd(column, column.later > 0) ** -2.0
        return max(self._wide(at)[1] ** -2.0 - own, 0.0)

    def _night_sd_ms(self, at: int) -> float:
        """How much single nights with the behaviour scatter around its effect, ms."""
        with_it = self.joint.residual[self.design.columns[at].values > 0]
        spread = float(np.std(with_it, ddof=1)) if len(with_it) >= 3 else self.joint.sigma
        return self.level_ms * spread


def estimate_effects(
    history: History, *, with_retrospective: bool = False, tested: Mapping[str, TestedEffect] | None = None
) -> EffectFit:
    """Fit every logged behaviour at once, from what was known at ``history.as_of``.

    Parameters
    ----------
    with_retrospective : bool
        Let in answers given after the score was visible (export journals). Such a fit is for looking back only.
    tested : mapping of behaviour to TestedEffect
        Results of finished randomised experiments, as of the same moment.
    """
    journal = nightly_journal(history, with_retrospective=with_retrospective)
    design = build_design(history, journal)
    joint = fit_joint(
        design.y,
        design.x,
        design.day,
        np.array([c.prior.mean for c in design.columns]),
        np.array([fit_sd(c) for c in design.columns]),
    )
    priors = [column.prior for column in design.columns]
    draws = draw_coefficients(joint.curvature, joint.pull, priors, joint.scale_nights)
    fit = EffectFit(journal, design, joint, draws, [], with_retrospective, tested or {})
    found = [fit.effect(behaviour, None) for behaviour in sorted(journal.doses)]
    found += [fit.clock_effect(name) for name in sorted(design.usual_hours)]
    kept = share_budget([effect for effect in found if effect is not None and effect.n_yes > 0])
    kept.sort(key=lambda e: (not e.shown, min(e.n_yes, e.n_no) < MIN_NIGHTS, e.p_false, e.behaviour))
    return replace(fit, effects=kept)


def share_budget(effects: list[Effect]) -> list[Effect]:
    """Mark what is shown: one budget over all effects, clock times and later nights."""
    claims = [effect.p_false if effect.enough else 1.0 for effect in effects]
    claims += [night.p_false if effect.enough else 1.0 for effect in effects for night in effect.later]
    shown = iter(within_budget(claims))
    first = [replace(effect, shown=next(shown)) for effect in effects]
    return [
        replace(effect, later=tuple(replace(night, shown=next(shown)) for night in effect.later))
        for effect in first
    ]


def wide_sd(column: Column, later: bool) -> float:
    """SD of a column's wide law; ``later``: in the law under which later nights are read."""
    return _at_least(
        column, WIDE_SD["night"], WIDE_SD["later" if later else "later, when the first night is asked"]
    )


def fit_sd(column: Column) -> float:
    """SD of a column's law while the nature of the nights is found."""
    return _at_least(column, FIT_SD["night"], FIT_SD["later"])


def _at_least(column: Column, night: float, later: float) -> float:
    """The literature's SD or a wider one, for a behaviour's own night and for the later ones."""
    if column.part != "behaviour":
        return column.prior.sd
    if column.later == 0:
        return max(column.prior.sd, night)
    return max(column.prior.sd if column.prior.mean else 0.0, later)


def wide_law(joint: JointFit, columns: list[Column], later: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of all coefficients under the wide law."""
    mean = np.array([c.prior.mean for c in columns])
    stiff = np.array([wide_sd(c, later) for c in columns]) ** -2.0
    cov = np.linalg.inv(joint.curvature + np.diag(stiff))
    return cov @ (joint.pull + stiff * mean), (cov + cov.T) / 2.0
