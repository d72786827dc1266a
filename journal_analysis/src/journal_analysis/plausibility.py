"""What Whisper says where nobody spoke: loops, its prompt, the captions of films. Such words are taken out.

Every rule asks for two signs at once, because a real short sentence ("Thank you.") must not be lost to one of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal_analysis.listening import Heard
    from journal_analysis.transcript import Word

__all__ = ["believable", "is_doubtful", "is_loop", "misses_words"]

_NOBODY_SPOKE = 0.6
_GUESSED_LOGPROB = -1.0
"""Whisper's own limits for silence: no-speech probability above the one and mean log probability below the other."""
_NEVER_SAID_LOGPROB = -1.5
_NEVER_SAID_UNPROMPTED = 0.25
"""Mean probability of a piece's words without the prompt under which they come from the prompt."""
_NOT_UNDERSTOOD = 0.55
"""Mean probability of a piece's words under which they are guesses: 0.44-0.55 on speech played backwards, 0.8 and more
on the worst real recordings."""
_LOOP_COMPRESSION = 2.4
_LOOP_TIMES = 4
_LONGEST_STEP_S = 4.0
"""No two words of one piece begin further apart unless words between were missed; pauses last two seconds at most."""
_FEWEST_WORDS_PER_S = 1.0
_SHORT_S = 4.0
_UNSURE_LOGPROB = -0.18
"""Journals are at -0.05 to -0.12, with noise and accents down to -0.16."""
_CAPTIONS = re.compile(
    r"(thank(s| you)( (so|very) much)?( (for|guys).*)?|please (like|subscribe).*|"
    r"(don't forget to )?(like|subscribe)\b.*|"
    r"see you (in the )?next (time|video|one).*|subtitles? (by|made|created).*|(transcri(bed|ption)|captions?) by.*|"
    r"(you|bye|bye bye|the end|music|applause|laughter|silence|i'm sorry|okay|oh|so|www\.\S+|amara\.?org.*))"
)
"""What films end with; Whisper learned it from their subtitles."""


def believable(heard: Heard, prompt: str | None) -> tuple[Word, ...]:
    """The words of a piece that somebody said.

    Parameters
    ----------
    prompt : str, optional
        The one it was decoded with.
    """
    if not heard.words or not any(c.isalnum() for c in heard.text):
        return ()
    alone = sum(heard.unprompted) / len(heard.words)
    mean = _mean_probability(heard.words)
    if heard.no_speech > _NOBODY_SPOKE and heard.mean_logprob < _GUESSED_LOGPROB:
        return ()
    if (
        heard.mean_logprob < _NEVER_SAID_LOGPROB
        or mean < _NOT_UNDERSTOOD
        or alone < _NEVER_SAID_UNPROMPTED
        or is_loop(heard)
    ):
        return ()
    if _is_caption(heard.words) and (mean < 0.6 or heard.piece.speech_s > 2.5 * len(heard.words)):
        return ()
    sentences = _sentences(heard.words)
    if len(sentences) > 1 and _is_caption(sentences[-1]) and _mean_probability(sentences[-1]) < 0.6:
        sentences.pop()
    kept: list[Word] = []
    here = 0
    for sentence in sentences:
        if not _is_echo(sentence, heard.unprompted[here : here + len(sentence)], prompt):
            kept += sentence
        here += len(sentence)
    return tuple(kept)


def is_doubtful(heard: Heard) -> bool:
    """Whether a piece should be listened to a second time, without the prompt.

    So it is where words were missed, where the whole is not sure, and where the prompt was no help to any word, as on
    talk about other things: there it does harm.
    """
    if misses_words(heard) or heard.mean_logprob < _UNSURE_LOGPROB:
        return True
    return sum(heard.unprompted) >= sum(w.probability for w in heard.words)


def misses_words(heard: Heard) -> bool:
    """Whether there is more speech in a piece than words, or a loop in their place."""
    words, piece = heard.words, heard.piece
    if is_loop(heard) or heard.mean_logprob < _GUESSED_LOGPROB:
        return True
    if piece.speech_s < _SHORT_S:
        return not words
    if len(words) < _FEWEST_WORDS_PER_S * piece.speech_s:
        return True
    starts = [piece.start_s, *(w.start_s for w in words), piece.end_s]
    return max(b - a for a, b in zip(starts, starts[1:], strict=False)) > _LONGEST_STEP_S


def is_loop(heard: Heard) -> bool:
    """Whether Whisper got caught repeating itself."""
    if heard.compression > _LOOP_COMPRESSION:
        return True
    said = [_bare(w) for w in heard.words]
    for length in range(1, 9):
        run = 0
        for i in range(length, len(said)):
            run = run + 1 if said[i] == said[i - length] else 0
            if run >= length * (_LOOP_TIMES - 1) and (length > 1 or run >= 5):
                return True
    return False


def _is_caption(words: Sequence[Word]) -> bool:
    return _CAPTIONS.fullmatch(" ".join(_bare(w) for w in words)) is not None


def _is_echo(sentence: Sequence[Word], unprompted: Sequence[float], prompt: str | None) -> bool:
    """A sentence of the prompt that the model, asked without the prompt, does not hear."""
    if prompt is None:
        return False
    said = " ".join(_bare(w) for w in sentence)
    asked = " ".join(re.findall(r"[\w']+", prompt.lower()))
    return f" {said} " in f" {asked} " and sum(unprompted) / len(sentence) < 0.5


def _sentences(words: Sequence[Word]) -> list[list[Word]]:
    sentences: list[list[Word]] = [[]]
    for word in words:
        sentences[-1].append(word)
        if word.text.endswith((".", "!", "?")):
            sentences.append([])
    return [s for s in sentences if s]


def _mean_probability(words: Sequence[Word]) -> float:
    return sum(w.probability for w in words) / len(words)


def _bare(word: Word) -> str:
    return re.sub(r"[^\w'.]|\.$", "", word.text.lower())
