"""Days, offsets and slots against the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrv_shared import daytime


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("Z", 0),
        ("UTCZ", 0),
        ("+01:00", 60),
        ("-05:00", -300),
        ("UTC+05:30", 330),
        ("UTC-03:30", -210),
        ("+14:00", 840),
    ],
)
def test_offsets(text, minutes):
    assert daytime.parse_offset_min(text) == minutes


@pytest.mark.parametrize("text", ["", "5", "+25:00", "+01:75", "Europe/Berlin", "+15:00"])
def test_an_offset_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="expected an offset"):
        daytime.parse_offset_min(text)


@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)), st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe", "America/St_Johns"]
))  # fmt: skip
def test_wake_day_is_the_zone_s_own_date_across_daylight_saving(naive, zone):
    instant = naive.replace(tzinfo=UTC)
    there = instant.astimezone(ZoneInfo(zone))
    assert daytime.wake_day(instant, int(there.utcoffset().total_seconds() // 60)) == there.date()


@given(st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)))
def test_instants_survive_writing_and_keep_their_order(naive):
    instant = naive.replace(tzinfo=UTC)
    assert daytime.parse_instant(daytime.format_instant(instant)) == instant
    later = instant + timedelta(microseconds=1)
    assert daytime.format_instant(instant) < daytime.format_instant(later)


def test_an_instant_without_offset_is_utc():
    assert daytime.parse_instant("2026-01-01T00:00:00") == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "last_wake", "origin"),
    [
        ("2026-05-10T08:00", "2026-05-10", "2026-05-10"),
        ("2026-05-10T22:30", "2026-05-10", "2026-05-10"),
        ("2026-05-11T01:30", "2026-05-10", "2026-05-10"),  # still up: tonight is the night of the 11th
        ("2026-05-11T03:30", "2026-05-11", "2026-05-11"),  # woke before four
        ("2026-05-11T09:00", "2026-05-10", "2026-05-11"),  # last night is not in yet; it is over all the same
        ("2026-05-11T09:00", None, "2026-05-11"),
        ("2026-05-11T09:00", "2026-05-14", "2026-05-11"),  # future-dated data moves nothing
    ],
)
def test_origin_day(now, last_wake, origin):
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC) - timedelta(hours=2)
    known = None if last_wake is None else date.fromisoformat(last_wake)
    assert daytime.origin_day(instant, 120, known) == date.fromisoformat(origin)


@pytest.mark.parametrize(
    ("hour", "slot"), [(3, "evening"), (4, "morning"), (17, "morning"), (18, "evening"), (23, "evening")]
)
def test_slots(hour, slot):
    assert daytime.slot_of(datetime(2026, 5, 10, hour, 30, tzinfo=UTC), 0) == slot


def test_a_replayed_evening_is_at_sleep_onset():
    onset = datetime(2026, 5, 10, 21, 12, tzinfo=UTC)
    assert daytime.replay_evening_at(date(2026, 5, 10), 120, onset) == onset
    two_days_on = onset + timedelta(days=1)
    capped = daytime.replay_evening_at(date(2026, 5, 10), 120, two_days_on)
    assert capped == datetime(2026, 5, 11, 2, tzinfo=UTC)  # 04:00 local
    assert daytime.replay_evening_at(date(2026, 5, 10), 120, None) == datetime(2026, 5, 10, 20, tzinfo=UTC)
