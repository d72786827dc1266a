"""The language model: its post-mortem of the morning, its correction of the models."""

import dagster as dg

from orchestrator.partitions import WAKE_DAYS
from orchestrator.runner import RoomRunner

__all__ = ["agent_forecast", "review"]


@dg.asset(group_name="agent", deps=["outcomes"], partitions_def=WAKE_DAYS)
def review(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What it said, what came, which reason was wrong; what it believes from now on."""
    return rooms.run(context, "agent", "review", soft=True, ahead=True).materialize()


@dg.asset(group_name="agent", deps=["daily_summary", review], partitions_def=WAKE_DAYS)
def agent_forecast(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The language model's correction and its reasons, or its visible refusal."""
    return rooms.run(context, "agent", "forecast").materialize()
