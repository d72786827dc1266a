"""The record: grows only, writes nothing twice, answers as of any instant, survives other processes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrv_shared.errors import StoreError
from hrv_shared.record import FactDraft, Record

T0 = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def draft(key: str, payload: dict, known_at: datetime = T0, kind: str = "sleep") -> FactDraft:
    return FactDraft("me", kind, key, payload, known_at, "seen", "whoop-api")


def test_an_equal_payload_is_not_written_again(tmp_path):
    record = Record(tmp_path / "record.sqlite")
    assert record.append_many([draft("a", {"x": 1, "y": None}), draft("a", {"y": None, "x": 1})]) == 1
    assert record.append_many([draft("a", {"x": 2, "y": None}, T0 + timedelta(hours=1))]) == 1
    assert [f.revision for f in record.facts("sleep")] == [1, 2]


def test_latest_is_the_revision_in_force(tmp_path):
    record = Record(tmp_path / "record.sqlite")
    for hours, value in ((0, 1), (5, 2), (9, 3)):
        record.append_many([draft("a", {"v": value}, T0 + timedelta(hours=hours))])
    assert record.latest("sleep", "me", T0 + timedelta(hours=6))["a"].payload == {"v": 2}
    assert record.latest("sleep", "me")["a"].payload == {"v": 3}
    assert record.latest("sleep", "me", T0 - timedelta(seconds=1)) == {}


def test_nothing_can_be_changed_or_dropped(tmp_path):
    path = tmp_path / "record.sqlite"
    Record(path).append_many([draft("a", {"v": 1})])
    raw = sqlite3.connect(path)
    for statement in ("UPDATE fact SET payload = '{}'", "DELETE FROM fact"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            raw.execute(statement)


def test_a_failing_batch_leaves_nothing(tmp_path):
    record = Record(tmp_path / "record.sqlite")
    with pytest.raises(ValueError, match="Out of range float"):
        record.append_many([draft("a", {"v": 1}), draft("b", {"v": float("nan")})])
    assert list(record.facts()) == []


def test_a_damaged_file_is_left_and_named(tmp_path):
    path = tmp_path / "record.sqlite"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(StoreError, match="not a readable record"):
        Record(path)
    assert path.read_bytes().startswith(b"this is not")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 48)), max_size=25))
def test_as_of_equals_a_plain_reading(tmp_path_factory, writes):
    record = Record(tmp_path_factory.mktemp("r") / "record.sqlite")
    plain: list[tuple[str, int, int]] = []
    for key, value, hour in writes:
        before = [w for w in plain if w[0] == key]
        if not before or before[-1][1] != value:
            plain.append((key, value, hour))
        record.append_many([draft(key, {"v": value}, T0 + timedelta(hours=hour))])
    for hour in (0, 10, 30, 48):
        expected = {}
        for key, value, known in plain:
            if known <= hour and (key not in expected or known >= expected[key][1]):
                expected[key] = (value, known)
        got = record.latest("sleep", "me", T0 + timedelta(hours=hour))
        assert {k: f.payload["v"] for k, f in got.items()} == {k: v for k, (v, _) in expected.items()}
    record.close()


def test_two_processes_write_at_once(tmp_path):
    path = tmp_path / "record.sqlite"
    code = (
        "import sys; from datetime import UTC, datetime as d; from pathlib import Path\n"
        "from hrv_shared.record import Record\n"
        "r = Record(Path(sys.argv[1]))\n"
        "for i in range(40):\n"
        "    r.append('me', 'sleep', str(i), {'by': i}, known_at=d.now(UTC), basis='seen', source='t')"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert sorted(int(f.key) for f in Record(path).facts()) == list(range(40))
