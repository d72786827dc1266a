"""The morning's forecast stands and nobody was told yet: a run of its own tells, tried again each half hour."""

import subprocess
import sys

import dagster as dg

from orchestrator.errors import StepFailed
from orchestrator.notify.telling import due_day
from orchestrator.rooms import quiet_environment
from orchestrator.runner import RoomRunner

__all__ = ["JOBS", "SENSORS", "tell_of_the_morning"]

TRY_AGAIN_S = 1800


@dg.op
def send_notification(context: dg.OpExecutionContext, rooms: RoomRunner) -> None:
    """Tell by the addresses of the setting notify_urls."""
    command = [sys.executable, "-m", "orchestrator", "notify", "send", "--if-due"]
    environment = {**quiet_environment(), **rooms.environment}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StepFailed(done.stderr.strip()[-300:])
    context.log.info(done.stdout.strip() or "nothing to tell any more")


@dg.job(executor_def=dg.in_process_executor, description="Tell that the morning's forecast is there.")
def tell() -> None:
    """One step."""
    send_notification()


@dg.sensor(job_name="tell", minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def tell_of_the_morning(context: dg.SensorEvaluationContext, rooms: RoomRunner) -> dg.SensorResult:
    """Once a day, by choice, never in the quiet hours."""
    store, settings = rooms.store(), rooms.settings()
    day = due_day(store, settings)
    if day is None:
        return dg.SensorResult(skip_reason="nothing to tell")
    turn = int(store.clock().timestamp() // TRY_AGAIN_S)
    return dg.SensorResult([dg.RunRequest(run_key=f"tell-{settings.member_id}-{day}-{turn}")])


JOBS = [tell]
SENSORS = [tell_of_the_morning]
