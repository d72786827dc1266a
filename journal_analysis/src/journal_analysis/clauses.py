"""What a sentence is about, who did it, whether it was done, and when: the context that every rule shares.

A note is cut into clauses. Each clause knows its sentence, its subject (the speaker or somebody else), whether it
tells a plan, which day it speaks of, and how sure the speaker sounds. Rules look for their words and ask here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import date

from journal_analysis.clocks import Clock, Duration, find_clocks, find_durations
from journal_analysis.days import carries_on, day_words, header_shift, says_today, sets_the_scene
from journal_analysis.phrases import phrase
from journal_analysis.spoken import Canonical, canonical
from journal_analysis.subjects import about_others, consumes
from journal_analysis.sureness import with_sureness

__all__ = ["Clause", "Note", "read_note"]

_SENTENCE_END = re.compile(r"[.!?;]+(?:['\")\]]+)?(?=\s|$)|\s*\n\s*|(?<=[a-z]{2}[.!?])(?=[a-z]{2})")
_ANSWERED = phrase("clauses", "answered")
_LABEL_ONLY = re.compile(r"^[^\n.!?;:]{1,30}:\s*$")
_CLAUSE_BREAK = phrase("clauses", "clause_break")
_RESTART = phrase("clauses", "restart")
_PLAN = phrase("clauses", "plan")
_PLAN_UNDONE = phrase("clauses", "plan_undone")
_PLAN_FRONT = phrase("clauses", "plan_front")
_SENTENCE_PLAN = phrase("clauses", "sentence_plan")
_ONLY_LATER = phrase("clauses", "only_later")
_LATER = phrase("clauses", "later")
_GERUND = phrase("clauses", "gerund")
_PLAN_HEADER = phrase("clauses", "plan_header")
_CONDITIONAL = phrase("clauses", "conditional")
_NOT_CONDITIONAL = phrase("clauses", "not_conditional")
_DOUBT = phrase("clauses", "doubt")
_PRESENT = phrase("clauses", "present")
_PAST = phrase("clauses", "past")
_USUALLY = phrase("clauses", "usually")
_ADVICE = phrase("clauses", "advice")
_LINK = phrase("clauses", "link")
_LONGEST = 600
"""Characters of a sentence; a longer one is cut at a joint."""
_JOINT = re.compile(r", | (?=and then\b|then\b|and i\b|but\b|so i\b|i (?:had|did|went|took)\b)")
_JOINED = re.compile(r"^[\s,]*(?:and|where|then|and then|so|who|whose)\b")
_WHO = re.compile(r"^[\s,]*(?:who|whose)\b")
_ASIDE = re.compile(r"^[\s,]*(?:while|whilst|because|as|when|since|until|before|after|where)\b")
"""How a clause about somebody else begins after which the speaker goes on."""
_MOST = 120
"""Clock times and lengths that are read; no entry of a day has more."""
_INTERJECTION = re.compile(
    r"[\s,(–—-]*(?:i (?:think|guess|believe|suppose|reckon|swear|mean|hear|heard|assume|imagine)|i'd say|you know|"
    r"honestly|apparently|bless (?:him|her|them)|of course|poor thing|god knows|i kid you not)[\s,)–—-]*"
)
"""What is thrown in without a change of subject: "my colleague had, I think, nine"."""
_FEW = 6
_GOES_ON = re.compile(r"\b(?:and|then|1|another)\b")
_FRONTED = 3
"""Words that may stand before "I" as its object: "magnesium I forgot"."""
_LISTED = phrase("clauses", "listed")


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence at canonical [start, end) and what can be said of it as a whole."""

    start: int
    end: int
    sentence: int
    sentence_start: int
    sentence_end: int
    others: bool
    plan: bool
    unreal: bool
    doubt: bool
    habit: bool
    day_shift: int
    day_is_said: bool
    day_is_carried: bool
    sureness: float = 1.0


@dataclass(frozen=True)
class Note:
    """A text made ready for the rules: canonical form, clauses, clock times and durations."""

    canonical: Canonical
    clauses: tuple[Clause, ...]
    clocks: tuple[Clock, ...]
    durations: tuple[Duration, ...]
    _starts: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The canonical text."""
        return self.canonical.text

    def clause_at(self, position: int) -> Clause:
        """The clause that holds a canonical position."""
        index = bisect_right(self._starts, position) - 1
        return self.clauses[max(index, 0)]

    def sentence_of(self, position: int) -> tuple[int, int]:
        """Canonical [start, end) of the sentence that holds a position."""
        clause = self.clause_at(position)
        return clause.sentence_start, clause.sentence_end


def read_note(original: str, entry_day: date | None = None) -> Note:
    """Cut a text into clauses and settle subject, plan and day of each.

    Parameters
    ----------
    original : str
        Transcript or typed text.
    entry_day : date, optional
        The wake day of the entry; weekday names ("on Saturday") are only understood with it.
    """
    text = canonical(original)
    clauses: list[Clause] = []
    story = _Story(0, 0, planned=False)
    for number, (start, end) in enumerate(_sentences(text.text)):
        story = _next_story(story, text.text[start:end], entry_day)
        clauses += _clauses_of(text, number, start, end, story, entry_day)
    if not clauses:
        clauses = [Clause(0, len(text.text), 0, 0, len(text.text), *([False] * 5), 0, False, False)]
    clauses = with_sureness(text.text, clauses)
    clocks = find_clocks(text.text)
    lengths = [
        d for d in find_durations(text.text) if not any(c.start < d.end and d.start < c.end for c in clocks)
    ]
    return Note(
        text, tuple(clauses), tuple(clocks[:_MOST]), tuple(lengths[:_MOST]), [c.start for c in clauses]
    )


@dataclass(frozen=True)
class _Story:
    """The day that holds until further notice: of the heading (``base``), of the story being told (``carried``)."""

    base: int
    carried: int
    planned: bool
    is_scene: bool = False


def _next_story(story: _Story, sentence: str, entry_day: date | None) -> _Story:
    planned = _PLAN_HEADER.match(sentence) is not None
    header = header_shift(sentence, entry_day)
    if header is not None:
        return _Story(header, 0, planned)
    said = day_words(sentence, entry_day)
    scene = sets_the_scene(sentence)
    if said is not None and said.shift < 0 and (scene or said.leads):
        return replace(story, carried=said.shift, planned=planned, is_scene=scene)
    if says_today(sentence):
        return _Story(0, 0, planned)
    if said is not None or _PRESENT.search(sentence):
        return replace(story, carried=0, planned=planned)
    return replace(story, planned=planned)


def _sentences(text: str) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        piece = text[start : match.end()]
        asks = match.group().startswith("?") and _ANSWERED.match(text, match.end())
        asks = asks or (match.group().startswith("?") and len(piece.split()) <= 3)
        if asks or (match.group().strip() == "" and _LABEL_ONLY.match(piece.strip())):
            continue  # "Alcohol? None.", a label with its value on the next line
        bounds.append((start, match.end()))
        start = match.end()
    bounds.append((start, len(text)))
    return [part for a, b in bounds if text[a:b].strip() for part in _no_longer(text, a, b)]


def _no_longer(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a sentence without end (dictated, or no sentence at all) at its joints."""
    parts = []
    while end - start > _LONGEST:
        window = text[start + _LONGEST // 2 : start + _LONGEST]
        joint = max((m.start() for m in _JOINT.finditer(window)), default=window.rfind(" "))
        cut = start + _LONGEST // 2 + (joint if joint >= 0 else len(window))
        parts.append((start, cut))
        start = cut
    return [*parts, (start, end)]


def _cuts(sentence: str) -> list[int]:
    places = {m.start() for m in _CLAUSE_BREAK.finditer(sentence) if m.start() > 0}
    for match in _RESTART.finditer(sentence):
        before = max((p for p in places if p < match.start()), default=0)
        if len(sentence[before : match.start()].split()) > _FRONTED:
            places.add(match.start())
    return sorted(places)


@dataclass(frozen=True)
class _Said:
    """What stands over the clauses of a sentence from one to the next."""

    others: bool = False
    plan: bool = False
    day: int = 0
    is_said: bool = False
    consumes: bool = False
    aside: bool = False


def _clauses_of(
    text: Canonical, number: int, start: int, end: int, story: _Story, entry_day: date | None
) -> list[Clause]:
    sentence = text.text[start:end]
    carried = bool(story.carried) and not day_words(sentence, entry_day) and not says_today(sentence)
    carried = carried and (story.is_scene or carries_on(sentence))
    first_day = story.carried if carried else story.base
    to_do = _SENTENCE_PLAN.search(sentence) is not None and not _PAST.search(sentence)
    said = _Said(plan=story.planned, day=first_day)
    cuts = [start, *(start + c for c in _cuts(sentence)), end]
    clauses: list[Clause] = []
    for first, last in zip(cuts, cuts[1:], strict=False):
        piece = text.text[first:last]
        others = _others(said, piece, text.quote(first, last), first == start)
        plan = stays_planned = _plan(said, piece) or to_do
        named = day_words(piece, entry_day)
        todays = says_today(piece)
        if clauses and _ONLY_LATER.match(piece):
            clauses = [
                c if _PAST.search(text.text, c.start, c.end) else replace(c, plan=True) for c in clauses
            ]
        conditional = bool(_CONDITIONAL.search(piece)) and not _NOT_CONDITIONAL.search(piece)
        if named is not None and named.shift > 0 and not _PAST.search(piece):
            plan = True
        if named is not None and not (todays and named.shift < 0 and not named.leads):
            day, is_said = named.shift, True
            said = replace(said, day=day if named.leads else said.day, is_said=named.leads or said.is_said)
            if not named.leads and _LISTED.match(piece) and not _PAST.search(piece):
                clauses = _moved_back(clauses, day)
        elif todays:
            day, is_said = 0, True
            said = replace(said, day=0, is_said=True)
        elif (
            clauses
            and clauses[-1].day_is_said
            and not said.is_said
            and (_JOINED.match(piece) or (plan and clauses[-1].plan and clauses[-1].day_shift > 0))
        ):
            day, is_said = clauses[-1].day_shift, True
        else:
            day, is_said = said.day, said.is_said
        clauses.append(
            Clause(
                first, last, number, start, end,
                others=others,
                plan=plan,
                unreal=conditional
                or bool(_PLAN_UNDONE.search(piece) and "as planned" not in piece)
                or bool(_ADVICE.search(piece)),
                doubt=bool(_DOUBT.search(piece)),
                habit=bool(_USUALLY.search(piece)),
                day_shift=day,
                day_is_said=is_said,
                day_is_carried=carried and not is_said,
            )
        )  # fmt: skip
        aside = others and not said.others and bool(clauses) and _ASIDE.match(piece) is not None
        said = replace(
            said,
            others=others,
            plan=stays_planned,
            aside=aside,
            consumes=others and consumes(piece, said.consumes),
        )
    return clauses


def _others(said: _Said, piece: str, original: str, opens: bool) -> bool:
    """A clause without a subject goes on with the last one: in "Anna had wine, gin and a beer", not in "kids in
    bed, two beers"."""
    if said.others and _INTERJECTION.fullmatch(piece):
        return True
    told = about_others(piece, original, opens)
    if told is None and _WHO.match(piece):
        return True
    if told is None and said.aside:
        return False
    if told is None:
        goes_on = said.consumes or _JOINED.match(piece) or _PAST.match(_LINK.sub("", piece))
        return said.others and bool(goes_on)
    return told


def _plan(said: _Said, piece: str) -> bool:
    plain = _PLAN_FRONT.sub("", piece)
    if _PLAN_UNDONE.search(piece):
        return False
    if _PLAN.search(plain):
        return True
    if (
        (_LATER.search(piece) and len(piece.split()) <= _FEW and not _GOES_ON.search(piece))
        or _GERUND.match(piece)
    ) and not _PAST.search(piece):
        return True
    if _PAST.search(piece) or _PRESENT.search(piece) or says_today(piece):
        return False
    return said.plan


def _moved_back(clauses: list[Clause], day: int) -> list[Clause]:
    """A day at the end of a list ("beer, pizza and a whisky last night") holds for the whole list."""
    moved = list(clauses)
    for index in range(len(moved) - 1, -1, -1):
        if moved[index].day_is_said:
            break
        moved[index] = replace(moved[index], day_shift=day, day_is_said=True)
    return moved
