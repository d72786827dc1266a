"""The wearer's hand in the belief state: stressors of one's own, sizes one knows better, forgetting, erasing.

Each edit is a fact ``belief_edit``. What is added counts from then on, like anything else that is learned. Forgetting
and erasing count for every later run, replays of earlier days included: what was to be forgotten is not used again,
even where a replay then differs from what was said on that day. They hide what was known by then; what is told anew
later is remembered anew.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from hrv_shared.record import SEEN, Fact
from hrv_shared.store import Store
from llm_agent.errors import BadEdit

__all__ = ["KIND", "Edits", "add_stressor", "erase", "forget", "keep", "read_edits", "set_effect", "slug"]

KIND, SOURCE = "belief_edit", "wearer"
MOST_CHARACTERS = 60
MOST_EFFECT_MS = 40.0
LONGEST_DAYS = 365


@dataclass(frozen=True)
class Edits:
    """The edits that count at an instant.

    Attributes
    ----------
    added : tuple of Fact
        Stressors, kept ones and sizes, as known at the instant, the newest of each name.
    forgotten : dict name -> datetime
        Until when what is called so is forgotten.
    erased_at : datetime or None
    """

    added: tuple[Fact, ...]
    forgotten: dict[str, datetime]
    erased_at: datetime | None

    def hides(self, name: str, known_at: datetime) -> bool:
        """Whether something heard of at an instant was forgotten or erased later."""
        until = [at for at in (self.erased_at, self.forgotten.get(name)) if at is not None]
        return any(known_at <= at for at in until)


def read_edits(store: Store, member_id: str, as_of: datetime) -> Edits:
    """The edits in force for a run that looks at the record as of an instant."""
    forgotten: dict[str, datetime] = {}
    erased, newest = None, {}
    for fact in store.record.facts(KIND, member_id):
        told = fact.payload
        if told["op"] == "forget":
            forgotten[told["name"]] = max(fact.known_at, forgotten.get(told["name"], fact.known_at))
        elif told["op"] == "erase":
            erased = fact.known_at if erased is None else max(erased, fact.known_at)
        elif fact.known_at <= as_of:
            newest[told["op"], told["name"]] = fact
    edits = Edits((), forgotten, erased)
    added = tuple(f for f in newest.values() if not edits.hides(f.payload["name"], f.known_at))
    return Edits(added, forgotten, erased)


def add_stressor(
    store: Store, member_id: str, text: str, until: date, direction: str = "down"
) -> Fact | None:
    """Remember something that goes on until a day."""
    said = _one_line(text)
    _refuse_day(store, until)
    if direction not in ("down", "up", "unknown"):
        raise BadEdit(f"Expected --moves down, up or unknown, got {direction!r}.")
    return _append(
        store, member_id,
        {"op": "stressor", "name": slug(said), "text": said, "until_day": until.isoformat(), "direction": direction},
    )  # fmt: skip


def keep(store: Store, member_id: str, name: str, until: date) -> Fact | None:
    """Let a stressor that is remembered live until another day."""
    _refuse_day(store, until)
    return _append(store, member_id, {"op": "keep", "name": slug(name), "until_day": until.isoformat()})


def set_effect(store: Store, member_id: str, behaviour: str, effect_ms: float) -> Fact | None:
    """Say better what a behaviour does to one."""
    if not abs(effect_ms) <= MOST_EFFECT_MS:
        raise BadEdit(f"Expected an effect of at most {MOST_EFFECT_MS:g} ms either way, got {effect_ms:g}.")
    return _append(store, member_id, {"op": "effect", "name": slug(behaviour), "effect_ms": float(effect_ms)})


def forget(store: Store, member_id: str, name: str) -> Fact | None:
    """Never use again what is remembered under a name by now."""
    return _append(store, member_id, {"op": "forget", "name": slug(name)})


def erase(store: Store, member_id: str) -> Fact | None:
    """Never use again anything that is remembered by now."""
    return _append(store, member_id, {"op": "erase", "name": ""})


def slug(text: str) -> str:
    """The name under which a text is remembered."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]
    if not name:
        raise BadEdit(f"Expected a name with letters in it, got {text!r}.")
    return name


def _append(store: Store, member_id: str, payload: dict[str, Any]) -> Fact | None:
    now = store.clock()
    return store.record.append(
        member_id, KIND, now.isoformat(), payload, known_at=now, basis=SEEN, source=SOURCE
    )


def _one_line(text: str) -> str:
    said = " ".join(re.sub(r'["#|<>{}\[\]`]', " ", unicodedata.normalize("NFKC", text)).split())
    if not said or not said.isprintable() or len(said) > MOST_CHARACTERS:
        raise BadEdit(f"Expected a few words, at most {MOST_CHARACTERS} characters, got {len(said)}.")
    return said


def _refuse_day(store: Store, until: date) -> None:
    ahead = (until - store.clock().date()).days
    if not 0 <= ahead <= LONGEST_DAYS:
        raise BadEdit(f"Expected --until to be a day from today to a year ahead, got {until}.")
