"""Where the WHOOP app's id and secret come from: the settings, a file, or the person at the terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from hrv_shared.settings import Settings
from whoop_api_client.errors import NotConnected

_NAMES = {
    "client_id": "client_id",
    "client_secret": "client_secret",
    "whoop_client_id": "client_id",
    "whoop_client_secret": "client_secret",
    "hrv_whoop_client_id": "client_id",
    "hrv_whoop_client_secret": "client_secret",
}


@dataclass(frozen=True)
class AppIdentity:
    """Id and secret as given here; None means: those of the settings."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)


def read_secrets_file(path: Path) -> AppIdentity:
    """Read ``client_id`` and ``client_secret`` (TOML or ``KEY=value`` lines, also with WHOOP_ or HRV_WHOOP_ before).

    Raises
    ------
    NotConnected
        No such file, or one of the two is not in it. The message never quotes the file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NotConnected(
            f"{path} cannot be read ({type(error).__name__}). Expected client_id and client_secret."
        ) from None
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        known = _NAMES.get(name.strip().lower())
        if equals and known:
            found[known] = value.strip().strip("\"'")
    absent = [name for name in ("client_id", "client_secret") if not found.get(name)]
    if absent:
        raise NotConnected(
            f'{path} has no {" and no ".join(absent)}. Expected lines such as client_id = "…".'
        )
    return AppIdentity(found["client_id"], found["client_secret"])


def ask_for_app(settings: Settings) -> AppIdentity:
    """Ask for what the settings lack, without showing the secret; nothing is asked where nobody sits."""
    has_both = settings.whoop_client_id and settings.whoop_client_secret
    if has_both or not sys.stdin.isatty():
        return AppIdentity()  # without both, connecting says what is missing
    import typer

    identity = settings.whoop_client_id or typer.prompt("WHOOP client id", err=True)
    secret = (
        None
        if settings.whoop_client_secret
        else typer.prompt("WHOOP client secret", hide_input=True, err=True)
    )
    return AppIdentity(identity, secret)
