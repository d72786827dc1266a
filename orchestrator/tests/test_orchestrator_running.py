"""Runs as Dagster makes them, with rooms that answer at once: what steps are told, what stops a run, what is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.issue import current_issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from orchestrator import daily
from orchestrator.errors import StepFailed
from orchestrator.instance import PID_TAG, end_abandoned_runs, forget_old_runs, opened
from orchestrator.runner import ISSUE_TAG, MEMBER_TAG, RoomRunner
from orchestrator.store_view import reports_are_due

ROOM = """
import json, os, sys
from dagster_pipes import open_dagster_pipes
arguments = sys.argv[1:]
told = {"args": arguments, "issue": os.environ.get("HRV_ISSUE"), "member": os.environ.get("HRV_MEMBER_ID")}
with open(os.environ["HRV_HOME"] + "/told.jsonl", "a") as log:
    log.write(json.dumps(told) + chr(10))
answer = {"result": {"files": [], **told}, "text": " ".join(arguments)}
if arguments[1] == "review":
    answer = {"error": {"message": "No such command 'review'. Ask the command for --help."}}
with open_dagster_pipes() as pipes:
    pipes.report_custom_message(answer)
raise SystemExit(2 if "error" in answer else 0)
"""
"""A room that says what it was told."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A store with nights up to yesterday, and rooms that only answer."""
    script = tmp_path / "room.py"
    script.write_text(ROOM)
    monkeypatch.setattr(
        "orchestrator.runner.room_command",
        lambda room, *rest: [sys.executable, "-S", str(script), room, *rest],
    )
    paths = [path for path in sys.path if "site-packages" in path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    for name in ("HRV_CONFIG_DIR", "HRV_CACHE_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    store = Store(tmp_path / "home")
    store.write_table("days", nights(datetime.now(UTC).date()))
    return store.home


def nights(today: date) -> pl.DataFrame:
    days = [today - timedelta(days=back) for back in range(20, 0, -1)]
    at = [datetime(d.year, d.month, d.day, 7, tzinfo=UTC) for d in days]
    rows = {
        "member_id": ["me"] * 20, "day": days, "revision": [1] * 20, "known_at": at, "basis": ["seen"] * 20,
        "source": ["api"] * 20, "state": ["scored"] * 20, "utc_offset_min": [0] * 20, "hrv_rmssd_ms": [50.0] * 20,
        "wake_at": at,
    }  # fmt: skip
    own = {name: schemas.TABLES["days"].columns[name] for name in rows}
    return pl.concat([schemas.empty("days"), pl.DataFrame(rows, schema=own)], how="diagonal")


def told(home) -> list[dict]:
    return [json.loads(line) for line in (home / "told.jsonl").read_text().splitlines()]


def test_the_whole_day_and_one_issue_for_every_step_of_it(home):
    run = daily.run_graph(home)
    steps = [line["args"][:2] for line in told(home)]
    assert steps[:3] == [["whoop", "status"], ["whoop", "pull"], ["journal", "ingest"]]
    assert sorted(map(tuple, steps[3:])) == sorted(
        [("training", "train"), ("shared", "score"), ("shared", "score"), ("training", "replay"), ("agent", "review"),
         ("training", "forecast"), ("intelligence", "daily"), ("agent", "forecast"), ("training", "combine"),
         ("intelligence", "card"), ("intelligence", "weekly"), ("intelligence", "reliability")]
    )  # fmt: skip
    issue = current_issue(Store(home), "me")
    assert {line["issue"] for line in told(home)[:3]} == {None}, "what is due is decided after the pull"
    assert {line["issue"] for line in told(home)[3:]} == {f"{issue.slot}:{issue.origin_day}"}
    assert {line["member"] for line in told(home)[3:]} == {"me"}
    assert run.card == "intelligence card" and len(run.steps) == 15
    assert run.failed == ["review"], "a command that a room does not have yet is said and goes by"
    assert [chosen["member_id"] for chosen in run.issues] == ["me"]
    _is_shown_by_wake_day(home, issue.origin_day.isoformat())


def _is_shown_by_wake_day(home, day: str) -> None:
    with opened(home) as instance:
        for name in ("model_forecasts", "daily_summary", "agent_forecast", "final_forecast", "card"):
            event = instance.get_latest_materialization_event(dg.AssetKey(name))
            assert event.asset_materialization.partition == day
            assert event.asset_materialization.metadata["report"].value.startswith("```")
        record = instance.get_latest_materialization_event(dg.AssetKey("tables"))
        assert record.asset_materialization.metadata["vintages_of_days"].value == 20
        assert {run.tags[PID_TAG] for run in instance.get_runs()} == {str(os.getpid())}


def test_the_week_s_reports_are_due_once_a_week_of_days(tmp_path):
    assert reports_are_due(tmp_path, "me", date(2026, 3, 10))
    folder = Store(tmp_path).reports_dir("weekly")
    for name in (
        "me-2026-03-03-evening.json",
        "me-2026-02-01-evening.json",
        "you-2026-03-10-evening.json",
        "schema.json",
    ):
        (folder / name).touch()
    assert not reports_are_due(tmp_path, "me", date(2026, 3, 9))
    assert reports_are_due(tmp_path, "me", date(2026, 3, 10))


def test_only_what_is_due(home, monkeypatch):
    monkeypatch.setattr(daily, "due", lambda view, now: [])
    run = daily.run_graph(home, only_due=True)
    assert run.issues == [] and len(told(home)) == 3


def issue_rows(store: Store) -> None:
    issue = current_issue(store, "me")
    origin, quantiles = issue.origin_day, tuple(40.0 + k for k in range(23))
    rows = [
        ForecastRow(
            "me", issue.slot, issue.as_of, origin, origin + timedelta(days=h), h, "mix", "1", quantiles, "d"
        )
        for h in range(1, 8)
    ]
    store.ledger.issue("live", rows, utc_offset_min=issue.utc_offset_min)


def test_a_ledger_that_was_tampered_with_stops_the_run_before_anything_is_said(home):
    store = Store(home)
    issue_rows(store)
    store.ledger.close()
    (home / "ledger.head").write_text('{"live": {"n": 9, "hash": "00"}}')
    with pytest.raises(StepFailed, match="hrv ledger verify"):
        daily.run_graph(home)
    assert not [line for line in told(home) if line["args"][0] == "intelligence"]


def test_a_clock_behind_the_ledger_stops_the_run_at_the_tables(home, monkeypatch):
    ahead = Store(home, clock=lambda: datetime.now(UTC) + timedelta(minutes=1))
    issue_rows(ahead)
    with pytest.raises(StepFailed, match="set the clock right"):
        daily.run_graph(home)
    assert [line["args"][1] for line in told(home)] == ["status", "pull"]


def test_a_step_that_fails_ends_the_run_with_the_room_s_own_sentence(home):
    """Of two reports the second may be missing in a room, the first may not."""
    script, rooms = home.parent / "room.py", RoomRunner(environment={"HRV_HOME": str(home)})
    with opened(home) as instance:
        script.write_text(ROOM.replace("review", "reliability"))
        run = daily.DailyRun()
        daily.run_job(instance, "weekly_reports", rooms, run)
        assert run.failed == ["reliability_report"]
        for says in ("No such command", "There is no week"):
            script.write_text(ROOM.replace("review", "weekly").replace("No such command", says))
            with pytest.raises(StepFailed, match=f"weekly report: {says} 'weekly'"):
                daily.run_job(instance, "weekly_reports", rooms, run)


def test_a_run_whose_process_is_gone_is_closed(home):
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    with opened(home) as instance:
        for pid in (gone.pid, os.getpid()):
            run = dg.DagsterRun("day", run_id=f"00000000-0000-4000-8000-{pid:012d}", tags={PID_TAG: str(pid)},
                                status=dg.DagsterRunStatus.STARTED)  # fmt: skip
            instance.add_run(run)
        assert end_abandoned_runs(instance) == 1
        statuses = {run.tags[PID_TAG]: run.status for run in instance.get_runs()}
    assert statuses == {
        str(gone.pid): dg.DagsterRunStatus.FAILURE,
        str(os.getpid()): dg.DagsterRunStatus.STARTED,
    }


def test_runs_of_three_months_ago_are_forgotten(home):
    with opened(home) as instance:
        run = dg.DagsterRun(
            "day", run_id="00000000-0000-4000-8000-000000000001", status=dg.DagsterRunStatus.SUCCESS
        )
        instance.add_run(run)
        assert forget_old_runs(instance) == 0
        assert forget_old_runs(instance, datetime.now(UTC) + timedelta(days=91)) == 1
        assert not instance.get_runs()


def test_a_range_is_replayed_in_one_run(home, monkeypatch):
    from orchestrator.backfilling import backfill_range, parse_range
    from orchestrator.errors import BadRange

    reported = []
    monkeypatch.setattr("orchestrator.backfilling._report", lambda period, as_of: reported.append(period))
    store = Store(home)
    last = store.read_table("days")["day"].max() - timedelta(days=1)
    first = last - timedelta(days=4)
    done = backfill_range(RoomRunner(environment={"HRV_HOME": str(home)}).settings(), first, last)
    ranges = [line["args"] for line in told(home)]
    assert ranges == [
        ["training", "replay", "--from", str(first), "--to", str(last), "--slot", slot]
        for slot in ("morning", "evening")
    ]
    assert reported.count("daily") == 5 == done["days"] and 1 <= reported.count("weekly") <= 2
    with pytest.raises(BadRange, match="has a night"):
        backfill_range(
            RoomRunner(environment={"HRV_HOME": str(home)}).settings(), date(2001, 1, 1), date(2001, 1, 2)
        )
    assert parse_range("2026-05-01") == (date(2026, 5, 1), date(2026, 5, 1))
    for text in ("2026-05-02..2026-05-01", "May", "2026-05-01..", "2026-05-01-2026-05-02"):
        with pytest.raises(BadRange):
            parse_range(text)


def test_the_tags_of_a_daemon_s_run_reach_the_rooms(home):
    """The morning job as the sensor asks for it: same member and issue in each step."""
    run = daily.DailyRun()
    rooms = RoomRunner(environment={"HRV_HOME": str(home)})
    tags = {MEMBER_TAG: "ann", ISSUE_TAG: "morning:2026-03-10"}
    with opened(home) as instance:
        daily.run_job(instance, "morning", rooms, run, partition_key="2026-03-10", tags=tags)
    assert len(told(home)) == 12 and {(line["member"], line["issue"]) for line in told(home)} == {
        ("ann", "morning:2026-03-10")
    }
