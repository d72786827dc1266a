"""Five years in two seconds: measured by ``hrv bench whoop``, bounded generously here because machines are shared."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

from hrv_shared.store import Store
from whoop_api_client.export import import_export
from whoop_api_client.export.made_up import nights_at_home, write_export
from whoop_api_client.tables import rebuild

FIVE_YEARS = 1826
MEANT_S = 2.0
LEAVE_S = 3 * MEANT_S
"""Of processor time, which a busy machine stretches as well; a quadratic step would be minutes."""


def test_five_years_are_imported_in_seconds(tmp_path: Path) -> None:
    nights = nights_at_home(FIVE_YEARS, last_day=date(2026, 11, 20), seed=1)
    path = write_export(tmp_path / "export.zip", nights)
    store = Store(tmp_path / "home", clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    began_s = time.process_time()
    report = import_export(store, path, "m")
    counts = rebuild(store, "m")
    took_s = time.process_time() - began_s
    store.record.close()
    assert (report.cycles, sum(file.rows for file in report.files)) == (FIVE_YEARS, 12_034)
    assert counts["days"] > 2 * FIVE_YEARS
    assert took_s < LEAVE_S
