"""Things counted by the piece: "two cups of mint tea", "ciggies: 3", "half a pack", "Zyn x2", "a joint"."""

from __future__ import annotations

import re
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.rules.sighting import Sighting

__all__ = ["Portion", "portion_of"]

Portion = tuple[float, int, int]
"""How many, and the canonical [start, end) of the words that say so."""

_BIG = re.compile(r"packs?|packets?(?= of (?:cig|smok|fag|durr))")
_WITHIN = re.compile(r"\b(?:half an?|an?|\d+)(?= )")
_UNCOUNTED = re.compile(r"pots?")
_BACK = 48


def portion_of(note: Note, behaviour: Behaviour, sighting: Sighting) -> Portion | None:
    """The pieces that were said of one sighting, before the words, in them or behind them; None where none were."""
    if not behaviour.options.get("counted"):
        return None
    within = _WITHIN.search(note.text, sighting.start, sighting.end)
    if within and behaviour.options.get("article_counts"):
        said = within.group()
        count = 0.5 if said.startswith("half") else 1.0 if said[0] == "a" else float(said)
        return count, sighting.start, sighting.end
    before, after = _patterns(behaviour.name)
    clause = note.clause_at(sighting.start)
    low = max(clause.start, sighting.start - _BACK)
    match = before.search(note.text[low : sighting.start])
    if match:
        count = _count(behaviour, match)
        if count is not None:
            return count, low + match.start(), low + match.end()
    last = note.sentence_of(sighting.start)[1]
    match = after.match(note.text[sighting.end : last])
    if match:
        count = _count(behaviour, match)
        if count is not None:
            return count, sighting.end + match.start("n"), sighting.end + match.end()
    return None


@cache
def _patterns(name: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    portions = behaviours()[name].options["counted"]
    number = r"(?P<n>\d+(?:\.\d+)?)(?: ?(?:or|to|-|–) ?(?P<m>\d+(?:\.\d+)?))?"
    adjective = (
        r"(?!(?:of|and|with|off|without|since|after|before|cups?|mugs?|days?|weeks?|months?|years?|hours?|"
        r"minutes?|times|ml|l|lit(?:re|er)s?|mg|g|grams?|am|pm|oclock|for|to|at|in)\b)[a-z-]+ "
    )
    before = re.compile(
        rf"(?<![\w.:/-])(?:{number}|(?P<half>half an?)|(?P<few>a few)|(?P<one>an?))(?: ?x)? "
        rf"(?:{adjective}){{0,2}}?(?:(?P<p>{portions})(?: of)? )?(?:(?:my|the|that) )?(?:{adjective})?$"
    )
    after = re.compile(
        r"(?: (?:today|tonight|count))?(?: ?[:=,(–-])? ?(?:x ?)?(?:about |around |like |maybe |only |just )*"
        rf"{number}(?: ?x\b| times)?(?: (?P<p>{portions}))?(?=\s*(?:[,;!)\n]|\.(?!\d)|$|(?:in|at|after|before|"
        r"today|total|with|over|of them|this|tonight|and|throughout|during|all)\b))"
    )
    return before, after


def _count(behaviour: Behaviour, match: re.Match[str]) -> float | None:
    groups = match.groupdict()
    portion = groups.get("p") or ""
    if _UNCOUNTED.fullmatch(portion):
        return None
    if groups.get("one"):
        if not portion and not behaviour.options.get("article_counts"):
            return None
        count = 1.0
    elif groups.get("half"):
        count = 0.5
    elif groups.get("few"):
        count = 3.0
    else:
        low = float(groups["n"])
        high = float(groups["m"] or low)
        count = (low + high) / 2 if high > low else low
    if behaviour.options.get("packs") and _BIG.fullmatch(portion):
        return count * float(behaviour.options["packs"])
    return count
