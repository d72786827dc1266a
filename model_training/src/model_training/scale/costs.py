"""What a process has cost so far: CPU-seconds and the most memory that it ever held."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

__all__ = ["children_cpu_s", "own_cpu_s", "peak_mb"]

STATUS = Path("/proc/self/status")


def own_cpu_s() -> float:
    """CPU-seconds of this process, all its threads, since it began."""
    return time.process_time()


def children_cpu_s() -> float:
    """CPU-seconds of those children (and theirs) that have ended and were waited for; 0 where the system can't say."""
    try:
        import resource
    except ImportError:
        return 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float | None:
    """The largest resident set of this process in MB; None where the system can't say.

    Linux first: ``ru_maxrss`` of a process begins at that of the parent it was forked from, ``VmHWM`` doesn't.
    """
    if STATUS.exists():
        found = re.search(r"^VmHWM:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
