"""The shared budget: never more than 100 requests in any minute nor 10,000 in any day, whoever asks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import httpx
import pytest

from hrv_shared.settings import load_settings
from whoop_api_client.budget import SharedBudget, open_budget
from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import BudgetBroken, RateLimited


class Clock:
    """A wall clock that may jump, and a monotonic one that may not, but starts anew with the machine."""

    def __init__(self):
        self.wall_s, self.monotonic_s, self.true_s = 1_780_000_000.0, 5_000.0, 0.0

    def pass_by(self, seconds: float) -> None:
        self.wall_s += seconds
        self.monotonic_s += seconds
        self.true_s += seconds


def budget_at(path, clock: Clock, **limits: int) -> SharedBudget:
    return SharedBudget(path, wall=lambda: clock.wall_s, monotonic=lambda: clock.monotonic_s, **limits)


def most_in_any(sent: list[float], window_s: float) -> int:
    """The slow, plain way: count behind every request."""
    return max(sum(1 for other in sent if 0 <= at - other < window_s) for at in sent)


def run_flat_out(
    budgets: list[SharedBudget], clock: Clock, until_s: float, disturb=lambda: None
) -> list[float]:
    """Ask as often as is allowed, each time from another process's budget."""
    rng, sent = random.Random(4), []
    while clock.true_s < until_s:
        wait_s = rng.choice(budgets).take()
        if wait_s == 0:
            sent.append(clock.true_s)
            clock.pass_by(0.05)
        else:
            clock.pass_by(wait_s)
        disturb()
    return sent


def test_a_minute_slides(tmp_path):
    clock = Clock()
    sent = run_flat_out([budget_at(tmp_path / "b.sqlite", clock) for _ in range(3)], clock, 180)
    assert most_in_any(sent, 60.0) == 100
    assert len(sent) >= 280  # and not much less than is allowed


def test_a_day_slides(tmp_path):
    clock = Clock()
    budget = budget_at(tmp_path / "b.sqlite", clock, per_minute=1000, per_day=50)
    sent = run_flat_out([budget], clock, 3 * 86_400)
    assert most_in_any(sent, 86_400.0) == 50
    assert len(sent) >= 150


def test_a_day_that_is_used_up_is_said_at_once(tmp_path):
    clock = Clock()
    budget = budget_at(tmp_path / "b.sqlite", clock, per_day=3)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"user_id": 1})

    with WhoopClient(
        _Tokens(), "https://w.example", budget=budget, transport=httpx.MockTransport(answer)
    ) as client:
        for _ in range(3):
            client.profile()
        with pytest.raises(RateLimited, match="1440 minutes"):
            client.profile()


@pytest.mark.parametrize("jump_s", [-3600.0, -30.0, -10 * 365 * 86_400.0, 3600.0, 86_400.0 * 400])
def test_a_wall_clock_that_jumps(tmp_path, jump_s):
    clock = Clock()
    budget = budget_at(tmp_path / "b.sqlite", clock, per_minute=10)
    jumps = iter([30.0, 95.0, 400.0])
    next_jump = [next(jumps)]

    def disturb() -> None:
        if clock.true_s > next_jump[0]:
            clock.wall_s += jump_s
            next_jump[0] = next(jumps, float("inf"))

    sent = run_flat_out([budget], clock, 900, disturb)
    assert most_in_any(sent, 60.0) <= 10
    # nor does it stop us for long
    assert len(sent) >= 100
    assert max(later - earlier for earlier, later in zip(sent, sent[1:], strict=False)) < 125


def test_a_machine_that_starts_anew_with_its_clock_set_back(tmp_path):
    clock = Clock()
    path = tmp_path / "b.sqlite"
    while budget_at(path, clock).take() == 0:
        clock.pass_by(0.01)
    clock.pass_by(5)
    clock.wall_s -= 7200
    clock.monotonic_s = 3.0
    wait_s = budget_at(path, clock).take()
    assert 60 <= wait_s <= 61  # nothing tells how long it was off: counted from now
    clock.pass_by(wait_s)
    assert budget_at(path, clock).take() == 0


def test_a_crash_forgets_nothing_and_holds_no_lock(tmp_path):
    """Processes that are killed as they count: what was granted stays counted."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom whoop_api_client.budget import SharedBudget\n"
        "budget = SharedBudget(Path(sys.argv[1]))\n"
        "while budget.take() == 0:\n    print('sent', flush=True)\n"
        "print('full', flush=True)\n"
    )
    path, granted = tmp_path / "b.sqlite", 0
    for stop_after in (20, 51, None):
        child = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True)
        said: list[str] = []
        for line in child.stdout:
            said.append(line.strip())
            if len(said) == stop_after:
                child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        granted += said.count("sent")
    assert said[-1] == "full"
    # a process that was killed between the count and the word "sent" has counted one more
    assert 98 <= granted <= 100


def test_processes_share_one_budget(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom whoop_api_client.budget import SharedBudget\n"
        "budget, sent = SharedBudget(Path(sys.argv[1])), 0\n"
        "while budget.take() == 0:\n    sent += 1\n"
        "print(sent)\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "b.sqlite"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(child.communicate(timeout=60)[0]) for child in children) == 100


def test_who_counts(tmp_path):
    def budget(**more):
        settings = load_settings({}, home=tmp_path / "home", config_dir=tmp_path / "config", **more)
        return open_budget(settings, "an-app")

    simulator = "http://127.0.0.1:9/developer"
    assert isinstance(budget(), SharedBudget)
    assert budget(whoop_budget="off") is None
    assert budget(whoop_api_base=simulator) is None
    assert isinstance(budget(whoop_api_base=simulator, whoop_budget="on"), SharedBudget)


def test_a_count_that_is_damaged_is_said(tmp_path):
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BudgetBroken, match="Remove the file"):
        SharedBudget(path).take()
    assert os.path.exists(path)


class _Tokens:
    def access_token(self) -> str:
        return "token"

    def renewed(self, rejected: str) -> str:
        raise AssertionError("nobody rejected a token")
