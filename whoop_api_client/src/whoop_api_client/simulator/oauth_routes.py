"""``/oauth/oauth2/auth`` and ``/token`` over HTTP. Imports FastAPI: load it only where a server is made."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from whoop_api_client.simulator.accounts import Accounts
from whoop_api_client.simulator.oauth_desk import OAuthDesk, OAuthRefusal
from whoop_api_client.simulator.simulator_config import SimulatorConfig

__all__ = ["oauth_router"]

_CONSENT_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Simulated WHOOP</title></head>
<body><h1>Simulated WHOOP</h1><p>The app <b>{client}</b> asks for:</p><ul>{scopes}</ul>
<form method="post" action="{action}">{fields}
<p><label>Member <select name="user_id">{members}</select></label></p>
<button name="decision" value="approve">Allow</button> <button name="decision" value="deny">Refuse</button>
</form></body></html>"""


def oauth_router(desk: OAuthDesk, config: SimulatorConfig, accounts: Accounts) -> APIRouter:
    """The OAuth 2.0 endpoints of whoop_api.md section 2."""
    router = APIRouter(prefix=config.oauth_prefix)

    def consent(parameters: dict[str, str]) -> Response | tuple[str, ...]:
        """The scopes asked for, or the answer to a request that can't be granted."""
        if parameters.get("client_id") != config.client_id:
            return _page_error("invalid_client", "The requested OAuth 2.0 Client does not exist.", 401)
        if not config.allows_redirect(parameters.get("redirect_uri", "")):
            return _page_error(
                "invalid_request",
                "The 'redirect_uri' parameter does not match any of the OAuth 2.0 Client's pre-registered "
                "redirect urls.",
                400,
            )
        try:
            return desk.check_request(
                parameters.get("response_type", ""), parameters.get("scope", ""), parameters.get("state", "")
            )
        except OAuthRefusal as refusal:
            return _send_home(parameters, refusal.body())

    def approve(parameters: dict[str, str], scopes: tuple[str, ...], user_id: str | int) -> Response:
        account = accounts.get(user_id)
        if account is None:
            return _page_error("access_denied", "No member of that id or address is simulated here.", 400)
        code = desk.issue_code(scopes, account.user_id, parameters["redirect_uri"])
        return _send_home(parameters, {"code": code, "scope": " ".join(scopes)})

    @router.get("/auth")
    async def authorize(request: Request) -> Response:
        parameters = dict(request.query_params)
        scopes = consent(parameters)
        if isinstance(scopes, Response):
            return scopes
        if config.auto_approve:
            return approve(parameters, scopes, parameters.get("login_hint") or accounts.at_browser)
        kept = ("client_id", "redirect_uri", "response_type", "scope", "state")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(parameters.get(name, ""))}">' for name in kept
        )
        listed = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
        members = "".join(
            f'<option value="{account.user_id}">{escape(account.world.profile["email"])}</option>'
            for account in accounts
        )
        return HTMLResponse(
            _CONSENT_PAGE.format(
                client=escape(config.client_id), scopes=listed, fields=fields, members=members,
                action=f"{config.oauth_prefix}/consent",
            )
        )  # fmt: skip

    @router.post("/consent")
    async def decide(request: Request) -> Response:
        form = await _form(request)
        scopes = consent(form)
        if isinstance(scopes, Response):
            return scopes
        if form.get("decision") == "approve":
            return approve(form, scopes, form.get("user_id") or accounts.at_browser)
        denied = {"error": "access_denied", "error_description": "The resource owner denied the request."}
        return _send_home(form, denied)

    @router.post("/token")
    async def token(request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            refusal = OAuthRefusal("invalid_request", "The token endpoint reads form-encoded bodies only.")
            return JSONResponse(refusal.body(), refusal.status)
        try:
            return JSONResponse(desk.exchange(await _form(request)), headers={"Cache-Control": "no-store"})
        except OAuthRefusal as refusal:
            return JSONResponse(refusal.body(), refusal.status, headers={"Cache-Control": "no-store"})

    return router


async def _form(request: Request) -> dict[str, str]:
    body = await request.body()
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))


def _send_home(parameters: dict[str, str], answer: dict[str, str]) -> Response:
    """Redirect to the app; the caller has checked the address."""
    parts = urlsplit(parameters["redirect_uri"])
    query = [*parse_qsl(parts.query), *answer.items()]
    if parameters.get("state"):
        query.append(("state", parameters["state"]))
    return RedirectResponse(urlunsplit(parts._replace(query=urlencode(query))), status_code=302)


def _page_error(error: str, description: str, status: int) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)
