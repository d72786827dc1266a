"""The prompt for small models: no number to make up, only a choice for each sentence that code could not judge.

What the default model is known to get wrong (models.md 5), and what is done here: single effects are overstated (their
sizes are code's; a small model is not asked about them), side clauses are false (it writes no clause), statistics
are invented (it writes no number), evidence is misquoted (its answer's keys are the wearer's own words, held by a
grammar), single judgements are unsure (a sentence moves the night only when most of the samples say so).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hrv_shared.llm import Message
from llm_agent.briefing import Briefing
from llm_agent.levers import Lever, event_lever
from llm_agent.prompts import Prompt
from llm_agent.sentences import Sentence, fold

__all__ = ["choice_messages", "choice_schema", "levers_of_choice"]

KEY_WORDS = 8
"""Words of a sentence that the answer repeats as its key: they keep a small model on the line that it judges."""
UNMOVED = ("daily life", "others", "plan")
MOVED = ("body", "heart", "night", "relief")
STRENGTHS = ("a little", "clearly", "a lot")
LISTED = "listed"
NIGHTS = ("usual", "unusual", "very unusual")
"""The model's word on the night as a whole: kept with its answer, moves nothing."""


def choice_messages(briefing: Briefing, prompt: Prompt) -> list[Message]:
    """Instructions, worked examples, then tonight: everything static first, so that its reading can be kept."""
    messages: list[Message] = [{"role": "system", "content": prompt.content["system"]}]
    for example in prompt.content["examples"]:
        texts = [text for text, _ in example["sentences"]]
        answer = dict(zip(_keys(texts), (judged for _, judged in example["sentences"]), strict=True))
        answer["tonight"] = example["tonight"]
        messages.append({"role": "user", "content": _question(example["listed"], example["state"], texts)})
        messages.append({"role": "assistant", "content": json.dumps(answer, ensure_ascii=False)})
    listed = [lever.text for lever in briefing.effects]
    asked = [sentence.text for sentence in briefing.words.asked]
    return [*messages, {"role": "user", "content": _question(listed, briefing.state, asked)}]


def choice_schema(briefing: Briefing) -> dict[str, Any]:
    """One choice a sentence, in their order; how usual the night is."""
    choices = [*UNMOVED, *(f"{about}, {strength}" for about in MOVED for strength in STRENGTHS)]
    if briefing.effects:
        choices.append(LISTED)
    properties: dict[str, Any] = {
        key: {"type": "string", "enum": choices} for key in _keys([s.text for s in briefing.words.asked])
    }
    properties["tonight"] = {"type": "string", "enum": list(NIGHTS)}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def levers_of_choice(answer: dict[str, Any], briefing: Briefing) -> list[Lever]:
    """What an answer on the schema moves, and by how much."""
    levers = list(briefing.effects)
    asked = briefing.words.asked
    for sentence, key in zip(asked, _keys([s.text for s in asked]), strict=True):
        about, _, strength = answer[key].partition(", ")
        if about in MOVED:
            lever = _event(sentence, about, strength, briefing)
            if not _is_listed(sentence, lever, briefing):
                levers.append(lever)
    return levers


def _is_listed(sentence: Sentence, lever: Lever, briefing: Briefing) -> bool:
    """Whether a fact of this sentence has an effect of the same sign already: the same thing is not counted twice."""
    signs = {effect.behaviour: effect.effect_ms < 0 for effect in briefing.effects}
    words = fold(sentence.text)
    return any(
        fact["quote"] and fold(fact["quote"]) in words and signs.get(fact["behaviour"]) == (lever.taken_ms < 0)
        for fact in briefing.facts
    )


def _event(sentence: Sentence, about: str, strength: str, briefing: Briefing) -> Lever:
    verb = "raises" if about == "relief" else "lowers"
    return event_lever(
        sentence.id, about, sentence.text, f"{verb} {strength}", briefing.median_ms, briefing.place_of(sentence)
    )


def _question(listed: Sequence[str], state: str, sentences: Sequence[str]) -> str:
    return "\n".join(
        [f"Listed: {'; '.join(listed) or 'nothing'}", f"State: {state}", "Sentences:", *(f"- {s}" for s in sentences)]
    )  # fmt: skip


def _keys(sentences: Sequence[str]) -> list[str]:
    """The first words of each, as many as make it another than those before."""
    keys: list[str] = []
    for sentence in sentences:
        words = sentence.replace('"', "'").split()
        n = min(KEY_WORDS, len(words))
        key = " ".join(words[:n]).rstrip(".,;:!?")
        while key in keys or key == "tonight":
            n += 1
            key = " ".join(words[:n]) if n <= len(words) else f"{key} ({n})"
        keys.append(key)
    return keys
