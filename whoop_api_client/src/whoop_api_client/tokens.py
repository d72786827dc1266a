"""Where the token pair lies: the OS keyring when there is a usable one, else an encrypted file (`sealing`).

Each pair is named by member and API base, so that a simulator's tokens never overwrite the real account's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from platformdirs import user_config_path, user_state_path

from hrv_shared.daytime import format_instant, parse_instant
from hrv_shared.errors import StoreError
from hrv_shared.settings import Settings
from hrv_shared.store import write_bytes_atomic
from whoop_api_client.errors import TokenStoreBroken
from whoop_api_client.sealing import Seal
from whoop_api_client.urls import connection_name

SERVICE = "hrv-whoop"


@dataclass(frozen=True)
class TokenPair:
    """One access token and the refresh token that replaces it; neither is ever printed.

    Attributes
    ----------
    expires_at : datetime
        Aware; counted from before the request, so it is never too late.
    lost_at : datetime or None
        When WHOOP declared the refresh token dead; such a pair is only kept to say so without asking again.
    client_id, client_secret : str or None
        Of the app that the pair belongs to, when they were typed in rather than set; a refresh needs them.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime
    scope: str = ""
    lost_at: datetime | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    def is_fresh(self, now: datetime, early_s: float) -> bool:
        return self.expires_at - now > timedelta(seconds=early_s)

    def as_lost(self, now: datetime) -> TokenPair:
        return replace(self, access_token="", refresh_token=None, lost_at=now)


class TokenStore(Protocol):
    """A place for one pair."""

    def load(self) -> TokenPair | None: ...

    def save(self, pair: TokenPair) -> None:
        """Durable when it returns."""

    def delete(self) -> None: ...

    @property
    def place(self) -> str:
        """For people: where the pair lies."""

    @property
    def kind(self) -> str:
        """``keyring``, or how the file is sealed."""


class FileTokenStore:
    """A sealed file with mode 0600, written beside, fsynced and renamed."""

    def __init__(self, path: Path, seal: Seal):
        self.path = path
        self._seal = seal

    @property
    def place(self) -> str:
        with_what = "a passphrase" if self._seal.passphrase else f"the key in {self._seal.key_file}"
        return f"{self.path} (mode 0600, encrypted with {with_what})"

    @property
    def kind(self) -> str:
        return f"file sealed with a {self._seal.kind}"

    def load(self) -> TokenPair | None:
        try:
            data = self.path.read_bytes()
            if self.path.stat().st_mode & 0o077:
                self.path.chmod(0o600)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TokenStoreBroken(
                f"{self.path} cannot be read ({error.strerror}). Mend its permissions."
            ) from error
        return _from_bytes(self._seal.open(data, self.path), self.path)

    def save(self, pair: TokenPair) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_bytes_atomic(self.path, self._seal.close(_to_bytes(pair)), mode=0o600)
        except (OSError, StoreError) as error:
            what = getattr(error, "strerror", None) or "the disk is full"
            raise TokenStoreBroken(
                f"The new tokens could not be written to {self.path} ({what}). Free the disk or mend the folder, then "
                "connect again: hrv connect"
            ) from error

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


class KeyringTokenStore:
    """The operating system's keyring (Keychain, Secret Service, Credential Locker)."""

    def __init__(self, account: str):
        self._account = account

    @property
    def place(self) -> str:
        return "the keyring of the operating system"

    @property
    def kind(self) -> str:
        return "keyring"

    def load(self) -> TokenPair | None:
        text = _keyring_call("get_password", SERVICE, self._account)
        return None if text is None else _from_bytes(text.encode(), Path("keyring") / self._account)

    def save(self, pair: TokenPair) -> None:
        _keyring_call("set_password", SERVICE, self._account, _to_bytes(pair).decode())

    def delete(self) -> None:
        if _keyring_call("get_password", SERVICE, self._account) is not None:
            _keyring_call("delete_password", SERVICE, self._account)


class KeyringElseFile:
    """``auto``: read from whichever holds a pair, write to the keyring and fall back to the file."""

    def __init__(self, keyring: KeyringTokenStore, file: FileTokenStore):
        self._keyring, self._file = keyring, file

    @property
    def place(self) -> str:
        return self._in_force.place

    @property
    def kind(self) -> str:
        return self._in_force.kind

    @property
    def _in_force(self) -> FileTokenStore | KeyringTokenStore:
        return self._file if self._file.path.exists() else self._keyring

    def load(self) -> TokenPair | None:
        # a file is only there when the keyring once failed us, and is then the newer of the two
        found = self._file.load()
        return found if found is not None else self._keyring.load()

    def save(self, pair: TokenPair) -> None:
        try:
            self._keyring.save(pair)
        except TokenStoreBroken:
            self._file.save(pair)
        else:
            self._file.delete()

    def delete(self) -> None:
        self._file.delete()
        self._keyring.delete()


def open_token_store(settings: Settings, member_id: str | None = None) -> TokenStore:
    """The token store that the settings choose (``token_store`` = auto, keyring or file).

    Raises
    ------
    TokenStoreBroken
        ``keyring`` was demanded and there is none that works.
    """
    name = connection_name(member_id or settings.member_id, settings.whoop_api_base)
    passphrase = settings.token_passphrase.get_secret_value() if settings.token_passphrase else None
    seal = Seal(_key_file(settings), passphrase)
    file = FileTokenStore(settings.config_dir / "tokens" / f"{name}.token", seal)
    if settings.token_store == "file":
        return file
    if _keyring_is_usable():
        keyring = KeyringTokenStore(name)
        return keyring if settings.token_store == "keyring" else KeyringElseFile(keyring, file)
    if settings.token_store == "keyring":
        raise TokenStoreBroken(
            "This machine has no usable keyring. Set HRV_TOKEN_STORE=file (an encrypted file) or auto."
        )
    return file


def _key_file(settings: Settings) -> Path:
    """Apart from the token files: a copy of the usual config folder alone opens nothing."""
    is_usual = settings.config_dir == user_config_path("hrv")
    return (user_state_path("hrv") if is_usual else settings.config_dir) / "keys" / "token.key"


def _keyring_is_usable() -> bool:
    import keyring
    import keyring.backends.fail
    import keyring.backends.null

    backend = keyring.get_keyring()
    unusable = (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)
    return not isinstance(backend, unusable) and backend.priority > 0


def _keyring_call(verb: str, *arguments: str) -> str | None:
    import keyring
    import keyring.errors

    try:
        return getattr(keyring, verb)(*arguments)
    except keyring.errors.KeyringError as error:
        raise TokenStoreBroken(
            f"The keyring refused ({type(error).__name__}). Unlock it, or set HRV_TOKEN_STORE=file."
        ) from error


def _to_bytes(pair: TokenPair) -> bytes:
    values = asdict(pair)
    for name in ("expires_at", "lost_at"):
        values[name] = format_instant(values[name]) if values[name] else None
    return json.dumps(values).encode()


def _from_bytes(data: bytes, path: Path) -> TokenPair:
    try:
        values = json.loads(data)
        for name in ("expires_at", "lost_at"):
            values[name] = parse_instant(values[name]) if values[name] else None
        return TokenPair(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        # "from None": the text that could not be parsed holds the secret
        raise TokenStoreBroken(
            f"{path} does not hold a token pair of ours. Remove it and connect again."
        ) from None
