"""What a process prints, kept in a file that never grows without end."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

__all__ = ["ChildLog"]

LARGEST_BYTES, KEPT = 1_000_000, 3
LONGEST_LINE = 4_000


class ChildLog:
    """One process's file: 1 MB, and three older ones of that size.

    Parameters
    ----------
    show : callable, optional
        Takes what comes on stdout instead of the file.
    """

    def __init__(self, path: Path, show: Callable[[str], None] | None = None) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.last_line = ""
        self._show = show
        self._threads: list[threading.Thread] = []
        self._file = _PrivateFile(path, maxBytes=LARGEST_BYTES, backupCount=KEPT, encoding="utf-8")
        self._file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def follow(self, process: subprocess.Popen[bytes]) -> None:
        """Write down what this process prints, until it ends."""
        for stream, take in ((process.stdout, self._show or self._write), (process.stderr, self._write)):
            thread = threading.Thread(target=self._read, args=(stream, take), daemon=True)
            thread.start()
            self._threads.append(thread)

    def drain(self) -> None:
        """Wait until everything of a process that has ended is written."""
        for thread in self._threads:
            thread.join(timeout=5)
        self._threads.clear()

    def close(self) -> None:
        """Finish the file."""
        self.drain()
        self._file.close()

    def _read(self, stream: IO[bytes], take: Callable[[str], None]) -> None:
        with stream:
            for line in iter(lambda: stream.readline(LONGEST_LINE), b""):
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    take(text)

    def _write(self, line: str) -> None:
        self.last_line = line
        self._file.handle(logging.LogRecord("", logging.INFO, "", 0, line, (), None))


class _PrivateFile(RotatingFileHandler):
    """For the owner alone."""

    def _open(self):
        stream = super()._open()
        os.chmod(self.baseFilename, 0o600)
        return stream
