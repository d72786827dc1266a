"""Things that were done or were not: creatine, sauna, sore throat, ibuprofen, a nap, earplugs, a day off.

Options of a behaviour in ``data/mentions_*.toml``:

- ``words`` are enough alone, ``weak`` ones want a sign (a verb, a dose, a form, a neighbour), ``dose_words`` an amount.
- ``not_words`` mean something else, ``no_words`` deny by themselves, ``veto`` bars its whole sentence.
- ``how`` (taken, done, used, felt, said): the first three are no facts where they are only talked about.
- ``counted``: what one piece of it is called; ``article_counts``: "a cigarette" is one; ``packs``: pieces of a pack.
- ``needs_amount``: nothing without one; ``least``, ``most``: amounts outside are none of it.
- ``night``: of "last night" it belongs to the day that began with waking.
- ``anyone``: told of others, true for the wearer ("the baby woke me"); a pattern where only some words are.
- ``symptom``: "it is gone" denies it; ``weak_context``, ``dose_only``: what makes a weak word one of it.
- ``negated_words``: words that hold a "no" and yet say yes ("no meat today"); ``going``: words that make it a plan.
"""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged
from journal_analysis.rules.dose import doses_of
from journal_analysis.rules.portion import portion_of
from journal_analysis.rules.sighting import Sighting, sightings_in

__all__ = ["read_mention"]

_RECOVERED = phrase("told", "recovered")
_LAST_NIGHT = phrase("told", "last_night")
_CORRECTED = phrase("told", "corrected")
_HAPPENED = phrase("told", "happened")
_DENIED_FIRST = phrase("told", "denied_first")
_LEFT_IT = phrase("told", "left_it")
_AT_HOME = phrase("told", "at_home")
_OR_ANOTHER = phrase("told", "or_another")
_TODAY_NONE = phrase("told", "today_none")
_CROSSED = phrase("told", "crossed")
_IF_ONLY = phrase("told", "if_only")
_SWAPPED = phrase("told", "swapped")
_NOT_TODAY = phrase("told", "not_today")
_GOING_TO = phrase("told", "going_to")
_SOON = phrase("told", "soon")
_GIVEN_ME = phrase("told", "given_me")
_NONE_OF_IT = phrase("told", "none_of_it")
_SURE, _NEAR, _FAR = 0.9, 2.5, 0.8
_NEXT_STATEMENT = 70
_GOING_BACK = 20
_SENTENCE_BACK = 110
_MOST_SIGHTINGS = 12
"""Nobody names one thing more often in one note; a text that does is made to be slow."""


def read_mention(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Yes where the behaviour is named as done, no where it is denied; with its amount where one is said."""
    found = []
    for sighting in sightings_in(note).get(behaviour.name, [])[:_MOST_SIGHTINGS]:
        candidate = _read(note, behaviour, sighting)
        weighed = _weighed(note, behaviour, candidate) if candidate else None
        if weighed:
            found.append(weighed)
            found += _none_today(note, behaviour, weighed)
    said_no = behaviour.pattern("no_words")
    for match in said_no.finditer(note.text) if said_no else ():
        denied = _no(note, behaviour, match.span(), match.span(), "said none")
        weighed = _weighed(note, behaviour, denied)
        if weighed and not weighed.is_plan:
            found.append(weighed)
    return _merged(note, found)


def _read(note: Note, behaviour: Behaviour, sighting: Sighting) -> Candidate | None:
    span = (sighting.start, sighting.end)
    denied = _denial(note, span) or (
        span if _is_over(note, behaviour, sighting) or _denies_itself(note, behaviour, sighting) else None
    )
    doses = [] if behaviour.kind != "amount" else doses_of(note, sighting)
    if denied:
        unsaid = sighting.needs_dose or behaviour.options.get("needs_amount")
        return None if unsaid else _no(note, behaviour, span, denied, "denied")
    amount, start, end, confidence = sighting.number, *span, _SURE
    if amount is None and doses:
        amount = sum(dose[0] for dose in doses)
        start, end = min(start, doses[0][1]), max(end, doses[-1][2])
        confidence = _SURE if max(dose[3] for dose in doses) <= _NEAR else _FAR
    elif amount is None and (portion := portion_of(note, behaviour, sighting)):
        amount, start, end = portion[0], min(start, portion[1]), max(end, portion[2])
    if amount is None and (sighting.needs_dose or behaviour.options.get("needs_amount")):
        return None
    if amount == 0:
        return _no(note, behaviour, span, span, "none of it")
    kind = "amount" if amount is not None and behaviour.kind == "amount" else "yes"
    amount = round(amount, 2) if amount is not None and kind == "amount" else None
    return Candidate(
        behaviour.name, kind, start, end, "named", confidence, amount=amount, unit=behaviour.unit
    )


def _denial(note: Note, span: tuple[int, int]) -> tuple[int, int] | None:
    """The denial of the words, unless it falls on what they took the place of: "swapped the coffee for rooibos"."""
    before = note.text[max(note.sentence_of(span[0])[0], span[0] - _SENTENCE_BACK) : span[0]]
    crossed = _CROSSED.match(note.text, span[1]) or (
        _AT_HOME.match(note.text, span[1]) if _LEFT_IT.search(before) else None
    )
    if crossed:
        return span[0], crossed.end()
    if _OR_ANOTHER.search(before):
        return span
    denied = denial_of(note, *span)
    return None if denied and _SWAPPED.search(note.text[denied[0] : span[0]]) else denied


def _no(
    note: Note, behaviour: Behaviour, span: tuple[int, int], words: tuple[int, int], rule: str
) -> Candidate:
    has_zero = behaviour.kind == "amount" and not behaviour.options.get("no_amount_if_no")
    return Candidate(
        behaviour.name,
        "no",
        *span,
        rule,
        _SURE,
        amount=0.0 if has_zero else None,
        unit=behaviour.unit,
        words=note.canonical.quote(*words),
    )


def _weighed(note: Note, behaviour: Behaviour, candidate: Candidate) -> Candidate | None:
    """As `judged`, for what is told of others but true for the wearer too, and for the night just slept."""
    clause = note.clause_at(candidate.start)
    if clause.others and _is_mine(note, behaviour, candidate):
        own = tuple(replace(c, others=False) if c is clause else c for c in note.clauses)
        weighed = judged(replace(note, clauses=own), candidate)
    elif clause.others:
        weighed = _none_for_me(note, behaviour, candidate)
    else:
        weighed = judged(note, candidate)
    if clause.habit and candidate.kind != "no" and (not_today := _NOT_TODAY.match(note.text, candidate.end)):
        words = (candidate.start, not_today.end())
        return replace(_no(note, behaviour, words, words, "not today"), confidence=_FAR)
    if weighed is None:
        return None
    if clause.habit and not clause.day_is_said and not _HAPPENED.search(note.text[clause.start : clause.end]):
        return None  # what is usual is no fact of today
    if _is_ahead(note, behaviour, candidate):
        weighed = replace(weighed, is_plan=True)
    first = note.sentence_of(candidate.start)[0]
    if weighed.is_plan and weighed.kind != "no" and _IF_ONLY.search(note.text[first : candidate.start]):
        return None
    if behaviour.options.get("night") and weighed.day_shift == -1:
        first, last = note.sentence_of(candidate.start)
        if not clause.day_is_said or _LAST_NIGHT.search(note.text[first:last]):
            return replace(weighed, day_shift=0)
    return weighed


def _is_ahead(note: Note, behaviour: Behaviour, candidate: Candidate) -> bool:
    """Whether the words around make it a plan: "heading off to my night shift", "going to the sauna later"."""
    clause = note.clause_at(candidate.start)
    going = behaviour.options.get("going")
    near = note.text[max(clause.start, candidate.start - _GOING_BACK) : candidate.end + _GOING_BACK // 2]
    if going and re.search(rf"\b(?:{going})\b", near):
        return True
    on_the_way = _GOING_TO.search(note.text[clause.start : candidate.start])
    return on_the_way is not None and _SOON.search(note.text[clause.start : clause.end]) is not None


def _is_mine(note: Note, behaviour: Behaviour, candidate: Candidate) -> bool:
    """Whether it is the wearer's although another is the subject: "the baby had me up", "she gave me an aspirin"."""
    anyone = behaviour.options.get("anyone")
    words = note.text[candidate.start : candidate.end]
    if anyone and (anyone is True or re.search(anyone, words)):
        return True
    before = note.text[note.clause_at(candidate.start).start : candidate.start]
    return _GIVEN_ME.search(before) is not None


def _none_for_me(note: Note, behaviour: Behaviour, candidate: Candidate) -> Candidate | None:
    """The wearer's own no behind what another had: "my brother took ibuprofen; I took none"."""
    behind = note.text[candidate.end : candidate.end + _NEXT_STATEMENT]
    denied = _NONE_OF_IT.search(behind)
    if denied is None or "." in behind[: denied.start()]:
        return None
    at = candidate.end + denied.start("i")
    span = (at, candidate.end + denied.end())
    own = _no(note, behaviour, span, (candidate.start, span[1]), "none for the wearer")
    return judged(note, replace(own, confidence=_FAR))


def _denies_itself(note: Note, behaviour: Behaviour, sighting: Sighting) -> bool:
    """Whether the words begin with their denial: "no sauna", "skipped breakfast"."""
    words = note.text[sighting.start : sighting.end]
    return not behaviour.options.get("negated_words") and _DENIED_FIRST.match(words) is not None


def _is_over(note: Note, behaviour: Behaviour, sighting: Sighting) -> bool:
    """Whether a symptom is spoken of as past: "the cough is gone"."""
    if not behaviour.options.get("symptom"):
        return False
    rest = note.text[sighting.end : note.clause_at(sighting.start).end]
    return _RECOVERED.match(rest[:40]) is not None and "not " not in rest


def _none_today(note: Note, behaviour: Behaviour, candidate: Candidate) -> list[Candidate]:
    """Today's none behind an earlier day's: "yesterday five cigarettes, today none"."""
    none = _TODAY_NONE.match(note.text, candidate.end)
    if none is None or candidate.day_shift >= 0 or candidate.kind == "no":
        return []
    span = (candidate.start, none.end())
    return [replace(_no(note, behaviour, span, span, "none today"), day_shift=0)]


def _merged(note: Note, found: list[Candidate]) -> list[Candidate]:
    """Amounts of one day are added up unless one corrects the other; each word that said one counts once."""
    merged: list[Candidate] = []
    for candidate in found:
        same = [
            k
            for k in merged
            if k.kind == candidate.kind == "amount"
            and (k.day_shift, k.is_plan) == (candidate.day_shift, candidate.is_plan)
        ]
        if not same:
            merged.append(candidate)
            continue
        before = same[0]
        place = merged.index(before)
        if before.start < candidate.end and candidate.start < before.end:
            continue  # "smoked 3 cigarettes" says the three once
        between = note.text[before.end : candidate.start]
        if _CORRECTED.search(between):
            merged[place] = candidate
            continue
        merged[place] = replace(
            before,
            end=candidate.end,
            amount=round((before.amount or 0.0) + (candidate.amount or 0.0), 2),
            confidence=min(before.confidence, candidate.confidence),
        )
    return merged
