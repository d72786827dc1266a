"""From voice notes and texts to facts."""

from collections.abc import Iterator

import dagster as dg

from orchestrator.runner import RoomRunner

__all__ = ["journal"]


@dg.multi_asset(
    name="journal",
    specs=[
        dg.AssetSpec("transcripts", group_name="journal", deps=["tables"],
                     description="Notes of the inbox, as heard or typed, in the record."),
        dg.AssetSpec("facts", group_name="journal", deps=["transcripts"],
                     description="What the notes say: journal_facts, journal_days, journal_weeks."),
    ],
)  # fmt: skip
def journal(context: dg.AssetExecutionContext, rooms: RoomRunner) -> Iterator[dg.MaterializeResult]:
    """Take in the inbox: transcripts and facts, in one step."""
    answer = rooms.run(context, "journal", "ingest", soft=True)
    yield answer.materialize("transcripts")
    yield dg.MaterializeResult(
        asset_key="facts", metadata={"journal_facts": len(rooms.store().read_table("journal_facts"))}
    )
