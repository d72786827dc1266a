"""``/developer/v2/...`` over HTTP. Imports FastAPI: load it only where a server is made."""

from __future__ import annotations

import json
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from whoop_api_client.simulator.oauth_desk import Grant, OAuthDesk
from whoop_api_client.simulator.paging import BadQuery, page
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.world import World

__all__ = ["member_router"]

_NOT_INT64 = "cycleId must be int64"
_COLLECTIONS = {
    "/v2/cycle": ("cycle", "read:cycles"),
    "/v2/recovery": ("recovery", "read:recovery"),
    "/v2/activity/sleep": ("sleep", "read:sleep"),
    "/v2/activity/workout": ("workout", "read:workout"),
}


def member_router(world: World, desk: OAuthDesk, clock: SimClock, config: SimulatorConfig) -> APIRouter:
    """The member endpoints of whoop_api.md section 4."""
    router = APIRouter(prefix="/developer")
    look = config.presentation

    def admit(request: Request, *scopes: str) -> Grant | Response:
        grant = desk.grant_of(request.headers.get("authorization"))
        if grant is None:
            return PlainTextResponse("Authorization was not valid", 401)
        missing = [scope for scope in scopes if scope not in grant.scopes]
        if missing:
            return PlainTextResponse("Forbidden", 403)
        return grant

    def single(kind: str, key: str | None) -> Response:
        record = world.record(kind, key, clock.now(), look) if key is not None else None
        return Response(status_code=404) if record is None else _json(record)

    def add_collection(path: str, kind: str, scope: str) -> None:
        @router.get(path)
        async def collection(request: Request) -> Response:
            refused = admit(request, scope)
            if isinstance(refused, Response):
                return refused
            try:
                return _json(page(world, kind, dict(request.query_params), clock.now(), look))
            except BadQuery as error:
                return _bad_request(str(error))

    for path, (kind, scope) in _COLLECTIONS.items():
        add_collection(path, kind, scope)

    @router.get("/v2/cycle/{cycle_id}")
    async def cycle(request: Request, cycle_id: str) -> Response:
        refused = admit(request, "read:cycles")
        if isinstance(refused, Response):
            return refused
        return single("cycle", str(int(cycle_id))) if _is_int64(cycle_id) else _bad_request(_NOT_INT64)

    @router.get("/v2/cycle/{cycle_id}/recovery")
    async def cycle_recovery(request: Request, cycle_id: str) -> Response:
        refused = admit(request, "read:recovery")
        if isinstance(refused, Response):
            return refused
        return single("recovery", str(int(cycle_id))) if _is_int64(cycle_id) else _bad_request(_NOT_INT64)

    @router.get("/v2/cycle/{cycle_id}/sleep")
    async def cycle_sleep(request: Request, cycle_id: str) -> Response:
        refused = admit(request, "read:sleep", "read:cycles")
        if isinstance(refused, Response):
            return refused
        if not _is_int64(cycle_id):
            return _bad_request(_NOT_INT64)
        now = clock.now()
        for _, revision in world.visible("sleep", now):
            if revision.payload["cycle_id"] == int(cycle_id) and not revision.payload["nap"]:
                return _json(world.present("sleep", revision, now, look))
        return Response(status_code=404)

    @router.get("/v2/activity/{activity}/{activity_id}")
    async def activity_by_id(request: Request, activity: str, activity_id: str) -> Response:
        if activity not in ("sleep", "workout"):
            return Response(status_code=404)
        refused = admit(request, f"read:{activity}")
        if isinstance(refused, Response):
            return refused
        key = _uuid(activity_id)
        return single(activity, key) if key else _bad_request(f"{activity}Id must be a UUID")

    @router.get("/v2/user/profile/basic")
    async def profile(request: Request) -> Response:
        refused = admit(request, "read:profile")
        return refused if isinstance(refused, Response) else _or_404(world.profile)

    @router.get("/v2/user/measurement/body")
    async def body(request: Request) -> Response:
        refused = admit(request, "read:body_measurement")
        return refused if isinstance(refused, Response) else _or_404(world.body)

    @router.delete("/v2/user/access")
    async def revoke(request: Request) -> Response:
        grant = admit(request)
        if isinstance(grant, Response):
            return grant
        desk.revoke(grant)
        return Response(status_code=204)

    @router.get("/v1/activity-mapping/{v1_id}")
    async def activity_mapping(v1_id: str) -> Response:
        found = world.activity_mapping.get(int(v1_id)) if _is_int64(v1_id) else None
        return Response(status_code=404) if found is None else _json({"v2_activity_id": found})

    return router


def _json(content: object) -> Response:
    return Response(json.dumps(content, separators=(",", ":")), media_type="application/json")


def _or_404(content: dict) -> Response:
    return _json(content) if content else Response(status_code=404)


def _bad_request(message: str) -> Response:
    return Response(json.dumps({"error": message}), 400, media_type="application/json")


def _is_int64(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) < 2**63


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
