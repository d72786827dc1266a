"""The graph: one coarse asset a step, each a command of the room that does the work."""

import dagster as dg

from orchestrator.runner import RoomRunner

__all__ = ["ASSETS"]


@dg.asset(group_name="whoop")
def connection(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Whether there is a WHOOP account to pull from; the demo logs in here."""
    return rooms.run(context, "whoop", *rooms.connection, soft=True)


@dg.asset(group_name="whoop", deps=[connection])
def nights(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What WHOOP knows, in the record, and the tables made of it."""
    return rooms.run(context, "whoop", "pull", "--if-connected", soft=True)


@dg.asset(group_name="journal", deps=[nights])
def journal(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Voice notes and texts of the inbox: transcripts and facts."""
    return rooms.run(context, "journal", "ingest", soft=True)


@dg.asset(group_name="ledger", deps=[nights])
def outcomes(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What came true, in the ledger."""
    return rooms.run(context, "shared", "score")


@dg.asset(group_name="models", deps=[nights, journal])
def models(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Trained, tracked and registered models."""
    return rooms.run(context, "training", "train", "--if-due")


@dg.asset(group_name="models", deps=[models, outcomes])
def replayed_forecasts(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What each forecaster would have said on the last evenings or mornings, in the replay book."""
    return rooms.run(context, "training", "replay")


@dg.asset(group_name="models", deps=[replayed_forecasts])
def model_forecasts(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The models' forecasts of nights 1 to 7, in the ledger."""
    return rooms.run(context, "training", "forecast")


@dg.asset(group_name="ledger", deps=[replayed_forecasts, outcomes])
def scores(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Every forecast whose night is known, scored."""
    return rooms.run(context, "shared", "score")


@dg.asset(group_name="intelligence", deps=[model_forecasts, scores])
def daily_summary(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The day's summary and plots."""
    return rooms.run(context, "intelligence", "daily")


@dg.asset(group_name="agent", deps=[daily_summary])
def agent_forecast(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The language model's correction and its reasons, or its visible refusal."""
    return rooms.run(context, "agent", "forecast")


@dg.asset(group_name="models", deps=[agent_forecast])
def final_forecast(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The combination that the product stands by."""
    return rooms.run(context, "training", "combine")


@dg.asset(group_name="intelligence", deps=[final_forecast])
def card(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """One clear card."""
    return rooms.run(context, "intelligence", "card")


ASSETS = [
    connection, nights, journal, outcomes, models, replayed_forecasts, scores, model_forecasts, daily_summary,
    agent_forecast, final_forecast, card,
]  # fmt: skip
