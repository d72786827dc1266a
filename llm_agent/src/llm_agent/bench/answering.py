"""Ask the agent about every evening of a set of cases, through its public verb and without a store."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hrv_shared.constants import HORIZONS
from hrv_shared.errors import HrvError, Refusal
from hrv_shared.llm import ModelUnavailable
from llm_agent.bench.baselines import shifts_without_model
from llm_agent.bench.case_summary import build_summary
from llm_agent.bench.cases import CaseSet, EventCase, InjectionCase, PairCase, Side, State
from llm_agent.bench.memory import RememberingModel

__all__ = ["Asked", "Evening", "ask_all", "evenings", "peak_memory_gb"]

AskAgent = Callable[..., Any]
"""``llm_agent.forecast.ask_agent``."""


@dataclass(frozen=True)
class Evening:
    """One side of a case, ready to be asked about."""

    case_id: str
    side_name: str
    state: State
    side: Side

    @property
    def key(self) -> str:
        """Case and side."""
        return f"{self.case_id}/{self.side_name}"


@dataclass(frozen=True)
class Asked:
    """What came of it.

    Attributes
    ----------
    answer : dict
        Fields of the agent's ``Answer``; of a refusal: the models' quantiles, ``valid`` false and ``error``.
    without_model : dict of float, ms
        Night 1's shift by code alone.
    seconds_model : float, s
        Of the language model's calls, as measured when each was first made.
    seconds_wall : float, s
        Of this run; next to nothing for calls that were remembered.
    """

    evening: Evening
    summary: dict[str, Any]
    answer: dict[str, Any]
    without_model: dict[str, float]
    calls: int
    fresh: int
    samples: int
    seconds_model: float
    seconds_wall: float


def evenings(cases: CaseSet, *, words_only: bool = False) -> list[Evening]:
    """Every side of every case, clean before attacked; ``words_only`` takes facts and matched effects away."""
    bare = {"tonight_facts": (), "matched_effects": ()} if words_only else {}
    return [
        Evening(
            case.id, name,
            case.state.model_copy(update={"tonight_facts": ()} if words_only else {}), side.model_copy(update=bare),
        )
        for case in cases.cases
        for name, side in _sides(case)
    ]  # fmt: skip


def ask_all(
    every: list[Evening], model: RememberingModel, ask: AskAgent, *, samples: int, seed: int
) -> Iterator[Asked]:
    """Ask about each evening in turn.

    Raises
    ------
    ModelUnavailable
        The model itself can't be reached: nothing that follows would be an answer.
    """
    for evening in every:
        summary = build_summary(evening.state, evening.side)
        base, journal = dict(evening.state.base_quantiles_ms), list(evening.side.journal)
        alone = shifts_without_model(summary, base, journal)
        started = time.perf_counter()
        try:
            said = ask(summary, base, journal, model, samples=samples, seed=seed)
            answer = _as_dict(said)
        except Refusal as refusal:
            if isinstance(refusal.__cause__, ModelUnavailable):
                raise refusal.__cause__ from None
            answer = _refused(evening.state, refusal)
        wall = time.perf_counter() - started
        used = model.take()
        yield Asked(
            evening, summary, answer, alone, used.calls, used.fresh, used.samples, round(used.seconds, 3),
            round(wall, 3),
        )  # fmt: skip


def peak_memory_gb() -> float:
    """Largest resident size of this process so far, GB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def _sides(case: PairCase | EventCase | InjectionCase) -> list[tuple[str, Side]]:
    if isinstance(case, PairCase):
        return [("a", case.a), ("b", case.b)]
    if isinstance(case, InjectionCase):
        return [("clean", case.clean), ("attacked", case.attacked)]
    return [("it", case.side)]


def _as_dict(said: Any) -> dict[str, Any]:
    answer = {
        "shifts_ms": dict(said.shifts_ms), "spread": dict(said.spread), "hit_weight": dict(said.hit_weight),
        "quantiles_ms": {h: tuple(map(float, said.quantiles_ms[h])) for h in HORIZONS},
        "rationale": said.rationale, "raw_rationale": said.raw_rationale, "levers": [dict(x) for x in said.levers],
        "repairs": int(said.repairs), "valid": bool(said.valid), "dropped": list(said.dropped),
        "prompt_digest": said.prompt_digest, "prompt_tokens": int(said.prompt_tokens),
        "samples": len(said.samples), "error": None,
    }  # fmt: skip
    if isinstance(answer["raw_rationale"], (list, tuple)):
        answer["raw_rationale"] = " ".join(answer["raw_rationale"])
    return answer


def _refused(state: State, refusal: HrvError) -> dict[str, Any]:
    zeros = dict.fromkeys(HORIZONS, 0.0)
    return {
        "shifts_ms": zeros, "spread": dict.fromkeys(HORIZONS, 1.0), "hit_weight": zeros,
        "quantiles_ms": dict(state.base_quantiles_ms), "rationale": "", "raw_rationale": "", "levers": [], "repairs": 1,
        "valid": False, "dropped": [], "prompt_digest": "", "prompt_tokens": 0, "samples": 0, "error": refusal.code,
    }  # fmt: skip
