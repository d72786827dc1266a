"""How an answer is written: the live API's oddities, each of which can be turned on and off."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hrv_shared.daytime import parse_instant
from whoop_api_client.simulator.errors import SimulatorError
from whoop_api_client.simulator.timeline import Revision

__all__ = ["Presentation", "as_json", "rendered", "written"]

_CHOICES = {
    "last_token": ("null", "absent", "empty"),
    "open_cycle": ("partial", "pending"),
    "percent_recorded": ("fraction", "percent"),
    "sleep_stream": ("served", "absent", "deactivated"),
}


def _told(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Presentation:
    """How answers look, beyond the facts; the defaults are what was seen live where that is known."""

    pending_score_s: float = _told(
        0.0, "seconds for which a new sleep or recovery is PENDING_SCORE with a null score"
    )
    unknown_keys: bool = _told(True, "cycles carry a key (step_count) that WHOOP's document does not know")
    account_offset_on_history: bool = _told(
        True, "sleeps and workouts of all times show the account's current offset, not their own"
    )
    nulls: bool = _told(True, "keys without a value are written as null; off: they are left out")
    last_token: str = _told("null", "next_token on the last page: null, absent or empty")
    open_cycle: str = _told(
        "partial", "the running cycle: SCORED with a partial, growing strain, or pending (no score)"
    )
    percent_recorded: str = _told("fraction", "of workouts: fraction 0-1 as live, or percent as documented")
    sleep_stream: str = _told(
        "served", "the sleep stream: served, absent (404) or deactivated (403 deactivated_user)"
    )

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise SimulatorError(
                    f"expected one of {', '.join(choices)} for {name}, got {getattr(self, name)!r}"
                )
        if not 0 <= self.pending_score_s <= 86_400:
            raise SimulatorError(f"expected 0 to 86400 for pending_score_s, got {self.pending_score_s!r}")


def written(
    kind: str, revision: Revision, at: datetime, look: Presentation, account_offset: Callable[[], str]
) -> dict[str, Any]:
    """The payload as the service would write it at ``at``."""
    payload = dict(revision.payload)
    if revision.grows_until is not None:
        payload["score"] = _grown(payload["score"], revision, at)
        if look.open_cycle == "pending" and payload["end"] is None:
            payload["score_state"], payload["score"] = "PENDING_SCORE", None
    if _is_pending(kind, revision, at, look):
        payload["score_state"], payload["score"] = "PENDING_SCORE", None
    if look.account_offset_on_history and kind in ("sleep", "workout"):
        payload["timezone_offset"] = account_offset()
    if look.percent_recorded == "percent" and kind == "workout" and payload["score"]:
        share = payload["score"]["percent_recorded"]
        payload["score"] = payload["score"] | {"percent_recorded": round(100 * share, 4)}
    if look.unknown_keys and kind == "cycle":
        payload["step_count"] = None
    return payload if look.nulls else _without_nulls(payload)


def rendered(
    kind: str, revision: Revision, at: datetime, look: Presentation, account_offset: Callable[[], str]
) -> bytes:
    """`written` as JSON; a record that does not change with the clock is written once and kept."""
    if revision.grows_until is not None:
        return as_json(written(kind, revision, at, look, account_offset))
    offset = account_offset() if look.account_offset_on_history and kind in ("sleep", "workout") else ""
    key = (look, offset, _is_pending(kind, revision, at, look))
    known = revision.renderings.get(key)
    if known is None:
        known = as_json(written(kind, revision, at, look, lambda: offset))
        revision.renderings[key] = known
    return known


def as_json(content: object) -> bytes:
    """Compact JSON, as the wire carries it."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def _is_pending(kind: str, revision: Revision, at: datetime, look: Presentation) -> bool:
    if not look.pending_score_s or kind not in ("sleep", "recovery"):
        return False
    created = parse_instant(revision.payload["created_at"])
    return at < created + timedelta(seconds=look.pending_score_s)


def _grown(score: dict | None, revision: Revision, at: datetime) -> dict | None:
    """Strain is quick to rise and slow to add to: at noon about half of the day's final value."""
    if score is None or revision.grows_from is None:
        return score
    span_s = (revision.grows_until - revision.grows_from).total_seconds()
    share = min(max((at - revision.grows_from).total_seconds() / span_s, 0.0), 1.0) if span_s > 0 else 1.0
    average, highest = score["average_heart_rate"], score["max_heart_rate"]
    return score | {
        "strain": round(score["strain"] * share**0.5, 6),
        "kilojoule": round(score["kilojoule"] * (0.3 + 0.7 * share), 3),
        "average_heart_rate": round(average * (0.85 + 0.15 * share)),
        "max_heart_rate": round(average + (highest - average) * share**0.5),
    }


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value
