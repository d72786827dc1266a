"""What the page works with: whose store is shown, what is kept warm, and the jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dashboard.jobs import Jobs
from dashboard.rooms import environment_of, verb
from dashboard.session import Sessions
from hrv_shared.clock import Clock, system_clock
from hrv_shared.settings import Settings
from hrv_shared.store import Store

__all__ = ["DEMO_MARKER", "DEMO_MEMBER", "Desk"]

DEMO_MARKER = ".hrv-demo"
DEMO_MEMBER = "demo"
"""As ``hrv demo`` names them."""


class Desk:
    """One page's state. The wearer's store, or that of the demo member, who does not exist.

    Parameters
    ----------
    show_demo : bool
        Begin with the demo member.
    """

    def __init__(
        self, settings: Settings, sessions: Sessions, *, clock: Clock = system_clock, show_demo: bool = False
    ) -> None:
        self.own = settings
        self.sessions = sessions
        self.clock = clock
        self.shows_demo = show_demo
        self.jobs = Jobs(clock, self.forget)
        self.mounts: dict[str, str] = {}  # where other pages listen, for `mounts.py`
        self.phone: Any = None  # the listener in the wearer's network, when it is on (`phone.py`)
        self._kept: dict[str, tuple[Any, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    @property
    def settings(self) -> Settings:
        """The settings of the store that is shown."""
        if not self.shows_demo or self.is_demo_store(self.own.home):
            return self.own
        demo = {
            "home": self.own.home / "demo",
            "member_id": DEMO_MEMBER,
            "config_dir": self.own.config_dir / "demo",
            "token_store": "file",
        }
        return self.own.model_copy(update=demo)

    @property
    def is_demo(self) -> bool:
        """Whether what is shown is of a member who does not exist."""
        return self.is_demo_store(self.settings.home)

    @property
    def has_demo(self) -> bool:
        """Whether the demo's store was made."""
        return self.is_demo_store(self.own.home / "demo") or self.is_demo_store(self.own.home)

    @staticmethod
    def is_demo_store(home: Path) -> bool:
        """Whether ``hrv demo`` made this store."""
        return (home / DEMO_MARKER).exists()

    @property
    def environment(self) -> dict[str, str]:
        """For commands that work on the store that is shown."""
        return environment_of(self.settings)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store that is shown; its books are closed afterwards."""
        store = Store(self.settings.home, self.clock)
        try:
            yield store
        finally:
            for book in ("ledger", "record"):
                if book in vars(store):
                    getattr(store, book).close()

    def kept(self, name: str, make: Callable[[], Any], *, also: Any = None) -> Any:
        """What ``make`` gives, made anew when the store has changed (or ``also``, such as the issue that is due)."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            state = (self.state_of_store(), also)
            held = self._kept.get(name)
            if held is None or held[0] != state:
                held = self._kept[name] = (state, make())
            return held[1]

    def forget(self) -> None:
        """Read everything anew."""
        self._kept.clear()

    def state_of_store(self) -> tuple:
        """Changes whenever anybody wrote to the store."""
        home = self.settings.home
        watched = [
            home / "record.sqlite",
            home / "record.sqlite-wal",
            home / "reports" / "daily",
            home / DEMO_MARKER,
        ]
        watched += [home / "tables" / f"{name}.parquet" for name in ("days", "journal_facts", "scores")]
        return (str(home), *(_stamp(path) for path in watched))

    def what_if(self) -> Any:
        """The members of the last issued mix, fitted and kept warm."""

        def make() -> Any:
            with self.store() as store:
                return verb("model_training", "StandingWhatIf")(store, self.settings.member_id)

        return self.kept("what-if", make)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    # an empty write-ahead log comes and goes with every reader
    return (stat.st_mtime_ns, stat.st_size) if stat.st_size else (0, 0)
