"""Settings, tables and the as-of view."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.errors import ConfigurationError, SchemaMismatch, StoreError, TooFewNights
from hrv_shared.history import load_history, make_history
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.settings import load_settings
from hrv_shared.store import Store, write_bytes_atomic

FIRST = date(2026, 3, 1)


def wake(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)


def frame(rows: list[dict]) -> pl.DataFrame:
    defaults = {
        "member_id": "me",
        "basis": "seen",
        "source": "whoop-api",
        "state": "scored",
        "utc_offset_min": 0,
    }
    full = [{**dict.fromkeys(schemas.DAYS.columns), **defaults, **row} for row in rows]
    return pl.DataFrame(full, schema=schemas.DAYS.columns)


def nights(n: int, *, strain: bool = True) -> pl.DataFrame:
    """n nights in two vintages each: the night an hour after waking, the day when it closes."""
    rows = []
    for i in range(n):
        day = FIRST + timedelta(days=i)
        night = {"day": day, "known_at": wake(day) + timedelta(hours=1), "hrv_rmssd_ms": 50.0 + i, "wake_at": wake(day),
                 "sleep_onset_at": wake(day) - timedelta(hours=8)}  # fmt: skip
        rows.append(night)
        if strain:
            closed = wake(day) + timedelta(hours=16)
            rows.append(
                {
                    **night,
                    "known_at": closed,
                    "strain_0_21": 10.0,
                    "strain_is_final": True,
                    "day_closed_at": closed,
                }
            )
    return frame(rows)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "home", lambda: wake(FIRST + timedelta(days=9)) + timedelta(hours=14))


def test_equal_rows_give_equal_bytes_whatever_their_order(store):
    table = nights(30)
    store.write_table("days", table)
    first = store.table_path("days").read_bytes()
    store.write_table("days", table.sample(fraction=1.0, shuffle=True, seed=3))
    assert store.table_path("days").read_bytes() == first
    assert store.read_table("days").equals(table.sort(schemas.DAYS.key))


def test_a_table_of_another_form_is_refused_and_the_old_one_stays(store):
    store.write_table("days", nights(3))
    with pytest.raises(SchemaMismatch, match="hrv_rmssd_ms"):
        store.write_table("days", nights(3).with_columns(pl.col("hrv_rmssd_ms").cast(pl.Int64)))
    with pytest.raises(SchemaMismatch, match="same member_id, day, known_at"):
        store.write_table("days", pl.concat([nights(3), nights(3)]))
    assert len(store.read_table("days")) == 6


def test_a_table_of_another_version_is_said(store):
    store.write_table("days", nights(3))
    nights(3).drop("flags").write_parquet(store.table_path("days"))
    with pytest.raises(StoreError, match="another version of this program. Run: hrv rebuild"):
        store.read_table("days")


def test_a_damaged_table_is_moved_aside_and_said(store):
    store.write_table("days", nights(3))
    store.table_path("days").write_bytes(b"PAR1 torn")
    with pytest.raises(StoreError, match="hrv rebuild"):
        store.read_table("days")
    assert store.read_table("days").is_empty() and (store.home / "tables" / "days.damaged").exists()


def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path):
    path = tmp_path / "f"
    write_bytes_atomic(path, b"old")

    def crash():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_bytes_atomic(path, b"new", barrier=crash)
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["f"]


def test_the_morning_sees_the_night_and_the_evening_the_day_too(store):
    table = nights(5)
    origin = FIRST + timedelta(days=4)
    empty = schemas.empty("journal_facts")
    morning = make_history(table, empty, "me", wake(origin) + timedelta(hours=3), origin, "morning")
    evening = make_history(table, empty, "me", wake(origin) + timedelta(hours=16), origin, "evening")
    assert morning.days["strain_0_21"].to_list()[-2:] == [10.0, None]
    assert evening.days["strain_0_21"].to_list()[-2:] == [10.0, 10.0]
    assert morning.days["hrv_rmssd_ms"][-1] == evening.days["hrv_rmssd_ms"][-1] == 54.0


def test_nothing_known_later_can_touch_the_view():
    table, empty, rng = nights(20), schemas.empty("journal_facts"), np.random.default_rng(1)
    for offset_h in (0, 1, 16, 100, 263):
        as_of = wake(FIRST) + timedelta(hours=offset_h)
        origin = (as_of - timedelta(hours=4)).date()
        plain = make_history(table, empty, "me", as_of, origin, "evening")
        late = pl.col("known_at") > as_of
        noise = pl.Series(rng.normal(0, 1e6, len(table)))
        poisoned = table.with_columns(
            pl.when(late).then(noise).otherwise(pl.col(c)).alias(c) for c in ("hrv_rmssd_ms", "strain_0_21")
        )
        assert make_history(poisoned, empty, "me", as_of, origin, "evening").digest() == plain.digest()
        assert (
            make_history(table.filter(~late), empty, "me", as_of, origin, "evening").digest()
            == plain.digest()
        )


def test_the_series_is_dense_and_knows_its_holes(store):
    table = nights(6).filter(pl.col("day") != FIRST + timedelta(days=2))
    store.write_table("days", table)
    days, values = load_history(
        store, "me", wake(FIRST) + timedelta(days=9), FIRST + timedelta(days=7), "evening"
    ).hrv_series()
    assert days[0] == FIRST and len(days) == 8
    assert np.isnan(values).tolist() == [False, False, True, False, False, False, True, True]


def test_a_live_issue_follows_the_clock_and_a_stale_one_is_a_replay(store):
    store.write_table("days", nights(10))
    live = current_issue(store, "me")
    assert (live.book, live.slot, live.origin_day) == ("live", "evening", FIRST + timedelta(days=9))
    store.clock = lambda: wake(FIRST + timedelta(days=60))
    stale = current_issue(store, "me")
    assert (stale.book, stale.slot, stale.origin_day) == ("replay", "evening", FIRST + timedelta(days=9))
    assert stale.as_of == wake(stale.origin_day) + timedelta(hours=16) and "51 days old" in stale.note


def test_no_scored_night_is_said(store):
    with pytest.raises(TooFewNights, match="hrv pull"):
        current_issue(store, "me")


def test_past_issues_stand_before_the_present_one(store):
    store.write_table("days", nights(10))
    now = current_issue(store, "me")
    past = past_issues(store, "me", nights=5, slot="evening", before=now)
    assert [i.origin_day for i in past] == [FIRST + timedelta(days=d) for d in range(4, 9)]
    assert all(i.as_of == wake(i.origin_day) + timedelta(hours=16) for i in past)


def test_settings_refuse_what_they_do_not_know(tmp_path):
    with pytest.raises(ConfigurationError, match="HRV_HOMES is not a setting"):
        load_settings({"HRV_HOMES": "x"})
    (tmp_path / "hrv.toml").write_text("theads = 3\n")
    with pytest.raises(ConfigurationError, match="theads"):
        load_settings({"HRV_HOME": str(tmp_path)})
    (tmp_path / "hrv.toml").write_text("threads = 3\nseed = 5\n")
    loaded = load_settings({"HRV_HOME": str(tmp_path), "HRV_SEED": "8"})
    assert (loaded.threads, loaded.seed) == (3, 8)
    with pytest.raises(Exception, match="frozen"):
        loaded.seed = 1


def test_secrets_do_not_show(tmp_path):
    loaded = load_settings({"HRV_HOME": str(tmp_path), "HRV_WHOOP_CLIENT_SECRET": "s3cret-canary"})
    assert "s3cret-canary" not in repr(loaded) + str(loaded)


def test_a_store_that_git_would_commit_is_refused(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with pytest.raises(ConfigurationError, match="Git checkout"):
        load_settings({"HRV_HOME": str(tmp_path / "store")})
    (tmp_path / ".gitignore").write_text("store/\n")
    assert load_settings({"HRV_HOME": str(tmp_path / "store")}).home == tmp_path / "store"
