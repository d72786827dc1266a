"""Speech to text: from a recording to its transcript, on this machine, with the settings that measured best.

Voice activity first, then Whisper on each piece with a prompt in the style of a spoken journal (numbers in words, the
vocabulary of the ontology); pieces in which words seem to be missing are listened to a second time; what nobody said is
taken out. `benchmarks/journal/RESULTS.md` has the settings that were tried and what each was worth.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from journal_analysis.audio import SAMPLE_RATE, decode
from journal_analysis.errors import NoSpeech
from journal_analysis.listening import Heard, Model, language_of, listen, load_model
from journal_analysis.mishearings import mended
from journal_analysis.plausibility import believable, is_doubtful, misses_words
from journal_analysis.transcript import Transcript
from journal_analysis.voice_activity import pieces_of, speech_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from hrv_shared.settings import Settings

__all__ = ["PROMPT", "transcribe"]

PROMPT = (
    "I slept six and a half hours. Mood seven. Stress two out of five. I had two coffees, an espresso, a cappuccino, a "
    "matcha and a decaf, the last at half past two. No alcohol, no workout. I did a forty five minute tempo run, RPE "
    "eight, intervals, zone two, squats at sixty kilos, then breathwork. I took magnesium, creatine, ashwagandha, "
    "electrolytes, ibuprofen and an energy gel at nine thirty. No sore throat. Stress was four."
)
"""Whisper writes as its prompt does: numbers in words, and the ontology's rarer words as they are spelled."""
_SOUNDS_FOREIGN_LOGPROB = -0.6
"""Mean log probability of an English reading under which the language is asked for."""
_SURELY_FOREIGN = 0.5


def transcribe(path: Path, settings: Settings) -> Transcript:
    """Write down a recording.

    Parameters
    ----------
    path : Path
        Any common audio format; at most `audio.MAX_AUDIO_MIN` minutes and `audio.MAX_AUDIO_BYTES` bytes.

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
    pieces = pieces_of(speech_in(samples))
    if not pieces:
        raise NoSpeech(
            f"{path.name}: {seconds:.0f} s of audio, but nobody speaks in it. Nothing was noted; record it again."
        )
    model = load_model(settings)
    language = "en" if settings.asr_language == "auto" else settings.asr_language
    heard = listen(model, samples, pieces, language, _prompt_in(language))
    if settings.asr_language == "auto" and _mean_logprob(heard) < _SOUNDS_FOREIGN_LOGPROB:
        spoken, sure = language_of(model, samples)
        if spoken != language and sure >= _SURELY_FOREIGN:
            foreign = listen(model, samples, pieces, spoken, None)
            if _mean_logprob(foreign) > _mean_logprob(heard):
                language, heard = spoken, foreign
    heard = _second_look(model, samples, heard, language)
    words = tuple(word for one in heard for word in believable(one, _prompt_in(language)))
    if language == "en":
        words = mended(words)
    if not any(c.isalnum() for w in words for c in w.text):
        raise NoSpeech(
            f"{path.name}: there is sound, but no words could be made out. Nothing was noted; record it again."
        )
    text = " ".join(w.text for w in words)
    return Transcript(text, seconds, model.name, model.sha256, language, words)


def _prompt_in(language: str) -> str | None:
    return PROMPT if language == "en" else None


def _mean_logprob(heard: Sequence[Heard]) -> float:
    words = sum(len(h.words) for h in heard)
    return sum(h.mean_logprob * len(h.words) for h in heard) / words if words else -10.0


def _second_look(model: Model, samples: np.ndarray, heard: list[Heard], language: str) -> list[Heard]:
    """Listen again, without the prompt, to doubtful pieces; keep what covers more speech, then the surer one."""
    again = [h.piece for h in heard if is_doubtful(h)]
    second = {h.piece: h for h in listen(model, samples, again, language, None)}
    return [_better(h, second[h.piece]) if h.piece in second else h for h in heard]


def _better(first: Heard, second: Heard) -> Heard:
    doubts = misses_words(first), misses_words(second)
    if doubts[0] != doubts[1]:
        return second if doubts[0] else first
    return max(first, second, key=lambda h: h.mean_logprob)
