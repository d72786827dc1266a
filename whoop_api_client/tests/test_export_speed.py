"""Five years in two seconds: measured by `measure_import`, bounded generously here because machines are shared."""

from pathlib import Path

from whoop_api_client.export.measuring import measure_import

MEANT_S = 2.0
LEAVE_S = 3 * MEANT_S
"""Of processor time, which a busy machine stretches as well; a quadratic step would be minutes."""


def test_five_years_are_imported_in_seconds(tmp_path: Path) -> None:
    took = measure_import(tmp_path, rounds=1)
    assert (took["nights"], took["rows"]) == (1826, 12_034)
    assert took["days"] > 2 * 1826
    assert took["cpu_s"] < LEAVE_S, took


def test_ten_times_the_nights_take_about_ten_times_as_long(tmp_path: Path) -> None:
    short = measure_import(tmp_path / "short", nights=150, rounds=3)["cpu_s"]
    long = measure_import(tmp_path / "long", nights=1500, rounds=1)["cpu_s"]
    assert long < 30 * short, (short, long)
