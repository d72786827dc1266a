"""Webhooks are believed only when WHOOP signed them, just now, for the first time; and answered at once."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hrv_shared.record import SEEN, FactDraft
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from service_running import PUBLIC_NAME, WITH_TOKEN, at_letter_box, client_of, settings_in
from webhook_forgeries import WAYS, Letter, event, forgery, signed
from whoop_api_client.errors import WebhookRefused
from whoop_api_client.gate import LETTER_CAP, WEBHOOK_PATH
from whoop_api_client.service import book as books
from whoop_api_client.service.hints import KINDS
from whoop_api_client.service.signature import SigningSecret, verify
from whoop_api_client.tokens import TokenPair, open_token_store

USER, SECRET = 10129, "test-client-secret"
NOW = datetime.fromtimestamp(1748241241, UTC)
NOW_MS = 1748241241000
VECTOR = Letter(
    b'{"user_id":10129,"id":"ecfc6a15-4661-442f-a9a4-f160dd7afae8","type":"sleep.updated",'
    b'"trace_id":"e369c784-5100-49e8-8098-75d35c47b31b"}',
    "1748241241000",
    "jxyIeoYVFjA1krHgN0rPNiKO4/RDLnwde673MGxxMmM=",
)


def settings_of_member(folder: Path, **more) -> Settings:
    """Webhooks on, and a record that knows the member's account."""
    values = {"whoop_client_id": "id", "whoop_client_secret": SECRET, "whoop_webhook_host": PUBLIC_NAME}
    settings = settings_in(folder, **(values | more))
    store = Store.open(settings, lambda: NOW)
    profile = {"user_id": USER, "email": "x@example.org", "first_name": "x", "last_name": "y"}
    store.record.append_many(
        [FactDraft("me", "profile", str(USER), profile, known_at=NOW, basis=SEEN, source="test")]
    )
    store.record.close()
    return settings


@pytest.fixture
def moments() -> list[datetime]:
    return [NOW]


@pytest.fixture
def service(tmp_path, moments):
    with client_of(settings_of_member(tmp_path), clock=lambda: moments[0]) as client:
        yield client


def send(service: TestClient, letter: Letter):
    """As the tunnel brings it, under its public name."""
    headers = letter.headers(Host=PUBLIC_NAME)
    return at_letter_box(service).post(WEBHOOK_PATH, content=letter.body, headers=headers)


def noted(service: TestClient) -> int:
    return sum(service.get("/status", headers=WITH_TOKEN).json()["webhooks"].values())


def test_the_reference_vector_is_believed_once(service):
    answer = send(service, VECTOR)
    assert (answer.status_code, answer.json()) == (202, {"accepted": True, "reason": None})
    again = send(service, VECTOR)
    assert (again.status_code, again.json()) == (200, {"accepted": False, "reason": "seen before"})
    assert noted(service) == 1
    assert len(verify(SECRET.encode(), VECTOR.stamp, VECTOR.body, VECTOR.signature, NOW)) == 32


def test_of_many_forged_replayed_and_stale_none_is_accepted(service):
    assert attack(service, count=500, seed=1)["accepted"] == 0


@pytest.mark.slow
def test_of_very_many_forged_replayed_and_stale_none_is_accepted(service):
    assert attack(service, count=10_000, seed=2)["accepted"] == 0


def attack(service: TestClient, count: int, seed: int) -> Counter[str]:
    """Good letters first; then forgeries of them, and every tenth time one of them again."""
    draw, counts = random.Random(seed), Counter(accepted=0)
    good = [signed(event(USER, draw), SECRET, NOW_MS + draw.randrange(-299_000, 299_000)) for _ in range(20)]
    seconds = []
    for letter in good:
        began = time.monotonic()
        assert send(service, letter).status_code == 202
        seconds.append(time.monotonic() - began)
    assert sorted(seconds)[len(seconds) // 2] < 0.5, "WHOOP waits for a second"
    for n in range(count):
        letter = draw.choice(good)
        if n % 10 == 0:
            sort, answer = "replayed", send(service, letter)
            assert answer.status_code == 200
        else:
            fresh = signed(event(USER, draw), SECRET, NOW_MS + draw.randrange(-299_000, 299_000))
            sort, wrong = forgery(draw.choice([letter, fresh]), SECRET, NOW_MS, draw)
            answer = send(service, wrong)
            assert answer.status_code == 401, (sort, wrong)
        counts[sort] += 1
        counts["accepted"] += answer.json().get("accepted", False)
    assert counts.keys() == {"accepted", "replayed", *WAYS}
    assert noted(service) == len(good)
    return counts


def test_what_was_seen_stays_seen_after_a_restart(tmp_path, moments):
    settings = settings_of_member(tmp_path)
    with client_of(settings, clock=lambda: moments[0]) as service:
        assert send(service, VECTOR).status_code == 202
    with client_of(settings, clock=lambda: moments[0]) as service:
        assert send(service, VECTOR).json()["reason"] == "seen before"
        moments[0] += timedelta(minutes=4)  # WHOOP sends it again, signed anew
        later = signed(VECTOR.body, SECRET, NOW_MS + 240_000)
        assert send(service, later).json()["reason"] == "seen before"
        assert noted(service) == 1


def test_signature_and_event_are_each_good_once(tmp_path):
    book = books.Book(tmp_path / "book.sqlite")
    try:
        assert book.take_hint(b"digest", "trace", "sleep.updated", "id", NOW) == "new"
        assert book.take_hint(b"digest", "other", "sleep.updated", "id", NOW) == "seen"
        assert book.take_hint(b"other", "trace", "sleep.updated", "id", NOW) == "seen"
        assert book.take_hint(b"third", "trace", "recovery.updated", "id", NOW) == "new"
        assert book.take_hint(b"digest", "late", "sleep.updated", "id", NOW + timedelta(hours=23)) == "seen"
    finally:
        book.close()


@pytest.mark.parametrize(("off_s", "status"), [(300, 202), (-300, 202), (301, 401), (-301, 401)])
def test_five_minutes_either_way(service, off_s, status):
    letter = signed(event(USER, random.Random(3)), SECRET, NOW_MS + off_s * 1000)
    assert send(service, letter).status_code == status


def test_the_signature_is_judged_before_the_body_is_read(service):
    for body in (b"", b"{", b"\xff\xfe", b"[" * 10_000, b"null"):
        unsigned = Letter(body, str(NOW_MS), VECTOR.signature)
        assert send(service, unsigned).status_code == 401
        assert send(service, signed(body, SECRET, NOW_MS)).status_code == 400
    assert noted(service) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_id": "me"}, {"user_id": -1}, {"user_id": 2**63}, {"user_id": None}, {"id": "../../v2/cycle"}, {"id": 5},
        {"id": ""}, {"type": ""}, {"type": None}, {"trace_id": ""}, {"trace_id": "x" * 129},
    ],
)  # fmt: skip
def test_a_signed_event_of_another_form_is_refused(service, wrong):
    answer = send(service, signed(event(USER, random.Random(4), **wrong), SECRET, NOW_MS))
    assert answer.status_code == 400
    assert noted(service) == 0


def test_whatever_is_signed_gets_an_answer(service):
    """Behind the signature stands a parser; nothing that comes may break it."""
    json_value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
    form = st.fixed_dictionaries(
        {"user_id": st.just(USER) | json_value, "id": st.uuids().map(str) | json_value},
        optional={"type": st.sampled_from(sorted(KINDS)) | json_value, "trace_id": st.text() | json_value},
    )
    bodies = st.binary(max_size=300) | (form | json_value).map(lambda value: json.dumps(value).encode())

    @given(bodies)
    @hypothesis_settings(max_examples=150, deadline=None, derandomize=True)
    def answered(body: bytes) -> None:
        assert send(service, signed(body, SECRET, NOW_MS)).status_code in {200, 202, 400}

    answered()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"user_id": USER + 1}, "not a member of this store"),
        ({"type": "cycle.updated"}, "an event of another kind"),
        ({"type": "sleep.updated.twice"}, "an event of another kind"),
    ],
)
def test_what_is_not_ours_is_ignored(service, content, reason):
    answer = send(service, signed(event(USER, random.Random(5), **content), SECRET, NOW_MS))
    assert (answer.status_code, answer.json()) == (200, {"accepted": False, "reason": reason})
    assert noted(service) == 0


def test_unknown_keys_do_no_harm(service):
    assert send(service, signed(event(USER, random.Random(6), version=3), SECRET, NOW_MS)).status_code == 202


def test_a_letter_has_a_limit(service):
    large = event(USER, random.Random(7), more="x" * LETTER_CAP)
    assert send(service, signed(large, SECRET, NOW_MS)).status_code == 413


def test_a_flood_is_told_to_come_again(service, monkeypatch):
    monkeypatch.setattr(books, "MOST_WAITING", 3)
    draw = random.Random(8)
    letters = [signed(event(USER, draw), SECRET, NOW_MS) for _ in range(5)]
    assert [send(service, letter).status_code for letter in letters] == [202, 202, 202, 429, 429]
    monkeypatch.setattr(books, "MOST_WAITING", 100)
    assert send(service, letters[4]).status_code == 202, "a refused one is not used up"
    monkeypatch.setattr(books, "MOST_SIGNATURES", 4)
    assert send(service, signed(event(USER, draw), SECRET, NOW_MS)).status_code == 429
    assert noted(service) == 4


def test_the_secret_that_was_typed_at_connect_serves_too(tmp_path):
    settings = settings_of_member(tmp_path, whoop_client_id=None, whoop_client_secret=None)
    seconds = [0.0]
    secret = SigningSecret(settings, lambda: seconds[0])
    with client_of(settings, clock=lambda: NOW) as service:
        assert send(service, VECTOR).status_code == 409  # no app is known
    pair = TokenPair("a", "r", NOW, "offline", client_id="typed", client_secret=SECRET)
    open_token_store(settings).save(pair)
    assert secret.get() == SECRET.encode()
    with client_of(settings, clock=lambda: NOW) as service:
        assert send(service, VECTOR).status_code == 202


def test_without_the_setting_there_is_no_letter_box(tmp_path):
    with client_of(settings_of_member(tmp_path, whoop_webhook_host=None), clock=lambda: NOW) as service:
        assert send(service, VECTOR).status_code == 421
        assert service.get("/status", headers=WITH_TOKEN).json()["webhooks"] is None


@pytest.mark.parametrize(
    "stamp", ["１７４８２４１２４１０００", "1748241241000\n", " 1748241241000", "٣" * 13]
)
def test_only_plain_digits_are_a_stamp(stamp):
    letter = signed(VECTOR.body, SECRET, stamp)
    with pytest.raises(WebhookRefused):
        verify(SECRET.encode(), stamp, letter.body, letter.signature, NOW)
