"""Who a row is about, without saying who: equal for equal members, meaningless without this machine's salt."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

__all__ = ["load_salt", "pseudonym"]

SALT_FILE = "export-salt"


def pseudonym(member_id: str, salt: bytes) -> str:
    """Such as ``m3f9a1c07d2``."""
    return "m" + hmac.new(salt, member_id.encode(), hashlib.sha256).hexdigest()[:10]


def load_salt(config_dir: Path) -> bytes:
    """This installation's salt, made at the first call (mode 0600)."""
    config_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = config_dir / SALT_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(32))
    return path.read_bytes()
