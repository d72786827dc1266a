"""``hrv why``: the table's own story down to the place in the payload, and why a value is missing."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrv_shared.history import as_of_days
from hrv_shared.record import Fact, FactDraft, Record
from test_tables_days import NIGHT, cycle, export_row, recovery, sleep, workout
from test_tables_oracle import small_worlds
from whoop_api_client.errors import UnknownQuantity
from whoop_api_client.tables import derive
from whoop_api_client.tables.lineage import lineage
from whoop_api_client.tables.payload_paths import PARTS, PATHS
from whoop_api_client.why import quantity_named, why, why_text

H = timedelta(hours=1)
LATE = datetime(2100, 1, 1, tzinfo=UTC)
DAY = date(2026, 1, 11)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_worlds(), st.sampled_from(sorted(PARTS)))
def test_the_vintages_are_those_of_the_table(facts: list[Fact], quantity: str) -> None:
    days = derive(facts)["days"]
    for (day,), rows in days.group_by(["day"]):
        vintages = lineage(facts, day, quantity)
        assert [v.until for v in vintages] == [*(v.known_at for v in vintages[1:]), None]
        for row in rows.iter_rows(named=True):
            told = max((v for v in vintages if v.known_at <= row["known_at"]), key=lambda v: v.known_at)
            assert (told.value, told.state, told.source) == (row[quantity], row["state"], row["source"])
            assert told.revision <= row["revision"]


def test_every_quantity_of_a_day_has_a_part_and_a_place() -> None:
    from whoop_api_client.tables.night import VALUE_COLUMNS

    assert set(PARTS) == set(VALUE_COLUMNS)
    kinds = {"recovery": ("recovery", "export_cycle"), "sleep": ("sleep", "export_cycle", "export_sleep"),
             "cycle": ("cycle", "export_cycle"), "naps": ("sleep", "export_sleep"),
             "workouts": ("workout", "export_workout")}  # fmt: skip
    for quantity, part in PARTS.items():
        for kind in kinds[part]:
            assert PATHS[kind][quantity], (kind, quantity)


FACTS: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "api": [
        ("cycle", "1", cycle(1, NIGHT, NIGHT + 24 * H)),
        ("sleep", "s1", sleep(1, NIGHT, 8)),
        ("recovery", "1", recovery(1, 55.5)),
        ("sleep", "n1", sleep(1, NIGHT + 15 * H, 0.5, nap=True)),
        ("workout", "w1", workout(NIGHT + 18 * H, 40, strain=7.5)),
    ],
    "export": [
        ("export_cycle", "x", export_row(NIGHT, hrv=55) | {"Cycle end time": "2026-01-11 22:00:00"}),
        (
            "export_sleep",
            "n",
            export_row(NIGHT, hrv=None, onset=NIGHT + 15 * H, wake=NIGHT + 15.5 * H) | {"Nap": "true"},
        ),
        (
            "export_workout",
            "w",
            {"Cycle timezone": "UTCZ", "Workout start time": "2026-01-11 16:00:00",
             "Workout end time": "2026-01-11 16:40:00", "Activity Strain": "7.5"},
        ),
    ],
}  # fmt: skip
FULL = {
    "recovery": ("score", {"recovery_score": 61.0, "spo2_percentage": 96.5, "skin_temp_celsius": 33.9}),
    "sleep": ("score", {"respiratory_rate": 15.5, "sleep_efficiency_percentage": 91.0,
                        "sleep_performance_percentage": 88.0, "sleep_consistency_percentage": 70.0}),
}  # fmt: skip
COLUMNS = {
    "Respiratory rate (rpm)": "15.5", "In bed duration (min)": "470", "Light sleep duration (min)": "200",
    "Deep (SWS) duration (min)": "100", "REM duration (min)": "130", "Awake duration (min)": "40",
    "Sleep efficiency %": "91", "Sleep performance %": "88", "Sleep consistency %": "70", "Sleep need (min)": "500",
    "Sleep debt (min)": "30", "Skin temp (celsius)": "33.90", "Blood oxygen %": "96.50", "Energy burned (cal)": "2000",
    "Max HR (bpm)": "150", "Average HR (bpm)": "70",
}  # fmt: skip


def written(facts: list[tuple[str, str, dict[str, Any]]]) -> list[Fact]:
    made = []
    for seq, (kind, key, given_payload) in enumerate(facts):
        payload = copy.deepcopy(given_payload)
        if kind in FULL and payload.get("score"):
            payload["score"] |= FULL[kind][1]
        if kind in ("export_cycle", "export_sleep"):
            payload = COLUMNS | payload
        source = "whoop-export" if kind.startswith("export") else "whoop-api"
        made.append(
            Fact(
                "m", kind, key, payload, NIGHT + 30 * H, "seen", source, seq, 1, NIGHT + 30 * H, f"{seq:064}"
            )
        )
    return made


@pytest.mark.parametrize("told_by", sorted(FACTS))
@pytest.mark.parametrize("quantity", sorted(PARTS))
def test_the_named_place_is_where_the_value_stands(told_by: str, quantity: str) -> None:
    """Changing what stands there changes the value; so the place is no mere claim."""
    facts = written(FACTS[told_by])
    (vintage,) = lineage(facts, DAY, quantity)
    assert vintage.value is not None and vintage.told_by
    origin = vintage.told_by[0]
    for path, raw in origin.payload.items():
        if path == "Cycle timezone" or quantity in ("workout_count", "strain_is_final"):
            continue
        assert raw not in (None, ""), path
        changed = [replace(f, payload=_changed(f.payload, path)) if f.seq == origin.seq else f for f in facts]
        values = {
            v.value for day in (DAY, DAY + timedelta(days=1)) for v in lineage(changed, day, quantity)[-1:]
        }
        assert vintage.value not in values, path


def _changed(payload: dict[str, Any], path: str) -> dict[str, Any]:
    new = copy.deepcopy(payload)
    place, name = new, path
    if path not in payload:
        *steps, name = path.split(".")
        for step in steps:
            place = place[step]
    old = place[name]
    if isinstance(old, (int, float)):
        place[name] = old + 1
    elif ":" in old:
        moved = datetime.fromisoformat(old) + timedelta(minutes=3)
        place[name] = moved.isoformat(sep=old[10])
    else:
        place[name] = f"{float(old) - 1:g}"
    return new


def test_the_export_beside_the_api_is_shown_and_not_used() -> None:
    facts = written(FACTS["api"]) + [replace(f, seq=f.seq + 10) for f in written(FACTS["export"][:1])]
    (vintage,) = lineage(facts, DAY, "hrv_rmssd_ms")
    assert (vintage.value, vintage.source) == (55.5, "whoop-api+whoop-export")
    assert [(o.kind, o.payload) for o in vintage.told_by] == [("recovery", {"score.hrv_rmssd_milli": 55.5})]
    assert [(o.kind, o.payload) for o in vintage.not_used] == [
        ("export_cycle", {"Heart rate variability (ms)": "55"})
    ]


@pytest.fixture
def record(tmp_path):
    opened = Record(tmp_path / "record.sqlite", clock=lambda: NIGHT + 100 * H)
    yield opened
    opened.close()


def tell(record: Record, at: datetime, kind: str, key: str, payload: dict[str, Any]) -> None:
    source = "whoop-export" if kind.startswith("export") else "whoop-api"
    record.append_many([FactDraft("m", kind, key, payload, at, "seen", source)])


def test_a_revision_says_what_it_replaced(record: Record) -> None:
    tell(record, NIGHT + 9 * H, "cycle", "1", cycle(1, NIGHT, None))
    tell(record, NIGHT + 9 * H, "sleep", "s1", sleep(1, NIGHT, 8))
    tell(record, NIGHT + 9 * H, "recovery", "1", recovery(1, 50.0))
    tell(record, NIGHT + 9 * H, "recovery", "77", recovery(77, 99.0))  # another day's, in the same answer
    tell(record, NIGHT + 12 * H, "recovery", "1", recovery(1, 58.0))
    found = why(record, "m", DAY, "hrv")
    assert [(v.value, v.known_at, v.until) for v in found["vintages"]] == [
        (50.0, NIGHT + 9 * H, NIGHT + 12 * H),
        (58.0, NIGHT + 12 * H, None),
    ]
    assert found["vintages"][0].changed_by == (
        "cycle 1 revision 1",
        "recovery 1 revision 1",
        "sleep s1 revision 1",
    )
    assert found["vintages"][1].changed_by == ("recovery 1 revision 2",)
    assert (found["value"], found["unit"], found["missing"]) == (58.0, "ms", None)
    text = why_text(found)
    assert "hrv_rmssd_ms of 2026-01-11: 58 ms, scored" in text
    assert "recovery 1 revision 2 (whoop-api, fact 5" in text and "score.hrv_rmssd_milli = 50.0" in text
    assert why(record, "m", DAY, "hrv", NIGHT + 10 * H)["value"] == 50.0


NAP = NIGHT + 15 * H
PENDING = {"cycle_id": 1, "score_state": "PENDING_SCORE"}
REASONS = {
    "pending": ([("recovery", "1", PENDING)], "not scored the night yet"),
    "unscorable": ([("recovery", "1", PENDING | {"score_state": "UNSCORABLE"})], "could not score"),
    "invalid": ([], "a nap's values"),
    "no_sleep": ([], "not worn"),
    "vanished": (
        [("gone", "cycle:1", {"kind": "cycle", "key": "1", "gone": True})],
        "deleted, or moved to another day",
    ),
    "missing": ([], "hrv pull --day 2026-01-11"),
}


@pytest.mark.parametrize("state", sorted(REASONS))
def test_a_missing_value_has_a_reason(record: Record, state: str) -> None:
    more, words = REASONS[state]
    if state == "invalid":
        tell(record, NIGHT + 30 * H, "export_cycle", "x", export_row(NIGHT, hrv=21, onset=NAP, wake=NAP + H))
    elif state == "no_sleep":
        tell(record, NIGHT + 30 * H, "cycle", "1", cycle(1, NIGHT + 2 * H, NIGHT + 24 * H))
    elif state != "missing":
        tell(record, NIGHT + 9 * H, "cycle", "1", cycle(1, NIGHT, None))
        tell(record, NIGHT + 9 * H, "sleep", "s1", sleep(1, NIGHT, 8))
    for kind, key, payload in more:
        tell(record, NIGHT + 10 * H, kind, key, payload)
    found = why(record, "m", DAY, "hrv")
    assert (found["state"], found["value"]) == (state, None)
    assert words in found["missing"] and words in why_text(found)


def test_a_quantity_that_whoop_left_out_names_the_place(record: Record) -> None:
    tell(record, NIGHT + 9 * H, "cycle", "1", cycle(1, NIGHT, None))
    tell(record, NIGHT + 9 * H, "sleep", "s1", sleep(1, NIGHT, 8))
    tell(record, NIGHT + 9 * H, "recovery", "1", recovery(1, 50.0))
    assert "score.spo2_percentage" in why(record, "m", DAY, "spo2")["missing"]


def test_words_for_quantities() -> None:
    assert quantity_named("hrv") == "hrv_rmssd_ms"
    assert quantity_named("Deep") == "deep_min"
    with pytest.raises(UnknownQuantity, match="one of sleep_efficiency_pct"):
        quantity_named("sleep_")
    with pytest.raises(UnknownQuantity, match="none"):
        quantity_named("")


def test_the_table_agrees_for_every_day_of_a_mixed_record() -> None:
    facts = written(FACTS["api"] + FACTS["export"])
    days = as_of_days(derive(facts)["days"], LATE)
    for row in days.iter_rows(named=True):
        for quantity in PARTS:
            assert lineage(facts, row["day"], quantity)[-1].value == row[quantity]
