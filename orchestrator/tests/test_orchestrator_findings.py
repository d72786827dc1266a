"""Every check by itself: what is in order, what is said, what blocks; and that all of them reach doctor."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.ledger import LedgerFault
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator import findings
from orchestrator.inspection import NAMES, Inspection

TODAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


def days_before(*backs: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in backs]


@pytest.mark.parametrize(
    ("states", "level", "says"),
    [
        ({}, "warn", "no scored night"),
        (dict.fromkeys(days_before(*range(30, 0, -1)), "scored"), "ok", "last 14 nights"),
        (dict.fromkeys(days_before(3, 2, 1), "scored"), "ok", "last 3 nights"),
        (dict.fromkeys(days_before(9, 8, 7), "scored"), "warn", "7 days ago"),
        (
            dict.fromkeys(days_before(5, 4, 1), "scored") | {days_before(2)[0]: "pending"},
            "warn",
            "2 of the last 5",
        ),
    ],
)
def test_freshness_of_every_expected_day(states, level, says):
    found = findings.freshness(states, TODAY)
    assert found.level == level and says in found.says and bool(found.mend) == (level != "ok")


def test_the_clock():
    later = NOON + timedelta(minutes=1)
    assert findings.clock(NOON, NOON, NOON).level == "ok" == findings.clock(NOON, None, None).level
    assert findings.clock(NOON, later, None).level == "block"
    assert findings.clock(NOON, None, later).level == "warn"


def revised(*rows: tuple[int, float, float]) -> pl.DataFrame:
    """Rows of (days back, hours after waking at which it was known, HRV)."""
    wake = {back: NOON - timedelta(days=back, hours=5) for back, _, _ in rows}
    return pl.DataFrame(
        [{"day": wake[b].date(), "state": "scored", "hrv_rmssd_ms": v, "wake_at": wake[b],
          "known_at": wake[b] + timedelta(hours=h)} for b, h, v in rows]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "level", "says"),
    [
        ([(3, 1, 50.0), (2, 1, 60.0)], "ok", "0 of 2"),
        ([(3, 1, 50.0), (3, 20, 51.0), (2, 1, 60.0)], "ok", "1 of 2"),
        ([(3, 1, 50.0), (3, 37, 51.0), (2, 1, 60.0)], "warn", "changed 1 nights"),
        ([(3, 1, 50.0), (3, 37, 50.0)], "ok", "0 of 1"),
        ([(90, 1, 50.0), (90, 37, 51.0)], "ok", "0 of 0"),
    ],
)
def test_revisions_before_and_after_a_night_has_settled(rows, level, says):
    found = findings.revisions(revised(*rows), TODAY)
    assert found.level == level and says in found.says


def scores(n: int, inside: int, *, crps: float = 5.0, naive: float = 5.0, void: bool = False) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    hits = rng.permutation([True] * inside + [False] * (n - inside))
    noise = rng.uniform(0.9, 1.1, n)
    frames = [
        pl.DataFrame(
            {"book": "live", "slot": "evening", "origin_day": days_before(*range(n + 1, 1, -1)),
             "target_day": days_before(*range(n, 0, -1)), "horizon": 1, "forecaster": name, "in_80": hits,
             "crps_ms": value * noise, "void": void}
        )
        for name, value in (("final", crps), ("last_night", naive), ("last_28", 2 * naive))
    ]  # fmt: skip
    return pl.concat(frames)


@pytest.mark.parametrize(
    ("n", "inside", "level", "says"),
    [
        (13, 0, "ok", "judged from 14"), (30, 24, "ok", "24 of the last 30"), (30, 20, "ok", "20 of"),
        (30, 16, "warn", "too narrow"), (30, 29, "ok", "29 of"), (30, 30, "warn", "too wide"),
        (14, 4, "warn", "too narrow"),
    ],
)  # fmt: skip
def test_coverage_drift_is_said_beyond_chance(n, inside, level, says):
    found = findings.coverage_drift(scores(n, inside))
    assert found.level == level and says in found.says


def test_the_binomial_tail_is_the_one_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    for n, k, p in ((30, 16, 0.8), (14, 0, 0.2), (30, 30, 0.8), (60, 3, 0.2)):
        assert findings._binomial_tail(n, k, p) == pytest.approx(stats.binom.cdf(k, n, p), rel=1e-9)


def test_void_rows_are_not_judged():
    assert "0 live nights" in findings.coverage_drift(scores(30, 0, void=True)).says


@pytest.mark.parametrize(("crps", "level"), [(4.0, "ok"), (5.0, "ok"), (6.5, "warn")])
def test_skill_decay_is_against_the_best_naive_rule(crps, level):
    found = findings.skill_decay(scores(60, 48, crps=crps))
    assert found.level == level and "last_night" in found.says


@pytest.mark.parametrize(("free_gb", "level"), [(0.1, "block"), (1.0, "warn"), (50.0, "ok")])
def test_disk(free_gb, level):
    assert findings.disk(free_gb).level == level


def test_ledger_schema_login_and_models():
    assert findings.ledger([]).level == "ok" == findings.schema({}).level
    fault = findings.ledger([LedgerFault("live", 7, "is backdated")])
    assert fault.level == "block" and "live row 7 is backdated" in fault.says
    assert findings.schema({"days": "Table days can't be read"}).level == "block"
    assert findings.login({"connected": True}).level == "ok"
    lost = findings.login({"connected": False, "lost_at": "2026-03-30T20:45:00+00:00"})
    assert lost.level == "warn" and "2026-03-30T20:45" in lost.says and lost.mend == "hrv connect"
    assert findings.token_store({"token_store": {"fault": "torn"}}).level == "warn"
    assert findings.model_files(["whisper-base"]).level == "warn" and findings.model_files([]).level == "ok"


@pytest.mark.parametrize(
    ("trained", "newest", "level"),
    [(None, None, "ok"), (None, TODAY, "warn"), (TODAY - timedelta(days=14), TODAY, "ok"),
     (TODAY - timedelta(days=15), TODAY, "warn")],
)  # fmt: skip
def test_training(trained, newest, level):
    assert findings.training(trained, newest).level == level


def test_slots_of_the_last_week():
    week = days_before(*range(7, 0, -1))
    assert findings.slots_kept(week, {(week[3], "morning")}, TODAY).says.startswith("1 of the last week's 14")
    assert findings.slots_kept(week, set(), TODAY).level == "warn"
    assert findings.slots_kept([], set(), TODAY).level == "ok"


@pytest.fixture
def inspection(tmp_path, monkeypatch):
    """Of a fresh store."""
    monkeypatch.setenv("HRV_CONFIG_DIR", str(tmp_path / "config"))
    settings = Settings(home=tmp_path / "home", cache_dir=tmp_path / "cache", config_dir=tmp_path / "config")
    return Inspection(Store(settings.home, clock=lambda: NOON), settings)


WITHOUT_ROOMS = [name for name in NAMES if name not in ("login", "token store")]


def test_a_fresh_store_has_findings_and_no_fault_of_ours(inspection):
    found = {finding.what: finding for finding in inspection.find(WITHOUT_ROOMS)}
    assert list(found) == WITHOUT_ROOMS
    assert {name for name, finding in found.items() if finding.level == "block"} == set()
    assert "No scored night" in found["forecast due"].says


def test_a_torn_table_blocks_and_the_others_still_speak(inspection):
    inspection.store.write_table("days", schemas.empty("days"))
    inspection.store.table_path("scores").write_bytes(b"PAR1 torn")
    (schema,) = inspection.find(["schema"])
    assert schema.level == "block" and "scores" in schema.says and schema.mend == "hrv rebuild"
    assert inspection.find(["disk"])[0].what == "disk"


def test_a_description_says_how_to_mend():
    told = findings.Finding("disk", "warn", "1.0 GB free", "free some space").describe()
    assert told == {
        "what": "disk", "ok": False, "level": "warn", "says": "1.0 GB free; free some space", "mend": "free some space"
    }  # fmt: skip
