"""What is remembered: as of its issue, the same bytes every time, short lines, edited and erased by the wearer."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner

from hrv_shared.ontology import behaviours
from hrv_shared.record import canonical_json
from llm_agent.belief import current_belief, make_belief, update_belief
from llm_agent.belief_edits import add_stressor, erase, forget, keep, set_effect
from llm_agent.cli import app
from llm_agent.errors import BadEdit
from llm_agent.post_mortem import review
from memory_world import make_world

TODAY = date(2026, 5, 10)
WINE = {
    "behaviour": "alcohol", "text": "alcohol, 2 drinks", "label": "adjusted association", "retrospective": False,
    "effect_ms": -6.3, "low80_ms": -9.0, "high80_ms": -3.0, "n_yes": 17, "p_negative": 0.99, "evidence": "E9",
}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path, TODAY)


def state(world, origin=TODAY, book="live", **summary):
    issue = world.issue(origin, book)
    world.summary(issue, **summary)
    if book == "live":
        world.now[0] = issue.as_of
    return update_belief(world.store, issue)


def names(belief):
    return [s["name"] for s in belief.payload["stressors"]]


def history_of(world, nights, levers, came_true, book="live"):
    """``nights`` reviewed forecasts up to today; of each shift a share came true."""
    world.nights = {
        day: night for day, night in world.nights.items() if day <= TODAY - timedelta(days=nights)
    }
    for k in range(nights, 0, -1):
        origin = TODAY - timedelta(days=k)
        world.agent_says(origin, 60.0, levers, book)
        world.night(origin + timedelta(days=1), 60.0 + came_true * sum(levers.values()) + (k % 3 - 1))
        world.at(origin + timedelta(days=1), 8)
        world.write()
        review(world.store, "me")


def test_the_same_record_gives_the_same_bytes_and_one_fact(world):
    world.told("sick", TODAY, at=world.at(TODAY, 9))
    world.write()
    first, again = state(world), state(world)
    assert canonical_json(first.payload) == canonical_json(again.payload)
    assert len(list(world.store.record.facts("belief_state", "me"))) == 1
    held = current_belief(world.store, "me", "live", first.as_of)
    assert canonical_json(held.payload) == canonical_json(first.payload)
    assert current_belief(world.store, "me", "replay", first.as_of) is None
    assert current_belief(world.store, "me", "live", first.as_of - timedelta(seconds=1)) is None


def test_nothing_that_was_learned_later_is_in_a_state(world):
    """Facts, nights, reviews and stressors of later days change no byte of an older state."""
    history_of(world, 8, {"alcohol": -8.0}, 0.4)
    issue = world.issue(TODAY)
    summary = world.summary(issue, tonight_facts=[{"behaviour": "alcohol"}])
    world.now[0] = issue.as_of
    before = make_belief(world.store, issue, summary)
    assert before.payload["own_errors"]["n"] == 8
    world.agent_says(TODAY, 60.0, {"alcohol": -8.0})
    world.at(TODAY + timedelta(days=1), 9)
    world.night(TODAY + timedelta(days=1), 5.0)
    world.told("sick", TODAY, at=world.now[0])
    world.write()
    review(world.store, "me")
    add_stressor(world.store, "me", "new job", TODAY + timedelta(days=30))
    after = make_belief(world.store, issue, summary)
    assert canonical_json(after.payload) == canonical_json(before.payload)


def test_a_replay_remembers_what_could_be_remembered_then(world):
    days = [TODAY - timedelta(days=k) for k in range(12, 0, -1)]
    whole = []
    for origin in days:  # as a replay does: remember, then say
        whole.append(state(world, origin, "replay"))
        world.agent_says(origin, 60.0, {"alcohol": -8.0}, "replay")
    assert [b.payload["own_errors"]["n"] for b in whole] == list(range(12))
    again = [state(world, origin, "replay") for origin in reversed(days)]
    assert [b.digest() for b in reversed(again)] == [b.digest() for b in whole]
    assert len(list(world.store.record.facts("belief_state", "me"))) == 12
    held = [current_belief(world.store, "me", "replay", b.as_of).digest() for b in whole]
    assert held == [b.digest() for b in whole]


def test_a_stressor_lives_as_long_as_its_kind_and_ends_when_it_is_said_to_be_over(world):
    world.told("sick", TODAY - timedelta(days=4), at=world.at(TODAY - timedelta(days=4), 9))
    world.told("sick", TODAY - timedelta(days=2), at=world.at(TODAY - timedelta(days=2), 9))
    world.told("injury", TODAY - timedelta(days=6), at=world.at(TODAY - timedelta(days=6), 9))
    world.told("alcohol", TODAY, at=world.at(TODAY, 9), amount=3.0)
    world.write()
    now = state(world)
    assert names(now) == ["injury", "sick"]
    sick = now.payload["stressors"][1]
    assert (sick["since_day"], sick["until_day"], sick["direction"]) == ("2026-05-06", "2026-05-11", "down")
    assert names(state(world, TODAY + timedelta(days=1))) == []
    world.told("sick", TODAY - timedelta(days=1), at=world.at(TODAY, 10), kind="no")
    world.write()
    assert names(state(world)) == ["injury"]


def test_strain_of_the_mind_goes_on_when_it_is_told_again_and_again(world):
    for k in (5, 3):
        world.told(
            "stress", TODAY - timedelta(days=k), at=world.at(TODAY - timedelta(days=k), 20), amount=7.0
        )
    world.write()
    assert names(state(world)) == []
    world.told("stress", TODAY - timedelta(days=1), at=world.at(TODAY - timedelta(days=1), 20), amount=8.0)
    world.write()
    assert names(state(world)) == ["stress"]


def test_a_scale_that_is_told_every_day_is_a_stressor_only_above_ones_usual(world):
    for k in range(12):
        world.told(
            "stress",
            TODAY - timedelta(days=k),
            at=world.at(TODAY - timedelta(days=k), 20),
            amount=6.0 + k % 2,
        )
    world.write()
    assert names(state(world)) == []
    for k in range(3):
        world.told(
            "stress", TODAY - timedelta(days=k), at=world.at(TODAY - timedelta(days=k), 20), amount=9.0
        )
    world.write()
    assert names(state(world)) == ["stress"]


def test_plans_and_private_matters_are_not_remembered(world):
    private = [name for name, b in behaviours().items() if b.private]
    for name in private:
        for k in range(3):
            world.told(name, TODAY - timedelta(days=k), at=world.at(TODAY - timedelta(days=k), 9))
    world.told("air_travel", TODAY, at=world.at(TODAY, 9), is_plan=True)
    world.write()
    text = canonical_json(state(world, effects=[WINE | {"behaviour": private[0]}]).payload)
    assert names(state(world)) == [] and not any(f'"{name}"' in text for name in private)


def test_an_alert_is_remembered_unless_the_wearer_told_of_it(world):
    alert = {
        "name": "illness",
        "since_day": "2026-05-09",
        "probability": 0.7,
        "horizon_nights": 3,
        "evidence": "A1",
    }
    assert names(state(world, alerts=[alert])) == ["illness"]
    world.told("sick", TODAY, at=world.at(TODAY, 9))
    world.write()
    assert names(state(world, alerts=[alert])) == ["sick"]


def test_own_errors_say_how_much_of_the_shifts_came(world):
    history_of(world, 12, {"alcohol": -10.0}, 0.4)
    own = state(world, tonight_facts=[{"behaviour": "alcohol"}]).payload["own_errors"]
    assert own["n"] == 12 and own["moved"]["n"] == 12
    assert own["moved"]["came_true"] == pytest.approx(0.4, abs=0.05)
    assert own["moved"]["came_true_se"] == pytest.approx(60 * 0.14 / 10 / 12**0.5, abs=0.02)
    assert own["levers"] == [{"behaviour": "alcohol", "n": 12, "taken_ms": -10.0, **{
        key: own["moved"][key] for key in ("came_true", "came_true_se")}}]  # fmt: skip


def test_the_lines_are_few_and_short_and_what_matters_tonight_comes_first(world):
    history_of(world, 12, {"alcohol": -10.0}, 0.2)
    for k, name in enumerate(("sick", "injury", "grief_or_loss", "jet_lag")):
        world.told(name, TODAY, at=world.at(TODAY, 9 + k))
    world.write()
    world.now[0] = world.issue(TODAY).as_of
    add_stressor(
        world.store, "me", "a very new and rather demanding job in another town", TODAY + timedelta(days=9)
    )
    set_effect(world.store, "me", "alcohol", -8)
    band = {"position": "below", "low_ms": 55.0, "high_ms": 65.0, "evidence": "E2"}
    belief = state(world, tonight_facts=[{"behaviour": "alcohol"}], trends={"band": band, "level_shifts": []})
    lines = belief.lines()
    assert [i for i, _ in lines] == [f"B{k + 1}" for k in range(len(lines))] and 4 <= len(lines) <= 6
    assert sum(len(text) for _, text in lines) <= 400 and not any("\n" in text for _, text in lines)
    assert "may last until" in lines[0][1] and "may last until" in lines[1][1]
    assert lines[2][1] == "the wearer says that alcohol does -8 ms"
    assert lines[3][1].startswith("own record, alcohol: ") and "12 nights" in lines[3][1]
    plain = state(world, TODAY).lines()
    assert not any("alcohol" in text for _, text in plain)


def test_nothing_to_say_gives_no_line(world):
    assert state(world).lines() == []


def test_a_recent_miss_is_told_with_its_cause(world):
    world.nights.pop(TODAY)
    world.agent_says(TODAY - timedelta(days=1), 60.0, {})
    world.told("late_meal", TODAY - timedelta(days=1), at=world.at(TODAY, 7))
    world.at(TODAY, 8)
    world.night(TODAY, 35.0)
    world.write()
    review(world.store, "me")
    assert state(world).lines() == [("B1", "missed 10 May: said 60, came 35 ms; told later: late meal")]
    assert state(world, TODAY + timedelta(days=9)).lines() == []


# the wearer's hand


def test_a_stressor_of_ones_own_lives_until_its_day(world):
    world.at(TODAY, 20)
    add_stressor(world.store, "me", 'new "job" # at | {x}', TODAY + timedelta(days=2))
    belief = state(world)
    assert names(belief) == ["new_job_at_x"]
    assert belief.lines() == [("B1", 'the wearer notes: "new job at x", until 12 May')]
    assert names(state(world, TODAY + timedelta(days=1))) == ["new_job_at_x"]
    assert names(state(world, TODAY + timedelta(days=2))) == []
    keep(world.store, "me", "new_job_at_x", TODAY + timedelta(days=20))
    assert names(state(world, TODAY + timedelta(days=3))) == []  # it was over when it was to be kept


def test_the_last_day_of_what_goes_on_can_be_set(world):
    world.told("sick", TODAY, at=world.at(TODAY, 9))
    world.write()
    world.at(TODAY, 19)
    keep(world.store, "me", "sick", TODAY)
    assert names(state(world)) == []
    world.at(TODAY, 20)
    keep(world.store, "me", "sick", TODAY + timedelta(days=8))
    assert state(world).payload["stressors"][0]["until_day"] == "2026-05-18"


def test_what_was_forgotten_is_gone_from_every_later_run_and_replay(world):
    """And comes back only when it is told anew."""
    world.told("sick", TODAY - timedelta(days=1), at=world.at(TODAY - timedelta(days=1), 9))
    world.told("alcohol", TODAY - timedelta(days=1), at=world.at(TODAY - timedelta(days=1), 9), amount=2.0)
    world.write()
    history_of(world, 5, {"alcohol": -30.0}, 0.0)
    old = state(world, TODAY - timedelta(days=1), effects=[WINE])
    assert names(old) == ["sick"] and old.payload["own_errors"]["levers"] and old.payload["effects"]
    world.at(TODAY, 20)
    for name in ("sick", "alcohol"):
        forget(world.store, "me", name)
        world.now[0] += timedelta(seconds=1)
    for belief in (
        state(world, effects=[WINE]),
        current_belief(world.store, "me", "live", old.as_of),
        update_belief(world.store, world.issue(TODAY - timedelta(days=1))),
    ):
        told = belief.payload
        assert names(belief) == [] and told["effects"] == [] and told["own_errors"]["levers"] == []
        assert not any("alcohol" in miss["names"] for miss in told["own_errors"]["recent"])
    world.told("sick", TODAY, at=world.at(TODAY, 22))
    world.write()
    assert names(state(world, TODAY + timedelta(days=1))) == ["sick"]


def test_erasing_leaves_nothing_that_a_later_run_uses(world):
    world.told("sick", TODAY, at=world.at(TODAY, 9))
    world.told("alcohol", TODAY, at=world.at(TODAY, 9), amount=2.0)
    world.write()
    history_of(world, 6, {"alcohol": -10.0}, 0.0)
    world.at(TODAY, 20)
    add_stressor(world.store, "me", "new job", TODAY + timedelta(days=30))
    old = state(world, effects=[WINE])
    assert len(names(old)) == 2 and old.payload["own_errors"]["n"] == 6 and old.payload["effects"]
    world.now[0] += timedelta(minutes=1)
    erase(world.store, "me")
    assert current_belief(world.store, "me", "live", old.as_of) is None
    world.now[0] += timedelta(minutes=1)
    again = update_belief(world.store, world.issue(TODAY))
    later = state(world, TODAY + timedelta(days=1), effects=[WINE])
    for belief in (again, later):
        told = belief.payload
        assert (told["stressors"], told["effects"], told["own_errors"]["n"], belief.lines()) == (
            [],
            [],
            0,
            [],
        )


@pytest.mark.parametrize(
    ("edit", "says"),
    [(lambda s: add_stressor(s, "me", "", TODAY), "few words"),
     (lambda s: add_stressor(s, "me", "x" * 90, TODAY), "at most 60"),
     (lambda s: add_stressor(s, "me", "job", TODAY - timedelta(days=1)), "from today"),
     (lambda s: add_stressor(s, "me", "job", TODAY + timedelta(days=500)), "a year ahead"),
     (lambda s: add_stressor(s, "me", "job", TODAY, "sideways"), "down, up or unknown"),
     (lambda s: set_effect(s, "me", "alcohol", 400), "at most 40"),
     (lambda s: set_effect(s, "me", "alcohol", float("nan")), "at most 40"),
     (lambda s: forget(s, "me", "!!!"), "letters")],
)  # fmt: skip
def test_edits_that_make_no_sense_are_refused(world, edit, says):
    with pytest.raises(BadEdit, match=says):
        edit(world.store)
    assert not list(world.store.record.facts("belief_edit", "me"))


# the commands


@pytest.fixture
def run(world, monkeypatch):
    monkeypatch.setenv("HRV_HOME", str(world.store.home))
    return lambda *arguments: CliRunner().invoke(app, ["belief", *arguments])


def test_the_commands_show_edit_erase_and_tell_the_history(world, run):
    assert "Nothing is remembered" in run("show").stdout
    world.told("sick", TODAY, at=world.at(TODAY, 9))
    world.write()
    state(world)
    state(world, TODAY + timedelta(days=1))
    shown = json.loads(run("show", "--as-of", "2026-05-10T22:00:00", "--json").stdout)
    assert shown["belief"]["stressors"][0]["name"] == "sick" and shown["lines"][0]["id"] == "B1"
    assert "Goes on: sick" in run("show").stdout
    words = run("history").stdout
    assert words.splitlines()[0].endswith("the first state") and words.splitlines()[1].endswith("as before")
    told = run("edit", "--forget", "sick", "--json")
    assert json.loads(told.stdout)["edit"] == {"op": "forget", "name": "sick"}
    assert "sick" not in run("show").stdout
    assert isinstance(run("erase").exception, BadEdit)
    gone = run("erase", "--yes")
    assert "stay in record.sqlite" in gone.stdout and "Nothing is remembered" in run("show").stdout
    assert json.loads(run("history", "--json").stdout) == {"states": []}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [((), "one of --stressor"), (("--forget", "a", "--effect", "b=1"), "one of"), (("--stressor", "job"), "--until"),
     (("--effect", "alcohol"), "alcohol=-8"), (("--effect", "alcohol=lots"), "alcohol=-8")],
)  # fmt: skip
def test_an_edit_says_what_it_expects(run, arguments, says):
    done = run("edit", *arguments)
    assert isinstance(done.exception, BadEdit) and says in str(done.exception)
