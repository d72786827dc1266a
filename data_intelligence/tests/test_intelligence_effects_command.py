"""``hrv effects`` and ``hrv bench effects``: what they print, and that equal seeds give equal members."""

from __future__ import annotations

import json
import os

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from data_intelligence.bench_effects.measuring import OURS, find_effects, measure_effects
from data_intelligence.bench_effects.members import WORLDS, make_member
from data_intelligence.bench_effects.result_text import effects_text
from data_intelligence.bench_effects.rivals import raw_difference
from data_intelligence.cli import app
from hrv_shared import schemas

MOMENT = ["--member", "me", "--as-of", "2026-06-30T21:30:00Z"]


@pytest.fixture
def run(world, tmp_path, now, monkeypatch):
    for name in [key for key in os.environ if key.startswith("HRV_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HRV_HOME", str(world.write(tmp_path, now).home))
    return lambda *arguments: CliRunner().invoke(app, [*arguments])


def test_the_command_tells_effects_first_and_then_what_more_nights_could_tell(run):
    told = run("effects", *MOMENT)
    assert told.exit_code == 0, told.exception
    above, below = told.stdout.split("Cannot be told from nothing yet:")
    assert "alcohol" in above and "null_0".replace("_", " ") not in above
    assert "null 0" in below and "+30 nights" in below
    assert "adjusted association" in above
    assert "Adjusted association is no cause" in told.stdout
    assert max(map(len, told.stdout.splitlines())) <= 160


def test_the_json_has_every_row_with_evidence_that_resolves(run):
    answer = json.loads(run("effects", *MOMENT, "--json").stdout)
    assert answer["nights"] == 220
    rows = {row["behaviour"]: row for row in answer["effects"]}
    assert set(rows) == {"alcohol", "sauna", "null_0", "null_1", "null_2"}
    alcohol = rows["alcohol"]
    assert alcohol["shown"] and alcohol["p_harm"] > 0.95
    assert alcohol["low95_ms"] <= alcohol["low90_ms"] <= alcohol["low80_ms"] <= alcohol["effect_ms"]
    assert [night["nights_later"] for night in alcohol["later"]] == [1, 2]
    assert alcohol["evidence"] in answer["evidence"]
    after = alcohol["detectable_pct_after_more_nights"]
    assert alcohol["detectable_pct"] > after["30"] > after["90"]


def test_without_a_journal_it_says_what_to_do(world, tmp_path, now, monkeypatch):
    monkeypatch.setenv("HRV_HOME", str(world.write(tmp_path, now).home))
    store = world.write(tmp_path, now)
    store.write_table("journal_facts", schemas.empty("journal_facts"))
    told = CliRunner().invoke(app, ["effects", *MOMENT])
    assert told.exit_code == 0 and "hrv journal add" in told.stdout


def test_made_up_members_are_what_the_rooms_read():
    member = make_member(WORLDS["main"], 90, 5)
    again = make_member(WORLDS["main"], 90, 5)
    assert member.history.digest() == again.history.digest()
    assert member.history.digest() != make_member(WORLDS["main"], 90, 6).history.digest()
    _, values = member.history.hrv_series()
    np.testing.assert_allclose(np.log(values), member.y, atol=1e-9)
    schemas.validate("days", member.history.days)
    schemas.validate("journal_facts", member.history.journal)
    yes = member.history.journal.filter(pl.col("behaviour") == "habit_15").height
    assert yes == member.done[:, list(member.truth_ln).index("habit_15")].sum()


def test_the_raw_difference_is_the_difference_of_means():
    member = make_member(WORLDS["main"], 90, 5)
    effect, error = raw_difference(member)
    with_it = member.done[:, 3] > 0
    assert effect[3] == pytest.approx(member.y[with_it].mean() - member.y[~with_it].mean())
    assert 0.01 < error[3] < 0.2


def test_the_bench_counts_what_it_says(tmp_path):
    found = measure_effects(2, 9, 1, lambda *_: None, plan=(("main", 60, 1.0), ("nothing acts", 60, 1.0)))
    assert {row["method"] for row in found["rows"]} == {OURS, "raw difference", "adjusted", "shrunk"}
    ours = next(row for row in found["rows"] if row["method"] == OURS and row["world"] == "main")
    assert ours["n_null"] + ours["n_real"] == 2 * 20 and ours["power_15_n"] == 2
    quiet = next(row for row in found["rows"] if row["method"] == OURS and row["world"] == "nothing acts")
    assert quiet["n_real"] == 0 and quiet["false_share_pct"] in (None, 100.0)
    rows = [row for row in find_effects("main", 60, 90_000) if row["method"] == OURS]
    assert len(rows) == 20
    assert "| main | 60 |" in effects_text(found)
