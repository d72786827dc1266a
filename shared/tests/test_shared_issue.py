"""Which forecast is due, and that a run keeps to the one it was started for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.daytime import slot_and_origin, slot_closes_at, slot_opens_at
from hrv_shared.errors import ConfigurationError, NightHasBegun, SlotNotOpen
from hrv_shared.issue import current_issue, issue_choice
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

DAY = date(2026, 3, 10)
OFFSET = 60


def at(hour: float, day: date = DAY) -> datetime:
    """A local hour of a day, as an instant; 25 is one at night."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour, minutes=-OFFSET)


@pytest.fixture
def store(tmp_path):
    """Nights up to ``DAY``; its clock is ``store.now[0]``."""
    now = [at(17.9)]
    store = Store(tmp_path, clock=lambda: now[0])
    store.now = now
    days = [DAY - timedelta(days=back) for back in range(5, -1, -1)]
    rows = {
        "member_id": ["me"] * 6, "day": days, "revision": [1] * 6, "known_at": [at(7.5, d) for d in days],
        "basis": ["seen"] * 6, "source": ["api"] * 6, "state": ["scored"] * 6, "utc_offset_min": [OFFSET] * 6,
        "hrv_rmssd_ms": [50.0] * 6,
    }  # fmt: skip
    own = {name: schemas.TABLES["days"].columns[name] for name in rows}
    table = pl.concat([schemas.empty("days"), pl.DataFrame(rows, schema=own)], how="diagonal")
    store.write_table("days", table)
    return store


def rows_of(issue, forecaster: str) -> list[ForecastRow]:
    quantiles, origin = tuple(40.0 + k for k in range(23)), issue.origin_day
    return [
        ForecastRow(
            "me",
            issue.slot,
            issue.as_of,
            origin,
            origin + timedelta(days=h),
            h,
            forecaster,
            "1",
            quantiles,
            "d",
        )  # fmt: skip
        for h in range(1, 8)
    ]


def test_a_run_that_crosses_a_border_stays_in_its_slot(store):
    """Without the choice each step would follow the clock, and the last would look for forecasts nobody made."""
    assert current_issue(store, "me").slot == "morning"
    asked = issue_choice("morning", DAY)
    store.now[0] = at(18.2)
    assert current_issue(store, "me").slot == "evening"
    issue = current_issue(store, "me", asked=asked)
    assert (issue.slot, issue.origin_day, issue.as_of, issue.book) == ("morning", DAY, at(18.2), "live")


def test_the_choice_comes_by_the_environment(store, monkeypatch):
    store.now[0] = at(18.2)
    monkeypatch.setenv("HRV_ISSUE", issue_choice("morning", DAY))
    assert current_issue(store, "me").slot == "morning"


@pytest.mark.parametrize(
    ("asked", "hour", "says"),
    [
        (f"morning:{DAY}", 20.01, "is over"),
        (f"evening:{DAY}", 17.9, "lies ahead"),
        (f"evening:{DAY + timedelta(days=1)}", 23, "lies ahead"),
        (f"evening:{DAY - timedelta(days=1)}", 6.01, "is over"),
        ("morning:2020-01-01", 12, "is over"),
    ],
)
def test_no_slot_is_made_out_late_or_early_under_a_choice(store, asked, hour, says):
    store.now[0] = at(hour)
    with pytest.raises(SlotNotOpen, match=says):
        current_issue(store, "me", asked=asked)


@pytest.mark.parametrize("asked", ["noon:2026-03-10", "evening", "evening:yesterday", "evening:2026-13-01"])
def test_a_choice_of_another_form_is_refused(store, asked):
    with pytest.raises(ConfigurationError, match="HRV_ISSUE"):
        current_issue(store, "me", asked=asked)


def test_after_four_the_ledger_refuses_what_the_choice_would_still_allow(store):
    store.now[0] = at(28.1)
    issue = current_issue(store, "me", asked=issue_choice("evening", DAY))
    with pytest.raises(NightHasBegun):
        store.ledger.issue("live", rows_of(issue, "mix"), utc_offset_min=OFFSET)


def test_an_early_riser_is_in_the_new_day_s_morning():
    """At 03:30 the day's evening would otherwise be given out half a day before it."""
    assert slot_and_origin(at(27.5), OFFSET, DAY + timedelta(days=1)) == ("morning", DAY + timedelta(days=1))
    assert slot_and_origin(at(27.5), OFFSET, DAY) == ("evening", DAY)
    assert slot_and_origin(at(28), OFFSET, DAY) == ("morning", DAY + timedelta(days=1))


def test_slots_of_a_day_do_not_overlap():
    assert slot_closes_at(DAY, "morning", OFFSET) == slot_opens_at(DAY, "evening", OFFSET) == at(18)
    assert slot_closes_at(DAY, "evening", OFFSET) == at(28)


def test_the_ledger_says_which_slots_are_issued_and_when_the_last_was(store):
    assert store.ledger.last_issued_at() is None
    for hour, names in ((9, ("mix", "final")), (22, ("mix",))):
        store.now[0] = at(hour)
        for name in names:
            store.ledger.issue("live", rows_of(current_issue(store, "me"), name), utc_offset_min=OFFSET)
    assert store.ledger.issued_slots("me", "final", DAY) == {(DAY, "morning")}
    assert store.ledger.issued_slots("me", "mix", DAY) == {(DAY, "morning"), (DAY, "evening")}
    assert store.ledger.issued_slots("me", "mix", DAY + timedelta(days=1)) == set()
    assert store.ledger.last_issued_at() == at(22)
