"""The prompt for large models: they write reasons with sizes freely, within a schema, and every part is checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hrv_shared.llm import Message
from llm_agent.briefing import Briefing
from llm_agent.fold import fold
from llm_agent.grounding import Grounds, denied_topics, numbers_in
from llm_agent.levers import Lever
from llm_agent.prompts import Prompt

__all__ = ["FREE_SCHEMA", "free_messages", "grounds_of", "levers_of_free"]

SPREADS = (0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 2.0)
HIT_WEIGHTS = (0.0, 0.05, 0.1, 0.2)
LARGEST_SHIFT_MS = 25
BEYOND_EFFECT = 1.25
"""What the models left of an own effect may be taken by so much more; single effects are what models overstate."""
LASTING_SHARES = {1: 1.0, 2: 0.5, 3: 0.25}
UNLISTED_SHARE = 0.12
"""What no own effect covers may move the night by so much of the models' median."""

FREE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "ids": {
                        "type": "array",
                        "items": {"type": "string", "maxLength": 4},
                        "minItems": 1,
                        "maxItems": 4,
                    },
                    "why": {"type": "string", "maxLength": 160},
                    "shift_ms": {
                        "type": "integer",
                        "minimum": -LARGEST_SHIFT_MS,
                        "maximum": LARGEST_SHIFT_MS,
                    },
                    "nights": {"type": "integer", "minimum": 1, "maximum": 3},
                },
                "required": ["ids", "why", "shift_ms", "nights"],
                "additionalProperties": False,
            },
            "minItems": 0,
            "maxItems": 4,
        },
        "spread": {"type": "number", "enum": list(SPREADS)},
        "hit_weight": {"type": "number", "enum": list(HIT_WEIGHTS)},
        "rationale": {"type": "string", "maxLength": 400},
    },
    "required": ["reasons", "spread", "hit_weight", "rationale"],
    "additionalProperties": False,
}


def free_messages(briefing: Briefing, prompt: Prompt) -> list[Message]:
    """Instructions, worked examples, then tonight's briefing."""
    messages: list[Message] = [{"role": "system", "content": prompt.content["system"]}]
    for example in prompt.content["examples"]:
        messages.append({"role": "user", "content": example["user"]})
        messages.append(
            {"role": "assistant", "content": json.dumps(example["assistant"], ensure_ascii=False)}
        )
    return [*messages, {"role": "user", "content": briefing.text}]


def levers_of_free(answer: dict[str, Any], briefing: Briefing) -> tuple[list[Lever], list[str]]:
    """The reasons that rest on lines of the briefing, held to their bounds; and what was wrong."""
    levers, faults = [], []
    used: set[str] = set()
    for reason in answer["reasons"]:
        ids = [i for i in dict.fromkeys(reason["ids"]) if briefing.line(i) and i != "X0"]
        if unknown := [i for i in reason["ids"] if briefing.line(i) is None]:
            faults.append(f"a reason cites {', '.join(unknown)}, which the briefing does not have")
        if not ids:
            if reason["shift_ms"]:
                faults.append(f"a shift of {reason['shift_ms']:+d} ms rests on no line")
            continue
        cited = [e for e in briefing.effects if e.id in ids]
        if again := used & {e.id for e in cited}:
            faults.append(f"{', '.join(sorted(again))} is used by two reasons")
            cited = [e for e in cited if e.id not in used]
        used |= {e.id for e in cited}
        lever, fault = _lever(reason, ids, cited, briefing)
        if fault:
            faults.append(fault)
        if lever:
            levers.append(lever)
    return levers, faults


def grounds_of(briefing: Briefing, shift_ms: float) -> Grounds:
    """What a text about this night may rest on."""
    derived = [
        shift_ms, briefing.median_ms + shift_ms, briefing.median_ms, sum(e.effect_ms for e in briefing.effects),
        *(briefing.median_ms + e.effect_ms for e in briefing.effects),
    ]  # fmt: skip
    numbers = {*numbers_in(briefing.text), *(abs(round(n, 1)) for n in derived)}
    text = f"{fold(briefing.text)} {briefing.words.read}"
    return Grounds(frozenset(numbers), text, denied_topics(briefing.facts), shift_ms)


def _lever(
    reason: dict[str, Any], ids: Sequence[str], cited: Sequence[Lever], briefing: Briefing
) -> tuple[Lever | None, str | None]:
    said = float(reason["shift_ms"])
    total = sum(e.effect_ms - (e.counted_ms or 0.0) for e in cited)
    beyond = UNLISTED_SHARE * briefing.median_ms if any(i[0] in "JA" for i in ids) else 0.0
    if not cited and not beyond and said:
        return None, f"{said:+.0f} ms rest on {', '.join(ids)}, which the models have seen"
    low = min(BEYOND_EFFECT * total, 0.0) - beyond
    high = max(BEYOND_EFFECT * total, 0.0) + beyond
    taken = min(max(said, low), high)
    fault = None if taken == said else f"{said:+.0f} ms for {', '.join(ids)}: held to {taken:+.1f} ms"
    if not taken:
        return None, fault
    lines = [line for i in ids if (line := briefing.line(i))]
    evidence = tuple(dict.fromkeys(e for line in lines for e in line.evidence))
    kind = "effect" if cited and not beyond else "free"
    sd = sum(e.sd_ms**2 for e in cited) ** 0.5 if cited else 0.8 * abs(taken)
    lasts = {h: LASTING_SHARES[h] for h in range(1, reason["nights"] + 1)}
    behaviour = cited[0].behaviour if cited else None
    return Lever(ids[0], kind, reason["why"], taken, sd, taken, behaviour, evidence, lasts), fault
