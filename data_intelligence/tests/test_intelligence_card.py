"""The card: one screen, nothing claimed that the ledger does not say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from data_intelligence import card_text, today_card, write_daily
from data_intelligence.card_print import MAX_LINES, WIDTH, print_card
from data_intelligence.errors import DamagedReport, NoForecast
from data_intelligence.ledger_view import p_of_equal_loss, verdict
from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.issue import current_issue
from hrv_shared.scoring import skill_interval
from hrv_shared.store import Store


def speak(store, world, synth, issue, *, reasons, bias_ms=-6.0):
    rows = synth.forecast_rows(
        world, issue.origin_day, issue.slot, "agent", bias_ms=bias_ms, reasons=reasons, as_of=issue.as_of
    )
    store.ledger.issue(issue.book, rows)


def refuse(store, issue):
    store.record.append(
        issue.member_id, "refusal", f"{issue.book}:{issue.name}:agent",
        {"forecaster": "agent", "code": "ModelFailed", "message": "No model file.", "issue": issue.describe()},
        known_at=store.clock(), basis="seen", source="llm-agent",
    )  # fmt: skip


def test_it_fits_one_screen_and_says_what_it_is(told, issue):
    text = card_text(today_card(told, issue))
    lines = text.splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("HRV · REPLAYED as of 2026-06-30 21:30 local")
    for words in (
        "TOMORROW  Wed  1 Jul",
        "50 % band",
        "80 % band",
        "THE WEEK",
        "HOW GOOD",
        "LOOK FURTHER",
        "hrv mlflow",
    ):
        assert words in text
    assert "\x1b" not in text


def test_its_numbers_are_the_ledgers(told, issue):
    card = today_card(told, issue)
    row = told.ledger.forecasts("replay", forecaster="final", origin_day=issue.origin_day).row(0, named=True)
    quantiles = row["quantiles_ms"]
    shown = card.tomorrow
    assert card.forecaster == "final"
    assert (shown.p10_ms, shown.p50_ms, shown.p90_ms) == tuple(round(quantiles[i], 1) for i in (3, 11, 19))
    above = 1 - np.interp(card.baseline_ms, quantiles, QUANTILE_LEVELS)
    assert shown.p_above_baseline == pytest.approx(above, abs=0.0006)
    assert [n.horizon for n in card.week] == [1, 2, 3, 4, 5, 6, 7]


def test_without_final_it_shows_the_mix_and_says_so(told, world, synth, issue):
    day = issue.origin_day - timedelta(days=60)
    earlier = replace(issue, origin_day=day, as_of=synth.at(day, 21.5))
    told.ledger.issue("replay", synth.forecast_rows(world, day, "evening", "mix"))
    card = today_card(told, earlier)
    assert card.forecaster == "mix"
    assert "the models' mix, no final forecast" in card_text(card)


def test_without_any_forecast_it_is_a_sentence(told, synth, issue):
    day = issue.origin_day - timedelta(days=90)
    with pytest.raises(NoForecast, match="found none. Make one: hrv daily"):
        today_card(told, replace(issue, origin_day=day, as_of=synth.at(day, 21.5)))


def test_without_a_summary_it_invents_no_baseline(store, issue):
    card = today_card(store, issue)
    assert card.baseline_ms is None
    assert all(n.p_above_baseline is None for n in card.week)
    assert "unknown, there is no baseline" in card_text(card)


def test_a_summary_that_is_damaged_is_named(told, issue):
    path = told.reports_dir("daily") / f"{issue.name}.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(DamagedReport, match="daily"):
        today_card(told, issue)


def test_the_summary_of_another_member_is_not_taken(told, issue):
    path = told.reports_dir("daily") / f"{issue.name}.json"
    summary = json.loads(path.read_text())
    summary["issue"]["member_id"] = "coach"
    path.write_text(json.dumps(summary))
    assert today_card(told, issue).baseline_ms is None


def test_the_agents_reasons_are_quoted_with_who_and_what_weight(told, world, synth, issue, now):
    reasons = {"rationale": "Three drinks lowered you before.", "shift_ms": -6.0, "rationale_by": "model"}
    speak(told, world, synth, issue, reasons=reasons)
    why = today_card(told, issue).why
    assert (why.status, why.shift_ms, why.text) == ("spoke", -6.0, "Three drinks lowered you before.")
    assert why.said_by == "agent (test-1)"
    assert "“Three drinks lowered you before.”" in card_text(today_card(told, issue))


def test_everybody_else_is_shown_beside_the_product(told, world, synth, issue):
    for name, bias in (("agent_calibrated", -4.0), ("rules", -2.0), ("guess", 3.0)):
        told.ledger.issue(issue.book, synth.forecast_rows(world, issue.origin_day, issue.slot, name, bias_ms=bias,
                                                          as_of=issue.as_of))  # fmt: skip
    card = today_card(told, issue)
    assert [v.forecaster for v in card.voices] == ["mix", "agent_calibrated", "rules", "guess"]
    for voice in card.voices:
        row = told.ledger.forecasts(
            "replay", forecaster=voice.forecaster, origin_day=issue.origin_day
        ).filter(horizon=1)
        assert voice.p50_ms == pytest.approx(row["quantiles_ms"][0][11], abs=0.051)
    line = next(line for line in card_text(card).splitlines() if "Others say" in line)
    assert "agent, recalibrated" in line and "your guess" in line and "rules alone" in line


def test_both_books_with_everybody_in_them_fit_one_screen(told, issue):
    card = today_card(told, issue)
    row = next(r for r in card.skill if r.horizons == "1" and r.forecaster == "final")
    names = ("final", "mix", "agent_calibrated", "agent", "rules", "guess", row.reference)
    rows = tuple(
        row.model_copy(update={"book": book, "forecaster": name})
        for book in ("replay", "live")
        for name in names
    )
    alerts = ("Illness is likely: resting heart rate and breathing have risen for two nights. " * 2,) * 3
    crowded = card.model_copy(
        update={"skill": rows, "alerts": alerts, "notes": ("note " * 30,) * 3, "issue_note": "n " * 100,
                "anomalies": ("odd " * 40,) * 3}
    )  # fmt: skip
    lines = card_text(crowded).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= WIDTH
    assert sum(line.startswith("  !! Illness") for line in lines) == 2
    assert "hrv reliability" in lines[-1]
    assert (
        sum("best naive rule" in line for line in lines) >= 3
    )  # the heading, and the reference of both books


def test_a_refusal_is_shown_as_one_and_only_for_its_own_issue(told, issue):
    refuse(told, replace(issue, origin_day=issue.origin_day - timedelta(days=1)))
    assert today_card(told, issue).why.status == "absent"
    refuse(told, issue)
    card = today_card(told, issue)
    assert card.why.status == "refused"
    assert "The agent did not forecast: No model file. (ModelFailed)" in card_text(card)


def test_replayed_and_live_scores_stay_apart(world, synth, tmp_path):
    """Live rows are issued before each night under a clock that moves on."""
    now = [synth.at(world.last_day - timedelta(days=40), 21.5)]
    store = Store(tmp_path, clock=lambda: now[0])
    store.write_table("days", world.days)
    for back in range(40, -1, -1):
        origin = world.last_day - timedelta(days=back)
        now[0] = synth.at(origin, 21.5)
        rows = [
            r for f in ("last_28", "ewma_8", "mix") for r in synth.forecast_rows(world, origin, "evening", f)
        ]
        store.ledger.issue("live", rows)
    synth.fill_ledger(world, store, nights=45)
    now[0] += timedelta(minutes=1)
    issue = current_issue(store, synth.member)
    assert issue.book == "live"
    write_daily(store, issue)
    card = today_card(store, issue)
    counted = {(r.book, r.forecaster): r.n for r in card.skill if r.horizons == "1"}
    assert counted["live", "mix"] == 40
    assert counted["replay", "final"] == 45
    assert card.is_live
    text = card_text(card)
    assert text.startswith("HRV · LIVE forecast, issued 2026-06-30 21:30 local (evening)")
    assert len(text.splitlines()) <= MAX_LINES


def test_before_the_evening_forecast_the_mornings_is_shown_and_said(world, synth, tmp_path):
    now = [synth.at(world.last_day, 9.0)]
    store = Store(tmp_path, clock=lambda: now[0])
    store.write_table("days", world.days)
    store.ledger.issue("live", synth.forecast_rows(world, world.last_day, "morning", "final"))
    now[0] = synth.at(world.last_day, 19.0)
    card = today_card(store, current_issue(store, synth.member))
    assert card.slot == "morning"
    assert any("evening forecast has not been made yet" in note for note in card.notes)


@pytest.mark.parametrize(
    ("n", "low", "high", "p", "words"),
    [(29, 5.0, 9.0, 0.01, "cannot tell yet"), (30, -0.1, 9.0, 0.01, "cannot tell yet"), (30, 0.1, 9.0, 0.01, "better"),
     (90, -9.0, -1.0, 0.01, "worse"), (90, None, None, None, "cannot tell yet"), (90, 0.1, 9.0, 0.2, "cannot tell yet"),
     (90, -9.0, -1.0, None, "cannot tell yet")],
)  # fmt: skip
def test_no_claim_before_thirty_nights_across_zero_or_against_the_test(n, low, high, p, words):
    assert verdict(n, low, high, p) == words


def test_two_equal_forecasters_are_seldom_told_apart():
    """Interval and paired test together claim an edge about as often as they say: 10 %; the interval alone 18 %."""
    rng = np.random.default_rng(20261129)
    claimed, tries, nights = 0, 150, 60
    for k in range(tries):
        came = rng.standard_t(4, nights) * 8
        for t in range(1, nights):
            came[t] += 0.25 * came[t - 1]
        a, b = (np.abs(came - rng.normal(0, 3, nights)) for _ in range(2))
        low, high = skill_interval(a, b, seed=k, resamples=200)
        claimed += verdict(nights, low, high, p_of_equal_loss(a, b, 1)) != "cannot tell yet"
    assert claimed / tries <= 0.16


def test_the_scorecard_ignores_what_was_scored_later(told, world, synth, issue):
    day = issue.origin_day - timedelta(days=10)
    past = replace(issue, origin_day=day, as_of=synth.at(day, 21.5))
    counted = {r.forecaster: r.n for r in today_card(told, past).skill if r.horizons == "1"}
    assert counted["mix"] == 35


def test_a_long_card_still_fits(told, world, synth, issue):
    speak(told, world, synth, issue, reasons={"rationale": "word " * 200, "shift_ms": -6.0})
    crowded = today_card(told, issue)
    why = crowded.why.model_copy(
        update={
            "matched": ("alcohol " * 30,) * 9,
            "facts": ("a long fact " * 5,) * 20,
            "journal_shift_ms": -4.0,
        }
    )
    crowded = crowded.model_copy(
        update={
            "why": why,
            "anomalies": ("odd " * 60,) * 5,
            "notes": ("note " * 60,) * 5,
            "issue_note": "n " * 200,
        }
    )
    lines = card_text(crowded).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= WIDTH
    assert any(line.startswith("THE WEEK") for line in lines)
    assert any("hrv reliability" in line for line in lines)


def test_in_a_terminal_it_prints_the_same_words(told, issue, capsys):
    card = today_card(told, issue)
    print_card(card)
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        line.rstrip() for line in card_text(card).splitlines()
    ]


def run_cli(home, *arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {"HRV_HOME": str(home)}
    command = [sys.executable, "-m", "data_intelligence", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=240)


def test_commands_answer_with_one_json_object(told, world, synth, issue):
    asked = ("--as-of", "2026-06-30T21:30:00Z", "--json")
    made = run_cli(told.home, "daily", *asked)
    assert made.returncode == 0, made.stderr
    files = json.loads(made.stdout)["files"]
    assert all(os.path.exists(path) for path in files)
    card = json.loads(run_cli(told.home, "card", *asked).stdout)
    assert card["forecaster"] == "final"
    assert card["tomorrow"] == card["week"][0]
    weekly = json.loads(run_cli(told.home, "weekly", *asked).stdout)
    assert weekly["name"] == "me-2026-06-30-evening"


def test_an_empty_store_is_answered_with_a_sentence_and_exit_code_two(tmp_path):
    made = run_cli(tmp_path, "card", "--json")
    assert made.returncode == 2
    assert json.loads(made.stdout)["error"]["code"] == "TooFewNights"
    made = run_cli(tmp_path, "daily")
    assert (made.returncode, made.stdout) == (2, "")
    assert "hrv pull" in made.stderr


def test_public_verbs_are_all_there():
    import data_intelligence

    assert [name for name in data_intelligence.__all__ if not hasattr(data_intelligence, name)] == []
