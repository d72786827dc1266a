"""The group of `hrv up`: what ends is started again, nobody is left behind, and the key of the page is in no file."""

import json
import os
import signal
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import dagster as dg
import pytest

from hrv_shared.settings import load_settings
from orchestrator.errors import UpFailed
from orchestrator.instance import dagster_home
from orchestrator.up import state, supervising
from orchestrator.up.child_logs import ChildLog
from orchestrator.up.children import ChildSpec, children_of
from orchestrator.up.commands import for_the_reader
from orchestrator.up.process_tree import memory_mb, started_at
from orchestrator.up.scheduler import close_left_runs
from orchestrator.up.supervising import Supervisor, restart_delay_s

WAITS = (
    "import signal, sys; print('up', flush=True); print('words', file=sys.stderr, flush=True); signal.pause()"
)
STUBBORN = (
    "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print(1, flush=True); signal.pause()'], stdout=subprocess.PIPE); child.stdout.readline(); "
    "print(child.pid, flush=True); signal.pause()"
)


def spec(name, code, *, shows=False):
    return ChildSpec(name, [sys.executable, "-c", code], shows)


def group(tmp_path, *specs, **more):
    """A supervisor whose clock goes on ten seconds at each look, and a guard that ends a test that hangs."""
    ticks = count(0, 10)
    made = Supervisor(specs, tmp_path / "logs", dict(os.environ), clock=lambda: float(next(ticks)), **more)
    guard = threading.Timer(60, made.stop.set)
    guard.daemon = True
    guard.start()
    return made


def test_what_is_killed_starts_again_and_the_others_stay(tmp_path):
    seen, told = [], []

    def changed(children):
        by_name = {c.spec.name: c for c in children}
        seen.append((by_name["a"].state, by_name["a"].restarts, by_name["b"].process.pid))
        if by_name["a"].process is not None and by_name["a"].restarts < 2:
            os.kill(by_name["a"].process.pid, signal.SIGKILL)
        elif by_name["a"].process is not None:
            supervisor.stop.set()

    supervisor = group(tmp_path, spec("a", WAITS), spec("b", WAITS), tell=told.append, changed=changed)
    supervisor.run(look_every_s=0.01)
    assert [s[:2] for s in seen] == [
        ("running", 0), ("waiting", 0), ("running", 1), ("waiting", 1), ("running", 2)
    ]  # fmt: skip
    assert len({s[2] for s in seen}) == 1, "b was never touched"
    assert [line.split(";")[0] for line in told] == ["a was ended by SIGKILL"] * 2
    assert started_at(seen[-1][2]) is None, "at the end nobody is left"


def test_each_short_life_doubles_the_wait_up_to_a_minute():
    assert [restart_delay_s(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_what_ignores_the_signal_is_killed_with_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(supervising, "GRACE_S", 0.2)
    pids = []

    def tell(line):
        pids.append(int(line))
        supervisor.stop.set()

    supervisor = group(tmp_path, spec("a", STUBBORN, shows=True), tell=tell)
    supervisor.run(look_every_s=0.01)
    assert len(pids) == 1 and started_at(pids[0]) is None


def test_what_can_not_start_says_why_and_ends_the_group(tmp_path):
    pids = []
    refuses = "import sys; print('hrv: Port 1 is taken.', file=sys.stderr); sys.exit(2)"
    supervisor = group(
        tmp_path, spec("page", refuses), spec("b", WAITS), tell=pytest.fail,
        changed=lambda children: pids.extend(c.process.pid for c in children),
    )  # fmt: skip
    with pytest.raises(UpFailed, match=r"page can't start: hrv: Port 1 is taken\."):
        supervisor.run(look_every_s=0.01)
    assert len(pids) == 2 and not any(started_at(pid) for pid in pids)


def test_what_the_page_prints_goes_to_the_terminal_and_into_no_file(tmp_path):
    told = []

    def tell(line):
        told.append(line)
        supervisor.stop.set()

    key = "print('http://localhost:1/enter/the-key', flush=True); " + WAITS
    supervisor = group(tmp_path, spec("page", key, shows=True), tell=tell)
    supervisor.run(look_every_s=0.01)
    (file,) = (tmp_path / "logs").iterdir()
    assert told[0].endswith("the-key") and "the-key" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_key_is_shown_to_a_person_and_written_into_no_journal():
    line = "The page: http://localhost:8720/enter/the-key  (Ctrl-C ends it)"
    assert for_the_reader(line, is_terminal=True) == line
    told = for_the_reader(line, is_terminal=False)
    assert "the-key" not in told and "http://localhost:8720/" in told and "hrv dashboard --link" in told


def test_a_log_is_turned_over_before_it_grows_large(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.up.child_logs.LARGEST_BYTES", 2_000)
    log = ChildLog(tmp_path / "a.log")
    code = "import sys; [print('x' * 50, n, '%d', file=sys.stderr) for n in range(500)]; print('é' * 9000)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1) as process:
        log.follow(process)
        process.wait()
        log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4 and "499 %d" in "".join(p.read_text(errors="replace") for p in files)
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in files)


def test_one_group_a_store_and_leftovers_of_a_killed_one_are_ended(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], stdout=-1, stderr=-1, start_new_session=True
    ) as left:
        left.stdout.readline()
        told = {"pid": 1, "began": "?", "port": 1, "mounts": {}, "children": {}}
        for name, began in (("other", "0"), ("page", started_at(left.pid))):
            told["children"] = {name: {"pid": left.pid, "began": began}}
            (tmp_path / "up.json").write_text(json.dumps(told))
            with state.held_alone(tmp_path):
                assert state.end_leftovers(tmp_path) == ([] if name == "other" else [name])
                with pytest.raises(UpFailed, match="--status"), state.held_alone(tmp_path):
                    pass
        assert left.wait(timeout=20) == -signal.SIGTERM
    assert not (tmp_path / "up.json").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_state_is_no_group(tmp_path, damage):
    (tmp_path / "up.json").write_text(damage)
    assert state.status_of(tmp_path)["running"] is False
    assert state.end_leftovers(tmp_path) == []


def test_the_state_names_what_runs_with_its_memory(tmp_path):
    told = []

    def changed(children):
        state.write_down(tmp_path, children, port=8720)
        told.append(state.status_of(tmp_path))
        supervisor.stop.set()

    supervisor = group(tmp_path, spec("a", WAITS), tell=pytest.fail, changed=changed)
    supervisor.run(look_every_s=0.01)
    (status,) = told
    assert status["running"] and status["address"] == "http://localhost:8720/"
    child = status["children"]["a"]
    assert child["state"] == "running" and child["memory_mb"] >= 0, "next to nothing before it has begun"
    assert status["memory_mb"] > status["children"]["a"]["memory_mb"], "this process itself and its children"
    assert memory_mb(status["children"]["a"]["pid"]) is None
    assert (tmp_path / "up.json").stat().st_mode & 0o777 == 0o600


def test_other_pages_are_served_on_sockets_and_no_port(tmp_path):
    specs = {
        s.name: s
        for s in children_of(tmp_path, Path("/tmp/hrv-up-x"), port=8720, extra=("dagster", "mlflow"))
    }
    assert list(specs) == ["page", "scheduler", "dagster", "mlflow"]
    for name in ("dagster", "mlflow"):
        assert (
            str(specs[name].socket) in " ".join(specs[name].command) and "--port" not in specs[name].command
        )
    assert [s.name for s in children_of(tmp_path, tmp_path, port=1)] == ["page", "scheduler"]


def test_runs_whose_workers_died_with_the_group_hold_no_slot(tmp_path):
    home = dagster_home(tmp_path)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for run_id, tags in (
            ("launched", {".dagster/grpc_info": "{}"}),
            ("by-hand", {"hrv/pid": str(os.getpid())}),
        ):
            run = dg.DagsterRun(job_name="j", run_id=run_id, status=dg.DagsterRunStatus.STARTED, tags=tags)
            instance.add_run(run)
    assert close_left_runs(home) == 1
    with dg.DagsterInstance.from_config(str(home)) as instance:
        states = {run.run_id: run.status.value for run in instance.get_runs()}
    assert states == {"launched": "FAILURE", "by-hand": "STARTED"}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_whole_group_starts_under_600_mb_and_stops_cleanly(tmp_path):
    """The real page and the real daemon; killed, it leaves nobody behind, and the next one starts."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")}
    environment |= {"HRV_HOME": str(tmp_path / "home"), "HRV_CONFIG_DIR": str(tmp_path / "config")}
    command = [sys.executable, "-m", "orchestrator", "up", "--port", "18720"]
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            while "http://localhost:18720/" not in process.stderr.readline():
                assert process.poll() is None
            asked = [sys.executable, "-m", "orchestrator", "up", "--status", "--json"]
            told = json.loads(subprocess.run(asked, env=environment, capture_output=True, check=True).stdout)
            assert told["running"] and {c["state"] for c in told["children"].values()} == {"running"}
            assert 50 < told["memory_mb"] < 600
            process.send_signal(how)
            process.communicate(timeout=60)
        for child in told["children"].values():
            while how == signal.SIGKILL and started_at(child["pid"]):
                pass  # the system tells the children; they take a moment to end
            assert started_at(child["pid"]) is None, how
    assert load_settings({}, home=tmp_path / "home").home.exists()
