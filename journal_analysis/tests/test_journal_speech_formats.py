"""Every common format gives the same words, and a recording's own time comes before that of its file."""

import os
from datetime import UTC, datetime, timedelta, timezone

import av
import numpy as np
import pytest

from journal_analysis.audio import SAMPLE_RATE, decode, recorded_at_of
from journal_analysis.behaviours import data_file
from journal_analysis.transcription import transcribe
from journal_analysis.word_error import comparable_words

NOW = datetime(2026, 3, 4, 20, 30, tzinfo=UTC)
FORMATS = [
    ("wav", "pcm_s16le", 16_000),
    ("flac", "flac", 44_100),
    ("mp3", "libmp3lame", 44_100),
    ("m4a", "aac", 48_000),
    ("ogg", "libopus", 48_000),
    ("webm", "libopus", 48_000),
]


@pytest.fixture
def spoken():
    """The first sentences of the demo's note."""
    return decode(data_file("demo_note.flac"))[: 6 * SAMPLE_RATE]


@pytest.mark.parametrize(("suffix", "codec", "rate"), FORMATS)
def test_a_tone_keeps_its_pitch_and_length(tmp_path, record, suffix, codec, rate):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)
    samples = decode(record(tmp_path / f"tone.{suffix}", tone, codec, rate))
    assert samples.dtype == np.float32
    assert abs(len(samples) / SAMPLE_RATE - 2) < 0.15
    assert np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / len(samples) == pytest.approx(440, abs=2)


def test_every_format_gives_the_same_words(tmp_path, record, with_whisper, spoken):
    words = {}
    for suffix, codec, rate in FORMATS:
        path = record(tmp_path / f"note.{suffix}", spoken, codec, rate)
        words[suffix] = comparable_words(transcribe(path, with_whisper).text)
    assert len(words["wav"]) > 8
    assert all(heard == words["wav"] for heard in words.values()), words


def test_both_channels_of_a_stereo_recording_are_heard(tmp_path):
    tone = (0.5 * 32767 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    stereo = np.stack([np.zeros_like(tone), tone], axis=1).reshape(1, -1)
    with av.open(str(tmp_path / "right.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
        frame.rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert np.abs(decode(tmp_path / "right.wav")).max() > 0.2


@pytest.mark.parametrize("suffix", ["m4a", "webm"])
def test_the_recorders_own_time_comes_first(tmp_path, record, suffix):
    codec = "aac" if suffix == "m4a" else "libopus"
    quiet = np.zeros(SAMPLE_RATE)
    tagged = record(
        tmp_path / f"memo.{suffix}", quiet, codec, 48_000, {"creation_time": "2026-03-02T21:40:00.000000Z"}
    )
    os.utime(tagged, (NOW.timestamp() - 60,) * 2)
    assert recorded_at_of(tagged, NOW) == datetime(2026, 3, 2, 21, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "tag", [{}, {"creation_time": "1970-01-01T00:00:00Z"}, {"creation_time": "2031-01-01T00:00:00Z"}]
)
def test_without_a_believable_tag_the_files_time_counts(tmp_path, record, tag):
    path = record(tmp_path / "memo.m4a", np.zeros(SAMPLE_RATE), "aac", 48_000, tag)
    written = NOW - timedelta(hours=2)
    os.utime(path, (written.timestamp(),) * 2)
    assert recorded_at_of(path, NOW) == written
    os.utime(path, ((NOW + timedelta(days=1)).timestamp(),) * 2)
    assert recorded_at_of(path, NOW) == NOW


def test_a_tag_with_its_own_offset_keeps_it(tmp_path, record):
    tags = {"date": "2026-03-02T21:40:00+02:00"}
    path = record(tmp_path / "memo.flac", np.zeros(SAMPLE_RATE), "flac", tags=tags)
    told = recorded_at_of(path, NOW)
    assert told == datetime(2026, 3, 2, 21, 40, tzinfo=timezone(timedelta(hours=2)))
    assert told.utcoffset() == timedelta(hours=2)


def test_what_is_no_recording_has_the_time_of_its_file(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("rest day")
    os.utime(path, (NOW.timestamp() - 5,) * 2)
    assert recorded_at_of(path, NOW) == NOW - timedelta(seconds=5)
