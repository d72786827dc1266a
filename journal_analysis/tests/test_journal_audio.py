"""Recordings: real Whisper on the demo's note; silence, noise, garbage and endless files give a sentence."""

from datetime import UTC, datetime

import av
import numpy as np
import pytest

from hrv_shared.models import ModelAbsent, resolve
from hrv_shared.settings import load_settings
from journal_analysis import add_audio, confirm, receipt, transcription
from journal_analysis.behaviours import data_file
from journal_analysis.errors import NoSpeech, UnreadableAudio
from journal_analysis.transcription import SAMPLE_RATE, decode, transcribe
from journal_analysis.word_error import word_errors


def record(path, samples, codec="pcm_s16le", rate=SAMPLE_RATE):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        for start in range(0, pcm.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(pcm[:, start : start + 1024], format="s16", layout="mono")
            frame.rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


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


@pytest.fixture
def with_whisper(settings):
    """Settings with the real cache, for the tests that listen."""
    real = load_settings({})
    try:
        resolve(
            real.asr_model,
            cache_dir=real.cache_dir,
            configured_path=real.asr_model_path,
            allow_download=False,
        )
    except ModelAbsent:
        pytest.skip(
            f"the speech model {real.asr_model} is not in {real.cache_dir}; fetch it with: hrv models fetch asr"
        )
    return settings.model_copy(update={"cache_dir": real.cache_dir, "asr_model_path": real.asr_model_path})


@pytest.mark.parametrize("name", ["silence", "noise", "hum", "tone"])
def test_where_nobody_speaks_nothing_is_noted(store, settings, tmp_path, name):
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


def test_too_long_and_too_large_are_refused(settings, tmp_path, monkeypatch):
    path = record(tmp_path / "long.wav", np.zeros(5 * SAMPLE_RATE))
    monkeypatch.setattr(transcription, "MAX_AUDIO_MIN", 0.05)
    with pytest.raises(UnreadableAudio, match="longer than"):
        decode(path)
    monkeypatch.setattr(transcription, "MAX_AUDIO_BYTES", 1000)
    with pytest.raises(UnreadableAudio, match="MB"):
        decode(path)


@pytest.mark.parametrize(
    ("suffix", "codec", "rate"),
    [("flac", "flac", 44_100), ("mp3", "libmp3lame", 44_100)],
)
def test_any_common_format_is_decoded(tmp_path, suffix, codec, rate):
    if codec not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no {codec}")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    samples = decode(record(tmp_path / f"tone.{suffix}", tone, codec, rate))
    assert samples.dtype == np.float32
    assert abs(len(samples) / SAMPLE_RATE - 2) < 0.15
    assert np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples) == pytest.approx(440, abs=2)


def test_the_demo_note_is_heard_and_understood_whole(store, with_whisper):
    note = data_file("demo_note.flac")
    provenance = " ".join(data_file("demo_note.txt").read_text(encoding="utf-8").split())
    reference = provenance.split("Reference ")[1]
    told_at = datetime(2026, 3, 4, 20, 0, tzinfo=UTC)
    entry = add_audio(store, with_whisper, "me", note, told_at)
    errors, words = word_errors(reference, entry.transcript)
    assert errors / words < 0.05
    got = {(f.behaviour, f.kind): f.clock_time or f.amount for f in entry.facts if f.status == "accepted"}
    assert got == {
        ("alcohol", "amount"): 2,
        ("alcohol_last_time", "time"): "21:30",
        ("hiit", "yes"): None,
        ("rpe", "scale"): 5,
        ("workout", "amount"): 60,
        ("caffeine", "amount"): 2,
        ("caffeine_last_time", "time"): "10:00",
        ("stress", "scale"): 4,
        ("magnesium", "no"): 0,
        ("planned_bedtime", "time"): "23:00",
    }
    assert receipt(entry).startswith("I heard: 2 drinks (two glasses of red wine), last at 21:30; intervals;")
    kept = next(store.record.facts("journal_entry", "me")).payload
    assert kept["audio_sha256"] == entry.key and len(kept["model_sha256"]) == 64
    assert add_audio(store, with_whisper, "me", note, told_at).already
    assert [p.name for p in store.folder("audio").iterdir()] == [f"{entry.key}.flac"]
    confirm(store, "me", entry.key)
    assert list(store.folder("audio").iterdir()) == []
