"""The Settings page: what can be chosen here, what is kept, and how the machine stands."""

from __future__ import annotations

import os
from typing import Any

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import ask_room
from hrv_shared.erasing import places
from hrv_shared.settings import Settings, load_settings
from hrv_shared.settings_file import change_settings

__all__ = ["CHOICES", "change", "connection", "gather_options", "models"]

CHOICES: tuple[dict[str, Any], ...] = (
    {"name": "llm_backend", "group": "llm", "label": "Language model", "kind": "select",
     "options": [("embedded", "On this machine"), ("openai", "My own server (OpenAI-compatible)"), ("none", "None")],
     "help": "Reads the evening's note and corrects the models. The default stays on this machine."},
    {"name": "llm_base_url", "group": "llm", "label": "Address of my server", "kind": "text",
     "help": "Only for my own server, such as http://127.0.0.1:11434/v1"},
    {"name": "journal_auto_accept", "group": "journal", "label": "What was plainly heard counts at once",
     "kind": "switch", "help": "Off: nothing counts before you confirm it."},
    {"name": "journal_keep_audio", "group": "journal", "label": "Keep recordings after confirming", "kind": "switch",
     "help": "Off: a recording is removed when its note is confirmed."},
    {"name": "asr_language", "group": "journal", "label": "Language of spoken notes", "kind": "select",
     "options": [("auto", "By ear"), ("en", "English"), ("de", "German (kept, not read yet)")], "help": ""},
    {"name": "allow_download", "group": "privacy", "label": "May fetch model weights when they are missing",
     "kind": "switch", "help": "Off: no connection but to WHOOP."},
    {"name": "notify_urls", "group": "notify", "label": "Where to send the morning's message", "kind": "secret",
     "help": "An address of Apprise, such as ntfys://ntfy.sh/your-topic or mailto://…; empty: none. It may hold a "
     "secret; it is kept in hrv.toml (mode 0600)."},
    {"name": "notify_numbers", "group": "notify", "label": "Say the numbers in it", "kind": "switch",
     "help": "Off: only that the forecast is there."},
    {"name": "notify_quiet", "group": "notify", "label": "Quiet hours", "kind": "text", "help": "Such as 22:00-07:00"},
)  # fmt: skip
"""What the page may change; everything else is for hrv.toml by hand."""


def gather_options(desk: Desk) -> dict[str, Any]:
    """The choices as they stand, and every place where something of the wearer lies."""
    settings = desk.own
    known = [choice for choice in CHOICES if choice["name"] in Settings.model_fields]
    return {
        "choices": [_shown(choice, settings) for choice in known],
        "places": [place.describe() for place in places(desk.settings)],
        "home": str(desk.settings.home), "member_id": desk.settings.member_id, "has_demo": desk.has_demo,
        "phone": None if desk.phone is None else desk.phone.describe(),
        "exports": [p.name for p in sorted((desk.settings.home / "exports").glob("*.zip"), reverse=True)][:5],
        "missing": sorted({c["name"] for c in CHOICES} - {c["name"] for c in known}),
    }  # fmt: skip


def change(desk: Desk, name: str, value: Any) -> dict[str, Any]:
    """Write one choice to ``hrv.toml`` and use it from now on.

    Raises
    ------
    BadRequest
        Not a choice of this page, or one that the environment fixes.
    ConfigurationError
        Not a value that the setting takes.
    """
    choice = next((c for c in CHOICES if c["name"] == name and name in Settings.model_fields), None)
    if choice is None:
        raise BadRequest(f"Expected a setting of this page, got {name[:40]!r}.")
    if f"HRV_{name.upper()}" in os.environ:
        raise BadRequest(
            f"HRV_{name.upper()} is set in the environment and stands over the page. Unset it there."
        )
    if choice["kind"] == "switch":
        if not isinstance(value, bool):
            raise BadRequest(f"Expected true or false for {name}.")
    elif value == "":
        value = None
    elif not isinstance(value, str):
        raise BadRequest(f"Expected a text for {name}.")
    change_settings(desk.own.home, {name: value})
    fresh = load_settings(
        {k: v for k, v in os.environ.items() if k != "HRV_HOME"} | {"HRV_HOME": str(desk.own.home)}
    )
    desk.own = desk.own.model_copy(update={name: getattr(fresh, name)})
    desk.forget()
    return _shown(choice, desk.own)


def connection(desk: Desk) -> dict[str, Any]:
    """``hrv status``: the connection to WHOOP and what the record holds."""
    return ask_room(desk.environment, "whoop_api_client", "status")


def models(desk: Desk) -> dict[str, Any]:
    """``hrv models status``: the weights on this machine."""
    return ask_room(desk.environment, "hrv_shared", "models", "status")


def _shown(choice: dict[str, Any], settings: Settings) -> dict[str, Any]:
    value = getattr(settings, choice["name"])
    if hasattr(value, "get_secret_value"):
        value = None  # never shown again
    fixed = f"HRV_{choice['name'].upper()}" in os.environ
    is_set = getattr(settings, choice["name"]) not in (None, "")
    return choice | {"value": value, "is_set": is_set, "fixed": fixed}
