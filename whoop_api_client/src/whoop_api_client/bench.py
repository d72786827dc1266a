"""How fast the room is: five years back-filled, a day pulled, an export imported; each in a process of its own.

The account comes from the room's simulator, a further process on this machine with its limits off. Every figure is
that of one process: wall clock and processor time inside the verb, and of the whole command with Python's start and
imports; its peak memory as the operating system counts it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from whoop_api_client.errors import BenchFailed

NIGHTS = 1826
SEED = 7
GOALS = {
    "backfill": {"wall_s": 5.0, "peak_mb": 300.0},
    "daily pull": {"cpu_s": 0.5, "peak_mb": 300.0},
    "pull without news": {"cpu_s": 0.5, "peak_mb": 300.0},
    "import": {"wall_s": 2.0, "peak_mb": 300.0},
}


def measure(*, nights: int = NIGHTS, seed: int = SEED, rounds: int = 3) -> dict[str, Any]:
    """Measure everything `rounds` times.

    Returns
    -------
    dict
        ``rows``: one a measurement (``what``, ``round``, ``wall_s``, ``cpu_s``, ``command_wall_s``, ``command_cpu_s``,
        ``peak_mb``, ``records``); ``median``: one a thing measured, with its goals and whether they are met;
        ``nights``, ``seed``, ``load_1_min``, ``cores``.
    """
    rows: list[dict[str, Any]] = []
    load_before = os.getloadavg()[0]
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="hrv-bench-") as folder, _simulator(nights, seed) as place:
            environment = _environment(Path(folder), place)
            _child(environment, "connect")
            rows.append(_measured("backfill", number, environment, "pull"))
            _advance(place, timedelta(days=1))
            rows.append(_measured("daily pull", number, environment, "pull"))
            rows.append(_measured("pull without news", number, environment, "pull"))
            other = environment | {"HRV_HOME": str(Path(folder) / "other")}
            rows.append(_measured("import", number, other, "import", str(nights)))
    return {
        "nights": nights, "seed": seed, "rounds": rounds, "cores": os.cpu_count(),
        "load_1_min": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "rows": rows, "median": [_median(what, rows) for what in GOALS],
    }  # fmt: skip


def table_text(found: dict[str, Any]) -> str:
    """`measure` for people."""
    lines = [
        f"{found['nights']} nights, seed {found['seed']}, median of {found['rounds']}; {found['cores']} cores, load "
        f"{found['load_1_min'][0]} before and {found['load_1_min'][1]} after.",
        f"{'':18}{'wall s':>8}{'cpu s':>8}{'command: wall s':>17}{'cpu s':>8}{'peak MB':>9}{'records':>9}  goal",
    ]
    for row in found["median"]:
        goals = ", ".join(f"{name} < {most:g}" for name, most in row["goals"].items())
        lines.append(
            f"{row['what']:18}{row['wall_s']:8.2f}{row['cpu_s']:8.2f}{row['command_wall_s']:17.2f}"
            f"{row['command_cpu_s']:8.2f}{row['peak_mb']:9.0f}{row['records']:9}  {goals}"
            f"{'' if row['is_met'] else '  NOT MET'}"
        )
    return "\n".join(lines)


def run_child(verb: str, *arguments: str) -> dict[str, Any]:
    """One measured verb, in the process that `measure` started for it."""
    from hrv_shared.settings import load_settings

    settings = load_settings()
    run = {"connect": _connect, "pull": _pull, "import": _import}[verb](settings, *arguments)
    began, began_cpu = time.perf_counter(), time.process_time()
    records = run()
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": time.process_time() - began_cpu,
        "peak_mb": _peak_mb(),
        "records": records,
    }


def _peak_mb() -> float:
    """Peak memory of this process, MB."""
    try:
        # ru_maxrss of a child begins with what its parent held when it forked; VmHWM begins anew with the program
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024
    except (OSError, TypeError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


def _connect(settings):
    from whoop_api_client.connecting import connect

    return lambda: int(connect(settings, "follow")["connected"])


def _pull(settings):
    from whoop_api_client.pulling import pull

    return lambda: sum(pull(settings)["received"].values())


def _import(settings, nights: str):
    from hrv_shared.store import Store
    from whoop_api_client.export import import_export
    from whoop_api_client.export.made_up import nights_at_home, write_export
    from whoop_api_client.tables import rebuild

    store = Store.open(settings)
    last_day = store.clock().date() - timedelta(days=1)
    path = write_export(settings.home.with_name("export.zip"), nights_at_home(int(nights), last_day=last_day))

    def run() -> int:
        import_export(store, path, settings.member_id)
        return sum(rebuild(store, settings.member_id).values())

    return run


def _measured(what: str, number: int, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    began, cpu_before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    row = _child(environment, *arguments)
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (cpu.ru_utime + cpu.ru_stime) - (cpu_before.ru_utime + cpu_before.ru_stime)
    return {
        "what": what, "round": number, **row, "command_wall_s": time.perf_counter() - began, "command_cpu_s": spent,
    }  # fmt: skip


def _child(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    code = (
        "import json, sys\nfrom whoop_api_client.bench import run_child\n"
        "print(json.dumps(run_child(*sys.argv[1:])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise BenchFailed(f"Measuring {arguments[0]} failed: {last}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _simulator(nights: int, seed: int) -> Iterator[dict[str, Any]]:
    # a day behind us, so that the day to come does not lie in our future
    now = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    command = [
        sys.executable, "-m", "whoop_api_client", "simulate", "--nights", str(nights), "--seed", str(seed),
        "--port", "0", "--now", now, "--pace", "0", "--set", "rate_per_minute=0", "--set", "rate_per_day=0", "--json",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            raise BenchFailed("The simulator did not start. Run: hrv simulate")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def _advance(place: dict[str, Any], by: timedelta) -> None:
    clock = f"{place['base_url']}/_sim/clock"
    httpx.post(clock, json={"advance_seconds": by.total_seconds()}).raise_for_status()


def _environment(folder: Path, place: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HRV_")} | {
        "HRV_HOME": str(folder / "home"),
        "HRV_CONFIG_DIR": str(folder / "config"),
        "HRV_TOKEN_STORE": "file",
        "HRV_WHOOP_API_BASE": place["api_base"],
        "HRV_WHOOP_AUTH_BASE": place["auth_base"],
        "HRV_WHOOP_CLIENT_ID": place["client_id"],
        "HRV_WHOOP_CLIENT_SECRET": place["client_secret"],
    }


def _median(what: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    own = [row for row in rows if row["what"] == what]
    names = ("wall_s", "cpu_s", "command_wall_s", "command_cpu_s", "peak_mb", "records")
    middle = {name: sorted(row[name] for row in own)[len(own) // 2] for name in names}
    goals = GOALS[what]
    return {
        "what": what,
        **middle,
        "goals": goals,
        "is_met": all(middle[n] < most for n, most in goals.items()),
    }
