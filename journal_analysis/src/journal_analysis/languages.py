"""In which language a note is written: the rules read English only, and say so rather than misread another.

A terse English note ("2 pints, no gym, stress 3") must never be taken for another language, so three witnesses are
asked, and English wins every doubt: plain words of each language (``data/languages.toml``), a small offline identifier
(py3langid; only where those words raise a suspicion, it takes a while to load), and whether the rules found anything.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from functools import cache
from typing import Any, NamedTuple

from journal_analysis.behaviours import data_file

__all__ = ["language_name", "language_of_text"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "ARABIC": "ar",
    "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th",
}  # fmt: skip
_OTHER_NAMES = {
    "ru": "Russian", "uk": "Ukrainian", "bg": "Bulgarian", "sr": "Serbian", "el": "Greek", "ko": "Korean",
    "ja": "Japanese", "zh": "Chinese", "ar": "Arabic", "fa": "Persian", "ur": "Urdu", "he": "Hebrew", "hi": "Hindi",
    "th": "Thai", "hu": "Hungarian", "ro": "Romanian", "nn": "Norwegian", "ca": "Catalan", "hr": "Croatian",
    "vi": "Vietnamese", "id": "Indonesian",
}  # fmt: skip
_LATIN = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "no",
    "pl",
    "fi",
    "tr",
    "cs",
    "hu",
    "ro",
    "ca",
    "vi",
    "id",
)
_CYRILLIC = ("ru", "uk", "bg", "sr")
_SURE = 0.8
_SURE_WITH_A_WORD = 0.5
"""Probability that counts where a plain word says the same, no English word is seen and the rules found nothing."""
_SURE_ALONE = 0.97
"""Probability that counts where no plain word of a language is seen."""
_LEAST_WORDS_ALONE = 4


class _Seen(NamedTuple):
    """Plain words of English seen in a text; the other language with most, and how many of its words; all words."""

    english: int
    other: str
    others: int
    words: int


def language_of_text(text: str, *, found: int = 0, heard: str | None = None) -> str:
    """The language of a note (ISO 639-1), "en" in every doubt.

    Parameters
    ----------
    found : int
        How many facts the rules found in it.
    heard : str, optional
        The language in which it was spoken, as the speech model has it.
    """
    script = _foreign_script(text)
    if script:
        return _cyrillic(text) if script == "ru" else script
    seen = _seen(text)
    if heard and heard != "en":
        return "en" if seen.english > seen.others else heard
    if seen.english * 2 >= seen.others > 0 or (not seen.others and (seen.english or found)):
        return "en"
    if not seen.others and seen.words < _LEAST_WORDS_ALONE:
        return "en"
    language, sure = _identified(text, _LATIN)
    if language == "en":
        return "en"
    if not seen.others:
        return language if sure >= _SURE_ALONE else "en"
    if seen.others >= 2:
        return language if sure >= _SURE else seen.other
    if language == seen.other and seen.words >= 2:
        return language if sure >= (_SURE if seen.english or found else _SURE_WITH_A_WORD) else "en"
    return language if sure >= _SURE_ALONE else "en"


def language_name(code: str) -> str:
    """Its English name, for the receipt."""
    told = _plain_words().get(code)
    return told[0] if told else _OTHER_NAMES.get(code, f"another language ({code})")


def _seen(text: str) -> _Seen:
    words = [w.replace("’", "'").casefold() for w in _WORD.findall(unicodedata.normalize("NFC", text))]
    counts: Counter[str] = Counter()
    for code, (_, plain) in _plain_words().items():
        counts[code] = sum(word in plain or word.partition("'")[0] + "'" in plain for word in words)
    english = counts.pop("en")
    other, others = counts.most_common(1)[0]
    return _Seen(english, other, others, len(words))


def _foreign_script(text: str) -> str:
    """The usual language of the script in which most letters are written; empty for Latin letters."""
    letters = Counter(unicodedata.name(c, "").partition(" ")[0] for c in text if c.isalpha())
    letters.pop("", None)
    scripts = Counter({s: n for s, n in letters.items() if s in _SCRIPTS})
    if not scripts or sum(scripts.values()) * 2 <= letters.total():
        return ""
    if scripts["HIRAGANA"] + scripts["KATAKANA"]:
        return "ja"
    return _SCRIPTS[scripts.most_common(1)[0][0]]


def _identified(text: str, among: tuple[str, ...]) -> tuple[str, float]:
    """Language and probability, as py3langid says."""
    words = " ".join(_WORD.findall(text)).lower()
    ranked = [(code, p) for code, p in _identifier().rank(words) if code in among]
    total = sum(p for _, p in ranked) or 1.0
    return ranked[0][0], float(ranked[0][1] / total)


def _cyrillic(text: str) -> str:
    language, sure = _identified(text, _CYRILLIC)
    return language if sure >= _SURE else "ru"


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@cache
def _plain_words() -> dict[str, tuple[str, frozenset[str]]]:
    with data_file("languages.toml").open("rb") as file:
        told = tomllib.load(file)
    ambiguous = frozenset(told.pop("ambiguous")["words"].split())
    english = frozenset(told["en"]["words"].split())
    found = {}
    for code, one in told.items():
        words = frozenset(word for word in one["words"].split() if len(word) > 1)
        found[code] = one["name"], words if code == "en" else words - english - ambiguous
    return found
