"""Evidence ids lead somewhere: every id of full reports resolves, and every number there is the one that is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from data_intelligence import write_daily, write_weekly
from data_intelligence.cli import app
from data_intelligence.errors import NoEvidence, NoReport
from data_intelligence.evidence_cli import numbers_resting_on
from data_intelligence.follow import Follower, issue_of
from data_intelligence.reliability import write_reliability
from data_intelligence.report_files import PERIODS, read_report
from hrv_shared.store import Store


@pytest.fixture(scope="module")
def full_home(filled_home, world, synth, tmp_path_factory):
    """A store with all three reports and an agent's words in it; made once, only read."""
    home = tmp_path_factory.mktemp("evidence") / "home"
    shutil.copytree(filled_home, home)
    store, issue = Store(home, clock=lambda: synth.at(world.last_day, 24.0 * 14)), world.issue()
    tonight = [synth.fact_row(issue.origin_day + timedelta(days=1), name) for name in ("alcohol", "sauna")]
    store.write_table("journal_facts", synth.journal_frame([*world.journal.to_dicts(), *tonight]))
    reasons = {"rationale": "Quiet.", "segment": "s1"}
    store.ledger.issue("replay", synth.forecast_rows(world, issue.origin_day, "evening", "agent", reasons=reasons,
                                                     as_of=issue.as_of))  # fmt: skip
    write_daily(store, issue)
    write_weekly(store, issue)
    write_reliability(store, issue)
    store.ledger.close()
    return home


@pytest.fixture
def full(full_home, now) -> Store:
    return Store(full_home, clock=lambda: now)


@pytest.fixture(scope="module")
def followed(full_home, synth, world):
    """Every place of every report, followed once."""
    store, issue = Store(full_home, clock=lambda: synth.at(world.last_day, 24.0 * 14)), world.issue()
    follower = Follower(store, issue)
    reports = {period: read_report(store, period, issue.name) for period in PERIODS}
    places = {place for r in reports.values() for item in r["evidence"].values() for place in item["where"]}
    assert all(issue_of(report["issue"]) == issue for report in reports.values())
    return reports, follower, {place: follower.follow(place) for place in sorted(places)}


def blocks(value: Any, path: str = "") -> Iterator[tuple[str, dict]]:
    """Every object that cites evidence, with its path."""
    if isinstance(value, dict):
        if isinstance(value.get("evidence"), str):
            yield path, value
        for key, inner in value.items():
            yield from blocks(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from blocks(inner, f"{path}[{at}]")


@pytest.mark.parametrize("period", PERIODS)
def test_every_id_of_a_full_report_resolves(followed, period):
    reports, _, found = followed
    report = reports[period]
    lost = [
        (key, place, found[place].words)
        for key, item in report["evidence"].items()
        for place in item["where"]
        if not found[place].found
    ]
    assert lost == []
    assert len(report["evidence"]) > 30
    cited = {
        key for _, block in blocks(report) for name, key in block.items() if name.endswith("evidence") and key
    }
    assert cited == set(report["evidence"])


@pytest.mark.parametrize("period", PERIODS)
def test_shown_figures_are_the_found_ones_rounded(followed, period):
    """Cells, ledger quantiles, scores and fits: each number of a block against the value of that name at its place."""
    reports, follower, places = followed
    report = reports[period]
    compared = 0
    for path, block in blocks(report):
        item = report["evidence"][block["evidence"]]
        found = {name: value for place in item["where"] for name, value in places[place].values.items()}
        if item["kind"] == "fit":
            tonight = "tonight " if path.startswith("matched_effects") else ""
            found = found[f"{tonight}{block['behaviour']}"]
        if item["kind"] == "days" and len(item["where"]) <= 2 and block.get("state") == "scored":
            column = item["where"][0].split("/")[-1]
            found = {column: found[block["day"]]} if column in block and block["day"] in found else {}
            raw = follower.history.days.filter(pl.col("day") == pl.lit(block["day"]).str.to_date())
            found = {k: raw[k][0] for k in found}
        for name in set(found) & set(block):
            shown, value = block[name], found[name]
            if (
                isinstance(shown, bool)
                or not isinstance(shown, (int, float))
                or not isinstance(value, (int, float))
            ):
                continue
            digits = len(str(shown).partition(".")[2])
            assert shown == pytest.approx(value, abs=0.5000001 * 10.0**-digits), (path, name)
            compared += 1
    assert compared >= {"daily": 150, "weekly": 100, "reliability": 300}[period]


def test_derived_figures_follow_from_their_cells(followed):
    reports, follower, _ = followed
    daily, weekly = reports["daily"], reports["weekly"]

    def cells(block) -> np.ndarray:
        place = daily["evidence"][block["evidence"]]["where"][0]
        return np.array([v for v in follower.follow(place).values.values() if v is not None])

    base = daily["baseline"]
    values = cells(base)
    assert base["n_60d"] == len(values)
    assert base["mean_60d_ms"] == pytest.approx(values.mean(), abs=0.051)
    assert base["sd_60d_ms"] == pytest.approx(values.std(ddof=1), abs=0.051)
    assert base["mean_7d_ms"] == pytest.approx(values[-7:].mean(), abs=0.051)
    place = weekly["evidence"][weekly["means"]["evidence"]]["where"][0]
    two = [v for v in follower.follow(place).values.values() if v is not None]
    assert weekly["means"]["mean_ms"] == pytest.approx(np.mean(two[-7:]), abs=0.051)
    assert weekly["means"]["previous_mean_ms"] == pytest.approx(np.mean(two[:-7]), abs=0.051)


def test_a_place_that_was_changed_or_is_gone_is_said(full_home, issue, world, now, tmp_path):
    shutil.copytree(full_home, tmp_path / "home")
    full = Store(tmp_path / "home", clock=lambda: now)
    report = read_report(full, "daily", issue.name)
    ledger = next(i["where"][0] for i in report["evidence"].values() if i["kind"] == "ledger")
    follower = Follower(full, issue_of(report["issue"]))
    head, book, n, _ = ledger.split("/")
    assert not follower.follow(f"{head}/{book}/{n}/{'0' * 64}").found
    assert not follower.follow(f"{head}/{book}/999999/{'0' * 64}").found
    assert not follower.follow("fit/effects/0000").found
    assert not follower.follow("journal_facts/nobody").found
    assert not follower.follow("days/2026-06-30/no_such_column").found
    assert not follower.follow("moon/phase").found
    fit = next(i["where"][0] for i in report["evidence"].values() if i["kind"] == "fit")
    full.write_table("days", world.days.with_columns(hrv_rmssd_ms=pl.col("hrv_rmssd_ms") + 1.0))
    assert not Follower(full, issue_of(report["issue"])).follow(fit).found


def test_numbers_are_listed_under_the_id_that_they_rest_on():
    report = {
        "a": {"x": 1.5, "evidence": "E1", "b": [{"y": 2, "evidence": "E2"}, {"z": 3}]},
        "evidence": {"E1": 0},
    }
    assert dict(numbers_resting_on(report, "E1")) == {"a.x": 1.5, "a.b[1].z": 3}
    assert dict(numbers_resting_on(report, "E2")) == {"a.b[0].y": 2}


def test_the_command_follows_an_id_and_refuses_what_is_none(full, issue, monkeypatch, capsys):
    monkeypatch.setenv("HRV_HOME", str(full.home))
    report = read_report(full, "daily", issue.name)
    key = report["baseline"]["evidence"]
    app(["evidence", key, "--issue", issue.name, "--json"], standalone_mode=False)
    answer = json.loads(capsys.readouterr().out)
    assert answer["numbers"]["baseline.mean_60d_ms"] == report["baseline"]["mean_60d_ms"]
    assert answer["places"][0]["found"]
    app(["evidence", key, "--issue", issue.name], standalone_mode=False)
    assert f"baseline.mean_60d_ms = {report['baseline']['mean_60d_ms']}" in capsys.readouterr().out
    with pytest.raises(NoEvidence, match="cites E1 to E"):
        app(["evidence", "E99999", "--issue", issue.name], standalone_mode=False)
    with pytest.raises(NoReport, match="hrv report weekly"):
        app(
            ["evidence", "E1", "--report", "weekly", "--issue", "nobody-2026-01-01-evening"],
            standalone_mode=False,
        )
    with pytest.raises(NoEvidence, match="daily, weekly, reliability"):
        app(["evidence", "E1", "--report", "yearly", "--issue", issue.name], standalone_mode=False)
