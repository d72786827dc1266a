"""Training with the real MLflow on SQLite: runs, metrics, registry, champion, and the saved forecaster read back."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import load_history
from hrv_shared.issue import current_issue
from hrv_shared.store import Store
from model_training import tracking, training
from model_training.errors import NothingToTrain, SavedModelMismatch
from model_training.saved_forecaster import load_forecaster, save_forecaster

ALL = find_forecasters()
# MLflow, alembic and their imports warn of their own deprecations, which are not ours to mend
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, wearer):
    now = [wearer.history().as_of]
    store = Store(tmp_path_factory.mktemp("mlflow") / "home", clock=lambda: now[0])
    store.write_table("days", wearer.days)
    store.write_table("journal_facts", wearer.journal)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "BACKTEST_NIGHTS", 28)
        result = training.train(store, current_issue(store, "me"))
    yield store, result, now
    store.ledger.close()


def test_every_forecaster_is_backtested_with_sane_numbers(trained):
    _, result, _ = trained
    assert set(result["forecasters"]) == set(ALL) and result["origins"] == 14
    for metrics in result["forecasters"].values():
        assert metrics["n_h1"] >= 12 and metrics["n"] > 7 * metrics["n_h7"]
        assert 0.5 < metrics["cover_80"] <= 1 and metrics["cover_50"] < metrics["cover_95"]
        assert metrics["skill"] < 0.25, "above 25 % is a leak until proven otherwise"
    assert result["forecasters"][result["reference"]]["skill"] == 0
    champion = result["champion"]["forecaster"]
    assert champion == min(result["forecasters"], key=lambda name: result["forecasters"][name]["crps_ms"])


def test_the_runs_hold_parameters_metrics_card_and_table(trained):
    store, result, _ = trained
    client = tracking.Tracking(store, "me").client
    experiment = client.get_experiment_by_name("hrv-me")
    runs = {run.data.params["forecaster"]: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == set(ALL)
    run = runs["ridge"]
    assert run.data.params["version"] == ALL["ridge"].version and run.info.status == "FINISHED"
    assert run.data.metrics["crps_ms_h3"] == pytest.approx(result["forecasters"]["ridge"]["crps_ms_h3"])
    assert {artifact.path for artifact in client.list_artifacts(run.info.run_id)} >= {"model_card.md", "backtest.json"}
    assert experiment.artifact_location.startswith(store.home.as_uri())
    logged = client.search_logged_models([experiment.experiment_id])
    assert {model.name for model in logged} == set(ALL)
    assert all(any(metric.key == "skill" for metric in model.metrics) for model in logged)


def test_the_champion_read_back_forecasts_the_same_bits(trained):
    import mlflow

    store, result, now = trained
    history = load_history(store, "me", now[0], current_issue(store, "me").origin_day, "evening")
    fresh = ALL[result["champion"]["forecaster"]]().fit(history).predict(history)
    np.testing.assert_array_equal(tracking.Tracking(store, "me").load().predict(history), fresh)
    served = mlflow.pyfunc.load_model("models:/hrv-me@champion")
    np.testing.assert_array_equal(served.predict([history]), fresh[None])


def test_training_twice_is_training_once(trained):
    store, result, now = trained
    now[0] += timedelta(minutes=5)
    again = training.train(store, current_issue(store, "me"))
    assert again["already"] and again["forecasters"] == result["forecasters"]
    assert len(tracking.list_registered(store, "me")) == len(ALL)


def test_ten_best_stay_registered_and_the_champion_always(trained, monkeypatch):
    store, _, _ = trained
    monkeypatch.setattr(tracking, "REGISTERED_MOST", 3)
    before = tracking.list_registered(store, "me")
    worst = min(before, key=lambda row: row["skill"])
    tracking.Tracking(store, "me").promote(str(worst["version"]))
    kept = tracking.list_registered(store, "me")
    assert len(kept) == 3 and kept[0]["champion"] and kept[0]["version"] == worst["version"]
    best = sorted(before, key=lambda row: -row["skill"])[:2]
    assert {row["version"] for row in kept[1:]} == {row["version"] for row in best}


def test_nothing_to_train_is_said(tmp_path, wearer):
    store = Store(tmp_path / "home", clock=lambda: wearer.history().as_of)
    store.write_table("days", wearer.days.tail(20))
    with pytest.raises(NothingToTrain, match="ridge needs 30 scored nights"):
        training.train(store, current_issue(store, "me"), forecasters={"ridge": ALL["ridge"]})


@pytest.mark.parametrize("name", sorted(ALL))
def test_saved_without_pickle_and_read_back_bit_for_bit(name, wearer, tmp_path):
    history = wearer.history()
    fitted = ALL[name]().fit(history)
    save_forecaster(fitted, tmp_path / "f.skops")
    np.testing.assert_array_equal(load_forecaster(tmp_path / "f.skops").predict(history), fitted.predict(history))


def test_foreign_types_and_other_versions_are_refused(wearer, tmp_path, monkeypatch):
    import skops.io
    from scoringrules import crps_quantile

    skops.io.dump({"name": "x", "version": "1", "forecaster": crps_quantile}, tmp_path / "foreign.skops")
    with pytest.raises(SavedModelMismatch, match="scoringrules"):
        load_forecaster(tmp_path / "foreign.skops")
    save_forecaster(ALL["last_28"]().fit(wearer.history()), tmp_path / "f.skops")
    monkeypatch.setattr(ALL["last_28"], "version", "9.9.9+ffffffff")
    with pytest.raises(SavedModelMismatch, match="Train anew"):
        load_forecaster(tmp_path / "f.skops")
