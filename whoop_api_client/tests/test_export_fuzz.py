"""Malformed ZIPs and CSVs: never a crash, never a hang, never a bad row, and no good row lost on the way."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from export_mutations import case, good_lines
from hrv_shared.daytime import wake_day
from hrv_shared.store import Store
from whoop_api_client.export import ImportReport, cells, import_export
from whoop_api_client.export.cells import PLAUSIBLE
from whoop_api_client.export.errors import ExportError
from whoop_api_client.tables import derive
from whoop_api_client.tables.revisions import KINDS

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BATCH = 250
LONGEST_S = 5.0
"""Of processor time: a busy machine is no hang. The wall clock is pytest-timeout's."""

RANGES = {
    "hrv_rmssd_ms": (0, 1000), "resting_hr_bpm": (20, 200), "recovery_pct": (0, 100), "spo2_pct": (0, 100),
    "skin_temp_c": (0, 60), "resp_rate_rpm": (0, 60), "asleep_min": (0, 4000), "in_bed_min": (0, 4000),
    "light_min": (0, 4000), "deep_min": (0, 4000), "rem_min": (0, 4000), "awake_min": (0, 4000),
    "sleep_efficiency_pct": (0, 100), "sleep_performance_pct": (0, 100), "sleep_consistency_pct": (0, 100),
    "sleep_need_min": (0, 4000), "sleep_debt_min": (0, 4000), "strain_0_21": (0, 21), "energy_kcal": (0, 100_000),
    "avg_hr_bpm": (0, 300), "max_hr_bpm": (0, 300), "workout_strain_max": (0, 21),
}  # fmt: skip


def test_a_thousand_malformed_exports(tmp_path: Path) -> None:
    outcomes = run_cases(tmp_path, range(1000))
    assert outcomes["crash"] == 0 and sum(outcomes.values()) == 1000
    assert min(outcomes["refused"], outcomes["imported"], outcomes["rows refused"]) > 100, outcomes


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_hundred_thousand_malformed_exports(tmp_path: Path) -> None:
    outcomes = run_cases(tmp_path, range(1000, 101_000))
    assert sum(outcomes.values()) == 100_000
    print(dict(outcomes))


def test_a_bad_row_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cells' own limits taken away, the cases do bring values that cannot be."""
    monkeypatch.setattr("whoop_api_client.export.cells.PLAUSIBLE", dict.fromkeys(PLAUSIBLE, (-1e300, 1e300)))
    cells._number.cache_clear()
    try:
        with pytest.raises(AssertionError):
            run_cases(tmp_path, range(450, 475))
    finally:
        cells._number.cache_clear()


def run_cases(folder: Path, seeds: range) -> Counter[str]:
    """Import each case under a member of its own; judge the tables of a batch together."""
    outcomes: Counter[str] = Counter()
    path = folder / "x.zip"
    for first in range(seeds.start, seeds.stop, BATCH):
        store = Store(folder / f"home{first}", clock=lambda: NOW)
        for seed in range(first, min(first + BATCH, seeds.stop)):
            outcomes[one_case(store, path, seed)] += 1
        assert_no_bad_row(tables_of(store))
        store.record.close()
    return outcomes


def one_case(store: Store, path: Path, seed: int) -> str:
    changed, member = case(seed), f"m{seed}"
    path.write_bytes(changed.data)
    began = time.process_time()
    try:
        report = import_export(store, path, member)
    except ExportError as refusal:
        assert str(refusal).endswith("."), f"seed {seed}: {refusal}"
        assert next(store.record.facts(member_id=member), None) is None, f"seed {seed} ({changed.what})"
        return "refused"
    except Exception as error:
        raise AssertionError(f"seed {seed} ({changed.what}): {type(error).__name__}: {error}") from error
    took_s = time.process_time() - began
    assert took_s < LONGEST_S, f"seed {seed} ({changed.what}) took {took_s:.1f} s"
    assert_adds_up(report, f"seed {seed} ({changed.what})")
    return "rows refused" if report.errors else "imported"


def tables_of(store: Store) -> dict[str, pl.DataFrame]:
    """All tables of a batch; when they cannot be made, say for which seed."""
    try:
        return derive(store.record.facts(KINDS))
    except Exception as error:
        for member in store.record.members():
            try:
                derive(store.record.facts(KINDS, member))
            except Exception as own:
                what = case(int(member[1:])).what
                raise AssertionError(f"seed {member[1:]} ({what}): {type(own).__name__}: {own}") from error
        raise


def assert_adds_up(report: ImportReport, where: str) -> None:
    for file in report.files:
        told = (file.new, file.changed, file.already_known, file.kept_newer, file.duplicates, file.left_out)
        assert min(told) >= 0, f"{where}: {file}"
        assert file.rows == sum(told) + len(file.errors), f"{where}: {file}"
        assert file.already_known == file.changed == file.kept_newer == 0, f"{where}: {file}"
        lines = [error.line for error in file.errors]
        assert len(lines) == len(set(lines)), f"{where}: {lines}"


def assert_no_bad_row(tables: dict[str, pl.DataFrame]) -> None:
    days = tables["days"]
    for name, (low, high) in RANGES.items():
        values = days[name].drop_nulls()
        assert values.is_finite().all() and values.is_between(low, high).all(), name
    early, late = datetime(2012, 1, 1, tzinfo=UTC), NOW + timedelta(hours=1)
    for name, frame in tables.items():
        assert (frame["known_at"] <= NOW).all(), name
        if name in ("cycles", "sleeps", "workouts"):
            assert frame["start_at"].is_between(early, late).all(), name
            assert (frame["end_at"] >= frame["start_at"]).drop_nulls().all(), name
    for row in days.select(
        "day", "state", "wake_at", "sleep_onset_at", "utc_offset_min", "hrv_rmssd_ms"
    ).iter_rows():
        day, state, woken, onset, offset, hrv = row
        assert -720 <= offset <= 840
        assert (hrv is not None) == (state in ("scored", "calibrating"))
        if woken is not None:
            assert day == wake_day(woken, offset) and onset <= woken


def test_lines_that_nobody_touched_are_imported(tmp_path: Path) -> None:
    """A broken row costs itself alone: every line that stands in the file as WHOOP wrote it is not among the errors."""
    store, path = Store(tmp_path / "home", clock=lambda: NOW), tmp_path / "x.zip"
    checked = 0
    for seed in range(200):
        changed = case(seed)
        path.write_bytes(changed.data)
        try:
            report = import_export(store, path, f"m{seed}")
        except ExportError:
            continue
        for error in report.errors:
            text = changed.texts.get(error.file, "")
            if "beside line" in error.message or '"' in text or "\r" in text:
                continue  # told twice; or a quoted line break has moved the numbers
            lines = text.split("\n")
            if error.line <= len(lines):
                checked += 1
                assert (lines[0], lines[error.line - 1]) not in good_lines(), f"seed {seed}: {error.message}"
    assert checked > 50
