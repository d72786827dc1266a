"""Whisper on this machine: the model, and what it hears in each piece of a recording, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journal_analysis.audio import SAMPLE_RATE
from journal_analysis.transcript import Word

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

    from hrv_shared.settings import Settings
    from journal_analysis.voice_activity import Piece

__all__ = ["Heard", "Model", "language_of", "listen", "load_model", "words_of"]

BEAM = 3
"""Five was no better on 45 recordings and a fifth slower to decode."""
PIECES_AT_ONCE = 4
FRAMES_PER_S = 100
TOKEN_S = 0.02
"""Whisper's attention moves in steps of two frames."""


@dataclass(frozen=True)
class Model:
    """A loaded speech model: its name and sha256, and how to run it."""

    whisper: WhisperModel
    name: str
    sha256: str


@dataclass(frozen=True)
class Heard:
    """What was heard in one piece of a recording.

    Attributes
    ----------
    words : tuple of Word
    unprompted : tuple of float
        The probability of each word without the prompt: what the prompt alone put there has a low one.
    mean_logprob : float
        Of the text as decoded, per token.
    no_speech : float
        Probability that nobody speaks.
    compression : float
        How well the text can be compressed; above 2.4 it is a loop.
    """

    piece: Piece
    text: str
    words: tuple[Word, ...]
    unprompted: tuple[float, ...]
    mean_logprob: float
    no_speech: float
    compression: float


def load_model(settings: Settings) -> Model:
    """Find the model of the settings, fetching it where that is allowed, and load it once for this process.

    Raises
    ------
    hrv_shared.models.ModelError
        It is not on this machine and could not be fetched.
    """
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
    from faster_whisper import WhisperModel

    whisper = WhisperModel(
        str(path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
    )
    return Model(whisper, name, sha256)


def listen(
    model: Model, samples: np.ndarray, pieces: Sequence[Piece], language: str, prompt: str | None
) -> list[Heard]:
    """Write down pieces of a recording.

    Parameters
    ----------
    samples : ndarray [n], 16 kHz
    prompt : str, optional
        Text in whose style and vocabulary to write. No piece is told what was heard before it: Whisper would carry
        an error on.

    Returns
    -------
    list of Heard
        One for each piece, in order.
    """
    from faster_whisper.tokenizer import Tokenizer

    whisper = model.whisper
    tokenizer = Tokenizer(whisper.hf_tokenizer, whisper.model.is_multilingual, "transcribe", language)
    heard: list[Heard] = []
    for i in range(0, len(pieces), PIECES_AT_ONCE):
        heard += _listen_at_once(whisper, tokenizer, samples, pieces[i : i + PIECES_AT_ONCE], prompt)
    return heard


def _listen_at_once(
    whisper: WhisperModel,
    tokenizer: Tokenizer,
    samples: np.ndarray,
    pieces: Sequence[Piece],
    prompt: str | None,
) -> list[Heard]:
    from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens

    seen = whisper.encode(_features(whisper, samples, pieces))
    start = whisper.get_prompt(
        tokenizer, tokenizer.encode(f" {prompt}") if prompt else [], without_timestamps=True
    )
    decoded = whisper.model.generate(
        seen,
        [start] * len(pieces),
        beam_size=BEAM,
        max_length=whisper.max_length,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        return_scores=True,
        return_no_speech_prob=True,
    )
    tokens = [[t for t in d.sequences_ids[0] if t < tokenizer.eot] for d in decoded]
    frames = [int((p.end_s - p.start_s) * FRAMES_PER_S) for p in pieces]
    prompted = whisper.model.align(seen, start[:-1], tokens, frames)
    texts = [tokenizer.decode(t).strip() for t in tokens]
    alone = whisper.model.align(seen, tokenizer.sot_sequence, tokens, frames) if prompt else prompted
    return [
        Heard(
            piece,
            texts[i],
            tuple(words_of(tokenizer, tokens[i], prompted[i], piece)),
            tuple(w.probability for w in words_of(tokenizer, tokens[i], alone[i], piece)),
            decoded[i].scores[0] * len(decoded[i].sequences_ids[0]) / (len(decoded[i].sequences_ids[0]) + 1),
            decoded[i].no_speech_prob,
            get_compression_ratio(texts[i]),
        )
        for i, piece in enumerate(pieces)
    ]


def _features(whisper: WhisperModel, samples: np.ndarray, pieces: Sequence[Piece]) -> np.ndarray:
    """What Whisper sees of each piece: a log-mel spectrogram of 30 s, shape [pieces, mels, frames]."""
    import numpy as np
    from faster_whisper.audio import pad_or_trim

    cut = [samples[int(p.start_s * SAMPLE_RATE) : int(p.end_s * SAMPLE_RATE)] for p in pieces]
    return np.stack([pad_or_trim(whisper.feature_extractor(part)[..., :-1]) for part in cut])


def language_of(model: Model, samples: np.ndarray) -> tuple[str, float]:
    """The language spoken (ISO 639-1) and its probability; "en" for a model that knows only English."""
    whisper = model.whisper
    if not whisper.model.is_multilingual:
        return "en", 1.0
    language, probability, _ = whisper.detect_language(samples)
    return language, probability


def words_of(tokenizer: Tokenizer, tokens: Sequence[int], aligned: Any, piece: Piece) -> list[Word]:
    """Whole words with their time and their probability (that of their least probable token)."""
    began: dict[int, int] = {}
    for token, frame in aligned.alignments:
        began.setdefault(token, frame)
    end_frame = aligned.alignments[-1][1] if aligned.alignments else 0
    words: list[Word] = []
    parts, parts_tokens = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    at = 0
    for part, own in zip(parts[:-1], parts_tokens[:-1], strict=True):
        probability = sum(aligned.text_token_probs[at : at + len(own)]) / max(len(own), 1)
        start_s = min(piece.start_s + began.get(at, end_frame) * TOKEN_S, piece.end_s)
        at += len(own)
        end_s = min(piece.start_s + began.get(at, end_frame) * TOKEN_S, piece.end_s)
        text = part.strip()
        if words and text and not part.startswith(" "):
            last = words.pop()
            punctuation = not any(c.isalnum() for c in text)
            lower = last.probability if punctuation else min(last.probability, probability)
            words.append(Word(last.text + text, last.start_s, last.end_s if punctuation else end_s, lower))
        elif text:
            words.append(Word(text, start_s, end_s, probability))
    return words
