"""Tell what is due, once: the day that was told of is kept in the store."""

from __future__ import annotations

import json
import subprocess
from datetime import date

from hrv_shared.settings import Settings
from hrv_shared.store import Store, write_bytes_atomic
from orchestrator.errors import NotifyFailed
from orchestrator.notify.message import ready
from orchestrator.notify.sending import Sent, addresses_of, send
from orchestrator.notify.timing import QuietHours, day_to_tell
from orchestrator.rooms import quiet_environment, room_command
from orchestrator.store_view import view_of

__all__ = ["due_day", "last_told", "tell_if_due"]

TOLD = "notified.json"


def due_day(store: Store, settings: Settings) -> date | None:
    """The day to tell of now; None without addresses, or when there is nothing to tell."""
    if settings.notify_urls is None:
        return None
    (member,) = view_of(store, settings, members=[settings.member_id]).members
    quiet = QuietHours.read(settings.notify_quiet)
    return day_to_tell(member, last_told(store, settings.member_id), quiet, store.clock())


def tell_if_due(store: Store, settings: Settings) -> Sent | None:
    """Tell of today's forecast, if that is due. The day counts as told as soon as one address has taken it.

    Raises
    ------
    NotifyFailed
        No address took it; it is tried again at the next call.
    """
    day = due_day(store, settings)
    if day is None:
        return None
    sent = send(addresses_of(settings), ready(_headline() if settings.notify_numbers else None))
    if not sent.taken:
        raise NotifyFailed(
            f"No service took the notification (tried: {', '.join(sent.failed)}). Try: hrv notify test"
        )
    told = {**_read(store), settings.member_id: day.isoformat()}
    write_bytes_atomic(store.home / TOLD, json.dumps(told).encode())
    return sent


def last_told(store: Store, member_id: str) -> date | None:
    """The last day that was told of."""
    day = _read(store).get(member_id)
    return None if day is None else date.fromisoformat(day)


def _read(store: Store) -> dict[str, str]:
    try:
        told = json.loads((store.home / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _headline() -> str | None:
    """The card's first line, from the room that makes it."""
    command = room_command("intelligence", "card", "--json")
    finished = subprocess.run(command, env=quiet_environment(), capture_output=True, text=True, check=False)
    try:
        return json.loads(finished.stdout).get("headline")
    except ValueError:
        return None
