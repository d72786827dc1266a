"""The token desk: codes, access tokens, rotating refresh tokens, as WHOOP's server (like Ory Hydra) keeps them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from whoop_api_client.simulator.sim_clock import SimClock
from whoop_api_client.simulator.simulator_config import ALL_SCOPES, SimulatorConfig

__all__ = ["Grant", "OAuthDesk", "OAuthRefusal"]

INVALID_GRANT_TEXT = (
    "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh token is "
    "invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued "
    "to another client"
)


class OAuthRefusal(Exception):
    """An OAuth error: its name, what is said about it, and the HTTP status at the token endpoint."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": self.description}


@dataclass
class Grant:
    """One consent of the member; only its newest access and refresh token are alive."""

    scopes: tuple[str, ...]
    user_id: int
    access_token: str = ""
    access_until: datetime | None = None
    refresh_token: str = ""
    revoked: bool = False


@dataclass(frozen=True)
class _Code:
    scopes: tuple[str, ...]
    user_id: int
    redirect_uri: str
    until: datetime


class OAuthDesk:
    """Issues and checks tokens. Deterministic: the n-th token of a run is the same in every run."""

    def __init__(self, config: SimulatorConfig, clock: SimClock) -> None:
        self._config, self._clock = config, clock
        self._issued = 0
        self._codes: dict[str, _Code] = {}
        self._used_codes: dict[str, Grant] = {}
        self._grants: list[Grant] = []
        self._spent_refresh: dict[str, Grant] = {}

    def check_request(self, response_type: str, scope: str, state: str) -> tuple[str, ...]:
        """The scopes of an authorization request, or the refusal that goes back with the redirect."""
        if len(state) < 8:
            raise OAuthRefusal(
                "invalid_state",
                "The state is missing or does not have enough characters and is therefore considered too weak. "
                "Request parameter 'state' must be at least be 8 characters long to ensure sufficient entropy.",
            )
        if response_type != "code":
            raise OAuthRefusal(
                "unsupported_response_type", "The authorization server does not support this response type."
            )
        scopes = tuple(dict.fromkeys(scope.split()))
        unknown = [name for name in scopes if name not in ALL_SCOPES]
        if unknown or not scopes:
            raise OAuthRefusal(
                "invalid_scope", f"The requested scope is invalid, unknown, or malformed: {' '.join(unknown)}"
            )
        return scopes

    def issue_code(self, scopes: tuple[str, ...], user_id: int, redirect_uri: str) -> str:
        """A single-use code for one member's consent."""
        code = self._token("code")
        until = self._clock.now() + timedelta(seconds=self._config.code_s)
        self._codes[code] = _Code(scopes, user_id, redirect_uri, until)
        return code

    def exchange(self, form: dict[str, str]) -> dict:
        """Answer a token request (fields of the form body), or raise `OAuthRefusal`."""
        self._check_client(form)
        grant_type = form.get("grant_type", "")
        if grant_type == "authorization_code":
            return self._exchange_code(form)
        if grant_type == "refresh_token":
            return self._refresh(form)
        raise OAuthRefusal("unsupported_grant_type", f"The grant type {grant_type!r} is not supported.")

    def grant_of(self, authorization: str | None) -> Grant | None:
        """The living grant behind an Authorization header; the scheme's case does not matter."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        for grant in self._grants:
            if not grant.revoked and hmac.compare_digest(grant.access_token.encode(), token.strip().encode()):
                return grant if self._clock.now() < grant.access_until else None
        return None

    def is_connected(self, user_id: int) -> bool:
        """Whether the member has a consent that nobody has withdrawn."""
        return any(grant.user_id == user_id and not grant.revoked for grant in self._grants)

    def revoke(self, grant: Grant) -> None:
        """End a consent with all its tokens."""
        grant.revoked = True

    def _exchange_code(self, form: dict[str, str]) -> dict:
        code = form.get("code", "")
        if code in self._used_codes:
            self._used_codes[code].revoked = True
        known = self._codes.pop(code, None)
        if (
            known is None
            or known.redirect_uri != form.get("redirect_uri")
            or self._clock.now() >= known.until
        ):
            raise OAuthRefusal("invalid_grant", INVALID_GRANT_TEXT)
        grant = Grant(known.scopes, known.user_id)
        self._grants.append(grant)
        self._used_codes[code] = grant
        return self._issue(grant)

    def _refresh(self, form: dict[str, str]) -> dict:
        token = form.get("refresh_token", "")
        spent = self._spent_refresh.get(token)
        if spent is not None and self._config.revoke_family:
            spent.revoked = True
        for grant in self._grants:
            if token and not grant.revoked and grant.refresh_token == token:
                self._spent_refresh[token] = grant
                return self._issue(grant)
        raise OAuthRefusal("invalid_grant", INVALID_GRANT_TEXT)

    def _issue(self, grant: Grant) -> dict:
        """A new pair; the one before is dead from this instant."""
        grant.access_token = self._token("access")
        grant.access_until = self._clock.now() + timedelta(seconds=self._config.access_token_s)
        answer = {
            "access_token": grant.access_token,
            "expires_in": self._config.access_token_s,
            "scope": " ".join(grant.scopes),
            "token_type": "bearer",
        }
        if "offline" in grant.scopes:
            grant.refresh_token = self._token("refresh")
            answer["refresh_token"] = grant.refresh_token
        return answer

    def _check_client(self, form: dict[str, str]) -> None:
        identified = hmac.compare_digest(form.get("client_id", "").encode(), self._config.client_id.encode())
        proven = hmac.compare_digest(
            form.get("client_secret", "").encode(), self._config.client_secret.encode()
        )
        if not (identified and proven):
            raise OAuthRefusal(
                "invalid_client",
                "Client authentication failed (e.g., unknown client, no client authentication included, or "
                "unsupported authentication method).",
                status=401,
            )

    def _token(self, purpose: str) -> str:
        self._issued += 1
        message = f"{purpose}-{self._issued}".encode()
        return hmac.new(self._config.client_secret.encode(), message, hashlib.sha256).hexdigest()
