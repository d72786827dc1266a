"""Things that were done or were not: magnesium, sauna, sore throat, a flight, ibuprofen, a nap."""

from __future__ import annotations

import re

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.clocks import Duration
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, denial_of, judged

__all__ = ["read_mention"]

_RECOVERED = phrase("mention", "recovered")


def read_mention(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """Yes where the behaviour is named as done, no where it is denied; with its amount where one is said."""
    found = []
    for match in _matches(note, behaviour):
        denied = denial_of(note, *match.span()) or (
            match.span() if _is_over(note, behaviour, match) else None
        )
        if denied:
            none = 0.0 if behaviour.kind == "amount" else None
            words = note.canonical.quote(*denied)
            candidate = Candidate(
                behaviour.name,
                "no",
                *match.span(),
                "denied",
                0.85,
                amount=none,
                unit=behaviour.unit,
                words=words,
            )
        else:
            amount, end = _amount(note, behaviour, match)
            if amount is None and behaviour.kind == "amount" and not _named_plainly(note, behaviour, match):
                continue
            if amount is not None and amount < float(behaviour.options.get("minimum_amount", 0)):
                continue
            kind = "yes" if amount is None else "amount"
            candidate = Candidate(
                behaviour.name,
                kind,
                match.start(),
                max(match.end(), end),
                "named",
                0.85,
                amount=amount,
                unit=behaviour.unit,
            )
        weighed = judged(note, candidate)
        if weighed:
            found.append(weighed)
    said_no = behaviour.pattern("no_words")
    for match in said_no.finditer(note.text) if said_no else ():
        amount = 0.0 if behaviour.kind == "amount" and behaviour.name != "hydration" else None
        weighed = judged(
            note,
            Candidate(
                behaviour.name,
                "no",
                match.start(),
                match.end(),
                "said none",
                0.85,
                unit=behaviour.unit,
                amount=amount,
            ),
        )
        if weighed and not weighed.is_plan:
            found.append(weighed)
    return found


def _matches(note: Note, behaviour: Behaviour) -> list[re.Match[str]]:
    """The behaviour's words, without those that mean something else."""
    other = behaviour.pattern("not_words")
    barred = [m.span() for m in other.finditer(note.text)] if other else []
    said_no = behaviour.pattern("no_words")
    barred += [m.span() for m in said_no.finditer(note.text)] if said_no else []
    veto = behaviour.pattern("veto")
    kept = []
    for match in behaviour.pattern("words").finditer(note.text):
        if any(a < match.end() and match.start() < b for a, b in barred):
            continue
        first, last = note.sentence_of(match.start())
        if veto and veto.search(note.text[first:last]):
            continue
        kept.append(match)
    return kept


def _is_over(note: Note, behaviour: Behaviour, match: re.Match[str]) -> bool:
    """Whether a symptom is spoken of as past: "the cold is gone"."""
    if not behaviour.options.get("symptom"):
        return False
    clause = note.clause_at(match.start())
    return (
        bool(_RECOVERED.search(note.text[match.end() : clause.end][:30]))
        and "not " not in note.text[match.end() : clause.end]
    )


def _amount(note: Note, behaviour: Behaviour, match: re.Match[str]) -> tuple[float | None, int]:
    """The amount said with the behaviour, and where its words end."""
    for value in match.groupdict().values():
        if value:
            return float(value), match.end()
    clause = note.clause_at(match.start())
    pattern = behaviour.pattern("amount")
    if pattern:
        near = pattern.search(note.text[max(clause.start, match.start() - 24) : clause.end])
        if near:
            return float(near.group("a")), match.end()
    if behaviour.options.get("duration"):
        first, last = note.sentence_of(match.start())
        near_ones = [
            d
            for d in note.durations
            if first <= d.start < last and _gap(d, match) < 26 and not _other_between(note, d, match)
        ]
        if near_ones:
            nearest = min(near_ones, key=lambda d: _gap(d, match))
            length = nearest.minutes / 60 if behaviour.unit == "hours" else nearest.minutes
            return length, nearest.end if nearest.start > match.end() else match.end()
    return None, match.end()


def _gap(duration: Duration, match: re.Match[str]) -> int:
    return max(duration.start - match.end(), match.start() - duration.end, 0)


def _other_between(note: Note, duration: Duration, match: re.Match[str]) -> bool:
    """Whether another activity parts the duration from the word; "drove home, about four hours" does not."""
    low, high = (
        (match.end(), duration.start) if duration.start >= match.end() else (duration.end, match.start())
    )
    between = re.sub(
        r", (?:(?:about|around|roughly|almost|nearly|for|some|over|just|at least) )*$",
        "",
        note.text[low:high],
    )
    return bool(re.search(r"[,;]|\band\b|\bthen\b|\bafter\b", between))


def _named_plainly(note: Note, behaviour: Behaviour, match: re.Match[str]) -> bool:
    """Whether the word alone is enough: a sauna is, a drive only when it was long."""
    if "minimum_amount" not in behaviour.options:
        return True
    plain = behaviour.pattern("plain_words")
    around = note.text[max(0, match.start() - 10) : match.end() + 20]
    return bool(plain and plain.search(around))
