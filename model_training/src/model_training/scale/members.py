"""A synthetic cohort's tables, laid out in buckets of members as a store of many members would hold them.

A member belongs to the bucket that the digest of the name says, so that the same member is in the same bucket on every
machine and every day; there is a task a bucket, never one a member. People are drawn in chunks of fixed size, so that
the first hundred members are the same in a cohort of ten thousand, which never is in memory as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import polars as pl

from hrv_shared.schemas import TABLES as SCHEMAS
from hrv_shared.store import write_bytes_atomic

__all__ = ["bucket_count", "bucket_of", "lay_out", "read_bucket"]

CHUNK = 500
MEMBERS_A_BUCKET = 12
MOST_BUCKETS = 64
SEED_STEP = 1_000_003
TABLES = ("days", "journal")
COMPLETE = "complete"


def bucket_of(member: str, buckets: int) -> int:
    """Bucket of a member: a digest of the name, so it never depends on who else is there."""
    return int.from_bytes(hashlib.blake2b(member.encode(), digest_size=8).digest()) % buckets


def bucket_count(members: int) -> int:
    """How many buckets a cohort gets: about a dozen members each, but never more than 64 buckets."""
    return min(MOST_BUCKETS, max(1, members // MEMBERS_A_BUCKET))


def lay_out(
    folder: Path, members: int, *, nights: int, seed: int, advance: Callable[[float], None] = lambda _: None
) -> int:
    """Write the members' tables, chunk by chunk; chunks that are there already are kept.

    Returns
    -------
    int
        Buckets; those without a member have no file.
    """
    buckets = bucket_count(members)
    for chunk, first in enumerate(range(0, members, CHUNK)):
        last = min(first + CHUNK, members)
        mark = folder / f"{COMPLETE}-{chunk:04d}"
        if not mark.exists():
            for table, frame in zip(TABLES, _chunk(folder, chunk, last - first, nights, seed), strict=True):
                for bucket, rows in _by_bucket(frame, buckets).items():
                    place = folder / f"bucket-{bucket:04d}"
                    place.mkdir(parents=True, exist_ok=True)
                    rows.write_parquet(place / f"{table}-{chunk:04d}.parquet", compression="zstd")
            write_bytes_atomic(mark, b"")
        advance(last - first)
    return buckets


def read_bucket(folder: Path, bucket: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables ``days`` and ``journal_facts`` of one bucket's members."""
    place = folder / f"bucket-{bucket:04d}"
    days, journal = ([pl.read_parquet(path) for path in sorted(place.glob(f"{t}-*.parquet"))] for t in TABLES)
    return pl.concat(days), pl.concat(journal or [pl.DataFrame(schema=SCHEMAS["journal_facts"].columns)])


def _chunk(
    folder: Path, chunk: int, wanted: int, nights: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The first ``wanted`` members of a chunk, in the schemas of the store."""
    from model_training.bench.people import read_people
    from model_training.synthetic import cohort_table, make_cohort

    table = cohort_table(make_cohort(CHUNK, nights, seed * SEED_STEP + chunk))
    number = pl.col("person_id").str.slice(1).cast(pl.Int64)
    table = table.filter(number <= wanted).with_columns(
        person_id=pl.format("m{}", (number + chunk * CHUNK).cast(pl.String).str.zfill(6))
    )
    path = folder / f"chunk-{chunk:04d}.parquet"
    table.write_parquet(path)
    try:
        people, _ = read_people(path)
    finally:
        path.unlink()
    facts = [person.journal for person in people]
    return pl.concat([person.days for person in people]), pl.concat(facts)


def _by_bucket(frame: pl.DataFrame, buckets: int) -> dict[int, pl.DataFrame]:
    if frame.is_empty():
        return {}
    numbers = {member: bucket_of(member, buckets) for member in frame["member_id"].unique()}
    marked = frame.with_columns(bucket=pl.col("member_id").replace_strict(numbers, return_dtype=pl.Int32))
    parts = marked.partition_by("bucket", as_dict=True, include_key=False)
    return {key[0]: rows for key, rows in parts.items()}
