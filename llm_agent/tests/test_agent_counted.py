"""What the models read of tonight's journal is corrected, not counted again."""

from __future__ import annotations

import json

import pytest

from llm_agent.counted import NOTHING_COUNTED, Counted, beyond_counted, counted_by
from llm_agent.levers import LASTING, ONE_NIGHT, Lever
from llm_agent.literature import usual_levers


def lever(behaviour: str, effect_ms: float) -> Lever:
    return Lever("X1", "effect", behaviour, effect_ms, 2.0, effect_ms, behaviour, ("e",), LASTING)


def fact(behaviour: str, kind: str = "yes") -> dict:
    return {"behaviour": behaviour, "kind": kind, "amount": None, "unit": None, "clock_time": None,
            "text": behaviour, "evidence": f"journal:{behaviour}"}  # fmt: skip


def test_half_of_the_difference_to_what_the_models_took_is_moved():
    (one,) = beyond_counted([lever("alcohol", -12.0)], Counted(frozenset({"alcohol"}), -6.0))
    assert (one.taken_ms, one.counted_ms, one.lasts) == (-3.0, -6.0, ONE_NIGHT)
    (less,) = beyond_counted([lever("alcohol", -4.0)], Counted(frozenset({"alcohol"}), -6.0))
    assert less.taken_ms == 1.0


def test_what_the_models_do_not_read_is_moved_whole():
    given = [lever("magnesium", 2.0)]
    assert beyond_counted(given, Counted(frozenset({"alcohol"}), -6.0)) == tuple(given)
    assert beyond_counted(given, NOTHING_COUNTED) == tuple(given)


@pytest.mark.parametrize(
    ("effect", "moved", "taken"), [(-2.0, -10.0, 0.0), (-2.0, 4.0, -1.0), (-8.0, -4.0, -2.0)]
)
def test_a_move_that_belongs_to_another_fact_turns_no_lever(effect, moved, taken):
    """Sickness was counted too and has no own effect: how much of the move is stress is not known."""
    (one,) = beyond_counted([lever("stress", effect)], Counted(frozenset({"stress", "sick"}), moved))
    assert one.taken_ms == taken


def test_the_models_move_is_shared_out_by_size():
    two = beyond_counted(
        [lever("alcohol", -9.0), lever("late_meal", -3.0)], Counted(frozenset({"alcohol", "late_meal"}), -4.0)
    )
    assert [x.counted_ms for x in two] == [-3.0, -1.0] and [x.taken_ms for x in two] == [-3.0, -1.0]


def test_the_row_of_the_mix_says_what_it_counted():
    reasons = json.dumps({"journal_shift_ms": -2.5, "journal_counted": ["sick"]})
    assert counted_by({"reasons": reasons}) == Counted(frozenset({"sick"}), -2.5)
    assert counted_by({"reasons": None}) == NOTHING_COUNTED


def test_one_illness_is_one_lever_and_none_beside_a_counted_one():
    cold = [fact("sore_throat"), fact("cough_or_congestion"), fact("fever")]
    assert [x.behaviour for x in usual_levers(cold, (), 50.0, None)] == ["fever"]
    assert usual_levers(cold, ("sick",), 50.0, None) == ()
    assert [x.behaviour for x in usual_levers(cold, (), 50.0, None, counted=("fever",))] == ["fever"]
    assert usual_levers([fact("sore_throat")], (), 50.0, None, counted=("sick",)) == ()


def test_measured_training_is_left_to_the_models_that_read_it():
    assert usual_levers([fact("hiit")], (), 50.0, None, counted=("hiit",)) == ()
    assert [x.behaviour for x in usual_levers([fact("hiit")], (), 50.0, None)] == ["hiit"]
