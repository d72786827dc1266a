"""The wearer's words, cut into sentences: which the model may read, which code already understands, which are withheld.

A sentence that speaks to the forecaster instead of about the day is withheld, so that the prompt is the one of the same
evening without it; of one that does both the honest clauses are read. Two screens judge, a written one and, of clauses,
a trained one (``written_screen``, ``address``). What slips through both is bounded like any other sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from llm_agent.address import address_screen
from llm_agent.fold import fold
from llm_agent.written_screen import speaks_to_us

__all__ = ["ADDRESS_FROM", "BESIDE_FROM", "Sentence", "Words", "clauses_of", "read_words", "sentences_of"]

MOST_SENTENCES = 20
"""Sentences put before a model, one by one; a longer day keeps its first and last ones."""
LONGEST_SENTENCE = 240
LONG_WORDS, RAMBLE_WORDS = 14, 40
SCRAP_WORDS = 3
FEWEST_WORDS = 4
FEWEST_OF_A_CLAUSE = 3
ADDRESS_FROM, BESIDE_FROM = 0.6, 0.3
"""Chance from which on a clause is an address: alone, and beside something that speaks to the forecaster."""

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=。)|\n+|(?:\s+[-–—*•]\s+)|;\s+")
_CLAUSE = re.compile(r",? (?:and|but|so|then) (?=(?:now |then |so )?(?:i|i'm|my|we|he|she|they|it|the) )", re.I)
_SEAM = re.compile(
    r"\s*[,:]\s+|"
    r"\s+(?=(?:and|but|so|then|which|whom|though|because|hence|therefore|ergo|not that|as in|given that)\s)",
    re.I,
)
_ENDS, _LINE = ".!?…\n", "\n"
_OPENS = re.compile(r"(?!I\b)[A-Z]")
_GAP = "\ue000"
"""Stands where an address was taken out; no text has it, because such characters are taken out first."""
_BEFORE_A_STOP = re.compile(r"\s+(?=[,.;:!?])")
_WRAPPED = re.compile(r"\s*\(([^()]{3,240})\)|\s+[-–—]+\s+([^.!?\n–—]{3,240}?)\s+[-–—]+(?=\s)")
"""What stands between brackets or dashes within a sentence."""
_JOINS = re.compile(
    r"^(?:(?:and|but|so|then|which|though|because|hence|therefore|ergo|that),? )+|"
    r"^for (?=(?:i|we|my|our|he|she|they|the)\b)",
    re.I,
)
_HANGS = re.compile(r"\b(?:of|for|from|by|in|on|to|with|at)$", re.I)
_NO_MAIN_CLAUSE = re.compile(
    r"(?:(?:and|but|so|then|today|tonight|also),? )*(?:if|in case|once|since|because|as|when\w*|whe(?:re|ther)\w*|"
    r"while|given|unless|for(?! (?:i|we|my|our|he|she|they)\b)|with|after|before|even|though|although|what\w*|who\w*|"
    r"which|any\w*)\b",
    re.I,
)
_NO_SUBJECT = re.compile(
    r"(?:and|but|so|then) (?!(?:i|i'[a-z]+|my|we|our|you|he|his|she|her|they|their|it|its|the|an?|this|that|these|"
    r"those|there|no|some|all|both|then|now|today|tonight)\b)[a-z]"
)
"""Goes on with the subject of the clause before."""
_STEERS = re.compile(
    r"(?:and |so |then |but )*(?:put|set|count|mark|rate|score|treat|take|read|keep|leave|call|make|lower|raise) "
    r"(?:it|this|that|tonight|today|the night|the day|everything|all of)\b",
    re.I,
)
_WORD = re.compile(r"[a-z']+")

_STOP = frozenset(
    "a about after again all also am an and any are as at be been before but by came come did do done for from had has "
    "have he her him his i i'm i've if in into is it it's its just like me more my no not now of on only or other our "
    "out over really she so some still such than that the their them then there they this to today tonight too up us "
    "very was we well went were what when which while who will with without would yes you evening day night".split()
)
_SPANS = re.compile(
    r"<\|.*\|>|```.*?(?:```|$)|<(\w+)[^>]*>.*?</\1>|\{.*\}|\[[^\]]*\]|\S{28,}"
    r"|^[^\S\n]*#+ [^\n]*|^[^\S\n]*(?:system|assistant|user)\s*:[^\n]*|[♪♫][^♪♫\n]*[♪♫]?",
    re.S | re.I | re.M,
)
"""Markup of other programs, with what it encloses, and words that no one speaks: taken out before anything is cut."""
_QUOTED, _QUOTED_TO_THE_END = (
    re.compile(
        rf"(?<=[\w,:;)] )(?:\"[^\"\n]{{3,160}}(?:\"{end})|“[^”\n]{{3,160}}(?:”{end})|«[^»\n]{{3,160}}(?:»{end})|"
        rf"['‘](?!(?:un|em|cause|cos|til|till|tis|twas|bout|round|n)\b)(?=\w)[^\n]{{3,160}}?"
        rf"(?:[\w.,!?…]['’](?!\w){end}))"
    )
    for end in ("", "|$")
)
"""Words in quotation marks after some that say whose they are: the two are read, or withheld, together. A sentence that
was cut out may have lost the closing mark."""
_LABEL = re.compile(r":\s")


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
    """

    id: str
    text: str
    quote: str
    note: int


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


def read_words(journal: Iterable[str], covered_quotes: Iterable[str] = ()) -> Words:
    """Cut the day's notes into sentences and sort them.

    Parameters
    ----------
    journal : iterable of str
        The day's transcripts, oldest first.
    covered_quotes : iterable of str
        Quotes of facts that need no judgement: their effect is listed, or they say that something did not happen.
    """
    quotes = [fold(quote) for quote in covered_quotes if fold(quote)]
    kept: list[tuple[str, str, int]] = []
    covered: list[str] = []
    withheld = 0
    for note, text in enumerate(journal):
        plain, spans = _plain(text)
        plain, wrapped = _without_wrapped(plain)
        sentences = [piece for whole in _cut(plain) for piece in _quotes_apart(whole)]
        withheld += spans + wrapped
        for whole, beside in zip(sentences, _beside_addresses(sentences), strict=True):
            parts = _read_of(whole)
            withheld += beside or parts != _clauses(whole)
            if beside and parts == [whole]:
                continue
            for part in parts:
                sentence = _BEFORE_A_STOP.sub("", " ".join(part.replace(_GAP, "").split()))
                if _is_covered(fold(sentence), quotes):
                    covered.append(sentence)
                elif _WORD.findall(fold(sentence)) and sentence not in (told for told, _, _ in kept):
                    kept.append((sentence, max(part.split(_GAP), key=len).strip(" ,:"), note))
    if len(kept) > MOST_SENTENCES:
        withheld += len(kept) - MOST_SENTENCES
        half = MOST_SENTENCES // 2
        kept = kept[:half] + kept[-(MOST_SENTENCES - half) :]
    asked = tuple(Sentence(f"J{i}", *told) for i, told in enumerate(kept, start=1))
    return Words(asked, tuple(covered), withheld, " ".join(fold(s) for s in [*(s.text for s in asked), *covered]))


def sentences_of(text: str) -> list[str]:
    """The sentences of a note, whatever they say; markup is taken out."""
    return [sentence.replace(_GAP, "") for sentence in _cut(_plain(text)[0])]


def _plain(text: str) -> tuple[str, int]:
    """What a reader sees of a text without markup, and how much of that was taken out."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable() or c == "\n")
    visible = "".join(" " if unicodedata.category(c) in ("Cf", "Co", "Cn") else c for c in visible)
    return _SPANS.subn(_gap_or_line, visible)


def _without_wrapped(plain: str) -> tuple[str, int]:
    """The same without addresses between brackets or dashes, and how many they were."""
    wrapped = [m for m in _WRAPPED.finditer(plain) if _is_address(m.group(1) or m.group(2), among_others=True)]
    for found in reversed(wrapped):
        plain = f"{plain[: found.start()]}{_gap_or_line(found)}{plain[found.end() :]}"
    return plain, len(wrapped)


def _cut(plain: str) -> list[str]:
    quoted = _quoted(plain, is_sentence=False)
    parts, start = [], 0
    for end in _END.finditer(plain):
        goes_on = plain[end.end() : end.end() + 1].islower()  # "she said 'never.' and left"
        if not any(first < end.start() < last - (not goes_on) for first, last in quoted):
            parts.append(plain[start : end.start()])
            start = end.end()
    return _bare((*parts, plain[start:]))


def _quotes_apart(sentence: str) -> list[str]:
    """The sentence; of one that speaks to the forecaster the quoted ones apart, for some of them may not."""
    return _bare(_END.split(sentence)) if speaks_to_us(sentence) else [sentence]


def _bare(parts: Iterable[str | None]) -> list[str]:
    told = (" ".join((part or "").split()).strip(" -*•\"'") for part in parts)
    return [part for part in told if part]


def _gap_or_line(taken: re.Match[str]) -> str:
    """What stands for words that were taken out: a gap within a sentence, else the end of one."""
    before, after = taken.string[: taken.start()].rstrip(" "), taken.string[taken.end() :].lstrip(" ")
    stands_within = before and after and before[-1] not in _ENDS and after[0] != _LINE
    return _GAP if stands_within and not _OPENS.match(after) else _LINE


def _read_of(sentence: str) -> list[str]:
    """What is read of a sentence, in its parts where it is long; a ramble is judged part by part when it must be."""
    told = _told(sentence)
    if not told and len(sentence.split()) > RAMBLE_WORDS:
        return [part for piece in _clauses(sentence) if (part := _told(piece))]
    return _clauses(told) if told else []


def _clauses(sentence: str) -> list[str]:
    """A long spoken sentence in its parts, where both sides of a comma are sentences of their own.

    What follows a label ("Captain's log: …") or stands in quotation marks is not cut off from what says whose it is.
    """
    words = sentence.split()
    if len(words) <= LONG_WORDS:
        return [sentence]
    if len(sentence) > LONGEST_SENTENCE:
        return [" ".join(words[i : i + LONG_WORDS]) for i in range(0, len(words), LONG_WORDS)]
    label, quoted = _LABEL.search(sentence), _quoted(sentence)
    cuts = [
        cut
        for cut in _CLAUSE.finditer(sentence)
        if min(_words_around(sentence, cut)) >= 4
        and not (label and label.start() < cut.start())
        and not any(first < cut.start() < last for first, last in quoted)
    ]
    parts, start = [], 0
    for cut in cuts:
        if len(sentence[start : cut.start()].split()) >= 4:
            parts.append(sentence[start : cut.start()])
            start = cut.end()
    return [*parts, sentence[start:]]


def _quoted(text: str, *, is_sentence: bool = True) -> list[tuple[int, int]]:
    pattern = _QUOTED_TO_THE_END if is_sentence else _QUOTED
    return [quote.span() for quote in pattern.finditer(text)]


def clauses_of(sentence: str) -> list[str]:
    """A sentence cut at its commas, colons and joining words; a scrap stays with a neighbour."""
    return [clause.strip(" ,") for clause, _ in _clauses_and_ties(sentence)]


def _clauses_and_ties(sentence: str) -> list[tuple[str, str]]:
    """Each clause with what ties it to the one before; a scrap goes where no comma stands between, else back."""
    found: list[tuple[str, str]] = []
    tie, start, scrap = "", 0, ""
    quoted = _quoted(sentence)
    seams = [m for m in _SEAM.finditer(sentence) if not any(a <= m.end() and m.start() < b for a, b in quoted)]
    for seam in (*seams, None):
        piece = scrap + sentence[start : seam.start() if seam else len(sentence)]
        scrap = ""
        is_scrap = len(piece.split()) < (FEWEST_OF_A_CLAUSE + 2 * bool(_HANGS.search(piece)))
        if not is_scrap or (piece.strip() and not found and seam is None):
            found.append((piece, tie))
        elif seam and (seam.group().isspace() or not found):
            scrap = piece + seam.group()
        elif found:
            found[-1] = (f"{found[-1][0]}{tie}{piece}", found[-1][1])
        if seam:
            tie, start = (tie if scrap else seam.group()), seam.end()
    return found


def _told(sentence: str) -> str:
    """What of a sentence tells of the day; nothing, where it speaks to the forecaster."""
    if speaks_to_us(sentence) and not speaks_to_us(aside := _WRAPPED.sub(_GAP, sentence)):
        sentence = aside
    otherwise = "" if speaks_to_us(sentence) else sentence
    clauses = _clauses_and_ties(sentence)
    if len(clauses) < 2 or (otherwise and not any(_is_address(clause) for clause, _ in clauses)):
        return otherwise
    address = [_is_address(clause, among_others=True) for clause, _ in clauses]
    for i in range(1, len(clauses)):
        address[i] = address[i] or (address[i - 1] and _hangs_on(clauses[i][0], address[i + 1 : i + 2]))
    if all(address) or not any(address):
        return "" if all(address) else otherwise
    runs = [
        "".join(f"{tie}{clause}" for _, (clause, tie) in run)
        for is_address, run in groupby(zip(address, clauses, strict=True), key=itemgetter(0))
        if not is_address
    ]
    rest = _JOINS.sub("", _GAP.join(runs).strip(" ,:"))
    if len(rest.split()) < FEWEST_WORDS or _NO_MAIN_CLAUSE.match(rest) or _is_address(rest, among_others=True):
        return otherwise
    ending = sentence[-1] if sentence[-1] in ".!…" and rest[-1] not in ".!?…" else ""
    return rest[0].upper() + rest[1:] + ending


def _hangs_on(clause: str, next_is_address: list[bool]) -> bool:
    """Whether a clause belongs to the address before: "and climbed to the top", "whatever the thermometer says"."""
    if not next_is_address:
        return bool(_NO_SUBJECT.match(clause))
    is_scrap = next_is_address[0] and len(clause.split()) <= SCRAP_WORDS  # "sir or madam"
    return bool(_NO_SUBJECT.match(clause) or _NO_MAIN_CLAUSE.match(clause)) or is_scrap


def _is_address(clause: str, *, among_others: bool = False) -> bool:
    """Where something else of the sentence speaks to the forecaster, less makes a clause of it suspect."""
    if _STEERS.match(clause) or (among_others and speaks_to_us(clause)):
        return True
    return address_screen().chance(clause) > (BESIDE_FROM if among_others else ADDRESS_FROM)


def _words_around(sentence: str, cut: re.Match[str]) -> tuple[int, int]:
    return len(sentence[: cut.start()].split()), len(sentence[cut.end() :].split())


def _beside_addresses(sentences: list[str]) -> list[bool]:
    """What goes along with an address: a single word after it, a scrap between two, and rows of single words."""
    said = [speaks_to_us(sentence) for sentence in sentences]
    words = [len(sentence.split()) for sentence in sentences]
    aside = list(said)
    for i in range(1, len(sentences)):
        between = i + 1 < len(sentences) and said[i + 1] and words[i] <= SCRAP_WORDS
        aside[i] = aside[i] or (aside[i - 1] and (words[i] == 1 or between))
    for i in range(len(sentences) - 2):
        if words[i : i + 3] == [1, 1, 1]:
            aside[i : i + 3] = [True] * 3
    return aside


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
