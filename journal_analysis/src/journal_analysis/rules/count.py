"""Counted servings ("two glasses of red wine, then a whisky, so three drinks overall") and the time of the last one.

Items are added up over the day; a correction ("three, no, two beers") replaces the item before it; a total
("three drinks overall") replaces the sum. A singular counts one; "wine with dinner" says yes without a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, is_denied, judged
from journal_analysis.rules.last_time import read_last_time

__all__ = ["read_count"]

_NUMBER = r"\d+(?:\.\d+)?(?: ?(?:or|to|-|–) ?\d+)?|half an?|a few|quite a few|few|several|some|another|1 more|an?|the|my|our|1 last|too many|many|lots of|a lot of|a bit of"
_FILL = (
    r"(?:(?!(?:of|and|or|with|without|at|in|for|on|after|before|then|but|no|not|hours?|minutes?|mins?|km|miles?|had|have|drank|drink|is|was|were|are|out|"
    r"to|from|my|the|a|an|i|am|pm|oclock|more than|days?|weeks?|times|people|of us|friends?|alcohol-free|decaf|herbal|non-alcoholic|any|never|stopped|skipped|forgot|avoided|cancelled|quit|enough)\b)[a-zé'-]+ ){0,3}?"
)
_VAGUE = {"a few": 3.0, "quite a few": 4.0, "few": 3.0, "several": 3.0}
_SOME = frozenset({"some", "too many", "many", "lots of", "a lot of", "a bit of"})
_CORRECTED = phrase("count", "corrected")
_CORRECTED_BY = phrase("count", "corrected_by")
_NUMBER_AFTER = phrase("count", "number_after")
"""A number behind its noun: "coffee: 3", "cola, two of them", "coffee only in the morning, three cups"."""
_TOTAL = phrase("count", "total")
_BARE_TOTAL = phrase("count", "bare_total")
_ANOTHER = phrase("count", "another")


@dataclass(frozen=True)
class _Item:
    start: int
    end: int
    servings: float | None
    confidence: float
    rule: str
    day_shift: int
    plan: bool


def read_count(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Servings of ``behaviour`` per day spoken of, an explicit none, and the time of the last one."""
    items = [i for i in _items(note, behaviour) if i]
    denials = _denials(note, behaviour)
    candidates: list[Candidate] = []
    for key in sorted({(i.day_shift, i.plan) for i in items}):
        mine = [i for i in items if (i.day_shift, i.plan) == key]
        candidates.append(_total(note, behaviour, mine, key))
        last = read_last_time(note, behaviour, [(i.start, i.end) for i in mine])
        if last:
            candidates.append(replace(last, day_shift=key[0], is_plan=key[1]))
    had = {c.day_shift for c in candidates if not c.is_plan and c.kind != "time"}
    return candidates + [d for d in denials if d.day_shift not in had]


def _items(note: Note, behaviour: Behaviour) -> list[_Item | None]:
    """Every serving said, corrections and totals applied, in order."""
    found: list[_Item | None] = []
    for match in _item_pattern(behaviour.name).finditer(note.text):
        item = _item(note, behaviour, match)
        if item is None:
            continue
        if found and found[-1] and item.start < found[-1].end:
            continue  # "coffee in the morning, 3 cups": the cups are the coffee
        gap = note.text[found[-1].end : item.start] if found and found[-1] else ""
        if found and found[-1] and len(gap) < 30 and _CORRECTED.search(gap) and "." not in gap.strip():
            found[-1] = None
        found.append(item)
        found += _said_after(note, item)
    return _with_totals(note, behaviour, [i for i in found if i])


def _item(note: Note, behaviour: Behaviour, match: re.Match[str]) -> _Item | None:
    text, options = note.text, behaviour.options
    start, end = match.start(), match.end()
    number, portion, noun = match.group("n"), match.group("portion"), match.group("noun")
    before = text[max(0, start - 24) : match.start("noun")]
    if re.search(rf"(?:^|[^a-z])(?:{_one_line(options['not_before'])})$", before) or re.match(
        _one_line(options["not_after"]), text[end:]
    ):
        return None
    loose = match.group("loose") is not None
    if (
        loose
        and not re.match(r"\d", number or "")
        and not re.fullmatch(options.get("loose_alone") or "(?!)", noun)
    ):
        return None
    generic = re.fullmatch(_one_line(options["generic"]), noun) is not None
    start = start if number else match.start("portion") if portion else match.start("noun")
    plainly = re.match(r"[1-9]", number or "") is not None
    if (
        is_denied(
            note,
            start if number not in ("the", "my", "our") else match.start("noun"),
            end,
            reach=3 if plainly else 6,
        )
        or number == "0"
    ):
        return None
    servings, confidence, rule = _servings(number, noun, portion, behaviour, generic)
    behind = _NUMBER_AFTER.match(text, end) if number is None or rule == "named without number" else None
    if behind:
        servings, confidence, rule, end = float(behind.group(1)), 0.85, "number behind", behind.end()
        if not servings:
            return None
    if portion:
        each = next((v for k, v in options["portion_servings"].items() if re.match(k, portion)), 1.0)
        shared = re.search(r"\b(?:shar(?:ed|ing)|split|between us)\b", text[max(0, start - 25) : end + 25])
        if servings is not None and each != 1.0:
            servings, confidence = (
                (servings * each / 2, 0.5) if shared else (servings * each, min(confidence, 0.65))
            )
            rule = "shared bottle" if shared else "portion"
    probe = judged(note, Candidate(behaviour.name, "amount", match.start("noun"), end, rule, confidence))
    if probe is None:
        return None
    return _Item(start, end, servings, probe.confidence, rule, probe.day_shift, probe.is_plan)


def _servings(
    number: str | None, noun: str, portion: str | None, behaviour: Behaviour, generic: bool
) -> tuple[float | None, float, str]:
    """How many, how sure, and why."""
    if number is None or number in ("the", "my", "our"):
        mass = re.fullmatch(_one_line(behaviour.options["mass"]), noun) and not portion
        plural = (portion or noun).endswith("s") and noun not in ("colas", "gin and tonics")
        if (
            generic
            or plural
            or (mass and noun not in ("coffee", "tea", "cola", "coke", "green tea", "black tea"))
        ):
            return None, 0.8, "named without number"
        return 1.0, 0.75, "singular"
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


def _said_after(note: Note, item: _Item) -> list[_Item]:
    """ "… and another one", "…, no, two": what is said of an item without naming it again."""
    rest = note.text[item.end : note.sentence_of(item.start)[1]][:60]
    corrected = _CORRECTED_BY.match(rest)
    if corrected:
        change = float(corrected.group(1)) - (item.servings or 0.0)
        return [
            replace(
                item,
                start=item.end + corrected.start(1),
                end=item.end + corrected.end(1),
                servings=change,
                confidence=0.8,
                rule="correction",
            )
        ]
    another = _ANOTHER.search(
        note.text[item.end : item.end + 60].replace(". and", "  and").replace(". then", "  then")
    )
    if another and (another.group(1) or item.servings == 1.0):
        return [
            replace(
                item,
                start=item.end + another.start(),
                end=item.end + another.end(),
                servings=1.0,
                confidence=0.75,
                rule="another one",
            )
        ]
    return []


def _with_totals(note: Note, behaviour: Behaviour, items: list[_Item]) -> list[_Item]:
    """Let a total stand for the items that it sums up, and a number for a vague item before it."""
    kept: list[_Item] = []
    loose = re.compile(rf"(?:{_one_line(behaviour.options['loose'])})$")
    for item in items:
        first, last = note.sentence_of(item.start)
        around = note.text[max(first, item.start - 22) : min(last, item.end + 16)]
        is_loose = loose.search(note.text[: item.end]) and item.rule in ("number", "range", "vague number")
        same_day = [k for k in kept if k.day_shift == item.day_shift and k.plan == item.plan]
        summed = sum(k.servings or 0.0 for k in same_day)
        if is_loose and same_day and (_TOTAL.search(around) or item.servings == summed):
            kept = [k for k in kept if k not in same_day] + [
                replace(item, start=same_day[0].start, rule="total")
            ]
            continue
        if (
            is_loose
            and same_day
            and same_day[-1].rule in ("shared bottle", "named without number", "vague number", "portion")
        ):
            kept.remove(same_day[-1])
        if (
            same_day
            and same_day[0].rule == "number"
            and loose.search(note.text[: same_day[0].end])
            and re.match(r"\s?[:,–(-]", note.text[same_day[0].end :])
            and same_day[0].end > first
            and summed_to(same_day, items, item)
        ):
            continue  # "three drinks: two beers and a wine" lists what it has counted
        kept.append(item)
    if kept:
        match = _BARE_TOTAL.search(note.text, kept[-1].end, min(len(note.text), kept[-1].end + 60))
        between = note.text[kept[-1].end : match.start()] if match else ""
        if match and "." not in between and kept[-1].rule != "total":
            amount = float(match.group(1) or match.group(2))
            if amount >= max(k.servings or 0 for k in kept):
                kept = [
                    replace(
                        kept[-1],
                        start=kept[0].start,
                        end=match.end(),
                        servings=amount,
                        confidence=0.85,
                        rule="total",
                    )
                ]
    return kept


def summed_to(same_day: list[_Item], items: list[_Item], item: _Item) -> bool:
    """Whether the items after a heading number come to that number."""
    head = same_day[0]
    rest = [
        i
        for i in items
        if i.start > head.start and i.day_shift == head.day_shift and i.start - head.start < 120
    ]
    return item in rest and sum(i.servings or 0.0 for i in rest) == head.servings


def _total(note: Note, behaviour: Behaviour, items: list[_Item], key: tuple[int, bool]) -> Candidate:
    counted = [i for i in items if i.servings is not None]
    generic = re.compile(rf"(?:{_one_line(behaviour.options['generic'])})$")
    if counted:  # "a pre-workout with caffeine" is one serving
        items = [i for i in items if i.servings is not None or not generic.search(note.text[: i.end])]
    start, end = min(i.start for i in items), max(i.end for i in items)
    shift, plan = key
    words = " … ".join(dict.fromkeys(note.canonical.quote(i.start, i.end) for i in items))
    if not counted:
        return Candidate(
            behaviour.name,
            "yes",
            start,
            end,
            items[0].rule,
            items[0].confidence,
            unit=behaviour.unit,
            is_plan=plan,
            day_shift=shift,
            words=words,
        )
    amount = max(0.0, sum(i.servings or 0.0 for i in counted))
    confidence = min(i.confidence for i in counted) - (0.1 if len(counted) < len(items) else 0.0)
    rule = (
        counted[0].rule
        if len(counted) == 1
        else "sum of " + ", ".join(dict.fromkeys(i.rule for i in counted))
    )
    return Candidate(
        behaviour.name,
        "amount" if amount else "no",
        start,
        end,
        rule,
        round(confidence, 3),
        amount=amount,
        unit=behaviour.unit,
        is_plan=plan,
        day_shift=shift,
        words=words,
    )


def _denials(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Explicit none: "no alcohol", "didn't drink", "sober"."""
    found = []
    said = behaviour.pattern("no_words")
    for match in said.finditer(note.text) if said else ():
        found.append(
            Candidate(
                behaviour.name,
                "no",
                match.start(),
                match.end(),
                "said none",
                0.8,
                amount=0.0,
                unit=behaviour.unit,
            )
        )
    for match in _item_pattern(behaviour.name).finditer(note.text):
        at = match.start("noun")
        before = note.text[max(0, at - 24) : at]
        if re.search(rf"(?:^|[^a-z])(?:{_one_line(behaviour.options['not_before'])})$", before) or re.match(
            _one_line(behaviour.options["not_after"]), note.text[match.end() :]
        ):
            continue
        if match.group("loose") and not re.fullmatch(
            behaviour.options.get("loose_alone") or "(?!)", match.group("noun")
        ):
            continue
        if match.group("n") == "0" or (
            not re.match(r"[1-9]", match.group("n") or "") and is_denied(note, at, match.end())
        ):
            whole = (
                re.fullmatch(
                    _one_line(behaviour.options["generic"]) + "|drinks?|coffees?", match.group("noun")
                )
                is not None
            )
            words = note.canonical.quote(*(denial_of(note, at, match.end()) or match.span()))
            found.append(
                Candidate(behaviour.name, "no", at, match.end(), "denied" if whole else "one kind denied", 0.9 if whole else 0.65,
                          amount=0.0, unit=behaviour.unit, words=words)
            )  # fmt: skip
    weighed = [judged(note, c) for c in found]
    return [c for c in weighed if c is not None and not c.is_plan]


@cache
def _item_pattern(name: str) -> re.Pattern[str]:
    options = behaviours()[name].options
    items, portions, only = (_one_line(options[k]) for k in ("items", "portions", "portion_only"))
    nouns = "|".join(part for part in (items, _one_line(options["generic"]), only) if part)
    return re.compile(
        rf"(?<![\w'-])(?:(?P<n>{_NUMBER})\s)?{_FILL}(?:(?P<portion>{portions})\s(?:of\s)?{_FILL})?"
        rf"(?P<noun>(?P<loose>{_one_line(options['loose'])})(?! of\b)|{nouns})(?![a-zé])"
    )


def _one_line(pattern: str) -> str:
    return pattern.replace("\n", "")
