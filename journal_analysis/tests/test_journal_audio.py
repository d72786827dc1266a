"""Recordings: real Whisper on the demo's note; silence, noise, garbage and endless files give a sentence."""

from datetime import UTC, datetime

import numpy as np
import pytest

from journal_analysis import add_audio, audio, confirm, receipt
from journal_analysis.audio import SAMPLE_RATE, decode
from journal_analysis.behaviours import data_file
from journal_analysis.errors import NoSpeech, UnreadableAudio
from journal_analysis.extraction import extract
from journal_analysis.transcription import transcribe
from journal_analysis.word_error import word_errors


def sounds():
    rng = np.random.default_rng(0)
    seconds = 4 * SAMPLE_RATE
    brown = np.cumsum(rng.normal(size=seconds))
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(seconds) / SAMPLE_RATE)
    return {
        "silence": np.zeros(seconds),
        "noise": 0.2 * rng.normal(size=seconds),
        "hum": 0.5 * brown / abs(brown).max(),
        "tone": tone,
    }


@pytest.mark.parametrize("name", ["silence", "noise", "hum", "tone"])
def test_where_nobody_speaks_nothing_is_noted(store, settings, tmp_path, record, name):
    path = record(tmp_path / f"{name}.wav", sounds()[name])
    with pytest.raises(NoSpeech, match="nobody speaks"):
        add_audio(store, settings, "me", path)
    assert store.record.members() == [] and list(store.folder("audio").iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"no sound at all" * 50, b"RIFF\x00\x00\x00\x00WAVEfmt ", b"fLaC\x00\x00\x00\x22"]
)
def test_garbage_gets_a_sentence(settings, tmp_path, content):
    path = tmp_path / "note.flac"
    path.write_bytes(content)
    with pytest.raises(UnreadableAudio, match="note.flac"):
        transcribe(path, settings)


def test_too_long_and_too_large_are_refused(tmp_path, record, monkeypatch):
    path = record(tmp_path / "long.wav", np.zeros(5 * SAMPLE_RATE))
    monkeypatch.setattr(audio, "MAX_AUDIO_MIN", 0.05)
    with pytest.raises(UnreadableAudio, match="longer than"):
        decode(path)
    monkeypatch.setattr(audio, "MAX_AUDIO_BYTES", 1000)
    with pytest.raises(UnreadableAudio, match="MB"):
        decode(path)


def test_the_demo_note_is_heard_and_understood_whole(store, with_whisper):
    note = data_file("demo_note.flac")
    provenance = " ".join(data_file("demo_note.txt").read_text(encoding="utf-8").split())
    reference = provenance.split("Reference ")[1]
    told_at = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)
    entry = add_audio(store, with_whisper, "me", note, told_at)
    errors, words = word_errors(reference, entry.transcript)
    assert errors / words < 0.05
    from_words = extract(reference, entry.day)
    assert {(f.behaviour, f.kind, f.amount, f.clock_time) for f in entry.facts} == {
        (f.behaviour, f.kind, f.amount, f.clock_time) for f in from_words
    }
    amounts = {f.behaviour: f.clock_time or f.amount for f in entry.facts if f.status == "accepted"}
    expected = {
        "alcohol": 2,
        "alcohol_last_time": "21:30",
        "caffeine": 2,
        "stress": 4,
        "planned_bedtime": "23:00",
    }
    assert expected.items() <= amounts.items()
    assert receipt(entry).startswith("I heard: 2 drinks (two glasses of red wine")
    kept = next(store.record.facts("journal_entry", "me")).payload
    assert kept["audio_sha256"] == entry.key and len(kept["model_sha256"]) == 64
    assert add_audio(store, with_whisper, "me", note, told_at).already
    assert [p.name for p in store.folder("audio").iterdir()] == [f"{entry.key}.flac"]
    confirm(store, "me", entry.key)
    assert list(store.folder("audio").iterdir()) == []
