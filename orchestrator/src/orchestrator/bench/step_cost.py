"""`hrv bench step`: what Dagster adds to a step, in CPU seconds, children included.

The same command is run bare and as Pipes steps of a job of the house's own kind, in one process; the difference by step
is the overhead. Loading Dagster and opening its instance is paid once a run and told apart.
"""

import os
import resource
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import dagster as dg

from orchestrator.instance import dagster_home
from orchestrator.rooms import quiet_environment, room_command
from orchestrator.runner import RoomRunner

__all__ = ["bench_step"]

COMMAND = ("shared", "settings")


def bench_step(steps: int) -> dict[str, Any]:
    """Run ``steps`` commands bare, then as the steps of a job."""
    with tempfile.TemporaryDirectory(prefix="hrv-bench-") as folder:
        home = Path(folder) / "home"
        environment = {"HRV_HOME": str(home)}
        bare = _cpu(lambda: [_bare(environment) for _ in range(steps)])
        job = _job(steps)
        with dg.DagsterInstance.from_config(str(dagster_home(home))) as instance:
            first = _cpu(lambda: _execute(_job(1), instance, environment))
            through = _cpu(lambda: _execute(job, instance, environment))
    over = (through - bare) / steps
    return {
        "steps": steps, "work_cpu_s": round(bare / steps, 3), "step_cpu_s": round(through / steps, 3),
        "overhead_cpu_s": round(over, 3), "first_run_of_one_step_cpu_s": round(first, 2), "goal_cpu_s": 0.2,
        "load_1min": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def _bare(environment: dict[str, str]) -> None:
    subprocess.run(
        room_command(*COMMAND),
        env={**quiet_environment(), **environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _job(steps: int) -> dg.JobDefinition:
    assets = [_asset(k) for k in range(steps)]
    job = dg.define_asset_job("steps", executor_def=dg.in_process_executor)
    return dg.Definitions(assets=assets, jobs=[job], resources={"rooms": RoomRunner()}).resolve_job_def(
        "steps"
    )


def _asset(k: int) -> dg.AssetsDefinition:
    @dg.asset(name=f"step_{k}", deps=[f"step_{k - 1}"] if k else [])
    def step(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
        return rooms.run(context, *COMMAND).materialize()

    return step


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, environment: dict[str, str]) -> None:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        job.execute_in_process(
            instance=instance, resources={"rooms": RoomRunner(environment=environment)}, run_config=quiet
        )


def _cpu(work: Any) -> float:
    """CPU seconds of ours and of finished children."""

    def spent() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    before = spent()
    work()
    return spent() - before
