"""The as-of audit: what the house says of one issue, and ways to change everything that was known later.

``voices`` runs every forecaster, the mix, the final, the summaries, the card and the agent's briefing for one issue on
a copy of the store. The audit holds two such runs against each other; a difference is a leak.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from data_intelligence import summarise_day, today_card, write_daily, write_weekly
from house_rooms import MEMBER
from hrv_shared.daytime import format_instant, parse_instant
from hrv_shared.issue import Issue
from hrv_shared.store import Store
from journal_analysis.table import rebuild as rebuild_journal
from llm_agent.answer import questions_for
from llm_agent.forecast import briefing_of
from model_training import combine, issue_forecasts
from whoop_api_client.tables import rebuild as rebuild_whoop

Change = Callable[[sqlite3.Connection, Issue], None]
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_LEDGER_PLACE = re.compile(r"ledger/(live|replay)/\d+/[0-9a-f]{64}")


def voices(
    home: Path, issue: Issue, forecasters: Mapping[str, Any], *, keep_places: bool = True
) -> dict[str, str]:
    """Everything that is said for ``issue``, by what it is; quantiles to the last bit.

    Parameters
    ----------
    keep_places : bool
        False leaves out where a row stands in the ledger (its number and hash), which later rows may move.
    """
    clock_at = issue.as_of + timedelta(days=400)
    store = Store(home, clock=lambda: clock_at)  # a stopped clock: recorded_at is part of a row's hash
    issue_forecasts(store, issue, forecasters=forecasters)
    combine(store, issue)
    rows = store.ledger.forecasts(issue.book, MEMBER, slot=issue.slot, origin_day=issue.origin_day)
    said = {
        f"quantiles of {row['forecaster']} +{row['horizon']}": json.dumps(
            [q.hex() for q in row["quantiles_ms"]]
        )
        for row in rows.iter_rows(named=True)
    }
    said |= {f"digest of {r['forecaster']}": r["input_digest"] for r in rows.iter_rows(named=True)}
    for path in (*write_daily(store, issue), *write_weekly(store, issue)):
        said[f"report {path.name}"] = path.read_text(encoding="latin-1" if path.suffix == ".pdf" else "utf-8")
    said["card"] = today_card(store, issue).model_dump_json()
    briefings = {style: briefing_of(store, issue, style) for style in ("read", "choice", "free")}
    said |= {f"briefing {style}": briefing.text for style, briefing in briefings.items()}
    said["prompts"] = json.dumps(
        [q.messages for style, briefing in briefings.items() for q in questions_for(briefing, style)]
    )
    said["skill rows"] = json.dumps(
        [row.model_dump(mode="json") for row in summarise_day(store, issue).summary.skill]
    )
    store.record.close()
    store.ledger.close()
    said = {name: text.replace(str(home), "HRV_HOME") for name, text in said.items()}
    if not keep_places:
        said = {name: _LEDGER_PLACE.sub("ledger/place", text) for name, text in said.items()}
    return said


def audit(
    template: Path, folder: Path, issue: Issue, forecasters: Mapping[str, Any], change: Change | None
) -> dict:
    """`voices` on a copy of the store ``template``, after ``change`` and a rebuild of all tables."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    if change is not None:
        with closing(sqlite3.connect(folder / "record.sqlite", isolation_level=None)) as connection:
            drop_triggers(connection)
            connection.execute("BEGIN")
            change(connection, issue)
            connection.execute("COMMIT")
    shutil.rmtree(folder / "tables")
    store = Store(folder)
    rebuild_whoop(store)
    rebuild_journal(store)
    store.record.close()
    return voices(folder, issue, forecasters)


def leaks(honest: dict[str, str], changed: dict[str, str]) -> dict[str, str]:
    """What differs between two audits: its name, and where the two texts part."""
    differing = sorted(
        name for name in honest.keys() | changed.keys() if honest.get(name) != changed.get(name)
    )
    return {name: _parting(honest.get(name, ""), changed.get(name, "")) for name in differing}


def _parting(one: str, other: str) -> str:
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return f"{one[max(0, at - 60) : at + 60]!r} became {other[max(0, at - 60) : at + 60]!r}"


def drop_triggers(connection: sqlite3.Connection) -> None:
    """Only a test may do this, on a copy: the record's own triggers forbid any change."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def delete_later(connection: sqlite3.Connection, issue: Issue) -> None:
    """Forget every fact, outcome and forecast that came after the issue."""
    at = format_instant(issue.as_of)
    for table, column in (("fact", "known_at"), ("outcome", "known_at"), ("forecast", "as_of")):
        connection.execute(f"DELETE FROM {table} WHERE {column} > ?", (at,))


def poison_later(
    connection: sqlite3.Connection, issue: Issue, *, seed: int = 20, times_too: bool = False
) -> None:
    """Replace what every later fact and outcome says by random values of the same form."""
    at, draw = format_instant(issue.as_of), Random(seed)
    later = connection.execute("SELECT seq, payload FROM fact WHERE known_at > ?", (at,)).fetchall()
    assert later, "there is nothing to poison: the audit would prove nothing"
    for seq, payload in later:
        poisoned = json.dumps(_poisoned(json.loads(payload), draw, times_too))
        connection.execute("UPDATE fact SET payload = ? WHERE seq = ?", (poisoned, seq))
    for (n,) in connection.execute("SELECT n FROM outcome WHERE known_at > ?", (at,)).fetchall():
        connection.execute("UPDATE outcome SET hrv_rmssd_ms = ? WHERE n = ?", (draw.uniform(5, 250), n))


def poison_later_with_times(connection: sqlite3.Connection, issue: Issue) -> None:
    """The same, and every instant inside later facts moves by up to three hours."""
    poison_later(connection, issue, seed=21, times_too=True)


def permute_target_nights(connection: sqlite3.Connection, issue: Issue) -> None:
    """Shuffle what the recoveries of the target nights say, all fields but which night they belong to."""
    at, draw = format_instant(issue.as_of), Random(22)
    held = connection.execute(
        "SELECT seq, payload FROM fact WHERE kind = 'recovery' AND known_at > ? ORDER BY known_at LIMIT 7",
        (at,),
    ).fetchall()
    scores = [json.loads(payload).get("score") for _, payload in held]
    shuffled = scores[1:] + scores[:1]
    for (seq, payload), score in zip(held, shuffled, strict=True):
        mixed = json.loads(payload) | {
            "score": _poisoned(score, draw, False) if draw.random() < 0.5 else score
        }
        connection.execute("UPDATE fact SET payload = ? WHERE seq = ?", (json.dumps(mixed), seq))


def _poisoned(value: Any, draw: Random, times_too: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: _poisoned(item, draw, times_too) if name not in _IDENTITY else item
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_poisoned(item, draw, times_too) for item in value]
    if isinstance(value, bool):
        return draw.random() < 0.5
    if isinstance(value, (int, float)):
        return type(value)(draw.uniform(1, 200))
    if isinstance(value, str) and _INSTANT.match(value):
        return _moved(value, draw) if times_too else value
    return value


_IDENTITY = {"id", "cycle_id", "sleep_id", "user_id", "v1_id", "sport_id", "utc_offset_min"}


def _moved(text: str, draw: Random) -> str:
    moved: datetime = parse_instant(text) + timedelta(minutes=draw.randint(-180, 180))
    return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
