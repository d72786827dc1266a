"""Dagster's own folder in the store: where its runs are kept, and how careful its daemon is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hrv_shared.store import Store, write_bytes_atomic

if TYPE_CHECKING:
    import dagster as dg

__all__ = ["PID_TAG", "dagster_home", "end_abandoned_runs", "forget_old_runs", "opened"]

PID_TAG = "hrv/pid"
KEPT_FOR = timedelta(days=90)

_CONFIG = b"""# made by hrv; nothing is reported to anybody
telemetry:
  enabled: false
# one run at a time is enough for two cores; a second one may begin while the first waits for the language model
concurrency:
  runs:
    max_concurrent_runs: 2
# a run that was killed with its machine must not hold a place for ever
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  max_runtime_seconds: 2700
retention:
  schedule:
    purge_after_days: 7
  sensor:
    purge_after_days: 7
"""


def dagster_home(home: Path) -> Path:
    """Dagster's own folder in the store, with its telemetry off."""
    folder = Store(home).folder("dagster")
    config = folder / "dagster.yaml"
    if not config.exists() or config.read_bytes() != _CONFIG:
        write_bytes_atomic(config, _CONFIG)
    return folder


@contextmanager
def opened(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a store, less what a killed process left as running."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(dagster_home(home))) as instance:
        end_abandoned_runs(instance)
        yield instance


def end_abandoned_runs(instance: dg.DagsterInstance) -> int:
    """Close runs of `hrv daily` whose process is gone; returns how many."""
    import dagster as dg

    open_runs = instance.get_runs(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    )
    dead = [run for run in open_runs if PID_TAG in run.tags and not _is_alive(int(run.tags[PID_TAG]))]
    for run in dead:
        instance.report_run_failed(
            run, "Its process is gone; what it had done is kept, the next run carries on."
        )
    return len(dead)


def forget_old_runs(instance: dg.DagsterInstance, now: datetime | None = None) -> int:
    """Delete finished runs older than three months: the store keeps what they made, this only kept how."""
    import dagster as dg

    before = (now or datetime.now(UTC)) - KEPT_FOR
    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    old = instance.get_run_records(dg.RunsFilter(statuses=finished, created_before=before), limit=500)
    for record in old:
        instance.delete_run(record.dagster_run.run_id)
    return len(old)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
