"""The Speak page: what was told lately, and what the wearer does with it, through the journal room's verbs."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.jobs import Job, Step
from dashboard.rooms import ask_room, room_command, verb
from hrv_shared.errors import HrvError
from hrv_shared.store import Store, write_bytes_atomic

__all__ = [
    "add_spoken", "add_typed", "change_note", "gather_notes", "how_read", "note_view", "say_meaning",
    "wearers_offset_min",
]  # fmt: skip

BACKFILL_HOUR = 21
SUFFIXES = {
    "audio/webm": ".webm",
    "video/webm": ".webm",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/wav": ".wav",
}
UNITS = {"minutes": "min"}


def gather_notes(desk: Desk, last: int = 8) -> dict[str, Any]:
    """The newest notes with their facts, newest first."""
    with desk.store() as store:
        shown = verb("journal_analysis", "show")(store, desk.settings.member_id, last)
        offset = wearers_offset_min(store, desk.settings.member_id)
    today = (desk.clock() + timedelta(minutes=offset)).date()
    return {"notes": [_noted(note) for note in shown], "today": today.isoformat(), "utc_offset_min": offset,
            "earliest": (today - timedelta(days=365)).isoformat()}  # fmt: skip


def note_view(desk: Desk, key: str) -> dict[str, Any]:
    """One note."""
    with desk.store() as store:
        (note,) = verb("journal_analysis", "show")(store, desk.settings.member_id, 1, key)
        return _noted(note) | {"next": _what_next(desk, store, note)}


def add_typed(desk: Desk, text: str, day: str | None) -> dict[str, Any]:
    """Take in a typed note, told now or, for another day, on that evening."""
    settings = desk.settings
    with desk.store() as store:
        at = _told_at(store, settings.member_id, day)
        entry = verb("journal_analysis", "add_text")(
            store, settings.member_id, text, at, auto_accept=settings.journal_auto_accept
        )
        return {
            "entry": entry.key,
            "already": entry.already,
            "receipt": verb("journal_analysis", "receipt")(entry),
        }


def add_spoken(desk: Desk, data: bytes, content_type: str, day: str | None) -> Job:
    """Keep a recording, then have it written down by a process of its own.

    The recording lies in the inbox until its note is in the record. Should that fail, it stays there under a plain
    name, and the next ``hrv daily`` takes it in: nothing that was said gets lost.
    """
    if not data:
        raise BadRequest("Expected a recording, got nothing. Allow the microphone, then record again.")
    settings = desk.settings
    suffix = SUFFIXES.get(content_type.split(";")[0].strip().lower(), ".webm")
    with desk.store() as store:
        at = _told_at(store, settings.member_id, day) or desk.clock()
        inbox = store.folder("inbox")
    name = f"spoken-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}{suffix}"
    hidden = inbox / f".{name}"
    write_bytes_atomic(hidden, data)

    def tidy(job: Job) -> None:
        if job.error is None:
            hidden.unlink(missing_ok=True)
        elif job.error["code"] in ("NoSpeech", "UnreadableAudio"):
            hidden.replace(_refused(inbox) / name)
        else:
            hidden.replace(inbox / name)

    command = room_command("journal_analysis", "add", str(hidden), "--recorded-at", at.isoformat(), "--json")
    step = Step("Writing down what you said", command)
    return desk.jobs.start("speak", "Your note", [step], desk.environment, tidy=tidy, alone=False)


def change_note(desk: Desk, key: str, what: str, said: dict[str, Any]) -> dict[str, Any]:
    """Confirm, reject, correct, edit or undo."""
    settings = desk.settings
    with desk.store() as store:
        if what in ("confirm", "reject"):
            numbers = [_number(said["number"])] if said.get("number") else None
            more = {"keep_audio": settings.journal_keep_audio} if what == "confirm" else {}
            review = verb("journal_analysis", what)(store, settings.member_id, key, numbers, **more)
        elif what == "undo":
            review = verb("journal_analysis", "undo")(store, settings.member_id, key)
        elif what == "edit":
            review = verb("journal_analysis", "edit")(
                store,
                settings.member_id,
                key,
                str(said.get("text", "")),
                auto_accept=settings.journal_auto_accept,
            )
        elif what == "correct":
            right = verb("journal_analysis", "Correction")(**_correction(said))
            review = verb("journal_analysis", "correct")(
                store, settings.member_id, key, _number(said.get("number")), right
            )
        else:
            raise BadRequest(f"Expected confirm, reject, correct, edit or undo, got {what[:20]!r}.")
    return asdict(review)


def how_read(desk: Desk, day: str) -> dict[str, Any]:
    """How the agent reads what a day's notes tell besides facts."""
    return ask_room(desk.environment, "llm_agent", "reading", "--day", day)


def say_meaning(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """The wearer's word: ``{"words": …, "means": "heart, a lot"}``; an empty one lets the agent read by itself again.

    Returns
    -------
    dict
        The sentence as ``sentence.html`` shows it.
    """
    words, means = said.get("words"), said.get("means")
    if not isinstance(words, str) or not isinstance(means, str):
        raise BadRequest('Expected {"words": …, "means": "daily life" or "heart, a lot" or "" …}.')
    with desk.store() as store:
        if means:
            verb("llm_agent", "set_reading")(store, desk.settings.member_id, words, means)
        else:
            verb("llm_agent", "unset_reading")(store, desk.settings.member_id, words)
    return {"words": words, "about": means, "meaning": None, "share": None, "yours": bool(means)}


def wearers_offset_min(store: Store, member_id: str) -> int:
    """The wearer's minutes east of UTC, of the last night known; else this machine's."""
    import polars as pl

    days = store.read_table("days").filter(pl.col("member_id") == member_id).sort("day", "known_at")
    known = days["utc_offset_min"].drop_nulls()
    if len(known):
        return int(known[-1])
    here = datetime.now(UTC).astimezone().utcoffset()
    return int(here.total_seconds() // 60) if here else 0


def _noted(note: dict[str, Any]) -> dict[str, Any]:
    facts = [fact | {"says": _says(fact)} for fact in note["facts"]]
    standing = [fact for fact in facts if fact["status"] != "rejected"]
    return note | {
        "facts": standing,
        "waiting": sum(fact["status"] == "draft" for fact in standing),
        "rejected": len(facts) - len(standing),
    }


def _says(fact: dict[str, Any]) -> str:
    """A fact in words."""
    name = fact["behaviour"].replace("_", " ")
    if fact["kind"] == "time":
        said = f"{name} {fact['clock_time']}"
    elif fact["kind"] == "no":
        said = f"no {name}"
    elif fact["kind"] == "scale":
        said = f"{name} {fact['amount']:g} of 10"
    elif fact["kind"] == "amount" and fact["amount"] is not None:
        said = f"{name}: {fact['amount']:g} {UNITS.get(fact['unit'], fact['unit'] or '')}".rstrip()
    else:
        said = name
    return f"{said} (planned)" if fact["is_plan"] and not name.startswith("planned") else said


def _told_at(store: Store, member_id: str, day: str | None) -> datetime | None:
    """None for now; for an earlier day its evening, on the wearer's clock."""
    if not day:
        return None
    try:
        wanted = date.fromisoformat(day)
    except ValueError:
        raise BadRequest(f"Expected a day such as 2026-11-20, got {day[:20]!r}.") from None
    offset = wearers_offset_min(store, member_id)
    now = store.clock().astimezone(timezone(timedelta(minutes=offset)))
    if wanted >= now.date():
        return None
    at = datetime.combine(wanted, time(BACKFILL_HOUR), timezone(timedelta(minutes=offset)))
    return at if offset else at.replace(tzinfo=UTC)


def _what_next(desk: Desk, store: Store, note: dict[str, Any]) -> str:
    """``forecast`` when tonight's forecast is still to be made, ``stands`` when it was, ``none`` for other days."""
    try:
        issue = verb("data_intelligence", "chosen_issue")(store, desk.settings.member_id)
    except HrvError:
        return "none"
    origin = issue.origin_day.isoformat()
    about_tonight = note["day"] == origin or any(fact["night"] > origin for fact in note["facts"])
    if issue.book != "live" or not about_tonight:
        return "none"
    rows = store.ledger.forecasts(issue.book, issue.member_id, slot=issue.slot, origin_day=issue.origin_day)
    return "forecast" if rows.is_empty() else "stands"


def _correction(said: dict[str, Any]) -> dict[str, Any]:
    right: dict[str, Any] = {}
    if said.get("amount") not in (None, ""):
        try:
            right["amount"] = float(said["amount"])
        except (TypeError, ValueError):
            raise BadRequest(f"Expected an amount in figures, got {str(said['amount'])[:20]!r}.") from None
    if said.get("clock_time"):
        try:
            right["clock_time"] = time.fromisoformat(str(said["clock_time"])).strftime("%H:%M")
        except ValueError:
            raise BadRequest(
                f"Expected a time such as 21:30, got {str(said['clock_time'])[:20]!r}."
            ) from None
    if said.get("denied") in (True, "true", "on"):
        right["denied"] = True
    return right


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadRequest(f"Expected the number of a fact, got {str(value)[:20]!r}.") from None


def _refused(inbox: Path) -> Path:
    folder = inbox / "refused"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder
