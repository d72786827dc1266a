"""How each of the wearer's sentences was understood, from the record of the call."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from llm_agent.wording import ABOUT

__all__ = ["understood", "understood_lines"]

UNMOVED = {"others": "other people", "plan": "a plan", "message": "not about your day"}


def understood(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The sentences that the model judged, with its verdicts.

    Parameters
    ----------
    call : dict
        Payload of an ``llm_call`` fact; of one whose model wrote freely no sentence has a verdict of its own.

    Returns
    -------
    list of dict
        ``words`` as they stand in the note, ``about`` the verdict, ``share`` how sure it is (of several answers: the
        share that agrees), None where that was not asked.
    """
    told = []
    for name, words in call["sentences"].items():
        answers = [_verdict(a["text"]) for a in call["reply"]["answers"] if a["about"] == name and "error" not in a]
        about, votes = Counter(verdict for verdict, _ in answers).most_common(1)[0] if answers else (None, 0)
        sure = next((sure for _, sure in answers if sure is not None), votes / len(answers) if answers else None)
        told.append({"words": words, "about": about, "share": sure})
    return told


def understood_lines(told: list[dict[str, Any]]) -> list[str]:
    """The same in words, a line a sentence."""
    return [
        f"  \N{LEFT DOUBLE QUOTATION MARK}{one['words']}\N{RIGHT DOUBLE QUOTATION MARK} "
        f"{_in_words(one['about'])} ({100 * one['share']:.0f} %)"
        for one in told
        if one["about"] is not None
    ]


def _verdict(answer: str) -> tuple[str, float | None]:
    said = json.loads(answer)
    return said["about"], said.get("sure")


def _in_words(about: str) -> str:
    kind, _, strength = about.partition(", ")
    return f"{ABOUT[kind]}, {strength}" if kind in ABOUT else UNMOVED.get(kind, kind)
