"""The daily summary: as-of, deterministic, evidence behind every number, no old value under a new date."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from data_intelligence import DailySummary, chosen_issue, summarise_day, write_daily
from data_intelligence.errors import BadMoment
from data_intelligence.figure import THEME_SHEET, without_sheet
from data_intelligence.markdown_words import id_ranges
from hrv_shared.issue import current_issue
from hrv_shared.store import Store


def written(store, issue) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in write_daily(store, issue)}


def add_tonight(world, synth, *rows):
    night = world.last_day + timedelta(days=1)
    facts = [synth.fact_row(night, name, **values) for name, values in rows]
    return type(world)(world.days, synth.journal_frame([*world.journal.to_dicts(), *facts]))


def numbers_without_evidence(value, book, path="", above=None):
    """Paths of numbers whose nearest enclosing object cites nothing that resolves."""
    if isinstance(value, dict):
        own = value.get("evidence", above)
        for key, inner in value.items():
            if (path, key) not in (("", "issue"), ("", "evidence")):
                yield from numbers_without_evidence(inner, book, f"{path}/{key}", own)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from numbers_without_evidence(inner, book, f"{path}/{i}", above)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and above not in book:
        yield path


def test_it_holds_every_part_and_evidence_for_every_number(store, issue):
    files = written(store, issue)
    name = issue.name
    assert set(files) == {f"{name}.json", f"{name}.md", "schema.json"} | {
        f"{name}-{p}.svg" for p in ("history", "reliability", "effects")
    }
    summary = json.loads(files[f"{name}.json"])
    assert DailySummary.model_validate(summary).issue.book == "replay"
    assert list(numbers_without_evidence(summary, summary["evidence"])) == []
    assert len(summary["nights"]) == 28
    assert {line["forecaster"] for line in summary["forecasts"]} == {
        "last_night",
        "last_28",
        "ewma_8",
        "mix",
        "final",
    }
    assert sorted({line["horizon"] for line in summary["forecasts"]}) == [1, 2, 3, 4, 5, 6, 7]
    assert {row["forecaster"] for row in summary["skill"]} >= {"mix", "final", "ewma_8"}
    cited = [e for e in summary["evidence"].values() if e["kind"] == "ledger"]
    row_hash = store.ledger.forecasts("replay", slot="evening", origin_day=issue.origin_day)["hash"]
    assert {e["where"][0].split("/")[-1] for e in cited} == set(row_hash)


def test_a_forecaster_is_a_row_of_the_table_and_its_ids_stand_for_all_its_nights(store, issue):
    files = written(store, issue)
    text, summary = files[f"{issue.name}.md"].decode(), json.loads(files[f"{issue.name}.json"])
    table = text.split("## Model forecasts (ms)")[1].split("##")[0].splitlines()
    rows = {cells[1]: cells[2:-1] for line in table if len(cells := [c.strip() for c in line.split("|")]) > 4}
    own = [line for line in summary["forecasts"] if line["forecaster"] == "mix"]
    assert [cell.split()[0] for cell in rows["mix"][:-1]] == [f"{line['p50_ms']:.1f}" for line in own]
    assert rows["mix"][-1] == id_ranges([line["evidence"] for line in own])
    assert [name for name in rows if name in ("final", "mix")] == list(rows)[2:4]


def test_ids_that_follow_each_other_are_drawn_together():
    assert id_ranges(["E9", "E3", "E4", "E5"]) == "E3–E5, E9"
    assert id_ranges([]) == ""


def test_a_guard_against_numbers_without_evidence_bites():
    assert list(numbers_without_evidence({"a": {"x": 1.0}}, {"E1": {}})) == ["/a/x"]
    assert list(numbers_without_evidence({"a": {"x": 1.0, "evidence": "E2"}}, {"E1": {}})) == ["/a/x"]


def test_the_same_inputs_give_the_same_bytes(world, synth, issue, now, tmp_path):
    made = []
    for name in ("one", "two"):
        store = world.write(tmp_path / name, now)
        synth.fill_ledger(world, store, issue=issue)
        files = written(store, issue)
        made.append(files | {f"again {k}": v for k, v in written(store, issue).items()})
    for name, content in made[0].items():
        assert content == made[1][name], name
        assert content == made[0][name.removeprefix("again ")], name


def test_what_became_known_later_changes_no_byte(world, synth, issue, now, tmp_path):
    """Replay at an earlier moment; poison or delete everything known after it."""
    origin = world.last_day - timedelta(days=20)
    past = replace(issue, origin_day=origin, as_of=synth.at(origin, 21.5))
    rng = np.random.default_rng(3)

    def make(name, days, journal):
        store = type(world)(days, journal).write(tmp_path / name, now)
        sayings = [
            row
            for back in range(40, -1, -1)
            for forecaster in ("last_28", "ewma_8", "mix")
            for row in synth.forecast_rows(world, origin - timedelta(days=back), "evening", forecaster)
        ]
        store.ledger.issue("replay", sayings)
        store.ledger.record_outcomes(days)
        return store

    later = pl.col("known_at") > past.as_of
    poison = {
        name: pl.when(later).then(pl.lit(rng.uniform(5, 300))).otherwise(pl.col(name)).alias(name)
        for name in ("hrv_rmssd_ms", "resting_hr_bpm", "strain_0_21", "resp_rate_rpm", "asleep_min")
    }
    stores = {
        "whole": make("whole", world.days, world.journal),
        "cut": make("cut", world.days.filter(~later), world.journal.filter(~later)),
        "poisoned": make(
            "poisoned",
            world.days.with_columns(poison.values()),
            world.journal.with_columns(behaviour=pl.when(later).then(pl.lit("vodka")).otherwise("behaviour")),
        ),
    }
    more = [
        r
        for f in ("mix", "final")
        for r in synth.forecast_rows(world, world.last_day, "evening", f, bias_ms=50.0)
    ]
    stores["poisoned"].ledger.issue("replay", more)
    assert written(stores["whole"], past) == written(stores["cut"], past) == written(stores["poisoned"], past)
    assert b"vodka" in written(stores["poisoned"], issue)[f"{issue.name}.json"]


@pytest.mark.parametrize("state", ["pending", "unscorable", "calibrating", "no_sleep", "invalid", "missing"])
def test_a_night_without_a_value_never_shows_the_one_before(world, synth, now, tmp_path, state):
    today = world.last_day + timedelta(days=1)
    rows = world.days.to_dicts()
    if state != "missing":
        value = 71.0 if state == "calibrating" else None
        rows.append(
            synth.day_row(today, state=state, hrv_rmssd_ms=value, resting_hr_bpm=None, asleep_min=None)
        )
    world = type(world)(synth.days_frame(rows), world.journal, last_day=today)
    store = world.write(tmp_path, now)
    summary = summarise_day(store, world.issue("morning")).summary
    assert (summary.last_night.day, summary.last_night.state) == (today, state)
    assert summary.last_night.hrv_rmssd_ms is None
    assert summary.last_night.z is None
    assert summary.nights[-1].day == today
    assert summary.nights[-1].hrv_rmssd_ms is None
    assert summary.nights[-2].hrv_rmssd_ms is not None
    assert summary.resting_hr[-1].resting_hr_bpm is None
    assert summary.sleep_last_night is None
    assert summary.freshness.last_scored_day == today - timedelta(days=1)
    assert summary.freshness.nights_behind == 1
    assert summary.last_night.sentence in summary.unknown


def test_a_morning_does_not_see_the_day_and_an_evening_says_so_far(world, synth, now, tmp_path):
    rows = world.days.to_dicts()
    rows.append(
        synth.day_row(world.last_day, known_at=synth.at(world.last_day, 20.0), hrv_rmssd_ms=60.0, strain_0_21=13.4,
                      strain_is_final=False)
    )  # fmt: skip
    world = type(world)(synth.days_frame(rows), world.journal)
    store = world.write(tmp_path, now)
    assert summarise_day(store, world.issue("morning")).summary.load.today_strain_0_21 is None
    evening = summarise_day(store, world.issue("evening")).summary
    assert (evening.load.today_strain_0_21, evening.load.today_is_final) == (13.4, False)
    assert any("so far" in line for line in evening.unknown)


def test_tonights_facts_meet_their_effects(world, synth, issue, now, tmp_path):
    world = add_tonight(
        world, synth, ("alcohol", {}), ("vaccination", {}), ("sauna", {"status": "draft"}),
        ("planned_bedtime", {"kind": "time", "clock_time": "23:30", "is_plan": True}),
    )  # fmt: skip
    summary = summarise_day(world.write(tmp_path, now), issue).summary
    assert [f.text for f in summary.tonight_facts] == [
        "alcohol: yes",
        "planned bedtime: 23:30 (plan)",
        "vaccination: yes",
    ]
    assert [m.behaviour for m in summary.matched_effects] == ["alcohol"]
    match = summary.matched_effects[0]
    effect = next(e for e in summary.effects if e.behaviour == "alcohol")
    assert (match.phrase, match.effect_ms) == (effect.phrase, effect.effect_ms)
    assert match.effect_ms < -5
    assert any("vaccination" in line for line in summary.unknown)
    assert any("1 journal facts about tonight wait" in line for line in summary.unknown)


def test_the_baseline_is_that_of_sixty_days(store, world, issue):
    base = summarise_day(store, issue).summary.baseline
    values = world.days.filter(pl.col("day") > issue.origin_day - timedelta(days=60)).unique("day")[
        "hrv_rmssd_ms"
    ]
    assert base.n_60d == 60
    assert base.mean_60d_ms == pytest.approx(values.mean(), abs=0.051)
    assert base.sd_60d_ms == pytest.approx(values.std(), abs=0.051)
    assert base.smallest_worthwhile_change_ms == pytest.approx(values.std() / 2, abs=0.051)


def test_raised_heart_rate_and_a_low_night_are_called_out(world, synth, issue, now, tmp_path):
    last = pl.col("day") == world.last_day
    odd = {"hrv_rmssd_ms": 24.0, "resting_hr_bpm": 63.0, "resp_rate_rpm": 17.0}
    days = world.days.with_columns(
        pl.when(last).then(v).otherwise(pl.col(k)).alias(k) for k, v in odd.items()
    )
    summary = summarise_day(type(world)(days, world.journal).write(tmp_path, now), issue).summary
    assert [a.name for a in summary.anomalies] == ["hrv", "resting_hr", "resp_rate"]
    assert "below" in summary.anomalies[0].sentence


def test_an_ordinary_night_raises_nothing(world, synth, issue, now, tmp_path):
    last = pl.col("day") == world.last_day
    usual = {"hrv_rmssd_ms": 55.0, "resting_hr_bpm": 52.0, "resp_rate_rpm": 14.5}
    days = world.days.with_columns(
        pl.when(last).then(v).otherwise(pl.col(k)).alias(k) for k, v in usual.items()
    )
    assert summarise_day(type(world)(days, world.journal).write(tmp_path, now), issue).summary.anomalies == ()


def test_an_empty_ledger_and_journal_are_said(world, synth, issue, now, tmp_path):
    store = type(world)(world.days, synth.journal_frame([])).write(tmp_path, now)
    files = written(store, issue)
    summary = DailySummary.model_validate_json(files[f"{issue.name}.json"])
    said = " ".join(summary.unknown)
    for words in ("No model forecast", "has been scored yet", "No personal effect", "No journal fact"):
        assert words in said
    assert summary.effects == summary.forecasts == summary.skill == ()


def test_plots_are_self_contained_and_fit_for_a_strict_page(store, issue):
    for name, content in written(store, issue).items():
        if not name.endswith(".svg"):
            continue
        text = content.decode()
        assert f"<style>{THEME_SHEET}</style>" in text
        text = without_sheet(text)
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("aria-label")
        assert [child.tag.split("}")[1] for child in root[:2]] == ["title", "desc"]
        for banned in ("<style", "style=", "<script", "<metadata", "@font", "<text"):
            assert banned not in text, (name, banned)
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        links = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("href")]
        assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_journal_words_stay_words_in_markdown(world, synth, issue, now, tmp_path):
    world = add_tonight(
        world, synth, ("custom_boolean", {"kind": "text", "quote": "<script>x</script>\n# [a](b)"})
    )
    text = written(world.write(tmp_path, now), issue)[f"{issue.name}.md"].decode()
    assert "<script" not in text
    assert "\n# \\[" not in text
    assert "&lt;script>x&lt;/script>" in text


def test_an_earlier_moment_can_be_asked_for(store, world, synth):
    day = world.last_day - timedelta(days=10)
    asked = chosen_issue(store, synth.member, as_of=f"{day}T08:30:00")
    assert (asked.book, asked.slot, asked.origin_day) == ("replay", "morning", day)
    asked = chosen_issue(store, synth.member, as_of=f"{day}T23:00:00Z")
    assert (asked.slot, asked.origin_day) == ("evening", day)
    asked = chosen_issue(store, synth.member, as_of=f"{day}T23:30:00+01:00", slot="morning")
    assert (asked.slot, asked.origin_day) == ("morning", day)
    assert chosen_issue(store, synth.member) == current_issue(store, synth.member)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"as_of": "yesterday"}, "ISO instant"),
        ({"as_of": "2999-01-01"}, "future"),
        ({"slot": "noon"}, "evening"),
    ],
)
def test_an_impossible_moment_is_refused_in_a_sentence(store, synth, asked, words):
    with pytest.raises(BadMoment, match=words):
        chosen_issue(store, synth.member, **asked)


def test_another_members_rows_are_not_seen(store, world, issue, now, tmp_path):
    other = world.days.with_columns(member_id=pl.lit("coach"), hrv_rmssd_ms=pl.lit(200.0))
    both = type(world)(pl.concat([world.days, other]), world.journal).write(tmp_path / "both", now)
    alone = world.write(tmp_path / "alone", now)
    assert summarise_day(both, issue).summary == summarise_day(alone, issue).summary


def test_a_store_is_left_readable_when_a_plot_fails(store: Store, issue, monkeypatch):
    import data_intelligence.plots as plots

    monkeypatch.setattr(plots, "effects_plot", lambda view: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_daily(store, issue)
    assert not (store.reports_dir("daily") / f"{issue.name}.json").exists()
    assert date.fromisoformat(issue.name.removeprefix("me-")[:10]) == issue.origin_day
