"""The morning after: right, wrong or cannot tell; causes that were learned too late; written once; known no earlier."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from typer.testing import CliRunner

from llm_agent.cli import app
from llm_agent.post_mortem import judged_lever, review
from memory_world import make_world

TODAY = date(2026, 5, 10)
MORNING = TODAY + timedelta(days=1)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path, TODAY)


def reviewed(world, came_ms, **night):
    world.at(MORNING, 8)
    world.night(MORNING, came_ms, **night)
    world.write()
    return review(world.store, "me")


@pytest.mark.parametrize(
    ("taken", "residual", "verdict"),
    [(-12, -12, "right"), (-12, 0, "wrong"), (-12, 20, "wrong sign"), (-6, -22, "understated"), (-3, -3, "cannot tell"),
     (-6, -4, "cannot tell"), (12, 12, "right"), (0, -12, "cannot tell")],
)  # fmt: skip
def test_a_reason_is_judged_only_where_one_night_can_tell(taken, residual, verdict):
    lever = {"id": "X1", "text": "wine", "behaviour": "alcohol", "taken_ms": taken}
    assert judged_lever(lever, residual, taken, noise_ms=8.0)["verdict"] == verdict


def test_each_reason_is_judged_on_what_the_others_leave():
    one, other = ({"id": i, "text": i, "taken_ms": ms} for i, ms in (("X1", -12.0), ("X2", -10.0)))
    told = [judged_lever(lever, -12.0, -22.0, noise_ms=6.0) for lever in (one, other)]
    assert [t["left_ms"] for t in told] == [-2.0, 0.0]
    assert [t["verdict"] for t in told] == ["wrong", "wrong"]


def test_what_was_said_what_came_and_what_it_cost(world):
    world.agent_says(TODAY, 60.0, {"alcohol": -10.0})
    (told,) = reviewed(world, 50.0)["written"]
    assert told["said"]["median_ms"] == 50.0 and told["residual_ms"] == -10.0 and told["came_ms"] == 50.0
    assert told["pit"] == pytest.approx(0.5, abs=0.01) and told["effect_of_the_move"] == "helped"
    assert told["crps_ms"]["agent"] < told["crps_ms"]["mix"] == told["crps_ms"]["final"]
    assert told["noise_sd_ms"] == pytest.approx(60 * 0.14, abs=0.2) and not told["missed"]
    assert told["levers"][0]["verdict"] == "cannot tell" and "cannot tell" in told["text"]


def test_a_move_that_did_harm_is_called_so(world):
    world.agent_says(TODAY, 60.0, {"alcohol": -14.0})
    (told,) = reviewed(world, 68.0)["written"]
    assert (told["effect_of_the_move"], told["missed"], told["levers"][0]["verdict"]) == (
        "harmed",
        True,
        "wrong",
    )
    assert told["suspected_causes"] == [] and "Nothing that was learned later explains it." in told["text"]


def test_what_was_learned_too_late_is_suspected_when_it_pulls_that_way(world):
    world.told("alcohol", TODAY, at=world.at(TODAY, 20), amount=1.0, unit="drinks", fact_key="wine")
    world.told(
        "alcohol", TODAY, at=world.at(MORNING, 7), amount=5.0, unit="drinks", fact_key="wine", revision=2
    )
    world.told("late_meal", TODAY, at=world.at(MORNING, 7))
    world.told("magnesium", TODAY, at=world.at(MORNING, 7), amount=300.0)
    world.told("felt_recovered", TODAY, at=world.at(MORNING, 7), amount=1.0)
    world.told("caffeine_last_time", TODAY, at=world.at(TODAY, 19))
    world.agent_says(TODAY, 60.0, {})
    wake = datetime.combine(MORNING, datetime.min.time(), world.now[0].tzinfo) + timedelta(
        hours=6, minutes=30
    )
    (told,) = reviewed(
        world, 38.0, sleep_onset_at=wake - timedelta(hours=5), asleep_min=280.0, resting_hr_bpm=63.0
    )["written"]
    assert {(f["kind"], f["name"]) for f in told["suspected_causes"]} == {
        ("revised_journal", "alcohol"), ("late_journal", "late_meal"), ("late_sleep", "sleep_onset"),
        ("short_sleep", "asleep"), ("sign", "resting_hr_bpm"),
    }  # fmt: skip
    assert {f["name"] for f in told["learned_later"]} - {f["name"] for f in told["suspected_causes"]} == {
        "magnesium"
    }
    assert (
        "told otherwise later: alcohol, 5 drinks" in told["text"]
        and "asleep 3.0 h later than usual" in told["text"]
    )


def test_a_night_inside_the_band_has_no_suspects(world):
    world.told("late_meal", TODAY, at=world.at(MORNING, 7))
    world.agent_says(TODAY, 60.0, {})
    (told,) = reviewed(world, 58.0)["written"]
    assert [f["name"] for f in told["learned_later"]] == ["late_meal"] and told["suspected_causes"] == []


def test_private_matters_are_left_out(world):
    from hrv_shared.ontology import behaviours

    private = next(name for name, b in behaviours().items() if b.private)
    world.told(private, TODAY, at=world.at(MORNING, 7))
    world.agent_says(TODAY, 60.0, {})
    (told,) = reviewed(world, 30.0)["written"]
    assert private not in json.dumps(told)


def test_it_is_written_once_and_again_when_the_night_is_scored_anew(world):
    world.agent_says(TODAY, 60.0, {"alcohol": -6.0})
    assert review(world.store, "me")["waiting"] == 1
    first = reviewed(world, 52.0)
    assert len(first["written"]) == 1
    again = review(world.store, "me")
    assert (len(again["written"]), again["already"]) == (0, 1)
    world.night(MORNING, 55.0, known_at=world.now[0] + timedelta(hours=1))
    world.at(MORNING, 12)
    world.write()
    (anew,) = review(world.store, "me")["written"]
    assert anew["came_ms"] == 55.0
    assert len(list(world.store.record.facts("post_mortem", "me"))) == 2


def test_a_replayed_review_is_known_from_when_its_night_was(world):
    """So a replay of the next day remembers it, and a replay of the day itself does not."""
    origin = TODAY - timedelta(days=20)
    world.agent_says(origin, 60.0, {"alcohol": -6.0}, book="replay")
    assert len(review(world.store, "me")["written"]) == 1
    (fact,) = world.store.record.facts("post_mortem", "me")
    assert fact.basis == "inferred:outcome-known"
    assert fact.known_at.date() == origin + timedelta(days=1) and fact.known_at.hour < 9
    assert not list(world.store.record.facts("post_mortem", "me", as_of=world.issue(origin).as_of))


def test_a_forecast_of_a_night_that_had_begun_is_not_reviewed(world):
    world.agent_says(TODAY, 60.0, {"alcohol": -6.0})
    early = world.issue(TODAY).as_of - timedelta(hours=1)
    done = reviewed(world, 40.0, sleep_onset_at=early)
    assert (done["written"], done["void"]) == ([], 1)


def test_the_command_tells_it_plainly_and_as_json(world, monkeypatch):
    world.agent_says(TODAY, 60.0, {"alcohol": -10.0})
    world.at(MORNING, 8)
    world.night(MORNING, 49.0)
    world.write()
    monkeypatch.setenv("HRV_HOME", str(world.store.home))
    told = CliRunner().invoke(app, ["review", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["written"][0]["came_ms"] == 49.0
    words = CliRunner().invoke(app, ["review"]).stdout
    assert "0 reviewed, 1 were before" in words
