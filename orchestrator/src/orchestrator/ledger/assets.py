"""What came true, and how good every forecast was."""

import dagster as dg

from orchestrator.runner import RoomRunner

__all__ = ["outcomes", "scores"]


@dg.asset(group_name="ledger", deps=["tables"])
def outcomes(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What came true, in the ledger."""
    return rooms.run(context, "shared", "score").materialize()


@dg.asset(group_name="ledger", deps=[outcomes, "replayed_forecasts"])
def scores(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Every forecast whose night is known, scored."""
    return rooms.run(context, "shared", "score").materialize()
