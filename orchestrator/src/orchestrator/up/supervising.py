"""Keep a group of processes running: restart what ends, wait longer each time, and leave nobody behind at the end."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import UpFailed
from orchestrator.up.child_logs import ChildLog
from orchestrator.up.children import ChildSpec
from orchestrator.up.process_tree import end_groups

__all__ = ["Child", "Supervisor", "restart_delay_s"]

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 60.0
STABLE_S = 60.0
"""What ran for so long has started well: the next restart is the first again."""
GRACE_S = 15.0
USAGE_ERROR = 2
"""Exit code with which our own commands say that they can't be started so (a port that is taken, a bad setting)."""


def restart_delay_s(failures: int) -> float:
    """How long to wait before the next start, after so many short lives in a row: 1, 2, 4 … 60 s."""
    return min(FIRST_DELAY_S * 2 ** (max(failures, 1) - 1), LONGEST_DELAY_S)


@dataclass
class Child:
    """One process and its history."""

    spec: ChildSpec
    log: ChildLog
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    restarts: int = 0
    failures: int = 0
    again_at_s: float = 0.0
    last_exit: int | None = None

    @property
    def state(self) -> str:
        """``running`` or ``waiting`` for its restart."""
        return "running" if self.process is not None else "waiting"


@dataclass
class Supervisor:
    """The group.

    Parameters
    ----------
    changed : callable
        Called after each start and each end, with the children: their state is written down.
    tell : callable
        Called with one line for the terminal.
    clock : callable
        Steady seconds.
    """

    specs: Sequence[ChildSpec]
    logs: Path
    environment: dict[str, str]
    tell: Callable[[str], None]
    changed: Callable[[Sequence[Child]], None] = lambda _children: None
    clock: Callable[[], float] = time.monotonic
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, look_every_s: float = 0.5) -> None:
        """Run the group until `stop` is set.

        Raises
        ------
        UpFailed
            A process can't be started at all: its own words are in the message. The others were ended.
        """
        children = [
            Child(spec, ChildLog(self.logs / f"{spec.name}.log", self.tell if spec.shows else None))
            for spec in self.specs
        ]
        try:
            for child in children:
                self._start(child)
            self.changed(children)
            while not self.stop.wait(look_every_s):
                looked = [self._look_after(child) for child in children]
                if any(looked):
                    self.changed(children)
        finally:
            end_groups([c.process for c in children if c.process is not None], GRACE_S)
            for child in children:
                child.log.close()

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            list(child.spec.command), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        child.started_s = self.clock()
        child.log.follow(child.process)

    def _look_after(self, child: Child) -> bool:
        """Whether something changed."""
        if child.process is None:
            if self.clock() < child.again_at_s:
                return False
            child.restarts += 1
            self._start(child)
            return True
        code = child.process.poll()
        if code is None:
            return False
        end_groups([child.process], GRACE_S)  # what it had started goes with it
        lived_s = self.clock() - child.started_s
        child.process, child.last_exit = None, code
        child.log.drain()
        if code == USAGE_ERROR and child.restarts == 0 and lived_s < STABLE_S:
            raise UpFailed(f"{child.spec.name} can't start: {child.log.last_line or 'it gave no reason'}")
        child.failures = 1 if lived_s >= STABLE_S else child.failures + 1
        delay = restart_delay_s(child.failures)
        child.again_at_s = self.clock() + delay
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        self.tell(f"{child.spec.name} {how}; again in {delay:.0f} s. Its words: {child.log.path}")
        return True
