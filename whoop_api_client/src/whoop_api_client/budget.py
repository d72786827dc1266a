"""How many requests this machine may still send to WHOOP, counted across processes.

WHOOP grants a client id 100 requests a minute and 10,000 a day. Every request is a row in a small SQLite file that all
processes of this user share; a request may go when fewer than the limit were counted in the 60 s (and 24 h) before
it: a sliding window, so no burst at the border of two windows. The file survives a crash.

**Clocks.** A row holds the wall clock and the system's monotonic clock. Its age is the *smaller* of the two that are
not negative: a wall clock that jumps forward, or a monotonic clock that restarted with the machine, can then only
make us wait longer, never send too much. A row that both clocks place in the future (a reboot, and the wall clock set
back) is counted from the moment at which we see it.

Requests for tokens are not counted: they are a few a day, and WHOOP does not say that they count. Nor is the one
question of ``hrv disconnect``, which must not wait.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from hrv_shared.database import transaction
from hrv_shared.settings import Settings
from whoop_api_client.errors import BudgetBroken
from whoop_api_client.urls import is_loopback

__all__ = ["SharedBudget", "open_budget"]

PER_MINUTE = 100
PER_DAY = 10_000
MINUTE_S = 61.0  # a second more: what counts is when WHOOP sees a request, not when it leaves
DAY_S = 86_401.0

_SCHEMA = "CREATE TABLE IF NOT EXISTS sent (wall_s REAL NOT NULL, monotonic_s REAL NOT NULL)"
_AGE = """
    CASE WHEN :wall - wall_s < 0 THEN :mono - monotonic_s
         WHEN :mono - monotonic_s < 0 THEN :wall - wall_s
         ELSE min(:wall - wall_s, :mono - monotonic_s) END
"""


class SharedBudget:
    """A `Budget` in a file.

    Parameters
    ----------
    wall, monotonic : callable
        Seconds; tests put a virtual clock here.
    """

    def __init__(
        self,
        path: Path,
        *,
        per_minute: int = PER_MINUTE,
        per_day: int = PER_DAY,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._path = path
        self._windows = ((per_minute, MINUTE_S), (per_day, DAY_S))
        self._wall, self._monotonic = wall, monotonic
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()  # the asynchronous client asks from several threads

    def take(self) -> float:
        """Count one request and return 0, or count nothing and return the seconds to wait before asking again."""
        try:
            with self._lock:
                connection = self._open()
                with transaction(connection):
                    return self._take(connection)
        except sqlite3.DatabaseError as error:
            raise BudgetBroken(
                f"The count of requests in {self._path} can't be used ({error}). Remove the file, wait a minute, "
                "then run the command again."
            ) from error

    def left(self) -> dict[str, int]:
        """How many requests may still go now, in this minute and in this day; counts nothing."""
        try:
            with self._lock:
                now = {"wall": self._wall(), "mono": self._monotonic()}
                ages = [row[0] for row in self._open().execute(f"SELECT {_AGE} FROM sent", now)]
        except sqlite3.DatabaseError as error:
            raise BudgetBroken(f"The count of requests in {self._path} can't be read ({error}).") from error
        per_minute, per_day = (limit - sum(age < window for age in ages) for limit, window in self._windows)
        return {"minute": max(0, min(per_minute, per_day)), "day": max(0, per_day)}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take(self, connection: sqlite3.Connection) -> float:
        # read inside the lock: another process may have been waiting in between
        now = {"wall": self._wall(), "mono": self._monotonic()}
        connection.execute(
            "UPDATE sent SET wall_s = :wall, monotonic_s = :mono WHERE wall_s > :wall AND monotonic_s > :mono",
            now,
        )
        connection.execute(f"DELETE FROM sent WHERE {_AGE} > {DAY_S}", now)
        ages = [row[0] for row in connection.execute(f"SELECT {_AGE} AS age FROM sent ORDER BY age", now)]
        for limit, window_s in self._windows:
            if len(ages) >= limit and ages[limit - 1] < window_s:
                return window_s - ages[limit - 1]
        connection.execute("INSERT INTO sent VALUES (:wall, :mono)", now)
        return 0.0

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(
                self._path, timeout=60, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(_SCHEMA)
            self._connection = connection
        return self._connection


def open_budget(settings: Settings, client_id: str) -> SharedBudget | None:
    """The budget of a WHOOP app on this machine; None where it is switched off.

    ``whoop_budget`` = auto counts everywhere but on loopback: a simulator has nobody to share with, and its own 429
    is heeded all the same.
    """
    host = urlsplit(settings.whoop_api_base).hostname or ""
    if settings.whoop_budget == "off" or (settings.whoop_budget == "auto" and is_loopback(host)):
        return None
    # of the app, not of the member: all members of one app share its limit
    name = hashlib.sha256(f"{client_id}\n{host}".encode()).hexdigest()[:16]
    return SharedBudget(settings.config_dir / "budget" / f"{name}.sqlite")
