"""Forecast, replay and combine on a store: what reaches the ledger, once, and from what was known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared.constants import HORIZONS, MEDIAN_INDEX, NAIVE_FORECASTERS
from hrv_shared.errors import InvalidForecast, NightHasBegun, Refusal, TooFewNights
from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import load_history
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.ledger import ForecastRow
from hrv_shared.models import ModelAbsent
from hrv_shared.store import Store
from model_training.combination import OTHERS_SHARE, SHARES
from model_training.errors import NothingToCombine
from model_training.issuing import combine, issue_forecasts
from model_training.replaying import replay

ALL = find_forecasters()
RULES = {*NAIVE_FORECASTERS, "weekday"}
QUICK = {name: ALL[name] for name in ("last_night", "last_28", "ewma_8", "ridge")}


class SecondRidge(ALL["ridge"]):
    """A second model, so that there is something to weigh; refits weekly like a costly one."""

    name = "ridge_slow"
    version = "1.0.0+00000000"
    refit_days = 7

    def pooled(self, slot):
        return self.pooled_of("ridge", slot)

    def predict(self, history, horizons=HORIZONS):
        return super().predict(history, horizons) * 1.3


TWO = QUICK | {"ridge_slow": SecondRidge}


def test_forecast_issues_everyone_and_the_mix_once(store):
    issue = current_issue(store, "me")
    assert (issue.book, issue.slot) == ("live", "evening")
    first = issue_forecasts(store, issue)
    silent = {told["forecaster"] for told in first["refusals"]}
    assert silent <= {"fracast"} and first["failures"] == []  # its weights may lie on this machine or not
    spoke = ALL.keys() - silent
    assert first["written"] == 7 * (len(spoke) + 1)
    history = load_history(store, "me", issue.as_of, issue.origin_day, issue.slot)
    rows = store.ledger.forecasts("live", "me")
    assert set(rows["forecaster"]) == {*spoke, "mix"}
    assert set(rows.filter(pl.col("forecaster") != "mix")["input_digest"]) == {history.digest()}
    again = issue_forecasts(store, issue)
    assert (again["written"], again["already"]) == (0, first["written"])
    for h, weights in first["mix_weights"].items():
        assert weights.keys() == spoke - RULES
        parts = [rows.filter(forecaster=name, horizon=h)["quantiles_ms"][0].to_numpy() for name in weights]
        mixed = rows.filter(forecaster="mix", horizon=h)["quantiles_ms"][0].to_numpy()
        np.testing.assert_allclose(mixed, np.array(list(weights.values())) @ parts, rtol=1e-3)


def test_each_row_of_the_mix_says_what_moves_its_median(store):
    issue_forecasts(store, current_issue(store, "me"), forecasters=TWO)
    for row in store.ledger.forecasts("live", "me", forecaster="mix").iter_rows(named=True):
        parts = json.loads(row["reasons"])["parts_ms"]
        assert {"base", "calibration", "body", "weekday"} <= parts.keys()
        assert sum(parts.values()) == pytest.approx(row["quantiles_ms"][MEDIAN_INDEX], abs=1e-9)


def test_the_mix_is_of_the_rows_that_stand_in_the_ledger(store):
    """A forecaster spoke earlier in other words: those stand, and the mix is made of them."""
    issue = current_issue(store, "me")
    said = [
        ForecastRow("me", issue.slot, issue.as_of, issue.origin_day, issue.origin_day + timedelta(days=h), h, "ridge",
                    "0.9.0", tuple(np.linspace(30, 31, 23)), "earlier")
        for h in HORIZONS
    ]  # fmt: skip
    store.ledger.issue("live", said)
    result = issue_forecasts(store, issue, forecasters=QUICK)
    assert result["already"] == 7
    mixed = store.ledger.forecasts("live", "me", forecaster="mix")["quantiles_ms"][0].to_numpy()
    np.testing.assert_allclose(mixed, np.linspace(30, 31, 23))


def test_refusals_and_faults_are_told_and_recorded(tmp_path, wearer, clock):
    class Broken(QUICK["last_28"]):
        name = "broken"

        def predict(self, history, horizons=HORIZONS):
            raise ZeroDivisionError

    class TooWide(QUICK["last_28"]):
        name = "nan"

        def predict(self, history, horizons=HORIZONS):
            return np.full((len(horizons), 23), np.nan)

    store = Store(tmp_path / "young", clock=lambda: clock[0])
    store.write_table(
        "days", wearer.days.filter(pl.col("day") > wearer.days["day"].max() - timedelta(days=8))
    )
    result = issue_forecasts(store, current_issue(store, "me"), forecasters=ALL | {"broken": Broken})
    refused = {r["forecaster"]: r["code"] for r in result["refusals"]}
    young = {name for name, forecaster in ALL.items() if forecaster.least_nights > 8}
    assert refused == dict.fromkeys(young, "TooFewNights") and {"ridge", "trees", "fracast"} <= young
    assert [(f["forecaster"], f["code"]) for f in result["failures"]] == [("broken", "ForecasterFailed")]
    assert result["mix_weights"][1].keys() == ALL.keys() - RULES - young, (
        "who can speak after a week makes the mix"
    )
    facts = {fact.payload["forecaster"]: fact.payload for fact in store.record.facts("refusal")}
    assert set(facts) == {*young, "broken"} and "10 scored nights" in facts["ridge"]["message"]
    issue_forecasts(store, current_issue(store, "me"), forecasters=ALL | {"broken": Broken})
    assert len(list(store.record.facts("refusal"))) == len(young) + 1
    with pytest.raises(InvalidForecast, match="23 finite quantiles"):
        issue_forecasts(store, current_issue(store, "me"), forecasters={"nan": TooWide})
    store.ledger.close()
    store.record.close()


def test_a_forecast_or_a_replay_fetches_no_weights_even_where_it_might(store, tmp_path, monkeypatch):
    """The network is for training and for ``hrv models fetch``; the mix goes on without the member."""
    asked = []

    def absent(name, *, cache_dir, allow_download):
        asked.append(allow_download)
        raise ModelAbsent(f"{name} is not on this machine.")

    monkeypatch.setenv("HRV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", "true")
    monkeypatch.setattr("model_training.foundation.fracast_weights.resolve", absent)
    some = QUICK | {"fracast": ALL["fracast"]}
    result = issue_forecasts(store, current_issue(store, "me"), forecasters=some)
    assert [(told["forecaster"], told["code"]) for told in result["refusals"]] == [
        ("fracast", "WeightsAbsent")
    ]
    assert result["mix_weights"][1] == {"ridge": 1.0}
    assert replay(store, current_issue(store, "me"), nights=2, forecasters=some)["refused"].keys() == {
        "fracast"
    }
    assert asked and not any(asked)
    with pytest.raises(Refusal, match="fracast"):
        ALL["fracast"]().prepare()
    assert asked[-1] is True, "training asks for them"


def test_too_late_is_said(store, clock):
    issue = current_issue(store, "me")
    clock[0] += timedelta(hours=6)
    with pytest.raises(NightHasBegun):
        issue_forecasts(store, issue, forecasters=QUICK)
    assert store.ledger.forecasts("live").is_empty()


def test_no_night_at_all_is_a_refusal(tmp_path):
    with pytest.raises(TooFewNights):
        current_issue(Store(tmp_path / "empty"), "me")


def test_replay_is_as_of_each_day_and_idempotent(store):
    before = current_issue(store, "me")
    first = replay(store, before, nights=20, forecasters=TWO)
    assert first["written"] == 20 * 7 * (len(TWO) + 2) and first["already"] == 0 and first["refused"] == {}
    rows = store.ledger.forecasts("replay", "me")
    second = replay(store, before, nights=20, forecasters=TWO)
    assert (second["written"], second["already"]) == (0, first["written"])
    assert store.ledger.forecasts("replay", "me").equals(rows)
    assert store.ledger.verify() == []
    for row in rows.filter(forecaster="ridge", horizon=1).iter_rows(named=True):
        history = load_history(store, "me", row["as_of"], row["origin_day"], "evening")
        assert history.digest() == row["input_digest"]
        expected = QUICK["ridge"]().fit(history).predict(history, [1])[0]
        np.testing.assert_array_equal(row["quantiles_ms"], expected)


def test_weights_in_a_replay_grow_from_what_was_known(store):
    replay(store, current_issue(store, "me"), nights=30, forecasters=TWO)
    mixed = store.ledger.forecasts("replay", "me", forecaster="mix").sort("origin_day", "horizon")
    reasons = [json.loads(text) for text in mixed.filter(horizon=1)["reasons"]]
    nights = [reason["scored_nights"] for reason in reasons]
    assert nights[0] == 0 and nights == sorted(nights) and nights[-1] in range(24, 30)
    start = {"ridge": SHARES["ridge"][0], "ridge_slow": OTHERS_SHARE}
    assert reasons[0]["weights"] == pytest.approx(
        {k: v / sum(start.values()) for k, v in start.items()}, abs=1e-4
    )
    weights = [reason["weights"]["ridge"] for reason in reasons]
    assert min(weights) == weights[0] and weights[-1] > 0.95  # the other one is 30 % too high on purpose
    week = [json.loads(text)["scored_nights"] for text in mixed.filter(horizon=7)["reasons"]]
    assert week[2] <= 1  # night 2 is the first of the week to come true


def test_a_replay_cut_off_carries_on_with_the_same_rows(tmp_path, store, wearer, clock):
    whole = Store(tmp_path / "whole", clock=lambda: clock[0])
    whole.write_table("days", wearer.days)
    whole.write_table("journal_facts", wearer.journal)
    replay(whole, current_issue(whole, "me"), nights=18, forecasters=TWO)

    class Killed(BaseException):
        pass

    steps = iter(range(7))

    def advance(_amount):
        if next(steps) == 6:
            raise Killed

    with pytest.raises(Killed):
        replay(store, current_issue(store, "me"), nights=18, forecasters=TWO, advance=advance)
    resumed = replay(store, current_issue(store, "me"), nights=18, forecasters=TWO)
    assert resumed["already"] == 7 * 7 * (len(TWO) + 2)
    columns = ["origin_day", "horizon", "forecaster", "version", "quantiles_ms", "input_digest", "reasons"]
    assert (
        store.ledger.forecasts("replay")
        .select(columns)
        .equals(whole.ledger.forecasts("replay").select(columns))
    )
    whole.ledger.close()


def test_a_costly_forecaster_is_fitted_once_a_block(store):
    fits = []

    class Counted(SecondRidge):
        def fit(self, history):
            fits.append(history.as_of)
            return super().fit(history)

    result = replay(store, current_issue(store, "me"), nights=21, forecasters=QUICK | {"ridge_slow": Counted})
    assert result["nights"] == 21 and 3 <= len(fits) <= 4
    rows = store.ledger.forecasts("replay", "me", forecaster="ridge_slow")
    fitted = [datetime.fromisoformat(json.loads(text)["fitted_as_of"]) for text in rows["reasons"]]
    lag = [as_of - begin for as_of, begin in zip(rows["as_of"], fitted, strict=True)]
    assert min(lag) >= timedelta(0) and max(lag) < timedelta(days=7)


def test_morning_replays_are_another_slot(store):
    replay(store, current_issue(store, "me"), nights=3, forecasters=QUICK)
    result = replay(store, current_issue(store, "me"), nights=3, slot="morning", forecasters=QUICK)
    assert result["slot"] == "morning" and result["written"] == 3 * 7 * (len(QUICK) + 2)


def test_combine_needs_a_mix_and_then_says_its_weights(store):
    issue = current_issue(store, "me")
    with pytest.raises(NothingToCombine, match="python -m model_training forecast"):
        combine(store, issue)
    issue_forecasts(store, issue, forecasters=QUICK)
    first = combine(store, issue)
    assert (first["written"], first["agent_spoke"]) == (7, False)
    assert first["weights"][1] == {"mix": 1.0}
    rows = store.ledger.forecasts("live", "me")
    final, mixed = (
        rows.filter(forecaster=name).sort("horizon")["quantiles_ms"].to_list() for name in ("final", "mix")
    )
    assert final == mixed
    assert combine(store, issue)["already"] == 7


def test_an_agent_that_proved_itself_in_the_ledger_moves_final(store, wearer):
    """Replayed agent rows that knew the truth earn most of final, from a fifth at the first origin on."""
    before = current_issue(store, "me")
    truth = dict(wearer.history().scored_nights().select("day", "hrv_rmssd_ms").iter_rows())
    past = past_issues(store, "me", nights=70, slot="evening", before=before)
    said, told = [], {"segment": "s1", "moved": True, "levers": ["L1"]}
    for issue in [*past, before]:
        for h in HORIZONS:
            target = issue.origin_day + timedelta(days=h)
            ms = truth.get(target, 60.0)
            said.append(ForecastRow("me", "evening", issue.as_of, issue.origin_day, target, h, "agent_calibrated",
                                    "1", tuple(np.linspace(ms - 1, ms + 1, 23)), "x", told))  # fmt: skip
    store.ledger.issue("replay", [row for row in said if row.origin_day < before.origin_day])
    store.ledger.issue("live", [row for row in said if row.origin_day == before.origin_day])
    replay(store, before, nights=70, forecasters={"ridge": QUICK["ridge"]})
    issue_forecasts(store, before, forecasters=QUICK)
    result = combine(store, before)
    assert result["agent_spoke"] and result["weights"][1]["agent_calibrated"] > 0.4
    assert result["agent"]["scored_nights"] > 14 and result["agent"]["gain_nights"] > 0
    finals = store.ledger.forecasts("replay", "me", forecaster="final").filter(horizon=1).sort("origin_day")
    weights = [json.loads(text)["weights"].get("agent_calibrated", 0.0) for text in finals["reasons"]]
    assert (
        weights[0] == pytest.approx(0.2, abs=0.005)
        and weights[-1] > 0.8
        and np.mean(weights[:5]) < np.mean(weights[-5:])
    )
