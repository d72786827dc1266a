"""No row is lost: what goes in is new, changed, known, repeated, left out or unusable, in any version and language."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hrv_shared.history import as_of_days
from hrv_shared.store import Store
from whoop_api_client.export import ImportReport, import_export
from whoop_api_client.export.errors import DamagedExport, NotAnExport
from whoop_api_client.export.made_up import JOURNAL, export_files, nights_at_home, write_export
from whoop_api_client.received import drafts_for
from whoop_api_client.simulator import load_person
from whoop_api_client.tables import derive, rebuild

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
LAST = date(2026, 11, 22)
NIGHTS = nights_at_home(60, last_day=LAST, seed=3)
KINDS = {
    "cycles": "export_cycle",
    "sleeps": "export_sleep",
    "workouts": "export_workout",
    "journal": "export_journal",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home", clock=lambda: NOW)


def assert_it_adds_up(store: Store, report: ImportReport, before: dict[str, int]) -> None:
    for file in report.files:
        told = (
            file.new + file.changed + file.already_known + file.kept_newer + file.duplicates + file.left_out
        )
        assert file.rows == told + len(file.errors), asdict(file)
        kind = KINDS[file.kind]
        assert len(store.record.latest(kind, "m")) == before.get(kind, 0) + file.new
    assert report.facts_written == sum(file.facts_written for file in report.files)


def held(store: Store) -> dict[str, int]:
    return {kind: len(store.record.latest(kind, "m")) for kind in KINDS.values()}


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("language", ["en", "de", "es", "pt", "fr"])
@pytest.mark.parametrize("shape", ["folder", "x.zip"])
def test_every_version_and_language_holds_the_same_nights(
    store: Store, tmp_path: Path, language: str, is_old: bool, shape: str
) -> None:
    path = write_export(tmp_path / shape, NIGHTS, language=language, is_old=is_old)
    report = import_export(store, path, "m")
    assert_it_adds_up(store, report, {})
    naps = sum(night.nap_at is not None for night in NIGHTS)
    overwritten = sum(night.is_overwritten for night in NIGHTS)
    assert {f.kind: f.new for f in report.files} | {"workouts": 0} == {
        "cycles": 60, "sleeps": 60 + naps, "journal": 240, "workouts": 0
    }  # fmt: skip
    assert overwritten > 0
    assert (report.nights, report.nap_overwritten, report.repaired_sleep) == (
        60 - overwritten, overwritten, overwritten
    )  # fmt: skip
    rebuild(store)
    days = as_of_days(store.read_table("days"), NOW)
    assert days["day"].to_list() == [night.wake_at.astimezone(_zone()).date() for night in NIGHTS]
    for night, row in zip(NIGHTS, days.iter_rows(named=True), strict=True):
        assert row["wake_at"] == night.wake_at and row["asleep_min"] > 300
        assert row["hrv_rmssd_ms"] == (None if night.is_overwritten else night.hrv_ms)
        assert row["state"] == ("invalid" if night.is_overwritten else "scored")
        assert row["nap_min"] == (0 if night.nap_at is None else 42)
        assert (row["sleep_consistency_pct"] is None) == is_old


def _zone():
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Berlin")


def test_twice_newer_and_older_exports_add_up_too(store: Store, tmp_path: Path) -> None:
    short = write_export(tmp_path / "a", NIGHTS[:40])
    whole = write_export(tmp_path / "b", NIGHTS)
    before = held(store)
    for path, expected in (
        (short, {"new": 40, "changed": 0, "already_known": 0, "kept_newer": 0}),
        (short, {"new": 0, "changed": 0, "already_known": 40, "kept_newer": 0}),
        (whole, {"new": 20, "changed": 1, "already_known": 39, "kept_newer": 0}),
        (short, {"new": 0, "changed": 0, "already_known": 0, "kept_newer": 40}),
    ):
        report = import_export(store, path, "m")
        assert_it_adds_up(store, report, before)
        cycles = asdict(next(f for f in report.files if f.kind == "cycles"))
        assert {name: cycles[name] for name in expected} == expected
        before = held(store)


def test_bad_doubled_and_shuffled_rows_add_up(store: Store, tmp_path: Path) -> None:
    draw = random.Random(5)
    folder = tmp_path / "x"
    folder.mkdir()
    for name, text in export_files(NIGHTS).items():
        header, *rows = text.splitlines()
        for row in draw.sample(rows, 8):
            rows.append(row if draw.random() < 0.5 else row.replace("UTC+0", "UTC+9", 1))
        draw.shuffle(rows)
        (folder / name).write_text("\n".join([header, *rows]) + "\n")
    report = import_export(store, folder, "m")
    assert_it_adds_up(store, report, {})
    assert sum(f.duplicates for f in report.files) > 5 and len(report.errors) > 5
    assert all("expected an offset" in error.message for error in report.errors)
    assert report.nights == sum(not night.is_overwritten for night in NIGHTS)


def test_questions_are_known_unknown_private_or_left_out(store: Store, tmp_path: Path) -> None:
    path = write_export(tmp_path / "x", NIGHTS)
    report = import_export(store, path, "m", leave_out=["caffeine"])
    assert report.journal.known == {"alcohol": 60}
    assert report.journal.unknown == {"Did you juggle?": 60}
    assert report.journal.private == 60
    assert next(f for f in report.files if f.kind == "journal").left_out == 60
    text = report.text()
    assert "1 question is not known" in text and "'Did you juggle?' (60)" in text
    assert "60 answers to private questions" in text and "asturbat" not in text
    assert "asturbat" not in json.dumps(report.to_dict())
    questions = {fact.payload["Question text"] for fact in store.record.facts("export_journal")}
    assert questions == set(JOURNAL) - {"Have any caffeine?"}
    again = import_export(store, path, "m")
    assert next(f for f in again.files if f.kind == "journal").left_out == 60
    back = import_export(store, path, "m", let_in=["caffeine", "masturbation"])
    assert back.journal.known == {"alcohol": 60, "caffeine": 60, "masturbation": 60}
    assert_it_adds_up(store, back, {**held(store), "export_journal": 180})


def test_localised_questions_are_known(store: Store, tmp_path: Path) -> None:
    asked = ("Alkohol konsumiert?", "Kurz vor dem Schlafengehen noch etwas gegessen?", "Heute gejodelt?")
    report = import_export(
        store, write_export(tmp_path / "x", NIGHTS[:3], language="de", questions=asked), "m"
    )
    assert report.journal.known == {"alcohol": 3, "late_meal": 3}
    assert report.journal.unknown == {"Heute gejodelt?": 3}


def test_rows_of_the_future_are_not_believed(store: Store, tmp_path: Path) -> None:
    tomorrow = nights_at_home(10, last_day=date(2026, 11, 26), seed=3)
    report = import_export(store, write_export(tmp_path / "x", tomorrow), "m")
    assert_it_adds_up(store, report, {})
    cycles = next(f for f in report.files if f.kind == "cycles")
    assert [len(cycles.errors), cycles.new] == [4, 6]
    assert "past time" in cycles.errors[0].message


def _text(path: Path, change) -> None:
    for file in path.iterdir():
        file.write_bytes(change(file.read_text(encoding="utf-8")).encode())


DAMAGE = {
    "dates": (lambda t: re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3/\2/\1", t), "/2026 "),
    "capitals": (lambda t: t.replace("true", "TRUE").replace("false", "FALSE"), "FALSE"),
    "semicolons": (lambda t: t.replace(",", ";"), "semicolons"),
    "short times": (lambda t: re.sub(r"(\d\d:\d\d):\d\d", r"\1", t), "times like"),
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
def test_what_a_spreadsheet_rewrote_is_refused_whole_and_clearly(
    store: Store, tmp_path: Path, damage: str
) -> None:
    change, words = DAMAGE[damage]
    path = write_export(tmp_path / "x", NIGHTS)
    _text(path, change)
    with pytest.raises(DamagedExport, match=r"spreadsheet program .*WHOOP's ZIP") as refusal:
        import_export(store, path, "m")
    assert words in str(refusal.value)
    assert list(store.record.facts()) == []


def test_harmless_rewriting_is_read_to_the_same_facts(store: Store, tmp_path: Path) -> None:
    plain = write_export(tmp_path / "x", NIGHTS, questions=())
    import_export(store, plain, "m")
    _text(plain, lambda text: "\ufeff" + text.replace("\n", "\r\n"))
    other = Store(tmp_path / "other", clock=lambda: NOW)
    report = import_export(other, plain, "m")
    assert sum("saved again" in note for note in report.notes) == 4
    assert derive(other.record.facts())["days"].equals(derive(store.record.facts())["days"])
    rows = (plain / "physiological_cycles.csv").read_text(encoding="utf-8-sig")
    (plain / "physiological_cycles.csv").write_text(re.sub(r",(\d\d),", r",\1.0,", rows))
    again = import_export(other, plain, "m")
    assert again.facts_written == 0 and any("72.0 instead of 72" in note for note in again.notes)
    fresh = Store(tmp_path / "fresh", clock=lambda: NOW)
    import_export(fresh, plain, "m")
    assert derive(fresh.record.facts())["days"].equals(derive(store.record.facts())["days"])


needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the reference data does not lie beside this checkout"
)


@needs_data
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_real_exports_lose_no_row(store: Store, name: str) -> None:
    source = DATA / f"whoop_export_{name}"
    report = import_export(store, source, "m")
    assert_it_adds_up(store, report, {})
    lines = {
        file.name: len(file.read_text(encoding="utf-8").splitlines()) - 1 for file in source.glob("*.csv")
    }
    assert {file.name: file.rows for file in report.files} == lines
    assert report.errors == []
    counts = rebuild(store)
    assert counts["cycles"] == report.cycles
    days = as_of_days(store.read_table("days"), NOW)
    assert report.nights == (days["state"] == "scored").sum()


@needs_data
def test_the_recorded_api_person_loses_no_row(store: Store) -> None:
    """The person of whoop_api_person as the simulator serves them, through the sync's own door into the tables."""
    world = load_person(DATA / "whoop_api_person")
    rows = len((DATA / "whoop_api_person" / "whoop.csv").read_text(encoding="utf-8").splitlines()) - 1
    written = []
    for kind in ("cycle", "sleep", "recovery"):
        for raw in world.records(kind, NOW):
            drafts = drafts_for(kind, raw, {}, member_id="m", now=NOW)
            assert isinstance(drafts, list), drafts
            written += drafts
    assert store.record.append_many(written) == len(written)
    tables = derive(store.record.facts())
    assert tables["cycles"].height == rows == len(world.records("cycle", NOW))
    assert tables["recoveries"].height == len(world.records("recovery", NOW))


def test_a_behaviour_that_is_misspelt_is_not_left_out_in_silence(store: Store, tmp_path: Path) -> None:
    path = write_export(tmp_path / "x.zip", nights_at_home(20, last_day=date(2026, 3, 1), seed=2))
    notes = import_export(store, path, "m", leave_out=["alcohool", "alcohol"]).notes
    assert [note for note in notes if "alcohool" in note and "exactly these words" in note]
    assert not [note for note in notes if "'alcohol'" in note]


def test_made_up_exports_are_the_same_in_every_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for zone in ("UTC", "Asia/Tokyo"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        made.append(export_files(nights_at_home(20, last_day=date(2026, 3, 1))))
    monkeypatch.undo()
    time.tzset()
    assert made[0] == made[1]


def test_the_command_tells_all_of_it(tmp_path: Path) -> None:
    path = write_export(tmp_path / "x.zip", nights_at_home(20, last_day=date(2026, 3, 1), seed=2))
    environment = {
        **os.environ,
        "HRV_HOME": str(tmp_path / "home"),
        "HRV_CONFIG_DIR": str(tmp_path / "config"),
    }

    def hrv(*arguments: str) -> str:
        command = [sys.executable, "-m", "whoop_api_client", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    said = hrv("import", str(path), "--leave-out", "alcohol")
    assert "20 left out" in said and "'Did you juggle?' (20)" in said and "usable nights of 20 cycles" in said
    told = json.loads(hrv("import", str(path), "--json"))
    assert told["facts_written"] == 0 and told["tables"]["cycles"] == 20
    assert told["journal"]["unknown"] == {"Did you juggle?": 20}
    found = json.loads(hrv("why", "2026-02-20", "asleep", "--json"))
    assert found["state"] in ("scored", "invalid") and found["vintages"][-1]["told_by"][0]["sha256"]
    assert "from export_" in hrv("why", "2026-02-20", "asleep")


def test_what_is_no_export_is_said(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(NotAnExport, match="it is empty"):
        import_export(store, tmp_path / "x", "m")
