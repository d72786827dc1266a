"""What the simulator tells besides is outside every feature: no model gets a dose out of a told sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from journal_analysis import extract
from model_training.behaviours import BEHAVIOURS
from whoop_api_client.simulator import Happenings, make_member
from whoop_api_client.simulator.told_events import told_kinds

HELD = {name for behaviour in BEHAVIOURS for name in (*behaviour.sources, behaviour.opposite) if name}
NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)


@pytest.mark.parametrize("kind", told_kinds(), ids=lambda kind: kind.name)
def test_no_told_sentence_alone_makes_a_fact_that_a_model_holds(kind):
    for sentence in kind.sentences:
        assert {fact.behaviour for fact in extract(sentence, NOW.date())} & HELD == set(), sentence


def test_nor_does_it_change_the_facts_of_the_note_around_it():
    member = make_member(6, now=NOW, n_nights=150, happenings=Happenings(told_events_share=0.2))
    notes = {note.day: note.text for note in member.notes}
    assert len(member.told) > 40
    held_facts = 0
    for event in member.told:
        without = notes[event.day].replace(event.sentence, "").strip()
        facts = _held(notes[event.day], event.day)
        held_facts += len(facts)
        assert facts == _held(without, event.day), notes[event.day]
    assert held_facts > 100


def _held(text, day) -> list[tuple]:
    found = [(f.behaviour, f.kind, f.amount, f.is_plan) for f in extract(text, day) if f.behaviour in HELD]
    return sorted(found, key=str)
