"""How each of the wearer's sentences was understood, from the record of the call."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hrv_shared.issue import Issue
from hrv_shared.store import Store
from llm_agent.kinds import in_words

__all__ = ["understood", "understood_lines", "words_understood"]


def words_understood(store: Store, issue: Issue) -> dict[str, Any] | None:
    """What was made of the words of an issue: ``sentences`` (``understood``), and how many were ``withheld``.

    None where the agent was not asked.
    """
    since = datetime.combine(issue.origin_day, time(), UTC) - timedelta(days=1)
    key = f"{issue.book}:{issue.name}"
    calls = [c for c in store.record.facts("llm_call", issue.member_id, known_since=since) if c.key == key]
    if not calls:
        return None
    return {"sentences": understood(calls[-1].payload), "withheld": calls[-1].payload.get("withheld", 0)}


def understood(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The sentences that the model judged, with its verdicts.

    Parameters
    ----------
    call : dict
        Payload of an ``llm_call`` fact; of one whose model wrote freely no sentence has a verdict of its own.

    Returns
    -------
    list of dict
        ``words`` as they stand in the note, ``about`` the verdict, ``share`` how sure it is (of several answers:
        the share that agrees), ``yours`` whether it is the wearer's own word (``own_readings``), ``meaning`` all that
        in plain words; None where a sentence has no verdict of its own.
    """
    told = []
    own = call.get("own_readings", {})
    for name, words in call.get("sentences", {}).items():  # the record keeps calls of before they were written down
        answers = [_verdict(a["text"]) for a in call["reply"]["answers"] if a["about"] == name and "error" not in a]
        about, votes = Counter(verdict for verdict, _ in answers).most_common(1)[0] if answers else (None, 0)
        sure = next((sure for _, sure in answers if sure is not None), votes / len(answers) if answers else None)
        if name in own:
            about, sure = own[name], 1.0
        meaning = about and in_words(about, sure, yours=name in own)
        told.append({"words": words, "about": about, "meaning": meaning, "share": sure, "yours": name in own})
    return told


def understood_lines(told: list[dict[str, Any]]) -> list[str]:
    """The same in words, a line a sentence."""
    return [
        f"  \N{LEFT DOUBLE QUOTATION MARK}{one['words']}\N{RIGHT DOUBLE QUOTATION MARK} {one['meaning']}"
        for one in told
        if one["about"] is not None
    ]


def _verdict(answer: str) -> tuple[str, float | None]:
    said = json.loads(answer)
    return said["about"], said.get("sure")
