"""The ledger: what was said stays said, and any tampering is found."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.errors import ClockBehind, InvalidForecast, NightHasBegun
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

NOW = datetime(2026, 5, 10, 19, 0, tzinfo=UTC)


class SetClock:
    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def row(horizon=1, forecaster="last_28", origin=date(2026, 5, 10), as_of=NOW, quantiles=None, version="1"):
    values = tuple(np.linspace(30, 90, 23)) if quantiles is None else tuple(quantiles)
    return ForecastRow(
        "me",
        "evening",
        as_of,
        origin,
        origin + timedelta(days=horizon),
        horizon,
        forecaster,
        version,
        values,
        "digest",
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home", SetClock())


def days_frame(rows):
    frame = pl.DataFrame(rows)
    for name, dtype in schemas.DAYS.columns.items():
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=dtype).alias(name))
    return frame.select(pl.col(n).cast(t) for n, t in schemas.DAYS.columns.items())


def test_a_slot_is_issued_once_and_never_changed(store):
    assert store.ledger.issue("live", [row(h) for h in range(1, 8)]).written == 7
    again = store.ledger.issue("live", [row(1, quantiles=np.linspace(10, 20, 23), version="2")])
    assert (again.written, again.already) == (0, 1)
    kept = store.ledger.forecasts("live")
    assert len(kept) == 7 and kept["quantiles_ms"][0].to_list()[0] == 30
    assert store.ledger.verify() == []


def test_live_and_replay_are_two_books(store):
    store.ledger.issue("live", [row()])
    earlier = NOW - timedelta(days=30)
    store.ledger.issue("replay", [row(origin=date(2026, 4, 10), as_of=earlier)])
    assert store.ledger.forecasts("replay")["issued_at"].to_list() == [earlier]
    assert store.ledger.forecasts("live")["issued_at"].to_list() == [NOW]


@pytest.mark.parametrize(
    "quantiles",
    [
        np.linspace(90, 30, 23),
        np.full(23, np.nan),
        np.linspace(-1, 5, 23),
        np.linspace(30, 90, 22),
        [np.inf] * 23,
    ],
)
def test_what_is_no_distribution_is_refused(store, quantiles):
    with pytest.raises(InvalidForecast):
        store.ledger.issue("live", [row(2), row(1, quantiles=quantiles)])
    assert store.ledger.forecasts("live").is_empty()


def test_a_night_that_has_begun_is_refused(store):
    store.clock.now = datetime(2026, 5, 11, 2, 30, tzinfo=UTC)  # 04:30 at +02:00
    with pytest.raises(NightHasBegun):
        store.ledger.issue("live", [row(1)], utc_offset_min=120)
    assert store.ledger.issue("live", [row(2)], utc_offset_min=120).written == 1


def test_a_night_whose_value_is_known_is_refused_whatever_the_clock_says(store):
    known = {"member_id": "me", "day": date(2026, 5, 11), "known_at": NOW, "basis": "seen", "source": "whoop-api",
             "state": "scored", "hrv_rmssd_ms": 55.0}  # fmt: skip
    store.ledger.record_outcomes(days_frame([known]))
    with pytest.raises(NightHasBegun):
        store.ledger.issue("live", [row(1)])


def test_a_clock_set_back_is_refused(store):
    store.ledger.issue("live", [row(1)])
    store.clock.now = NOW - timedelta(days=2)
    with pytest.raises(ClockBehind, match="no forecast is backdated"):
        store.ledger.issue("live", [row(1, "ridge", as_of=store.clock.now)])


def test_an_as_of_in_the_future_is_refused(store):
    with pytest.raises(InvalidForecast, match="after now"):
        store.ledger.issue("live", [row(1, as_of=NOW + timedelta(minutes=1))])


def test_outcomes_follow_the_vintage_rule(store):
    wake = datetime(2026, 5, 9, 6, tzinfo=UTC)
    base = {"member_id": "me", "day": date(2026, 5, 9), "basis": "seen", "source": "whoop-api", "state": "scored",
            "wake_at": wake, "sleep_onset_at": wake - timedelta(hours=8)}  # fmt: skip
    vintages = [
        {**base, "known_at": wake - timedelta(minutes=30), "state": "pending", "hrv_rmssd_ms": None},
        {**base, "known_at": wake + timedelta(minutes=9), "hrv_rmssd_ms": 50.0},
        {**base, "known_at": wake + timedelta(hours=5), "hrv_rmssd_ms": 52.0},
        {**base, "known_at": wake + timedelta(days=40), "hrv_rmssd_ms": 99.0},
    ]
    assert store.ledger.record_outcomes(days_frame(vintages)) == 2
    assert store.ledger.record_outcomes(days_frame(vintages)) == 0
    assert store.ledger.outcomes("me")["hrv_rmssd_ms"].to_list() == [52.0]
    assert store.ledger.outcomes("me", wake + timedelta(hours=1))["hrv_rmssd_ms"].to_list() == [50.0]
    assert store.ledger.verify() == []


def _tamperable(store, rows=12):
    for i in range(rows):
        store.clock.now = NOW + timedelta(days=i)
        store.ledger.issue(
            "live", [row(1, origin=date(2026, 5, 10) + timedelta(days=i), as_of=store.clock.now)]
        )
    raw = sqlite3.connect(store.database)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    return raw


def test_every_byte_of_every_column_is_guarded(store):
    raw = _tamperable(store)
    assert store.ledger.verify() == []
    columns = [c[1] for c in raw.execute("PRAGMA table_info(forecast)")]
    checked = 0
    for n in (1, 7, 12):
        for column in columns:
            (value,) = raw.execute(f"SELECT {column} FROM forecast WHERE n = ?", (n,)).fetchone()
            text = value if isinstance(value, str) else None
            places = range(len(text)) if text else [None]
            for at in places:
                if at is None:
                    changed = "x" if value is None else value + 100
                else:
                    changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
                raw.execute("SAVEPOINT s")
                try:
                    raw.execute(f"UPDATE forecast SET {column} = ? WHERE n = ?", (changed, n))
                except sqlite3.IntegrityError:
                    continue  # the table itself refused (CHECK on the book)
                finally_faults = _verify_in(raw, store)
                raw.execute("ROLLBACK TO s")
                assert finally_faults, f"column {column}, place {at} of row {n} was changed unseen"
                checked += 1
    assert checked > 1500


def _verify_in(raw, store):
    import json

    from hrv_shared.ledger import verify_chains

    return verify_chains(raw, json.loads((store.home / "ledger.head").read_text()))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM forecast WHERE n = 5",
        "DELETE FROM forecast WHERE n = 12",
        "DELETE FROM forecast",
        "UPDATE forecast SET n = CASE n WHEN 4 THEN -1 WHEN 5 THEN 4 ELSE n END WHERE n IN (4, 5)",
        "UPDATE forecast SET issued_at = '2026-01-01T00:00:00.000000Z' WHERE n = 3",
        "INSERT INTO forecast SELECT book, 13, member_id, slot, as_of, issued_at, recorded_at, origin_day, target_day,"
        " 2, forecaster, version, quantiles_ms, input_digest, reasons, prev_hash, hash FROM forecast WHERE n = 12",
    ],
)
def test_dropped_reordered_backdated_and_forged_rows_are_found(store, statement):
    raw = _tamperable(store)
    raw.execute(statement)
    raw.commit()
    assert store.ledger.verify()


def test_a_backdated_row_is_found_even_with_a_right_hash(store):
    from hrv_shared.ledger import FORECAST_FIELDS, _link

    raw = _tamperable(store)
    values = list(raw.execute(f"SELECT {', '.join(FORECAST_FIELDS)} FROM forecast WHERE n = 12").fetchone())
    (tip,) = raw.execute("SELECT hash FROM forecast WHERE n = 12").fetchone()
    forged = dict(zip(FORECAST_FIELDS, values, strict=True))
    forged |= {
        "n": 13,
        "origin_day": "2026-05-01",
        "target_day": "2026-05-02",
        "issued_at": "2026-05-01T19:00:00.000000Z",
    }
    ordered = [forged[f] for f in FORECAST_FIELDS]
    raw.execute(
        f"INSERT INTO forecast VALUES ({','.join('?' * 17)})",
        (*ordered, tip, _link(tip, FORECAST_FIELDS, ordered)),
    )
    raw.commit()
    assert any("backdated" in fault.what for fault in store.ledger.verify())


def test_a_kill_between_commit_and_head_is_no_fault(store):
    store.ledger.issue("live", [row(1)])
    head = (store.home / "ledger.head").read_bytes()
    store.ledger.issue("live", [row(2)])
    (store.home / "ledger.head").write_bytes(head)
    assert store.ledger.verify() == []
