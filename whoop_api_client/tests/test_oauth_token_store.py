"""Tokens at rest: private file, sealed file, keyring, and never in a repr or a message."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import keyring
import keyring.backend
import keyring.errors
import pytest

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.errors import TokenStoreBroken
from whoop_api_client.tokens import FileTokenStore, KeyringElseFile, TokenPair, open_token_store

CANARY = "canary-7f3a9"
PAIR = TokenPair(
    f"access-{CANARY}",
    f"refresh-{CANARY}",
    datetime(2026, 6, 1, tzinfo=UTC),
    "offline",
    client_id="id",
    client_secret=f"secret-{CANARY}",
)


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that works, and can be locked."""

    priority = 5

    def __init__(self):
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def _check(self):
        if self.locked:
            raise keyring.errors.KeyringLocked("locked")

    def get_password(self, service, username):
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self._check()
        del self.kept[service, username]


@pytest.fixture
def memory_keyring():
    before = keyring.get_keyring()
    made = MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def settings_in(tmp_path, **more) -> Settings:
    return load_settings({}, home=tmp_path / "home", config_dir=tmp_path / "config", **more)


def test_a_repr_shows_no_secret():
    assert CANARY not in repr(PAIR)
    assert CANARY not in str(PAIR)


def test_the_file_is_private_and_whole(tmp_path):
    store = open_token_store(settings_in(tmp_path, token_store="file"))
    store.save(PAIR)
    assert store.load() == PAIR
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert not list((tmp_path / "home").rglob("*token*"))
    store.delete()
    store.delete()
    assert store.load() is None
    assert list(store.path.parent.iterdir()) == []


def test_a_file_that_others_could_read_is_closed_again(tmp_path):
    store = FileTokenStore(tmp_path / "t.json")
    store.save(PAIR)
    store.path.chmod(0o644)
    assert store.load() == PAIR
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_a_passphrase_seals_the_file(tmp_path):
    store = FileTokenStore(tmp_path / "t.json", "correct horse")
    store.save(PAIR)
    assert CANARY.encode() not in store.path.read_bytes()
    assert store.load() == PAIR
    for wrong in ("battery", None):
        with pytest.raises(TokenStoreBroken, match="HRV_TOKEN_PASSPHRASE"):
            FileTokenStore(store.path, wrong).load()


def test_a_plain_file_is_still_read_after_a_passphrase_was_set(tmp_path):
    FileTokenStore(tmp_path / "t.json").save(PAIR)
    later = FileTokenStore(tmp_path / "t.json", "new")
    assert later.load() == PAIR
    later.save(PAIR)
    assert CANARY.encode() not in later.path.read_bytes()


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"[]", b'{"access_token": "' + CANARY.encode() + b'"}', b"\xff\xfe"]
)
def test_garbage_is_said_without_quoting_it(tmp_path, garbage):
    path = tmp_path / "t.json"
    path.write_bytes(garbage)
    with pytest.raises(TokenStoreBroken, match="connect again") as told:
        FileTokenStore(path).load()
    assert CANARY not in str(told.value)
    assert told.value.__cause__ is None


def test_a_simulator_never_overwrites_the_real_tokens(tmp_path):
    real = open_token_store(settings_in(tmp_path, token_store="file"))
    demo = open_token_store(
        settings_in(tmp_path, token_store="file", whoop_api_base="http://127.0.0.1:9/developer")
    )
    other = open_token_store(settings_in(tmp_path, token_store="file"), "another-member")
    real.save(PAIR)
    assert demo.load() is None
    assert other.load() is None


def test_auto_uses_the_keyring_where_there_is_one(tmp_path, memory_keyring):
    store = open_token_store(settings_in(tmp_path))
    store.save(PAIR)
    assert store.load() == PAIR
    assert not (tmp_path / "config" / "tokens").exists()
    assert len(memory_keyring.kept) == 1
    store.delete()
    assert memory_keyring.kept == {}


def test_auto_falls_back_to_the_file_when_the_keyring_is_locked_and_returns_to_it(tmp_path, memory_keyring):
    store = open_token_store(settings_in(tmp_path))
    assert isinstance(store, KeyringElseFile)
    old = TokenPair("old", "old", PAIR.expires_at)
    store.save(old)
    memory_keyring.locked = True
    store.save(PAIR)
    assert store.load() == PAIR  # the newer pair, though the keyring still holds the old one
    memory_keyring.locked = False
    assert store.load() == PAIR
    store.save(PAIR)
    assert not list((tmp_path / "config").rglob("*.json"))
    assert json.loads(next(iter(memory_keyring.kept.values())))["access_token"] == PAIR.access_token


def test_a_demanded_keyring_that_is_not_there_is_said(tmp_path):
    import keyring.backends.fail

    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        with pytest.raises(TokenStoreBroken, match="HRV_TOKEN_STORE"):
            open_token_store(settings_in(tmp_path, token_store="keyring"))
        assert isinstance(open_token_store(settings_in(tmp_path)), FileTokenStore)
    finally:
        keyring.set_keyring(before)


def test_a_locked_keyring_says_so_without_the_secret(tmp_path, memory_keyring):
    store = open_token_store(settings_in(tmp_path, token_store="keyring"))
    memory_keyring.locked = True
    with pytest.raises(TokenStoreBroken, match="Unlock") as told:
        store.save(PAIR)
    assert CANARY not in str(told.value)
