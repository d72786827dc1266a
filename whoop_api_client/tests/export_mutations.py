"""Exports gone wrong: a good one, changed where its structure is (ZIP, file, header, row, cell, byte)."""

from __future__ import annotations

import io
import random
import stat
import zipfile
from dataclasses import dataclass
from datetime import date
from functools import cache

from whoop_api_client.export.made_up import export_files, nights_at_home

__all__ = ["Case", "case", "good_lines"]

CELLS = (
    "", " ", "0", "-1", "-40", "301", "5000", "99999.5", "1000001", "9" * 40,
    "1e9", "1e308", "nan", "inf", "-0", "00000000000000000072", "72,5", "7 2", "٧٢", "0x1F",
    "true",
    "TRUE", "False", "yes", "null", "None", "9/13/2025 0:38", "13.9.2025 00:38:11", "2025-02-30 00:00:00",
    "2025-09-13 24:00:00", "2025-09-13 23:59:60", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-09-13T00:38:11",
    "2026-09-13 00:38", "UTC", "UTCZ", "UTC+14:00", "UTC-12:00", "UTC+14:01", "UTC+99:99", "+01:00", "Europe/Berlin",
    "=1+1", "'; DROP TABLE fact;--", "\x00", "\u202e", "\ufeff", "🛌" * 50, "a" * 70_000, "\"", "\"\"", "\n", "\r", ";",
    "2012-01-01 00:00:00", "1999-01-01 00:00:00", "2099-01-01 00:00:00",
)  # fmt: skip
NAMES = ("../{}", "/{}", "a/../../{}", "..\\{}", "C:/{}", "\\\\host\\{}", "./{}", "a/b/c/d/{}", "__MACOSX/{}", "{}.exe",
         "{} ", "\u202e{}", ".{}", "{}/", "CON/{}", "x\n{}")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One changed export: what was done, the bytes of a ZIP, and the texts that went into it."""

    what: str
    data: bytes
    texts: dict[str, str]


def case(seed: int) -> Case:
    """Make the case of a seed; equal seeds give equal bytes."""
    draw = random.Random(seed)
    files = dict(_base(draw.randrange(4)))
    what = []
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        name = draw.choice(sorted(files))
        change = draw.choice(_TEXT_CHANGES)
        files[name] = change(files[name], draw)
        what.append(f"{change.__name__} {name}")
    encoded = {name: _encoded(text, draw) for name, text in files.items()}
    data = _zipped(encoded, draw, what)
    if draw.random() < 0.25:
        change = draw.choice(_BYTE_CHANGES)
        data = change(data, draw)
        what.append(change.__name__)
    return Case("; ".join(what), data, files)


@cache
def good_lines() -> frozenset[tuple[str, str]]:
    """(header, line) of every row as WHOOP would have written it."""
    texts = [text for which in range(4) for _, text in _base(which)]
    return frozenset((text.split("\n")[0], line) for text in texts for line in text.split("\n")[1:])


@cache
def _base(which: int) -> tuple[tuple[str, str], ...]:
    nights = nights_at_home(
        7, last_day=date(2026, 11, 1), seed=5, zone="America/New_York" if which % 2 else "Asia/Kolkata"
    )
    files = export_files(nights, language=("en", "de", "es", "pt")[which], is_old=which == 2, seed=which)
    return tuple(files.items())


def _cell(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    place = draw.randrange(1, max(2, len(lines) - 1))
    if place < len(lines):
        cells = lines[place].split(",")
        cells[draw.randrange(len(cells))] = draw.choice(CELLS)
        lines[place] = ",".join(cells)
    return "\n".join(lines)


def _swapped_cells(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    place = draw.randrange(len(lines))
    cells = lines[place].split(",")
    draw.shuffle(cells)
    lines[place] = ",".join(cells)
    return "\n".join(lines)


def _column(text: str, draw: random.Random) -> str:
    """Take a column out, double it, or put junk in all of it."""
    rows = [line.split(",") for line in text.split("\n")]
    at, how, junk = draw.randrange(len(rows[0])), draw.randrange(3), draw.choice(CELLS)
    for row in rows:
        if at < len(row):
            if how == 0:
                del row[at]
            elif how == 1:
                row.insert(at, row[at])
            elif row is not rows[0]:
                row[at] = junk
    return "\n".join(",".join(row) for row in rows)


def _header(text: str, draw: random.Random) -> str:
    head, newline, rest = text.partition("\n")
    names = head.split(",")
    names[draw.randrange(len(names))] = draw.choice((*CELLS, *names, "Nap", "HRV", "Question text"))
    return ",".join(names) + newline + rest


def _rows(text: str, draw: random.Random) -> str:
    """Drop, double, shuffle, cut or chain rows."""
    head, *rows = text.split("\n")
    how = draw.randrange(6)
    if how == 0:
        rows = rows[: draw.randrange(len(rows) + 1)]
    elif how == 1:
        rows += draw.choices(rows or [head], k=5)
    elif how == 2:
        draw.shuffle(rows)
    elif how == 3:
        rows = [head, *rows] * 2
    elif how == 4:
        rows = [row + "," * draw.randrange(4) for row in rows]
    else:
        rows = [row[: draw.randrange(len(row) + 1)] for row in rows]
    return "\n".join([head, *rows])


def _whole(text: str, draw: random.Random) -> str:
    """What programs do to a whole file."""
    old, new = draw.choice((
        (",", ";"), (",", "\t"), ("\n", "\r\n"), ("\n", "\r"), ("\n", "\n\n"), ("-", "/"), ("true", "TRUE"),
        ("false", "0"), (":", "."), ("UTC", "GMT"), (" ", ""), ("\n", ""), (",", ",\""), ("20", "19"), (".", ","),
        ("\"", ""), ("2026", "2096"), ("UTC+", "UTC-"),
    ))  # fmt: skip
    return text.replace(old, new)


def _cut(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text) + 1)]


def _letters(text: str, draw: random.Random) -> str:
    letters = list(text)
    for _ in range(draw.randrange(1, 12)):
        if letters:
            letters[draw.randrange(len(letters))] = draw.choice(',"\n\r;0-9:. \x00é\ufeff💤')
    return "".join(letters)


def _huge(text: str, draw: random.Random) -> str:
    lines = text.split("\n")
    return "\n".join(lines + lines[1:] * draw.choice((5, 40)))


_TEXT_CHANGES = (_cell, _cell, _cell, _swapped_cells, _column, _header, _rows, _whole, _cut, _letters, _huge)


def _encoded(text: str, draw: random.Random) -> bytes:
    if draw.random() < 0.93:
        return text.encode("utf-8", "replace")
    return text.encode(draw.choice(("utf-16", "latin-1", "utf-8-sig", "cp1252", "utf-32")), "replace")


def _zipped(files: dict[str, bytes], draw: random.Random, what: list[str]) -> bytes:
    buffer = io.BytesIO()
    odd = draw.random() < 0.25
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            if odd and draw.random() < 0.5:
                what.append("odd entry")
                name = draw.choice(NAMES).format(name)
            entry = zipfile.ZipInfo(name.replace("\x00", ""))
            entry.compress_type = zipfile.ZIP_DEFLATED
            if odd:
                mode = draw.choice((stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, 0))
                entry.external_attr = (mode | 0o644) << 16
                entry.compress_type = draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2,
                                                   zipfile.ZIP_LZMA))  # fmt: skip
            archive.writestr(entry, data)
        if odd and draw.random() < 0.3:
            archive.writestr("inner.zip", buffer.getvalue())
        if odd and draw.random() < 0.1:
            archive.writestr("sleeps2.csv", b"0" * 3_000_000, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _flipped(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 3, 20))):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _shortened(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data))]


def _directory(data: bytes, draw: random.Random) -> bytes:
    """Change a byte of a local header or of the central directory, where sizes, flags and methods stand."""
    changed = bytearray(data)
    places = [at for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06") for at in _all(data, mark)]
    at = draw.choice(places) + draw.randrange(4, 46)
    if at < len(changed):
        changed[at] = draw.choice((0, 1, 8, 9, 12, 14, 99, 0x7F, 0xFF, draw.randrange(256)))
    return bytes(changed)


def _all(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def _surrounded(data: bytes, draw: random.Random) -> bytes:
    junk = draw.randbytes(draw.randrange(200))
    return junk + data if draw.random() < 0.5 else data + junk


_BYTE_CHANGES = (_flipped, _shortened, _directory, _directory, _surrounded)
