"""A webhook said that something changed at WHOOP."""

import sqlite3
from contextlib import closing
from pathlib import Path

import dagster as dg

from orchestrator.jobs import collect
from orchestrator.runner import RoomRunner

__all__ = ["SENSORS", "hints_in", "webhook_hint"]

SERVICE_BOOK = "service.sqlite"


@dg.sensor(job=collect, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def webhook_hint(context: dg.SensorEvaluationContext, rooms: RoomRunner) -> dg.SensorResult:
    """The WHOOP service noted an event, or followed one."""
    seen = hints_in(rooms.settings().home / SERVICE_BOOK)
    if seen is None or seen == context.cursor:
        return dg.SensorResult(skip_reason="no new webhook event")
    return dg.SensorResult([dg.RunRequest(run_key=f"hint-{seen}")], cursor=seen)


def hints_in(book: Path) -> str | None:
    """Newest event and how many of the kept ones are done; None without a service or an event."""
    if not book.exists():
        return None
    try:
        with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True, timeout=5)) as connection:
            newest, done = connection.execute(
                "SELECT max(n), count(*) FILTER (WHERE state = 'done') FROM hint"
            ).fetchone()
    except sqlite3.DatabaseError:
        return None  # the service makes its tables at its first start
    return None if newest is None else f"{newest}-{done}"


SENSORS = [webhook_hint]
