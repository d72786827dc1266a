"""An account out of a folder of API answers as JSON: ``cycle.json``, ``sleep.json``, ``recovery.json``, …

Each file holds what a client saved of a collection: a list of records, one page ``{"records": […]}``, or a
list of pages; ``profile.json`` and ``body.json`` one object each. What a record read before its last change
is not in the files: it shows from that change on. A closed cycle also shows open, from its creation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hrv_shared.daytime import parse_instant, parse_offset_min
from whoop_api_client.simulator.errors import BadPersonFile
from whoop_api_client.simulator.real_person import load_person
from whoop_api_client.simulator.timeline import Revision, Timeline, api_instant
from whoop_api_client.simulator.world import World

__all__ = ["load_account", "load_answers"]

_FILES = {
    "cycle": "cycle.json",
    "sleep": "sleep.json",
    "recovery": "recovery.json",
    "workout": "workout.json",
}
_KEY = {"cycle": "id", "sleep": "id", "recovery": "cycle_id", "workout": "id"}


def load_account(path: Path, position: int = 0) -> World:
    """A recorded account: a folder of JSON answers, or the ``whoop.csv`` of `load_person`.

    ``position`` : which of several; it keeps user ids apart.
    """
    world = load_answers(path) if (path / _FILES["cycle"]).is_file() else load_person(path)
    return world if position == 0 else _of_user(world, world.profile["user_id"] + position)


def load_answers(folder: Path) -> World:
    """Read a folder of saved API answers.

    Raises
    ------
    BadPersonFile
        A file is not JSON, or a record lacks what a record of its kind needs.
    """
    records = {kind: list(_records(folder / name)) for kind, name in _FILES.items()}
    sleeps = {str(record.get("id")): record for record, _ in records["sleep"]}
    timelines = []
    for kind, found in records.items():
        for record, where in found:
            try:
                timelines.append(_timeline(kind, record, sleeps))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise BadPersonFile(
                    f"expected a {kind} of WHOOP's API v2 in {where}, but {_what(error)}; save the answers as they came"
                ) from None
    if not timelines:
        raise BadPersonFile(f"expected records in {folder / _FILES['cycle']}, got none")
    keys = [(line.kind, line.key) for line in timelines]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadPersonFile(f"expected each record once, got {twice[0]} {twice[1]} twice in {folder}")
    user_id = next(iter(records["cycle"] or records["sleep"] or records["workout"]))[0].get(
        "user_id", 20_000_002
    )
    profile = _object(folder / "profile.json") or {
        "user_id": user_id,
        "email": "recorded-account@example.invalid",
        "first_name": "Recorded",
        "last_name": "Account",
    }
    last = max(revision.visible_at for line in timelines for revision in line.revisions)
    return World(profile, _object(folder / "body.json"), tuple(timelines), last + timedelta(minutes=1))


def _timeline(kind: str, record: dict[str, Any], sleeps: dict[str, dict]) -> Timeline:
    created, updated = parse_instant(record["created_at"]), parse_instant(record["updated_at"])
    key = str(record[_KEY[kind]])
    if record["score_state"] not in ("SCORED", "PENDING_SCORE", "UNSCORABLE"):
        raise ValueError("its score_state is none of WHOOP's")
    record = {"score": None} | record
    if kind == "recovery":
        sleep = sleeps.get(str(record["sleep_id"]))
        starts = parse_instant(sleep["start"]) if sleep else created
        return Timeline(kind, key, starts, (Revision(max(created, updated), record),))
    start = parse_instant(record["start"])
    parse_offset_min(record["timezone_offset"])
    record = {"end": None} | record
    if kind != "cycle":
        parse_instant(record["end"])
        return Timeline(kind, key, start, (Revision(max(created, updated), record),))
    return Timeline(kind, key, start, _cycle_revisions(record, created, updated))


def _cycle_revisions(record: dict[str, Any], created: datetime, updated: datetime) -> tuple[Revision, ...]:
    if record["end"] is None:
        return (Revision(created, record),)
    end = parse_instant(record["end"])
    opening = record | {"end": None, "updated_at": api_instant(created)}
    closed_at = max(end, updated, created + timedelta(milliseconds=1))
    return (
        Revision(created, opening, grows_from=created, grows_until=max(end, created)),
        Revision(closed_at, record),
    )


def _records(file: Path) -> Iterator[tuple[dict[str, Any], str]]:
    content = _read(file) if file.is_file() else []
    pages = content if isinstance(content, list) else [content]
    for position, page in enumerate(pages):
        inner = page.get("records", [page]) if isinstance(page, dict) else [page]
        for record in inner if isinstance(inner, list) else [inner]:
            where = f"{file.name} entry {position + 1}"
            if not isinstance(record, dict):
                raise BadPersonFile(f"expected an object in {where}, got {type(record).__name__}")
            yield record, where


def _object(file: Path) -> dict[str, Any]:
    content = _read(file) if file.is_file() else {}
    if not isinstance(content, dict):
        raise BadPersonFile(f"expected one object in {file.name}, got {type(content).__name__}")
    return content


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadPersonFile(f"expected readable JSON in {file}, got: {error}") from None


def _what(error: Exception) -> str:
    return f"its {error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _of_user(world: World, user_id: int) -> World:
    def moved(revision: Revision) -> Revision:
        return replace(revision, payload=revision.payload and revision.payload | {"user_id": user_id})

    return replace(
        world,
        profile=world.profile | {"user_id": user_id},
        timelines=tuple(
            replace(line, revisions=tuple(moved(r) for r in line.revisions)) for line in world.timelines
        ),
    )
