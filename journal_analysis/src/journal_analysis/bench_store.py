"""How fast a typed note becomes a receipt in a store that holds years of notes, and the command line's own time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from hrv_shared.clock import system_clock
from hrv_shared.store import Store
from journal_analysis.backfilling import INFERRED
from journal_analysis.entries import draft_entry, text_key
from journal_analysis.notes import add_text
from journal_analysis.reply import receipt
from journal_analysis.table import OWN_TABLES, rebuild
from journal_analysis.telling import spoken_at

__all__ = ["measure_store"]

MEMBER = "bench"
_TOLD = (
    "{n} glasses of wine, the last at half past nine. Stress two out of five, no magnesium, in bed at eleven.",
    "Hard intervals for an hour, {n} coffees, the last at ten. No alcohol. Planned bed at half past ten.",
    "Rest day, {n} beers with dinner. Stress four out of five. Took magnesium. Sauna.",
    "Sick today, sore throat, no training. {n} cups of tea. No alcohol, no caffeine after two.",
)


def measure_store(notes: int, *, added: int = 30, commands: int = 5) -> list[dict[str, Any]]:
    """Fill a store of its own with ``notes`` days of notes; add typed ones, in this process and by command; time each.

    Returns
    -------
    list of dict
        Rows metric, value, n, model, set; seconds.
    """
    name = f"store of {notes} notes"
    with tempfile.TemporaryDirectory(prefix="hrv-bench-") as folder:
        store = Store(Path(folder) / "home")
        _fill(store, notes)
        rows = len(store.read_table("journal_days"))
        began = time.perf_counter()
        rebuild(store)
        rebuild_s = time.perf_counter() - began
        took = sorted(_timed(store, k) for k in range(added))
        incremental = [store.table_path(t).read_bytes() for t in OWN_TABLES]
        rebuild(store)
        same = incremental == [store.table_path(t).read_bytes() for t in OWN_TABLES]
        command = sorted(_command_s(store.home, k) for k in range(commands))
    figures = (
        ("typed note to receipt, median (s)", took[len(took) // 2], len(took)),
        ("typed note to receipt, slowest (s)", took[-1], len(took)),
        ("command hrv journal add --text, median (s)", command[len(command) // 2], len(command)),
        ("all tables made anew (s)", rebuild_s, 1),
        ("rows of journal_days", float(rows), 1),
        ("tables equal to those made anew", float(same), len(OWN_TABLES)),
    )
    return [
        {"metric": metric, "value": round(value, 3), "n": n, "model": "rules", "set": name}
        for metric, value, n in figures
    ]


def _fill(store: Store, notes: int) -> None:
    """One note an evening, up to the day before yesterday."""
    last = system_clock() - timedelta(days=2)
    drafts = []
    for k in range(notes):
        at = last - timedelta(days=notes - 1 - k)
        text = _TOLD[k * 7 % 11 % len(_TOLD)].format(n=k % 4 + 1)
        spoken = spoken_at(store, MEMBER, at, now=store.clock())
        key = text_key(spoken.day, text)
        drafts += draft_entry(MEMBER, key, text, spoken, source="text", known_at=spoken.at, basis=INFERRED)[1]
    store.record.append_many(drafts)
    rebuild(store)


def _timed(store: Store, k: int) -> float:
    text = f"{_TOLD[k % len(_TOLD)].format(n=k % 5 + 1)} Note number {k}."
    began = time.perf_counter()
    receipt(add_text(store, MEMBER, text))
    return time.perf_counter() - began


def _command_s(home: Path, k: int) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HRV_")}
    command = [
        sys.executable,
        "-m",
        "journal_analysis",
        "add",
        "--member",
        MEMBER,
        "--text",
        f"{k} beers tonight.",
    ]
    began = time.perf_counter()
    subprocess.run(command, env=environment | {"HRV_HOME": str(home)}, check=True, capture_output=True)
    return time.perf_counter() - began
