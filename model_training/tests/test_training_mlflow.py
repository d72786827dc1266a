"""Training with the real MLflow on SQLite: runs, metrics, plots, registry, aliases, and the saved fits read back."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import numpy as np
import pytest

from hrv_shared.constants import HORIZONS, SLOTS
from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import load_history
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.store import Store
from model_training import tracking, training
from model_training.backtest import backtest
from model_training.day_grid import day_grid
from model_training.errors import NothingToTrain, SavedModelMismatch
from model_training.exported_champion import load_champion
from model_training.rolling import RollingOrigin
from model_training.saved_forecaster import load_fits, save_fits

ALL = find_forecasters()
SOME = {name: ALL[name] for name in ("last_night", "last_28", "ewma_8", "ridge")}
# MLflow, alembic and their imports warn of their own deprecations, which are not ours to mend
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, wearer, migrated_mlflow):
    now = [wearer.history().as_of]
    store = Store(tmp_path_factory.mktemp("mlflow") / "home", clock=lambda: now[0])
    store.write_table("days", wearer.days)
    store.write_table("journal_facts", wearer.journal)
    shutil.copy(migrated_mlflow, store.home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "BACKTEST_NIGHTS", 28)
        result = training.train(store, current_issue(store, "me"), forecasters=SOME)
    yield store, result, now
    store.ledger.close()
    store.record.close()


def test_every_forecaster_is_backtested_in_both_slots_with_sane_numbers(trained):
    _, result, _ = trained
    assert set(result["forecasters"]) == set(SOME)
    assert result["origins_by_slot"] == {"morning": 14, "evening": 14} and result["origins"] == 28
    for metrics in result["forecasters"].values():
        assert metrics["n_h1"] >= 24 and metrics["n"] > 7 * metrics["n_h7"]
        assert metrics["n"] == sum(metrics[f"n_{slot}_h{h}"] for slot in SLOTS for h in HORIZONS)
        both = sum(metrics[f"n_{slot}"] * metrics[f"crps_ms_{slot}"] for slot in SLOTS) / metrics["n"]
        assert metrics["crps_ms"] == pytest.approx(both)
        assert 0.5 < metrics["cover_80"] <= 1 and metrics["cover_50"] < metrics["cover_95"]
        assert metrics["skill"] < 0.25, "above 25 % is a leak until proven otherwise"
    assert result["forecasters"][result["reference"]]["skill"] == 0
    ridge = result["forecasters"]["ridge"]
    assert ridge["crps_ms_evening_h1"] != ridge["crps_ms_morning_h1"]
    by_crps = sorted(result["forecasters"], key=lambda name: result["forecasters"][name]["crps_ms"])
    assert [result[role]["forecaster"] for role in ("champion", "challenger")] == by_crps[:2]


def test_one_parent_run_with_data_environment_and_plot_and_nested_runs_below(trained):
    store, result, _ = trained
    client = tracking.Tracking(store, "me").client
    experiment = client.get_experiment_by_name("hrv-me")
    runs = client.search_runs([experiment.experiment_id])
    parent = next(run for run in runs if run.info.run_id == result["session"])
    nested = {run.data.params["forecaster"]: run for run in runs if run is not parent}
    assert set(nested) == set(SOME) and {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in nested.values()} == {parent.info.run_id}
    data = {entry.dataset.name: entry.dataset.digest for entry in parent.inputs.dataset_inputs}
    assert set(data) == {"days", "journal_facts"} and all(len(digest) == 36 for digest in data.values())
    assert parent.data.params["slots"] == "morning,evening"
    root = store.home / "mlartifacts" / parent.info.run_id / "artifacts"
    environment = json.loads((root / "environment.json").read_text())
    assert environment["packages"]["polars"] and environment["python"] == parent.data.tags["python"]
    assert "<svg" in (root / "crps_by_horizon.svg").read_text()


def test_a_nested_run_holds_parameters_metrics_card_plot_and_table(trained):
    store, result, _ = trained
    client = tracking.Tracking(store, "me").client
    experiment = client.get_experiment_by_name("hrv-me")
    (run,) = client.search_runs([experiment.experiment_id], "params.forecaster = 'ridge'")
    assert run.data.params["version"] == SOME["ridge"].version
    for key in ("crps_ms_h3", "crps_ms_morning_h1", "cover_80_evening_h7", "skill_evening"):
        assert run.data.metrics[key] == pytest.approx(result["forecasters"]["ridge"][key])
    held = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert held >= {"model_card.md", "backtest.json", "calibration.svg"}
    assert experiment.artifact_location.startswith(store.home.as_uri())
    logged = client.search_logged_models([experiment.experiment_id])
    assert {model.name for model in logged} == set(SOME)
    assert all(any(metric.key == "skill" for metric in model.metrics) for model in logged)


def test_the_champion_read_back_forecasts_the_same_bits_in_both_slots(trained):
    import mlflow

    store, result, now = trained
    loaded = tracking.Tracking(store, "me").load()
    served = mlflow.pyfunc.load_model("models:/hrv-me@champion")
    exported = load_champion(store, "me")
    for slot in SLOTS:
        history = load_history(store, "me", now[0], current_issue(store, "me").origin_day, slot)
        fresh = SOME[result["champion"]["forecaster"]]().fit(history).predict(history)
        np.testing.assert_array_equal(loaded[slot].predict(history), fresh)
        np.testing.assert_array_equal(served.predict([history]), fresh[None])
        np.testing.assert_array_equal(exported.predict(history), fresh)


def test_training_twice_is_training_once(trained):
    store, result, now = trained
    now[0] += timedelta(minutes=5)
    again = training.train(store, current_issue(store, "me"), forecasters=SOME)
    assert again["already"] and again["forecasters"] == result["forecasters"]
    assert again["champion"] == result["champion"] and again["challenger"] == result["challenger"]
    assert len(tracking.list_registered(store, "me")) == len(SOME)


def test_training_is_due_again_after_a_week_or_with_other_code(trained, monkeypatch):
    store, _, now = trained
    issue = current_issue(store, "me")
    assert training.last_training(store, issue, forecasters=SOME)["champion"]
    fewer = {name: SOME[name] for name in ("last_28", "ridge")}
    assert training.last_training(store, issue, forecasters=fewer) is None
    monkeypatch.setattr(training, "TRAIN_EVERY_DAYS", 0)
    assert training.last_training(store, issue, forecasters=SOME) is None


def test_the_models_follow_a_store_that_was_moved(trained, tmp_path):
    store, result, now = trained
    moved = Store(tmp_path / "elsewhere", clock=lambda: now[0])
    shutil.copytree(store.home, moved.home, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        hidden = store.home.with_name("hidden")
        store.home.rename(hidden)
        try:
            history = load_history(moved, "me", now[0], current_issue(moved, "me").origin_day, "evening")
            read = tracking.Tracking(moved, "me").load()["evening"].predict(history)
        finally:
            hidden.rename(store.home)
        patch.undo()
    np.testing.assert_array_equal(
        read, SOME[result["champion"]["forecaster"]]().fit(history).predict(history)
    )


def test_ten_best_stay_registered_and_the_aliased_always(trained, monkeypatch, tmp_path):
    store, _, now = trained
    copy = Store(tmp_path / "home", clock=lambda: now[0])
    shutil.copytree(store.home, copy.home, dirs_exist_ok=True)
    monkeypatch.setattr(tracking, "REGISTERED_MOST", 3)
    before = tracking.list_registered(copy, "me")
    mlflow_side = tracking.Tracking(copy, "me")
    seats = {seat.forecaster: seat for seat in mlflow_side.seats().values()}
    worst = min(before, key=lambda row: row["skill"])
    mlflow_side.set_aliases(seats[worst["forecaster"]], None, [{"to": seats[worst["forecaster"]].describe()}])
    kept = tracking.list_registered(copy, "me")
    assert len(kept) == 3 and kept[0]["alias"] == "champion" and kept[0]["version"] == worst["version"]
    best = sorted(before, key=lambda row: -row["skill"])[:2]
    assert {row["version"] for row in kept[1:]} == {row["version"] for row in best}
    assert len(list((copy.home / "mlartifacts/models").iterdir())) == 3, "dropped models leave no files"


def test_what_cannot_be_saved_or_breaks_off_is_told_and_not_registered(
    tmp_path, wearer, migrated_mlflow, monkeypatch
):
    class Unsavable(SOME["last_28"]):
        name = "unsavable"

        def fit(self, history):
            super().fit(history)
            self.open_file_ = (line for line in "a generator has no bytes")
            return self

    class Broken(SOME["last_28"]):
        name = "broken"

        def predict(self, history, horizons=HORIZONS):
            raise ZeroDivisionError("over nothing")

        def path(self, grid, origins):
            raise ZeroDivisionError("over nothing")

    monkeypatch.setattr(training, "BACKTEST_NIGHTS", 8)
    store = Store(tmp_path / "home", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days)
    shutil.copy(migrated_mlflow, store.home)
    own = {"last_28": SOME["last_28"], "ewma_8": SOME["ewma_8"], "unsavable": Unsavable, "broken": Broken}
    result = training.train(store, current_issue(store, "me"), forecasters=own)
    assert set(result["unregistered"]) == {"unsavable"} and "pickle" in result["unregistered"]["unsavable"]
    assert result["refusals"] == {"broken": "broken broke off with ZeroDivisionError."}
    assert set(result["forecasters"]) == set(own) and result["registered"] == 2


def test_a_forecaster_with_a_path_is_backtested_in_one_pass_with_equal_rows(tmp_path, wearer):
    """The pass must give what fitting and asking at every origin gives; here both are the same simple rule."""

    def path(grid, origins):
        mean = np.array([np.exp(np.nanmean(grid.log_hrv[max(0, i - 13) : i + 1])) for i in origins])
        return np.broadcast_to((mean[:, None] + np.linspace(-20, 20, 23))[:, None, :], (len(origins), 7, 23))

    class Walked:
        name, version, refit_days = "walked", "1", 1

        def fit(self, history):
            return self

        def predict(self, history, horizons=HORIZONS):
            grid = day_grid(history)
            return path(grid, np.array([len(grid.days) - 1]))[0]

    class Passed(Walked):
        def path(self, grid, origins):
            return path(grid, origins)

    store = Store(tmp_path / "home", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days)
    store.write_table("journal_facts", wearer.journal)
    issue = current_issue(store, "me")
    issues = past_issues(store, "me", nights=20, slot="morning", before=issue)
    latest = load_history(store, "me", issue.as_of, issue.origin_day, "morning")
    rolling = RollingOrigin(wearer.days, wearer.journal, issues)
    scored, faults = backtest(rolling, {"walked": Walked, "passed": Passed}, issues, latest)
    walked, passed = (scored.filter(forecaster=name).drop("forecaster") for name in ("walked", "passed"))
    assert not faults and len(walked) > 100 and walked.equals(passed)


def test_nothing_to_train_is_said(tmp_path, wearer):
    store = Store(tmp_path / "home", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days.tail(20))
    with pytest.raises(NothingToTrain, match="ridge"):
        training.train(store, current_issue(store, "me"), forecasters={"ridge": ALL["ridge"]})


@pytest.mark.parametrize("name", sorted(SOME))
def test_saved_without_pickle_and_read_back_bit_for_bit(name, wearer, tmp_path):
    histories = {slot: wearer.history(slot=slot) for slot in SLOTS}
    fits = {slot: SOME[name]().fit(history) for slot, history in histories.items()}
    save_fits(fits, tmp_path / "f.skops")
    read = load_fits(tmp_path / "f.skops")
    for slot, history in histories.items():
        np.testing.assert_array_equal(read[slot].predict(history), fits[slot].predict(history))


def test_foreign_types_and_other_versions_are_refused(wearer, tmp_path, monkeypatch):
    import skops.io
    from scoringrules import crps_quantile

    skops.io.dump(
        {"name": "x", "version": "1", "fits": {"evening": crps_quantile}}, tmp_path / "foreign.skops"
    )
    with pytest.raises(SavedModelMismatch, match="scoringrules"):
        load_fits(tmp_path / "foreign.skops")
    save_fits({"evening": ALL["last_28"]().fit(wearer.history())}, tmp_path / "f.skops")
    monkeypatch.setattr(ALL["last_28"], "version", "9.9.9+ffffffff")
    with pytest.raises(SavedModelMismatch, match="Train anew"):
        load_fits(tmp_path / "f.skops")
