"""Tokens sealed in a file: Fernet (AES-128-CBC, HMAC-SHA256), the key out of a passphrase or out of a key file.

**What it protects.** With a passphrase (scrypt makes the key): whoever gets the file and not the passphrase learns
nothing. With a key file, which is what happens by itself: a token file that gets out alone (a backup or a synchronised
copy of the config folder, an attachment) is worthless, because the key lies in another folder (the state folder of the
user; in ``keys`` beside ``tokens`` where HRV_CONFIG_DIR is set). A program that runs as you can read both; against that
only a keyring that asks, or a passphrase, helps.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from filelock import FileLock

from hrv_shared.store import write_bytes_atomic
from whoop_api_client.errors import TokenStoreBroken

_BY_PASSPHRASE = b"hrv-sealed-1:"
_BY_KEY_FILE = b"hrv-sealed-2:"
_SALT_BYTES = 16
_COST = 2**14  # scrypt n; 16 MB and some 50 ms, paid once per process


@dataclass(frozen=True)
class Seal:
    """How token files are sealed: with the passphrase when there is one, else with the key file (made on first use)."""

    key_file: Path
    passphrase: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> Literal["passphrase", "key file"]:
        return "passphrase" if self.passphrase else "key file"

    def close(self, data: bytes) -> bytes:
        """Encrypted bytes.

        Raises
        ------
        TokenStoreBroken
            The key file is there, but holds no key.
        """
        from cryptography.fernet import Fernet

        if not self.passphrase:
            try:
                return _BY_KEY_FILE + Fernet(self._made_key()).encrypt(data)
            except ValueError:
                raise TokenStoreBroken(
                    f"{self.key_file} does not hold a key of ours. Bring the right one back, or remove it and connect "
                    "again: hrv connect"
                ) from None
        salt = os.urandom(_SALT_BYTES)
        key = _key(self.passphrase, salt)
        return _BY_PASSPHRASE + base64.urlsafe_b64encode(salt) + b":" + Fernet(key).encrypt(data)

    def open(self, data: bytes, path: Path) -> bytes:
        """Plain bytes of `path`; a file that the key file sealed opens also after a passphrase was set.

        Raises
        ------
        TokenStoreBroken
            Not sealed by us; or the passphrase or the key file is absent or another one.
        """
        from cryptography.fernet import Fernet, InvalidToken

        try:
            if data.startswith(_BY_KEY_FILE):
                return Fernet(self._known_key(path)).decrypt(data.removeprefix(_BY_KEY_FILE))
            if not data.startswith(_BY_PASSPHRASE):
                raise TokenStoreBroken(
                    f"{path} is not a token file of ours. Remove it and connect again: hrv connect"
                )
            if not self.passphrase:
                raise TokenStoreBroken(f"{path} is sealed with a passphrase. Set HRV_TOKEN_PASSPHRASE.")
            salt, _, sealed = data.removeprefix(_BY_PASSPHRASE).partition(b":")
            return Fernet(_key(self.passphrase, base64.urlsafe_b64decode(salt))).decrypt(sealed)
        except (InvalidToken, ValueError):
            what = "HRV_TOKEN_PASSPHRASE" if data.startswith(_BY_PASSPHRASE) else str(self.key_file)
            raise TokenStoreBroken(
                f"{path} cannot be opened: it is damaged, or {what} is not what sealed it. Bring the right one back, "
                "or remove the file and connect again: hrv connect"
            ) from None

    def _known_key(self, path: Path) -> bytes:
        try:
            key = self.key_file.read_bytes()
        except OSError as error:
            raise TokenStoreBroken(
                f"The key of {path} cannot be read from {self.key_file} ({error.strerror}). Bring it back, or remove "
                "the token file and connect again: hrv connect"
            ) from error
        if self.key_file.stat().st_mode & 0o077:
            self.key_file.chmod(0o600)
        return key

    def _made_key(self) -> bytes:
        """The key, made when there is none; of several processes that make one, the first wins."""
        from cryptography.fernet import Fernet

        if not self.key_file.exists():
            self.key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.key_file.with_suffix(".lock")):
                if not self.key_file.exists():
                    write_bytes_atomic(self.key_file, Fernet.generate_key(), mode=0o600)
        return self.key_file.read_bytes()


@lru_cache(maxsize=8)
def _key(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    derived = Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode())
    return base64.urlsafe_b64encode(derived)
