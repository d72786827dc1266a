"""Importing into the record: revisions and what they rest on, twice, newer, older, beside the API, on real exports."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from hrv_shared.daytime import parse_instant
from hrv_shared.history import as_of_days
from hrv_shared.record import Fact, FactDraft
from hrv_shared.store import Store
from whoop_api_client.export import import_export
from whoop_api_client.export.errors import DamagedExport, NotAnExport
from whoop_api_client.tables import derive, rebuild

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CYCLES = (
    "Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Resting heart rate (bpm),"
    "Heart rate variability (ms),Day Strain,Energy burned (cal),Max HR (bpm),Average HR (bpm),"
    "Sleep onset,Wake onset,Asleep duration (min)"
)
SLEEPS = "Cycle start time,Cycle end time,Cycle timezone,Sleep onset,Wake onset,Asleep duration (min),Nap"
WORKOUTS = (
    "Cycle start time,Cycle end time,Cycle timezone,Workout start time,Workout end time,Duration (min),"
    "Activity name,Activity Strain"
)
JOURNAL = "Cycle start time,Cycle end time,Cycle timezone,Question text,Answered yes,Notes"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home", clock=lambda: NOW)


def cycle(day: int, *, hrv: int = 50, strain: str = "9.5", is_open: bool = False) -> str:
    """The cycle that begins at 23:00 on a day of January 2026 and opens the next."""
    end = "" if is_open else f"2026-01-{day + 1:02} 23:00:00"
    load = ",,," if is_open else f"{strain},2100,150,70"
    return (
        f"2026-01-{day:02} 23:00:00,{end},UTC+01:00,60,52,{hrv},{load},2026-01-{day:02} 23:00:00,"
        f"2026-01-{day + 1:02} 07:00:00,440"
    )


def write(folder: Path, cycles: list[str], **others: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "physiological_cycles.csv").write_text("\n".join([CYCLES, *reversed(cycles)]) + "\n")
    for name, text in others.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def facts(store: Store, kind: str) -> list[Fact]:
    return list(store.record.facts(kind))


def told(store: Store, kind: str) -> list[tuple[str, int, datetime, str]]:
    return [(fact.key, fact.revision, fact.known_at, fact.basis) for fact in facts(store, kind)]


def test_a_closed_cycle_is_a_night_first_and_a_day_later(store: Store, tmp_path: Path) -> None:
    report = import_export(store, write(tmp_path / "x", [cycle(10)]), "m")
    key = "2026-01-10T22:00:00Z"
    assert told(store, "export_cycle") == [
        (key, 1, datetime(2026, 1, 11, 6, 30, tzinfo=UTC), "inferred:wake+30min"),
        (key, 2, datetime(2026, 1, 11, 22, tzinfo=UTC), "inferred:cycle-end"),
    ]
    night, whole = (fact.payload for fact in facts(store, "export_cycle"))
    assert (night["Heart rate variability (ms)"], night["Day Strain"], night["Cycle end time"]) == (
        "50",
        "",
        "",
    )
    assert (whole["Day Strain"], whole["Cycle end time"]) == ("9.5", "2026-01-11 23:00:00")
    assert (report.facts_written, report.nights, report.first_night) == (2, 1, "2026-01-11")


def test_importing_again_writes_nothing_from_folder_or_zip(store: Store, tmp_path: Path) -> None:
    folder = write(tmp_path / "x", [cycle(n) for n in range(1, 15)] + [cycle(15, is_open=True)])
    assert import_export(store, folder, "m").facts_written == 29
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(folder / "physiological_cycles.csv", "export/physiological_cycles.csv")
    again = import_export(store, tmp_path / "x.zip", "m")
    assert (again.facts_written, again.files[0].already_known) == (0, 15)


def test_a_newer_export_writes_what_changed_and_closes_the_open_row(store: Store, tmp_path: Path) -> None:
    import_export(store, write(tmp_path / "x", [cycle(1), cycle(2), cycle(3, is_open=True)]), "m")
    before = len(facts(store, "export_cycle"))
    newer = write(tmp_path / "y", [cycle(1), cycle(2, hrv=53), cycle(3), cycle(4)])
    report = import_export(store, newer, "m", NOW + timedelta(days=1))
    added = told(store, "export_cycle")[before:]
    assert report.facts_written == 4
    assert added[0] == ("2026-01-02T22:00:00Z", 3, NOW + timedelta(days=1), "seen")
    assert added[1] == ("2026-01-03T22:00:00Z", 2, datetime(2026, 1, 4, 22, tzinfo=UTC), "inferred:cycle-end")
    assert [basis for *_, basis in added[2:]] == ["inferred:wake+30min", "inferred:cycle-end"]


def test_an_older_export_adds_but_never_revises(store: Store, tmp_path: Path) -> None:
    import_export(store, write(tmp_path / "y", [cycle(2, hrv=53), cycle(3), cycle(4)]), "m")
    older = import_export(store, write(tmp_path / "x", [cycle(1), cycle(2), cycle(3, is_open=True)]), "m")
    assert older.facts_written == 2
    assert (
        store.record.latest("export_cycle", "m")["2026-01-02T22:00:00Z"].payload[
            "Heart rate variability (ms)"
        ]
        == "53"
    )
    assert "newer export" in older.notes[-1]


def test_what_happened_within_two_days_counts_as_seen_now(store: Store, tmp_path: Path) -> None:
    now = datetime(2026, 1, 12, 12, tzinfo=UTC)
    import_export(
        store, write(tmp_path / "x", [cycle(8), cycle(9), cycle(10), cycle(11, is_open=True)]), "m", now
    )
    assert [(known_at, basis) for *_, known_at, basis in told(store, "export_cycle")] == [
        (datetime(2026, 1, 9, 6, 30, tzinfo=UTC), "inferred:wake+30min"),
        (datetime(2026, 1, 9, 22, tzinfo=UTC), "inferred:cycle-end"),
        (datetime(2026, 1, 10, 6, 30, tzinfo=UTC), "inferred:wake+30min"),
        (now, "seen"),
        (now, "seen"),
        (now, "seen"),
    ]


def test_a_row_that_an_earlier_export_lacked_was_learned_now(store: Store, tmp_path: Path) -> None:
    import_export(store, write(tmp_path / "x", [cycle(1), cycle(3)]), "m")
    import_export(store, write(tmp_path / "y", [cycle(1), cycle(2), cycle(3)]), "m")
    assert told(store, "export_cycle")[-1] == ("2026-01-02T22:00:00Z", 1, NOW, "seen")


def test_a_row_that_a_newer_export_lacks_is_marked_and_comes_back(store: Store, tmp_path: Path) -> None:
    full = write(tmp_path / "x", [cycle(n) for n in range(1, 6)])
    import_export(store, full, "m")
    cut = write(tmp_path / "y", [cycle(n) for n in (1, 2, 4, 5, 6)])
    import_export(store, cut, "m", NOW + timedelta(days=1))
    days = derive(store.record.facts())["days"]
    assert as_of_days(days, NOW + timedelta(days=2)).height == 5 == as_of_days(days, NOW).height - 1
    write(tmp_path / "x", [cycle(n) for n in range(1, 7)])
    import_export(store, full, "m", NOW + timedelta(days=3))
    assert as_of_days(derive(store.record.facts())["days"], NOW + timedelta(days=4)).height == 6
    assert [fact.payload["gone"] for fact in facts(store, "gone")] == [True, False]


def test_a_cut_file_is_not_taken_for_deletions(store: Store, tmp_path: Path) -> None:
    import_export(store, write(tmp_path / "x", [cycle(n) for n in range(1, 20)]), "m")
    report = import_export(store, write(tmp_path / "y", [cycle(1), cycle(19)]), "m")
    assert facts(store, "gone") == []
    assert "looks cut" in report.notes[-1]


def test_the_key_follows_the_api_and_the_second_digit_may_differ(store: Store, tmp_path: Path) -> None:
    payload = {
        "id": 7,
        "start": "2026-01-10T22:00:01.774Z",
        "timezone_offset": "+01:00",
        "score_state": "SCORED",
    }
    store.record.append("m", "cycle", "7", payload, known_at=NOW, basis="seen", source="whoop-api")
    import_export(store, write(tmp_path / "x", [cycle(10)]), "m")
    assert {fact.key for fact in facts(store, "export_cycle")} == {"2026-01-10T22:00:01Z"}
    shifted = cycle(10, hrv=51).replace("2026-01-10 23:00:00", "2026-01-10 23:00:02")
    import_export(store, write(tmp_path / "y", [shifted]), "m")
    assert {fact.key for fact in facts(store, "export_cycle")} == {"2026-01-10T22:00:01Z"}
    assert derive(store.record.facts())["cycles"].height == 1


def test_the_end_of_a_cycle_is_inferred_where_the_file_is_silent(store: Store, tmp_path: Path) -> None:
    silent = [
        row.replace(f",2026-01-{n + 1:02} 23:00:00,UTC", ",,UTC")
        for n, row in ((n, cycle(n)) for n in (1, 2, 9))
    ]
    import_export(store, write(tmp_path / "x", silent), "m")
    bases = {(key, basis) for key, revision, _, basis in told(store, "export_cycle") if revision == 2}
    assert bases == {
        ("2026-01-01T22:00:00Z", "inferred:next-cycle-start"),
        ("2026-01-02T22:00:00Z", "inferred:cycle-start+24h"),
        ("2026-01-09T22:00:00Z", "inferred:cycle-start+24h"),
    }
    days = as_of_days(derive(store.record.facts())["days"], NOW)
    assert days["strain_is_final"].to_list() == [True, True, False]
    assert days["day_closed_at"][0] == datetime(2026, 1, 2, 22, tzinfo=UTC)


def test_journal_answers_are_known_after_waking_and_kept_raw(store: Store, tmp_path: Path) -> None:
    start = "2026-01-10 23:00:00,2026-01-11 23:00:00"
    text = f"""{JOURNAL}
{start},UTC+01:00,Have any alcoholic drinks?,true,"two, late"
{start},UTC+01:00,Have any alcoholic drinks?,false,
{start},,Have any caffeine? ,false,
2026-01-12 00:00:00,,UTC+01:00,Read?,maybe,
"""
    report = import_export(store, write(tmp_path / "x", [cycle(10)], tagebuch=text), "m")
    assert told(store, "export_journal") == [
        (
            "2026-01-10T22:00:00Z#Have any alcoholic drinks?",
            1,
            datetime(2026, 1, 11, 6, 30, tzinfo=UTC),
            "inferred:wake+30min",
        ),
        (
            "2026-01-10T22:00:00Z#Have any caffeine?",
            1,
            datetime(2026, 1, 11, 6, 30, tzinfo=UTC),
            "inferred:wake+30min",
        ),
    ]
    first = facts(store, "export_journal")[0].payload
    assert (first["Answered yes"], first["Notes"], "Cycle end time" in first) == ("true", "two, late", False)
    journal = report.files[-1]
    assert (journal.rows, journal.duplicates, journal.errors[0].line) == (4, 1, 5)
    assert "expected true or false, got 'maybe'" in journal.errors[0].message


def test_naps_and_workouts_are_known_before_their_day_closes(store: Store, tmp_path: Path) -> None:
    start = "2026-01-10 23:00:00,2026-01-11 23:00:00,UTC+01:00"
    sleeps = f"{SLEEPS}\n{start},2026-01-11 14:00:00,2026-01-11 14:40:00,38,true\n"
    workouts = f"{WORKOUTS}\n{start},2026-01-11 22:00:00,2026-01-11 22:45:00,45,Running,8.5\n"
    import_export(store, write(tmp_path / "x", [cycle(10)], sleeps=sleeps, workouts=workouts), "m")
    assert told(store, "export_sleep")[0][2:] == (
        datetime(2026, 1, 11, 14, 10, tzinfo=UTC),
        "inferred:wake+30min",
    )
    assert told(store, "export_workout")[0][2:] == (
        datetime(2026, 1, 11, 22, tzinfo=UTC),
        "inferred:workout-end+30min",
    )
    closed = as_of_days(derive(store.record.facts())["days"], datetime(2026, 1, 11, 22, tzinfo=UTC)).row(
        0, named=True
    )
    assert (closed["nap_min"], closed["workout_count"], closed["strain_is_final"]) == (38.0, 1, True)


def test_a_refused_file_leaves_the_record_as_it_was(store: Store, tmp_path: Path) -> None:
    damaged = f"{SLEEPS}\n1/10/2026 23:00,,UTC+01:00,1/10/2026 23:00,1/11/2026 7:00,440,FALSE\n"
    with pytest.raises(DamagedExport, match="spreadsheet"):
        import_export(store, write(tmp_path / "x", [cycle(10)], sleeps=damaged), "m")
    assert list(store.record.facts()) == []


def test_what_holds_no_export_says_what_was_expected(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "steps.csv").write_text("date,steps\n")
    with pytest.raises(NotAnExport, match=r"expected physiological_cycles.csv .* but got steps.csv"):
        import_export(store, tmp_path / "x", "m")
    write(tmp_path / "x", [cycle(1)])
    (tmp_path / "x" / "copy.csv").write_text((tmp_path / "x" / "physiological_cycles.csv").read_text())
    with pytest.raises(DamagedExport, match="one cycles file"):
        import_export(store, tmp_path / "x", "m")


def test_a_killed_import_carries_on(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between two files: the first is whole, the second absent, and the next run ends where one run would."""
    start = "2026-01-10 23:00:00,2026-01-11 23:00:00,UTC+01:00"
    sleeps = f"{SLEEPS}\n{start},2026-01-11 14:00:00,2026-01-11 14:40:00,38,true\n"
    folder = write(tmp_path / "x", [cycle(10)], sleeps=sleeps)
    written = []

    def stop_at_second(drafts: list[FactDraft]) -> int:
        if written:
            raise KeyboardInterrupt
        written.append(type(store.record).append_many(store.record, drafts))
        return written[-1]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store.record, "append_many", stop_at_second)
        import_export(store, folder, "m")
    assert (len(facts(store, "export_sleep")), len(facts(store, "export_cycle"))) == (1, 0)
    import_export(store, folder, "m")
    whole = Store(tmp_path / "whole", clock=lambda: NOW)
    import_export(whole, folder, "m")
    assert [(f.kind, f.key, f.known_at, f.payload) for f in store.record.facts()] == [
        (f.kind, f.key, f.known_at, f.payload) for f in whole.record.facts()
    ]


REAL = {  # export: cycles, usable nights, nap-overwritten, copied, without sleep, bad rows
    "a": (82, 74, 4, 2, 2, 0),
    "b": (51, 49, 0, 0, 2, 0),
    "c": (15, 13, 0, 0, 2, 0),
}
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the reference data does not lie beside this checkout"
)


@needs_data
@pytest.mark.parametrize("name", sorted(REAL))
def test_real_exports(store: Store, name: str) -> None:
    source = DATA / f"whoop_export_{name}"
    report = import_export(store, source, "m")
    counts = (
        report.cycles,
        report.nights,
        report.nap_overwritten,
        report.night_copied,
        report.no_sleep,
        len(report.errors),
    )
    assert counts == REAL[name]
    assert import_export(store, source, "m").facts_written == 0
    rebuild(store)
    days = as_of_days(store.read_table("days"), NOW)
    assert days.filter(pl.col("state") == "scored").height == report.nights
    assert days.filter(pl.col("state") == "invalid").height == report.nap_overwritten
    assert days.filter(pl.col("state") == "invalid")["hrv_rmssd_ms"].null_count() == report.nap_overwritten
    assert days["day"].n_unique() == days.height


@needs_data
@pytest.mark.parametrize("name", sorted(REAL))
def test_a_real_past_does_not_change_with_what_came_later(store: Store, name: str) -> None:
    import_export(store, DATA / f"whoop_export_{name}", "m")
    known = list(store.record.facts())
    days = derive(known)["days"]
    for as_of in sorted({fact.known_at for fact in known})[5::17]:
        kept = [fact for fact in known if fact.known_at <= as_of]
        view = as_of_days(days, as_of)
        assert as_of_days(derive(kept)["days"], as_of).equals(view)
        assert view["known_at"].max() <= as_of
        open_days = view.filter(pl.col("day_closed_at").is_null())
        assert open_days["strain_is_final"].sum() == 0
        assert (view["wake_at"].drop_nulls() <= as_of).all()
        assert (view["day_closed_at"].drop_nulls() <= as_of).all()


@needs_data
def test_the_values_of_a_real_night(store: Store) -> None:
    """Two rows of export b (WHOOP dataset by Andrew Jin, CC BY 4.0) across the end of daylight saving time."""
    import_export(store, DATA / "whoop_export_b", "m")
    days = as_of_days(derive(store.record.facts())["days"], NOW)
    row = days.filter(pl.col("day") == datetime(2024, 11, 2).date()).row(0, named=True)
    assert (row["hrv_rmssd_ms"], row["strain_0_21"], row["utc_offset_min"]) == (79.0, 15.5, -240)
    assert row["day_closed_at"] == parse_instant("2024-11-03T04:58:11-04:00")
    after = days.filter(pl.col("day") == datetime(2024, 11, 3).date()).row(0, named=True)
    assert (after["sleep_onset_at"], after["utc_offset_min"]) == (row["day_closed_at"], -300)
