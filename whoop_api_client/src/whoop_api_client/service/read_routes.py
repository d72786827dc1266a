"""What can be read: status, gaps, tables. All of it needs the session token, because it tells of the wearer."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from hrv_shared import schemas
from hrv_shared.store import Store
from whoop_api_client.budget import open_budget
from whoop_api_client.connecting import describe_connection
from whoop_api_client.connection import open_connection
from whoop_api_client.downloads import table_as_csv, table_as_parquet
from whoop_api_client.errors import WhoopError
from whoop_api_client.holdings import days_without_hrv
from whoop_api_client.pulling import last_pull_at
from whoop_api_client.service.answers import Day, Gaps, Status, TableEntry, errors
from whoop_api_client.service.desk import Desk, job_answer

__all__ = ["read_router"]

_MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILES = {
    200: {"description": "the table", "content": {kind.split(";")[0]: _BINARY for kind in _MEDIA.values()}}
}
TableName = Annotated[str, Path(json_schema_extra={"enum": list(schemas.TABLES)})]


def read_router(desk: Desk) -> APIRouter:
    router = APIRouter(tags=["read"])

    @router.get("/status", responses=errors(409))
    def status() -> Status:
        """Connection, last pull, the job that runs, requests left, gaps, webhooks; asks nobody."""
        store = Store.open(desk.settings, desk.clock)
        connection = describe_connection(desk.settings)
        try:
            pulled = last_pull_at(store, desk.settings, desk.settings.member_id)
        finally:
            store.record.close()
        gaps = _gaps(desk, store, None, connection["connected"])
        job = desk.worker.job()
        return Status(
            member_id=desk.settings.member_id,
            connection=connection,
            last_pull_at=pulled,
            job=job_answer(job) if job else None,
            budget_left=_budget_left(desk) if connection["connected"] else None,
            days=gaps["days"],
            scored=gaps["scored"],
            gap_counts=gaps["counts"],
            webhooks=desk.book.hint_counts() if desk.settings.whoop_webhook_host else None,
        )

    @router.get("/gaps", responses=errors(409, 422))
    def gaps(since: Day | None = None) -> Gaps:
        """Days without usable HRV: why, and what is being done about each run of them."""
        connected = describe_connection(desk.settings)["connected"]
        return _gaps(desk, Store.open(desk.settings, desk.clock), since, connected)

    @router.get("/tables")
    def tables() -> list[TableEntry]:
        """The derived tables and their columns."""
        store = Store.open(desk.settings, desk.clock)
        return [
            TableEntry(
                name=name,
                columns={column: str(dtype) for column, dtype in schema.columns.items()},
                is_built=store.table_path(name).exists(),
            )
            for name, schema in schemas.TABLES.items()
        ]

    @router.get("/tables/{name}.{form}", response_class=Response, responses=_FILES | errors(404, 409, 422))
    def table(name: TableName, form: Literal["csv", "parquet"]) -> Response:
        """A derived table as a file; empty, with its columns, when it was never built."""
        if name not in schemas.TABLES:
            raise HTTPException(404, f"Expected one of {', '.join(schemas.TABLES)}.")
        store = Store.open(desk.settings, desk.clock)
        body = table_as_csv(store, name) if form == "csv" else table_as_parquet(store, name)
        disposition = f'attachment; filename="{name}.{form}"'
        return Response(body, media_type=_MEDIA[form], headers={"Content-Disposition": disposition})

    return router


def _gaps(desk: Desk, store: Store, since: date | None, connected: bool) -> dict[str, Any]:
    days, member = store.read_table("days"), desk.settings.member_id
    return days_without_hrv(days, member, since, today=desk.clock().date(), connected=connected)


def _budget_left(desk: Desk) -> dict[str, int] | None:
    try:
        budget = open_budget(desk.settings, open_connection(desk.settings).client_id)
    except WhoopError:
        return None
    if budget is None:
        return None
    try:
        return budget.left()
    finally:
        budget.close()
