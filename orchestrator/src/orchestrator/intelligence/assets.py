"""The day's summary, the card, the weekly report and the page of reliability."""

import dagster as dg

from orchestrator.partitions import WAKE_DAYS
from orchestrator.runner import RoomRunner

__all__ = ["card", "daily_summary", "reliability_report", "weekly_report"]


@dg.asset(group_name="intelligence", deps=["model_forecasts", "scores"], partitions_def=WAKE_DAYS)
def daily_summary(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The day's summary and plots: what the language model reads, and a person may."""
    return rooms.run(context, "intelligence", "daily").materialize()


@dg.asset(group_name="intelligence", deps=["final_forecast"], partitions_def=WAKE_DAYS)
def card(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """One clear card."""
    return rooms.run(context, "intelligence", "card").materialize()


@dg.asset(group_name="intelligence", deps=["scores"])
def weekly_report(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The week on one page."""
    return rooms.run(context, "intelligence", "weekly").materialize()


@dg.asset(group_name="intelligence", deps=["scores"])
def reliability_report(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Where predictions succeed and where they fail, from the ledger alone."""
    return rooms.run(context, "intelligence", "reliability", ahead=True).materialize()
