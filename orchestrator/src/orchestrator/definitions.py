"""What Dagster loads: ``dagster dev -m orchestrator.definitions``."""

from __future__ import annotations

import dagster as dg

from orchestrator.assets import ASSETS
from orchestrator.runner import RoomRunner

daily_job = dg.define_asset_job(
    "daily", selection=dg.AssetSelection.all(), executor_def=dg.in_process_executor
)

defs = dg.Definitions(
    assets=ASSETS,
    jobs=[daily_job],
    schedules=[
        dg.ScheduleDefinition(name="morning", job=daily_job, cron_schedule="30 9 * * *"),
        dg.ScheduleDefinition(name="evening", job=daily_job, cron_schedule="0 22 * * *"),
    ],
    resources={"rooms": RoomRunner()},
    executor=dg.in_process_executor,
)
