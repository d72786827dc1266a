"""Effects in a report: all of them at the typical dose, and those that match tonight's facts at tonight's dose."""

from __future__ import annotations

from typing import Literal

from data_intelligence.block import Block

__all__ = ["EffectLabel", "EffectRow", "LaterNightRow", "MatchedEffect", "TestedRow"]

EffectLabel = Literal["tested", "adjusted association", "too little data"]


class LaterNightRow(Block):
    """The same behaviour's effect on a later night: 1 is the night after the coming one."""

    nights_later: int
    effect_pct: float
    effect_ms: float
    low80_ms: float
    high80_ms: float
    p_negative: float
    p_harm: float
    shown: bool


class TestedRow(Block):
    """What a finished randomised experiment found: by intention, not shrunk, 90 % interval."""

    effect_pct: float
    low90_pct: float
    high90_pct: float
    n: int


class EffectRow(Block):
    """One behaviour's effect on the next night's RMSSD, at its typical dose (of a clock time: one hour later).

    ``shown`` rows lie within the budget for false findings over all that is shown; ``clear`` ones are sure on their
    own. ``p_harm`` is the probability of lowering HRV by 2 % or more, ``p_false`` that what is said is wrong in sign or
    smaller than that. ``retrospective`` rows rest on answers given after the score was visible: never used as forecast
    evidence.
    """

    behaviour: str
    text: str
    label: EffectLabel
    retrospective: bool
    shown: bool
    clear: bool
    effect_pct: float
    low80_pct: float
    high80_pct: float
    low90_pct: float
    high90_pct: float
    low95_pct: float
    high95_pct: float
    effect_ms: float
    low80_ms: float
    high80_ms: float
    low90_ms: float
    high90_ms: float
    low95_ms: float
    high95_ms: float
    night_sd_ms: float
    n_yes: int
    n_no: int
    p_negative: float
    p_harm: float
    p_false: float
    detectable_pct: float | None
    more_nights_for_10_pct: int | None
    later: tuple[LaterNightRow, ...]
    tested: TestedRow | None
    phrase: str
    evidence: str


class MatchedEffect(Block):
    """The personal effect of one of tonight's facts, at tonight's dose; prospective facts only."""

    behaviour: str
    text: str
    label: EffectLabel
    shown: bool
    effect_pct: float
    effect_ms: float
    low80_ms: float
    high80_ms: float
    night_sd_ms: float
    n_yes: int
    n_no: int
    p_negative: float
    p_harm: float
    later: tuple[LaterNightRow, ...]
    phrase: str
    fact_evidence: str
    evidence: str
