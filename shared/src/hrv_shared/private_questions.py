"""Which questions of the WHOOP journal are private: kept out of the facts, and out of the record if the wearer says so.

Intimate behaviours of the ontology are private unless let in: their answers stay in the record as received and become
no fact. What the wearer leaves out is not even recorded by later imports. The choice is kept with the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from hrv_shared.journal_questions import behaviour_of_question, fold_question
from hrv_shared.ontology import behaviours
from hrv_shared.record import Record

__all__ = ["PrivateQuestions", "choose_private", "private_questions"]


@dataclass(frozen=True)
class PrivateQuestions:
    """A wearer's choice: names of behaviours, and whole questions, folded."""

    left_out: frozenset[str] = frozenset()
    let_in: frozenset[str] = frozenset()

    def is_private(self, question: str) -> bool:
        """Whether answers to it must become no fact and its text must not be shown."""
        names = _names(question)
        if names & self.left_out:
            return True
        known = behaviours().get(behaviour_of_question(question) or "")
        return known is not None and known.private and not names & self.let_in

    def is_left_out(self, question: str) -> bool:
        """Whether answers to it must not be recorded."""
        return bool(_names(question) & self.left_out)


def private_questions(record: Record, member_id: str) -> PrivateQuestions:
    """The choice in force."""
    told = json.loads(record.get_cursor(_cursor(member_id)) or "{}")
    return PrivateQuestions(*(frozenset(told.get(name, ())) for name in ("left_out", "let_in")))


def choose_private(
    record: Record, member_id: str, leave_out: Iterable[str] = (), let_in: Iterable[str] = ()
) -> PrivateQuestions:
    """Change the choice and keep it; each name is a behaviour's or a whole question. The last word stands."""
    before = private_questions(record, member_id)
    out, back = (frozenset(_name(text) for text in texts) for texts in (leave_out, let_in))
    chosen = PrivateQuestions((before.left_out - back) | out, (before.let_in - out) | back)
    if chosen != before:
        told = {"left_out": sorted(chosen.left_out), "let_in": sorted(chosen.let_in)}
        record.set_cursor(_cursor(member_id), json.dumps(told))
    return chosen


def _name(text: str) -> str:
    return text if text in behaviours() else fold_question(text)


def _names(question: str) -> set[str]:
    behaviour = behaviour_of_question(question)
    return {fold_question(question)} | ({behaviour} if behaviour else set())


def _cursor(member_id: str) -> str:
    return f"private-questions:{member_id}"
