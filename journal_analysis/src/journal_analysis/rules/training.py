"""Training: what was done, how long, how hard; or that there was none."""

from __future__ import annotations

import re
from dataclasses import replace

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, judged
from journal_analysis.rules.effort import read_effort
from journal_analysis.rules.sessions import Session, find_sessions, is_intervals, is_total, training_words

__all__ = ["read_training"]

_BARE_TOTAL = phrase("training", "bare_total")
_NOT_TRAINING_TIME = phrase("training", "not_training_time")
_DONE = phrase("training", "done")
_ANY_TRAINING = re.compile(r"\b(?:training|workouts?|exercise|sports?|gym|train|rest day)\b")
"""Denied so, no mere mention of a session stands against it."""
_EITHER = re.compile(r"\b(?:none|nothing|nor|neither|or|and)\b (?:\w+ )?(yesterday|on \w+day)\b")
"""What denies a second day too: "no training today, none yesterday either"."""
_BESIDE = 14
_WITH_WARM_UP = re.compile(
    r"\b(?:warm(?:ing)?[- ]?up|cool(?:ing)?[- ]?down|with u|c/d|wu|total|in all|altogether)\b"
)
_FOLLOWS = 60
"""Characters of a sentence after a session's that may tell its length."""
_IN_MINUTES = frozenset({"hiit", "strength_training", "zone2_cardio", "yoga", "long_endurance"})
_SURE, _BARE, _NAMED_ONLY, _DENIED = 0.85, 0.65, 0.68, 0.75


def read_training(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """`workout` with its minutes, its kind (`hiit`, `strength_training` …), `rpe`; or no workout, a `rest_day`."""
    sessions, denied = find_sessions(note)
    found: list[Candidate] = []
    for key in dict.fromkeys(_when(note, s) for s in sessions):
        mine = [s for s in sessions if _when(note, s) == key]
        if all(s.joins in ("generic", "weak") and _is_scene(note, s) for s in mine):
            continue
        found += _done(note, behaviour, mine)
    trained = {(c.day_shift, c.is_plan) for c in found}
    none = _none(note, behaviour) + _without(note, behaviour, denied)
    outright = {
        (c.day_shift, c.is_plan)
        for c in none
        if c.kind == "no" and _ANY_TRAINING.search(note.text[c.start : c.end])
    }
    weak = {(c.day_shift, c.is_plan) for c in found if c.behaviour == behaviour.name and c.kind == "yes"}
    found = [c for c in found if (c.day_shift, c.is_plan) not in outright & weak]
    return found + [c for c in none if (c.day_shift, c.is_plan) not in trained - (outright & weak)]


def _when(note: Note, session: Session) -> tuple[int, bool]:
    clause = note.clause_at(session.start)
    return clause.day_shift, clause.plan


def _is_scene(note: Note, session: Session) -> bool:
    """Whether a bare "training" only sets a scene: no verb says that it was done, no length or effort either."""
    first, last = note.sentence_of(session.start)
    sentence = note.text[first:last]
    alone = len(sentence.split()) <= 4
    return (
        not _DONE.search(sentence)
        and not session.lengths
        and not alone
        and read_effort(note, [session]) is None
    )


def _done(note: Note, behaviour: Behaviour, sessions: list[Session]) -> list[Candidate]:
    first = sessions[0]
    plan = note.clause_at(first.start).plan
    minutes, end = _minutes(note, sessions, plan)
    words = " … ".join(dict.fromkeys(note.canonical.quote(*_phrase(note, s)) for s in sessions))
    sure = _SURE * min(s.confidence for s in sessions)
    said = Candidate(
        behaviour.name,
        "yes",
        first.start,
        max(first.end, end),
        "session",
        _SURE,
        unit=behaviour.unit,
        words=words,
    )
    if minutes is not None:
        said = replace(said, kind="amount", amount=minutes, rule="session and its minutes")
    effort = read_effort(note, sessions)
    if minutes is None and effort is None:
        said = replace(said, confidence=_BARE if all(s.joins for s in sessions) else _NAMED_ONLY)
    drafts = [said]
    if effort is not None and not plan:
        value, why, how_sure = effort
        drafts.append(
            replace(
                said, behaviour=behaviour.options["intensity"], kind="scale", amount=value, unit="0-10",
                rule=why, confidence=min(how_sure, sure),
            )
        )  # fmt: skip
    for kind in sorted({kind for s in sessions for kind in s.kinds}):
        drafts.append(_of_kind(note, kind, sessions, minutes))
    return [c for c in (judged(note, d) for d in drafts) if c]


def _of_kind(note: Note, kind: str, sessions: list[Session], minutes: float | None) -> Candidate:
    """The kind of a session, with its own minutes where they are said."""
    mine = [s for s in sessions if kind in s.kinds]
    one = mine[0]
    own = sum(s.minutes or 0.0 for s in mine)
    if not own and len(mine) == len(sessions) and minutes:
        own = minutes
    said = Candidate(kind, "yes", one.start, one.end, "kind of session", _SURE)
    if kind not in _IN_MINUTES:
        return said
    if kind == "hiit" and not _beside(note, one):
        return replace(said, unit="minutes")
    if own and all(s.minutes for s in mine) or own and len(mine) == len(sessions):
        return replace(
            said, kind="amount", amount=own, unit="minutes", rule="kind of session and its minutes"
        )
    return replace(said, unit="minutes")


def _beside(note: Note, session: Session) -> bool:
    """Whether a length stands beside the word "intervals" itself and is not that of all with the warm-up."""
    first, last = note.sentence_of(session.start)
    if _WITH_WARM_UP.search(note.text, first, last):
        return False
    return any(
        is_intervals(note, *_bounds(note, d.start)) or 0 <= d.start - session.end < _BESIDE
        for d in session.lengths
    )


def _bounds(note: Note, position: int) -> tuple[int, int]:
    clause = note.clause_at(position)
    return clause.start, clause.end


def _phrase(note: Note, session: Session) -> tuple[int, int]:
    """The session's words with the clause around them, for the quote."""
    clause = note.clause_at(session.start)
    lead = re.match(r"[\s,]*(?:and |then |but |so )*", note.text[clause.start : clause.end])
    start = min(clause.start + (lead.end() if lead else 0), session.start)
    return start, max(session.end, clause.end, *(d.end for d in session.lengths), 0)


def _minutes(note: Note, sessions: list[Session], plan: bool) -> tuple[float | None, int]:
    """All minutes of one day's sessions: a total where one is said, else the sum; and where the words end."""
    amount, end = 0.0, 0
    sentences = list(dict.fromkeys(note.sentence_of(s.start) for s in sessions))
    for sentence in sentences:
        lengths = dict.fromkeys(
            d for s in sessions if note.sentence_of(s.start) == sentence for d in s.lengths
        )
        total = _total(note, sentence)
        if total is None and not plan:
            total = _total_after(note, sentence, sentences, bool(lengths))
        if total:
            own = sum(d.minutes for d in lengths)
            amount = total[0] if total[0] == amount + own else amount + total[0]
            end = max(end, total[1])
            continue
        amount += sum(d.minutes for d in lengths)
        end = max([end, *(d.end for d in lengths if d.start < sentence[1])])
    return (amount, end) if amount else (None, 0)


def _total(note: Note, sentence: tuple[int, int]) -> tuple[float, int] | None:
    """A length of the sentence that is said to be the whole, or a bare "= 50 total"."""
    first, last = sentence
    bare = _BARE_TOTAL.search(note.text[first:last])
    summed = (float(next(g for g in bare.groups() if g)), first + bare.end()) if bare else None
    for duration in note.durations:
        if first <= duration.start < last and is_total(note, duration):
            return summed if summed and summed[0] > duration.minutes else (duration.minutes, duration.end)
    return summed


def _total_after(
    note: Note, sentence: tuple[int, int], sentences: list[tuple[int, int]], has_length: bool
) -> tuple[float, int] | None:
    """A total, or where none was said the length, in a short sentence right after."""
    if sentence[1] >= len(note.text):
        return None
    following = note.sentence_of(sentence[1])
    text = note.text[following[0] : following[1]]
    if following[0] < sentence[1] or following in sentences or len(text) > _FOLLOWS:
        return None
    total = _total(note, following)
    if total or has_length:
        return total
    if _NOT_TRAINING_TIME.search(text):
        return None
    lengths = [d for d in note.durations if following[0] <= d.start < following[1] and d.sets == 1]
    return (lengths[0].minutes, lengths[0].end) if len(lengths) == 1 else None


def _without(note: Note, behaviour: Behaviour, denied: list[Session]) -> list[Candidate]:
    """No training where a session by its name is denied and no other told: "skipped bouldering"."""
    said = [
        Candidate(
            behaviour.name, "no", s.start, s.end, "session denied", _DENIED, amount=0.0, unit=behaviour.unit,
            words=note.canonical.quote(*_phrase(note, s)),
        )
        for s in denied
    ]  # fmt: skip
    return [c for c in (judged(note, d) for d in said) if c and not c.is_plan]


def _none(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """No training, and the rest day where it is called so."""
    found = []
    for table, rest in (("no_training", False), ("rest_day", True)):
        for match in training_words(table).finditer(note.text):
            said = Candidate(
                behaviour.name,
                "no",
                *match.span(),
                "said no training",
                _SURE,
                amount=0.0,
                unit=behaviour.unit,
            )
            clause = note.clause_at(match.start())
            drafts = [said]
            if rest:
                if re.search(
                    r"\b(?:no|not a|wasn't a|instead of a)(?: \w+)? $",
                    note.text[clause.start : match.start()],
                ):
                    continue
                drafts.append(
                    replace(
                        said,
                        behaviour=behaviour.options["rest"],
                        kind="yes",
                        amount=None,
                        unit="",
                        rule="named",
                    )
                )
            either = _EITHER.search(note.text, match.end(), note.sentence_of(match.start())[1])
            if either and not rest:
                drafts.append(replace(said, start=either.start(1), end=either.end()))
            weighed = [c for c in (judged(note, d) for d in drafts) if c]
            found += [c for c in weighed if not (rest and c.is_plan and c.behaviour == behaviour.name)]
    return found
