"""``/_sim/...``: what the real service lacks: a clock to set, faults on demand, journal and true effects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.faults import Fault, FaultQueue
from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.world import KINDS, World, api_instant

__all__ = ["control_router"]


def control_router(
    world: World,
    clock: SimClock,
    faults: FaultQueue,
    notes_at: Callable[[datetime], list],
    truth: Callable[[], dict[str, Any] | None],
) -> APIRouter:
    """Controls for tests and demonstrations; they need no token and are reachable from this machine alone."""
    router = APIRouter(prefix="/_sim")

    @router.get("/clock")
    async def read_clock() -> JSONResponse:
        return JSONResponse({"now": api_instant(clock.now()), "runs": clock.runs})

    @router.post("/clock")
    async def set_clock(request: Request) -> JSONResponse:
        wish = await _body(request)
        try:
            if set(wish) - {"now", "advance_seconds", "runs"} or not wish:
                raise ValueError("expected now, advance_seconds or runs")
            if "runs" in wish:
                current = clock.now()
                clock.runs = bool(wish["runs"])
                clock.set(current)
            if "now" in wish:
                clock.set(parse_instant(wish["now"]))
            if "advance_seconds" in wish:
                clock.advance(float(wish["advance_seconds"]))
        except (TypeError, ValueError, OverflowError) as error:
            return JSONResponse({"error": f"could not set the clock: {error}"}, 400)
        return JSONResponse({"now": api_instant(clock.now()), "runs": clock.runs})

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

    @router.get("/journal")
    async def journal() -> JSONResponse:
        notes = [
            {"day": note.day.isoformat(), "recorded_at": api_instant(note.recorded_at), "text": note.text}
            for note in notes_at(clock.now())
        ]
        return JSONResponse({"notes": notes})

    @router.get("/truth")
    async def true_effects() -> JSONResponse:
        known = truth()
        return JSONResponse(known if known is not None else {"error": "nobody knows"}, 200 if known else 404)

    @router.get("/world")
    async def summary() -> JSONResponse:
        now = clock.now()
        counts = {kind: sum(1 for _ in world.visible(kind, now)) for kind in KINDS}
        return JSONResponse({"now": api_instant(now), "records": counts})

    return router


async def _body(request: Request) -> dict[str, Any]:
    try:
        content = await request.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
