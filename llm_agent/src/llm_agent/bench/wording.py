"""Scorers of an answer's words, by code that shares nothing with the agent's own checks.

What the text quotes from the notes is left out of all of this.

- invented statistics: a claim about earlier nights, averages or chances that no effect on record makes
- overstated effects: a lever taken beyond the far end of its own 80 % interval
- false side clauses: a topic told as a fact that the evening does not have
- sign: the words up and down against the shift, and each lever against what it is said to do
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llm_agent.bench.grounded import ungrounded
from llm_agent.bench.quoting import own_words

__all__ = ["false_side_clauses", "invented_statistics", "overstated_levers", "signs_agree"]

_CLAIM = re.compile(
    r"\b(?:on|over|across|in|from|after) (?:about |the |your )?(?:last )?(?:\d+|several|many|most|other) "
    r"(?:earlier |past |previous |other |such |similar )*(?:nights|days|evenings|occasions|cases)\b"
    r"|\b(?:on average|(?:typically|usually) (?:lowers|raises)|has (?:lowered|raised|reduced) your"
    r"|correlat\w+|statistic\w+|per ?cent|probability|likelihood|chance of)\b"
    r"|\bn ?= ?\d+|\bsd \d",
    re.I,
)
_DOWN = re.compile(
    r"\b(?:lower(?:s|ed|ing)?|reduc\w+|drop\w*|decreas\w+|down(?:ward)?|worse\w*|suppress\w+|depress\w*|fall\w*|less|costs?"
    r"|take off)\b",
    re.I,
)
_UP = re.compile(
    r"\b(?:rais\w+|higher|increas\w+|improv\w+|up(?:ward)?|better|boost\w*|rise\w*|gain\w*|helps?)\b", re.I
)
_DENIED = re.compile(
    r"(?:\b(?:no|not|without|never|none|nothing|absence of|free of|instead of|avoided|skipped|rather than)\b|n't\b)"
    r"[^.;,]{0,40}$",
    re.I,
)

TOPICS: dict[str, re.Pattern[str]] = {
    name: re.compile(rf"\b(?:{words})\b", re.I)
    for name, words in {
        "alcohol": r"alcohol\w*|drinks?|drinking|drank|wines?|beers?|whisk\w+|cocktails?|prosecco|booze|pints?",
        "illness": r"fever\w*|ill|illness|sick\w*|infection\w*|flu|sore throat|vomit\w*|food poisoning|antibiotics?",
        "vaccination": r"vaccin\w+|jab|booster|shot",
        "travel": r"flight|flew|jet ?lag|time zones?|timezone\w*|travel\w*",
        "late_meal": r"late (?:meal|dinner|eating|supper)|heavy (?:meal|dinner)",
        "late_bed": r"late (?:bed\w*|night)|bed\w* late\w*|short sleep|sleep depriv\w+|lack of sleep",
        "stress": r"stress\w*|anxi\w+|tense|tension|argument|pressure",
        "hard_training": r"race|raced|marathon|intervals|high strain"
        r"|(?:hard|intense) (?:training|workout|session|effort|exercise)",
        "sauna": r"saunas?",
        "heat": r"heat|hot (?:night|room|bedroom)|high temperature",
        "altitude": r"altitude",
        "cycle": r"menstru\w+|luteal|period|cycle phase",
        "caffeine": r"caffeine|coffees?|espresso",
        "grief": r"grie\w+|death|funeral|loss of",
    }.items()
}


LEAST_TOLD_MS = 0.5
"""A shift below this is told as none."""


def invented_statistics(
    text: str, summary: Mapping[str, Any], answer: Mapping[str, Any], journal: Iterable[str]
) -> list[str]:
    """Sentences that claim a statistic which no matched effect on record makes."""
    said = list(journal)
    bad = []
    for sentence in re.split(r"(?<=[.!?])\s+", own_words(text, said)):
        if not _CLAIM.search(sentence):
            continue
        named = [e for e in summary["matched_effects"] if _names(sentence, e["behaviour"])]
        if not named or ungrounded(sentence, summary | {"matched_effects": named}, answer, said):
            bad.append(sentence)
    return bad


def overstated_levers(summary: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Personal effects taken beyond the far end of their own 80 % interval."""
    on_record = {e["behaviour"]: e for e in summary["matched_effects"]}
    bad = []
    for lever in answer["levers"]:
        effect = on_record.get(lever.get("behaviour"))
        taken = lever.get("taken_ms")
        if effect is None or taken is None:
            continue
        low, high = min(effect["low80_ms"], 0.0), max(effect["high80_ms"], 0.0)
        if not low - 0.05 <= taken <= high + 0.05:
            bad.append(f"{lever['behaviour']}: {taken:+.1f} ms")
    return bad


def false_side_clauses(
    text: str, summary: Mapping[str, Any], journal: Iterable[str], true_topics: Iterable[str]
) -> list[str]:
    """Topics that the text tells as facts of this evening although nothing of the evening does.

    A topic is the evening's when the case says so, or its words stand un-denied in the notes or facts. Speaking of its
    absence is no claim.
    """
    said = list(journal)
    text = own_words(text, said)
    told = ". ".join(
        [*said, *(f"{f['text']} {f['quote']}" for f in summary["tonight_facts"] if f["kind"] != "no")]
    )
    bad = []
    for topic, words in TOPICS.items():
        if topic in true_topics or _asserted(told, words):
            continue
        if _asserted(text, words):
            bad.append(topic)
    return bad


def signs_agree(text: str, answer: Mapping[str, Any], journal: Iterable[str]) -> bool:
    """Whether words and levers go the way of night 1's shift; without such words, or a shift to speak of, any do."""
    shift, said = answer["shifts_ms"][1], own_words(text, journal)
    down, up = bool(_DOWN.search(said)), bool(_UP.search(said))
    if (shift < -LEAST_TOLD_MS and up and not down) or (shift > LEAST_TOLD_MS and down and not up):
        return False
    taken = sum(lever.get("taken_ms") or 0.0 for lever in answer["levers"])
    return taken * shift >= 0 or abs(taken) < 0.05 or abs(shift) < 0.05


def _asserted(text: str, words: re.Pattern[str]) -> bool:
    return any(not _DENIED.search(text[: match.start()]) for match in words.finditer(text))


def _names(sentence: str, behaviour: str) -> bool:
    topic = TOPICS.get(behaviour)
    words = behaviour.replace("_", " ").split()
    return bool(topic and topic.search(sentence)) or any(
        word in sentence.lower() for word in words if len(word) > 3
    )
