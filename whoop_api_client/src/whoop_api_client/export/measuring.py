"""How long an import takes: a made-up export of some years into a fresh store, record and tables."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hrv_shared.store import Store
from whoop_api_client.export.importer import import_export
from whoop_api_client.export.made_up import nights_at_home, write_export
from whoop_api_client.tables import rebuild

__all__ = ["measure_import"]

FIVE_YEARS = 1826
LAST_DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def measure_import(
    folder: Path, *, nights: int = FIVE_YEARS, rounds: int = 3, seed: int = 1
) -> dict[str, Any]:
    """Import a ZIP with all four files (four journal answers a night) into ``rounds`` fresh stores below ``folder``.

    Returns
    -------
    dict
        ``nights``, ``rows``, ``facts``, ``days`` (rows of the table), and medians ``import_s``, ``tables_s``,
        ``total_s`` (wall clock) and ``cpu_s``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = write_export(folder / "export.zip", nights_at_home(nights, last_day=LAST_DAY, seed=seed))
    walls, cpus = [], []
    for number in range(rounds):
        store = Store(folder / f"store{number}", clock=lambda: NOW)
        began, cpu = time.perf_counter(), time.process_time()
        report = import_export(store, path, "m")
        imported = time.perf_counter()
        counts = rebuild(store, "m")
        walls.append((imported - began, time.perf_counter() - imported))
        cpus.append(time.process_time() - cpu)
        store.record.close()
    return {
        "nights": report.cycles,
        "rows": sum(file.rows for file in report.files),
        "facts": report.facts_written,
        "days": counts["days"],
        "rounds": rounds,
        "import_s": statistics.median(wall[0] for wall in walls),
        "tables_s": statistics.median(wall[1] for wall in walls),
        "total_s": statistics.median(sum(wall) for wall in walls),
        "cpu_s": statistics.median(cpus),
    }
