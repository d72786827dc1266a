"""Training sessions in a note: which words name one, which belong together, and how long each was."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from journal_analysis.behaviours import data_file
from journal_analysis.clauses import Note
from journal_analysis.clocks import Duration
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied, judged

__all__ = [
    "Session",
    "effort_words",
    "find_sessions",
    "is_intervals",
    "is_total",
    "training_words",
    "usual_effort",
]

_NOT_TRAINING_TIME = phrase("training", "not_training_time")
_CORRECTED = phrase("training", "corrected")
_BARE_MINUTES = phrase("training", "bare_minutes")
_PART_OF = phrase("training", "part_of")
_NO_LENGTH = re.compile(r"\s(?:ago|late|later|early|earlier|to go|delay\w*)\b")
_TOTAL_BEFORE = phrase("training", "total_before")
_TOTAL_AFTER = phrase("training", "total_after")
_BACK = 40
_COUNTS_NOT = re.compile(
    r"\b(?:that's|it's|isn't|not|doesn't) (?:not |really |count as |exactly |what i call )+(?:a |proper |real )*$"
)
"""What is called no training is a word about something else: "a walk, that's not training"."""
_THERE_AND_BACK = 2
_MOST = 120
"""Mentions that are read; no entry of a day has more."""
_PIECES = re.compile(
    r"interval|threshold|tempo|effort|vo2|hiit|hard|rest|sweet|above|ftp|zone [3-5]|fast|reps?\b"
)
"""What makes "2 x 20 minutes" the pieces of a session and not the way there and back."""
_APART = re.compile(r",|\.|\band\b|\bthen\b|\+|\bplus\b|\bafter\b|;|\bfollowed by\b")
_BARRIER = 14
"""Characters that a comma or "and" between a length and a session counts for."""


@dataclass(frozen=True)
class Session:
    """One session at canonical [start, end): what it is, and its minutes (None where not said)."""

    start: int
    end: int
    kinds: frozenset[str]
    effort: float
    effort_is_said: bool
    sport: str
    joins: str
    confidence: float = 1.0
    lengths: tuple[Duration, ...] = field(default=())

    @property
    def minutes(self) -> float | None:
        """The said length."""
        return sum(d.minutes for d in self.lengths) or None


def find_sessions(note: Note) -> tuple[list[Session], list[Session]]:
    """Every session of the wearer, in order, and those denied ("skipped bouldering").

    What only describes a session beside it is taken into that one.
    """
    everything = _named(note)
    denied = [s for s in everything if is_denied(note, s.start, s.end, reach=4)]
    named = [s for s in everything if s not in denied]
    found: list[Session] = []
    for sentence in dict.fromkeys(note.sentence_of(s.start) for s in named):
        mine = [s for s in named if note.sentence_of(s.start) == sentence]
        for same_time in _by_time(note, mine):
            found += _joined(note, _with_lengths(note, same_time, sentence))
    return sorted(found, key=lambda s: s.start), [
        s
        for s in denied
        if s.joins not in ("weak", "modifier")
        and not _COUNTS_NOT.search(note.text[max(0, s.start - _BACK) : s.start])
    ]


def usual_effort(words: str) -> float | None:
    """What the activity named in a quote usually is on the 0-10 scale, or None where none is named."""
    efforts = [
        (float(activity["effort"]), activity.get("joins") not in ("generic", "weak"))
        for index, activity in enumerate(_tables()["activity"])
        if _activity(index).search(words.lower())
    ]
    plain = [effort for effort, specific in efforts if specific]
    return max(plain or [effort for effort, _ in efforts], default=None)


def training_words(table: str) -> re.Pattern[str]:
    """The words of one table of ``training.toml``."""
    return _compile(_tables()[table]["words"])


@cache
def effort_words() -> list[tuple[re.Pattern[str], float]]:
    """The words for each effort, with its value."""
    return [(_compile(e["words"]), float(e["value"])) for e in _tables()["effort"]]


def is_total(note: Note, duration: Duration) -> bool:
    """Whether a length is said to be that of everything together."""
    before = note.text[max(0, duration.start - _BACK) : duration.start]
    return bool(_TOTAL_BEFORE.search(before) or _TOTAL_AFTER.match(note.text, duration.end))


def is_intervals(note: Note, start: int, end: int) -> bool:
    """Whether a piece of text names intervals."""
    return _activity(0).search(note.text, start, end) is not None


def _named(note: Note) -> list[Session]:
    barred = [
        m.span()
        for name in ("not_activity", "no_training", "rest_day")
        for m in training_words(name).finditer(note.text)
    ]
    found: list[Session] = []
    for index, activity in enumerate(_tables()["activity"]):
        for match in _activity(index).finditer(note.text):
            if any(a < match.end() and match.start() < b for a, b in barred):
                continue
            if any(s.start < match.end() and match.start() < s.end for s in found):
                continue
            probe = judged(note, Candidate("workout", "yes", match.start(), match.end(), "", 1.0))
            if probe:
                found.append(
                    Session(
                        match.start(),
                        match.end(),
                        frozenset([activity["kind"]] if activity["kind"] else []),
                        float(activity["effort"]),
                        bool(activity.get("said")),
                        activity.get("sport", ""),
                        activity.get("joins", ""),
                        probe.confidence,
                    )
                )
    return sorted(found, key=lambda s: s.start)[:_MOST]


def _by_time(note: Note, sessions: list[Session]) -> list[list[Session]]:
    """Sessions of one sentence, parted by the day and by plan or deed."""
    groups: dict[tuple[int, bool], list[Session]] = {}
    for session in sessions:
        clause = note.clause_at(session.start)
        groups.setdefault((clause.day_shift, clause.plan), []).append(session)
    return list(groups.values())


def _with_lengths(note: Note, sessions: list[Session], sentence: tuple[int, int]) -> list[Session]:
    """Give each length of the sentence to the session nearest to it, unless something else is nearer."""
    first, last = sentence
    clause = note.clause_at(sessions[0].start)
    given: dict[int, list[Duration]] = {}
    for duration in _lengths(note, sentence):
        there = note.clause_at(duration.start)
        if (there.day_shift, there.plan) != (clause.day_shift, clause.plan) or there.others or there.unreal:
            continue
        nearest = min(
            range(len(sessions)), key=lambda i: _gap(note, duration, sessions[i].start, sessions[i].end)
        )
        near = _gap(note, duration, sessions[nearest].start, sessions[nearest].end)
        rival = min(
            (
                _gap(note, duration, first + m.start(), first + m.end())
                for m in _NOT_TRAINING_TIME.finditer(note.text[first:last])
                if not any(s.start <= first + m.start() < s.end for s in sessions)
            ),
            default=999,
        )
        if near <= rival:
            given.setdefault(nearest, []).append(duration)
    return [replace(s, lengths=tuple(given.get(i, ()))) for i, s in enumerate(sessions)]


def _lengths(note: Note, sentence: tuple[int, int]) -> list[Duration]:
    """The lengths of a sentence: no sets, no part of a longer one, and of a corrected one only the last."""
    first, last = sentence
    kept: list[Duration] = []
    for duration in note.durations:
        if not first <= duration.start < last:
            continue
        if duration.sets > 1 and (duration.sets > _THERE_AND_BACK or _PIECES.search(note.text, first, last)):
            continue
        if (
            _NO_LENGTH.match(note.text, duration.end)
            or is_total(note, duration)
            or _PART_OF.search(note.text[max(first, duration.start - _BACK) : duration.start])
        ):
            continue
        if kept and _CORRECTED.search(note.text[kept[-1].end : duration.start]):
            kept.pop()
        kept.append(duration)
    for match in _BARE_MINUTES.finditer(note.text, first, last):
        if not any(d.start <= match.start() < d.end or match.start() <= d.start < match.end() for d in kept):
            kept.append(Duration(*match.span(match.lastindex or 0), float(match[match.lastindex or 0])))
    return sorted(kept, key=lambda d: d.start)


def _gap(note: Note, duration: Duration, start: int, end: int) -> int:
    if start < duration.end and duration.start < end:
        return 0
    between = note.text[min(end, duration.end) : max(start, duration.start)]
    return max(start - duration.end, duration.start - end, 0) + _BARRIER * len(_APART.findall(between))


def _joined(note: Note, sessions: list[Session]) -> list[Session]:
    """Take generic words and descriptions into the session beside them, and mentions of one sport together."""
    whole = [s for s in sessions if not s.joins]
    for joins in ("modifier", "generic", "weak"):
        for session in (s for s in sessions if s.joins == joins):
            near = sorted(whole, key=lambda s: _gap_between(note, s, session))
            partner = next((s for s in near if _takes(s, session)), None)
            if partner is None:
                whole.append(session)
            else:
                whole[whole.index(partner)] = _merged(partner, session)
    kept: list[Session] = []
    for session in sorted(whole, key=lambda s: s.start):
        same = next((k for k in kept if k.sport and k.sport == session.sport and _takes(k, session)), None)
        if same is None:
            kept.append(session)
        else:
            kept[kept.index(same)] = _merged(same, session)
    return [s for s in kept if s.joins != "weak" or s.lengths]


def _gap_between(note: Note, one: Session, other: Session) -> int:
    first, second = sorted((one, other), key=lambda s: s.start)
    apart = len(_APART.findall(note.text[first.end : second.start]))
    return max(second.start - first.end, 0) + _BARRIER * apart


def _takes(one: Session, other: Session) -> bool:
    """Whether two mentions can be of one session: not where each has its own length."""
    return not (one.lengths and other.lengths)


def _merged(one: Session, other: Session) -> Session:
    main, side = (
        (other, one) if one.joins in ("generic", "weak") and other.joins not in ("weak",) else (one, other)
    )
    plain = side.joins not in ("generic", "weak")
    return replace(
        main,
        start=min(one.start, other.start),
        end=max(one.end, other.end),
        kinds=one.kinds | other.kinds,
        effort=max(one.effort, other.effort) if plain else main.effort,
        effort_is_said=one.effort_is_said or other.effort_is_said,
        joins="" if "" in (one.joins, other.joins) else main.joins,
        sport=main.sport or side.sport,
        lengths=tuple(dict.fromkeys(sorted((*one.lengths, *other.lengths), key=lambda d: d.start))),
        confidence=min(one.confidence, other.confidence),
    )


@cache
def _tables() -> dict[str, Any]:
    with data_file("training.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _compile(words: str) -> re.Pattern[str]:
    return re.compile(r"(?<![a-z-])(?:" + words.replace("\n", "") + r")(?![a-z])")


@cache
def _activity(index: int) -> re.Pattern[str]:
    return _compile(_tables()["activity"][index]["words"])
