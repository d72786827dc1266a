"""Ask the agent: draw samples, check each, repair once, combine. No store: the answer depends on its input alone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.llm import BadReply, ChatError, ChatModel, ChatReply, Message, draw_samples
from llm_agent.briefing import Briefing, make_briefing
from llm_agent.choice import choice_messages, choice_schema, levers_of_choice
from llm_agent.correction import Correction, average_of_samples, corrected_week, correction_of
from llm_agent.errors import ModelFailed
from llm_agent.free import FREE_SCHEMA, free_messages, grounds_of, levers_of_free
from llm_agent.grounding import check_text
from llm_agent.levers import Lever
from llm_agent.prompts import Prompt, load_prompt
from llm_agent.wording import plain_rationale

__all__ = ["SAMPLES", "TEMPERATURE", "Answer", "Style", "ask_agent", "ask_about", "messages_for"]

Style = Literal["choice", "free"]
SAMPLES = 5
TEMPERATURE = 0.5
CONTESTED_SPREAD = 1.1
"""Factor of the band where the samples are not of one mind."""
MAX_TOKENS = {"choice": 420, "free": 700}


@dataclass(frozen=True)
class Answer:
    """What the agent says about one evening.

    Attributes
    ----------
    shifts_ms, spread, hit_weight : dict horizon -> float
        Mean over the samples; ``shifts_ms`` is what the combined medians moved by.
    quantiles_ms : dict horizon -> ndarray [Q], ms
    rationale, rationale_by : str
        What is published, and who worded it: ``model`` or ``template``.
    raw_rationale : tuple of str
        What the model wrote, before any check; empty for choices.
    levers : tuple of dict
        Everything that moved the night, sizes averaged over the samples.
    samples : tuple of dict
        Shift, spread and hit weight of night 1, for each valid sample.
    repairs : int
        Calls made because an answer was not valid or full of faults; at most one.
    valid : bool
        At least one valid answer after that.
    dropped : tuple of str
        What the checks took out, and why.
    replies : tuple of dict
        Each raw answer, for the record of the call.
    """

    shifts_ms: dict[int, float]
    spread: dict[int, float]
    hit_weight: dict[int, float]
    quantiles_ms: dict[int, np.ndarray]
    rationale: str
    rationale_by: str
    raw_rationale: tuple[str, ...]
    levers: tuple[dict[str, Any], ...]
    samples: tuple[dict[str, float], ...]
    repairs: int
    valid: bool
    dropped: tuple[str, ...]
    seconds: float
    prompt_digest: str
    prompt_tokens: int
    model_id: str
    withheld: int
    replies: tuple[dict[str, Any], ...] = field(repr=False, default=())


@dataclass(frozen=True)
class _Sample:
    levers: tuple[Lever, ...]
    night_spread: float
    hit_weight: float
    rationale: str
    faults: tuple[str, ...]

    def correction(self, base_ms: Mapping[int, Sequence[float]]) -> Correction:
        made = correction_of(self.levers, base_ms, night_spread=self.night_spread)
        hit = {h: max(w, self.hit_weight if h == 1 else 0.0) for h, w in made.hit_weight.items()}
        return replace(made, hit_weight=hit)


def ask_agent(
    summary: dict[str, Any],
    base_quantiles_ms: Mapping[int, Sequence[float]],
    journal: Sequence[str],
    model: ChatModel,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    style: Style = "choice",
    memory: Sequence[tuple[str, str]] = (),
) -> Answer:
    """Ask about one evening.

    Parameters
    ----------
    summary : dict
        ``reports/daily/<issue>.json``.
    base_quantiles_ms : dict horizon -> quantiles [Q], ms
        The models' combination without tonight's journal.
    journal : sequence of str
        Today's transcripts.

    Raises
    ------
    ModelFailed
        The model could not be asked, or gave no valid answer after one repair.
    """
    briefing = make_briefing(summary, base_quantiles_ms, journal, memory=memory)
    return ask_about(briefing, model, samples=samples, seed=seed, style=style)


def ask_about(briefing: Briefing, model: ChatModel, *, samples: int, seed: int, style: Style) -> Answer:
    """The same from a briefing."""
    started = time.perf_counter()
    prompt = load_prompt(style)
    messages, schema = messages_for(briefing, prompt, style)
    temperature = TEMPERATURE if samples > 1 else 0.0
    replies: list[ChatReply | BadReply] = []
    repairs = 0
    try:
        drawn = _draw(model, messages, schema, samples, temperature, seed, style)
        replies += drawn
        read = [_read(reply, briefing, style) for reply in drawn if isinstance(reply, ChatReply)]
        if (again := _to_repair(drawn, read, messages)) is not None:
            repairs = 1
            mended = _draw(model, again, schema, 1, 0.0, seed + samples, style)
            replies += mended
            better = [_read(reply, briefing, style) for reply in mended if isinstance(reply, ChatReply)]
            read = better or read
    except ChatError as error:
        raise ModelFailed(str(error)) from error
    if not read:
        raise ModelFailed(f"{model.model_id} gave no valid answer, not even when it was asked again.")
    return _combined(briefing, prompt, read, replies, repairs, model, time.perf_counter() - started)


def messages_for(briefing: Briefing, prompt: Prompt, style: Style) -> tuple[list[Message], dict[str, Any]]:
    """The exact messages and the schema of one evening."""
    if style == "choice":
        return choice_messages(briefing, prompt), choice_schema(briefing)
    return free_messages(briefing, prompt), FREE_SCHEMA


def _draw(
    model: ChatModel,
    messages: Sequence[Message],
    schema: dict[str, Any],
    samples: int,
    temperature: float,
    seed: int,
    style: Style,
) -> list[ChatReply | BadReply]:
    return draw_samples(
        model, messages, schema=schema, samples=samples, max_tokens=MAX_TOKENS[style], temperature=temperature,
        seed=seed,
    )  # fmt: skip


def _read(reply: ChatReply, briefing: Briefing, style: Style) -> _Sample:
    said = reply.parsed
    if style == "choice":
        return _Sample(tuple(levers_of_choice(said, briefing)), 1.0, 0.0, "", ())
    levers, faults = levers_of_free(said, briefing)
    sample = _Sample(tuple(levers), float(said["spread"]), float(said["hit_weight"]), "", ())
    grounds = grounds_of(briefing, sample.correction(briefing.base_ms).shifts_ms[1])
    sound, wrong = check_text(said["rationale"], grounds)
    told = [fault for lever in levers for fault in check_text(lever.text, grounds)[1]]
    return replace(sample, rationale=sound, faults=(*faults, *wrong, *told))


def _to_repair(
    drawn: Sequence[ChatReply | BadReply], read: Sequence[_Sample], messages: Sequence[Message]
) -> list[Message] | None:
    """The messages of the one repair, when no answer was valid or the only one is full of faults."""
    if not read:
        bad = next(reply for reply in drawn if isinstance(reply, BadReply))
        return [*messages[:-1], {"role": "user", "content": f"{messages[-1]['content']}\n({bad.args[0][:120]})"}]
    if any(not sample.faults for sample in read):
        return None
    first = next(reply for reply in drawn if isinstance(reply, ChatReply))
    faults = "\n".join(f"- {fault}" for fault in read[0].faults[:5])
    return [
        *messages,
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": f"Your answer had faults:\n{faults}\nAnswer again, without them. JSON only."},
    ]


def _combined(
    briefing: Briefing,
    prompt: Prompt,
    read: Sequence[_Sample],
    replies: Sequence[ChatReply | BadReply],
    repairs: int,
    model: ChatModel,
    seconds: float,
) -> Answer:
    raw_night_1 = [sample.correction(briefing.base_ms).shifts_ms[1] for sample in read]
    read = _by_majority(read)
    made = [sample.correction(briefing.base_ms) for sample in read]
    week = average_of_samples([corrected_week(briefing.base_ms, correction) for correction in made])
    shifts = {h: float(week[h][MEDIAN_INDEX]) - briefing.base_ms[h][MEDIAN_INDEX] for h in HORIZONS}
    levers = _mean_levers(read)
    night_1 = [correction.shifts_ms[1] for correction in made]
    agreed = sum(abs(raw - shifts[1]) < 0.5 for raw in raw_night_1)
    _, first = min(
        enumerate(read), key=lambda item: (len(item[1].faults), abs(night_1[item[0]] - shifts[1]), item[0])
    )
    text = _agrees(first.rationale, briefing, shifts[1])
    rationale = text or plain_rationale(briefing, levers, shifts[1], agreed=agreed, asked=len(read))
    good = [reply for reply in replies if isinstance(reply, ChatReply)]
    return Answer(
        shifts_ms={h: round(shift, 4) for h, shift in shifts.items()},
        spread={h: round(float(np.mean([c.spread[h] for c in made])), 4) for h in HORIZONS},
        hit_weight={h: round(float(np.mean([c.hit_weight[h] for c in made])), 4) for h in HORIZONS},
        quantiles_ms=week,
        rationale=rationale,
        rationale_by="model" if text else "template",
        raw_rationale=tuple(r.parsed["rationale"] for r in good if "rationale" in r.parsed),
        levers=tuple(lever.describe() for lever in levers),
        samples=tuple(
            {"shift_ms": round(raw, 2), "spread_factor": c.spread[1], "hit_weight": c.hit_weight[1]}
            for raw, c in zip(raw_night_1, made, strict=True)
        ),
        repairs=repairs,
        valid=True,
        dropped=tuple(dict.fromkeys(fault for sample in read for fault in sample.faults)),
        seconds=round(seconds, 2),
        prompt_digest=prompt.label,
        prompt_tokens=good[0].prompt_tokens,
        model_id=model.model_id,
        withheld=briefing.words.withheld,
        replies=tuple(
            {"text": r.text, "prompt_tokens": r.prompt_tokens, "completion_tokens": r.completion_tokens}
            if isinstance(r, ChatReply)
            else {"text": r.text, "error": str(r)}
            for r in replies
        ),
    )  # fmt: skip


def _by_majority(read: Sequence[_Sample]) -> list[_Sample]:
    """Each sentence with the verdict that most of the samples share, the same in all of them.

    A sentence counts when more than half of the samples move the night the same way by it; its strength is the one that
    most of those chose, the weaker of equals. Where some disagree, the band of night 1 is wider. So a further sentence
    that is judged to be nothing changes no number, whatever it did to the drawing of the samples.
    """
    votes: dict[tuple[str, bool], list[Lever]] = {}
    for sample in read:
        for lever in sample.levers:
            if lever.kind == "event":
                votes.setdefault((lever.id, lever.taken_ms < 0), []).append(lever)
    verdicts, contested = [], False
    for same in votes.values():
        if 2 * len(same) > len(read):
            sizes = [round(lever.taken_ms, 6) for lever in same]
            verdicts.append(min(same, key=lambda lever: (-sizes.count(round(lever.taken_ms, 6)), abs(lever.taken_ms))))
            contested = contested or len(same) < len(read)
    wider = CONTESTED_SPREAD if contested else 1.0
    return [
        replace(
            sample,
            levers=(*(lever for lever in sample.levers if lever.kind != "event"), *verdicts),
            night_spread=sample.night_spread * wider,
        )
        for sample in read
    ]


def _agrees(text: str, briefing: Briefing, shift_ms: float) -> str:
    """A sample's words, if they also hold for the combined shift."""
    return check_text(text, grounds_of(briefing, shift_ms))[0] if text else ""


def _mean_levers(read: Sequence[_Sample]) -> list[Lever]:
    """Each lever with what the samples took of it on average; one that no sample took stays with zero."""
    found: dict[str, list[Lever]] = {}
    for sample in read:
        for lever in sample.levers:
            found.setdefault(lever.id, []).append(lever)
    return [
        replace(
            max(same, key=lambda lever: abs(lever.taken_ms)),
            taken_ms=sum(lever.taken_ms for lever in same) / len(read),
            effect_ms=sum(lever.effect_ms for lever in same) / len(same),
        )
        for _, same in sorted(found.items())
    ]
