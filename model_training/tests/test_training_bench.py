"""The benchmark: the right nights, held-out people, rows that say what they should, runs that carry on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from model_training.bench import command, evaluate
from model_training.bench.errors import BadTable
from model_training.bench.goals import goal_rows
from model_training.bench.masks import RUNGS, masked
from model_training.bench.origins import FIRST, MAIN, periods
from model_training.bench.people import people_of, read_people
from model_training.bench.text import render
from model_training.forecasters.ewma_8 import Ewma8
from model_training.forecasters.last_28 import Last28
from model_training.forecasters.ridge import Ridge
from model_training.forecasters.state_space import StateSpace
from model_training.pool import Pool
from model_training.synthetic import cohort_table, make_cohort

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "daily_hrv.parquet"
FEW = {"last_28": Last28, "ewma_8": Ewma8, "state_space": StateSpace, "ridge": Ridge}
ROW = {
    "slot",
    "horizon",
    "forecaster",
    "reference",
    "skill_pct",
    "ci_low",
    "ci_high",
    "n_forecasts",
    "n_people",
    "mae_ms",
    "crps_ms",
    "coverage_50",
    "coverage_80",
    "coverage_95",
}


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return cohort_table(make_cohort(7, 90, 5, journal_share=1.0))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The benchmark with four forecasters and a small synthetic support; the last fold's pool counts as shipped."""
    monkeypatch.setattr(evaluate, "find_forecasters", lambda: FEW)
    monkeypatch.setattr(evaluate, "pooled_forecasters", lambda: [StateSpace, Ridge])
    monkeypatch.setattr(evaluate, "SUPPORT_PEOPLE", 4)
    monkeypatch.setattr(evaluate, "SUPPORT_NIGHTS", 80)
    monkeypatch.setattr(evaluate, "FOLDS", 2)
    shipped = evaluate.fold_pool(people_of(cohort_table(make_cohort(5, 80, 77)))[0], "evening")
    parts = dict.fromkeys(("evening", "morning"), shipped.parts["evening"])
    monkeypatch.setattr(evaluate, "shipped_pool", lambda: Pool(parts, {"people": []}))
    monkeypatch.setattr("model_training.paths.shipped_pool", lambda: Pool(parts, {"people": []}))
    return evaluate.Plan(tmp_path / "work", "naive", 0, 1)


def test_a_run_says_what_it_should_and_carries_on(small, table, tmp_path, monkeypatch):
    path = tmp_path / "people.parquet"
    table.write_parquet(path)
    result = command.run_bench(path, small)
    rows = {(r["slot"], r["horizon"], r["forecaster"], r["reference"]): r for r in result["rows"]}
    assert set(next(iter(rows.values()))) >= ROW
    assert {slot for slot, *_ in rows} == {"evening", "morning"} and {h for _, h, *_ in rows} == {
        *range(1, 8),
        "3-7",
    }
    first = rows["evening", 1, "final", "last_28"]
    assert first["ci_low"] < first["skill_pct"] < first["ci_high"] and first["n_people"] == 7
    assert ("evening", 1, "final_shipped", "last_28") in rows and ("evening", 1, "final", "ewma_8") in rows
    assert [r["rung"] for r in result["ladder"]] == list(RUNGS) and result["cold_start"] and result["weeks"]
    text = render(result)
    assert "night 1, evening, against the last 28 nights" in text and "| final_shipped" in text
    written = command.write_results(result, tmp_path / "out", text)
    assert {p.name for p in written} >= {"results.json", "RESULTS.md", "skill_by_night.svg", "ladder.svg"}
    assert json.loads(written[0].read_text())["rows"] == result["rows"]

    monkeypatch.setattr(evaluate, "_fold", lambda *_: pytest.fail("a finished fold was computed again"))
    again = command.run_bench(path, small)
    assert again["rows"] == result["rows"]


def test_beside_the_true_law_the_share_of_the_attainable_skill_is_told(small):
    result = command.run_synthetic(4, 80, replace(small, ladder=False))
    law = {
        r["slot"]: r
        for r in result["rows"]
        if (r["forecaster"], r["horizon"], r["reference"]) == ("true_law", 1, "last_28")
    }
    ours = next(
        r for r in result["rows"] if (r["forecaster"], r["horizon"], r["slot"]) == ("final", 1, "evening")
    )
    share = next(
        g for g in result["goals"] if g["goal"].startswith("share of the attainable skill, evening, night 1")
    )
    assert share["figure"] == pytest.approx(100 * ours["skill_pct"] / law["evening"]["skill_pct"])
    assert (
        65 < law["evening"]["coverage_80"] < 95 and 65 < law["morning"]["coverage_80"] < 95
    )  # few nights, true law


def test_a_pool_never_saw_whom_it_is_judged_on(small, table):
    """Whatever the held-out people's nights are, their fold's pool is the same."""
    people = people_of(table)[0]
    pools = []
    for factor in (1.0, 2.0):
        changed = people_of(
            table.with_columns(
                hrv_rmssd_ms=pl.when(pl.col("person_id") == "s0001")
                .then(pl.col("hrv_rmssd_ms") * factor)
                .otherwise(pl.col("hrv_rmssd_ms"))
            )
        )[0]
        pools.append(evaluate.fold_pool([p for p in changed if p.name != people[0].name], "morning").parts)
    assert pools[0] == pools[1]


def test_the_shipped_pool_is_not_judged_on_its_own_people(small, table, monkeypatch):
    person = people_of(table)[0][0]
    pool = evaluate.shipped_pool()
    frames = pl.concat(evaluate._person(person, "evening", _with_paths(pool), small))
    assert evaluate.SHIPPED in frames["forecaster"]
    monkeypatch.setattr(evaluate, "shipped_pool", lambda: Pool(pool.parts, {"people": [person.digest]}))
    frames = pl.concat(evaluate._person(person, "evening", _with_paths(pool), small))
    assert evaluate.SHIPPED not in frames["forecaster"]


def _with_paths(pool: Pool) -> Pool:
    return Pool(
        {
            slot: dict(parts) | {"week_paths": {"correlation": np.eye(7).tolist()}}
            for slot, parts in pool.parts.items()
        },
        {},
    )


def test_what_counts_is_the_second_half_and_the_first_nights(table):
    grid = people_of(table)[0][0].grid("evening")
    nights = np.cumsum(np.isfinite(grid.log_hrv))
    asked = periods(grid)
    assert nights[asked[MAIN]].min() >= max(28, nights[-1] // 2) and len(grid) - 1 not in asked[MAIN]
    assert set(nights[asked[FIRST]]) == set(range(3, 28))


def test_evening_and_morning_see_what_they_may(table):
    person = people_of(table)[0][0]
    evening, morning = person.grid("evening"), person.grid("morning")
    strain = evening.daytime["strain_0_21"]
    np.testing.assert_array_equal(morning.daytime["strain_0_21"][1:], strain[:-1])
    np.testing.assert_array_equal(evening.log_hrv, morning.log_hrv)
    assert np.isfinite(evening.dose[:, 0]).any() and not np.isfinite(morning.dose[:-1, 0]).any()
    whole = person.history("evening").days
    assert (
        person.history("evening", date(*whole["day"][20].timetuple()[:3])).days["day"].max()
        == whole["day"][20]
    )


def test_a_day_heart_rate_is_not_known_in_the_morning():
    rows = pl.DataFrame(
        {
            "dataset": "lifesnaps",
            "person_id": "1",
            "date": [datetime(2026, 1, d) for d in range(1, 32)],
            "hrv_rmssd_ms": 40.0 + np.arange(31),
            "rhr_bpm": 50.0 + np.arange(31),
            "steps": 5000.0,
        }
    )
    person = people_of(rows)[0][0]
    assert (
        person.grid("evening").night["resting_hr_bpm"][5] == 55
        and person.grid("morning").night["resting_hr_bpm"][5] == 54
    )


def test_each_rung_hides_what_is_above_it(table):
    grid = people_of(table)[0][0].grid("evening")
    history, wearable, strain, calendar, journal = (masked(grid, rung) for rung in RUNGS)
    assert not any(np.isfinite(v).any() for v in (*history.night.values(), *history.daytime.values()))
    assert (
        wearable.daytime["strain_0_21"][10] == grid.daytime["strain_0_21"][9] and not wearable.knows_weekday
    )
    assert strain.daytime["strain_0_21"][10] == grid.daytime["strain_0_21"][10]
    assert calendar.knows_weekday and not np.isfinite(calendar.dose).any()
    np.testing.assert_array_equal(journal.dose, grid.dose)


def test_a_journal_is_heard():
    rows = pl.DataFrame(
        {
            "dataset": "x",
            "person_id": "1",
            "date": [datetime(2026, 1, d) for d in range(1, 32)],
            "hrv_rmssd_ms": 40.0 + np.arange(31),
            "journal": [
                '{"alcohol": 3, "tags": ["COVID-19", "Coffee"]}',
                '{"Have any alcoholic drinks?": false}',
                "no json",
                *[None] * 28,
            ],
        }
    )
    facts = people_of(rows)[0][0].journal.select("day", "night", "behaviour", "kind", "amount").rows()
    first, second, third = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
    assert set(facts) == {
        (first, second, "alcohol", "amount", 3.0),
        (first, second, "sick", "yes", None),
        (first, second, "caffeine", "yes", None),
        (second, third, "alcohol", "no", None),
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop("hrv_rmssd_ms"), "missing: hrv_rmssd_ms"),
        (lambda t: t.head(20), "nobody has 30 nights"),
        (lambda t: t.with_columns(rhr_bpm=pl.lit("x")), "kind that it should be"),
    ],
)
def test_a_bad_table_is_told(table, tmp_path, change, said):
    path = tmp_path / "bad.parquet"
    change(table).write_parquet(path)
    with pytest.raises(BadTable, match=said):
        read_people(path)
    with pytest.raises(BadTable, match="found no file"):
        read_people(tmp_path / "none.parquet")
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(BadTable, match="could not read"):
        read_people(path)


def test_goals_name_the_step_and_the_alarm():
    row = {
        "slot": "evening",
        "horizon": 1,
        "forecaster": "final",
        "reference": "last_28",
        "skill_pct": 30.0,
        "ci_low": 20.0,
        "ci_high": 40.0,
        "n_forecasts": 100,
        "n_people": 5,
        "people_positive_pct": 95.0,
        "coverage_80": 81.0,
        "coverage_95": 97.0,
    }
    goals = {g["goal"]: g for g in goal_rows([row])}
    first = goals["night 1, evening, against the last 28 nights"]
    assert first["reached"] == "stretch" and "leak" in first["alarm"]
    assert goals["people with positive skill, night 1, evening, %"]["reached"] == "floor"
    assert goals["pooled coverage of 95 % bands, worst horizon and slot: points off"]["reached"] is False


def test_of_two_rows_for_one_day_the_longest_sleep_counts(table):
    first = table.head(1).with_columns(hrv_rmssd_ms=pl.lit(99.0), sleep_min=pl.lit(1000.0))
    twice = people_of(pl.concat([table, first]))[0][0]
    once = people_of(table)[0][0]
    assert twice.doubled == 1 and len(twice.days) == len(once.days) and twice.days["hrv_rmssd_ms"][0] == 99.0


@pytest.mark.skipif(
    not SHARED.exists(), reason="the open data set ../shared/data/daily_hrv.parquet is not here"
)
def test_the_open_data_is_read():
    people, left_out = read_people(SHARED)
    assert len(people) == 34 and not left_out and sum(p.nights for p in people) == 2484
    assert sum(len(p.journal) for p in people) > 100
