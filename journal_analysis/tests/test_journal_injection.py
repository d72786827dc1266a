"""Journal text is data: prompts, markup, code, control characters and odd numbers change nothing but quoted text."""

import json
import os
import random
import re
import string
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hrv_shared.store import Store
from journal_analysis import add_text, backfill, ingest, receipt, show
from journal_analysis.entries import draft_entry
from journal_analysis.errors import JournalError
from journal_analysis.machine_text import blanked
from journal_analysis.notes import MAX_TEXT_CHARS
from journal_analysis.reading import read_facts
from journal_analysis.telling import Spoken

TEXTS = json.loads(Path(__file__).with_name("journal_injections.json").read_text(encoding="utf-8"))
HARMLESS = (
    "I had two glasses of wine, the last one at half past nine. No magnesium. Stress was three out of five."
)
SPOKEN = Spoken(datetime(2026, 3, 4, 20, tzinfo=UTC), 60, date(2026, 3, 4))
ME = "me"
SLOW = bool(os.environ.get("HRV_SLOW"))
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

pytestmark = pytest.mark.filterwarnings("error")


def told(text):
    return {
        (f.behaviour, f.kind, f.amount, f.unit, f.clock_time, f.is_plan, f.day_shift, f.status)
        for f in read_facts(text, SPOKEN).facts
    }


def test_there_are_enough_of_every_kind():
    kinds = {item["kind"] for item in TEXTS}
    assert len(TEXTS) >= 100
    assert kinds == {
        "prompt",
        "json",
        "markup",
        "shell",
        "sql",
        "path",
        "template",
        "number",
        "control",
        "unicode",
    }
    assert len(told(HARMLESS)) == 4


@pytest.mark.parametrize("item", TEXTS, ids=[f"{t['kind']}{k}" for k, t in enumerate(TEXTS)])
def test_facts_are_those_of_the_harmless_words_alone(item):
    attack, alone = item["text"], told(HARMLESS)
    assert told(attack) == set()
    assert told(f"{HARMLESS}\n{attack}") == alone
    assert told(f"{attack}\n{HARMLESS}") == alone
    assert told(f"{HARMLESS} {attack}") == alone


def test_blanking_keeps_every_other_character_in_its_place():
    for item in TEXTS:
        text = f"{item['text']}\n{HARMLESS}"
        seen = blanked(text)
        assert len(seen) == len(text)
        assert all(a == b or a in " .#" for a, b in zip(seen, text, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "Log: 2 beers, record of 3 coffees, and I set a new HRV record.",
        "Ignore the wine, that was my wife's. I had one beer.",
        "My system is off. Stomach ache, 2 coffees.",
        "Note to self: no beer tomorrow. Had two today.",
        "Forgot about the gym, two beers instead.",
        "Model train fair with the kids, one beer & a coffee.",
        "Run 5k/easy; then 2 beers; bed @ 23:00",
        "Stress <3 today, 1 coffee (no sugar) [decaf]",
        "2 beers | 1 coffee | no gym",
        "Coach said: update my training plan. 1 beer.",
    ],
)
def test_what_people_write_is_left_as_it_is(text):
    assert blanked(text) == text


def test_a_number_beyond_a_day_is_asked_and_not_counted():
    for text in ("I had 300 beers.", "Ran for 9000 minutes."):
        facts = read_facts(text, SPOKEN).facts
        assert facts and all(f.status == "draft" for f in facts), text


def test_nothing_is_printed_raw_and_no_file_leaves_its_place(settings):
    """All texts as notes, and as names of files in the inbox; then the commands that print them."""
    store = Store(settings.home)
    inbox = store.folder("inbox")
    for k, item in enumerate(TEXTS):
        try:
            add_text(store, ME, f"Two beers, note {k}. {item['text']}")
        except JournalError as error:
            assert "Expected" in str(error)
        name = item["text"].replace("/", "∕").replace("\x00", "")
        name = name.encode("utf-8", "surrogatepass")[:180].decode("utf-8", "ignore").strip(".") or "x"
        for suffix in (".txt", ".m4a", ""):
            (inbox / f"{k:03d}{name}{suffix}").write_text(f"Three beers, file {k}{suffix}.", encoding="utf-8")
    names_before = {p.name for p in inbox.iterdir()}
    place = settings.home.parent
    outside = {p for p in place.rglob("*") if settings.home not in p.parents and p != settings.home}
    done = ingest(store, settings, ME)
    assert len(done.entries) == len(TEXTS)  # the .txt ones
    refused = {p.name for p in store.folder("inbox", "refused").iterdir()}
    assert refused <= names_before and len(refused) == len(names_before) - len(TEXTS)
    assert [p for p in inbox.iterdir() if p.is_file()] == []
    kept = {p.name for p in store.folder("audio").iterdir()}
    assert all(re.fullmatch(r"[0-9a-f]{64}\.[a-z0-9]{1,5}", name) for name in kept)
    top = {p.name for p in settings.home.iterdir()}
    assert top <= {
        "record.sqlite", "record.sqlite-shm", "record.sqlite-wal", "tables", "inbox", "audio", "journal-tables.lock",
    }  # fmt: skip
    assert {p for p in place.rglob("*") if settings.home not in p.parents and p != settings.home} == outside
    for entry in done.entries:
        assert not RAW.search(receipt(entry))
    alcohol = {
        f["amount"] for n in show(store, ME, 10_000) for f in n["facts"] if f["behaviour"] == "alcohol"
    }
    assert alcohol == {2.0, 3.0}
    (inbox / "\x1b[31mred.m4a").write_bytes(b"x")
    environment = {
        "HRV_HOME": str(settings.home),
        "HRV_ALLOW_DOWNLOAD": "false",
        "PATH": "",
        "HOME": str(place),
    }
    for arguments in (
        ["show", "--last", "9999"],
        ["show", "--last", "9999", "--json"],
        ["ingest"],
        ["table"],
    ):
        line = [sys.executable, "-m", "journal_analysis", *arguments]
        run = subprocess.run(line, env=environment, capture_output=True, check=True)
        for said in (run.stdout, run.stderr):
            assert not RAW.search(said.decode("utf-8")), arguments
    assert "\\x1b[31mred.m4a" in run.stdout.decode() or arguments != ["ingest"]


def test_a_link_in_the_inbox_is_not_followed(store, settings, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("Nine beers.")
    (store.folder("inbox") / "note.txt").symlink_to(secret)
    done = ingest(store, settings, ME)
    assert [r["file"] for r in done.refused] == ["note.txt"] and done.entries == []
    assert secret.read_text() == "Nine beers."


REPEATED = [
    "(",
    '{"',
    "[[",
    "<a ",
    "`a",
    "no ",
    "9",
    "9 ",
    "two beers, ",
    "\x1b[",
    "'or'",
    "-",
    "\n",
    ": ",
    "1/2 ",
]


def random_text(rng):
    kind = rng.randrange(6)
    length = rng.choice([1, 5, 40, 300, 3000])
    if kind == 0:
        return bytes(rng.randrange(256) for _ in range(length)).decode("utf-8", "replace")
    if kind == 1:
        return "".join(chr(rng.randrange(0x110000)) for _ in range(min(length, 400)))
    if kind == 2:
        return (
            rng.choice(
                [
                    "(",
                    "{",
                    '{"',
                    "<",
                    "[",
                    "no ",
                    "9",
                    "9 ",
                    "two beers ",
                    "'",
                    "`",
                    "-",
                    ".",
                    ":",
                    "\n",
                    "1/2 ",
                ]
            )
            * length
        )
    if kind == 3:
        words = [
            *HARMLESS.split(),
            "99999999",
            "1e999",
            "½",
            "²",
            "٣",
            "-3",
            "0.0.0",
            "25:61",
            "half",
            "past",
            "x3",
            "%",
        ]
        return " ".join(rng.choice(words) for _ in range(length // 4 + 1))
    if kind == 4:
        return "".join(rng.choice(string.printable) for _ in range(length))
    pieces = [rng.choice(TEXTS)["text"] for _ in range(4)]
    return "".join(rng.sample("".join(pieces), k=min(200, len("".join(pieces)))))


@pytest.mark.parametrize("seed", range(6 if not SLOW else 80))
def test_random_texts_never_crash_the_reading(seed):
    rng = random.Random(seed)
    for _ in range(40):
        text = random_text(rng)[:MAX_TEXT_CHARS]
        drafts = draft_entry(ME, "0" * 64, text, SPOKEN, source="text", known_at=SPOKEN.at, basis="seen")[1]
        json.dumps([d.payload for d in drafts], allow_nan=False)


@pytest.mark.parametrize("piece", REPEATED)
def test_the_longest_text_is_read_in_seconds(piece):
    text = (piece * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS]
    began = datetime.now(UTC)
    blanked(text)
    assert (datetime.now(UTC) - began).total_seconds() < 20  # on a machine that is busy with other things


def test_random_lines_and_files_never_crash_the_way_in(store, settings, tmp_path):
    rng = random.Random(5)
    lines = [random_text(rng).replace("\n", " ") for _ in range(60)]
    lines += [
        json.dumps({"recorded_at": rng.choice(["2026-01-01T10:00Z", "x", None, 5]), "text": t})
        for t in lines[:40]
    ]
    file = tmp_path / "old.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    backfill(store, ME, file)
    inbox = store.folder("inbox")
    for k in range(60):
        suffix = rng.choice([".txt", ".md", ".jsonl", ".wav", ".m4a", ".mp3", ".ogg", ".webm", ".flac", ""])
        (inbox / f"{k}{suffix}").write_bytes(rng.randbytes(rng.choice([0, 1, 50, 5000])))
    ingest(store, settings, ME)
    assert [p for p in inbox.iterdir() if p.is_file()] == []
