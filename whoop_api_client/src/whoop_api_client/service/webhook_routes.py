"""Where WHOOP's webhooks come in: judged by their raw bytes, noted durably, answered; the work is done later."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from hrv_shared.store import Store
from whoop_api_client.errors import WebhookRefused
from whoop_api_client.gate import WEBHOOK_PATH
from whoop_api_client.service.answers import ErrorAnswer, WebhookEvent, WebhookTaken, errors
from whoop_api_client.service.desk import Desk
from whoop_api_client.service.hints import KINDS
from whoop_api_client.service.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, SigningSecret, verify

__all__ = ["webhook_router"]

BODY_WITHIN_S = 5.0
_HEADER = {"in": "header", "required": True, "schema": {"type": "string"}}
_DECLARED = {
    "parameters": [_HEADER | {"name": SIGNATURE_HEADER}, _HEADER | {"name": TIMESTAMP_HEADER}],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": WebhookEvent.model_json_schema()}},
    },
}
_ANSWERS = errors(400, 403, 404, 409, 413, 415, 421) | {
    200: {"model": WebhookTaken, "description": "believed, and nothing to do"},
    401: {"model": ErrorAnswer, "description": "not signed by WHOOP, or not of about now"},
    408: {"model": ErrorAnswer, "description": "the body did not come in time"},
    429: {"model": ErrorAnswer, "description": "too many at once; WHOOP sends it again"},
}


def webhook_router(desk: Desk, port: int) -> APIRouter:
    router, secret = APIRouter(tags=["webhooks"]), SigningSecret(desk.settings)
    declared = _DECLARED | {"servers": [{"url": f"http://127.0.0.1:{port}"}]}

    @router.post(
        WEBHOOK_PATH,
        status_code=202,
        response_model=WebhookTaken,
        responses=_ANSWERS,
        openapi_extra=declared,
    )
    async def take(request: Request) -> JSONResponse:
        """An event: something changed at WHOOP. Only at the webhooks' own port."""
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                raw = await request.body()
        except TimeoutError:
            raise HTTPException(408, "The body did not come in time.") from None
        signatures = request.headers.getlist(SIGNATURE_HEADER)
        stamps = request.headers.getlist(TIMESTAMP_HEADER)
        if len(signatures) != 1 or len(stamps) != 1:
            raise WebhookRefused(f"Expected one {SIGNATURE_HEADER} and one {TIMESTAMP_HEADER}.")
        reason = await run_in_threadpool(_judge, desk, secret, stamps[0], raw, signatures[0])
        return JSONResponse({"accepted": reason is None, "reason": reason}, 200 if reason else 202)

    return router


def _judge(desk: Desk, secret: SigningSecret, stamp: str, raw: bytes, signature: str) -> str | None:
    """Note the event; why nothing will be done about it, or None."""
    now = desk.clock()
    digest = verify(secret.get(), stamp, raw, signature, now)
    try:
        event = WebhookEvent.model_validate_json(raw)
    except ValidationError:
        raise HTTPException(400, "Expected an event: user_id, id, type and trace_id.") from None
    if event.type not in KINDS:
        return "an event of another kind"
    if str(event.user_id) not in _accounts(desk):
        return "not a member of this store"
    taken = desk.book.take_hint(digest, event.trace_id, event.type, event.id, now)
    if taken == "full":
        raise HTTPException(429, "Too many events wait here. Send it again later.")
    if taken == "seen":
        return "seen before"
    desk.worker.nudge()
    return None


def _accounts(desk: Desk) -> set[str]:
    """WHOOP's numbers of the accounts whose records this store's member holds."""
    store = Store.open(desk.settings, desk.clock)
    try:
        return set(store.record.latest("profile", desk.settings.member_id))
    finally:
        store.record.close()
