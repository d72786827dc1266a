"""Webhooks: signed as WHOOP signs, doubled, lost, early, repeated five times over an hour, silent when disconnected."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from hrv_shared.daytime import parse_instant
from simulator_login import every_record, signed_in
from whoop_api_client.simulator import (
    Happenings,
    SimulatorError,
    WebhookPlan,
    make_member,
    read_settings,
    running,
    sign,
)

NOW = datetime(2026, 11, 23, 20, 50, tzinfo=UTC)


class Receiver:
    """A real HTTP server that keeps what it got and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict, bytes]] = []
        self.statuses: list[int] = []
        self.arrived = threading.Event()
        outer = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 204)
                self.end_headers()
                outer.arrived.set()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"

    @property
    def events(self) -> list[dict]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def member():
    return make_member(5, now=NOW, n_nights=40, future_nights=30)


def config(receiver: Receiver, *switches: str):
    settings = read_settings(["clock_runs=off", "rate_per_minute=0", *switches], webhook_urls=(receiver.url,))
    return settings.config


def deliver(place) -> list[dict]:
    return httpx.post(place.base_url + "/_sim/webhooks", timeout=60).json()["attempts"]


def test_the_reference_vector():
    body = (
        b'{"user_id":10129,"id":"ecfc6a15-4661-442f-a9a4-f160dd7afae8","type":"sleep.updated",'
        b'"trace_id":"e369c784-5100-49e8-8098-75d35c47b31b"}'
    )
    assert sign("test-client-secret", "1748241241000", body) == "jxyIeoYVFjA1krHgN0rPNiKO4/RDLnwde673MGxxMmM="


def test_a_night_sends_signed_events_that_lead_to_its_records(receiver, member):
    with running(member, config(receiver)) as place, signed_in(place) as http:
        place.clock.advance(24 * 3600)
        deliver(place)
        kinds = [event["type"] for event in receiver.events]
        assert {"sleep.updated", "recovery.updated"} <= set(kinds)
        for headers, body in receiver.got:
            event = json.loads(body)
            assert set(event) == {"user_id", "id", "type", "trace_id"}
            assert event["user_id"] == member.profile["user_id"]
            stamp = headers["X-WHOOP-Signature-Timestamp"]
            digest = hmac.new(place.client_secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
            assert headers["X-WHOOP-Signature"] == base64.b64encode(digest).decode()
            assert abs(int(stamp) / 1000 - place.clock.now().timestamp()) < 1
        with signed_in(place) as http:
            for event in receiver.events:
                if event["type"] == "recovery.updated":
                    cycle = http.get(f"/v2/activity/sleep/{event['id']}").json()["cycle_id"]
                    assert http.get(f"/v2/cycle/{cycle}/recovery").json()["sleep_id"] == event["id"]
        assert len({event["trace_id"] for event in receiver.events}) == len(receiver.events)


def test_nothing_is_sent_to_who_is_not_connected(receiver, member):
    with running(member, config(receiver)) as place:
        place.clock.advance(24 * 3600)
        assert {attempt["outcome"] for attempt in deliver(place)} == {"not connected"}
        with signed_in(place) as http:
            place.clock.advance(24 * 3600)
            assert "delivered" in {attempt["outcome"] for attempt in deliver(place)}
            place.clock.set(place.clock.now())
        with signed_in(place) as http:
            assert http.delete("/v2/user/access").status_code == 204
    assert receiver.events


def test_revoking_ends_the_events(receiver, member):
    with running(member, config(receiver)) as place, signed_in(place) as http:
        assert http.delete("/v2/user/access").status_code == 204
        place.clock.advance(24 * 3600)
        assert {attempt["outcome"] for attempt in deliver(place)} == {"not connected"}
    assert receiver.events == []


def test_a_refused_event_is_repeated_five_times_over_an_hour(receiver, member):
    with running(member, config(receiver)) as place, signed_in(place):
        due = place.courier.outbox.take_due(NOW + timedelta(days=1))
        first = due[0]
        for attempt in due[1:]:
            place.courier.outbox.finish(attempt, "delivered", NOW)
        place.courier.outbox.finish(first, "failed", first.due_at)
        waits = []
        for at_s in range(0, 7200, 30):
            for attempt in place.courier.outbox.take_due(first.due_at + timedelta(seconds=at_s)):
                if attempt.trace_id == first.trace_id:
                    waits.append(at_s)
                    place.courier.outbox.finish(attempt, "failed", attempt.due_at)
        assert waits == [60, 300, 900, 1800, 3600]


def test_over_http_a_broken_receiver_gets_six_attempts_and_a_mended_one_stops_them(receiver, member):
    with running(member, config(receiver)) as place, signed_in(place):
        receiver.statuses = [500, 404] + [302] * 500
        for _ in range(300):
            place.clock.advance(600)
        deliver(place)
        attempts: dict[str, int] = {}
        for event in receiver.events:
            attempts[event["trace_id"]] = attempts.get(event["trace_id"], 0) + 1
        whole = [n for n in attempts.values() if n == 6]
        assert len(whole) > 3
        assert max(attempts.values()) == 6
        receiver.statuses, receiver.got = [503], []
        place.clock.advance(24 * 3600)
        deliver(place)
        assert len([e for e in receiver.events if e["trace_id"] == receiver.events[0]["trace_id"]]) == 2


def test_doubled_and_lost_events(receiver, member):
    with running(member, config(receiver, "doubled_share=1")) as place, signed_in(place):
        place.clock.advance(10 * 24 * 3600)
        deliver(place)
        traces = [event["trace_id"] for event in receiver.events]
        assert len(traces) == 2 * len(set(traces)) > 20
    receiver.got = []
    with running(member, config(receiver, "lost_share=0.5")) as place, signed_in(place):
        place.clock.advance(10 * 24 * 3600)
        outcomes = [attempt["outcome"] for attempt in deliver(place)]
        assert 10 < outcomes.count("delivered") == len(receiver.events) < len(set(traces))
        assert outcomes.count("lost") > 10


def test_an_early_event_finds_no_recovery_yet(receiver, member):
    with running(member, config(receiver, "early_s=120")) as place, signed_in(place):
        place.clock.set(min(
            parse_instant(line.revisions[0].payload["created_at"])
            for line in member.world.timelines
            if line.kind == "recovery" and line.revisions[0].visible_at > NOW
        ) - timedelta(seconds=60))  # fmt: skip
        deliver(place)
        event = next(event for event in receiver.events if event["type"] == "recovery.updated")
        with signed_in(place) as http:
            assert http.get(f"/v2/activity/sleep/{event['id']}").status_code == 404
            place.clock.advance(61)
            cycle = http.get(f"/v2/activity/sleep/{event['id']}").json()["cycle_id"]
            assert http.get(f"/v2/cycle/{cycle}/recovery").status_code == 200


def test_pending_nights_tell_twice(receiver, member):
    with running(member, config(receiver, "pending_score_s=600")) as place, signed_in(place):
        place.clock.advance(24 * 3600)
        deliver(place)
        recoveries = [event for event in receiver.events if event["type"] == "recovery.updated"]
        assert len(recoveries) == 2
        assert len({event["id"] for event in recoveries}) == 1


def test_an_edit_in_the_app_tells_of_sleep_and_recovery_and_a_deletion_too(receiver):
    member = make_member(5, now=NOW, n_nights=40)
    sleep = next(s for s in member.sleeps if not s["nap"])
    with running(member, config(receiver)) as place, signed_in(place) as http:
        moved = (parse_instant(sleep["end"]) + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        edit = {"kind": "sleep", "key": sleep["id"], "change": {"end": moved}}
        told = httpx.post(place.base_url + "/_sim/edit", json=edit).json()
        assert told == {"changed": [f"sleep/{sleep['id']}", f"recovery/{sleep['cycle_id']}"]}
        after = http.get(f"/v2/activity/sleep/{sleep['id']}").json()
        assert after == sleep | {"end": moved, "updated_at": "2026-11-23T20:50:00.000Z"}
        place.clock.advance(60)
        rescored = {
            "kind": "recovery",
            "key": sleep["cycle_id"],
            "change": {"score": {"hrv_rmssd_milli": 41.5}},
        }
        assert httpx.post(place.base_url + "/_sim/edit", json=rescored).status_code == 200
        score = http.get(f"/v2/cycle/{sleep['cycle_id']}/recovery").json()["score"]
        assert score["hrv_rmssd_milli"] == 41.5
        assert score["recovery_score"] == member.recoveries[0]["score"]["recovery_score"]
        place.clock.advance(60)
        gone = {"kind": "sleep", "key": sleep["id"], "change": None}
        assert httpx.post(place.base_url + "/_sim/edit", json=gone).status_code == 200
        assert http.get(f"/v2/activity/sleep/{sleep['id']}").status_code == 404
        assert http.get(f"/v2/cycle/{sleep['cycle_id']}/sleep").status_code == 404
        assert http.get(f"/v2/cycle/{sleep['cycle_id']}/recovery").status_code == 404
        assert sleep["id"] not in {record["id"] for record in every_record(http, "/v2/activity/sleep")}
        deliver(place)
        for wrong in (gone, edit | {"kind": "body"}, edit | {"change": 3}, {}, {**edit, "user_id": 5}):
            assert httpx.post(place.base_url + "/_sim/edit", json=wrong).status_code in (400, 404)
    assert [event["type"] for event in receiver.events] == [
        "sleep.updated", "recovery.updated", "recovery.updated", "sleep.deleted", "recovery.deleted"
    ]  # fmt: skip
    assert {event["id"] for event in receiver.events} == {sleep["id"]}


def test_the_courier_needs_no_push_when_the_clock_moves(receiver, member):
    with running(member, config(receiver)) as place, signed_in(place):
        place.clock.advance(24 * 3600)
        assert receiver.arrived.wait(20)


def test_deletions_of_the_history_are_told(receiver):
    happenings = Happenings(deleted_sleep_share=1.0, missing_share=0.0)
    member = make_member(5, now=NOW, n_nights=40, happenings=happenings)
    with running(member, config(receiver)) as place, signed_in(place):
        place.clock.advance(3 * 24 * 3600)
        deliver(place)
    assert {"sleep.deleted", "recovery.deleted"} <= {event["type"] for event in receiver.events}


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook_urls": ("https://example.com/x",)}, {"webhook_urls": ("http://10.0.0.1/",)}, {"lost_share": 2},
        {"retries_after_s": (60, 30)}, {"early_s": -1}, {"webhook_stamp": "x"}, {"webhook_timeout_s": 0},
        {"webhook_urls": ("http://127.0.0.1:99999999/",)},
    ],
)  # fmt: skip
def test_a_plan_that_leaves_this_machine_or_makes_no_sense_is_refused(wrong):
    with pytest.raises(SimulatorError, match="expected"):
        WebhookPlan(**wrong)
