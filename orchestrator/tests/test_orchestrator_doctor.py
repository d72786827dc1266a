"""What doctor says of the login and of the place of the tokens: asked of the real room, in every state of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hrv_shared.settings import load_settings
from orchestrator.doctor import check_all

pytest.importorskip("whoop_api_client", reason="the WHOOP room is not in this environment")
NOW = datetime(2026, 6, 1, 20, 45, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Of a scratch house, also for the rooms that doctor starts."""
    for name, value in (("HOME", "home"), ("CONFIG_DIR", "config")):
        monkeypatch.setenv(f"HRV_{name}", str(tmp_path / value))
    monkeypatch.setenv("HRV_TOKEN_STORE", "file")
    return load_settings()


def said(settings) -> dict[str, tuple[bool, str]]:
    return {check["what"]: (check["ok"], check["says"]) for check in check_all(settings)}


def test_without_a_login(settings):
    checks = said(settings)
    ok, says = checks["login"]
    assert not ok and "hrv connect" in says
    assert checks["token store"][0] and str(settings.config_dir) in checks["token store"][1]


def test_connected_lost_and_broken(settings, monkeypatch):
    from whoop_api_client.connecting import connect
    from whoop_api_client.simulator import SimulatorConfig, make_member, running
    from whoop_api_client.tokens import open_token_store

    with running(make_member(1, now=NOW, n_nights=20, utc_offset_min=0), SimulatorConfig()) as place:
        for name in ("api_base", "auth_base", "client_id", "client_secret"):
            monkeypatch.setenv(f"HRV_WHOOP_{name.upper()}", getattr(place, name))
        settings = load_settings()
        connect(settings, "follow")
    assert said(settings)["login"] == (True, "connected to WHOOP")
    store = open_token_store(settings)
    store.save(store.load().as_lost(NOW))
    ok, says = said(settings)["login"]
    assert not ok and "2026-06-01T20:45" in says and "hrv connect" in says
    store.path.write_bytes(b"no token file of ours")
    ok, says = said(settings)["token store"]
    assert not ok and store.path.name in says and "hrv connect" in says


def test_a_room_that_does_not_answer_fails_its_checks_alone(settings, monkeypatch):
    monkeypatch.setenv("HRV_TOKEN_STORE", "a drawer")
    checks = said(settings)
    for what in ("login", "token store"):
        assert not checks[what][0] and "token_store" in checks[what][1].lower()
    assert checks["store"][0] and checks["disk"][0]
