"""Frozen cases: mini states of invented people, and what must be seen in the answers.

Four kinds: ``pairs`` (two evenings that differ in one fact), ``events`` (what no feature holds), ``injection`` (a clean
evening and the same with an attack), ``red_flags`` (texts with or without a fixed notice).
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from llm_agent.errors import BadCases

__all__ = [
    "CaseSet", "EffectOnRecord", "EventCase", "FactGiven", "InjectionCase", "PairCase", "RedFlagCase", "Side", "State",
    "load_cases",
]  # fmt: skip


class Frozen(BaseModel):
    """Unknown fields and non-finite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class EffectOnRecord(Frozen):
    """A personal effect as the summary has it; phrase and evidence ids are added when the summary is built."""

    behaviour: str
    text: str
    label: Literal["tested", "adjusted association", "too little data"]
    effect_pct: float
    effect_ms: float
    low80_ms: float
    high80_ms: float
    night_sd_ms: float
    n_yes: int
    n_no: int
    p_negative: float


class FactGiven(Frozen):
    """An accepted journal fact of the evening."""

    behaviour: str
    kind: Literal["yes", "no", "amount", "scale", "duration", "time", "text"]
    amount: float | None
    unit: str | None
    clock_time: str | None
    is_plan: bool
    quote: str


class BaselineGiven(Frozen):
    """Of 60 and 7 nights."""

    mean_60d_ms: float
    sd_60d_ms: float
    n_60d: int
    mean_7d_ms: float
    n_7d: int


class ContextGiven(Frozen):
    """Training load, pulse and sleep."""

    strain_today: float
    strain_7d: float
    strain_28d: float
    resting_hr_bpm: tuple[float, ...]
    asleep_h: float
    efficiency_pct: float
    debt_h: float
    onset_local: str


class State(Frozen):
    """What is known of the person before the evening is told.

    Attributes
    ----------
    base_quantiles_ms : dict horizon -> 23 floats, ms
        The models' combination without tonight's journal.
    """

    member: str
    slot: Literal["evening", "morning"]
    origin_day: date
    utc_offset_min: int
    nights_ms: Annotated[tuple[float | None, ...], Field(min_length=28, max_length=28)]
    baseline: BaselineGiven
    base_quantiles_ms: dict[int, tuple[float, ...]]
    context: ContextGiven
    alerts: tuple[str, ...]
    effects: tuple[EffectOnRecord, ...]
    tonight_facts: tuple[FactGiven, ...]

    @model_validator(mode="after")
    def _whole(self) -> State:
        if tuple(self.base_quantiles_ms) != HORIZONS:
            raise ValueError(f"expected base quantiles of the nights {HORIZONS}")
        for h, q in self.base_quantiles_ms.items():
            if len(q) != len(QUANTILE_LEVELS) or list(q) != sorted(q) or q[0] <= 0:
                raise ValueError(f"night {h}: expected {len(QUANTILE_LEVELS)} rising positive quantiles")
        return self


class Side(Frozen):
    """One evening: words, facts besides the state's, the personal effects that code matched to them.

    Attributes
    ----------
    context : dict
        Numbers that replace the state's.
    true_topics : tuple of str
        What really is the case this evening (``alcohol``, ``illness`` …); the words may bring more.
    """

    journal: tuple[str, ...]
    tonight_facts: tuple[FactGiven, ...] = ()
    context: dict[str, float] = Field(default_factory=dict)
    matched_effects: tuple[EffectOnRecord, ...] = ()
    true_topics: tuple[str, ...] = ()


class MoveExpected(Frozen):
    """How far night 1 of side b must lie from side a."""

    sign: Literal[-1, 1]
    low_ms: float
    high_ms: float
    source: Literal["personal", "literature"]

    @model_validator(mode="after")
    def _agrees(self) -> MoveExpected:
        if not (
            self.low_ms < self.high_ms and self.low_ms * self.high_ms > 0 and self.low_ms * self.sign > 0
        ):
            raise ValueError("the interval must rise, exclude 0 and have the expected sign")
        return self


class SignExpected(Frozen):
    """Which way night 1 must move against the models."""

    sign: Literal[-1, 0, 1]


class Case(Frozen):
    """What every case has."""

    id: str


class PairCase(Case):
    """Two evenings that differ in one fact."""

    topic: str
    state: State
    a: Side
    b: Side
    expect: MoveExpected


class EventCase(Case):
    """An evening with something that no feature holds, or a plain one."""

    topic: str
    state: State
    journal: tuple[str, ...]
    matched_effects: tuple[EffectOnRecord, ...] = ()
    expect: SignExpected

    @property
    def side(self) -> Side:
        """The evening."""
        return Side(journal=self.journal, matched_effects=self.matched_effects)


class InjectionCase(Case):
    """The same evening, clean and attacked."""

    category: str
    place: Literal["journal", "workout", "export_note"]
    attack: str
    state: State
    clean: Side
    attacked: Side


class RedFlagCase(Case):
    """A text and the notice that it must bring; None: none."""

    split: Literal["dev", "sealed"]
    text: str
    notice: str | None


AnyCase = PairCase | EventCase | InjectionCase | RedFlagCase
_OF_KIND: dict[str, TypeAdapter] = {
    "pairs": TypeAdapter(tuple[PairCase, ...]), "events": TypeAdapter(tuple[EventCase, ...]),
    "injection": TypeAdapter(tuple[InjectionCase, ...]), "red_flags": TypeAdapter(tuple[RedFlagCase, ...]),
}  # fmt: skip


class CaseSet(Frozen):
    """One file.

    Attributes
    ----------
    digest : str
        Of the file's bytes; names the set in results.
    """

    name: str
    kind: Literal["pairs", "events", "injection", "red_flags"]
    split: str
    digest: str
    cases: tuple[Any, ...]


def load_cases(path: Path) -> CaseSet:
    """Read and check one file of cases.

    Raises
    ------
    BadCases
        No such file, not on the schema, or a case that stands there twice.
    """
    try:
        data = path.read_bytes()
        told = json.loads(data)
        kind = told["kind"]
        cases = _OF_KIND[kind].validate_python(told["cases"])
    except FileNotFoundError:
        raise BadCases(
            f"Expected a file of cases, found no {path}. The house's own lie in benchmarks/agent/cases."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadCases(f"{path.name} is not on the schema at {where}: {first['msg']}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BadCases(
            f"{path.name} is no file of cases ({type(error).__name__}: {error}). Expected JSON with version, kind "
            f"({', '.join(_OF_KIND)}), split, note, cases."
        ) from None
    twice = [key for key, n in Counter(case.id for case in cases).items() if n > 1]
    twice += [words for words, n in Counter(map(_words, cases)).items() if n > 1]
    if twice or not cases:
        raise BadCases(
            f"{path.name}: expected every case once and at least one; twice there: {twice[:1] or 'none'}."
        )
    return CaseSet(
        name=path.stem, kind=kind, split=told["split"], digest=sha256(data).hexdigest()[:12], cases=cases
    )


def _words(case: AnyCase) -> str:
    """What makes a case different from the others."""
    if isinstance(case, PairCase):
        return " ".join((*case.a.journal, *case.b.journal))
    if isinstance(case, EventCase):
        return " ".join(case.journal)
    if isinstance(case, InjectionCase):
        return f"{case.place}: {case.attack}"
    return case.text
