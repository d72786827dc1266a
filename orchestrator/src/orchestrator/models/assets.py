"""Trained models, their replay, their forecasts, and the combination that the product stands by."""

import warnings

import dagster as dg

from orchestrator.partitions import WAKE_DAYS
from orchestrator.runner import RoomRunner

__all__ = ["final_forecast", "model_forecasts", "models", "replayed_forecasts", "replayed_range"]


def _asset_of_ranges(function):
    """An asset that takes a whole range of days in one run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # what 1.13 calls a backfill policy
        return dg.asset(
            function, group_name="models", deps=["tables", "facts"], partitions_def=WAKE_DAYS,
            backfill_policy=dg.BackfillPolicy.single_run(),
        )  # fmt: skip


@dg.asset(group_name="models", deps=["tables", "facts"])
def models(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """Trained, tracked and registered models; a week old at most."""
    return rooms.run(context, "training", "train", "--if-due").materialize()


@dg.asset(group_name="models", deps=[models, "outcomes"])
def replayed_forecasts(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """What each forecaster would have said on the last evenings or mornings, in the replay book."""
    return rooms.run(context, "training", "replay").materialize()


@dg.asset(group_name="models", deps=[replayed_forecasts], partitions_def=WAKE_DAYS)
def model_forecasts(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The models' forecasts of nights 1 to 7, in the ledger."""
    return rooms.run(context, "training", "forecast").materialize()


@dg.asset(group_name="models", deps=["agent_forecast"], partitions_def=WAKE_DAYS)
def final_forecast(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The combination that the product stands by."""
    return rooms.run(context, "training", "combine").materialize()


@_asset_of_ranges
def replayed_range(context: dg.AssetExecutionContext, rooms: RoomRunner) -> dg.MaterializeResult:
    """The replay book of a range of days, on request: `hrv backfill`, or a backfill on Dagster's page."""
    first, last = context.partition_key_range
    answers = [
        rooms.run(context, "training", "replay", "--from", first, "--to", last, "--slot", slot)
        for slot in ("morning", "evening")
    ]
    written = sum(answer.result.get("written", 0) for answer in answers)
    return answers[-1].materialize(first=first, last=last, written_in_both_slots=written)
