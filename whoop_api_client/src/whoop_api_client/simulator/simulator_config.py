"""What a simulated WHOOP can be told to do differently."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.faults import Fault
from whoop_api_client.simulator.presentation import Presentation
from whoop_api_client.simulator.webhook_plan import WebhookPlan, is_loopback_http

__all__ = ["ALL_SCOPES", "SimulatorConfig"]

ALL_SCOPES = (
    "read:recovery",
    "read:cycles",
    "read:sleep",
    "read:workout",
    "read:profile",
    "read:body_measurement",
    "offline",
)
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def _told(default: Any, doc: str, *, shown: bool = True) -> Any:
    return field(default=default, metadata={"doc": doc}, repr=shown)


@dataclass(frozen=True)
class SimulatorConfig:
    """Settings of one simulated WHOOP; the defaults are the live service's where they are known.

    ``faults`` are pending from the start.
    """

    client_id: str = _told("simulated-client", "the app's id")
    client_secret: str = _told("simulated-secret", "the app's secret; it also signs webhooks", shown=False)
    redirect_uris: tuple[str, ...] = _told(
        (), "the registered redirect addresses; none: any http address of this machine"
    )
    auto_approve: bool = _told(True, "consent is given at once; off: a page asks, with a choice of members")
    access_token_s: int = _told(3600, "life of an access token")
    code_s: int = _told(600, "life of an authorization code")
    revoke_family: bool = _told(False, "a used refresh token shown again kills the newest pair too")
    rate_per_minute: int = _told(100, "requests a minute; 0: no limit")
    rate_per_day: int = _told(10_000, "requests a day; 0: no limit")
    retry_after: bool = _told(False, "429 also carries Retry-After, which is not documented")
    limits_follow_clock: bool = _told(False, "rate-limit windows roll with the simulated clock")
    clock_runs: bool = _told(True, "off: the clock stands still until it is set")
    pace: float = _told(1.0, "simulated seconds a real second")
    api_prefix: str = _told("/developer", "path before /v2/…")
    oauth_prefix: str = _told("/oauth/oauth2", "path before /auth and /token")
    fault_seed: int = _told(0, "of the dice for faults with a share")
    presentation: Presentation = Presentation()
    webhooks: WebhookPlan = WebhookPlan()
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        for uri in self.redirect_uris:
            if not is_loopback_http(uri):
                raise SimulatorError(
                    f"expected redirect addresses of this machine (http://localhost:PORT/…), got {uri!r}; "
                    "the simulator sends its codes nowhere else"
                )
        for name in ("api_prefix", "oauth_prefix"):
            prefix = getattr(self, name)
            if not _PREFIX.fullmatch(prefix) or prefix.startswith("/_sim"):
                raise SimulatorError(f"expected a path such as /developer for {name}, got {prefix!r}")
        for name, low in (("access_token_s", 1), ("code_s", 1), ("rate_per_minute", 0), ("rate_per_day", 0)):
            if getattr(self, name) < low:
                raise SimulatorError(f"expected {low} or more for {name}, got {getattr(self, name)!r}")
        if not 0 < self.pace <= 100_000:
            raise SimulatorError(f"expected a pace above 0 and up to 100000, got {self.pace!r}")

    def allows_redirect(self, uri: str) -> bool:
        """Whether a code may be sent to ``uri``: registered exactly, and on this machine in any case."""
        if self.redirect_uris:
            return uri in self.redirect_uris
        return is_loopback_http(uri)
