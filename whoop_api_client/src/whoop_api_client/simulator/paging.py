"""Collections, page by page: limits, filters and the cursor."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.presentation import Presentation, as_json
from whoop_api_client.simulator.world import World

__all__ = ["BadQuery", "page"]

DEFAULT_LIMIT = 10
MAX_LIMIT = 25
_LAST_TOKEN = {"null": b',"next_token":null', "absent": b"", "empty": b',"next_token":""'}


class BadQuery(Exception):
    """A query that is answered with 400; the text says why."""


@dataclass(frozen=True)
class _Query:
    limit: int
    start: datetime | None
    end: datetime | None
    after: tuple[str, str] | None
    """Sort instant and key of the last record already served."""


def page(world: World, kind: str, parameters: Mapping[str, str], at: datetime, look: Presentation) -> bytes:
    """One page of a collection as JSON, newest first, with ``next_token`` null on the last.

    Raises
    ------
    BadQuery
        ``limit`` outside 1 … 25, an unreadable instant, or a token that was never given out.
    """
    query = _read(parameters)
    end = query.end or at
    records: list[bytes] = []
    last = None
    for timeline, revision in world.visible(kind, at, behind=query.after):
        begins_at, ends_at = world.interval(kind, revision, at)
        if begins_at >= end or (query.start and ends_at is not None and ends_at < query.start):
            continue
        if len(records) == query.limit:
            token = as_json(_write_cursor(query, last))
            return _wrapped(records, b',"next_token":' + token)
        records.append(world.rendered(kind, revision, at, look))
        last = timeline.position
    return _wrapped(records, _LAST_TOKEN[look.last_token])


def _wrapped(records: list[bytes], token: bytes) -> bytes:
    return b'{"records":[' + b",".join(records) + b"]" + token + b"}"


def _read(parameters: Mapping[str, str]) -> _Query:
    """Filters given win; those left out beside a token are the token's."""
    carried: dict[str, str] = {}
    after = None
    if parameters.get("nextToken"):
        carried = _read_cursor(parameters["nextToken"])
        after = (carried["s"], carried["k"])
    return _Query(
        limit=_limit(parameters.get("limit", carried.get("l"))),
        start=_instant("start", parameters.get("start", carried.get("f"))),
        end=_instant("end", parameters.get("end", carried.get("e"))),
        after=after,
    )


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MAX_LIMIT):
        raise BadQuery(f"limit must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise BadQuery(f"{name} must be an ISO 8601 date-time") from None


def _write_cursor(query: _Query, last: tuple[str, str]) -> str:
    content = {"s": last[0], "k": last[1], "l": str(query.limit)}
    if query.start:
        content["f"] = query.start.isoformat()
    if query.end:
        content["e"] = query.end.isoformat()
    return base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")


def _read_cursor(token: str) -> dict[str, str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if not isinstance(content, dict) or not {"s", "k", "l"} <= content.keys():
            raise ValueError(token)
        if not all(isinstance(value, str) for value in content.values()):
            raise ValueError(token)
        return content
    except (ValueError, binascii.Error):
        raise BadQuery("nextToken was not given out by this service") from None
