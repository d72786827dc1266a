"""The words on which a fact turns: negations, numbers, units and clock times, and how many of them were heard right."""

from __future__ import annotations

from journal_analysis.word_error import align, comparable_words

__all__ = ["KEY_KINDS", "is_key_word", "key_word_kind", "key_words_right"]

KEY_KINDS = ("negation", "number", "unit", "clock")

_NEGATIONS = frozenset(
    "no not none nothing never neither nor without nobody skipped skip forgot cancelled canceled denied didn't".split()
)
_UNITS = frozenset(
    "minute minutes hour hours second seconds day days week weeks drink drinks glass glasses beer beers pint "
    "pints shot shots can cans bottle bottles cup cups coffee coffees espresso espressos tea teas gram grams "
    "milligrams kg liter liters milliliters meters kilometers percent degrees watts units unit tablet tablets "
    "capsule capsules scoop scoops gel gels set sets times steps cigarette cigarettes serving servings".split()
)
_CLOCK = frozenset("am pm o'clock noon midnight past".split())


def key_word_kind(word: str) -> str | None:
    """Which of `KEY_KINDS` a comparable word is; None for any other word."""
    if word[:1].isdigit():
        return "number"
    if word in _NEGATIONS:
        return "negation"
    if word in _UNITS:
        return "unit"
    return "clock" if word in _CLOCK else None


def is_key_word(word: str) -> bool:
    """Whether a fact may turn on this comparable word."""
    return key_word_kind(word) is not None


def key_words_right(reference: str, heard: str) -> tuple[int, int, list[tuple[str | None, str | None]]]:
    """Compare the key words of what was said with what was heard.

    Returns
    -------
    right, n : int
        ``n`` counts the key words said and those heard where none was said, so an invented "no" is an error too.
        "am" counts as clock and as the verb alike: both are short, and a lost one is an error of the same kind.
    misses : list of (said, heard)
    """
    right, misses = 0, []
    for said, got in align(comparable_words(reference), comparable_words(heard)):
        if not any(word is not None and is_key_word(word) for word in (said, got)):
            continue
        if said == got:
            right += 1
        else:
            misses.append((said, got))
    return right, right + len(misses), misses
