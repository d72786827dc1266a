"""The champion's life on a real registry and a real ledger: gate, rollback, export, and what a kill leaves."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.forecaster import find_forecasters
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from model_training import lifecycle, training
from model_training.champion_history import Seat, champion_events, champion_seat, record_event
from model_training.errors import NoChampion, SavedModelMismatch, TrainingBusy
from model_training.exported_champion import load_champion
from model_training.tracking import Tracking

RULES = {name: find_forecasters()[name] for name in ("last_night", "last_28", "ewma_8")}
SPREAD_MS = np.linspace(-18.0, 18.0, len(QUANTILE_LEVELS))
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def template(tmp_path_factory, wearer, migrated_mlflow):
    """A store after one training of three rules, its outcomes known; copied for each test."""
    store = Store(tmp_path_factory.mktemp("template") / "home", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days)
    store.write_table("journal_facts", wearer.journal)
    store.ledger.record_outcomes(wearer.days)
    shutil.copy(migrated_mlflow, store.home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "BACKTEST_NIGHTS", 16)
        training.train(store, current_issue(store, "me"), forecasters=RULES)
    store.ledger.close()
    store.record.close()
    return store.home


@pytest.fixture
def trained(tmp_path, template, wearer, monkeypatch):
    monkeypatch.setattr(training, "BACKTEST_NIGHTS", 16)
    shutil.copytree(template, tmp_path / "home")
    store = Store(tmp_path / "home", clock=lambda: wearer.history().as_of)
    yield store
    store.ledger.close()
    store.record.close()


def due(store):
    return current_issue(store, "me")


def roles(store):
    """Champion, challenger and the third, by name."""
    tracking = Tracking(store, "me")
    seats = tracking.seats()
    first, second = (seats[tracking.aliases()[alias]].forecaster for alias in ("champion", "challenger"))
    return first, second, next(name for name in RULES if name not in (first, second))


def speak(store, wearer, errors_ms, *, nights=30, codes=None, seed=0):
    """Replayed evenings of the last nights: each forecaster is off the truth by noise of its own size."""
    rng = np.random.default_rng(seed)
    truth = dict(zip(*wearer.history().scored_nights()[["day", "hrv_rmssd_ms"]], strict=True))
    rows = []
    for issue in past_issues(store, "me", nights=nights, slot="evening", before=due(store)):
        for name, size_ms in errors_ms.items():
            for h in (1, 2, 3):
                target = issue.origin_day + timedelta(days=h)
                off = truth.get(target, 60.0) + rng.normal(0, size_ms)
                code = (codes or {}).get(name, RULES[name].version)
                quantiles = tuple(np.maximum(off + SPREAD_MS, 1.0))
                rows.append(
                    ForecastRow(
                        "me", "evening", issue.as_of, issue.origin_day, target, h, name, code, quantiles, "d"
                    )
                )
    store.ledger.issue("replay", rows)


def in_office(store, name, *, days_ago, event="promotion"):
    """As if ``name`` had come to its place some days ago."""
    issue = replace(due(store), origin_day=due(store).origin_day - timedelta(days=days_ago))
    seat = next(s for s in Tracking(store, "me").seats().values() if s.forecaster == name)
    record_event(store, issue, event, seat, "planted", by="gate")
    return seat


def test_the_first_champion_is_the_best_of_the_backtest_and_is_recorded_and_exported(trained):
    (event,) = champion_events(trained, "me")
    assert event["event"] == "first" and event["by"] == "training" and event["from"] is None
    told = lifecycle.registry(trained, "me")
    assert told["exported"] and told["champion"] == event["to"]
    tags = Tracking(trained, "me").client.get_registered_model("hrv-me").tags
    assert '"event":"first"' in tags["champion_history"]
    manifest = load_champion(trained, "me").manifest
    assert len(manifest["sha256"]) == 64 and manifest["code"] == RULES[manifest["forecaster"]].version
    assert manifest["card"].startswith(f"# {manifest['forecaster']} ")


def test_without_nights_on_the_ledger_nobody_is_promoted(trained):
    before = roles(trained)
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert not result["changed"] and "0 scored nights" in result["why"] and "14 are needed" in result["why"]
    assert roles(trained) == before and len(champion_events(trained, "me")) == 1


def test_a_challenger_that_is_better_beyond_chance_takes_the_place(trained, wearer):
    champion, challenger, _ = roles(trained)
    speak(trained, wearer, {champion: 12.0, challenger: 3.0})
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert result["changed"] and result["evidence"]["nights"] >= 14 and result["evidence"]["p_better"] < 0.1
    assert roles(trained)[:2] == (challenger, champion)
    event = champion_events(trained, "me")[-1]
    assert (event["event"], event["by"], event["to"]["forecaster"]) == ("promotion", "gate", challenger)
    assert load_champion(trained, "me").seat == champion_seat(champion_events(trained, "me"))
    again = lifecycle.promote(trained, due(trained), installed=RULES)
    assert not again["changed"], "the one that was beaten does not come back on the same nights"


def test_equals_are_not_promoted_unless_somebody_says_why(trained, wearer):
    champion, challenger, _ = roles(trained)
    speak(trained, wearer, {champion: 8.0, challenger: 8.0})
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert not result["changed"] and "not better beyond chance" in result["why"]
    forced = lifecycle.promote(trained, due(trained), force=True, reason="I want to see it", installed=RULES)
    event = champion_events(trained, "me")[-1]
    assert forced["changed"] and event["by"] == "person" and "I want to see it" in event["why"]
    assert "not better beyond chance" in event["why"] and event["evidence"]["nights"] >= 14
    assert roles(trained)[:2] == (challenger, champion)


def test_rows_of_other_code_do_not_speak_for_a_registered_version(trained, wearer):
    champion, challenger, _ = roles(trained)
    speak(trained, wearer, {champion: 12.0, challenger: 3.0}, codes={challenger: "0.9.0+aaaaaaaa"})
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert not result["changed"] and "0 scored nights" in result["why"]


def test_thirteen_nights_are_too_few_however_good(trained, wearer):
    champion, challenger, _ = roles(trained)
    speak(trained, wearer, {champion: 40.0, challenger: 1.0}, nights=12)
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert not result["changed"] and result["evidence"]["nights"] < 14


def test_a_champion_that_fell_silent_makes_way(trained, wearer):
    champion, challenger, _ = roles(trained)
    speak(trained, wearer, {challenger: 9.0}, nights=9)
    result = lifecycle.promote(trained, due(trained), installed=RULES)
    assert result["changed"] and "has not spoken" in result["why"] and roles(trained)[0] == challenger


def test_a_champion_that_was_uninstalled_makes_way(trained):
    champion, challenger, _ = roles(trained)
    left = {name: rule for name, rule in RULES.items() if name != champion}
    result = lifecycle.promote(trained, due(trained), installed=left)
    assert result["changed"] and "no longer installed" in result["why"] and roles(trained)[0] == challenger


def test_where_nothing_was_trained_it_is_said_at_once(tmp_path, wearer):
    store = Store(tmp_path / "bare", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days)
    for change in (lifecycle.promote, lifecycle.rollback):
        with pytest.raises(NoChampion, match="model_training train"):
            change(store, due(store), installed=RULES)
    assert not (store.home / "mlflow.db").exists()
    assert lifecycle.registry(store, "me") == {"champion": None, "exported": False, "events": []}


def test_a_forecaster_that_is_not_registered_cannot_be_promoted(trained):
    with pytest.raises(NoChampion, match="got 'prophet'; registered are"):
        lifecycle.promote(trained, due(trained), forecaster="prophet", installed=RULES)


def test_a_decayed_champion_is_rolled_back_by_the_next_training_and_does_not_swing(trained, wearer):
    first, second, _ = roles(trained)
    speak(trained, wearer, {first: 3.0, second: 14.0}, nights=30)
    in_office(trained, second, days_ago=28)
    result = training.train(trained, due(trained), forecasters=RULES)
    assert result["already"] and result["watch"]["changed"] and result["champion"]["forecaster"] == first
    event = champion_events(trained, "me")[-1]
    assert event["event"] == "rollback" and event["by"] == "watch" and "has decayed" in event["why"]
    assert roles(trained)[0] == first and load_champion(trained, "me").seat.forecaster == first
    again = training.train(trained, due(trained), forecasters=RULES)
    assert not again["watch"]["changed"] and "0 scored nights in office" in again["watch"]["why"]
    stands = lifecycle.promote(trained, due(trained), forecaster=second, installed=RULES)
    assert not stands["changed"] and "may stand again" in stands["why"]


def test_a_new_champion_is_not_judged_by_nights_before_its_time(trained, wearer):
    first, second, _ = roles(trained)
    speak(trained, wearer, {first: 3.0, second: 14.0}, nights=30)
    in_office(trained, second, days_ago=5)
    assert not lifecycle.rollback(trained, due(trained), installed=RULES)["changed"]


def test_a_champion_that_is_as_good_as_the_last_one_stays(trained, wearer):
    first, second, _ = roles(trained)
    speak(trained, wearer, {first: 8.0, second: 8.0}, nights=30)
    in_office(trained, second, days_ago=28)
    result = lifecycle.rollback(trained, due(trained), installed=RULES)
    assert not result["changed"] and f"{second} holds" in result["why"]


def test_a_first_champion_worse_than_a_naive_rule_gives_way_to_the_rule(trained, wearer):
    champion, _, _ = roles(trained)
    naive = next(name for name in RULES if name != champion)
    speak(trained, wearer, {champion: 14.0, naive: 3.0}, nights=30)
    in_office(trained, champion, days_ago=28)
    result = lifecycle.rollback(trained, due(trained), installed=RULES)
    assert result["changed"] and roles(trained)[0] == naive


def test_a_person_may_roll_back_and_there_must_be_somebody_to_go_back_to(trained):
    first, second, _ = roles(trained)
    with pytest.raises(NoChampion, match="no registered predecessor"):
        lifecycle.rollback(trained, due(trained), force=True, reason="no", installed=RULES)
    lifecycle.promote(trained, due(trained), force=True, reason="try", installed=RULES)
    lifecycle.rollback(trained, due(trained), force=True, reason="did not like it", installed=RULES)
    assert (
        roles(trained)[0] == first and champion_events(trained, "me")[-1]["why"] == "Forced: did not like it"
    )


def test_a_training_gives_the_champion_its_new_fit_and_does_not_crown_another(trained):
    champion, challenger, _ = roles(trained)
    lifecycle.promote(trained, due(trained), force=True, reason="try", installed=RULES)
    later = replace(due(trained), origin_day=due(trained).origin_day - timedelta(days=1))
    training.train(trained, later, forecasters=RULES)
    event = champion_events(trained, "me")[-1]
    assert event["event"] == "refresh" and event["to"]["forecaster"] == challenger
    assert event["to"]["registered_version"] > event["from"]["registered_version"]
    assert roles(trained)[0] == challenger and load_champion(trained, "me").seat == Seat(**event["to"])


def test_a_kill_between_record_and_registry_is_mended_by_the_next_run(trained):
    """The record says so, aliases and export do not yet."""
    champion, challenger, _ = roles(trained)
    seat = in_office(trained, challenger, days_ago=0)
    assert not lifecycle.registry(trained, "me")["exported"]
    training.train(trained, due(trained), forecasters=RULES)
    assert roles(trained)[0] == challenger and load_champion(trained, "me").seat == seat


def test_a_killed_training_leaves_nothing_half_and_the_next_carries_on(trained):
    """Killed for good (no cleaning up) while it registers its second forecaster."""
    before = lifecycle.registry(trained, "me")
    script = f"""
        import os, sys
        from datetime import UTC, datetime
        from dataclasses import replace
        from datetime import timedelta
        from pathlib import Path
        from hrv_shared.issue import current_issue
        from hrv_shared.store import Store
        from model_training import training
        from model_training.forecasters.ewma_8 import Ewma8
        from model_training.forecasters.last_28 import Last28
        from model_training.forecasters.last_night import LastNight
        from model_training.tracking import Tracking

        now = datetime.fromisoformat({trained.clock().isoformat()!r})
        store = Store(Path({str(trained.home)!r}), clock=lambda: now)
        training.BACKTEST_NIGHTS = 8
        register, calls = Tracking._register, []
        def killed(self, *arguments):
            seat = register(self, *arguments)
            calls.append(seat)
            return os._exit(9) if len(calls) == 2 else seat
        Tracking._register = killed
        issue = current_issue(store, "me")
        rules = {{rule.name: rule for rule in (LastNight, Last28, Ewma8)}}
        training.train(store, replace(issue, origin_day=issue.origin_day - timedelta(days=1)), forecasters=rules)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)], capture_output=True, timeout=120, check=False
    )  # fmt: skip
    assert done.returncode == 9, done.stderr.decode()[-2000:]
    tracking = Tracking(trained, "me")
    assert len(tracking.versions()) == 5 and lifecycle.registry(trained, "me") == before
    later = replace(due(trained), origin_day=due(trained).origin_day - timedelta(days=1))
    result = training.train(trained, later, forecasters=RULES)
    assert not result["already"] and result["registered"] == 6
    runs = tracking.client.search_runs([tracking.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED", "KILLED"}
    assert {version.tags["session"] for version in tracking.versions()} == {
        run.info.run_id
        for run in runs
        if run.info.status == "FINISHED" and "mlflow.parentRunId" not in run.data.tags
    }
    assert lifecycle.registry(trained, "me")["exported"]


def test_a_lost_registry_is_built_anew(trained):
    for name in ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm"):
        (trained.home / name).unlink(missing_ok=True)
    shutil.rmtree(trained.home / "mlartifacts")
    (trained.home / "models" / "training-me.json").unlink()
    result = training.train(trained, due(trained), forecasters=RULES)
    assert roles(trained)[0] == result["champion"]["forecaster"]
    assert (
        champion_events(trained, "me")[-1]["event"] == "refresh"
        and lifecycle.registry(trained, "me")["exported"]
    )


def test_two_trainings_at_once_are_refused(trained, monkeypatch):
    monkeypatch.setattr(lifecycle.member_lock.__wrapped__, "__kwdefaults__", {"wait_s": 0.05})
    with lifecycle.member_lock(trained, "me"), pytest.raises(TrainingBusy, match="Another process"):
        training.train(trained, due(trained), forecasters=RULES)


def test_changed_bytes_are_not_served_and_the_next_training_exports_again(trained):
    (path,) = (trained.home / "models/champion-me").glob("*.skops")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(SavedModelMismatch, match="not what was exported"):
        load_champion(trained, "me")
    assert not lifecycle.registry(trained, "me")["exported"]
    assert not training.look_after(trained, due(trained))["watch"]["changed"]
    assert load_champion(trained, "me").fits
    with pytest.raises(NoChampion, match="train"):
        load_champion(trained, "somebody_else")


def test_forecasting_and_the_exported_champion_never_import_mlflow(trained):
    script = """
        import sys
        from datetime import datetime
        from hrv_shared.issue import current_issue
        from hrv_shared.history import load_history
        from hrv_shared.settings import load_settings
        from hrv_shared.store import Store
        from model_training.cli import app
        from model_training.exported_champion import load_champion

        app(["forecast", "--json"], standalone_mode=False)
        store = Store.open(load_settings())
        issue = current_issue(store, "me")
        history = load_history(store, "me", issue.as_of, issue.origin_day, issue.slot)
        assert load_champion(store, "me").predict(history).shape == (7, 23)
        heavy = {"mlflow", "matplotlib", "pandas"} & set(sys.modules)
        sys.exit(f"imported {heavy}" if "mlflow" in heavy else 0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=_environment(trained), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_commands_say_what_happened(trained):
    def told(*arguments):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "model_training", *arguments], env=_environment(trained),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    code, said = told("registry")
    assert code == 0 and "exported." in said and "Lowest CRPS in the backtest." in said
    code, said = told("promote", "--force")
    assert code == 2 and "--force and --reason together" in said
    code, said = told("rollback")
    assert code == 0 and "No change." in said and "Champion: " in said


def _environment(store):
    import os

    return {key: value for key, value in os.environ.items() if not key.startswith("HRV_")} | {
        "HRV_HOME": str(store.home)
    }
