"""``/developer/v2/...`` over HTTP. Imports FastAPI: load it only where a server is made."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from whoop_api_client.simulator.accounts import Accounts
from whoop_api_client.simulator.oauth_desk import OAuthDesk
from whoop_api_client.simulator.paging import BadQuery, page
from whoop_api_client.simulator.presentation import as_json
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.sleep_stream import STREAM_TYPES, sleep_stream
from whoop_api_client.simulator.world import World

__all__ = ["member_router"]

_COLLECTIONS = {
    "/v2/cycle": ("cycle", "read:cycles"),
    "/v2/recovery": ("recovery", "read:recovery"),
    "/v2/activity/sleep": ("sleep", "read:sleep"),
    "/v2/activity/workout": ("workout", "read:workout"),
}


def member_router(accounts: Accounts, desk: OAuthDesk, clock: SimClock, config: SimulatorConfig) -> APIRouter:
    """The member endpoints of whoop_api.md section 4; whose records they serve is the token's word."""
    router = APIRouter(prefix=config.api_prefix)
    look = config.presentation

    def admit(request: Request, *scopes: str) -> World | Response:
        """The account behind the token, or the refusal."""
        grant = desk.grant_of(request.headers.get("authorization"))
        if grant is None:
            return PlainTextResponse("Authorization was not valid", 401)
        missing = [scope for scope in scopes if scope not in grant.scopes]
        if missing:
            return PlainTextResponse("Forbidden", 403)
        return accounts.get(grant.user_id).world

    def single(world: World, kind: str, key: str | None) -> Response:
        now = clock.now()
        revision = world.revision(kind, key, now) if key is not None else None
        return (
            Response(status_code=404)
            if revision is None
            else _json(world.rendered(kind, revision, now, look))
        )

    def add_collection(path: str, kind: str, scope: str) -> None:
        @router.get(path)
        async def collection(request: Request) -> Response:
            world = admit(request, scope)
            if isinstance(world, Response):
                return world
            try:
                return _json(page(world, kind, request.query_params, clock.now(), look))
            except BadQuery as error:
                return _bad_request(str(error))

    for path, (kind, scope) in _COLLECTIONS.items():
        add_collection(path, kind, scope)

    def add_of_cycle(path: str, kind: str, *scopes: str) -> None:
        @router.get(path)
        async def of_cycle(request: Request, cycle_id: str) -> Response:
            world = admit(request, *scopes)
            if isinstance(world, Response):
                return world
            if not _is_int64(cycle_id):
                return _bad_request("cycleId must be int64")
            number = int(cycle_id)
            return single(world, kind, world.main_sleep_key(number) if kind == "sleep" else str(number))

    add_of_cycle("/v2/cycle/{cycle_id}", "cycle", "read:cycles")
    add_of_cycle("/v2/cycle/{cycle_id}/recovery", "recovery", "read:recovery")
    add_of_cycle("/v2/cycle/{cycle_id}/sleep", "sleep", "read:sleep", "read:cycles")

    @router.get("/v2/activity/sleep/{sleep_id}/stream")
    async def stream(request: Request, sleep_id: str) -> Response:
        world = admit(request, "read:sleep")
        if isinstance(world, Response):
            return world
        types = request.query_params.getlist("types")
        key = _uuid(sleep_id)
        if key is None or not set(types) <= set(STREAM_TYPES):
            return _bad_request(f"sleepId must be a UUID, types out of {', '.join(STREAM_TYPES)}")
        if look.sleep_stream == "deactivated":
            return _json(as_json({"error": "deactivated_user"}), 403)
        answer = None if look.sleep_stream == "absent" else _stream_of(world, key, clock.now(), types)
        return Response(status_code=404) if answer is None else _json(as_json(answer))

    @router.get("/v2/activity/{activity}/{activity_id}")
    async def activity_by_id(request: Request, activity: str, activity_id: str) -> Response:
        if activity not in ("sleep", "workout"):
            return Response(status_code=404)
        world = admit(request, f"read:{activity}")
        if isinstance(world, Response):
            return world
        key = _uuid(activity_id)
        return single(world, activity, key) if key else _bad_request(f"{activity}Id must be a UUID")

    @router.get("/v2/user/profile/basic")
    async def profile(request: Request) -> Response:
        world = admit(request, "read:profile")
        return world if isinstance(world, Response) else _or_404(world.profile)

    @router.get("/v2/user/measurement/body")
    async def body(request: Request) -> Response:
        world = admit(request, "read:body_measurement")
        return world if isinstance(world, Response) else _or_404(world.body)

    @router.delete("/v2/user/access")
    async def revoke(request: Request) -> Response:
        world = admit(request)
        if isinstance(world, Response):
            return world
        desk.revoke(desk.grant_of(request.headers.get("authorization")))
        return Response(status_code=204)

    @router.get("/v1/activity-mapping/{v1_id}")
    async def activity_mapping(request: Request, v1_id: str) -> Response:
        grant = desk.grant_of(request.headers.get("authorization"))
        asked = [accounts.get(grant.user_id)] if grant else accounts
        number = int(v1_id) if _is_int64(v1_id) else None
        found = next(
            (a.world.activity_mapping[number] for a in asked if number in a.world.activity_mapping), None
        )
        return Response(status_code=404) if found is None else _json(as_json({"v2_activity_id": found}))

    return router


def _stream_of(world: World, sleep_id: str, now: datetime, types: list[str]) -> dict | None:
    sleep = world.revision("sleep", sleep_id, now)
    if sleep is None or not sleep.payload["score"]:
        return None
    recovery = world.revision("recovery", str(sleep.payload["cycle_id"]), now)
    score = (recovery.payload["score"] if recovery else None) or {}
    resting = score.get("resting_heart_rate") or 60.0
    return sleep_stream(sleep.payload, resting, score.get("skin_temp_celsius"), types)


def _json(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type="application/json")


def _or_404(content: dict) -> Response:
    return _json(as_json(content)) if content else Response(status_code=404)


def _bad_request(message: str) -> Response:
    return _json(as_json({"error": message}), 400)


def _is_int64(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) < 2**63


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None
