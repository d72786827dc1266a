"""Words that Whisper writes for other words of a journal which sound the same, put right where neighbours settle it.

"Stress was for." and "for out of five" have one reading only. A word that could stand as it is ("no workup") is changed
only where it was not heard surely. A mended word keeps its time and its probability.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from journal_analysis.transcript import Word

__all__ = ["mended"]

_LEVEL = (
    r"(stress|mood|energy|fatigue|soreness|pain|motivation|level|score)( today| now)? "
    r"(was|is|at|about|around|only)"
)
_SCALE_NUMBERS = (("for|fore", "four"), ("to|too", "two"), ("won", "one"), ("ate", "eight"))


@dataclass(frozen=True)
class _Rule:
    """``heard`` becomes ``said`` between ``before`` and ``after`` where its probability is below ``unsure``.

    Both are patterns of up to four words; ``$`` as ``after`` is the end of a sentence.
    """

    heard: str
    said: str
    before: str = ""
    after: str = ""
    unsure: float = 1.01


_RULES = (
    *(_Rule(h, s, before=_LEVEL + r"( a| about| maybe| only| just)?", after=r"$") for h, s in _SCALE_NUMBERS),
    *(_Rule(h, s, after=r"out of (five|ten|5|10)") for h, s in _SCALE_NUMBERS),
    _Rule("planned", "plan", before="i", after="to (be in bed|be asleep|go to bed|go to sleep|sleep)"),
    _Rule("tress", "stress"),
    _Rule("tressed", "stress", after=r"(was|is|level|one|two|three|four|five|\d)"),
    _Rule("stressed", "stress", after=r"(was|is|level|(one|two|three|four|five|\d+) out of)"),
    _Rule("joe|joel|jail|jell|jel|jew|general", "gel", before="energy"),
    _Rule("joes|joels|jails|jells|jels", "gels", before="energy"),
    _Rule("soar|saw|sword", "sore", after="(throat|throats|muscles|legs|calves)"),
    _Rule("throw|throught", "throat", before="sore"),
    _Rule("right|raid", "rate", before="heart", after=r"(was|is|around|about|stayed|at|one|\d+)"),
    _Rule(
        "tee|tees|t", "tea", before="(green|black|herbal|ginger|mint|peppermint|chamomile|camomile|cups? of)"
    ),
    _Rule("jim", "gym", before="the"),
    _Rule("creating|creatin|creation", "creatine", before="(grams|g|scoop|scoops) of"),
    _Rule("deadless|deadlift's|deadlist|deadlists", "deadlifts"),
    _Rule("magnesian|magnesia|magnesiam", "magnesium"),
    _Rule("sona|sawna|sonna", "sauna"),
    _Rule("workup", "workout", unsure=0.8),
    _Rule("match", "matcha", before="(one|a|two|coffee|tea|and|had)", after="(latte|at|tea)", unsure=0.8),
    _Rule("ada", "ate a", after="lot"),
    _Rule("m", "am", before="i"),
    _Rule(
        "moot|mud", "mood", after=r"(is|was|(one|two|three|four|five|six|seven|eight|nine|ten|\d+) out of)"
    ),
    _Rule("known|on|none|nun", "non", after="alcoholic"),
    _Rule("workstress", "work stress"),
    _Rule("benchpress", "bench press"),
    _Rule("afternoon", "after noon", before="(caffeine|coffees?|espressos?|tea|nothing|none)"),
)
_ENDS = re.compile(r"[.!?]['\"]?$")


def mended(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words with those put right that have only one reading."""
    bare = [re.sub(r"^\W+|\W+$", "", w.text.lower()) for w in words]
    out = []
    for i, word in enumerate(words):
        rule = next((r for r in _RULES if _fits(r, i, words, bare)), None)
        if rule is not None:
            bare[i] = rule.said
            word = replace(word, text=_in_place(word.text, rule.said))
        out.append(word)
    return tuple(out)


def _fits(rule: _Rule, i: int, words: Sequence[Word], bare: Sequence[str]) -> bool:
    if words[i].probability >= rule.unsure or not re.fullmatch(rule.heard, bare[i]):
        return False
    if rule.before and not re.search(rf"(^| )({rule.before})$", " ".join(bare[max(0, i - 4) : i])):
        return False
    if rule.after == "$":
        return i == len(words) - 1 or _ENDS.search(words[i].text) is not None
    return not rule.after or re.match(rf"({rule.after})( |$)", " ".join(bare[i + 1 : i + 5])) is not None


def _in_place(heard: str, said: str) -> str:
    """``said`` with the capital letter and the punctuation of what was heard."""
    core = re.search(r"\w(.*\w)?", heard)
    if core is None:
        return said
    written = said[:1].upper() + said[1:] if core.group()[0].isupper() else said
    return heard[: core.start()] + written + heard[core.end() :]
