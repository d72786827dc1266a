"""Single servings in a note: "two glasses of red wine", "a whisky", "coffee: 3", "and another one", "one at 8"."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from functools import cache
from itertools import islice

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged
from journal_analysis.rules.further import REPLACES, Serving, further_servings

__all__ = ["Serving", "counted_nouns", "find_servings", "nouns_of"]

_VAGUE = {"a few": 3.0, "quite a few": 4.0, "few": 3.0, "several": 3.0}
_SOME = frozenset(
    {"some", "too many", "many", "lots of", "a lot of", "a bit of", "plenty of", "way too many", "loads of"}
)
_MINE = frozenset({"the", "my", "our", "usual", "that"})
_LIKE_PLURAL = re.compile(
    r"colas|gin and tonics|.*ss|guinness|molasses|espresso|piccolo|baileys|jack daniels|champers"
)
_NUMBER_AFTER = phrase("count", "number_after")
_CORRECTED = phrase("count", "corrected")
_EACH_TIME = phrase("count", "each_time")
_SHARED = phrase("count", "shared")
_PARTLY = phrase("count", "partly_denied")
_OTHER_DRINK = re.compile(r"[a-z]")
_RANGE = re.compile(
    r"(?:between )?(\d+(?:\.\d+)?) ?(?:or|to|-|–|and|, maybe|maybe|, possibly|, perhaps|possibly|, could be) ?(\d+)"
)
_CORRECTION_REACH = 30
_BACK = 48
_NEXT = 12
_MOST = 300
"""Mentions that are read; no entry of a day has more, and endless repetition must not take long."""
_NONE_OF = re.compile(r"(?:no|none|nothing|nil|zero|0)\b")
"""Words that do not deny a number behind another noun: "no workout, two cans of cola"."""
_NOT_COUNTED = re.compile(
    r"\b(?:rooibos|herbal|mint|peppermint|chamomile|camomile|decaf|water|juice|milk|lemonade|soup|broth|squash|kombucha)\b"
)
_OF_THEMSELVES = frozenset({"drink", "drinks", "round", "rounds", "alcoholic", "units", "servings"})
_ANCHOR = 160
"""Characters within which "two glasses" are of what was named before."""
_THE_LAST = re.compile(
    r"(?<!\ba )(?<!\b1 )\b(?:last|final|first|2nd|second|third)(?: (?:one|1))?(?: was| being| is)?,?(?: an?)? $"
)


def find_servings(note: Note, behaviour: Behaviour) -> list[Serving]:
    """Every serving that the wearer had or plans, in order; corrected ones are left out."""
    found: list[Serving] = []
    everything = [start for start, _ in counted_nouns(note)]
    for match in nouns_of(behaviour, note):
        serving = _serving(note, behaviour, match)
        if serving and found and serving.start < found[-1].end:
            continue  # "coffee in the morning, 3 cups": the cups are the coffee
        if serving and found and _named_again(note, match, serving, found):
            found.append(replace(serving, servings=0.0, rule="named again"))
            continue
        following = bisect_left(everything, match.end())
        until = everything[following] if following < len(everything) else len(note.text)
        if serving:
            gap = note.text[found[-1].end : serving.start] if found else ""
            if found and len(gap) < _CORRECTION_REACH and "." not in gap.strip() and _CORRECTED.search(gap):
                serving = replace(serving, start=found.pop().start)
            found.append(serving)
        had = sum(s.servings or 0.0 for s in found)
        found += [
            s
            for s in further_servings(note, match.span(), serving, until)
            if not (s.rule == "bare number" and s.servings == had >= 2 and not _timed(note, s))
            and not (s.rule == "own count" and serving is None and s.servings == had)
        ]
        if serving and len(found) > 1 and found[-1].rule in REPLACES:
            found.remove(serving)
    return _without_ordinals(note, found)


def _timed(note: Note, serving: Serving) -> bool:
    """Whether a time follows right behind: without one a number that equals the sum so far is that sum."""
    return any(serving.end <= c.start < serving.end + _NEXT for c in note.clocks)


def _named_again(note: Note, match: re.Match[str], serving: Serving, found: list[Serving]) -> bool:
    """Whether a bare noun only repeats what was counted just before: "one matcha, matcha counts", "a brew (tea)"."""
    if serving.rule not in ("singular", "article"):
        return False
    if _THE_LAST.search(note.text[max(0, serving.start - _BACK) : match.start("noun")]):
        return True
    if serving.rule == "article" or match.group("n") not in (None, "the"):
        return False
    stem = match.group("noun").rstrip("s")
    if match.group("n") == "the" and any(stem in note.text[s.start : s.end] for s in found):
        return True
    before = found[-1]
    gap = note.text[before.end : serving.start]
    same = match.group("noun") in note.text[before.start : before.end]
    return gap.strip() == "(" or (same and before.rule != "singular" and not re.search(r"[.;\n]", gap))


def _without_ordinals(note: Note, found: list[Serving]) -> list[Serving]:
    """ "Beer one at four, beer two at six, beer three at eight" numbers them: each is one."""
    behind = [s for s in found if s.rule == "number behind"]
    nouns = {re.match(r"[^\W\d]*", note.text[s.start : s.end])[0] for s in behind}
    if (
        len(behind) > 1
        and len(nouns) == 1
        and [s.servings for s in behind] == [float(n) for n in range(1, len(behind) + 1)]
    ):
        return [replace(s, servings=1.0) if s in behind else s for s in found]
    return found


def counted_nouns(note: Note) -> list[tuple[int, int]]:
    """Spans of everything that any behaviour counts."""
    return sorted(
        m.span()
        for b in behaviours().values()
        if b.rule == "count"
        for m in islice(_pattern(b.name).finditer(note.text), _MOST)
    )


def nouns_of(behaviour: Behaviour, note: Note) -> list[re.Match[str]]:
    """Mentions of what is counted, without those that mean something else ("alcohol-free beer", "coffee break").

    Groups: ``n`` the number or article, ``portion`` (glass, cup), ``noun``, ``loose`` a noun that needs a number.
    """
    options, kept = behaviour.options, []
    anchors = _anchors(note)
    left_out = 0
    not_before = re.compile(rf"(?:^|[^a-z])(?:{options['not_before']})$")
    barred = [m.span() for m in behaviour.pattern("not_words").finditer(note.text)]
    for match in islice(_pattern(behaviour.name).finditer(note.text), _MOST):
        at = match.start("noun")
        if any(a < match.end() and at < b for a, b in barred):
            continue
        before = note.text[max(0, match.start() - _BACK) : at]
        denied = match.group("n") in ("no", "0")
        other = not denied and re.match(options["not_after"], note.text[match.end() :][:_BACK])
        if other or not_before.search(before):
            left_out = match.end()
            continue
        if match.group("loose") and not denied:
            if left_out and note.sentence_of(left_out - 1) == note.sentence_of(at):
                continue  # "peppermint tea, two cups"
            if not _is_anchored(note, behaviour, match, anchors):
                continue  # "flat cola, two glasses"
        left_out = 0
        if match.group("loose") and _OTHER_DRINK.search(
            note.text[match.end("n") : at] if match.group("n") else ""
        ):
            continue
        counted = re.match(r"\d", match.group("n") or "") or not match.group("loose")
        if counted or re.fullmatch(options["loose_alone"] or "(?!)", match.group("noun")):
            kept.append(match)
    return kept


def _is_anchored(
    note: Note, behaviour: Behaviour, match: re.Match[str], anchors: list[tuple[int, str]]
) -> bool:
    """Whether "two glasses" are of what was named last before; "drinks" and "rounds" need no name."""
    if match.group("noun") in _OF_THEMSELVES:
        return True
    nearest = bisect_left(anchors, (match.start(), "")) - 1
    if nearest < 0:
        return False
    start, name = anchors[nearest]
    return (
        name == behaviour.name
        and match.start() - start <= _ANCHOR
        and not _NOT_COUNTED.search(note.text, start, match.start())
    )


def _anchors(note: Note) -> list[tuple[int, str]]:
    """Where something is counted by its name, and whose behaviour it is."""
    return sorted(
        (m.start("noun"), b.name)
        for b in behaviours().values()
        if b.rule == "count"
        for m in islice(_pattern(b.name).finditer(note.text), _MOST)
        if not m.group("loose")
    )


def _serving(note: Note, behaviour: Behaviour, match: re.Match[str]) -> Serving | None:
    number, portion, noun = match.group("n"), match.group("portion"), match.group("noun")
    if number and any(c.start < match.end("n") <= c.end for c in note.clocks):
        number = None  # "at half past ten black tea"
    start, end = match.start("n" if number else "portion" if portion else "noun"), match.end()
    plainly = re.match(r"[1-9]", number or "") is not None
    said_from = match.start("noun") if number in _MINE else start
    if number in ("0", "no"):
        return None
    denial = denial_of(note, said_from, end, reach=3 if plainly else 6)
    if denial and not (plainly and (denial[0] >= said_from or _NONE_OF.match(note.text, denial[0]))):
        return None
    servings, confidence, rule = _how_many(number, noun, portion, behaviour)
    behind = _NUMBER_AFTER.match(note.text, end) if number is None or servings is None else None
    if behind and not any(c.start <= behind.start(1) < c.end for c in note.clocks):
        servings, confidence, rule, end = float(behind.group(1)), 0.85, "number behind", behind.end(1)
        if not servings:
            return None
    each = _portion_servings(behaviour, portion, noun)
    if servings is not None and each != 1.0:
        shared = _SHARED.search(note.text[max(0, start - 25) : end + 25]) is not None
        half = portion is not None and portion.startswith("half")
        servings *= each / 2 if shared and not half else each
        confidence, rule = (0.5, "shared bottle") if shared else (min(confidence, 0.65), "portion")
    times = _EACH_TIME.search(note.text[max(0, start - _BACK) : start])
    if times and servings and note.text.startswith((" each", " at each"), end):
        servings, rule = servings * float(times.group(1)), "each time"
    probe = judged(note, Candidate(behaviour.name, "amount", match.start("noun"), end, rule, confidence))
    return probe and Serving(start, end, servings, probe.confidence, rule, probe.day_shift, probe.is_plan)


def _how_many(
    number: str | None, noun: str, portion: str | None, behaviour: Behaviour
) -> tuple[float | None, float, str]:
    """How many, how sure, and why."""
    if number is None or number in _MINE:
        if re.fullmatch(behaviour.options["generic"], noun):
            return None, 0.8, "named without number"
        plural = (portion or noun).endswith("s") and not _LIKE_PLURAL.fullmatch(portion or noun)
        mass = re.fullmatch(behaviour.options["mass"], noun) and not portion
        if plural or (mass and behaviour.name == "alcohol"):
            event = re.fullmatch(behaviour.options["loose_alone"] or "(?!)", noun)
            return None, 0.6 if event else 0.75, "named without number"
        return 1.0, 0.68, "singular"
    if number in _VAGUE:
        return _VAGUE[number], 0.75, "vague number"
    if number in _SOME:
        return None, 0.75, "named without number"
    if number.startswith("half"):
        return 0.5, 0.65, "number"
    spread = _RANGE.fullmatch(number)
    if spread:
        return (float(spread.group(1)) + float(spread.group(2))) / 2, 0.75, "range"
    if re.match(r"\d", number):
        return float(number.split()[0].rstrip("x")), 0.9, "number"
    return 1.0, 0.85, "article"


def _portion_servings(behaviour: Behaviour, portion: str | None, noun: str) -> float:
    """Servings of one bottle, pot …; 1 for a glass or cup."""
    single = behaviour.options.get("single_bottle")
    if portion is None:
        return 5.0 if re.match(r"bottles? of (?!beer)", noun) else 1.0
    if single and "bottle" in portion and re.search(rf"(?:{single})$", noun):
        return 1.0
    table = behaviour.options["portion_servings"]
    return next((value for words, value in table.items() if re.search(words, portion)), 1.0)


@cache
def _pattern(name: str) -> re.Pattern[str]:
    options = behaviours()[name].options
    between = rf"(?:{phrase('count', 'between').pattern} ){{0,3}}?"
    nouns = "|".join(
        options[key].replace("\n", "") for key in ("items", "generic", "portion_only") if options[key]
    )
    return re.compile(
        rf"(?<![\w'-])(?:(?P<n>{phrase('count', 'number').pattern})[ \t])?{between}"
        rf"(?:(?P<portion>{options['portions']})\s(?:of\s)?(?:the\s|my\s|some\s)?{between})?"
        rf"(?P<noun>(?P<loose>{options['loose']})(?! of\b(?! (?:it|them|that|those)\b))|{nouns})(?![a-zé])"
    )


def is_partly_denied(note: Note, end: int) -> bool:
    """Whether only a part of the day is denied: "no coffee after two"."""
    return _PARTLY.match(note.text, end) is not None
