"""Training: what was done, how long, how hard; or that there was none."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from journal_analysis.behaviours import Behaviour, data_file
from journal_analysis.clauses import Note
from journal_analysis.clocks import Duration
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = ["read_training"]

_SUM_UP = re.compile(r"\b(?:in total|total|in all|altogether|all in all|overall|all together|all told)\b")
_NOT_TRAINING_TIME = phrase("training", "not_training_time")
_RPE = phrase("training", "rpe")
_DONE = phrase("training", "done")
_USUAL = "usual effort"


@dataclass(frozen=True)
class _Session:
    start: int
    end: int
    kind: str
    effort: float
    generic: bool


def read_training(note: Note, behaviour: Behaviour) -> list[Candidate]:
    """`workout` with its minutes, its kind (`hiit`, `strength_training` …), `rpe`; or `rest_day` and no workout."""
    sessions = [s for s in _sessions(note) if not is_denied(note, s.start, s.end, reach=4)]
    found: list[Candidate] = []
    for key in sorted({_when(note, s) for s in sessions}):
        mine = [s for s in sessions if _when(note, s) == key]
        specific = [s for s in mine if not s.generic]
        if not specific and all(_is_scene(note, s) for s in mine):
            continue
        found += _done(note, behaviour, mine)
    rested = {c.day_shift for c in found if not c.is_plan}
    return found + [
        c
        for c in _rest(note, behaviour)
        if c.day_shift not in rested or c.behaviour != behaviour.name and not rested
    ]


def _sessions(note: Note) -> list[_Session]:
    barred = [m.span() for name in ("not_activity", "no_training") for m in _words(name).finditer(note.text)]
    found: list[_Session] = []
    for index, activity in enumerate(_tables()["activity"]):
        for match in _activity(index).finditer(note.text):
            if any(a < match.end() and match.start() < b for a, b in barred):
                continue
            probe = judged(note, Candidate("workout", "yes", match.start(), match.end(), "", 1.0))
            if probe and not any(s.start < match.end() and match.start() < s.end for s in found):
                found.append(
                    _Session(
                        match.start(),
                        match.end(),
                        activity["kind"],
                        float(activity["effort"]),
                        bool(activity.get("generic")),
                    )
                )
    return sorted(found, key=lambda s: s.start)


def _when(note: Note, session: _Session) -> tuple[int, bool]:
    clause = note.clause_at(session.start)
    return clause.day_shift, clause.plan


def _is_scene(note: Note, session: _Session) -> bool:
    """Whether a bare "training" only sets a scene: no verb says that it was done, no length either."""
    first, last = note.sentence_of(session.start)
    sentence = note.text[first:last]
    return not _DONE.search(sentence) and not any(first <= d.start < last for d in note.durations)


def _done(note: Note, behaviour: Behaviour, sessions: list[_Session]) -> list[Candidate]:
    first, last = sessions[0], sessions[-1]
    minutes, until = _minutes(note, sessions)
    effort, why = _effort(note, sessions)
    start, end = first.start, max(last.end, until)
    if note.sentence_of(start) != note.sentence_of(end - 1):
        words = " … ".join(note.canonical.quote(*_phrase(note, s)) for s in _one_a_sentence(note, sessions))
    else:
        words = note.canonical.quote(min(_phrase(note, first)[0], start), end)
    said = Candidate(
        behaviour.name, "yes", first.start, first.end, "session", 0.85, unit=behaviour.unit, words=words
    )
    if minutes is not None:
        said = replace(said, kind="amount", amount=minutes, rule="session and its minutes")
    sure = 0.55 if why == _USUAL else 0.75
    hard = replace(said, behaviour=behaviour.options["intensity"], kind="scale", amount=effort, unit="0-10")
    drafts = [said, replace(hard, rule=why, confidence=sure)]
    for kind in dict.fromkeys(s.kind for s in sessions if s.kind):
        one = next(s for s in sessions if s.kind == kind)
        drafts.append(Candidate(kind, "yes", one.start, one.end, "kind of session", 0.85))
    return [c for c in (judged(note, d) for d in drafts) if c]


def _one_a_sentence(note: Note, sessions: list[_Session]) -> list[_Session]:
    return list({note.sentence_of(s.start): s for s in reversed(sessions)}.values())[::-1]


def _phrase(note: Note, session: _Session) -> tuple[int, int]:
    """The session's words with the clause around them, for the quote."""
    clause = note.clause_at(session.start)
    lead = re.match(r"[\s,]*(?:and |then |but |so )*", note.text[clause.start : clause.end])
    return clause.start + (lead.end() if lead else 0), max(session.end, clause.end)


def _minutes(note: Note, sessions: list[_Session]) -> tuple[float | None, int]:
    """Total minutes: a said total of the sentence, else the sum of the durations that stand with sessions."""
    amount, end = 0.0, 0
    sentences = list(dict.fromkeys(note.sentence_of(s.start) for s in sessions))
    for first, last in sentences:
        own = [
            d
            for d in note.durations
            if first <= d.start < last and _is_session_time(note, d, sessions, first, last)
        ]
        if not own:
            own = _following(note, last, sentences)
        total = [
            d
            for d in own
            if _SUM_UP.search(note.text[max(first, d.start - 18) : d.start])
            or _SUM_UP.match(note.text[d.end :].lstrip(" ,"))
        ]
        for duration in total[-1:] or own:
            amount += duration.minutes
            end = max(end, duration.end)
    return (amount, end) if amount else (None, 0)


def _is_session_time(note: Note, duration: Duration, sessions: list[_Session], first: int, last: int) -> bool:
    """Whether a duration belongs to a session and not to a nearer sauna, sleep or drive."""

    def gap(start: int, end: int) -> int:
        comma = (
            12
            if re.search(
                r",|\b(?:and|then)\b", note.text[min(end, duration.end) : max(start, duration.start)]
            )
            else 0
        )
        return max(start - duration.end, duration.start - end, 0) + comma

    near = min((gap(s.start, s.end) for s in sessions if first <= s.start < last), default=999)
    rival = min(
        (gap(m.start() + first, m.end() + first) for m in _NOT_TRAINING_TIME.finditer(note.text[first:last])),
        default=999,
    )
    return near <= rival


def _following(note: Note, end: int, sentences: list[tuple[int, int]]) -> list[Duration]:
    """A length in a short sentence right after: "Intervals on the track. Seventy minutes in all."."""
    after = next((note.sentence_of(c.start) for c in note.clauses if c.start >= end), None)
    if (
        after is None
        or after in sentences
        or after[1] - after[0] > 60
        or _NOT_TRAINING_TIME.search(note.text[after[0] : after[1]])
    ):
        return []
    return [d for d in note.durations if after[0] <= d.start < after[1]][:1]


def _effort(note: Note, sessions: list[_Session]) -> tuple[float, str]:
    """Session RPE and why: the number said, else the strongest word, else what the activity usually is."""
    efforts = []
    for first, last in dict.fromkeys(note.sentence_of(s.start) for s in sessions):
        sentence = note.text[first:last]
        said = _RPE.search(sentence)
        if said and float(said.group(1)) <= 10:
            return float(said.group(1)), "effort in a number"
        words = [
            float(e["value"]) for i, e in enumerate(_tables()["effort"]) if _effort_words(i).search(sentence)
        ]
        usual = max(s.effort for s in sessions if first <= s.start < last)
        easy_said = words and max(words) <= 2
        if words:
            efforts.append(
                (max(words) if easy_said else max(*words, usual if usual >= 5 else 0.0), "effort in words")
            )
        else:
            efforts.append((usual, "effort of its kind" if usual != 3.0 else _USUAL))
    said_ones = [e for e in efforts if e[1] != _USUAL]
    return max(said_ones or efforts)


def _rest(note: Note, behaviour: Behaviour) -> list[Candidate]:
    found = []
    for match in _words("no_training").finditer(note.text):
        said = Candidate(behaviour.options["rest"], "yes", *match.span(), "said no training", 0.85)
        none = replace(said, behaviour=behaviour.name, kind="no", amount=0.0, unit=behaviour.unit)
        for draft in (said, none):
            weighed = judged(note, draft)
            if weighed:
                found.append(weighed)
    return found


@cache
def _tables() -> dict[str, Any]:
    with data_file("training.toml").open("rb") as file:
        return tomllib.load(file)


def _compile(words: str) -> re.Pattern[str]:
    return re.compile(r"(?<![a-z-])(?:" + words.replace("\n", "") + r")(?![a-z])")


@cache
def _words(table: str) -> re.Pattern[str]:
    return _compile(_tables()[table]["words"])


@cache
def _activity(index: int) -> re.Pattern[str]:
    return _compile(_tables()["activity"][index]["words"])


@cache
def _effort_words(index: int) -> re.Pattern[str]:
    return _compile(_tables()["effort"][index]["words"])
