"""Effects: planted ones are found, nothing is claimed of what does nothing, and late answers stay out of evidence."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from data_intelligence import estimate_effects
from data_intelligence.evidence import EvidenceBook
from data_intelligence.tonight import all_effect_rows, matched_effects, tonight_facts
from hrv_shared.history import make_history


def history_of(world, synth, slot="evening"):
    as_of = synth.at(world.last_day, 21.5)
    return make_history(world.days, world.journal, synth.member, as_of, world.last_day, slot)


def with_facts(world, synth, rows):
    return type(world)(world.days, synth.journal_frame([*world.journal.to_dicts(), *rows]))


def shifted(world, by_night):
    """The world with so much added to ln RMSSD of some nights."""
    ln = pl.col("day").replace_strict(by_night, default=0.0, return_dtype=pl.Float64)
    days = world.days.with_columns(hrv_rmssd_ms=pl.col("hrv_rmssd_ms") * ln.exp())
    return type(world)(days, world.journal)


def nights_with(world, behaviour):
    return world.journal.filter(pl.col("behaviour") == behaviour)["night"].to_list()


@pytest.fixture(scope="module")
def many(synth):
    """Effects of twelve members with the same truth: four behaviours that act, eight that do not."""
    true = {"alcohol": -0.25, "sauna": 0.12, "late_meal": -0.16, "sick": -0.10}
    worlds = [synth.make_world(180, seed=700 + s, effects=true, nulls=8) for s in range(12)]
    return true, [estimate_effects(history_of(w, synth)).effects for w in worlds]


def test_planted_effects_lie_in_their_intervals_and_nulls_are_not_claimed(many):
    true, members = many
    everything = [e for fit in members for e in fit]
    assert len(everything) == 12 * 12
    inside = [
        low <= true.get(e.behaviour, 0.0) <= high for e in everything for low, high in [e.spread.ends_ln(90)]
    ]
    assert 0.82 <= np.mean(inside) <= 0.97
    claims = [e.shown for e in everything if e.behaviour not in true]
    assert np.mean(claims) <= 0.04
    for behaviour, share in (("alcohol", 1.0), ("late_meal", 0.8)):
        assert np.mean([e.shown for e in everything if e.behaviour == behaviour]) >= share
    error_pp = [abs(e.effect_pct - 100 * np.expm1(true.get(e.behaviour, 0.0))) for e in everything]
    assert np.mean(error_pp) < 2.6


def test_the_order_is_shown_first_and_the_interval_holds_the_estimate(many):
    for fit in many[1]:
        shown = [e.shown for e in fit]
        assert shown == sorted(shown, reverse=True)
        for e in fit:
            low, high = e.ends_pct(80)
            assert low <= e.effect_pct <= high
            assert e.ends_pct(95)[0] <= e.ends_pct(90)[0] <= low
            assert 0.0 <= e.p_harm <= e.p_negative <= 1.0
            assert e.clear <= e.shown


def test_few_nights_are_called_too_little_data_and_never_shown(world, synth):
    four = [world.last_day - timedelta(days=d) for d in (10, 20, 30, 40)]
    world = shifted(world, dict.fromkeys(four, -0.9))
    world = with_facts(world, synth, [synth.fact_row(n, "cold_shower") for n in four])
    effect = next(
        e for e in estimate_effects(history_of(world, synth)).effects if e.behaviour == "cold_shower"
    )
    assert effect.n_yes == 4 and effect.label == "too little data"
    assert effect.effect_pct < -5 and not effect.shown


def test_dose_scales_the_effect_and_names_the_band(synth):
    world = synth.make_world(220, seed=4, effects={}, nulls=3)
    drinks = {"kind": "amount", "unit": "drinks"}
    doses = {night: float(1 + i % 5) for i, night in enumerate(nights_with(world, "null_0"))}
    rows = [synth.fact_row(night, "alcohol", **drinks, amount=dose) for night, dose in doses.items()]
    world = shifted(with_facts(world, synth, rows), {night: -0.07 * dose for night, dose in doses.items()})
    world.journal = world.journal.filter(pl.col("behaviour") != "null_0")
    fit = estimate_effects(history_of(world, synth))
    one, three, six = (fit.effect("alcohol", dose) for dose in (1.0, 3.0, 6.0))
    assert [e.text for e in (one, three, six)] == [
        "alcohol, 1 drink",
        "alcohol, 2-3 drinks",
        "alcohol, 4 or more drinks",
    ]
    assert three.spread.median_ln == pytest.approx(3 * one.spread.median_ln)
    assert six.spread.median_ln == pytest.approx(6 * one.spread.median_ln)
    for effect, drinks in ((one, 1), (three, 3), (six, 6)):
        low, high = effect.spread.ends_ln(95)
        assert low <= -0.07 * drinks <= high
    assert three.phrase.startswith(f"alcohol, 2-3 drinks: {three.effect_ms:+.1f} ms (n={three.n_yes}, sd ")


def test_always_together_cannot_be_told_apart(synth):
    world = synth.make_world(180, seed=21, effects={"karaoke": -0.22}, nulls=4)
    alone = next(e for e in estimate_effects(history_of(world, synth)).effects if e.behaviour == "karaoke")
    together = with_facts(
        world, synth, [synth.fact_row(n, "loud_bar") for n in nights_with(world, "karaoke")]
    )
    both = {e.behaviour: e for e in estimate_effects(history_of(together, synth)).effects}
    pair = both["karaoke"], both["loud_bar"]
    assert alone.clear and alone.ends_pct(90)[1] < -8
    assert not any(e.clear for e in pair)
    for effect in pair:
        low, high = effect.ends_pct(90)
        alone_low, alone_high = alone.ends_pct(90)
        assert high - low > 1.7 * (alone_high - alone_low)
        assert high > 0
    total = sum(e.spread.wide_mean_ln for e in pair)
    assert total == pytest.approx(-0.22, abs=0.06)


def test_what_carries_over_is_found_on_its_night_and_on_no_other(synth):
    world = synth.make_world(220, seed=31, effects={"sick": -0.15, "sauna": 0.1}, nulls=3)
    after = [night + timedelta(days=1) for night in nights_with(world, "sick")]
    world = shifted(world, dict.fromkeys(after, -0.13))
    effects = {e.behaviour: e for e in estimate_effects(history_of(world, synth)).effects}
    first, second = effects["sick"].later
    assert [first.nights_later, second.nights_later] == [1, 2]
    assert first.shown and first.spread.median_ln < -0.07
    assert first.spread.wide_mean_ln == pytest.approx(-0.13, abs=3 * first.spread.wide_sd_ln)
    assert not second.shown
    assert not any(night.shown for name, e in effects.items() if name != "sick" for night in e.later)


def test_the_hour_of_the_last_drink_counts(synth):
    world = synth.make_world(220, seed=41, effects={"alcohol": -0.2}, nulls=3)
    nights = nights_with(world, "alcohol")
    minutes = {night: 20 * 60 + (i * 97) % 290 for i, night in enumerate(nights)}
    rows = [
        synth.fact_row(n, "alcohol_last_time", "time", clock_time=f"{m // 60 % 24:02d}:{m % 60:02d}")
        for n, m in minutes.items()
    ]
    usual = float(np.median(list(minutes.values())))
    world = shifted(world, {n: -0.05 * (m - usual) / 60 for n, m in minutes.items()})
    fit = estimate_effects(history_of(with_facts(world, synth, rows), synth))
    hour = next(e for e in fit.effects if e.behaviour == "alcohol_last_time")
    assert hour.text == f"last drink 1 h later than usual ({usual // 60:02.0f}:{usual % 60:02.0f})"
    assert hour.spread.ends_ln(95)[0] <= -0.05 <= hour.spread.ends_ln(95)[1]
    assert hour.effect_pct < -2
    late, early = (
        fit.clock_effect("alcohol_last_time", usual / 60 + 2),
        fit.clock_effect("alcohol_last_time", 20.0),
    )
    assert late.effect_ms < 0 < early.effect_ms


def test_tonights_hour_is_matched_beside_tonights_drinks(synth):
    world = synth.make_world(220, seed=41, effects={"alcohol": -0.2}, nulls=1)
    hours = ("20:30", "21:00", "21:30", "22:00", "22:30")
    rows = [
        synth.fact_row(n, "alcohol_last_time", "time", clock_time=hours[i % 5])
        for i, n in enumerate(nights_with(world, "alcohol"))
    ]
    tonight = world.last_day + timedelta(days=1)
    rows += [
        synth.fact_row(tonight, "alcohol", "amount", amount=2.0, unit="drinks"),
        synth.fact_row(tonight, "alcohol_last_time", "time", clock_time="23:30"),
    ]
    world = with_facts(world, synth, rows)
    history, book = history_of(world, synth), EvidenceBook()
    facts, _ = tonight_facts(history, world.issue(), book)
    matched, unknown = matched_effects(estimate_effects(history), facts, book)
    assert {m.behaviour for m in matched} == {"alcohol", "alcohol_last_time"}
    hour = next(m for m in matched if m.behaviour == "alcohol_last_time")
    assert hour.text == "last drink 2.0 h later than usual (21:30)"
    assert unknown == ()


def test_answers_given_after_the_score_are_kept_out_marked_and_never_matched(synth):
    world = synth.make_world(180, seed=9, effects={"alcohol": -0.25}, nulls=0)
    late = world.journal.with_columns(
        known_at=pl.col("known_at") + pl.duration(hours=11), source=pl.lit("whoop-export")
    )
    assert late.filter(pl.col("behaviour") == "alcohol").height > 20
    tonight = synth.fact_row(world.last_day + timedelta(days=1), "alcohol")
    world.journal = synth.journal_frame([*late.to_dicts(), tonight])
    history, book = history_of(world, synth), EvidenceBook()
    fit = estimate_effects(history)
    assert fit.effects == []
    looking_back = estimate_effects(history, with_retrospective=True).effects
    assert [e.retrospective for e in looking_back] == [True]
    assert looking_back[0].p_negative > 0.99
    rows = all_effect_rows(history, fit, book)
    assert [(r.behaviour, r.retrospective, r.shown) for r in rows] == [("alcohol", True, True)]
    facts, _ = tonight_facts(history, world.issue(), book)
    assert [f.behaviour for f in facts] == ["alcohol"]
    matched, unknown = matched_effects(fit, facts, book)
    assert matched == ()
    assert unknown == ("No earlier night with alcohol is on record, so its personal effect is unknown.",)


def test_a_finished_experiment_makes_the_label_and_is_told_beside(world, synth):
    tested = {"sauna": {"effect_pct": 9.0, "low90_pct": 1.0, "high90_pct": 17.0, "n": 28}}
    history, book = history_of(world, synth), EvidenceBook()
    rows = all_effect_rows(history, estimate_effects(history, tested=tested), book)
    labels = {row.behaviour: row.label for row in rows}
    assert labels["sauna"] == "tested"
    assert labels["alcohol"] == "adjusted association"
    row = next(r for r in rows if r.behaviour == "sauna")
    assert row.tested.model_dump() == tested["sauna"]


def test_what_becomes_known_later_changes_nothing(world, synth):
    history = history_of(world, synth)
    later = synth.at(world.last_day, 23.0)
    rows = [
        synth.fact_row(n, "alcohol", known_at=later, fact_key=f"late:{n}")
        for n in nights_with(world, "null_0")
    ]
    after = history_of(with_facts(world, synth, rows), synth)
    assert estimate_effects(after).digest == estimate_effects(history).digest


def test_unlogged_evenings_count_neither_way(synth):
    world = synth.make_world(180, seed=2, nulls=0, every_night_logged=False)
    effect = estimate_effects(history_of(world, synth)).effects[0]
    logged = world.journal["night"].n_unique()
    assert effect.n_yes + effect.n_no <= logged < 180


def test_silence_is_unknown_where_the_wearer_usually_says_no(synth):
    world = synth.make_world(120, seed=3, effects={"alcohol": -0.2}, nulls=0)
    journalled = set(world.journal["night"].to_list())
    quiet = sorted(journalled - set(nights_with(world, "alcohol")))
    told = quiet[: int(0.7 * len(quiet))]
    world = with_facts(world, synth, [synth.fact_row(n, "alcohol", "no") for n in told])
    effect = estimate_effects(history_of(world, synth)).effects[0]
    assert effect.n_no == len(told)


def test_plans_and_drafts_teach_nothing(world, synth):
    rows = [row | {"is_plan": True} for row in world.journal.to_dicts()]
    world = type(world)(world.days, synth.journal_frame(rows))
    assert estimate_effects(history_of(world, synth)).effects == []
    rows = [row | {"status": "draft"} for row in world.journal.to_dicts()]
    world = type(world)(world.days, synth.journal_frame(rows))
    assert estimate_effects(history_of(world, synth)).effects == []


def test_more_nights_tell_smaller_effects(world, synth):
    effect = next(e for e in estimate_effects(history_of(world, synth)).effects if e.behaviour == "null_0")
    now, later = effect.detectable_pct(), effect.detectable_pct(220)
    assert 0 < later < now
    nights = effect.nights_for(later)
    assert nights == pytest.approx(220, abs=1)
    assert effect.nights_for(50.0) == 0
