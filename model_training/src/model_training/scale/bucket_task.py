"""The task that an engine gets, one bucket of members: read, compute, keep the quantiles, say what it cost."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from hrv_shared.store import write_bytes_atomic
from model_training.pool import Pool
from model_training.scale.costs import own_cpu_s, peak_mb
from model_training.scale.errors import OtherCode

__all__ = ["BucketDone", "BucketTask", "done_before", "run_bucket"]


@dataclass(frozen=True)
class BucketTask:
    """One bucket of one cohort; small, because an engine sends it.

    Attributes
    ----------
    tables, results : str
        Folders.
    kinds : tuple of type
        Forecasters' classes.
    versions : tuple of str
        Theirs where the work is given out; a worker with other code refuses.
    pool : str
        File of the pool; '' is the shipped one.
    """

    tables: str
    results: str
    bucket: int
    kinds: tuple[type, ...]
    versions: tuple[str, ...]
    pool: str
    slot: str
    windows: int


@dataclass(frozen=True)
class BucketDone:
    """What one bucket gave and cost.

    Attributes
    ----------
    digests : dict
        Member -> SHA-256 of the bytes of all its quantiles.
    spoken : int
        Forecasts issued (one member, one forecaster, one origin).
    refused : int
        Members for whom nobody spoke at the last origin.
    process : int
    cpu_s, process_cpu_s : float
        Of this task; of the process since it began, its imports too.
    parts_cpu_s : dict
    """

    bucket: int
    digests: dict[str, str]
    spoken: int
    refused: int
    process: int
    cpu_s: float
    process_cpu_s: float
    peak_mb: float | None
    parts_cpu_s: dict[str, float]


def run_bucket(task: BucketTask) -> BucketDone:
    """Do one bucket's day; its quantiles lie in ``results`` afterwards, then what it cost.

    Raises
    ------
    OtherCode
        This process has other forecasters than the one that gave the task.
    """
    from model_training.scale.member_day import forecast_members, made
    from model_training.scale.members import read_bucket

    here = tuple(kind.version for kind in task.kinds)
    if here != task.versions:
        raise OtherCode(
            f"Expected forecasters {', '.join(task.versions)}, a worker has {', '.join(here)}. Install the same code "
            "on every worker and start them anew."
        )
    forecasters = made(task.kinds, _pool(task.pool))
    start = own_cpu_s()
    days, journal = read_bucket(Path(task.tables), task.bucket)
    reading = own_cpu_s() - start
    day = forecast_members(days, journal, forecasters, slot=task.slot, windows=task.windows)
    kept = io.BytesIO()
    np.savez(kept, members=np.array(day.members), quantiles_ms=day.quantiles_ms)
    write_bytes_atomic(Path(task.results) / f"{task.bucket:04d}.npz", kept.getvalue())
    digests = {
        member: hashlib.sha256(np.ascontiguousarray(quantiles_ms, dtype="<f8").tobytes()).hexdigest()
        for member, quantiles_ms in zip(day.members, day.quantiles_ms, strict=True)
    }
    refused = int(np.isnan(day.quantiles_ms[:, -1, -1, 0, 0]).sum())
    done = BucketDone(
        task.bucket, digests, day.spoken, refused, os.getpid(), own_cpu_s() - start, own_cpu_s(), peak_mb(),
        {"reading": reading, **day.cpu_s},
    )  # fmt: skip
    write_bytes_atomic(_note(task), json.dumps(asdict(done)).encode())
    return done


def done_before(task: BucketTask) -> BucketDone | None:
    """What an earlier run, that was stopped, has left of this bucket."""
    note = _note(task)
    return BucketDone(**json.loads(note.read_text())) if note.exists() else None


def _note(task: BucketTask) -> Path:
    return Path(task.results) / f"{task.bucket:04d}.json"


@functools.cache
def _pool(path: str) -> Pool | None:
    return Pool.load(Path(path)) if path else None
