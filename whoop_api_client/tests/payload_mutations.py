"""Structure-aware damage to WHOOP's JSON: what a changed, broken or hostile server could send instead of a page."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

_ODD_NUMBERS = (
    0,
    -1,
    1,
    0.5,
    -0.0,
    1e-300,
    1e308,
    -1e308,
    2**31,
    2**63,
    2**64,
    10**30,
    10**400,
    1e16,
    255,
    70_000,
)
_ODD_TEXTS = (
    "", " ", "null", "NaN", "0", "12", "SCORED", "PENDING_SCORE", "true", "Z", "+99:99", "+14:00", "-12:00", "UTC",
    "2026-02-30T00:00:00.000Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-05-01", "1746050400",
    "2026-W18-5", "2026-05-01T06:00:00.123456789Z", "20260501T060000Z", "12:00", "\x00", "\ud800", "💤" * 50,
    "../../v2/user/access", "<script>", "=1+1", "x" * 100_000, "\x1b[2J", "'; DROP TABLE fact; --",
)  # fmt: skip
_RAW_BITS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"[" * 3000 + b"]" * 3000, b'"\\ud83d"', b"01",
             b"1" * 5000, b"{}", b"[]", b'{"score": {}}')  # fmt: skip
_MARK = '"@raw@"'


def mutated(body: dict[str, Any], rng: random.Random) -> bytes:
    """One damaged version of a page."""
    damaged = copy.deepcopy(body)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(_DAMAGES)(damaged, rng)
    data = json.dumps(damaged).encode()
    if _MARK.encode() in data:
        data = data.replace(_MARK.encode(), rng.choice(_RAW_BITS), 1)
    if rng.random() < 0.1:
        data = rng.choice(_BYTE_DAMAGES)(data, rng)
    return data


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key or index) below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from _places(inner)


def _place(body: Any, rng: random.Random) -> tuple[Any, Any]:
    if not body:
        body["records"] = []  # an earlier damage has taken everything away
    return rng.choice(list(_places(body)))


def _another_value(body: Any, rng: random.Random) -> None:
    container, key = _place(body, rng)
    values = (
        None, True, False, [], {}, [[]], {"a": {"b": None}}, "@raw@",
        rng.choice(_ODD_NUMBERS), rng.choice(_ODD_NUMBERS), rng.choice(_ODD_TEXTS), rng.choice(_ODD_TEXTS),
    )  # fmt: skip
    container[key] = rng.choice(values)


def _scaled(body: Any, rng: random.Random) -> None:
    numbers = [
        (c, k)
        for c, k in _places(body)
        if isinstance(c[k], int | float) and not isinstance(c[k], bool) and abs(c[k]) < 1e290
    ]
    if numbers:
        container, key = rng.choice(numbers)
        container[key] *= rng.choice((-1, 0, 1000, 1e-9, 1e12))


def _without(body: Any, rng: random.Random) -> None:
    container, key = _place(body, rng)
    del container[key]


def _as_text(body: Any, rng: random.Random) -> None:
    container, key = _place(body, rng)
    container[key] = str(container[key])


def _swapped(body: Any, rng: random.Random) -> None:
    (one, a), (other, b) = _place(body, rng), _place(body, rng)
    value, other_value = copy.deepcopy(one[a]), copy.deepcopy(other[b])
    one[a], other[b] = other_value, value


def _doubled(body: Any, rng: random.Random) -> None:
    records = body.get("records") if isinstance(body, dict) else None
    if isinstance(records, list) and records:
        records += copy.deepcopy(rng.choices(records, k=rng.choice((1, 30))))


def _unknown_key(body: Any, rng: random.Random) -> None:
    container, _ = _place(body, rng)
    if isinstance(container, dict):
        container[rng.choice(_ODD_TEXTS)] = rng.choice((None, "@raw@", {"deep": [{}]}))


def _wrapped(body: Any, rng: random.Random) -> None:
    container, key = _place(body, rng)
    container[key] = [container[key]] if rng.random() < 0.5 else {"value": container[key]}


_DAMAGES = (_another_value, _another_value, _another_value, _scaled, _without, _as_text, _swapped, _doubled,
            _unknown_key, _wrapped)  # fmt: skip
_BYTE_DAMAGES = (
    lambda data, rng: data[: rng.randrange(len(data) + 1)],
    lambda data, rng: b"\xef\xbb\xbf" + data,
    lambda data, rng: data.decode().encode("utf-16"),
    lambda data, rng: data.replace(b'"id"', b'"id": 5, "id"', 1),
    lambda data, rng: b"<html>" + data,
    lambda data, rng: bytes(b ^ (rng.random() < 0.001) * 0x80 for b in data),
    lambda data, rng: b"",
)
