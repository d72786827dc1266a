"""What Dagster loads: ``dagster dev -m orchestrator.definitions``."""

from __future__ import annotations

import dagster as dg

from orchestrator.agent import assets as agent
from orchestrator.intelligence import assets as intelligence
from orchestrator.jobs import JOBS
from orchestrator.journal import assets as journal
from orchestrator.journal import sensors as journal_sensors
from orchestrator.ledger import assets as ledger
from orchestrator.ledger import checks as ledger_checks
from orchestrator.ledger import sensors as ledger_sensors
from orchestrator.models import assets as models
from orchestrator.models import schedules as models_schedules
from orchestrator.notify import sensors as notify_sensors
from orchestrator.runner import RoomRunner
from orchestrator.whoop import assets as whoop
from orchestrator.whoop import checks as whoop_checks
from orchestrator.whoop import schedules as whoop_schedules
from orchestrator.whoop import sensors as whoop_sensors

__all__ = ["defs"]

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([whoop, journal, models, ledger, intelligence, agent]),
    asset_checks=[*whoop_checks.CHECKS, *ledger_checks.CHECKS],
    jobs=[*JOBS, *notify_sensors.JOBS],
    schedules=[*whoop_schedules.SCHEDULES, *models_schedules.SCHEDULES],
    sensors=[
        *whoop_sensors.SENSORS,
        *journal_sensors.SENSORS,
        *ledger_sensors.SENSORS,
        *notify_sensors.SENSORS,
    ],
    resources={"rooms": RoomRunner()},
    executor=dg.in_process_executor,
)
