"""Ask the agent: draw samples, check each, repair once, combine. No store: the answer depends on its input alone."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.llm import BadReply, ChatError, ChatModel, ChatReply, Message, draw_samples
from llm_agent.briefing import Briefing, make_briefing
from llm_agent.choice import CHOICE_SCHEMA, choice_messages, levers_of_choice, verdict_of
from llm_agent.correction import Correction, average_of_samples, corrected_week, correction_of
from llm_agent.encoder import Encoder
from llm_agent.errors import ModelFailed
from llm_agent.free import FREE_SCHEMA, free_messages, grounds_of, levers_of_free
from llm_agent.grounding import check_text
from llm_agent.levers import Lever
from llm_agent.literature import beside_usual
from llm_agent.prompts import load_prompt
from llm_agent.reading import SURE_FROM, Readers, Verdict, shipped_readers
from llm_agent.wording import plain_rationale

__all__ = [
    "SAMPLES", "TEMPERATURE", "Answer", "Question", "Style", "ask_about", "ask_agent", "label_of", "questions_for",
]  # fmt: skip

Style = Literal["read", "choice", "free"]
SAMPLES = 5
TEMPERATURE = 0.5
CONTESTED_SPREAD = 1.1
"""Factor of the band where the samples are not of one mind, or the reader is not sure."""
UNSURE_SHARE = 0.7
"""Of its size, where the reader is not sure: about as often is it right then."""
OWN_WORD_SURE = 0.9
"""Certainty of the wearer's own word beside other sentences: one on a habit ("feet up with the cat") does not outvote
what is plainly the matter of the evening."""
MAX_TOKENS = {"read": 0, "choice": 24, "free": 700}


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
class Question:
    """One prompt: about a sentence (``J1`` …) for a small model, about the whole evening (``all``) for a large one.

    An empty schema: nothing is generated, the model's state after the words is what answers.
    """

    id: str
    messages: tuple[Message, ...]
    schema: dict[str, Any]


@dataclass(frozen=True)
class _Sample:
    levers: tuple[Lever, ...]
    night_spread: float
    hit_weight: float
    rationale: str
    faults: tuple[str, ...]
    sure: Mapping[str, float] = field(default_factory=dict)

    def correction(self, base_ms: Mapping[int, Sequence[float]]) -> Correction:
        made = correction_of(self.levers, base_ms, night_spread=self.night_spread)
        hit = {h: max(w, self.hit_weight if h == 1 else 0.0) for h, w in made.hit_weight.items()}
        return replace(made, hit_weight=hit)


def ask_agent(
    summary: dict[str, Any],
    base_quantiles_ms: Mapping[int, Sequence[float]],
    journal: Sequence[str],
    model: ChatModel | Encoder,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    style: Style = "choice",
    readers: Readers | None = None,
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
    readers : Readers, optional
        For the style ``read``; by default those that ship.

    Raises
    ------
    ModelFailed
        The model could not be asked, or gave no valid answer after one repair.
    """
    briefing = make_briefing(summary, base_quantiles_ms, journal, memory=memory, in_prompt=style != "read")
    return ask_about(briefing, model, samples=samples, seed=seed, style=style, readers=readers)


def ask_about(
    briefing: Briefing,
    model: ChatModel | Encoder,
    *,
    samples: int,
    seed: int,
    style: Style,
    readers: Readers | None = None,
) -> Answer:
    """The same from a briefing."""
    if style == "read":
        return _read_each(briefing, model, readers or shipped_readers())
    started = time.perf_counter()
    temperature = TEMPERATURE if samples > 1 else 0.0
    replies: list[tuple[str, ChatReply | BadReply]] = []
    said: dict[str, list[ChatReply]] = {}
    repairs = 0
    try:
        questions = questions_for(briefing, style)
        if questions and (read_ahead := getattr(model, "read_ahead", None)):
            read_ahead(questions[0].messages[:-1])
        for question in questions:
            drawn = _draw(model, question, samples, temperature, seed, style)
            if again := _to_repair(drawn, question, briefing, style):
                repairs = 1
                mended = _draw(model, again, 1, 0.0, seed + samples, style)
                replies += [(question.id, reply) for reply in drawn]
                drawn = mended if _good(mended) else drawn
            replies += [(question.id, reply) for reply in drawn]
            said[question.id] = _good(drawn)
            if not said[question.id]:
                raise ModelFailed(f"{model.model_id} gave no valid answer, not even when it was asked again.")
    except ChatError as error:
        raise ModelFailed(str(error)) from error
    read = _read_choices(said, briefing, samples) if style == "choice" else _read_free(said["all"], briefing)
    return _combined(briefing, label_of(style), read, replies, repairs, model, time.perf_counter() - started)


def _read_each(briefing: Briefing, model: Encoder, readers: Readers) -> Answer:
    """One verdict on each sentence: nothing is drawn, the same words give the same."""
    started = time.perf_counter()
    verdicts = readers.verdicts(model, briefing.words.asked)
    seconds = time.perf_counter() - started
    replies = [
        (name, _as_reply({"about": v.about, "sure": round(v.sure, 3)}, model.model_id, seconds))
        for name, v in verdicts.items()
    ]
    verdicts |= {name: Verdict(about, OWN_WORD_SURE) for name, about in briefing.own_readings.items()}
    certainty = {name: v.sure for name, v in verdicts.items()}
    levers = [
        replace(lever, taken_ms=UNSURE_SHARE * lever.taken_ms)
        if certainty.get(lever.id, 1.0) < SURE_FROM
        else lever
        for lever in levers_of_choice({name: v.about for name, v in verdicts.items()}, briefing)
    ]
    told = [lever for lever in levers if lever.kind == "event"]
    both_ways = len({lever.taken_ms < 0 for lever in told}) > 1
    unsure = both_ways or bool(told) and max(certainty[lever.id] for lever in told) < SURE_FROM
    sample = _Sample(tuple(levers), CONTESTED_SPREAD if unsure else 1.0, 0.0, "", (), certainty)
    return _combined(briefing, readers.label, [sample], replies, 0, model, seconds, sure=not unsure)


def _as_reply(parsed: dict[str, Any], model_id: str, seconds: float) -> ChatReply:
    return ChatReply(json.dumps(parsed), parsed, model_id, 0, 0, round(seconds, 3))


def label_of(style: Style) -> str:
    """Of the prompt, or of what was learned: another one opens a new score segment."""
    if style == "read":
        return shipped_readers().label
    return load_prompt(style).label


def questions_for(briefing: Briefing, style: Style) -> list[Question]:
    """The exact prompts of one evening; none for a small model when there is no sentence to judge."""
    if style == "read":
        return [
            Question(sentence.id, ({"role": "user", "content": sentence.text},), {})
            for sentence in briefing.words.asked
        ]
    prompt = load_prompt(style)
    if style == "choice":
        return [
            Question(sentence.id, tuple(choice_messages(sentence, prompt)), CHOICE_SCHEMA)
            for sentence in briefing.words.asked
            if sentence.id not in briefing.own_readings
        ]
    return [Question("all", tuple(free_messages(briefing, prompt)), FREE_SCHEMA)]


def _draw(
    model: ChatModel, question: Question, samples: int, temperature: float, seed: int, style: Style
) -> list[ChatReply | BadReply]:
    return draw_samples(
        model, question.messages, schema=question.schema, samples=samples, max_tokens=MAX_TOKENS[style],
        temperature=temperature, seed=seed,
    )  # fmt: skip


def _good(replies: Sequence[ChatReply | BadReply]) -> list[ChatReply]:
    return [reply for reply in replies if isinstance(reply, ChatReply)]


def _read_choices(said: Mapping[str, Sequence[ChatReply]], briefing: Briefing, samples: int) -> list[_Sample]:
    """The k-th answers to all questions make one sample; where one was not valid, another of its question stands in."""
    verdicts = [
        {name: verdict_of(replies[k % len(replies)].parsed) for name, replies in said.items()}
        for k in range(samples)
    ]
    return [_Sample(tuple(levers_of_choice(chosen, briefing)), 1.0, 0.0, "", ()) for chosen in verdicts]


def _read_free(replies: Sequence[ChatReply], briefing: Briefing) -> list[_Sample]:
    return [_read_one(reply.parsed, briefing) for reply in replies]


def _read_one(said: dict[str, Any], briefing: Briefing) -> _Sample:
    levers, faults = levers_of_free(said, briefing)
    sample = _Sample(tuple(levers), float(said["spread"]), float(said["hit_weight"]), "", ())
    grounds = grounds_of(briefing, sample.correction(briefing.base_ms).shifts_ms[1])
    sound, wrong = check_text(said["rationale"], grounds)
    told = [fault for lever in levers for fault in check_text(lever.text, grounds)[1]]
    return replace(sample, rationale=sound, faults=(*faults, *wrong, *told))


def _to_repair(
    drawn: Sequence[ChatReply | BadReply], question: Question, briefing: Briefing, style: Style
) -> Question | None:
    """The question of the one repair, when no answer was valid or all free ones are full of faults."""
    good = _good(drawn)
    if not good:
        bad = next(reply for reply in drawn if isinstance(reply, BadReply))
        last = question.messages[-1]
        again = {"role": "user", "content": f"{last['content']}\n({bad.args[0][:120]})"}
        return replace(question, messages=(*question.messages[:-1], again))
    if style == "choice":
        return None
    read = _read_free(good, briefing)
    if any(not sample.faults for sample in read):
        return None
    faults = "\n".join(f"- {fault}" for fault in read[0].faults[:5])
    return replace(
        question,
        messages=(
            *question.messages,
            {"role": "assistant", "content": good[0].text},
            {
                "role": "user",
                "content": f"Your answer had faults:\n{faults}\nAnswer again, without them. JSON only.",
            },
        ),
    )


def _combined(
    briefing: Briefing,
    prompt_label: str,
    read: Sequence[_Sample],
    replies: Sequence[tuple[str, ChatReply | BadReply]],
    repairs: int,
    model: ChatModel,
    seconds: float,
    *,
    sure: bool = True,
) -> Answer:
    raw_night_1 = [sample.correction(briefing.base_ms).shifts_ms[1] for sample in read]
    read, contested = _by_majority(read)
    made = [sample.correction(briefing.base_ms) for sample in read]
    week = average_of_samples([corrected_week(briefing.base_ms, correction) for correction in made])
    shifts = {
        h: round(float(week[h][MEDIAN_INDEX]) - briefing.base_ms[h][MEDIAN_INDEX], 4) for h in HORIZONS
    }  # what is told is what is kept, to the last digit
    levers = _mean_levers(read)
    night_1 = [correction.shifts_ms[1] for correction in made]
    sure = sure and not contested and max(night_1) - min(night_1) < 0.5
    _, first = min(
        enumerate(read), key=lambda item: (len(item[1].faults), abs(night_1[item[0]] - shifts[1]), item[0])
    )
    text = _agrees(first.rationale, briefing, shifts[1])
    rationale = text or plain_rationale(briefing, levers, shifts[1], sure=sure)
    good = _good([reply for _, reply in replies])
    return Answer(
        shifts_ms=shifts,
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
        prompt_digest=prompt_label,
        prompt_tokens=max((reply.prompt_tokens for reply in good), default=0),
        model_id=model.model_id,
        withheld=briefing.words.withheld,
        replies=tuple(
            {"about": name, "text": r.text, "prompt_tokens": r.prompt_tokens, "completion_tokens": r.completion_tokens}
            if isinstance(r, ChatReply)
            else {"about": name, "text": r.text, "error": str(r)}
            for name, r in replies
        ),
    )  # fmt: skip


def _by_majority(read: Sequence[_Sample]) -> tuple[list[_Sample], bool]:
    """Each sentence with the verdict that most of the samples share, the same in all; and whether some disagree.

    A sentence counts when more than half of the samples move the night the same way by it; its strength is the one that
    most of those chose, the weaker of equals. Where some disagree, the band of night 1 is wider. So a further sentence
    that is judged to be nothing changes no number, whatever it did to the drawing of the samples.

    The sentences of an evening mostly tell one matter ("Grandad died." "I can't stop crying."), and the sizes are those
    of one matter. So the surest one says which way, and of those that go that way the strongest counts, once. Where a
    fact of the evening has a usual effect the same way ("grief or loss"), the event is what it adds to that.
    """
    votes: dict[tuple[str, bool], list[Lever]] = {}
    for sample in read:
        for lever in sample.levers:
            if lever.kind == "event":
                votes.setdefault((lever.id, lever.taken_ms < 0), []).append(lever)
    verdicts: list[tuple[float, Lever]] = []
    contested = False
    for (name, _), same in votes.items():
        if 2 * len(same) > len(read):
            sizes = [round(lever.taken_ms, 6) for lever in same]
            chosen = min(
                same, key=lambda lever: (-sizes.count(round(lever.taken_ms, 6)), abs(lever.taken_ms))
            )
            verdicts.append((len(same) / len(read) * read[0].sure.get(name, 1.0), chosen))
            contested = contested or len(same) < len(read)
    wider = CONTESTED_SPREAD if contested else 1.0
    merged = [
        replace(
            sample,
            levers=tuple(_with_event(sample.levers, _one_matter(verdicts))),
            night_spread=sample.night_spread * wider,
        )
        for sample in read
    ]
    return merged, contested


def _one_matter(verdicts: Sequence[tuple[float, Lever]]) -> Lever | None:
    if not verdicts:
        return None
    _, surest = max(verdicts, key=lambda told: (told[0], abs(told[1].taken_ms)))
    same_way = [lever for _, lever in verdicts if lever.taken_ms * surest.taken_ms > 0]
    return max(same_way, key=lambda lever: abs(lever.taken_ms))


def _with_event(levers: Sequence[Lever], event: Lever | None) -> list[Lever]:
    others = [lever for lever in levers if lever.kind != "event"]
    rest = beside_usual(event, others) if event else None
    return others if rest is None else [*others, rest]


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
