"""How hard training was: the number said, else the words, else what intervals or a race tell by themselves."""

from __future__ import annotations

import re

from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.sessions import Session, effort_words, training_words

__all__ = ["OF_ITS_KIND", "read_effort"]

OF_ITS_KIND = "effort of its kind"

_RPE = phrase("training", "rpe")
_OTHER_TOPIC = phrase("training", "other_topic")
_OTHER_SUBJECT = phrase("training", "other_subject")
_GOES_ON = phrase("training", "goes_on")
_RPE_ALONE = re.compile(r"\brpe(?: was| of| about| maybe|:)? ?(\d+(?:\.\d)?)\b")
_NOT_HARD = re.compile(
    r"\b(?:not|nothing|wasn't|isn't|weren't|didn't (?:feel|go)|never|far from)(?: even)?"
    r"( too| that| very| super| so| overly"
    r"| particularly| crazy| all that| especially)? "
    r"(?:hard|intense|tough|heavy|brutal|demanding|challenging|strenuous)\b"
)
_SHORT = 80
"""Characters of a sentence after a session's that may still speak of it."""


def read_effort(note: Note, sessions: list[Session]) -> tuple[float, str, float] | None:
    """(Session RPE, why, how sure), or None where nothing tells it; of several sessions the hardest."""
    found: list[tuple[float, str, float]] = []
    for sentence in dict.fromkeys(note.sentence_of(s.start) for s in sessions):
        mine = [s for s in sessions if note.sentence_of(s.start) == sentence]
        found += _of_sentence(note, mine, sentence)
    if not any(why == "effort in a number" for _, why, _ in found):
        anywhere = _RPE_ALONE.search(note.text)
        if anywhere and float(anywhere.group(1)) <= 10 and _told_alone(note, anywhere.start(), sessions):
            return float(anywhere.group(1)), "effort in a number", 0.8
    return max(found, default=None)


def _told_alone(note: Note, position: int, sessions: list[Session]) -> bool:
    """Whether an RPE told in a sentence of its own is of the sessions' day and the wearer's."""
    clause, first = note.clause_at(position), note.clause_at(sessions[0].start)
    return (
        not clause.others
        and not clause.unreal
        and (clause.day_shift, clause.plan) == (first.day_shift, first.plan)
    )


def _of_sentence(
    note: Note, sessions: list[Session], sentence: tuple[int, int]
) -> list[tuple[float, str, float]]:
    spoken = _about_training(note, sessions, sentence)
    spoken = _NOT_HARD.sub(lambda m: "moderate" if m.group(1) else "easy", spoken)
    said = _RPE.search(spoken)
    if said and float(said.group(1)) <= 10:
        number = float(said.group(1))
        if said.group(2):
            number = (number + float(said.group(2))) / 2
        if said.group(3) == "5":
            number *= 2
        return [(number, "effort in a number", 0.9)]
    words = [value for pattern, value in effort_words() if pattern.search(spoken)]
    told = [s.effort for s in sessions if s.effort_is_said]
    if words and not (told and len(sessions) > 1):
        top = max(words)
        if told and top > 2:
            top = max(top, *told)
        return [(top, "effort in words", 0.8 if len(set(words)) < 3 else 0.65)]
    if told or words:
        return [(max([*told, *words]), OF_ITS_KIND, 0.65)]
    return []


def _about_training(note: Note, sessions: list[Session], sentence: tuple[int, int]) -> str:
    """The sentence without the clauses that speak of other things, and a short one after it that goes on."""
    first, last = sentence
    pieces = []
    key = {(note.clause_at(s.start).day_shift, note.clause_at(s.start).plan) for s in sessions}
    about = True
    for clause in note.clauses:
        if clause.start < first or clause.start >= last:
            continue
        piece = note.text[clause.start : clause.end]
        holds = any(
            clause.start <= s.start < clause.end or clause.start < s.end <= clause.end for s in sessions
        )
        if holds:
            about = True
        elif (
            _OTHER_SUBJECT.search(piece)
            or _OTHER_TOPIC.search(piece)
            or clause.others
            or (clause.day_shift, clause.plan) not in key
        ):
            about = False
        if about and not clause.unreal:
            pieces.append(piece)
    after = note.clause_at(last) if last < len(note.text) else None
    if after and after.sentence_start >= last:
        following = note.text[after.sentence_start : after.sentence_end]
        if (
            len(following) < _SHORT
            and (_GOES_ON.match(following) or effort_words()[0][0].search(following))
            and not _OTHER_TOPIC.search(following)
            and not training_words("not_activity").search(following)
        ):
            pieces.append(following)
    return " ".join(pieces)
