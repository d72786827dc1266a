"""``hrv doctor``: what is wrong, and how to mend it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import Any

from hrv_shared.errors import HrvError
from hrv_shared.issue import current_issue
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator.errors import StepFailed
from orchestrator.rooms import quiet_environment, room_command

__all__ = ["check_all"]

LOW_DISK_GB = 2.0


def check_all(settings: Settings) -> list[dict[str, Any]]:
    """Every check as ``{"what", "ok", "says"}``; none raises."""
    connection = cache(_connection)
    checks: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("store", lambda: _store(settings)),
        ("ledger", lambda: _ledger(settings)),
        ("forecast due", lambda: _due(settings)),
        ("login", lambda: _login(connection())),
        ("token store", lambda: _token_store(connection())),
        ("models", lambda: _models(settings)),
        ("disk", lambda: _disk(settings)),
    ]
    answers = []
    for what, check in checks:
        try:
            ok, says = check()
        except HrvError as error:
            ok, says = False, str(error)
        answers.append({"what": what, "ok": ok, "says": says})
    return answers


def _store(settings: Settings) -> tuple[bool, str]:
    store = Store.open(settings)
    members = store.record.members()
    return True, f"{store.home}: {len(members)} member(s), {len(store.read_table('days'))} vintages of days"


def _ledger(settings: Settings) -> tuple[bool, str]:
    faults = Store.open(settings).ledger.verify()
    return not faults, "sound" if not faults else f"{len(faults)} faults: hrv ledger verify"


def _due(settings: Settings) -> tuple[bool, str]:
    issue = current_issue(Store.open(settings), settings.member_id)
    return issue.book == "live", issue.note or f"{issue.slot} of {issue.origin_day}, live"


def _login(connection: dict[str, Any]) -> tuple[bool, str]:
    if connection.get("connected"):
        return True, "connected to WHOOP"
    if connection.get("lost_at"):
        return False, f"WHOOP ended the connection (noticed {connection['lost_at'][:16]}); hrv connect"
    return False, "not connected; hrv connect (an import needs no login)"


def _token_store(connection: dict[str, Any]) -> tuple[bool, str]:
    store = connection["token_store"]
    return store["fault"] is None, store["fault"] or store["place"]


def _connection() -> dict[str, Any]:
    """What the WHOOP room says of its connection."""
    finished = subprocess.run(
        room_command("whoop", "status", "--json"),
        env=quiet_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(finished.stdout or "{}")
    if "connection" not in answer:
        raise StepFailed(answer.get("error", {}).get("message", "the WHOOP room does not answer"))
    return answer["connection"]


def _models(settings: Settings) -> tuple[bool, str]:
    from hrv_shared.models import status

    absent = [
        s.name
        for s in status(cache_dir=settings.cache_dir)
        if s.is_default and s.state not in ("ready", "installed")
    ]
    return (
        not absent,
        "ready" if not absent else f"{', '.join(absent)} not here: hrv models fetch asr llm forecast",
    )


def _disk(settings: Settings) -> tuple[bool, str]:
    free = shutil.disk_usage(Store.open(settings).home).free / 1e9
    return free > LOW_DISK_GB, f"{free:.0f} GB free"
