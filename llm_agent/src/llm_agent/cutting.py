"""How a note is cut: into sentences, the parts of a long one, and clauses; markup goes, quotes stay whole.

Nothing here asks what the words say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

__all__ = [
    "GAP", "WRAPPED", "Quoted", "clauses_and_ties", "clauses_of", "cut", "cut_through_quotes", "gap_or_line",
    "parts_of", "plain_of", "sentences_of",
]  # fmt: skip

LONGEST_SENTENCE = 240
LONG_WORDS = 14
FEWEST_OF_A_CLAUSE, FEWEST_OF_A_PART = 3, 4

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=。)|\n+|(?:\s+[-–—*•]\s+)|;\s+")
_CLAUSE = re.compile(r",? (?:and|but|so|then) (?=(?:now |then |so )?(?:i|i'm|my|we|he|she|they|it|the) )", re.I)
_SEAM = re.compile(
    r"\s*[,:]\s+|"
    r"\s+(?=(?:and|but|so|then|which|whom|though|because|hence|therefore|ergo|not that|as in|given that)\s)",
    re.I,
)
_ENDS, _LINE = ".!?…\n", "\n"
_OPENS = re.compile(r"(?!I\b)[A-Z]")
GAP = "\ue000"
"""Stands where an address was taken out; no text has it, because such characters are taken out first."""
WRAPPED = re.compile(r"\s*\(([^()]{3,240})\)|\s+[-–—]+\s+([^.!?\n–—]{3,240}?)\s+[-–—]+(?=\s)")
"""What stands between brackets or dashes within a sentence."""
_HANGS = re.compile(r"\b(?:of|for|from|by|in|on|to|with|at)$", re.I)
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
_IN_MARKS = re.compile(
    r"\"[^\"]{3,600}(?:\"|$)|“[^”]{3,600}(?:”|$)|«[^»]{3,600}(?:»|$)|"
    r"(?<!\w)['‘](?!(?:un|em|cause|cos|til|till|tis|twas|bout|round|n)\b)(?=\w).{3,300}?[\w.,!?…]['’](?!\w)"
)
"""Whatever stands in quotation marks, over the ends of sentences."""


class Quoted:
    """Which pieces of a text, asked for in their order, stood in quotation marks."""

    def __init__(self, plain: str) -> None:
        self._text = " ".join(plain.split()).casefold()
        self._marks = [quote.span() for quote in _IN_MARKS.finditer(self._text)]
        self._from = 0

    def holds(self, piece: str) -> bool:
        """Whether it did, whole; one that can't be found did not."""
        at = self._text.find(piece.casefold(), self._from)
        if at < 0 or not piece:
            return False
        self._from = at
        return any(first < at and at + len(piece) <= last for first, last in self._marks)


def sentences_of(text: str) -> list[str]:
    """The sentences of a note, whatever they say; markup is taken out."""
    return [sentence.replace(GAP, "") for sentence in cut(plain_of(text)[0])]


def plain_of(text: str) -> tuple[str, int]:
    """What a reader sees of a text without markup, and how much of that was taken out."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable() or c == "\n")
    visible = "".join(" " if unicodedata.category(c) in ("Cf", "Co", "Cn") else c for c in visible)
    return _SPANS.subn(gap_or_line, visible)


def cut(plain: str) -> list[str]:
    """The sentences of a text without markup; those of a quote stay with what says whose it is."""
    quoted = _quoted(plain, is_sentence=False)
    parts, start = [], 0
    for end in _END.finditer(plain):
        goes_on = plain[end.end() : end.end() + 1].islower()  # "she said 'never.' and left"
        if not any(first < end.start() < last - (not goes_on) for first, last in quoted):
            parts.append(plain[start : end.start()])
            start = end.end()
    return _bare((*parts, plain[start:]))


def cut_through_quotes(sentence: str) -> list[str]:
    """The same, the sentences of a quote apart."""
    return _bare(_END.split(sentence))


def _bare(parts: Iterable[str | None]) -> list[str]:
    told = (" ".join((part or "").split()).strip(" -*•\"'") for part in parts)
    return [part for part in told if part]


def gap_or_line(taken: re.Match[str]) -> str:
    """What stands for words that were taken out: a gap within a sentence, else the end of one."""
    before, after = taken.string[: taken.start()].rstrip(" "), taken.string[taken.end() :].lstrip(" ")
    stands_within = before and after and before[-1] not in _ENDS and after[0] != _LINE
    return GAP if stands_within and not _OPENS.match(after) else _LINE


def parts_of(sentence: str) -> list[str]:
    """A long spoken sentence in its parts, where both sides of a comma are sentences of their own.

    What follows a label ("Captain's log: …") or stands in quotation marks is not cut off from what says whose it is.
    """
    words = sentence.split()
    if len(words) <= LONG_WORDS:
        return [sentence]
    if len(sentence) > LONGEST_SENTENCE:
        return [" ".join(words[i : i + LONG_WORDS]) for i in range(0, len(words), LONG_WORDS)]
    label, quoted = _LABEL.search(sentence), _quoted(sentence)
    seams = [
        seam
        for seam in _CLAUSE.finditer(sentence)
        if min(_words_around(sentence, seam)) >= FEWEST_OF_A_PART
        and not (label and label.start() < seam.start())
        and not any(first < seam.start() < last for first, last in quoted)
    ]
    parts, start = [], 0
    for seam in seams:
        if len(sentence[start : seam.start()].split()) >= FEWEST_OF_A_PART:
            parts.append(sentence[start : seam.start()])
            start = seam.end()
    return [*parts, sentence[start:]]


def clauses_of(sentence: str) -> list[str]:
    """A sentence cut at its commas, colons and joining words; a scrap stays with a neighbour."""
    return [clause.strip(" ,") for clause, _ in clauses_and_ties(sentence)]


def clauses_and_ties(sentence: str) -> list[tuple[str, str]]:
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


def _quoted(text: str, *, is_sentence: bool = True) -> list[tuple[int, int]]:
    pattern = _QUOTED_TO_THE_END if is_sentence else _QUOTED
    return [quote.span() for quote in pattern.finditer(text)]


def _words_around(sentence: str, seam: re.Match[str]) -> tuple[int, int]:
    return len(sentence[: seam.start()].split()), len(sentence[seam.end() :].split())
