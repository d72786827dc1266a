"""What is said of a serving without naming it again: "…, no, two", "… and another one", "one at 8, one at 11"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["REPLACES", "Serving", "further_servings"]

REPLACES = frozenset({"own count", "count of times"})
"""Rules whose serving stands for the mention before it instead of adding to it."""
_CORRECTED_BY = phrase("count", "corrected_by")
_MORE = phrase("count", "more")
_ONLY_THE_ONE = phrase("count", "only_the_one")
_LABEL = re.compile(r"[a-z]:|\n")
_TIMES_JOIN = re.compile(
    r"^(?:[\s,&+/:(-]|\b(?:at|and|then|once|more|again|around|about|by|in|the|finally|also|another|morning|afternoon|evening|on)\b|\boclock\b|"
    r"\b(?:the )?(?:first|second|third|fourth|2nd|3rd|4th|last)(?: one| 1)?(?: was)?\b)*$"
)
_ONLY_NEXT = re.compile(r"[^.;!?]{0,24}[.;!]\s*")
"""Before "only one …" that opens the next sentence: "skipped the second coffee. Only one at eight."."""
_REACH = 110
_SECOND = frozenset({"the second", "the 2nd", "the third", "the 3rd"})
_MOST_WORDS = 12
_UNSURE = 0.68
"""Confidence of what is not named again: to be confirmed."""


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


def further_servings(note: Note, noun: tuple[int, int], serving: Serving | None, until: int) -> list[Serving]:
    """Servings after the mention at ``noun`` and before the next counted noun at ``until``.

    ``serving`` is what the mention itself counts, None where it is not the wearer's, imagined, usual or denied: then
    a bare number is the wearer's own count ("Marco had four, I had one").
    """
    if serving is None:
        return _own_count(note, noun, until)
    corrected = _CORRECTED_BY.match(note.text, serving.end)
    if corrected and not _is_time(note, corrected.start(corrected.lastindex or 0)):
        low, high, became = corrected.groups()
        number = (float(low) + float(high or low)) / 2 if low else float(became)
        span = {"start": corrected.start(), "end": corrected.end()}
        return [
            replace(
                serving,
                **span,
                servings=number - (serving.servings or 0.0),
                confidence=0.8,
                rule="correction",
            )
        ]
    times = _times_in_a_row(note, serving, until)
    if times:
        return times
    return _more(note, serving, until)


def _more(note: Note, serving: Serving, until: int) -> list[Serving]:
    """ "Another", "one more", and the bare numbers of a count that goes on."""
    found: list[Serving] = []
    position, limit = serving.end, min(until, serving.end + _REACH)
    while following := _MORE.search(note.text, position, limit):
        position = following.end()
        named = following.group("word") or following.group("number")
        number = following.group("number") or following.group("bare")
        at = following.start(
            "word" if following.group("word") else "number" if following.group("number") else "bare"
        )
        before = found[-1].end if found else serving.end
        between = note.text[before:at]
        if following.group("word") in _SECOND and serving.servings != 1.0:
            continue
        if _is_time(note, at) or (
            not named and (_LABEL.search(between[1:]) or len(between.split()) > _MOST_WORDS)
        ):
            continue
        if between.count(".") > 1 or is_denied(note, at, following.end(), reach=3):
            break
        if (
            not named
            and re.match(r"[^.]*\.\s*$", between)
            and re.match(r"\s*\.", note.text[following.end() :][:2])
        ):
            continue  # "Cold brew at nine, latte at two. Three." sums up
        rule = "another one" if named else "bare number"
        probe = judged(note, Candidate("", "amount", at, following.end(), rule, _UNSURE))
        if probe is None:
            continue
        found.append(
            Serving(
                at,
                following.end(),
                float(number or 1),
                probe.confidence,
                rule,
                probe.day_shift,
                probe.is_plan,
            )
        )
        limit = min(until, position + _REACH)
    return _settled(note, serving, found)


def _settled(note: Note, serving: Serving, found: list[Serving]) -> list[Serving]:
    """Whether bare numbers add to a count, break it down, or are it."""
    bare = [s for s in found if s.rule == "bare number"]
    if not bare:
        return found
    total = sum(s.servings or 0.0 for s in bare)
    if serving.servings is not None and serving.servings >= 2 and total <= serving.servings:
        return [
            s for s in found if s.rule != "bare number"
        ]  # "3 coffees, one at 8 …" has counted them already
    alone = [s for s in bare if re.match(r"\s*[,.;!)]|$", note.text[s.end :][:2])]
    if serving.servings == 1.0 and alone and alone[0] is bare[0] and alone[0].servings == 1.0:
        return [s for s in found if s.rule != "bare number"]  # "one beer, one, promise"
    listed = re.match(r"\s?[:,–-]", note.text[serving.end :][:3]) is not None
    if serving.rule in ("singular", "named without number", "vague number", "shared bottle") and (
        listed or (bare[0].servings or 0) >= 2
    ):
        first, *rest = found
        return [*rest, replace(first, start=serving.start, rule="own count")]
    return found


def _times_in_a_row(note: Note, serving: Serving, until: int) -> list[Serving]:
    """ "Coffee at six, at ten and once more at two": as many as there are times."""
    if serving.rule not in ("singular", "named without number"):
        return []
    row: list[Clock] = []
    position = serving.end
    for clock in note.clocks:
        if clock.start < serving.end or clock.start >= until:
            continue
        if not _TIMES_JOIN.match(note.text[position : clock.start]):
            break
        row.append(clock)
        position = clock.end
    if len(row) < 2 or row[0].lead in ("between", "from"):
        return []
    return [
        replace(serving, end=row[-1].end, servings=float(len(row)), confidence=_UNSURE, rule="count of times")
    ]


def _own_count(note: Note, noun: tuple[int, int], until: int) -> list[Serving]:
    """The wearer's own number after somebody else's, a usual or a denied one."""
    clause = note.clause_at(noun[0])
    end = min(until, noun[1] + _REACH)
    only = _ONLY_THE_ONE.search(note.text, noun[1], end)
    if only and (
        "." not in note.text[noun[1] : only.start()]
        or _ONLY_NEXT.fullmatch(note.text[noun[1] : only.start()])
    ):
        at, number, until_at = (
            only.start(),
            float(only.group("n") or only.group("so") or only.group("then") or 1),
            only.end(),
        )
    elif clause.others or clause.unreal or clause.habit:
        following = _MORE.search(note.text, noun[1], end)
        while following and (_is_time(note, following.start("bare")) or not following.group("bare")):
            following = _MORE.search(note.text, following.end(), end)
        if following is None or note.text[noun[1] : following.start()].count(".") > 0:
            return []
        at, number, until_at = following.start("bare"), float(following.group("bare")), following.end()
    else:
        return []
    probe = judged(note, Candidate("", "amount", at, until_at, "own count", _UNSURE))
    if probe is None:
        return []
    return [Serving(at, until_at, number, probe.confidence, "own count", probe.day_shift, probe.is_plan)]


def _is_time(note: Note, position: int) -> bool:
    """Whether a number belongs to a clock time or a length."""
    return any(c.start <= position < c.end for c in note.clocks) or any(
        d.start <= position < d.end for d in note.durations
    )
