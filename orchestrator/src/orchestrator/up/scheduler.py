"""Dagster's daemon for this store: it evaluates the sensors and schedules, which ask `due`, and runs what they request.

``python -m orchestrator.up.scheduler`` closes the runs that a killed group left open, then becomes the daemon.
"""

from __future__ import annotations

import os
import sys
import warnings

from hrv_shared.settings import load_settings
from orchestrator.instance import dagster_home
from orchestrator.rooms import quiet_environment

__all__ = ["close_left_runs"]


def close_left_runs(home: os.PathLike[str] | str) -> int:
    """Close the runs whose workers died with an earlier group: an open run would hold its slot back.

    Only while nobody else launches runs for this store. Runs of `hrv daily`, which has no launcher, stay. Returns how
    many.
    """
    import dagster as dg
    from dagster._core.storage.tags import GRPC_INFO_TAG

    open_states = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    with dg.DagsterInstance.from_config(str(home)) as instance:
        left = [r for r in instance.get_runs(dg.RunsFilter(statuses=open_states)) if GRPC_INFO_TAG in r.tags]
        for run in left:
            instance.report_run_failed(run, "hrv up was ended while it ran; what it had done is kept.")
    return len(left)


def main() -> None:
    """Become the daemon."""
    home = dagster_home(load_settings().home)
    warnings.simplefilter("ignore")
    close_left_runs(home)
    command = [
        sys.executable, "-m", "dagster._daemon", "run", "-m", "orchestrator.definitions", "--log-level", "warning",
    ]  # fmt: skip
    os.execve(command[0], command, {**quiet_environment(), "DAGSTER_HOME": str(home)})


if __name__ == "__main__":
    main()
