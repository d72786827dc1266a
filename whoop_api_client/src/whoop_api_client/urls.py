"""Which addresses may carry a token, and which name one installation of WHOOP has."""

from __future__ import annotations

import hashlib
import ipaddress
from urllib.parse import urlsplit

from whoop_api_client.errors import UnsafeAddress


def require_safe_base(base: str) -> str:
    """The base address without a trailing slash.

    Raises
    ------
    UnsafeAddress
        Plain http to anywhere but this machine, user info in the address, or no http address at all.
    """
    parts = urlsplit(base)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.username
        or parts.query
        or parts.fragment
    ):
        raise UnsafeAddress(
            f"Expected an address such as https://api.prod.whoop.com/developer, got {base!r}."
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise UnsafeAddress(
            f"Refused to send tokens to {parts.hostname} over plain http; use https (http is for a simulator on "
            "this machine)."
        )
    return base.rstrip("/")


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and loopback addresses; never asks a name server."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def connection_name(member_id: str, api_base: str) -> str:
    """A file-safe name that differs per member *and* per API base.

    The demo's simulator must never overwrite the tokens or the cursors of the real account.
    """
    digest = hashlib.sha256(f"{member_id}\n{api_base.rstrip('/')}".encode()).hexdigest()[:10]
    host = urlsplit(api_base).hostname or "unknown"
    readable = "".join(c if c.isalnum() or c in "-." else "-" for c in f"{member_id}-{host}")
    return f"{readable}-{digest}"
