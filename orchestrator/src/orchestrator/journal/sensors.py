"""New audio or text in the inbox is taken in as soon as it has stopped growing."""

import hashlib
import time
from pathlib import Path

import dagster as dg

from orchestrator.jobs import collect
from orchestrator.runner import RoomRunner

__all__ = ["SENSORS", "new_note", "waiting_in"]

GROWING_S = 3.0


@dg.sensor(job=collect, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def new_note(context: dg.SensorEvaluationContext, rooms: RoomRunner) -> dg.SensorResult:
    """A file came into the inbox, or into the folder that a phone syncs to."""
    settings = rooms.settings()
    folders = [settings.home / "inbox"] + ([settings.journal_inbox] if settings.journal_inbox else [])
    seen = waiting_in(folders)
    if seen is None or seen == context.cursor:
        return dg.SensorResult(skip_reason="nothing new in the inbox")
    return dg.SensorResult([dg.RunRequest(run_key=f"inbox-{seen}")], cursor=seen)


def waiting_in(folders: list[Path]) -> str | None:
    """Digest of the files that lie there, their sizes and times; None when there is none, or one is still growing."""
    found = []
    for path in (p for folder in folders if folder.is_dir() for p in sorted(folder.iterdir())):
        if path.name.startswith(".") or not path.is_file():
            continue
        about = path.stat()
        if abs(time.time() - about.st_mtime) < GROWING_S:
            return None
        found.append(f"{path.name}\0{about.st_size}\0{about.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16] if found else None


SENSORS = [new_note]
