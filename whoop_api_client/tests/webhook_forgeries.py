"""Webhooks that must not be believed: forged, damaged, stale. Each is one step away from a good one."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from whoop_api_client.service.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from whoop_api_client.simulator import sign

MINUTES_5 = 300_000


@dataclass(frozen=True)
class Letter:
    """A webhook on its way. ``stamp`` and ``signature`` of None are left out."""

    body: bytes
    stamp: str | None
    signature: str | None

    def headers(self, **more: str) -> list[tuple[str, str]]:
        said = [("Content-Type", "application/json"), *more.items()]
        if self.signature is not None:
            said += [(SIGNATURE_HEADER, part) for part in self.signature.split("|")]
        if self.stamp is not None:
            said += [(TIMESTAMP_HEADER, self.stamp)]
        return said


def event(user_id: int, draw: random.Random, /, **more: Any) -> dict[str, Any]:
    kind = draw.choice(["sleep.updated", "recovery.updated", "workout.updated"])
    uuids = [str(UUID(int=draw.getrandbits(128), version=4)) for _ in range(2)]
    return {"user_id": user_id, "id": uuids[0], "type": kind, "trace_id": uuids[1]} | more


def signed(content: dict[str, Any] | bytes, secret: str, at_ms: int | str) -> Letter:
    body = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return Letter(body, str(at_ms), sign(secret, str(at_ms), body))


def forgery(good: Letter, secret: str, now_ms: int, draw: random.Random) -> tuple[str, Letter]:
    """What was done to a good letter, and the result."""
    name = draw.choice(sorted(WAYS))
    return name, WAYS[name](good, secret, now_ms, draw)


def _flipped(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    digest = bytearray(base64.b64decode(good.signature))
    digest[draw.randrange(32)] ^= 1 << draw.randrange(8)
    return replace(good, signature=base64.b64encode(digest).decode())


def _other_body(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    body, at = bytearray(good.body), draw.randrange(len(good.body))
    body[at] = (body[at] + draw.randrange(1, 128)) % 128
    return replace(good, body=bytes(body))


def _longer(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    return replace(good, body=good.body + draw.choice([b" ", b"\n", b"\x00", b"{}"]))


def _other_secret(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    wrong = draw.choice(["", secret + "x", secret[:-1], secret.upper(), " " + secret, f"{draw.random()}"])
    return signed(good.body, wrong, good.stamp)


def _other_stamp(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    return replace(good, stamp=str(now_ms + draw.choice([-1, 1]) * draw.randrange(1, MINUTES_5)))


def _other_form(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    digest = base64.b64decode(good.signature)
    forms = [
        digest.hex(), digest.hex().upper(), good.signature.lower(), good.signature.rstrip("="), good.signature + "=",
        "sha256=" + good.signature, "", "A" * 44, good.signature * 2, f"{good.signature}|{good.signature}",
        f"AAAA|{good.signature}", base64.b64encode(digest[:31]).decode(),
    ]  # fmt: skip
    return replace(good, signature=draw.choice([form for form in forms if form != good.signature]))


def _left_out(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    return replace(good, **dict.fromkeys(draw.choice([["stamp"], ["signature"], ["stamp", "signature"]])))


def _stale(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    """Rightly signed, at the wrong time."""
    off = draw.choice([MINUTES_5 + 1, MINUTES_5 + draw.randrange(1, 10**6), draw.randrange(10**6, 10**12)])
    return signed(good.body, secret, max(now_ms + draw.choice([-1, 1]) * off, 0))


def _odd_stamp(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    """Rightly signed, with a stamp that is no number of milliseconds."""
    odd = [
        f"{now_ms / 1000:.0f}",
        f"{now_ms}.0",
        f"+{now_ms}",
        f"-{now_ms}",
        f"{now_ms:_}",
        "",
        "nan",
        "inf",
        "0x1",
    ]
    odd += [f"{now_ms:.3e}", f"{now_ms}0000000", "9" * 400, f"{now_ms}Z", "2026-06-01T20:45:00Z"]
    return signed(good.body, secret, draw.choice(odd))


def _moved(good: Letter, secret: str, now_ms: int, draw: random.Random) -> Letter:
    """The signature is over stamp and body together: where one ends and the other begins is moved."""
    cut = draw.randrange(1, len(good.stamp))
    return Letter(good.stamp[cut:].encode() + good.body, good.stamp[:cut], good.signature)


WAYS: dict[str, Callable[[Letter, str, int, random.Random], Letter]] = {
    "a bit of the signature": _flipped,
    "a byte of the body": _other_body,
    "more body": _longer,
    "another secret": _other_secret,
    "another stamp": _other_stamp,
    "another form": _other_form,
    "headers left out": _left_out,
    "stale": _stale,
    "an odd stamp": _odd_stamp,
    "the border moved": _moved,
}
