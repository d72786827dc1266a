"""A watched inbox: what a phone syncs into it becomes a note as soon as it has stopped growing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from watchfiles import watch

from hrv_shared.errors import HrvError
from hrv_shared.models import ModelError
from journal_analysis.errors import NoInbox
from journal_analysis.inbox import IngestResult, inbox_folders, ingest, waiting_files

if TYPE_CHECKING:
    import threading

    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = ["SETTLED_S", "Settling", "watch_inbox"]

SETTLED_S = 2.0
"""A file that kept size and time for so long is whole: syncing clients write on without such pauses or under another
name."""
_LOOK_MS = 500


class Settling:
    """Which files have stopped growing."""

    def __init__(self, settled_s: float = SETTLED_S) -> None:
        self._settled_s = settled_s
        self._since: dict[Path, tuple[tuple[int, int], float]] = {}

    def settled(self, files: Iterable[Path], now_s: float) -> list[Path]:
        """Those of ``files`` that have not changed for long enough at ``now_s`` (any steady clock)."""
        held = {path: (stat.st_size, stat.st_mtime_ns) for path in files if (stat := _stat(path)) is not None}
        self._since = {
            path: self._since[path] if self._since.get(path, ((-1, -1), 0.0))[0] == state else (state, now_s)
            for path, state in held.items()
        }
        return [path for path, (_, since_s) in self._since.items() if now_s - since_s >= self._settled_s]

    def forget(self, path: Path) -> None:
        """Let a file settle anew: it could not be read yet."""
        self._since.pop(path, None)


def watch_inbox(
    store: Store, settings: Settings, member_id: str, stop: threading.Event,
    tell: Callable[[IngestResult], None], warn: Callable[[str], None], *, settled_s: float = SETTLED_S,
) -> None:  # fmt: skip
    """Take in what comes into the inbox until ``stop`` is set; a note that is being taken in is finished first.

    Parameters
    ----------
    tell : callable
        Called after each look that took something in or refused it.
    warn : callable
        Called with what keeps it from looking (the phone's folder is gone, no speech model), once until that changes;
        it goes on looking.
    """
    settling = Settling(settled_s)
    folders, warned = inbox_folders(store, settings), set[type[HrvError]]()
    for _ in watch(
        *folders, watch_filter=None, stop_event=stop, debounce=100, rust_timeout=_LOOK_MS, yield_on_timeout=True,
        raise_interrupt=False, recursive=False, ignore_permission_denied=True,
    ):  # fmt: skip
        try:
            waiting = waiting_files(store, settings)
            warned.discard(NoInbox)
        except NoInbox as error:
            _once(warned, error, warn)
            continue
        for path in settling.settled(waiting, time.monotonic()):
            if stop.is_set():
                break
            settling.forget(path)  # what stays behind has to settle anew
            try:
                done = ingest(store, settings, member_id, [path], patient=True)
            except (NoInbox, ModelError) as error:
                _once(warned, error, warn)
                continue
            warned.clear()
            if done.entries or done.already or done.backfilled or done.refused:
                tell(done)


def _once(warned: set[type[HrvError]], error: HrvError, warn: Callable[[str], None]) -> None:
    """Say what is wrong, unless it was said and nothing has gone well since."""
    if type(error) not in warned:
        warn(str(error))
    warned.add(type(error))


def _stat(path: Path):
    try:
        return path.lstat()
    except OSError:
        return None
