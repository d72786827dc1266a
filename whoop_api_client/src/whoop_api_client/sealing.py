"""A token file under a passphrase: scrypt makes the key, Fernet (AES-128-CBC, HMAC-SHA256) seals the bytes."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from whoop_api_client.errors import TokenStoreBroken

_MAGIC = b"hrv-sealed-1:"
_SALT_BYTES = 16
_COST = 2**14  # scrypt n; 16 MB and some 50 ms, paid once per command


def seal(data: bytes, passphrase: str) -> bytes:
    """Encrypted bytes with their own salt."""
    from cryptography.fernet import Fernet

    salt = os.urandom(_SALT_BYTES)
    return _MAGIC + base64.urlsafe_b64encode(salt) + b":" + Fernet(_key(passphrase, salt)).encrypt(data)


def unseal(data: bytes, passphrase: str | None, path: Path) -> bytes:
    """Plain bytes; a file written without a passphrase passes through.

    Raises
    ------
    TokenStoreBroken
        The file is sealed and the passphrase is absent or wrong.
    """
    if not data.startswith(_MAGIC):
        return data
    if not passphrase:
        raise TokenStoreBroken(f"{path} is sealed with a passphrase. Set HRV_TOKEN_PASSPHRASE.")
    from cryptography.fernet import Fernet, InvalidToken

    salt, _, sealed = data.removeprefix(_MAGIC).partition(b":")
    try:
        return Fernet(_key(passphrase, base64.urlsafe_b64decode(salt))).decrypt(sealed)
    except (InvalidToken, ValueError):
        raise TokenStoreBroken(
            f"{path} cannot be opened: another passphrase, or a damaged file. Set the right HRV_TOKEN_PASSPHRASE, or "
            "remove the file and connect again."
        ) from None


def _key(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    derived = Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode())
    return base64.urlsafe_b64encode(derived)
