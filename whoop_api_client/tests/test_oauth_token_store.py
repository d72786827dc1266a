"""Tokens at rest: private file, sealed file, keyring, and never in a repr or a message."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime

import keyring
import keyring.backend
import keyring.errors
import pytest

from hrv_shared.settings import Settings, load_settings
from whoop_api_client.connecting import describe_connection, disconnect
from whoop_api_client.errors import TokenStoreBroken
from whoop_api_client.sealing import Seal
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


def file_store(folder, passphrase: str | None = None) -> FileTokenStore:
    return FileTokenStore(folder / "t.token", Seal(folder / "token.key", passphrase))


def settings_in(tmp_path, **more) -> Settings:
    return load_settings({}, home=tmp_path / "home", config_dir=tmp_path / "config", **more)


def test_a_repr_shows_no_secret():
    assert CANARY not in repr(PAIR)
    assert CANARY not in str(PAIR)


def test_the_file_is_private_sealed_and_whole(tmp_path):
    store = open_token_store(settings_in(tmp_path, token_store="file"))
    store.save(PAIR)
    assert store.load() == PAIR
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert not list((tmp_path / "home").rglob("*token*"))
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), path
    store.delete()
    store.delete()
    assert store.load() is None
    assert list(store.path.parent.iterdir()) == []


def test_the_key_lies_in_another_folder_and_is_private(tmp_path, monkeypatch):
    from whoop_api_client import tokens

    config, state = tmp_path / "config", tmp_path / "state"
    monkeypatch.setattr(tokens, "user_config_path", lambda name: config)
    monkeypatch.setattr(tokens, "user_state_path", lambda name: state)
    open_token_store(settings_in(tmp_path, token_store="file")).save(PAIR)
    (key,) = (path for path in state.rglob("*") if path.suffix == ".key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(config.rglob("*.key"))
    key.chmod(0o644)
    assert open_token_store(settings_in(tmp_path, token_store="file")).load() == PAIR
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["t.token", "token.key"])
def test_a_file_that_others_could_read_is_closed_again(tmp_path, name):
    store = file_store(tmp_path)
    store.save(PAIR)
    (tmp_path / name).chmod(0o644)
    assert store.load() == PAIR
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_passphrase_seals_the_file(tmp_path):
    store = file_store(tmp_path, "correct horse")
    store.save(PAIR)
    assert CANARY.encode() not in store.path.read_bytes()
    assert store.load() == PAIR
    assert not (tmp_path / "token.key").exists()
    for wrong in ("battery", None):
        with pytest.raises(TokenStoreBroken, match="HRV_TOKEN_PASSPHRASE"):
            file_store(tmp_path, wrong).load()


def test_a_passphrase_that_is_set_later_takes_over_with_the_next_pair(tmp_path):
    file_store(tmp_path).save(PAIR)
    later = file_store(tmp_path, "new")
    assert later.load() == PAIR
    later.save(PAIR)
    (tmp_path / "token.key").unlink()
    assert later.load() == PAIR


def test_without_its_key_the_file_says_what_is_missing(tmp_path):
    store = file_store(tmp_path)
    store.save(PAIR)
    key = tmp_path / "token.key"
    key.unlink()
    with pytest.raises(TokenStoreBroken, match="token.key.*hrv connect"):
        store.load()
    file_store(tmp_path / "other").save(PAIR)
    key.write_bytes((tmp_path / "other" / "token.key").read_bytes())
    with pytest.raises(TokenStoreBroken, match="token.key is not what sealed it"):
        store.load()


def test_many_processes_make_one_key(tmp_path):
    script = (
        "import sys\nfrom pathlib import Path\nfrom whoop_api_client.sealing import Seal\n"
        "sys.stdin.readline()\n"
        "sys.stdout.buffer.write(Seal(Path(sys.argv[1])).close(b'pair'))\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "keys" / "token.key"]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    sealed = [child.communicate(b"go\n", timeout=60)[0] for child in children]
    seal = Seal(tmp_path / "keys" / "token.key")
    assert [seal.open(data, tmp_path) for data in sealed] == [b"pair"] * 4


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b'{"access_token": "' + CANARY.encode() + b'"}',
        b"\xff\xfe",
        b"hrv-sealed-1:",
        b"hrv-sealed-1:\xff:\xff",
        b"hrv-sealed-2:" + CANARY.encode(),
    ],
)
def test_garbage_is_said_without_quoting_it(tmp_path, garbage):
    file_store(tmp_path).save(PAIR)
    (tmp_path / "t.token").write_bytes(garbage)
    for passphrase in (None, "some"):
        with pytest.raises(TokenStoreBroken) as told:
            file_store(tmp_path, passphrase).load()
        assert CANARY not in str(told.value)
        assert told.value.__cause__ is None


def test_a_sealed_file_that_holds_no_pair(tmp_path):
    store = file_store(tmp_path)
    store.path.write_bytes(Seal(tmp_path / "token.key").close(f'["{CANARY}"]'.encode()))
    with pytest.raises(TokenStoreBroken, match="connect again") as told:
        store.load()
    assert CANARY not in str(told.value)


def test_what_doctor_reads_names_the_store_and_its_fault(tmp_path):
    settings = settings_in(tmp_path, token_store="file")
    store = open_token_store(settings)
    store.save(PAIR)
    told = describe_connection(settings)
    assert told["connected"]
    assert told["token_store"] == {
        "kind": "file sealed with a key file", "place": store.place, "fault": None,
    }  # fmt: skip
    (tmp_path / "config" / "keys" / "token.key").unlink()
    told = describe_connection(settings)
    assert not told["connected"]
    assert "hrv connect" in told["token_store"]["fault"]
    assert CANARY not in json.dumps(told)


def test_each_member_is_asked_for_alone(tmp_path):
    settings = settings_in(tmp_path, token_store="file")
    open_token_store(settings, "another-member").save(PAIR)
    assert describe_connection(settings, "another-member")["connected"]
    assert not describe_connection(settings)["connected"]


def test_a_key_file_without_a_key_is_said_before_tokens_are_sealed_with_it(tmp_path):
    store = file_store(tmp_path)
    (tmp_path / "token.key").write_bytes(b"")
    with pytest.raises(TokenStoreBroken, match="token.key does not hold a key .* hrv connect"):
        store.save(PAIR)


def test_tokens_that_cannot_be_read_can_still_be_forgotten(tmp_path):
    settings = settings_in(tmp_path, token_store="file")
    store = open_token_store(settings)
    store.save(PAIR)
    store.path.write_bytes(b"torn")
    told = disconnect(settings)
    assert (told["revoked"], told["was_connected"]) == (False, True)
    assert "Integrations" in told["note"]
    assert store.load() is None


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
    assert not list((tmp_path / "config").rglob("*.token"))
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
