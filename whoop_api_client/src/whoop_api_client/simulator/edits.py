"""What a member does in the app afterwards: moving a sleep by a minute, deleting a record; and WHOOP's rescoring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import NoneType
from typing import Any

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.timeline import Revision
from whoop_api_client.simulator.webhook_outbox import Outbox
from whoop_api_client.simulator.world import KINDS, World

__all__ = ["BadEdit", "edit_record"]

_FIXED = ("id", "user_id", "cycle_id", "sleep_id", "created_at", "updated_at")


class BadEdit(Exception):
    """An edit that can't be made; the text says why."""


def edit_record(world: World, outbox: Outbox, at: datetime, wish: Mapping[str, Any]) -> list[str]:
    """Change or delete one record from ``at`` on; a sleep takes its recovery along, as live.

    Parameters
    ----------
    wish : mapping
        ``kind``, ``key`` (a recovery's is its cycle's id) and ``change``: keys to set (scores merge), or
        null to delete.

    Returns
    -------
    list of str
        ``kind/key`` of what changed.

    Raises
    ------
    BadEdit
        No such record, or not an edit.
    """
    kind, key = wish.get("kind"), str(wish.get("key"))
    if set(wish) != {"kind", "key", "change"} or kind not in KINDS:
        raise BadEdit(
            f"expected kind (out of {', '.join(KINDS)}), key and change (an object, or null to delete)"
        )
    change = wish["change"]
    if change is not None and not isinstance(change, Mapping):
        raise BadEdit("expected an object or null as change")
    _check(change or {})
    before = world.revision(kind, key, at)
    if before is None:
        raise BadEdit(f"no {kind} {key} is visible now")
    changed = [_amend(world, outbox, kind, key, at, change, before)]
    if kind == "sleep" and not before.payload["nap"]:
        cycle = str(before.payload["cycle_id"])
        recovery = world.revision("recovery", cycle, at)
        if recovery is not None:
            touched = None if change is None else {}
            changed.append(_amend(world, outbox, "recovery", cycle, at, touched, recovery))
    return changed


def _check(change: Mapping[str, Any]) -> None:
    """What would make a record unreadable is refused: ids, creation, times that are none, a score that is no object."""
    fixed = sorted(set(change) & set(_FIXED))
    if fixed:
        raise BadEdit(f"WHOOP never changes {', '.join(fixed)}; leave it out")
    for name in ("start", "end"):
        value = change.get(name)
        try:
            if name in change and not (value is None and name == "end"):
                parse_instant(value)
        except (TypeError, ValueError, OverflowError):
            raise BadEdit(f"expected an ISO 8601 instant as {name}, got {value!r}") from None
    if not isinstance(change.get("score"), (Mapping, NoneType)):
        raise BadEdit(f"expected an object or null as score, got {change['score']!r}")


def _amend(
    world: World,
    outbox: Outbox,
    kind: str,
    key: str,
    at: datetime,
    change: Mapping[str, Any] | None,
    before: Revision,
) -> str:
    outbox.note(world, kind, world.amend(kind, key, at, change), before)
    return f"{kind}/{key}"
