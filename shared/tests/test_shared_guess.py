"""The wearer's own guess: read, turned into quantiles, kept as said first, refused when late or nonsense, scored."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from hrv_shared import schemas
from hrv_shared.commands import app
from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.errors import BadGuess, GuessStands, NightHasBegun, StaleData
from hrv_shared.guess import Said, enter_guess, own_shape, past_guesses, quantiles_of, read_said
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

TODAY = date(2026, 5, 10)
NOW = datetime(2026, 5, 10, 20, tzinfo=UTC)
SAID = Said(55.0, 70.0, 80.0)


class Clock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    store = Store(tmp_path / "home", clock)
    write_days(store, nights(60))
    return store


def nights(count, until=TODAY, seed=0):
    rng = np.random.default_rng(seed)
    return {until - timedelta(days=k): float(60 * np.exp(rng.normal(0, 0.15))) for k in range(count)}


def write_days(store, values):
    rows = []
    for day, value in sorted(values.items()):
        wake = datetime(day.year, day.month, day.day, 6, 30, tzinfo=UTC)
        rows.append(
            dict(member_id="me", day=day, state="scored", hrv_rmssd_ms=value, known_at=wake + timedelta(minutes=30),
                 wake_at=wake, sleep_onset_at=wake - timedelta(hours=8), utc_offset_min=0, basis="seen", source="t")
        )  # fmt: skip
    columns = schemas.TABLES["days"].columns
    store.write_table("days", pl.DataFrame(rows).with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in rows[0]
    ).select(pl.col(name).cast(kind) for name, kind in columns.items()))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("55..70", (55, 70)), ("55-70", (55, 70)), ("55–70 ms", (55, 70)), (" 55 to 70", (55, 70)),
     ("55,5..70", (55.5, 70)),
     ("62", (62, 62)), ("62 ms", (62, 62))],
)  # fmt: skip
def test_what_is_said_is_read(text, expected):
    said = read_said(text)
    assert (said.low_ms, said.high_ms, said.sure_pct) == (*expected, 80.0)


@pytest.mark.parametrize(
    ("text", "sure", "says"),
    [("high", 80, "such as 55..70"), ("", 80, "such as 55..70"), ("70..55", 80, "hrv guess 55..70"),
     ("60..60", 80, "lower end first"),
     ("0..70", 80, "between 1 and 400"), ("55..700", 80, "between 1 and 400"), ("60..60.5", 80, "narrower"),
     ("10..200", 80, "20 times apart"), ("55..70", 99, "between 50 and 95"), ("55..70", 20, "between 50 and 95"),
     ("-55..70", 80, "such as 55..70"), ("55..70; rm", 80, "such as 55..70")],
)  # fmt: skip
def test_nonsense_is_refused_with_what_was_expected(text, sure, says):
    with pytest.raises(BadGuess, match=says):
        read_said(text, sure)


@pytest.mark.parametrize("sure", [50.0, 66.0, 80.0, 95.0])
def test_the_interval_holds_what_was_said(sure):
    shape, half = own_shape(np.array(list(nights(90).values())))
    q = quantiles_of(Said(50.0, 75.0, sure), shape, half)
    assert np.all(np.diff(q) > 0)
    tail = (1 - sure / 100) / 2
    assert np.exp(np.interp([tail, 1 - tail], QUANTILE_LEVELS, np.log(q))) == pytest.approx([50.0, 75.0])


def test_the_shape_is_the_wearers_own():
    rng = np.random.default_rng(1)
    skewed = 60 * np.exp(-0.12 * rng.exponential(1.0, 200))
    shape, half = own_shape(skewed)
    assert -shape[1] > 1.3 * shape[-2] and 0.05 < half < 0.2
    z = NormalDist().inv_cdf(0.85)
    plain, usual = own_shape(skewed[:10])
    assert (
        plain == pytest.approx([NormalDist().inv_cdf(level) / z for level in QUANTILE_LEVELS])
        and usual == 0.16
    )
    assert own_shape(np.full(50, 60.0))[1] == 0.16
    single = quantiles_of(Said(62.0, 62.0, 80.0), shape, half)
    assert single[11] == pytest.approx(62.0) and single[-1] > 62 > single[0]


def test_a_guess_is_one_row_of_the_live_book(store):
    told = enter_guess(store, "me", SAID)
    (row,) = store.ledger.forecasts("live", "me", forecaster="guess").iter_rows(named=True)
    assert (row["slot"], row["horizon"], row["target_day"]) == ("evening", 1, date(2026, 5, 11))
    assert [row["quantiles_ms"][i] for i in (3, 19)] == pytest.approx([55.0, 70.0])
    assert json.loads(row["reasons"]) == {
        "low_ms": 55.0, "high_ms": 70.0, "sure_pct": 80.0, "forecast_was_issued": False,
        "earlier_forecast_was_issued": False,
    }  # fmt: skip
    assert told["target_day"] == "2026-05-11" and store.ledger.verify() == []


def test_what_was_said_first_in_a_slot_stands(store, clock):
    clock.now = datetime(2026, 5, 10, 9, tzinfo=UTC)
    enter_guess(store, "me", Said(40.0, 50.0, 80.0))
    clock.now = NOW
    enter_guess(store, "me", SAID)
    with pytest.raises(GuessStands, match="55 … 70 ms, 80 % sure"):
        enter_guess(store, "me", Said(20.0, 90.0, 80.0))
    enter_guess(store, "me", Said(50.0, 80.0, 90.0), "2")
    rows = store.ledger.forecasts("live", "me", forecaster="guess")
    assert rows.select("slot", "horizon").rows() == [("morning", 1), ("evening", 1), ("evening", 2)]


def test_a_guess_after_the_forecast_says_so(store):
    q = tuple(np.linspace(30, 80, 23))
    rows = [
        ForecastRow("me", "evening", NOW, TODAY, TODAY + timedelta(days=h), h, "final", "1", q, "d")
        for h in (1, 2)
    ]
    store.ledger.issue("live", rows)
    assert enter_guess(store, "me", SAID)["forecast_was_issued"] is True
    assert enter_guess(store, "me", SAID, "3")["forecast_was_issued"] is False


def test_a_night_that_has_begun_or_lies_too_far_can_not_be_guessed(store, clock):
    with pytest.raises(BadGuess, match="from 2026-05-11 to 2026-05-17"):
        enter_guess(store, "me", SAID, "2026-05-18")
    with pytest.raises(BadGuess, match="--for tomorrow"):
        enter_guess(store, "me", SAID, "next week")
    store.ledger.record_outcomes(store.read_table("days"))
    write_days(store, nights(61, TODAY + timedelta(days=1)))
    store.ledger.record_outcomes(store.read_table("days"))
    with pytest.raises(NightHasBegun):
        enter_guess(store, "me", SAID)
    clock.now = NOW + timedelta(days=9)
    with pytest.raises(StaleData, match="no coming night"):
        enter_guess(store, "me", SAID)
    assert store.ledger.forecasts("live", "me", forecaster="guess").is_empty()


def test_a_slip_of_the_keyboard_is_refused(store):
    for low, high in ((250.0, 380.0), (5.0, 9.0)):
        with pytest.raises(BadGuess, match="nowhere near your last nights"):
            enter_guess(store, "me", Said(low, high, 80.0))


def test_past_guesses_are_shown_with_their_scores_beside_the_forecasts(store, clock, monkeypatch):
    enter_guess(store, "me", SAID)
    q = tuple(np.linspace(20, 60, 23))
    store.ledger.issue(
        "live", [ForecastRow("me", "evening", NOW, TODAY, TODAY + timedelta(days=1), 1, "final", "1", q, "d")]
    )
    assert past_guesses(store, "me")[0]["crps_ms"] is None
    write_days(store, nights(60) | {TODAY + timedelta(days=1): 61.0})
    clock.now = NOW + timedelta(hours=14)
    store.ledger.record_outcomes(store.read_table("days"))
    (told,) = past_guesses(store, "me")
    assert (told["outcome_ms"], told["inside"], told["forecast_was_issued"]) == (61.0, True, False)
    assert told["crps_ms"] < told["final_crps_ms"]
    monkeypatch.setenv("HRV_HOME", str(store.home))
    said = CliRunner().invoke(app, ["guess", "--json"])
    answer = json.loads(said.stdout)
    assert answer["n_scored"] == 1 and answer["skill_vs_final"] == pytest.approx(
        1 - told["crps_ms"] / told["final_crps_ms"]
    )
    words = CliRunner().invoke(app, ["guess"]).stdout
    assert "came 61 ms, inside" in words and "too few nights to tell" in words


def test_the_command_refuses_nonsense_and_shows_an_empty_book(store, monkeypatch):
    monkeypatch.setenv("HRV_HOME", str(store.home))
    assert "not guessed yet" in CliRunner().invoke(app, ["guess"]).stdout
    done = CliRunner().invoke(app, ["guess", "70..55"])
    assert isinstance(done.exception, BadGuess)
