"""Who may come in: the token of this start, and phones that brought a pairing code."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from datetime import datetime, timedelta
from pathlib import Path

from dashboard.errors import PairingRefused
from hrv_shared.clock import Clock, system_clock
from hrv_shared.store import write_bytes_atomic

__all__ = ["TOKEN_FILE", "Sessions", "leave_token"]

TOKEN_FILE = "dashboard-token"
PAIRING_LASTS = timedelta(minutes=5)
PHONE_LASTS = timedelta(days=30)
TRIES = 5


class Sessions:
    """Tokens that are let in. Only digests of phones' tokens are kept, in memory: a restart ends them.

    Parameters
    ----------
    port : int
        Part of the cookie's name: cookies do not part ports.
    """

    def __init__(self, port: int, *, token: str | None = None, clock: Clock = system_clock) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self.cookie = f"hrv_{port}"
        self._clock = clock
        self._phones: dict[str, datetime] = {}
        self._code: tuple[str, datetime] | None = None
        self._tries = 0
        self._lock = threading.Lock()

    def knows(self, token: str) -> bool:
        """Whether ``token`` is that of this start, or that of a paired phone."""
        given = token.encode("utf-8", "replace")
        if hmac.compare_digest(given, self.token.encode()):
            return True
        until = self._phones.get(_digest(given))
        return until is not None and self._clock() < until

    def is_main(self, token: str) -> bool:
        """Whether ``token`` is that of this start, which alone may let phones in."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def new_code(self) -> str:
        """A pairing code of eight digits, good once, for five minutes and five tries."""
        with self._lock:
            code = f"{secrets.randbelow(10**8):08d}"
            self._code, self._tries = (code, self._clock() + PAIRING_LASTS), 0
            return code

    def pair(self, code: str) -> str:
        """The token for the phone that brought ``code``.

        Raises
        ------
        PairingRefused
            Wrong, used, too old, or too many tries: then a new code is needed.
        """
        with self._lock:
            held, self._tries = self._code, self._tries + 1
            given = "".join(code.split())
            right = held is not None and self._clock() < held[1] and self._tries <= TRIES
            if not right or not hmac.compare_digest(given.encode("utf-8", "replace"), held[0].encode()):
                raise PairingRefused(
                    "Expected the pairing code that Settings shows on the computer (good once, for five minutes and "
                    "five tries). Ask there for a new one."
                )
            self._code = None
            token = secrets.token_urlsafe(32)
            self._phones[_digest(token.encode())] = self._clock() + PHONE_LASTS
            return token

    def forget_phones(self) -> None:
        """End every phone's session and the pairing code."""
        with self._lock:
            self._phones.clear()
            self._code = None

    @property
    def phones(self) -> int:
        """How many phones are paired."""
        return len(self._phones)


def leave_token(config_dir: Path, token: str) -> Path:
    """Leave the token of this start for our own programs (mode 0600)."""
    config_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = config_dir / TOKEN_FILE
    write_bytes_atomic(path, token.encode())
    return path


def _digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
