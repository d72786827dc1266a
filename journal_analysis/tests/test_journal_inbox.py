"""Ways in: the inbox once and watched, a phone's own folder, stdin, files that still grow or are damaged."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hrv_shared.models import ModelAbsent
from hrv_shared.settings import load_settings
from hrv_shared.store import Store
from journal_analysis import confirm, inbox, ingest
from journal_analysis.errors import NoInbox
from journal_analysis.inbox import IngestResult, waiting_files
from journal_analysis.transcript import Transcript
from journal_analysis.watching import Settling, watch_inbox

ME = "me"
SLOW = bool(os.environ.get("HRV_SLOW"))
TOLD = datetime(2026, 3, 3, 20, 0, tzinfo=UTC)


def note(path, text, at=TOLD):
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


@pytest.fixture
def phone(settings, tmp_path):
    """Settings with a folder into which a phone syncs."""
    folder = tmp_path / "memos"
    folder.mkdir()
    return settings.model_copy(update={"journal_inbox": folder})


def test_the_phones_folder_is_read_once_and_left_as_it_is(store, phone):
    folder = phone.journal_inbox
    note(folder / "memo 1.txt", "Two beers.")
    (folder / "memo 2.m4a").write_bytes(b"no recording")
    note(store.folder("inbox") / "own.txt", "No magnesium.")
    done = ingest(store, phone, ME)
    assert {e.transcript for e in done.entries} == {"Two beers.", "No magnesium."}
    assert [r["file"] for r in done.refused] == ["memo 2.m4a"]
    assert {p.name for p in folder.iterdir()} == {"memo 1.txt", "memo 2.m4a"}
    assert waiting_files(store, phone) == []
    again = ingest(store, phone, ME)
    assert (again.entries, again.refused, again.already) == ([], [], 0)
    note(folder / "memo 1.txt", "Three beers.", TOLD + timedelta(minutes=1))
    assert [e.transcript for e in ingest(store, phone, ME).entries] == ["Three beers."]
    (store.home / "inbox-seen.json").write_text("damaged")
    assert ingest(store, phone, ME).already == 1  # nothing doubled


def test_a_folder_that_is_not_there_is_named(store, phone):
    phone.journal_inbox.rmdir()
    with pytest.raises(NoInbox, match="HRV_JOURNAL_INBOX"):
        ingest(store, phone, ME)


def test_the_setting_is_an_absolute_folder(tmp_path):
    settings = load_settings({"HRV_JOURNAL_INBOX": "~/memos"}, home=tmp_path)
    assert settings.journal_inbox == Path.home() / "memos"
    assert load_settings({}, home=tmp_path).journal_inbox is None


def test_a_recordings_own_time_wins_over_the_files(store, settings, record, monkeypatch):
    heard = Transcript("Two beers.", 1.0, "m", "s")
    monkeypatch.setattr(
        "journal_analysis.notes.transcribe", lambda path, _: heard
    )  # what was heard is not the point
    tagged = record(
        store.folder("inbox") / "memo.m4a",
        np.zeros(16_000),
        "aac",
        44_100,
        {"creation_time": "2026-03-01T21:15:00Z"},
    )
    os.utime(tagged, (TOLD.timestamp(), TOLD.timestamp()))
    plain = record(store.folder("inbox") / "plain.wav", np.zeros(16_000))
    os.utime(plain, (TOLD.timestamp(), TOLD.timestamp()))
    days = [e.day for e in ingest(store, settings, ME).entries]
    assert days == [date(2026, 3, 1), date(2026, 3, 3)]


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_look(store, settings, monkeypatch):
    path = note(store.folder("inbox") / "a.txt", "Two beers.")
    real = inbox.checked_text

    def grows(text):
        note(path, "Two beers. No magnesium.", TOLD + timedelta(minutes=1))
        return real(text)

    monkeypatch.setattr(inbox, "checked_text", grows)
    done = ingest(store, settings, ME)
    assert done.later == ["a.txt"] and done.entries == [] and path.exists()
    monkeypatch.setattr(inbox, "checked_text", real)
    assert [e.transcript for e in ingest(store, settings, ME).entries] == ["Two beers. No magnesium."]


def test_an_unreadable_young_recording_waits_in_the_watch_and_not_for_ever(store, settings):
    path = store.folder("inbox") / "a.m4a"
    path.write_bytes(b"half a recording")
    now = store.clock().timestamp()
    os.utime(path, (now - 5, now - 5))
    assert ingest(store, settings, ME, [path], patient=True).later == ["a.m4a"]
    os.utime(path, (now - 61, now - 61))
    assert [r["file"] for r in ingest(store, settings, ME, [path], patient=True).refused] == ["a.m4a"]


def test_settling_takes_what_kept_its_size_and_time(tmp_path):
    settling, path = Settling(2.0), tmp_path / "a.wav"
    path.write_bytes(b"1")
    assert settling.settled([path], 10.0) == []
    assert settling.settled([path], 11.9) == []
    assert settling.settled([path], 12.0) == [path]
    path.write_bytes(b"12")
    assert settling.settled([path], 13.0) == []
    assert settling.settled([path], 15.0) == [path]
    settling.forget(path)
    assert settling.settled([path, tmp_path / "gone"], 15.1) == []


def test_the_watch_takes_in_what_comes_and_stops(settings, phone):
    store, told, stop = Store(settings.home), [], threading.Event()

    def tell(done: IngestResult):
        told.extend(e.transcript for e in done.entries)
        if len(told) == 1:
            (phone.journal_inbox / "b.txt.part").write_text("Three beers.")
            os.replace(phone.journal_inbox / "b.txt.part", phone.journal_inbox / "b.txt")
        if len(told) == 2:
            stop.set()

    note(store.folder("inbox") / "a.txt", "Two beers.")
    guard = threading.Timer(60, stop.set)
    guard.start()
    watch_inbox(store, phone, ME, stop, tell, pytest.fail, settled_s=0.2)
    guard.cancel()
    assert told == ["Two beers.", "Three beers."]


def test_the_watch_outlives_a_folder_that_goes_and_a_model_that_is_missing(
    settings, phone, record, monkeypatch
):
    store, told, warned, stop = Store(settings.home), [], [], threading.Event()
    folder = phone.journal_inbox

    def warn(said):
        warned.append(said)
        if "HRV_JOURNAL_INBOX" in said:
            folder.mkdir()
            note(folder / "b.txt", "Three beers.")

    def tell(done: IngestResult):
        told.extend(e.transcript for e in done.entries)
        if len(told) == 1:
            (folder / "a.txt").unlink()
            folder.rmdir()
        if len(told) == 2:
            stop.set()

    record(store.folder("inbox") / "memo.wav", np.zeros(16_000))
    os.utime(store.folder("inbox") / "memo.wav", (TOLD.timestamp(), TOLD.timestamp()))
    note(folder / "a.txt", "Two beers.")
    monkeypatch.setattr(
        "journal_analysis.notes.transcribe", lambda *_: (_ for _ in ()).throw(ModelAbsent("no model"))
    )
    guard = threading.Timer(60, stop.set)
    guard.start()
    watch_inbox(store, phone, ME, stop, tell, warn, settled_s=0.2)
    guard.cancel()
    assert told == ["Two beers.", "Three beers."]
    assert "no model" in warned and any("HRV_JOURNAL_INBOX" in w for w in warned)
    assert (store.folder("inbox") / "memo.wav").exists()


def test_what_was_taken_in_before_a_failure_is_in_the_tables(store, settings, monkeypatch):
    note(store.folder("inbox") / "a.txt", "Two beers.")
    note(store.folder("inbox") / "b.wav", "no matter what")
    monkeypatch.setattr(
        "journal_analysis.notes.transcribe", lambda *_: (_ for _ in ()).throw(ModelAbsent("no model"))
    )
    with pytest.raises(ModelAbsent):
        ingest(store, settings, ME)
    assert store.read_table("journal_facts")["behaviour"].to_list() == ["alcohol"]


@pytest.mark.parametrize("suffix", ["wav", "txt"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_memo_synced_again_after_its_confirmation_does_not_bring_its_file_back(
    store, settings, record, monkeypatch, suffix, keep
):
    heard = Transcript("Two beers.", 1.0, "m", "s")
    monkeypatch.setattr("journal_analysis.notes.transcribe", lambda *_: heard)
    settings = settings.model_copy(update={"journal_keep_audio": keep})
    memo = store.folder("inbox") / f"memo.{suffix}"

    def sync():
        if suffix == "wav":
            record(memo, np.zeros(16_000))
        else:
            memo.write_text("Two beers.")
        os.utime(memo, (TOLD.timestamp(), TOLD.timestamp()))
        return ingest(store, settings, ME)

    (entry,) = sync().entries
    audio = store.folder("audio")
    assert [p.suffix for p in audio.iterdir()] == [f".{suffix}"]
    assert sync().already == 1 and len(list(audio.iterdir())) == 1, "before: it stays"
    confirm(store, ME, entry.key, keep_audio=keep)
    assert sync().already == 1
    assert len(list(audio.iterdir())) == keep and not memo.exists()


def test_lines_that_grow_while_they_are_read_wait_and_bad_ones_are_put_aside(store, settings, monkeypatch):
    line = json.dumps({"recorded_at": "2026-02-03T20:10:00+01:00", "text": "Two beers."})
    file = note(store.folder("inbox") / "past.jsonl", f"{line}\n{line[:20]}")
    real = inbox.keep_old

    def grows(*arguments):
        note(file, f"{line}\n{line.replace('Two', 'Three')}\n", TOLD + timedelta(minutes=1))
        return real(*arguments)

    monkeypatch.setattr(inbox, "keep_old", grows)
    done = ingest(store, settings, ME)
    assert (done.later, done.refused, done.backfilled) == (["past.jsonl"], [], 1) and file.exists()
    monkeypatch.setattr(inbox, "keep_old", real)
    done = ingest(store, settings, ME)
    assert (done.later, done.refused, done.backfilled, done.already) == ([], [], 1, 1) and not file.exists()


def test_two_unreadable_files_of_lines_are_both_put_aside_and_named(store, settings):
    for number in range(2):
        (store.folder("inbox") / "past.jsonl").write_bytes(b"\xff\xfe\x00" + bytes([number]))
        done = ingest(store, settings, ME)
        assert [r["file"] for r in done.refused] == ["past.jsonl"] and "UTF-8" in done.refused[0]["reason"]
    held = {p.name: p.read_bytes()[-1] for p in store.folder("inbox", "refused").iterdir()}
    assert held == {"past.jsonl": 0, "past-2.jsonl": 1}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_command_watches_and_stops_cleanly(tmp_path, how):
    home = tmp_path / "home"
    inbox_folder = Store(home).folder("inbox")
    environment = {"HRV_HOME": str(home), "HRV_ALLOW_DOWNLOAD": "false", "PATH": "", "HOME": str(tmp_path)}
    line = [sys.executable, "-m", "journal_analysis", "watch", "--json"]
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert "Watching" in process.stderr.readline()
        (inbox_folder / "a.txt").write_text("Two beers.")
        said = json.loads(process.stdout.readline())
        process.send_signal(how)
        rest, errors = process.communicate(timeout=60)
    assert said["new"] == 1 and "2 drinks" in said["entries"][0]["receipt"]
    assert process.returncode == 0 and rest == "" and "Stopped" in errors and "Traceback" not in errors
    assert not list(inbox_folder.glob("*.txt"))


def damaged(rng, whole):
    """A recording with bytes cut off, changed, doubled, or put in front."""
    data = bytearray(whole)
    how = rng.randrange(5)
    if how == 0:
        return bytes(data[: rng.randrange(1, len(data))])
    if how == 1:
        for _ in range(rng.choice([1, 10, 200])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    if how == 2:
        k = rng.randrange(len(data))
        return bytes(data[:k] + rng.randbytes(500) + data[k:])
    if how == 3:
        return rng.randbytes(rng.randrange(1, 3000))
    return bytes(data[:200]) + rng.randbytes(2000)


def test_damaged_recordings_never_crash_the_way_in(store, settings, record, tmp_path):
    """Silence, damaged: each is refused with a reason, and nothing is noted."""
    rng = random.Random(3)
    kinds = [("wav", "pcm_s16le", 16_000), ("flac", "flac", 16_000), ("mp3", "libmp3lame", 44_100)]
    kinds += [("m4a", "aac", 44_100), ("ogg", "libopus", 48_000), ("webm", "libopus", 48_000)]
    folder = store.folder("inbox")
    for suffix, codec, rate in kinds:
        whole = record(tmp_path / f"whole.{suffix}", np.zeros(16_000), codec, rate).read_bytes()
        for k in range(30 if not SLOW else 400):
            (folder / f"{k:03d}.{suffix}").write_bytes(damaged(rng, whole))
    names = [
        "#EXTM3U\nfile:///etc/hostname\n", "ffconcat version 1.0\nfile '/etc/hostname'\n",
        "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\nhttp://127.0.0.1:9/live.ts\n",  # once waited for ever
    ]  # fmt: skip
    for k, text in enumerate(names):
        (folder / f"playlist{k}.m4a").write_text(text)
        (folder / f"playlist{k}.m3u8").write_text(text)
    began = time.monotonic()
    done = ingest(store, settings, ME)
    assert done.entries == [] and len(done.refused) == 180 * (1 if not SLOW else 400 / 30) + 2 * len(names)
    assert all(r["reason"] for r in done.refused)
    assert [p for p in folder.iterdir() if p.is_file()] == []
    assert time.monotonic() - began < 600
