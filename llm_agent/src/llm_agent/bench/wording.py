"""Scorers of an answer's words, by code that shares nothing with the agent's own checks.

What the text quotes from the notes is left out of all of this.

- grounded numbers: each number in the text is one that its unit allows (an effect, its interval, the shift, a quantile
  or baseline for "ms"; counts of nights; percentages of effects; anything said or known for a bare number)
- invented statistics: a claim about earlier nights, averages or chances that no effect on record makes
- overstated effects: a lever taken beyond the far end of its own 80 % interval
- false side clauses: a topic told as a fact that the evening does not have
- sign: the words up and down against the shift, and each lever against what it is said to do
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from llm_agent.bench.quoting import own_words

__all__ = [
    "false_side_clauses",
    "invented_statistics",
    "numbers_in",
    "overstated_levers",
    "signs_agree",
    "ungrounded",
]

_NUMBER = re.compile(r"(?<![\w.:])[+\-\u2212]?\d+(?:[.,]\d+)?(?:\s?%|\s?ms\b)?")
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d{2}\b(?!\s?(?:ms|%))")
_NIGHTS = re.compile(
    r"^\s*(?:earlier |past |previous |other |such |similar |logged |recorded )*"
    r"(?:nights?|days?|evenings?|observations?)\b"
)
_LIST_MARK = re.compile(
    r"\[?\b[A-Z]\d+\b\]?|\b(?:RMSSD|HRV|P)\s?\d+\b|\bnights? \d(?:\s?(?:to|-|\u2013)\s?\d)?\b", re.I
)
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


def numbers_in(text: str) -> list[tuple[float, str, str]]:
    """Numbers of a text as (value without sign, unit: ms, % or nothing, what follows)."""
    bare = _LIST_MARK.sub(" ", _CLOCK.sub(" ", text))
    found = []
    for match in _NUMBER.finditer(bare):
        token = match.group()
        unit = "ms" if token.endswith("ms") else "%" if token.endswith("%") else ""
        value = float(re.sub(r"[^\d.]", "", token.replace(",", ".")))
        follows = bare[match.end() : match.end() + 40]
        found.append((value, "nights" if not unit and _NIGHTS.match(follows) else unit, follows))
    return found


def ungrounded(
    text: str, summary: Mapping[str, Any], answer: Mapping[str, Any], journal: Iterable[str]
) -> list[str]:
    """Numbers of ``text`` that nothing of their unit stands for."""
    said = list(journal)
    allowed = _allowed(summary, answer, " ".join(said))
    text = own_words(text, said)
    return [
        f"{value:g} {unit}".strip()
        for value, unit, _ in numbers_in(text)
        if not _stands(value, allowed[unit])
    ]


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


def _allowed(summary: Mapping[str, Any], answer: Mapping[str, Any], journal: str) -> dict[str, set[float]]:
    base, last = summary["baseline"], summary["last_night"]["hrv_rmssd_ms"]
    ms, percent, nights = (
        set(),
        {50.0, 80.0, 90.0, 95.0},
        {7.0, 28.0, 60.0, float(base["n_60d"]), float(base["n_7d"])},
    )
    for effect in summary["matched_effects"]:
        ms |= {effect[k] for k in ("effect_ms", "low80_ms", "high80_ms", "night_sd_ms")}
        percent.add(effect["effect_pct"])
        nights |= {float(effect["n_yes"]), float(effect["n_no"])}
    if summary["matched_effects"]:
        ms.add(sum(effect["effect_ms"] for effect in summary["matched_effects"]))
    ms |= {base[k] for k in ("mean_60d_ms", "sd_60d_ms", "mean_7d_ms", "smallest_worthwhile_change_ms")}
    ms |= {last} if last is not None else set()
    for line in summary["forecasts"]:
        if line["horizon"] == 1:
            ms |= {value for name, value in line.items() if name.endswith("_ms")}
    for quantiles in answer["quantiles_ms"].values():
        ms |= {quantiles[i] for i in (3, 6, 11, 16, 19)}
    ms |= set(answer["shifts_ms"].values())
    for lever in answer["levers"]:
        ms |= {lever[k] for k in ("taken_ms", "effect_ms") if lever.get(k) is not None}
    heard = {value for value, _, _ in numbers_in(journal)}
    rows = (*summary["tonight_facts"], *summary["matched_effects"])
    known = {value for value, _, _ in numbers_in(" ".join(row["text"] for row in rows))}
    known |= set(
        map(float, range(answer.get("samples", 0) + 1))
    )  # how often it was asked, and how many agreed
    load, sleep = summary["load"], summary["sleep_last_night"] or {}
    context = {v for block in (load, sleep) for v in block.values() if isinstance(v, float)}
    context |= {r["resting_hr_bpm"] for r in summary["resting_hr"] if r["resting_hr_bpm"] is not None}
    context |= {abs(summary["last_night"]["z"] or 0.0)}
    bare = heard | known | context | nights | ms | {1.0, 21.0} | set(answer["spread"].values()) | percent
    ms = {abs(v) for v in ms}
    return {
        "ms": ms,
        "%": _percentages(percent, sleep, heard),
        "nights": nights | heard,
        "": {abs(v) for v in bare},
    }


def _percentages(percent: set[float], sleep: Mapping[str, Any], heard: set[float]) -> set[float]:
    """Percentages that may be told: of effects, bands, sleep, and what was heard."""
    more = {sleep[k] for k in ("efficiency_pct", "performance_pct") if sleep.get(k) is not None}
    return {abs(v) for v in percent} | more | heard


def _stands(value: float, known: set[float]) -> bool:
    """Whether one of the numbers is this one, or rounds to it."""
    places = len(f"{value:g}".partition(".")[2])
    return any(abs(abs(k) - value) <= 0.5 * 10**-places + 1e-9 for k in known)
