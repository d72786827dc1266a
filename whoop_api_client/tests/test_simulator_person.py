"""A recorded person is served as recorded; a bad table is refused with a sentence."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hrv_shared.daytime import parse_instant, parse_offset_min, wake_day
from whoop_api_client.simulator import BadPersonFile, load_person

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "whoop_api_person"

HEADER = (
    "cycle_id created_ts_x updated_ts_x cycle_start_ts cycle_end_ts timezone_offset score_state_x score_strain "
    "score_kilojoule score_avg_heart_rate score_max_heart_rate sleep_id created_ts_y updated_ts_y score_state_y "
    "user_calibrating recovery_score resting_heart_rate hrv_rmssd_milli spo2_percentage skin_temp_celsius "
    "total_in_bed_time_hrs avg_sleep_performance total_light_sleep_time_hrs total_rem_sleep_time_hrs "
    "total_slow_wave_sleep_time_hrs avg_respiratory_rate"
).split()
ROW = dict(
    zip(
        HEADER,
        [
            "101", "2024-03-02 06:10:00.500000+00:00", "2024-03-03 06:20:00+00:00",
            "2024-03-01 22:00:00.250000+00:00", "2024-03-02 22:30:00+00:00", "+01:00", "SCORED", "11.5",
            "9000.25", "70", "150", "777.0", "2024-03-02 06:10:00.500000+00:00", "2024-03-02 06:10:05+00:00",
            "SCORED", "False", "66.0", "55.0", "61.25", "", "33.5", "800.0", "88.0", "400.0", "150.0", "180.0",
            "14.5",
        ],
        strict=True,
    )
)  # fmt: skip
NEXT = ROW | {
    "cycle_id": "102",
    "created_ts_x": "2024-03-03 06:20:00+00:00",
    "updated_ts_x": "2024-03-03 06:20:00+00:00",
    "cycle_start_ts": "2024-03-02 22:30:00+00:00",
    "cycle_end_ts": "",
    "sleep_id": "778.0",
    "created_ts_y": "2024-03-03 06:20:05+00:00",
    "updated_ts_y": "2024-03-03 06:20:05+00:00",
}


def _table(folder: Path, *rows: dict, header=HEADER) -> Path:
    path = folder / "whoop.csv"
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_row_becomes_cycle_sleep_and_recovery(tmp_path):
    world = load_person(_table(tmp_path, NEXT, ROW))
    at = datetime(2024, 3, 4, tzinfo=UTC)
    newest, oldest = world.records("cycle", at)
    assert (newest["id"], newest["end"]) == (102, None)
    assert oldest["start"] == "2024-03-01T22:00:00.250Z"
    assert oldest["end"] == "2024-03-02T22:30:00.000Z"
    assert oldest["score"] == {
        "strain": 11.5, "kilojoule": 9000.25, "average_heart_rate": 70, "max_heart_rate": 150
    }  # fmt: skip
    sleep = world.records("sleep", at)[1]
    assert sleep["start"] == oldest["start"]
    assert parse_instant(sleep["end"]) - parse_instant(sleep["start"]) == timedelta(minutes=480)
    stages = sleep["score"]["stage_summary"]
    assert stages["total_light_sleep_time_milli"] == 240 * 60_000
    assert stages["total_awake_time_milli"] == (480 - 240 - 90 - 108) * 60_000
    recovery = world.records("recovery", at)[1]
    assert recovery["sleep_id"] == sleep["id"] == world.activity_mapping[777]
    assert recovery["score"]["hrv_rmssd_milli"] == 61.25
    assert recovery["score"]["spo2_percentage"] is None
    assert world.records("workout", at) == []


def test_ids_are_the_same_on_every_load(tmp_path):
    path = _table(tmp_path, ROW)
    assert load_person(path).activity_mapping == load_person(tmp_path).activity_mapping


def test_the_present_is_the_evening_of_the_last_wake_day_with_its_cycle_open(tmp_path):
    last = ROW | {"updated_ts_x": "2024-03-03 06:20:00+00:00"}
    world = load_person(_table(tmp_path, last))
    assert world.default_now == datetime(2024, 3, 2, 20, tzinfo=UTC)
    cycle = world.records("cycle", world.default_now)[0]
    assert cycle["end"] is None
    assert cycle["score"]["strain"] < 11.5
    assert world.records("cycle", datetime(2024, 3, 4, tzinfo=UTC))[0]["end"] is not None


def test_a_cycle_closes_only_when_the_next_one_appeared(tmp_path):
    world = load_person(_table(tmp_path, ROW, NEXT))
    asleep = datetime(2024, 3, 3, 6, 19, tzinfo=UTC)
    assert [c["end"] for c in world.records("cycle", asleep)] == [None]
    awake = asleep + timedelta(minutes=2)
    assert [c["end"] is None for c in world.records("cycle", awake)] == [True, False]


def test_a_night_without_recovery_and_a_cycle_without_sleep(tmp_path):
    no_recovery = ROW | dict.fromkeys(HEADER[11:21], "")
    no_sleep = NEXT | dict.fromkeys(HEADER[11:], "")
    world = load_person(_table(tmp_path, no_recovery, no_sleep))
    at = datetime(2024, 3, 5, tzinfo=UTC)
    assert [len(world.records(k, at)) for k in ("cycle", "sleep", "recovery")] == [2, 1, 0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "header alone"),
        ([ROW | {"hrv_rmssd_milli": "high"}], "column hrv_rmssd_milli of whoop.csv line 2"),
        ([ROW | {"hrv_rmssd_milli": "inf"}], "expected a number"),
        ([ROW | {"cycle_start_ts": "yesterday"}], "expected an instant"),
        ([ROW | {"timezone_offset": "Paris"}], "expected an offset"),
        ([ROW | {"cycle_id": "1.5"}], "expected a whole number"),
        ([ROW | {"total_in_bed_time_hrs": "0"}], "above zero"),
        ([ROW | {"total_light_sleep_time_hrs": "900"}], "within the time in bed"),
        ([ROW, ROW], "cycle 101 twice"),
        ([ROW | dict.fromkeys(HEADER[11:], "")], "at least one cycle with a sleep"),
    ],
)
def test_a_bad_table_is_refused(tmp_path, rows, message):
    with pytest.raises(BadPersonFile, match=message):
        load_person(_table(tmp_path, *rows))


def test_a_missing_file_a_foreign_table_and_rubbish_are_refused(tmp_path):
    with pytest.raises(BadPersonFile, match="found nothing"):
        load_person(tmp_path / "nowhere.csv")
    with pytest.raises(BadPersonFile, match=r"expected the columns .*hrv_rmssd_milli"):
        load_person(_table(tmp_path, ROW, header=HEADER[:5]))
    (tmp_path / "whoop.csv").write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(BadPersonFile, match="UTF-8"):
        load_person(tmp_path)
    (tmp_path / "whoop.csv").write_text(",".join(HEADER) + "\n1,2\n")
    with pytest.raises(BadPersonFile, match="cells in whoop.csv line 2"):
        load_person(tmp_path)


def test_the_real_person_is_whole():
    if not REAL.is_dir():
        pytest.skip("the open data folder with whoop_api_person is not beside this checkout")
    world = load_person(REAL)
    with (REAL / "whoop.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    late = datetime(2024, 12, 1, tzinfo=UTC)
    recoveries = world.records("recovery", late)
    assert len(world.records("cycle", late)) == len(rows)
    assert len(recoveries) == sum(bool(row["hrv_rmssd_milli"]) for row in rows)
    served = {r["cycle_id"]: r["score"]["hrv_rmssd_milli"] for r in recoveries}
    assert all(
        served[int(r["cycle_id"])] == float(r["hrv_rmssd_milli"]) for r in rows if r["hrv_rmssd_milli"]
    )
    offset = {c["id"]: parse_offset_min(c["timezone_offset"]) for c in world.records("cycle", late)}
    days = [wake_day(parse_instant(s["end"]), offset[s["cycle_id"]]) for s in world.records("sleep", late)]
    assert len(set(days)) >= len(days) - 2
    evening = world.records("cycle", world.default_now)
    assert evening[0]["end"] is None
    assert all(cycle["end"] for cycle in evening[1:])
    for timeline in world.timelines:
        instants = [revision.visible_at for revision in timeline.revisions]
        assert instants == sorted(instants)
        for revision in timeline.revisions:
            assert not revision.payload.get("end") or parse_instant(revision.payload["end"]) <= max(
                revision.visible_at, parse_instant(revision.payload["updated_at"])
            ) + timedelta(hours=4)
