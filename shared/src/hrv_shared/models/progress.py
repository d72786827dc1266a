"""What a fetch tells while it lasts, and a plain display of it on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TextIO

__all__ = ["Progress", "ProgressListener", "StderrProgress", "megabytes"]


@dataclass(frozen=True)
class Progress:
    """One message of a fetch: ``done_bytes`` of ``total_bytes`` in this step; ``text`` is for people."""

    model: str
    step: Literal["plan", "wait", "download", "assemble", "verify", "done"]
    done_bytes: int
    total_bytes: int
    text: str = ""


ProgressListener = Callable[[Progress], None]


class StderrProgress:
    """Show progress on stderr: one line that is rewritten on a terminal, a line per tenth elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._last: tuple[str, int] | None = None
        self._line_is_open = False

    def __call__(self, event: Progress) -> None:
        if event.text:
            self._print(f"{event.model}: {event.text}")
            return
        percent = 100 * event.done_bytes // max(event.total_bytes, 1)
        on_terminal = self._stream.isatty()
        mark = (event.step, percent if on_terminal else percent // 10)
        if mark == self._last:
            return
        self._last = mark
        line = (
            f"{event.model}: {event.step} {percent:3d} % "
            f"({megabytes(event.done_bytes)} of {megabytes(event.total_bytes)})"
        )
        if on_terminal:
            self._stream.write("\r" + line.ljust(72))
            self._stream.flush()
            self._line_is_open = True
        else:
            self._print(line)

    def _print(self, line: str) -> None:
        if self._line_is_open:
            self._stream.write("\n")
            self._line_is_open = False
        self._stream.write(line + "\n")
        self._stream.flush()


def megabytes(size_bytes: int) -> str:
    """Write a size for people, in decimal units: ``133 MB``, ``1.12 GB``."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.2f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1_000_000 else f"{max(size_bytes, 0) / 1e3:.0f} kB"
