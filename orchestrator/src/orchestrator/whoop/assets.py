"""From WHOOP into the record, and the tables made of it."""

from collections.abc import Iterator

import dagster as dg

from orchestrator.checking import result_of
from orchestrator.findings import login
from orchestrator.runner import RoomRunner

__all__ = ["connection", "nights"]


@dg.asset(
    group_name="whoop",
    check_specs=[
        dg.AssetCheckSpec("login", asset="connection", description="Whether WHOOP would answer us.")
    ],
)
def connection(context: dg.AssetExecutionContext, rooms: RoomRunner) -> Iterator[dg.MaterializeResult]:
    """Whether there is a WHOOP account to pull from; the demo logs in here."""
    answer = rooms.run(context, "whoop", *rooms.connection, soft=True)
    made = answer.materialize()
    found = login(answer.result.get("connection", {"connected": not answer.failed}))
    yield made._replace(check_results=[result_of(found, "connection")])


@dg.multi_asset(
    name="nights",
    specs=[
        dg.AssetSpec("records", group_name="whoop", deps=["connection"],
                     description="What WHOOP answered, as received, with the time at which we learned it."),
        dg.AssetSpec("tables", group_name="whoop", deps=["records"],
                     description="cycles, sleeps, recoveries, workouts, days: made of the record."),
    ],
)  # fmt: skip
def nights(context: dg.AssetExecutionContext, rooms: RoomRunner) -> Iterator[dg.MaterializeResult]:
    """Pull what is new and make the tables of it, in one step."""
    answer = rooms.run(context, "whoop", "pull", "--if-connected", soft=True)
    yield answer.materialize("records")
    days = rooms.store().read_table("days")
    newest = days["day"].max()
    yield dg.MaterializeResult(
        asset_key="tables",
        metadata={"vintages_of_days": len(days), "newest_day": newest.isoformat() if newest else "none"},
    )
