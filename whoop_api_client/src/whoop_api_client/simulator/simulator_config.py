"""What a simulated WHOOP can be told to do differently."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.world import Presentation

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
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class SimulatorConfig:
    """Settings of one simulated WHOOP; the defaults are the live service's where they are known.

    ``redirect_uris`` : the registered ones; empty accepts any ``http`` address of this machine.
    ``revoke_family`` : a used refresh token shown again kills the winner's tokens too.
    ``rate_per_minute`` 0 switches limits off. ``clock_runs`` False freezes the clock where it is set.
    """

    client_id: str = "simulated-client"
    client_secret: str = field(default="simulated-secret", repr=False)
    redirect_uris: tuple[str, ...] = ()
    auto_approve: bool = True
    access_token_s: int = 3600
    code_s: int = 600
    revoke_family: bool = False
    rate_per_minute: int = 100
    rate_per_day: int = 10_000
    clock_runs: bool = True
    presentation: Presentation = Presentation()

    def __post_init__(self) -> None:
        for uri in self.redirect_uris:
            if not _is_loopback_http(uri):
                raise SimulatorError(
                    f"expected redirect addresses of this machine (http://localhost:PORT/…), got {uri!r}; "
                    "the simulator sends its codes nowhere else"
                )

    def allows_redirect(self, uri: str) -> bool:
        """Whether a code may be sent to ``uri``: registered exactly, and on this machine in any case."""
        if self.redirect_uris:
            return uri in self.redirect_uris
        return _is_loopback_http(uri)


def _is_loopback_http(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.username is None
    except ValueError:
        return False
