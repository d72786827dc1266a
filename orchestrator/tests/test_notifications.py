"""Notifications: once a day, never in quiet hours, nothing of the wearer's in them unless asked, no address shown."""

import json
import threading
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.ledger import ForecastRow
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from orchestrator.commands import run_own
from orchestrator.due import MemberView, NightSeen
from orchestrator.errors import NotifyFailed
from orchestrator.notify import telling
from orchestrator.notify.message import ready
from orchestrator.notify.sending import kind_of, send
from orchestrator.notify.telling import due_day, tell_if_due
from orchestrator.notify.timing import QuietHours, day_to_tell

pytest.importorskip("apprise", reason="apprise is an extra: pip install 'hrv-orchestrator[notify]'")

TODAY = date(2026, 5, 11)
NOW = datetime(2026, 5, 11, 7, 30, tzinfo=UTC)
PASSWORD = "pa55word"


@pytest.fixture
def inbox():
    """A service on this machine that takes notifications, and what it took."""
    taken = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path.endswith("/broken") else 200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Takes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", taken
        server.shutdown()


@pytest.fixture
def house(tmp_path, inbox):
    """A store in which the morning of the 11th is issued, its clock, and settings that tell the service."""
    clock = [NOW]
    address = f"json://user:{PASSWORD}@{inbox[0]}/"
    settings = load_settings({"HRV_NOTIFY_URLS": address}, home=tmp_path / "home")
    store = Store(settings.home, clock=lambda: clock[0])
    columns = schemas.TABLES["days"].columns
    night = dict.fromkeys(columns) | {
        "member_id": "me", "day": TODAY, "known_at": NOW - timedelta(hours=1), "basis": "seen", "source": "whoop-api",
        "state": "scored", "flags": [], "utc_offset_min": 120, "hrv_rmssd_ms": 50.0,
    }  # fmt: skip
    store.write_table("days", pl.DataFrame([night], schema=columns))
    quantiles = tuple(40.0 + k for k in range(23))
    row = ForecastRow(
        "me", "morning", NOW, TODAY, TODAY + timedelta(days=1), 1, "final", "1", quantiles, "d"
    )  # fmt: skip
    store.ledger.issue("live", [row])
    return store, settings, clock


def view(issued=((TODAY, "morning"),), offset=120):
    return MemberView("me", [NightSeen(TODAY, "scored", NOW, offset)], frozenset(issued))


@pytest.mark.parametrize(
    ("local", "quiet"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_quiet_hours_go_over_midnight(local, quiet):
    assert QuietHours.read("22:00-07:00").hold(time.fromisoformat(local)) is quiet


def test_quiet_hours_within_a_day_none_and_wrong_ones():
    assert QuietHours.read("13:00-15:00").hold(time(14)) and not QuietHours.read("13:00-15:00").hold(time(15))
    assert not any(QuietHours.read("00:00-00:00").hold(time(hour)) for hour in range(24))
    for wrong in ("", "22-7", "24:00-07:00", "22:00 to 07:00"):
        with pytest.raises(NotifyFailed, match="22:00-07:30"):
            QuietHours.read(wrong)


def test_it_is_due_once_a_day_on_the_wearers_clock_and_never_late():
    quiet = QuietHours.read("22:00-10:00")
    hours = [NOW.replace(hour=0) + timedelta(minutes=30 * k) for k in range(96)]
    due = [at for at in hours if day_to_tell(view(), None, quiet, at)]
    assert due[0] == datetime(2026, 5, 11, 8, tzinfo=UTC), "ten o'clock there"
    assert due[-1] == datetime(2026, 5, 11, 19, 30, tzinfo=UTC), "not at night, and not the next day"
    assert day_to_tell(view(), TODAY, quiet, due[0]) is None, "told already"
    assert day_to_tell(view(issued=[(TODAY, "evening")]), None, quiet, due[0]) is None
    assert day_to_tell(MemberView("me", ()), None, quiet, due[0]) is None


def test_the_wearer_is_told_once_and_without_numbers(house, inbox):
    store, settings, clock = house
    assert tell_if_due(store, settings).taken == ["json"]
    assert tell_if_due(store, settings) is None
    clock[0] += timedelta(hours=24)
    assert tell_if_due(store, settings) is None, "tomorrow's is not made yet"
    ((said,),) = (inbox[1],)
    assert not any(c.isdigit() for c in said["title"] + said["message"])


def test_numbers_come_only_where_they_are_wanted(house, inbox, monkeypatch):
    store, settings, _ = house
    monkeypatch.setattr(telling, "_headline", lambda: "Tomorrow 52 ms")  # the card is another room's
    tell_if_due(store, settings.model_copy(update={"notify_numbers": True}))
    assert inbox[1][0]["message"] == "Tomorrow 52 ms" and ready(None).body != "Tomorrow 52 ms"


def test_what_no_service_took_is_tried_again(house, inbox):
    store, settings, _ = house
    broken = load_settings({"HRV_NOTIFY_URLS": f"json://u:{PASSWORD}@{inbox[0]}/broken"}, home=settings.home)
    with pytest.raises(NotifyFailed) as failed:
        tell_if_due(store, broken)
    assert PASSWORD not in str(failed.value) and "json" in str(failed.value)
    assert due_day(store, settings) == TODAY
    assert tell_if_due(store, settings).taken == ["json"]


def test_nobody_is_told_unless_somebody_asked_for_it(house):
    store, settings, _ = house
    assert due_day(store, settings.model_copy(update={"notify_urls": None})) is None


def test_an_address_is_shown_nowhere(house, inbox, capfd, caplog, monkeypatch):
    store, settings, _ = house
    monkeypatch.setenv("HRV_HOME", str(settings.home))
    wrong = f"nosuch://user:{PASSWORD}@example.org"
    for addresses in (f"json://u:{PASSWORD}@{inbox[0]}/broken", wrong, ""):
        monkeypatch.setenv("HRV_NOTIFY_URLS", addresses)
        for verb in ("test", "status", "send"):
            with pytest.raises(SystemExit):
                run_own("notify", [verb, "--json"])
    said = "".join(capfd.readouterr()) + caplog.text
    assert PASSWORD not in said and "127.0.0.1" not in said and '"kinds": ["json"]' in said
    assert kind_of("no address") == "?"
    with pytest.raises(NotifyFailed, match="Address 1 of notify_urls \\(nosuch://…\\)"):
        send([wrong], ready(None))
