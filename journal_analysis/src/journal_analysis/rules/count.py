"""Counted servings over a day ("one beer, then two gin and tonics, so three drinks overall"), or an explicit none.

Servings are added up; a total replaces the sum, a number replaces a vague mention before it. "Wine with dinner" says
yes without a number.
"""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged
from journal_analysis.rules.further import Serving
from journal_analysis.rules.last_time import read_last_time
from journal_analysis.rules.servings import find_servings, is_partly_denied, nouns_of

__all__ = ["read_count"]

_TOTAL = phrase("count", "total")
_BARE_TOTAL = phrase("count", "bare_total")
_LATE_PART = phrase("last_time", "late_part")
_TAKEN_BACK = phrase("count", "taken_back")
_TODAY_NONE = phrase("count", "today_none")
_NONE_FOR_ME = phrase("count", "none_for_me")
_CARRIES_ON = phrase("count", "carries_on")
_WEAK = frozenset({"named without number", "singular", "article", "portion", "shared bottle"})
"""Mentions that an outright "no alcohol" outweighs."""
_CUPS = re.compile(r"(?:cups?|mugs?|glass(?:es)?|bottles|cans)$")
_THAT_IS = re.compile(r"\b(?:so|that's|that is|that makes|makes|which makes)\b[^.;]{0,12}$")
_SO = re.compile(
    r"[,.;–-]\s*(?:so|that makes|makes|which makes|that's)(?: it| about| around| maybe| like)? $"
)
_PLAIN = re.compile(r"(?:pints?|shots?|glasses|cups|mugs|drinks|beers|coffees|wines|teas|espressos)$")
"""What a sum is told in: "a pint, then one back, so two pints"."""
_IN_ALL = re.compile(
    r"[ ,]*(?:for me )?(?:overall|in total|total|altogether|all together|all in all|in all|all told|tonight|today)\b"
)
_BESIDES = re.compile(r"\b(?:else|other|further|more|beyond|another|extra|additional|second|third)\b")
"""A denial of more is none of what was had: "nothing else with caffeine"."""
_NOT_ONE = re.compile(r"\b(?:not(?: even| a)?|n't (?:have|had|drink|touch) even|without even) $")
_MANY = 3
"""Mentions from which a sum is easily wrong (one told twice, one somebody else's): to be confirmed."""
_LEAD_IN = 40
"""Characters before "one" that make it none: "not even one coffee"."""
_WEAKEST = frozenset({"named without number"})
_NOUN = 60
"""Characters that hold a counted noun."""
_TOTAL_REACH = 110
_LIST_REACH = 120
_REPLACEABLE = frozenset({"shared bottle", "named without number", "vague number", "portion"})
"""Mentions that a number right after makes precise: "a bottle of wine, so three glasses for me"."""
_NUMBERS = frozenset({"number", "range", "vague number"})


def read_count(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Servings of ``behaviour`` per day spoken of, an explicit none, and the time of the last one."""
    denials = _denials(note, behaviour)
    outright = {
        (d.day_shift, d.is_plan)
        for d in denials
        if d.rule == "said none" or (d.rule == "denied" and _means_all(note, behaviour, d))
    }
    named = find_servings(note, behaviour)
    for key in outright:
        mine = [s for s in named if (s.day_shift, s.plan) == key]
        weak = _WEAK if behaviour.name == "alcohol" else _WEAKEST
        if all(s.rule in weak for s in mine):  # "no alcohol, and that with a bottle open in the fridge"
            named = [s for s in named if s not in mine]
    named = [s for s in named if not _only_repeats(note, s, denials)]
    servings = _with_totals(note, behaviour, named)
    everything = [(s.start, s.end) for s in servings]
    candidates: list[Candidate] = []
    for key in sorted({(s.day_shift, s.plan) for s in servings}):
        mine = [s for s in servings if (s.day_shift, s.plan) == key]
        candidates.append(_summed(note, behaviour, mine))
        counted = [s for s in mine if s.servings is not None] or mine
        last = read_last_time(note, behaviour, [(s.start, s.end) for s in counted], everything)
        if last:
            candidates.append(replace(last, day_shift=key[0], is_plan=key[1]))
    had = {(c.day_shift, c.is_plan) for c in candidates if c.kind != "time"}
    denials += _none_today(note, behaviour, servings)
    return candidates + [d for d in denials if (d.day_shift, d.is_plan) not in had]


def _only_repeats(note: Note, serving: Serving, denials: list[Candidate]) -> bool:
    """Whether a bare noun speaks again of what was denied: "no coffee, because coffee calls the cigarette"."""
    if serving.rule not in ("singular", "named without number"):
        return False
    said = note.text[serving.start : serving.end].rstrip("s")
    return any(
        (d.day_shift, d.is_plan) == (serving.day_shift, serving.plan)
        and re.search(rf"\b{re.escape(said)}s?\b", note.text[d.start : d.end])
        for d in denials
    )


def _with_totals(note: Note, behaviour: Behaviour, servings: list[Serving]) -> list[Serving]:
    """Let a total stand for what it sums up, a number for the vague mention before it."""
    loose = re.compile(rf"(?:{behaviour.options['loose']})$")
    kept: list[Serving] = []
    for serving in servings:
        first, last = note.sentence_of(serving.start)
        noun = note.text[max(0, serving.end - _NOUN) : serving.end]
        is_loose = serving.rule in _NUMBERS and loose.search(noun) is not None
        before = [k for k in kept if (k.day_shift, k.plan) == (serving.day_shift, serving.plan)]
        said_again = (
            before and serving.rule == "number" and serving.servings == sum(k.servings or 0.0 for k in before)
        )
        gap = note.text[before[-1].end : serving.start] if before else ""
        had = sum(k.servings or 0.0 for k in before)
        if before and _SO.search(gap) and _PLAIN.search(noun) and (serving.servings or 0.0) >= max(had, 2.0):
            said_again = True
        if said_again and (
            _THAT_IS.search(gap) or (gap.strip(" ,") == "" and before[-1].rule == "own count")
        ):
            kept = [k for k in kept if k not in before]
            kept.append(replace(serving, start=before[0].start, rule="total"))
            continue
        if is_loose and before:
            before_it = note.text[max(first, serving.start - 22) : serving.start]
            after_it = note.text[serving.end : min(last, serving.end + 16)]
            if (
                _TOTAL.search(before_it)
                or _IN_ALL.match(after_it)
                or serving.servings == sum(k.servings or 0.0 for k in before)
            ):
                kept = [k for k in kept if k not in before]
                kept.append(replace(serving, start=before[0].start, rule="total"))
                continue
            portion = before[-1].rule == "singular" and _CUPS.search(noun)
            if before[-1].rule in _REPLACEABLE or portion or before[-1].rule == "own count":
                kept.remove(before[-1])
                serving = replace(serving, start=before[-1].start)
        if before and before[0].end > first and _heads_a_list(note, loose, before[0], servings):
            continue  # "three drinks: two beers and a wine" has counted them already
        kept.append(serving)
    return _with_bare_total(note, kept)


def _heads_a_list(note: Note, loose: re.Pattern[str], head: Serving, servings: list[Serving]) -> bool:
    """Whether a number of drinks is followed by the list of them, and the list comes to that number."""
    if head.rule != "number" or not loose.search(note.text[max(0, head.end - _NOUN) : head.end]):
        return False
    if not re.match(r"\s?[:,–(-]", note.text[head.end :][:2]):
        return False
    listed = [s for s in servings if head.start < s.start < head.start + _LIST_REACH]
    return sum(s.servings or 0.0 for s in listed if s.day_shift == head.day_shift) == head.servings


def _with_bare_total(note: Note, kept: list[Serving]) -> list[Serving]:
    """Take in a sum without a noun, after the last serving and in its sentence: "…, so three in total"."""
    if not kept or kept[-1].rule == "total":
        return kept
    last = kept[-1]
    match = _BARE_TOTAL.search(note.text, last.end, min(len(note.text), last.end + _TOTAL_REACH))
    if not match or "." in note.text[last.end : match.start()]:
        return kept
    amount = float(match.group(1) or match.group(2))
    gap = note.text[kept[0].end : match.end()]
    if amount < max(s.servings or 0.0 for s in kept) and not _TAKEN_BACK.search(gap):
        return kept
    kept = [k for k in kept if (k.day_shift, k.plan) == (last.day_shift, last.plan)] or kept
    return [
        replace(last, start=kept[0].start, end=match.end(), servings=amount, confidence=0.85, rule="total")
    ]


def _summed(note: Note, behaviour: Behaviour, servings: list[Serving]) -> Candidate:
    """One statement of what was had on one day."""
    counted = [s for s in servings if s.servings is not None]
    if counted:  # "a pre-workout with caffeine" is one serving
        generic = re.compile(rf"(?:{behaviour.options['generic']})$")
        servings = [
            s
            for s in servings
            if s.servings is not None or not generic.search(note.text[max(0, s.end - _NOUN) : s.end])
        ]
    said = Candidate(
        behaviour.name,
        "yes",
        min(s.start for s in servings),
        max(s.end for s in servings),
        servings[0].rule,
        servings[0].confidence,
        unit=behaviour.unit,
        is_plan=servings[0].plan,
        day_shift=servings[0].day_shift,
        words=" … ".join(dict.fromkeys(note.canonical.quote(*_told(note, s)) for s in servings)),
    )
    if not counted:
        return said
    amount = max(0.0, sum(s.servings or 0.0 for s in counted))
    unsure = 0.1 if len(counted) < len(servings) else 0.0
    if len(counted) > _MANY:
        unsure += 0.22
    rules = list(dict.fromkeys(s.rule for s in counted))
    return replace(
        said,
        kind="amount" if amount else "no",
        amount=amount,
        confidence=round(min(s.confidence for s in counted) - unsure, 3),
        rule=rules[0] if len(counted) == 1 else f"sum of {', '.join(rules)}",
    )


def _told(note: Note, serving: Serving) -> tuple[int, int]:
    """A serving's words; with the part of the day that its clause names, which tells a late one."""
    clause = note.clause_at(serving.start)
    end = clause.end
    if end < clause.sentence_end and _CARRIES_ON.match(note.text, end):
        end = note.clause_at(end).end
    part = _LATE_PART.search(note.text, clause.start, end)
    if part is None:
        return serving.start, serving.end
    return min(serving.start, part.start()), max(serving.end, part.end())


def _means_all(note: Note, behaviour: Behaviour, denial: Candidate) -> bool:
    """Whether a denial leaves nothing open: "no alcohol" does, "no coffee" leaves tea."""
    noun = note.text[denial.start : denial.end]
    words = (
        behaviour.options["generic"]
        if behaviour.name == "caffeine"
        else behaviour.options["generic"] + "|drinks?"
    )
    return re.search(rf"(?:{words})$", noun) is not None


def _none_today(note: Note, behaviour: Behaviour, servings: list[Serving]) -> list[Candidate]:
    """ "Three beers yesterday, today nothing"."""
    found = []
    for serving in (s for s in servings if s.day_shift < 0):
        match = _TODAY_NONE.search(note.text, serving.end, note.sentence_of(serving.start)[1])
        if match:
            none = Candidate(
                behaviour.name, "no", *match.span(), "none today", 0.75, amount=0.0, unit=behaviour.unit
            )
            found.append(none)
    return found[:1]


def _denials(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Explicit none: "no alcohol", "didn't drink", "sober"; "no beer" alone leaves wine open and stays a draft."""
    none = Candidate(behaviour.name, "no", 0, 0, "said none", 0.8, amount=0.0, unit=behaviour.unit)
    found = [
        replace(none, start=m.start(), end=m.end()) for m in behaviour.pattern("no_words").finditer(note.text)
    ]
    for match in nouns_of(behaviour, note):
        at, end, number = match.start("noun"), match.end(), match.group("n") or ""
        clause = note.clause_at(at)
        if clause.others and (
            own := _NONE_FOR_ME.search(note.text, end, min(len(note.text), end + _TOTAL_REACH))
        ):
            found.append(replace(none, start=own.start(), end=own.end(), rule="none for me", confidence=0.65))
            continue
        denial = denial_of(note, at, end)
        not_one = number == "1" and _NOT_ONE.search(
            note.text[max(clause.start, at - _LEAD_IN) : match.start("n")]
        )
        if number not in ("0", "no") and not not_one and (denial is None or re.match(r"[1-9]", number)):
            continue
        if is_partly_denied(note, end) or (denial and _BESIDES.search(note.text[denial[0] : at])):
            continue
        words = note.canonical.quote(*(denial or (match.start("n"), end)))
        whole = re.fullmatch(
            rf"{behaviour.options['generic']}|{behaviour.options['whole']}", match.group("noun")
        )
        rule, confidence = ("denied", 0.9) if whole else ("one kind denied", 0.65)
        found.append(replace(none, start=at, end=end, rule=rule, confidence=confidence, words=words))
    kinds = {note.text[c.start : c.end] for c in found if c.rule == "one kind denied"}
    if len(kinds) > 1:  # "no beer, no wine" leaves little open
        found = [replace(c, confidence=max(c.confidence, 0.8)) for c in found]
    return [c for c in (judged(note, c) for c in found) if c is not None]
