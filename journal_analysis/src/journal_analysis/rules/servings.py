"""Single servings in a note: "two glasses of red wine", "a whisky", "coffee: 3", "and another one"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["Serving", "find_servings", "nouns_of"]

_VAGUE = {"a few": 3.0, "quite a few": 4.0, "few": 3.0, "several": 3.0}
_SOME = frozenset({"some", "too many", "many", "lots of", "a lot of", "a bit of"})
_MINE = frozenset({"the", "my", "our"})
_ONE_EACH = frozenset({"coffee", "tea", "cola", "coke", "green tea", "black tea"})
"""Nouns without a plural by grammar that still count one when said bare: "coffee after lunch"."""
_LIKE_PLURAL = frozenset({"colas", "gin and tonics"})
_NUMBER_AFTER = phrase("count", "number_after")
_CORRECTED = phrase("count", "corrected")
_CORRECTED_BY = phrase("count", "corrected_by")
_ANOTHER = phrase("count", "another")
_SHARED = phrase("count", "shared")
_CORRECTION_REACH = 30


@dataclass(frozen=True)
class Serving:
    """What one mention counts: ``servings`` (None: named without a number) at canonical [start, end), and why."""

    start: int
    end: int
    servings: float | None
    confidence: float
    rule: str
    day_shift: int
    plan: bool


def find_servings(note: Note, behaviour: Behaviour) -> list[Serving]:
    """Every serving that the wearer had or plans, in order; corrected ones are left out."""
    found: list[Serving] = []
    for match in nouns_of(behaviour, note):
        serving = _serving(note, behaviour, match)
        if serving is None or (found and serving.start < found[-1].end):
            continue  # "coffee in the morning, 3 cups": the cups are the coffee
        gap = note.text[found[-1].end : serving.start] if found else ""
        if found and len(gap) < _CORRECTION_REACH and "." not in gap.strip() and _CORRECTED.search(gap):
            found.pop()
        found.append(serving)
        found += _said_after(note, serving)
    return found


def nouns_of(behaviour: Behaviour, note: Note) -> list[re.Match[str]]:
    """Mentions of what is counted, without those that mean something else ("alcohol-free beer", "coffee break").

    Groups: ``n`` the number or article, ``portion`` (glass, cup), ``noun``, ``loose`` a noun that needs a number.
    """
    options, kept = behaviour.options, []
    not_before = re.compile(rf"(?:^|[^a-z])(?:{options['not_before']})$")
    for match in _pattern(behaviour.name).finditer(note.text):
        before = note.text[max(0, match.start() - 24) : match.start("noun")]
        if not_before.search(before) or re.match(options["not_after"], note.text[match.end() :]):
            continue
        counted = re.match(r"\d", match.group("n") or "") or not match.group("loose")
        if counted or re.fullmatch(options["loose_alone"] or "(?!)", match.group("noun")):
            kept.append(match)
    return kept


def _serving(note: Note, behaviour: Behaviour, match: re.Match[str]) -> Serving | None:
    number, portion, noun = match.group("n"), match.group("portion"), match.group("noun")
    start, end = match.start("n" if number else "portion" if portion else "noun"), match.end()
    plainly = re.match(r"[1-9]", number or "") is not None
    said_from = match.start("noun") if number in _MINE else start
    if number == "0" or is_denied(note, said_from, end, reach=3 if plainly else 6):
        return None
    servings, confidence, rule = _how_many(number, noun, portion, behaviour)
    behind = _NUMBER_AFTER.match(note.text, end) if number is None or servings is None else None
    if behind:
        servings, confidence, rule, end = float(behind.group(1)), 0.85, "number behind", behind.end()
        if not servings:
            return None
    each = _portion_servings(behaviour, portion)
    if servings is not None and each != 1.0:
        shared = _SHARED.search(note.text[max(0, start - 25) : end + 25]) is not None
        servings *= each / 2 if shared else each
        confidence, rule = (0.5, "shared bottle") if shared else (min(confidence, 0.65), "portion")
    probe = judged(note, Candidate(behaviour.name, "amount", match.start("noun"), end, rule, confidence))
    return probe and Serving(start, end, servings, probe.confidence, rule, probe.day_shift, probe.is_plan)


def _how_many(
    number: str | None, noun: str, portion: str | None, behaviour: Behaviour
) -> tuple[float | None, float, str]:
    """How many, how sure, and why."""
    if number is None or number in _MINE:
        generic = re.fullmatch(behaviour.options["generic"], noun)
        mass = re.fullmatch(behaviour.options["mass"], noun) and not portion and noun not in _ONE_EACH
        plural = (portion or noun).endswith("s") and noun not in _LIKE_PLURAL
        bare = generic or plural or mass
        return (None, 0.8, "named without number") if bare else (1.0, 0.75, "singular")
    if number in _VAGUE:
        return _VAGUE[number], 0.6, "vague number"
    if number in _SOME:
        return None, 0.75, "named without number"
    if number.startswith("half"):
        return 0.5, 0.8, "number"
    spread = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:or|to|-|–) ?(\d+)", number)
    if spread:
        return (float(spread.group(1)) + float(spread.group(2))) / 2, 0.7, "range"
    if re.match(r"\d", number):
        return float(number.split()[0]), 0.9, "number"
    return 1.0, 0.85, "article"


def _portion_servings(behaviour: Behaviour, portion: str | None) -> float:
    """Servings of one bottle, pot …; 1 for a glass or cup."""
    table = behaviour.options["portion_servings"]
    return next((value for words, value in table.items() if portion and re.match(words, portion)), 1.0)


def _said_after(note: Note, serving: Serving) -> list[Serving]:
    """What is said of a serving without naming it again: "…, no, two", "… and another one"."""
    end, sentence_end = serving.end, note.sentence_of(serving.start)[1]
    corrected = _CORRECTED_BY.match(note.text[end:sentence_end])
    if corrected:
        change = float(corrected.group(1)) - (serving.servings or 0.0)
        span = {"start": end + corrected.start(1), "end": end + corrected.end(1)}
        return [replace(serving, **span, servings=change, confidence=0.8, rule="correction")]
    rest = note.text[end : end + 60].replace(". and", "  and").replace(". then", "  then")
    another = _ANOTHER.search(rest)
    if another and (another.group(1) or serving.servings == 1.0):
        span = {"start": end + another.start(), "end": end + another.end()}
        return [replace(serving, **span, servings=1.0, confidence=0.75, rule="another one")]
    return []


@cache
def _pattern(name: str) -> re.Pattern[str]:
    options = behaviours()[name].options
    between = rf"(?:{phrase('count', 'between').pattern} ){{0,3}}?"
    nouns = "|".join(options[key] for key in ("items", "generic", "portion_only") if options[key])
    return re.compile(
        rf"(?<![\w'-])(?:(?P<n>{phrase('count', 'number').pattern})\s)?{between}"
        rf"(?:(?P<portion>{options['portions']})\s(?:of\s)?{between})?"
        rf"(?P<noun>(?P<loose>{options['loose']})(?! of\b)|{nouns})(?![a-zé])"
    )
