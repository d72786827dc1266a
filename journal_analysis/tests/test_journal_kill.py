"""kill -9 anywhere during ingest: nothing lost, nothing doubled, the next run carries on."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from hrv_shared.store import Store
from journal_analysis import inbox as inbox_module
from journal_analysis import ingest

NOTES = 25


def fill(inbox):
    for number in range(NOTES):
        file = inbox / f"{number:02d}.txt"
        file.write_text(f"{number} beers. Stress two out of five. Note {number}.")
        os.utime(file, (1_772_400_000, 1_772_400_000))


def facts_of(store):
    return [
        (f.kind, f.key, f.revision, f.payload["entry_key"]) for f in store.record.facts("journal_fact", "me")
    ]


def test_a_clean_run_and_one_killed_again_and_again_give_the_same(settings, tmp_path):
    clean = Store(tmp_path / "clean")
    fill(clean.folder("inbox"))
    ingest(clean, settings, "me")

    killed = Store(settings.home)
    fill(killed.folder("inbox"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {
        "HRV_HOME": str(settings.home)
    }
    command = [sys.executable, "-m", "journal_analysis", "ingest", "--json"]
    rng = random.Random(1)
    began = time.monotonic()
    subprocess.run(
        command, env=environment | {"HRV_HOME": str(tmp_path / "empty")}, check=True, capture_output=True
    )
    whole_run = time.monotonic() - began
    interrupted = 0
    for _ in range(6):
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=whole_run * rng.uniform(0.5, 1.1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            interrupted += process.wait() == -signal.SIGKILL
    assert interrupted, "no run was interrupted; the times above are wrong"
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert '"refused": []' in done.stdout

    assert sorted(facts_of(killed)) == sorted(facts_of(clean))
    assert len(killed.read_table("journal_facts")) == len(clean.read_table("journal_facts"))
    assert [p for p in killed.folder("inbox").iterdir() if p.is_file()] == []
    assert len(list(killed.folder("audio").iterdir())) == NOTES


@pytest.mark.parametrize("stop_at", range(4))
def test_a_stop_between_record_and_move_is_carried_on(store, settings, monkeypatch, stop_at):
    inbox = store.folder("inbox")
    for number in range(3):
        (inbox / f"{number}.txt").write_text(f"{number + 1} beers.")
    real, left = inbox_module._move, [stop_at]

    def stops(path, target):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(path, target)

    monkeypatch.setattr(inbox_module, "_move", stops)
    if stop_at < 3:
        with pytest.raises(KeyboardInterrupt):
            ingest(store, settings, "me")
        assert len(list(inbox.iterdir())) == 3 - stop_at
    monkeypatch.setattr(inbox_module, "_move", real)
    done = ingest(store, settings, "me")
    assert done.already == (1 if stop_at < 3 else 0)
    assert len(list(store.record.facts("journal_entry", "me"))) == 3
    assert list(inbox.iterdir()) == []
