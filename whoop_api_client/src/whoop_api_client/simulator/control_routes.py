"""``/_sim/...``: what the real service lacks: a clock to set, faults on demand, edits, journal and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.accounts import Account, Accounts
from whoop_api_client.simulator.edits import BadEdit, edit_record
from whoop_api_client.simulator.faults import Fault, FaultQueue
from whoop_api_client.simulator.request_log import RequestLog
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.webhook_courier import Courier
from whoop_api_client.simulator.world import KINDS, api_instant

__all__ = ["Controls", "control_router"]


@dataclass(frozen=True)
class Controls:
    """Everything that the control routes reach."""

    accounts: Accounts
    clock: SimClock
    faults: FaultQueue
    requests: RequestLog
    courier: Courier
    config: SimulatorConfig


def control_router(to: Controls) -> APIRouter:
    """Controls for tests and demonstrations; they need no token and are reachable from this machine alone."""
    router = APIRouter(prefix="/_sim")
    _add_clock(router, to.clock)
    _add_faults(router, to.faults)
    _add_accounts(router, to)
    _add_traffic(router, to)
    return router


def _add_clock(router: APIRouter, clock: SimClock) -> None:
    def told() -> JSONResponse:
        return JSONResponse({"now": api_instant(clock.now()), "runs": clock.runs, "pace": clock.pace})

    @router.get("/clock")
    async def read_clock() -> JSONResponse:
        return told()

    @router.post("/clock")
    async def set_clock(request: Request) -> JSONResponse:
        wish = await _body(request)
        try:
            if set(wish) - {"now", "advance_seconds", "runs", "pace"} or not wish:
                raise ValueError("expected now, advance_seconds, runs or pace")
            if "pace" in wish and not 0 < float(wish["pace"]) <= 100_000:
                raise ValueError("expected a pace above 0 and up to 100000")
            if "runs" in wish or "pace" in wish:
                runs, pace = wish.get("runs"), wish.get("pace")
                clock.go(
                    runs=None if runs is None else bool(runs), pace=None if pace is None else float(pace)
                )
            if "now" in wish:
                clock.set(parse_instant(wish["now"]))
            if "advance_seconds" in wish:
                clock.advance(float(wish["advance_seconds"]))
        except (TypeError, ValueError, OverflowError) as error:
            return JSONResponse({"error": f"could not set the clock: {error}"}, 400)
        return told()


def _add_faults(router: APIRouter, faults: FaultQueue) -> None:
    @router.get("/faults")
    async def read_faults() -> JSONResponse:
        return JSONResponse({"pending": faults.pending()})

    @router.post("/faults")
    async def add_fault(request: Request) -> JSONResponse:
        try:
            faults.add(Fault(**await _body(request)))
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": f"could not add the fault: {error}"}, 400)
        return JSONResponse({"pending": faults.pending()})

    @router.delete("/faults")
    async def clear_faults() -> JSONResponse:
        faults.clear()
        return JSONResponse({"pending": []})


def _add_accounts(router: APIRouter, to: Controls) -> None:
    def asked(request: Request) -> Account | None:
        return to.accounts.get(request.query_params.get("user_id"))

    @router.get("/members")
    async def members() -> JSONResponse:
        listed = [
            {"user_id": a.user_id, "email": a.world.profile["email"], "synthetic": a.member is not None}
            for a in to.accounts
        ]
        return JSONResponse({"members": listed, "at_browser": to.accounts.at_browser})

    @router.post("/browser")
    async def sit_down(request: Request) -> JSONResponse:
        account = to.accounts.get((await _body(request)).get("user_id", "nobody"))
        if account is None:
            return _nobody()
        to.accounts.at_browser = account.user_id
        return JSONResponse({"at_browser": account.user_id})

    @router.get("/journal")
    async def journal(request: Request) -> JSONResponse:
        account = asked(request)
        if account is None:
            return _nobody()
        notes = [
            {"day": note.day.isoformat(), "recorded_at": api_instant(note.recorded_at), "text": note.text}
            for note in account.notes_at(to.clock.now())
        ]
        return JSONResponse({"notes": notes})

    @router.get("/truth")
    async def true_effects(request: Request) -> JSONResponse:
        account = asked(request)
        known = account.truth() if account else None
        return JSONResponse(known if known is not None else {"error": "nobody knows"}, 200 if known else 404)

    @router.get("/truth/nights")
    async def true_nights(request: Request) -> JSONResponse:
        account = asked(request)
        nights = account.true_nights() if account else None
        return JSONResponse({"nights": nights}) if nights else JSONResponse({"error": "nobody knows"}, 404)

    @router.get("/truth/told-events")
    async def told_events(request: Request) -> JSONResponse:
        account = asked(request)
        events = account.told_events() if account else None
        return (
            JSONResponse({"events": events})
            if events is not None
            else JSONResponse({"error": "nobody knows"}, 404)
        )

    @router.get("/world")
    async def summary(request: Request) -> JSONResponse:
        account, now = asked(request), to.clock.now()
        if account is None:
            return _nobody()
        counts = {kind: sum(1 for _ in account.world.visible(kind, now)) for kind in KINDS}
        return JSONResponse({"now": api_instant(now), "records": counts})

    @router.post("/edit")
    async def edit(request: Request) -> JSONResponse:
        wish = await _body(request)
        account = to.accounts.get(wish.pop("user_id", None))
        if account is None:
            return _nobody()
        try:
            changed = edit_record(account.world, to.courier.outbox, to.clock.now(), wish)
        except BadEdit as error:
            return JSONResponse({"error": str(error)}, 400)
        to.courier.nudge()
        return JSONResponse({"changed": changed})


def _add_traffic(router: APIRouter, to: Controls) -> None:
    @router.get("/requests")
    async def read_requests(request: Request) -> JSONResponse:
        last = request.query_params.get("last", "0")
        count = int(last) if last.isascii() and last.isdecimal() and len(last) < 6 else 0
        return JSONResponse(to.requests.summary(to.config.api_prefix, count))

    @router.delete("/requests")
    async def clear_requests() -> JSONResponse:
        to.requests.clear()
        return JSONResponse({"answered": 0})

    @router.get("/webhooks")
    async def read_webhooks() -> JSONResponse:
        return JSONResponse({"attempts": to.courier.log()})

    @router.post("/webhooks")
    async def deliver_webhooks() -> JSONResponse:
        await run_in_threadpool(to.courier.deliver_due)
        return JSONResponse({"attempts": to.courier.log()})


def _nobody() -> JSONResponse:
    return JSONResponse({"error": "no such member; see /_sim/members"}, 404)


async def _body(request: Request) -> dict[str, Any]:
    try:
        content = await request.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
