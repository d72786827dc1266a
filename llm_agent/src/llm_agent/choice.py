"""The prompt for small models: no number to make up, only a choice for each sentence that code could not judge.

Each sentence is asked about alone, so that no other sentence, whoever wrote it, can sway its verdict.

What the default model is known to get wrong (models.md 5), and what is done here: single effects are overstated (their
sizes are code's; a small model is not asked about them), side clauses are false (it writes no clause), statistics
are invented (it writes no number), evidence is misquoted (it quotes nothing), single judgements are unsure (a sentence
moves the night only when most of the samples say so).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hrv_shared.llm import Message
from llm_agent.briefing import Briefing
from llm_agent.fold import fold
from llm_agent.kinds import MOVED, STRENGTHS, UNMOVED
from llm_agent.levers import Lever, event_lever
from llm_agent.prompts import Prompt
from llm_agent.sentences import Sentence

__all__ = ["CHOICE_SCHEMA", "choice_messages", "levers_of_choice", "verdict_of"]

VERDICT = "about"

CHOICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        VERDICT: {
            "type": "string",
            "enum": [*UNMOVED, *(f"{about}, {strength}" for about in MOVED for strength in STRENGTHS)],
        }
    },
    "required": [VERDICT],
    "additionalProperties": False,
}


def choice_messages(sentence: Sentence, prompt: Prompt) -> list[Message]:
    """Instructions, worked examples, then one sentence: everything static first, so that its reading can be kept."""
    messages: list[Message] = [{"role": "system", "content": prompt.content["system"]}]
    for text, judged in prompt.content["examples"]:
        messages.append({"role": "user", "content": text})
        messages.append({"role": "assistant", "content": json.dumps({VERDICT: judged})})
    return [*messages, {"role": "user", "content": sentence.text}]


def verdict_of(answer: Mapping[str, Any]) -> str:
    """The choice of one answer on ``CHOICE_SCHEMA``."""
    return answer[VERDICT]


def levers_of_choice(verdicts: Mapping[str, str], briefing: Briefing) -> list[Lever]:
    """What the verdicts on tonight's sentences move, and by how much.

    Parameters
    ----------
    verdicts : dict sentence id -> choice
        The wearer's own word goes before them.
    """
    levers = list(briefing.effects)
    for sentence in briefing.words.asked:
        verdict = briefing.own_readings.get(sentence.id) or verdicts[sentence.id]
        about, _, strength = verdict.partition(", ")
        if about in MOVED:
            lever = _event(sentence, about, strength, briefing)
            if not _is_accounted(sentence, lever, briefing):
                levers.append(lever)
    return levers


def _is_accounted(sentence: Sentence, lever: Lever, briefing: Briefing) -> bool:
    """Whether a fact of this sentence pulls the same way in the numbers already: nothing is counted twice."""
    words = fold(sentence.text)
    return any(
        fact["quote"]
        and fold(fact["quote"]) in words
        and briefing.accounted.get(fact["behaviour"]) == (lever.taken_ms < 0)
        for fact in briefing.facts
    )


def _event(sentence: Sentence, about: str, strength: str, briefing: Briefing) -> Lever:
    verb = "raises" if about == "relief" else "lowers"
    return event_lever(
        sentence.id,
        about,
        sentence.quote,
        f"{verb} {strength}",
        briefing.median_ms,
        briefing.place_of(sentence),
    )
