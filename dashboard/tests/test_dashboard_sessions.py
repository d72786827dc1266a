"""Pairing a phone: one code, once, five minutes, five tries; and what a phone may not do."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from conftest import PORT, TOKEN
from dashboard.desk import Desk
from dashboard.errors import PairingRefused
from dashboard.page import make_app
from dashboard.phone import PhoneDoor, own_certificate
from dashboard.session import Sessions


class Hand:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = datetime(2026, 7, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_a_code_is_good_once():
    sessions = Sessions(PORT, token=TOKEN)
    code = sessions.new_code()
    token = sessions.pair(f"{code[:4]} {code[4:]}")
    assert sessions.knows(token)
    assert not sessions.is_main(token)
    with pytest.raises(PairingRefused):
        sessions.pair(code)


def test_a_code_lasts_five_minutes_and_a_phone_thirty_days():
    clock = Hand()
    sessions = Sessions(PORT, clock=clock)
    code = sessions.new_code()
    clock.now += timedelta(minutes=5)
    with pytest.raises(PairingRefused):
        sessions.pair(code)
    token = sessions.pair(sessions.new_code())
    clock.now += timedelta(days=30, seconds=1)
    assert not sessions.knows(token)


def test_after_five_wrong_tries_the_right_code_is_no_good_either():
    sessions = Sessions(PORT)
    code = sessions.new_code()
    for wrong in ("", "0", code[::-1] + "x", code + "0", "é" * 8):
        with pytest.raises(PairingRefused):
            sessions.pair(wrong)
    with pytest.raises(PairingRefused):
        sessions.pair(code)


def test_without_a_code_nothing_pairs():
    with pytest.raises(PairingRefused):
        Sessions(PORT).pair("00000000")


def test_the_certificate_is_kept_until_the_address_changes(tmp_path):
    key, certificate, fingerprint = own_certificate(tmp_path, "192.168.1.20")
    assert key.stat().st_mode & 0o777 == 0o600
    assert own_certificate(tmp_path, "192.168.1.20") == (key, certificate, fingerprint)
    assert own_certificate(tmp_path, "192.168.1.21")[2] != fingerprint


def test_a_phone_pairs_over_tls_reads_but_may_neither_erase_nor_connect(settings, reported):
    desk = Desk(settings, Sessions(PORT, token=TOKEN))
    door = PhoneDoor(desk, make_app(desk), "127.0.0.1")
    try:
        trust = ssl.create_default_context(cafile=str(settings.config_dir / "dashboard-certificate.pem"))
        base = f"https://{door.host}"
        with httpx.Client(base_url=base, verify=trust, timeout=30) as phone:
            headers = {"origin": base, "sec-fetch-site": "same-origin"}
            assert phone.get("/").status_code == 401
            assert phone.get("/pair").status_code == 200
            assert phone.post("/pair", json={"code": "00000000"}, headers=headers).status_code == 403
            assert (
                phone.post("/pair", json={"code": desk.sessions.new_code()}).status_code == 403
            )  # no Origin
            paired = phone.post("/pair", json={"code": desk.sessions.new_code()}, headers=headers)
            assert paired.status_code == 200
            assert "secure" in paired.headers["set-cookie"].lower()
            assert phone.get("/api/today").status_code == 200
            for path in (
                "/api/erase",
                "/api/export",
                "/api/phone",
                "/api/settings",
                "/api/connect",
                "/api/demo",
            ):
                assert phone.post(path, json={"confirm": "erase all"}, headers=headers).status_code == 403, (
                    path
                )
            assert phone.get("/mlflow/").status_code == 403
            assert phone.get("/api/today", headers={"host": f"localhost:{PORT}"}).status_code == 421
            desk.sessions.forget_phones()
            assert phone.get("/api/today").status_code == 401
        assert reported.database.exists()
    finally:
        door.close()
    with pytest.raises(httpx.HTTPError), httpx.Client(base_url=base, verify=trust) as late:
        late.get("/pair")


def test_it_is_off_until_it_is_turned_on(visit):
    assert visit("/api/settings").json()["phone"] is None
    assert "Let a phone in" in visit("/settings").text
