"""The one background worker: at most one pull or import at a time, and between them the webhooks' hints.

Requests only put something on its desk and are answered at once. When the service stops, the work is told so at its
next step; what it did is kept, and the job is told as interrupted.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hrv_shared.cli import say
from hrv_shared.clock import Clock
from hrv_shared.errors import HrvError
from whoop_api_client.errors import JobRunning, Stopped
from whoop_api_client.service.book import Book

__all__ = ["Job", "Watch", "Work", "Worker"]

_INTERRUPTED = (
    "Interrupted",
    "The service stopped while this ran. What it had done is kept; start it again.",
)
_LOOK_AGAIN_S = 30.0
_STOP_WITHIN_S = 5.0


@dataclass
class Job:
    """A pull or an import: where it stands and what came of it. The result lives as long as the service."""

    id: int
    kind: str
    started_at: datetime
    state: str = "queued"
    finished_at: datetime | None = None
    progress: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: tuple[str, str] | None = None


class Watch:
    """What a work gets to say how far it is, and to learn that it shall stop."""

    def __init__(self, job: Job, stopping: threading.Event):
        self._job = job
        self._stopping = stopping

    def tell(self, phase: str, done: int, total: int | None = None, note: str | None = None) -> None:
        """Say how far the work is.

        Raises
        ------
        Stopped
            The service stops.
        """
        self._job.progress = {"phase": phase, "done": done, "total": total, "note": note}
        if self._stopping.is_set():
            raise Stopped(_INTERRUPTED[1])

    def rest(self, seconds: float) -> None:
        """Wait, as `time.sleep`, but not longer than the service lives."""
        if self._stopping.wait(seconds):
            raise Stopped(_INTERRUPTED[1])


Work = Callable[[Watch], dict[str, Any]]


@dataclass
class _Desk:
    job: Job | None = None
    work: Work | None = None
    tidy: Callable[[], None] | None = None
    jobs: dict[int, Job] = field(default_factory=dict)


class Worker:
    """A thread and its desk.

    Parameters
    ----------
    follow_hints : callable
        Works off the hints that are due; gets how to wait.
    """

    def __init__(self, book: Book, follow_hints: Callable[[Callable[[float], None]], None], clock: Clock):
        self._book = book
        self._follow_hints = follow_hints
        self._clock = clock
        self._desk = _Desk()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._busy = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Tell of jobs that a former service left unfinished, then begin."""
        self._book.interrupt_jobs(self._clock(), _INTERRUPTED)
        self._thread = threading.Thread(target=self._run, name="hrv-worker", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Ask what runs to stop, and wait a little; what does not heed (a slow answer) is told as interrupted later.

        Returns
        -------
        bool
            Whether all has ended.
        """
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)
        return self._thread is None or not self._thread.is_alive()

    def submit(self, kind: str, work: Work, tidy: Callable[[], None] | None = None) -> Job:
        """Put a job on the desk; `tidy` is called when it has ended, however it did.

        Raises
        ------
        JobRunning
            Another one is there.
        """
        with self._changed:
            desk = self._desk
            if desk.job is not None:
                raise JobRunning(
                    f"A job is running already ({desk.job.kind}, number {desk.job.id}). Wait for it; see /status."
                )
            now = self._clock()
            job = Job(self._book.begin_job(kind, now), kind, now)
            desk.job, desk.work, desk.tidy = job, work, tidy
            desk.jobs = {**dict(list(desk.jobs.items())[-20:]), job.id: job}
            self._changed.notify_all()
            return job

    def job(self, job_id: int | None = None) -> Job | None:
        """A job by number, by default the last one, with its result if it ran in this service."""
        row = self._book.job(job_id)
        if row is None:
            return None
        if row.id in self._desk.jobs:
            return self._desk.jobs[row.id]
        error = (row.error_code, row.error_message or "") if row.error_code else None
        return Job(row.id, row.kind, row.started_at, row.state, row.finished_at, error=error)

    def nudge(self) -> None:
        """Look again now: a webhook came, or the clock moved."""
        with self._changed:
            self._changed.notify_all()

    def settle(self, timeout_s: float) -> bool:
        """Wait until nothing is on the desk and no hint is due; False when that takes too long."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, timeout_s)

    def _is_idle(self) -> bool:
        return self._desk.job is None and not self._busy and not self._hints_due()

    def _hints_due(self) -> bool:
        due_at = self._book.next_hint_at()
        return due_at is not None and due_at <= self._clock()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                job, work, hints = self._desk.job, self._desk.work, self._hints_due()
                if job is None and not hints:
                    self._changed.wait(self._patience_s())
                    continue
                self._busy = True
            try:
                if job is not None:
                    self._do(job, work)
                else:
                    self._do_hints()
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _do(self, job: Job, work: Work) -> None:
        job.state = "running"
        self._write_down(job, "running")
        result, error, state = None, None, "done"
        try:
            result = work(Watch(job, self._stopping))
        except Stopped:
            state, error = "interrupted", _INTERRUPTED
        except HrvError as known:
            state, error = "failed", (known.code, str(known))
        except Exception as unknown:  # the thread must not die; the type alone, since a message may hold data
            told = f"The {job.kind} failed with {type(unknown).__name__}; run it in a terminal."
            state, error = "failed", ("Bug", told)
        if self._desk.tidy is not None:
            self._desk.tidy()
        finished_at = self._clock()
        self._write_down(job, state, finished_at, error)
        with self._changed:  # who reads that it has ended may begin the next at once
            self._desk.job, self._desk.work, self._desk.tidy = None, None, None
            job.result, job.error, job.finished_at, job.state = result, error, finished_at, state

    def _write_down(self, job: Job, state: str, *more: Any) -> None:
        try:
            self._book.mark_job(job.id, state, *more)
        except (sqlite3.Error, HrvError) as error:  # a full disk; the job itself need not end for that
            say(f"hrv serve: the state of job {job.id} could not be written ({type(error).__name__})")

    def _do_hints(self) -> None:
        try:
            self._follow_hints(self._rest)
        except Stopped:
            pass
        except Exception as unknown:  # as above; the hints wait and are tried again
            say(f"hrv serve: following webhooks failed with {type(unknown).__name__}; tried again later")
            self._stopping.wait(_LOOK_AGAIN_S)

    def _rest(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped(_INTERRUPTED[1])

    def _patience_s(self) -> float:
        due_at = self._book.next_hint_at()
        if due_at is None:
            return _LOOK_AGAIN_S
        return min(max((due_at - self._clock()).total_seconds(), 0.05), _LOOK_AGAIN_S)
