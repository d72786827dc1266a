"""Speech to text: Whisper through faster-whisper, on this machine, in one fixed way.

The options and the prompt are the measured best of several (word error rate 1.9 % on spoken journals): batches cut by
voice activity, no timestamps, beam 5. Without the batches Whisper was seen to drop a "No". Silence gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journal_analysis.errors import NoSpeech, UnreadableAudio

if TYPE_CHECKING:
    import numpy as np

    from hrv_shared.settings import Settings

__all__ = ["MAX_AUDIO_BYTES", "MAX_AUDIO_MIN", "PROMPT", "Transcript", "transcribe"]

PROMPT = (
    "A daily health journal: sleep, stress, alcohol, coffee, training, intervals, tempo run, energy gel, magnesium, "
    "sauna, sore throat."
)
SAMPLE_RATE = 16_000
MAX_AUDIO_MIN = 30.0
MAX_AUDIO_BYTES = 200 * 1024 * 1024

_SPEAKS_FROM = 0.5
"""Probability of voice activity from which a stretch counts as speech (Silero's own default)."""
_NOBODY_SPOKE = -1.0
"""Mean log probability under which a segment with a high no-speech probability is Whisper talking to itself."""


@dataclass(frozen=True)
class Transcript:
    """What was said: ``text``, the recording's ``seconds``, and the model (name, sha256) that heard it."""

    text: str
    seconds: float
    model: str
    model_sha256: str


def transcribe(path: Path, settings: Settings) -> Transcript:
    """Write down a recording.

    Parameters
    ----------
    path : Path
        Any common audio format; at most `MAX_AUDIO_MIN` minutes and `MAX_AUDIO_BYTES` bytes.

    Raises
    ------
    UnreadableAudio
        Not a recording, damaged, too long or too large.
    NoSpeech
        Silence, noise, or nothing that could be understood.
    hrv_shared.models.ModelError
        The speech model is not on this machine and could not be fetched.
    """
    samples = decode(path)
    seconds = len(samples) / SAMPLE_RATE
    if not _has_speech(samples):
        raise NoSpeech(
            f"{path.name}: {seconds:.0f} s of audio, but nobody speaks in it. Nothing was noted; record it again."
        )
    model = load_model(settings)
    segments, _ = model.pipeline.transcribe(
        samples, language="en", beam_size=5, batch_size=4, without_timestamps=True, initial_prompt=PROMPT
    )
    heard = [s for s in segments if not (s.no_speech_prob > 0.6 and s.avg_logprob < _NOBODY_SPOKE)]
    text = " ".join(s.text.strip() for s in heard).strip()
    if not any(c.isalnum() for c in text) or _is_prompt(text):
        raise NoSpeech(
            f"{path.name}: there is sound, but no words could be made out. Nothing was noted; record it again."
        )
    return Transcript(text, seconds, model.name, model.sha256)


def decode(path: Path) -> np.ndarray:
    """The recording as mono samples at 16 kHz (float32, -1 … 1), shape [n].

    Raises
    ------
    UnreadableAudio
        As for `transcribe`.
    """
    import av
    import numpy as np

    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise UnreadableAudio(
            f"Expected a recording at {path}, but it can't be opened ({error.strerror})."
        ) from error
    if size_bytes > MAX_AUDIO_BYTES:
        raise UnreadableAudio(
            f"{path.name} has {size_bytes / 1e6:.0f} MB; a note may have {MAX_AUDIO_BYTES / 1e6:.0f} MB. "
            "Cut or compress it."
        )
    pieces: list[np.ndarray] = []
    total = 0
    try:
        with av.open(str(path), mode="r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise UnreadableAudio(
                    f"{path.name} holds no sound. Expected a recording (flac, wav, mp3, m4a, ogg, webm …)."
                )
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                frame.pts = None
                for out in resampler.resample(frame):
                    pieces.append(out.to_ndarray().reshape(-1))
                    total += pieces[-1].size
                if total > MAX_AUDIO_MIN * 60 * SAMPLE_RATE:
                    raise UnreadableAudio(
                        f"{path.name} is longer than {MAX_AUDIO_MIN:.0f} minutes. Cut it and add the parts."
                    )
            for out in resampler.resample(None):
                pieces.append(out.to_ndarray().reshape(-1))
    except (av.FFmpegError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableAudio(
            f"{path.name} can't be read as a recording ({reason}). Expected flac, wav, mp3, m4a, ogg or webm; "
            "record it again."
        ) from error
    if not pieces or not total:
        raise UnreadableAudio(f"{path.name} is an empty recording. Record it again.")
    return np.concatenate(pieces).astype(np.float32, copy=False)


def _has_speech(samples: np.ndarray) -> bool:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    return bool(get_speech_timestamps(samples, VadOptions(threshold=_SPEAKS_FROM)))


def _is_prompt(text: str) -> bool:
    """Whisper repeats its prompt where it hears nothing."""
    return text.strip(" .").lower() in PROMPT.strip(" .").lower()


@dataclass(frozen=True)
class Model:
    pipeline: Any
    name: str
    sha256: str


def load_model(settings: Settings) -> Model:
    from hrv_shared.models import StderrProgress, resolve

    found = resolve(
        settings.asr_model,
        cache_dir=settings.cache_dir,
        configured_path=settings.asr_model_path,
        allow_download=settings.allow_download,
        progress=StderrProgress(),
    )
    return _open_model(found.path, found.name, found.sha256, settings.threads)


@lru_cache(maxsize=1)
def _open_model(path: Path, name: str, sha256: str, threads: int) -> Model:
    """Load once per process: several notes of an inbox share it."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    model = WhisperModel(
        str(path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )
    return Model(BatchedInferencePipeline(model), name, sha256)
