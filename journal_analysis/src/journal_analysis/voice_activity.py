"""Where in a recording somebody speaks (Silero's detector, which faster-whisper carries), cut into pieces for Whisper.

Whisper sees 30 s at once and invents text where nobody speaks. So it is given stretches of speech with the pauses of up
to two seconds between them left in, cut at pauses, never longer than it can see; longer silence never reaches it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from journal_analysis.audio import SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = ["Piece", "pieces_of", "speech_in"]

_SPEAKS_FROM = 0.5
"""Probability of voice activity from which a moment counts as speech (Silero's own default)."""
_LEAST_SPEECH_MS = 250
"""Shorter sounds are clicks and coughs; a "no" alone lasts about 300 ms."""
_PAUSE_MS = 160
_AROUND_MS = 400
"""Kept before and after each stretch, so that no first or last sound is cut."""
_LONGEST_S = 29.0
_LONGEST_PAUSE_S = 2.0


@dataclass(frozen=True)
class Piece:
    """A part of a recording for one look of Whisper: its borders and the speech within them, in seconds."""

    start_s: float
    end_s: float
    speech_s: float


def speech_in(samples: np.ndarray) -> list[tuple[float, float]]:
    """Stretches of speech, in seconds; none where nobody speaks."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=_SPEAKS_FROM,
        min_speech_duration_ms=_LEAST_SPEECH_MS,
        max_speech_duration_s=_LONGEST_S,
        min_silence_duration_ms=_PAUSE_MS,
        speech_pad_ms=_AROUND_MS,
    )
    found = get_speech_timestamps(samples, options)
    return [(s["start"] / SAMPLE_RATE, s["end"] / SAMPLE_RATE) for s in found if s["end"] > s["start"]]


def pieces_of(stretches: Sequence[tuple[float, float]]) -> list[Piece]:
    """Join stretches of speech to pieces of at most what Whisper sees, with the short pauses between them."""
    pieces: list[Piece] = []
    for start, end in stretches:
        last = pieces[-1] if pieces else None
        if last and end - last.start_s <= _LONGEST_S and start - last.end_s <= _LONGEST_PAUSE_S:
            pieces[-1] = Piece(last.start_s, end, last.speech_s + end - start)
        else:
            pieces.append(Piece(start, end, end - start))
    return pieces
