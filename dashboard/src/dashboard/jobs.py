"""Slow work: other rooms' commands in processes of their own, one at a time, with progress for the page."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.errors import JobRunning
from hrv_shared.clock import Clock

__all__ = ["Job", "Jobs", "Step"]

KEPT = 20
LINES = 6
ADDRESS = re.compile(r"https?://[^\s\"'<>]+")


@dataclass(frozen=True)
class Step:
    """One command of a job, and what it does in words."""

    words: str
    command: Sequence[str]
    may_fail: bool = False


@dataclass
class Job:
    """Where a job stands.

    Attributes
    ----------
    result : dict or None
        What the last step answered (its ``--json``).
    address : str
        An address that a step asked to be opened (logging in to WHOOP).
    """

    id: int
    kind: str
    words: str
    steps: int
    started_at: datetime
    state: str = "running"
    step: int = 0
    doing: str = ""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    address: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    finished_at: datetime | None = None

    def describe(self) -> dict[str, Any]:
        """The job as JSON values."""
        return {
            "id": self.id, "kind": self.kind, "words": self.words, "state": self.state, "step": self.step,
            "steps": self.steps, "doing": self.doing, "lines": list(self.lines), "result": self.result,
            "error": self.error, "address": self.address, "started_at": self.started_at.isoformat(),
            "finished_at": None if self.finished_at is None else self.finished_at.isoformat(),
        }  # fmt: skip


class Jobs:
    """The jobs of this start of the page.

    Parameters
    ----------
    after : callable
        Called when a job has ended, however it did: what was kept of the store is read anew.
    """

    def __init__(self, clock: Clock, after: Callable[[], None]) -> None:
        self._clock = clock
        self._after = after
        self._numbers = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._processes: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(
        self, kind: str, words: str, steps: Sequence[Step], environment: dict[str, str],
        *, tidy: Callable[[Job], None] = lambda job: None, alone: bool = True,
    ) -> Job:  # fmt: skip
        """Begin a job; ``tidy`` is called when it has ended.

        Parameters
        ----------
        alone : bool
            Not beside another one; a note is taken in at any time.

        Raises
        ------
        JobRunning
            Another one is running.
        """
        with self._lock:
            busy = self.running()
            if busy is not None and alone:
                raise JobRunning(f"{busy.words} is still running. Wait for it, then try again.")
            job = Job(next(self._numbers), kind, words, len(steps), self._clock())
            self._jobs = dict([*self._jobs.items(), (job.id, job)][-KEPT:])
        thread = threading.Thread(target=self._run, args=(job, steps, environment, tidy), daemon=True)
        thread.start()
        return job

    def get(self, number: int) -> Job | None:
        """A job by its number."""
        return self._jobs.get(number)

    def running(self) -> Job | None:
        """The job that is running."""
        return next((job for job in self._jobs.values() if job.state == "running"), None)

    def close(self) -> None:
        """End what runs; what it had done is kept, as with Ctrl-C."""
        self._closed = True
        for process in list(self._processes):
            process.terminate()

    def _run(
        self, job: Job, steps: Sequence[Step], environment: dict[str, str], tidy: Callable[[Job], None]
    ) -> None:
        state = "failed"
        try:
            for number, step in enumerate(steps, start=1):
                job.step, job.doing = number, step.words
                if not self._do(job, step, environment) and not step.may_fail:
                    break
            else:
                state, job.error = "done", None
        except Exception as unknown:  # the type alone: a message may hold data
            job.error = {
                "code": "Bug",
                "message": f"It failed with {type(unknown).__name__}; see hrv doctor.",
            }
        finally:
            tidy(job)
            self._after()
            job.finished_at, job.state = self._clock(), state
            job.ended.set()

    def _do(self, job: Job, step: Step, environment: dict[str, str]) -> bool:
        process = subprocess.Popen(
            list(step.command), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._processes.add(process)
        if self._closed:
            process.terminate()
        listener = threading.Thread(target=self._listen, args=(job, process), daemon=True)
        listener.start()
        answer = process.stdout.read()
        listener.join()
        code = process.wait()
        self._processes.discard(process)
        process.stdout.close()
        process.stderr.close()
        told = _json_object(answer)
        if code == 0:
            job.result = told
            return True
        said = (told or {}).get("error") or {
            "code": "StepFailed",
            "message": job.lines[-1] if job.lines else step.words,
        }
        job.error = {"code": str(said["code"]), "message": str(said["message"])}
        return False

    def _listen(self, job: Job, process: subprocess.Popen) -> None:
        for line in process.stderr:
            text = line.strip()
            if text:
                job.lines.append(text[:300])
                found = ADDRESS.search(text)
                if found and job.kind == "connect":
                    job.address = found.group()


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
