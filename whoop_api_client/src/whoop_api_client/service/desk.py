"""What all routes of one running service share: the book, the worker, the clock, and the lock of the store."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hrv_shared.clock import Clock
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from whoop_api_client.errors import ServiceRunning
from whoop_api_client.gate import write_session_token
from whoop_api_client.service.answers import Error, JobAnswer, PullWish
from whoop_api_client.service.book import Book
from whoop_api_client.service.hints import follow_due
from whoop_api_client.service.worker import Job, Watch, Worker

__all__ = ["BOOK_FILE", "TOKEN_FILE", "Desk", "RunPull", "job_answer"]

BOOK_FILE = "service.sqlite"
TOKEN_FILE = "service-token"
UPLOADS = "uploads"

RunPull = Callable[[PullWish, Watch], dict[str, Any]]


class Desk:
    """One store's service. Nothing runs, and no file of it is open, before `open`."""

    def __init__(self, settings: Settings, clock: Clock, run_pull: RunPull, token: str):
        self.settings = settings
        self.clock = clock
        self.run_pull = run_pull
        self._token = token
        self._lock = FileLock(settings.home / "service.lock", timeout=0)
        self.book: Book
        self.worker: Worker

    def open(self) -> None:
        """Take the store, write the session token, start the worker.

        Raises
        ------
        ServiceRunning
            Another service has it.
        """
        if self._lock.is_locked:
            return
        home = Store.open(self.settings, self.clock).home
        try:
            self._lock.acquire()
        except Timeout:
            raise ServiceRunning(
                f"Another service serves the store {home}. Stop that one, or set another HRV_HOME."
            ) from None
        write_session_token(self.settings.config_dir / TOKEN_FILE, self._token)
        shutil.rmtree(home / UPLOADS, ignore_errors=True)  # of a service that was killed
        self.book = Book(home / BOOK_FILE)
        self.worker = Worker(self.book, self._follow, self.clock)
        self.worker.start()

    def close(self) -> None:
        """Stop the worker and give the store back."""
        if self._lock.is_locked:
            if self.worker.stop():
                self.book.close()
            self._lock.release()

    def new_upload(self) -> Path:
        """A folder of its own for a file that comes in; the job that reads it takes it away."""
        folder = Store.open(self.settings, self.clock).folder(UPLOADS) / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        return folder

    def _follow(self, rest: Callable[[float], None]) -> None:
        follow_due(self.settings, self.book, clock=self.clock, sleep=rest)


def job_answer(job: Job) -> JobAnswer:
    error = Error(code=job.error[0], message=job.error[1]) if job.error else None
    return JobAnswer(
        id=job.id, kind=job.kind, state=job.state, started_at=job.started_at, finished_at=job.finished_at,
        progress=job.progress, result=job.result, error=error,
    )  # fmt: skip
