"""How webhooks are sent: where to, how signed, and what goes wrong on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from whoop_api_client.simulator.errors import SimulatorError

__all__ = ["WebhookPlan", "is_loopback_http", "sign"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _told(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class WebhookPlan:
    """Nothing is sent without ``webhook_urls``; they must be of this machine."""

    webhook_urls: tuple[str, ...] = _told((), "addresses of this machine that get every event")
    doubled_share: float = _told(0.0, "events that arrive twice (the same trace_id)")
    lost_share: float = _told(0.0, "events that never arrive")
    early_s: float = _told(0.0, "recovery events leave so many seconds before the recovery shows")
    retries_after_s: tuple[float, ...] = _told(
        (60.0, 300.0, 900.0, 1800.0, 3600.0),
        "simulated seconds after the first attempt at which a failed one is repeated",
    )
    webhook_timeout_s: float = _told(1.0, "real seconds that a receiver has for its answer")
    webhook_stamp: str = _told("simulated", "the clock of the signed timestamp: simulated or real")
    webhook_seed: int = _told(0, "of the dice for doubled and lost events")

    def __post_init__(self) -> None:
        for url in self.webhook_urls:
            if not is_loopback_http(url):
                raise SimulatorError(
                    f"expected a webhook address of this machine (http://127.0.0.1:PORT/…), got {url!r}"
                )
        for name in ("doubled_share", "lost_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise SimulatorError(f"expected 0 to 1 for {name}, got {getattr(self, name)!r}")
        if not 0 <= self.early_s <= 3600:
            raise SimulatorError(f"expected 0 to 3600 for early_s, got {self.early_s!r}")
        if (
            list(self.retries_after_s) != sorted(self.retries_after_s)
            or min(self.retries_after_s, default=1) <= 0
        ):
            raise SimulatorError(f"expected rising seconds for retries_after_s, got {self.retries_after_s!r}")
        if not 0 < self.webhook_timeout_s <= 60:
            raise SimulatorError(f"expected up to 60 for webhook_timeout_s, got {self.webhook_timeout_s!r}")
        if self.webhook_stamp not in ("simulated", "real"):
            raise SimulatorError(f"expected simulated or real for webhook_stamp, got {self.webhook_stamp!r}")


def sign(secret: str, timestamp_ms: str, body: bytes) -> str:
    """WHOOP's signature: base64 of HMAC-SHA256 over timestamp and raw body (whoop_api.md 6)."""
    digest = hmac.new(secret.encode(), timestamp_ms.encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_loopback_http(uri: str) -> bool:
    """Whether an address is plain http on this machine, without credentials in it."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
        return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.username is None
    except ValueError:
        return False
