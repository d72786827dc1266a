"""Which members live in which bucket, and what a bucket's store is: a folder, and a schema of PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["BUCKETS", "bucket_home", "bucket_name", "bucket_names", "held_buckets", "made_house"]

BUCKETS = 64
"""Never changed in a house that has members: a member's bucket is a digest of the name, on every machine and day."""


def bucket_name(member_id: str) -> str:
    """The bucket of a member, such as ``07``."""
    digest = hashlib.blake2b(member_id.encode(), digest_size=8).digest()
    return f"{int.from_bytes(digest) % BUCKETS:02d}"


def bucket_names() -> list[str]:
    """Every bucket of a house."""
    return [f"{number:02d}" for number in range(BUCKETS)]


def held_buckets(house: Path) -> list[str]:
    """Those that have a store; all of them in a house that is not made yet."""
    return [name for name in bucket_names() if bucket_home(house, name).is_dir()] or bucket_names()


def bucket_home(house: Path, bucket: str) -> Path:
    """The bucket's store."""
    return house / f"bucket-{bucket}"


def made_house(house: Path, dsn: str | None, buckets: list[str] | None = None) -> list[Path]:
    """Make the buckets' stores, with their records in PostgreSQL where a ``dsn`` is given; those that exist stay."""
    from hrv_shared.postgres import PostgresPlace, write_place
    from hrv_shared.store import Store

    homes = []
    for bucket in buckets or bucket_names():
        home = Store(bucket_home(house, bucket)).home
        if dsn is not None and not (home / "record.toml").exists():
            write_place(home, PostgresPlace(dsn, f"hrv_{bucket}"))
        homes.append(home)
    return homes
