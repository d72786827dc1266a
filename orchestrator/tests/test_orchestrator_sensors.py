"""The real sensors and schedules, evaluated in process on a store of their own, as the daemon would."""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import dagster as dg
import numpy as np
import pytest

from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.bench.schedule import FIRST, Simulation, judged
from orchestrator.bench.world import make_life, make_machine
from orchestrator.due import Due
from orchestrator.runner import ISSUE_TAG, MEMBER_TAG


class RoomsOf:
    """What sensors ask of `RoomRunner`, for one store whose clock the test holds."""

    def __init__(self, store: Store, **settings: object) -> None:
        self._store, self._settings = store, Settings(home=store.home, **settings)

    def store(self) -> Store:
        return self._store

    def settings(self) -> Settings:
        return self._settings


@pytest.fixture(scope="module")
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="module")
def definitions():
    from orchestrator.definitions import defs

    return defs


def ask(sensor: dg.SensorDefinition, instance, rooms, cursor=None):
    """One tick; Dagster itself checks job, partition and tags of what is requested."""
    from orchestrator.definitions import defs

    with dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"rooms": rooms}, repository_def=defs.get_repository_def()
    ) as context:
        return sensor.evaluate_tick(context)


def test_weeks_with_the_real_sensors(tmp_path, instance, definitions):
    """Sleep, jumps, kills, double ticks; the sensors start what runs, run keys are kept as the daemon keeps them."""
    rng = np.random.default_rng(5)
    life = make_life("me", FIRST, 12, rng)
    keys: set[str] = set()
    sensors = [definitions.resolve_sensor_def(name) for name in ("recovery_available", "evening_due")]

    def by_sensors(simulation: Simulation) -> list[Due]:
        rooms = RoomsOf(simulation.store)
        requests = [request for sensor in sensors for request in ask(sensor, instance, rooms).run_requests]
        new = [request for request in requests if request.run_key not in keys]
        keys.update(request.run_key for request in new)
        return [due_of(request) for request in new]

    machine = make_machine(FIRST, 12, rng)
    machine.ticks = machine.ticks[::3]
    simulation = Simulation(tmp_path / "home", [life], machine, rng, kills=0.05, ask=by_sensors)
    simulation.live()
    verdict = judged(simulation)
    faults = (verdict.twice, verdict.skipped, verdict.unasked, verdict.late)
    assert not any(faults) and not verdict.backwards and verdict.issued >= 12


def due_of(request: dg.RunRequest) -> Due:
    """What a run that was started by the request would tell its steps."""
    slot, _, day = request.tags[ISSUE_TAG].partition(":")
    assert request.partition_key == day
    now = datetime(2000, 1, 1, tzinfo=UTC)
    return Due(request.tags[MEMBER_TAG], date.fromisoformat(day), slot, "", now, now)


def test_every_request_names_a_partition_and_a_job_that_exist(tmp_path, instance, definitions):
    rng = np.random.default_rng(7)
    machine = make_machine(FIRST, 3, rng)
    simulation = Simulation(tmp_path / "home", [make_life("me", FIRST, 3, rng)], machine, rng, kills=1.0)
    simulation.live()
    assert simulation.attempts
    simulation.true_now = datetime(2023, 1, 3, 17, tzinfo=UTC)
    simulation._view = None
    rooms = RoomsOf(simulation.store)
    requests = {}
    for hour in range(0, 30):
        simulation.true_now = datetime(2023, 1, 2, tzinfo=UTC) + timedelta(hours=hour)
        for name in ("recovery_available", "evening_due"):
            sensor = definitions.resolve_sensor_def(name)
            for request in ask(sensor, instance, rooms).run_requests:
                requests[sensor.job_name] = request
    assert set(requests) == {"morning", "evening"}
    for job, request in requests.items():
        resolved = definitions.resolve_job_def(job)
        assert resolved.partitions_def.has_partition_key(request.partition_key)
        assert request.tags[ISSUE_TAG].startswith(f"{job}:")


def test_a_run_that_is_under_way_is_not_started_again(tmp_path, definitions):
    rng = np.random.default_rng(7)
    machine = make_machine(FIRST, 3, rng)
    simulation = Simulation(tmp_path / "home", [make_life("me", FIRST, 3, rng)], machine, rng, kills=1.0)
    simulation.live()
    item = simulation.attempts[-1]
    simulation.true_now = item.started_at
    rooms, name = (
        RoomsOf(simulation.store),
        {"morning": "recovery_available", "evening": "evening_due"}[item.slot],
    )
    with dg.DagsterInstance.ephemeral() as own:
        assert ask(definitions.resolve_sensor_def(name), own, rooms).run_requests
        tags = {MEMBER_TAG: "me", ISSUE_TAG: f"{item.slot}:{item.day}"}
        own.add_run(dg.DagsterRun("day", run_id=str(uuid4()), tags=tags, status=dg.DagsterRunStatus.STARTED))
        again = ask(definitions.resolve_sensor_def(name), own, rooms)
        assert not again.run_requests and "under way" in again.skip_message


def test_a_new_note_is_taken_in_once_it_has_stopped_growing(tmp_path, instance, definitions):
    sensor, rooms = definitions.resolve_sensor_def("new_note"), RoomsOf(Store(tmp_path / "home"))
    assert not ask(sensor, instance, rooms).run_requests
    note = Store(tmp_path / "home").folder("inbox") / "note.m4a"
    note.write_bytes(b"sound")
    assert not ask(sensor, instance, rooms).run_requests, "it is still growing"
    earlier = time.time() - 60
    os.utime(note, (earlier, earlier))
    first = ask(sensor, instance, rooms)
    assert len(first.run_requests) == 1 and first.cursor
    assert not ask(sensor, instance, rooms, first.cursor).run_requests, "the same files are no news"
    (note.parent / "second.txt").write_text("No alcohol.")
    os.utime(note.parent / "second.txt", (earlier, earlier))
    second = ask(sensor, instance, rooms, first.cursor)
    assert second.run_requests[0].run_key != first.run_requests[0].run_key


def test_a_phone_s_folder_is_watched_too(tmp_path, instance, definitions):
    folder = tmp_path / "phone"
    folder.mkdir()
    (folder / "memo.m4a").write_bytes(b"sound")
    os.utime(folder / "memo.m4a", (1e9, 1e9))
    rooms = RoomsOf(Store(tmp_path / "home"), journal_inbox=folder)
    assert ask(definitions.resolve_sensor_def("new_note"), instance, rooms).run_requests


def test_a_webhook_s_hint_starts_a_pull(tmp_path, instance, definitions):
    sensor, store = definitions.resolve_sensor_def("webhook_hint"), Store(tmp_path / "home")
    rooms = RoomsOf(store)
    assert not ask(sensor, instance, rooms).run_requests
    with closing(sqlite3.connect(store.home / "service.sqlite")) as book:
        assert not ask(sensor, instance, rooms).run_requests, "a service that has made no table yet"
        book.execute("CREATE TABLE hint (n INTEGER PRIMARY KEY, state TEXT)")
        book.commit()
        assert not ask(sensor, instance, rooms).run_requests
        seen = []
        for statement in ("INSERT INTO hint VALUES (1, 'waiting')", "UPDATE hint SET state = 'done'",
                          "INSERT INTO hint VALUES (2, 'waiting')"):  # fmt: skip
            book.execute(statement)
            book.commit()
            result = ask(sensor, instance, rooms, seen[-1].cursor if seen else None)
            assert len(result.run_requests) == 1
            assert not ask(sensor, instance, rooms, result.cursor).run_requests
            seen.append(result)
    assert len({result.run_requests[0].run_key for result in seen}) == 3


def test_the_service_s_book_has_what_the_sensor_reads(tmp_path):
    book = pytest.importorskip(
        "whoop_api_client.service.book", reason="the WHOOP room is not in this environment"
    )
    from orchestrator.whoop.sensors import hints_in

    now = datetime(2026, 3, 1, tzinfo=UTC)
    kept = book.Book(tmp_path / "service.sqlite")
    assert hints_in(tmp_path / "service.sqlite") is None
    assert kept.take_hint(b"signature", "trace", "recovery.updated", "record", now) == "new"
    assert hints_in(tmp_path / "service.sqlite") == "1-0"
    kept.finish_hint(kept.due_hints(now)[0], "done")
    assert hints_in(tmp_path / "service.sqlite") == "1-1"
    kept.close()


def test_training_is_asked_for_when_a_week_of_nights_has_passed(tmp_path, definitions):
    rng = np.random.default_rng(11)
    simulation = Simulation(
        tmp_path / "home", [make_life("me", FIRST, 9, rng)], make_machine(FIRST, 9, rng), rng
    )
    simulation.live()
    schedule = definitions.resolve_schedule_def("training_when_due")
    days = simulation.store.read_table("days").filter(state="scored")
    newest = days["day"].max()
    simulation.true_now = datetime(newest.year, newest.month, newest.day, 12, tzinfo=UTC)

    def asked() -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = dg.build_schedule_context(resources={"rooms": RoomsOf(simulation.store)})
            return [request.run_key for request in schedule.evaluate_tick(context).run_requests]

    assert asked() == [f"train-me-{newest}"], "never trained"
    trained = simulation.store.folder("models") / "training-me.json"
    for age, due in ((0, False), (6, False), (7, True)):
        trained.write_text(f'{{"issue": {{"origin_day": "{newest - timedelta(days=age)}"}}}}')
        assert bool(asked()) is due
    simulation.true_now += timedelta(days=5)
    assert asked() == [], "no training on data that stopped"
