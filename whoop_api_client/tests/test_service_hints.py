"""From a webhook to the record: what it names is read, later if it is not there yet; a deletion proves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from hrv_shared.settings import Settings
from hrv_shared.store import Store
from service_running import PUBLIC_NAME, WITH_TOKEN, Served, free_port, served, settings_at
from whoop_api_client.connecting import connect, disconnect
from whoop_api_client.gate import WEBHOOK_PATH
from whoop_api_client.pulling import pull
from whoop_api_client.service.hints import WAITS
from whoop_api_client.service.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from whoop_api_client.simulator import (
    RunningSimulator,
    SimulatorConfig,
    WebhookPlan,
    make_member,
    running,
    sign,
)
from whoop_api_client.sync import only_pull

NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)
DAY_S = 24 * 3600


@dataclass
class House:
    """A simulated WHOOP and a service that has pulled from it; both run by one clock that stands still."""

    place: RunningSimulator
    service: Served
    settings: Settings
    user_id: int

    def deliver(self) -> None:
        """Post what is due, and let the service follow it."""
        self.place.courier.deliver_due()
        self.settle()

    def settle(self) -> None:
        worker = self.service.app.state.desk.worker
        worker.nudge()
        assert worker.settle(60)

    def later(self, **time: float) -> None:
        self.place.clock.advance(timedelta(**time).total_seconds())

    def counts(self) -> dict[str, int]:
        return httpx.get(self.service.address + "/status", headers=WITH_TOKEN).json()["webhooks"]

    def held(self, kind: str) -> dict:
        store = Store.open(self.settings, self.place.clock.now)
        try:
            return {key: fact.payload for key, fact in store.record.latest(kind, "me").items()}
        finally:
            store.record.close()

    def post(self, kind: str, record_id: str) -> int:
        """A rightly signed event of our own."""
        event = {"user_id": self.user_id, "id": record_id, "type": kind, "trace_id": str(uuid4())}
        body, stamp = json.dumps(event).encode(), str(round(self.place.clock.now().timestamp() * 1000))
        headers = {
            "Content-Type": "application/json", TIMESTAMP_HEADER: stamp,
            SIGNATURE_HEADER: sign(self.place.client_secret, stamp, body),
        }  # fmt: skip
        url = f"http://127.0.0.1:{self.service.letter_port}{WEBHOOK_PATH}"
        return httpx.post(url, content=body, headers=headers).status_code


@contextmanager
def house(folder: Path, **plan) -> Iterator[House]:
    letter_port = free_port()
    webhooks = WebhookPlan(webhook_urls=(f"http://127.0.0.1:{letter_port}{WEBHOOK_PATH}",), **plan)
    member = make_member(6, now=NOW, n_nights=20, utc_offset_min=0)
    with running(member, SimulatorConfig(rate_per_minute=0, clock_runs=False, webhooks=webhooks)) as place:
        settings = settings_at(place, folder, whoop_webhook_host=PUBLIC_NAME)
        connect(settings, "follow", clock=place.clock.now)
        pull(settings, clock=place.clock.now)
        with served(settings, letter_port=letter_port, clock=place.clock.now) as service:
            yield House(place, service, settings, member.profile["user_id"])


def test_a_night_arrives_by_its_webhooks_alone(tmp_path):
    with house(tmp_path) as home:
        before = {kind: set(home.held(kind)) for kind in ("cycle", "sleep", "recovery")}
        days = Store.open(home.settings).read_table("days").height
        home.later(days=1)
        home.deliver()
        home.later(hours=1)
        home.settle()
        counts = home.counts()
        assert counts["done"] >= 2
        assert counts["waiting"] == counts["given_up"] == 0
        for kind, keys in before.items():
            assert set(home.held(kind)) > keys, kind
        assert Store.open(home.settings).read_table("days").height > days
        new = set(home.held("recovery")) - before["recovery"]
        assert new <= set(home.held("cycle"))


def test_a_recovery_that_is_not_there_yet_is_read_later(tmp_path):
    with house(tmp_path, early_s=240) as home:
        early = [
            attempt for attempt in home.place.courier.outbox._waiting if attempt[2].type == "recovery.updated"
        ]
        first = min(early, key=lambda entry: entry[0])[2]
        before = set(home.held("recovery"))
        home.later(seconds=(first.due_at - home.place.clock.now()).total_seconds() + 1)
        home.deliver()
        assert home.counts()["waiting"] >= 1
        assert set(home.held("recovery")) == before
        home.later(minutes=1, seconds=1)
        home.settle()
        assert home.counts()["waiting"] >= 1, "looked again after a minute, and it was not there"
        home.later(minutes=5, seconds=1)
        home.settle()
        assert home.counts()["waiting"] == 0
        new = set(home.held("recovery")) - before
        assert first.id in {home.held("recovery")[key]["sleep_id"] for key in new}


def test_doubled_webhooks_are_followed_once(tmp_path):
    with house(tmp_path, doubled_share=1.0) as home:
        home.later(days=1)
        home.deliver()
        outcomes = [attempt for attempt in home.place.courier.log() if attempt["outcome"] == "delivered"]
        traces = {attempt["trace_id"] for attempt in outcomes}
        assert len(outcomes) == 2 * len(traces)
        assert sum(home.counts().values()) == len(traces)


def test_a_deletion_is_found_by_reading_the_window_again(tmp_path):
    with house(tmp_path) as home:
        workouts = home.held("workout")
        key = max(workouts, key=lambda key: workouts[key]["start"])
        wish = {"kind": "workout", "key": key, "change": None}
        assert httpx.post(home.place.base_url + "/_sim/edit", json=wish).status_code == 200
        home.deliver()
        assert home.counts() == {"waiting": 0, "done": 1, "given_up": 0}
        gone = home.held("gone")
        assert [payload["key"] for payload in gone.values() if payload["gone"]] == [key]


def test_a_deletion_that_did_not_happen_marks_nothing(tmp_path):
    with house(tmp_path) as home:
        sleeps = home.held("sleep")
        newest = max(sleeps, key=lambda key: sleeps[key]["start"])
        assert home.post("sleep.deleted", newest) == 202
        assert home.post("recovery.deleted", newest) == 202
        home.settle()
        assert home.counts() == {"waiting": 0, "done": 2, "given_up": 0}
        assert home.held("gone") == {}
        assert home.held("sleep") == sleeps


def test_what_never_comes_is_given_up(tmp_path):
    with house(tmp_path) as home:
        assert home.post("workout.updated", str(uuid4())) == 202
        for wait in WAITS:
            home.settle()
            assert home.counts()["waiting"] == 1
            home.later(seconds=wait.total_seconds() + 1)
        home.settle()
        assert home.counts() == {"waiting": 0, "done": 0, "given_up": 1}


@pytest.mark.parametrize("trouble", ["another pull", "no connection"])
def test_trouble_costs_no_event(tmp_path, trouble):
    with house(tmp_path) as home:
        newest = max(home.held("sleep"))
        if trouble == "another pull":
            with only_pull(Store.open(home.settings)):
                assert home.post("sleep.updated", newest) == 202
                home.settle()
                assert home.counts()["waiting"] == 1
        else:
            disconnect(home.settings, home.place.clock.now)
            assert home.post("sleep.updated", newest) == 202
            home.settle()
            assert home.counts()["waiting"] == 1
            connect(home.settings, "follow", clock=home.place.clock.now)
        home.later(minutes=1, seconds=1)
        home.settle()
        assert home.counts() == {"waiting": 0, "done": 1, "given_up": 0}


def test_one_that_is_not_there_keeps_no_other_waiting(tmp_path):
    with house(tmp_path) as home:
        newest = max(home.held("sleep"))
        with only_pull(Store.open(home.settings)):  # so that they are followed together
            for kind, key in (("workout.updated", str(uuid4())), ("sleep.updated", newest)):
                assert home.post(kind, key) == 202
            home.settle()
        home.later(minutes=1)
        home.settle()
        assert home.counts() == {"waiting": 1, "done": 1, "given_up": 0}
