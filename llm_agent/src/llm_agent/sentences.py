"""The wearer's words, cut into sentences: which the model may read, which code already understands, which are withheld.

A sentence that speaks to the forecaster instead of about the day is withheld from a model that takes instructions, so
that the prompt is the one of the same evening without it; of one that does both the honest clauses are read
(``cutting``, ``telling``). The trained reader takes no instructions: from it only such clauses are kept, what it can't
read, and what the tracker measures anyway. What slips through is bounded like any other sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llm_agent.cutting import GAP, Quoted, cut, parts_of, plain_of
from llm_agent.fold import fold
from llm_agent.telling import beside_addresses, quotes_apart, read_of, without_wrapped
from llm_agent.written_screen import not_to_be_read, speaks_to_us

__all__ = ["Sentence", "Words", "read_words", "said_of"]

MOST_SENTENCES = 20
"""Sentences put before a model, one by one; a longer day keeps its first and last ones."""
_BEFORE_A_STOP = re.compile(r"\s+(?=[,.;:!?])")
_SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z])")
_WORD = re.compile(r"[a-z']+")
_STOP = frozenset(
    "a about after again all also am an and any are as at be been before but by came come did do done for from had has "
    "have he her him his i i'm i've if in into is it it's its just like me more my no not now of on only or other our "
    "out over really she so some still such than that the their them then there they this to today tonight too up us "
    "very was we well went were what when which while who will with without would yes you evening day night".split()
)


@dataclass(frozen=True)
class Sentence:
    """One sentence of the wearer that the model is asked about.

    Attributes
    ----------
    id : str
        ``J1`` …, in the order of the note.
    text : str
        What is read.
    quote : str
        What of it stands so in the note: its longest part, where an address was taken out of its middle.
    note : int
        Which of the day's notes it stands in, from 0.
    quoted : bool
        It stood whole within quotation marks.
    """

    id: str
    text: str
    quote: str
    note: int
    quoted: bool = False


@dataclass(frozen=True)
class Words:
    """What became of the wearer's words.

    Attributes
    ----------
    asked : tuple of Sentence
        For the model: code does not know what they mean for the night.
    covered : tuple of str
        Everything they say is a fact whose effect is listed, or a "no".
    withheld : int
        Sentences that speak to the forecaster, are not English words, or are left out for length.
    read : str
        All sentences that are not withheld, folded: what a quote or a claim may rest on.
    """

    asked: tuple[Sentence, ...]
    covered: tuple[str, ...]
    withheld: int
    read: str


def said_of(sentences: Iterable[Sentence], own_words: Mapping[str, str]) -> dict[str, str]:
    """By their ids, what the wearer has said of the words of some (``own_readings``, by folded words)."""
    return {s.id: own_words[words] for s in sentences if (words := fold(s.quote)) in own_words}


def read_words(journal: Iterable[str], covered_quotes: Iterable[str] = (), *, in_prompt: bool = True) -> Words:
    """Cut the day's notes into sentences and sort them.

    Parameters
    ----------
    journal : iterable of str
        The day's transcripts, oldest first.
    covered_quotes : iterable of str
        Quotes of facts that need no judgement: their effect is listed, or they say that something did not happen.
    in_prompt : bool
        The sentences will stand before a model that takes instructions.
    """
    screen = speaks_to_us if in_prompt else not_to_be_read
    quotes = [fold(quote) for quote in covered_quotes if fold(quote)]
    kept: list[tuple[str, str, int, bool]] = []
    covered: list[str] = []
    withheld = 0
    for note, text in enumerate(journal):
        plain, spans = plain_of(_without_small_capitals(text))
        plain, wrapped = without_wrapped(plain, screen)
        in_quotes = Quoted(plain)
        sentences = [piece for whole in cut(plain) for piece in quotes_apart(whole, screen)]
        withheld += spans + wrapped
        for whole, beside in zip(sentences, beside_addresses(sentences, screen), strict=True):
            parts = read_of(whole, screen)
            withheld += beside or parts != parts_of(whole)
            if beside and parts == [whole]:
                continue
            for part in parts:
                sentence = _BEFORE_A_STOP.sub("", " ".join(part.replace(GAP, "").split()))
                if _is_covered(fold(sentence), quotes):
                    covered.append(sentence)
                elif _WORD.findall(fold(sentence)) and sentence not in (told for told, *_ in kept):
                    quote = max(part.split(GAP), key=len).strip(" ,:")
                    kept.append((sentence, quote, note, in_quotes.holds(quote)))
    if len(kept) > MOST_SENTENCES:
        withheld += len(kept) - MOST_SENTENCES
        half = MOST_SENTENCES // 2
        kept = kept[:half] + kept[-(MOST_SENTENCES - half) :]
    asked = tuple(Sentence(f"J{i}", *told) for i, told in enumerate(kept, start=1))
    return Words(asked, tuple(covered), withheld, " ".join(fold(s) for s in [*(s.text for s in asked), *covered]))


def _without_small_capitals(text: str) -> str:
    """Small capitals as what they stand for: no screen knows them, and every reader does.

    Not in ``plain_of``, by which the trained screen's texts are cut, too: that would be another fit.
    """
    names = ("" if letter.isascii() else unicodedata.name(letter, "") for letter in text)
    found = (_SMALL_CAPITAL.fullmatch(name) for name in names)
    return "".join(f[1].lower() if f else letter for letter, f in zip(text, found, strict=True))


def _is_covered(sentence: str, quotes: list[str]) -> bool:
    """Whether hardly a word of content is left when the quotes are taken out."""
    rest = sentence
    for quote in quotes:
        if quote in rest:
            rest = rest.replace(quote, " ")
        elif rest in quote:
            return True
    if rest == sentence:
        return False
    return len([word for word in rest.split() if word not in _STOP]) <= 1
