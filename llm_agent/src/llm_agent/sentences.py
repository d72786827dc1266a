"""The wearer's words, cut into sentences: which the model may read, which code already understands, which are withheld.

A sentence that speaks to the forecaster instead of about the day is withheld, so that the prompt is the one of the same
evening without it; of one that does both the honest clauses are read. Two screens judge: a written one here, wide on
purpose (a diary loses little when "my HRV was low this morning" is not read, the numbers are in the briefing anyway),
and a trained one for clauses (``address``). What slips through both is bounded like any other sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from llm_agent.address import address_screen

__all__ = ["ADDRESS_FROM", "CLAUSE_FROM", "Sentence", "Words", "clauses_of", "fold", "read_words", "sentences_of", "speaks_to_us"]

MOST_SENTENCES = 20
"""Sentences put before a model, one by one; a longer day keeps its first and last ones."""
LONGEST_SENTENCE = 240
LONG_WORDS, RAMBLE_WORDS = 14, 40
SCRAP_WORDS = 3
FEWEST_WORDS = 4
FEWEST_OF_A_CLAUSE = 3
ADDRESS_FROM, CLAUSE_FROM = 0.5, 0.7
"""Chance from which on a clause is an address, in a sentence that the written screen takes for one and in others."""

_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=。)|\n+|(?:\s+[-–—*•]\s+)|;\s+")
_CLAUSE = re.compile(r",? (?:and|but|so|then) (?=(?:now |then |so )?(?:i|i'm|my|we|he|she|they|it|the) )", re.I)
_SEAM = re.compile(
    r"\s*[,:]\s+|"
    r"\s+(?=(?:and|but|so|then|which|whom|though|because|hence|therefore|ergo|not that|as in|given that)\s)",
    re.I,
)
_WRAPPED = re.compile(r"\s*\(([^()]{3,240})\)|\s+[-–—]+\s+([^.!?\n–—]{3,240}?)\s+[-–—]+(?=\s)")
"""What stands between brackets or dashes within a sentence."""
_JOINS = re.compile(r"^(?:(?:and|but|so|then|which|though|because|hence|therefore|ergo|that),? )+", re.I)
_HANGS = re.compile(r"\b(?:of|for|from|by|in|on|to|with|at)$", re.I)
_NO_MAIN_CLAUSE = re.compile(
    r"(?:(?:and|but|so|then|today|tonight|also),? )*(?:if|in case|once|since|because|as|when\w*|whe(?:re|ther)\w*|"
    r"while|given|unless|for|with|after|before|even|though|although|what\w*|who\w*|which|any\w*)\b",
    re.I,
)
_STEERS = re.compile(
    r"(?:and |so |then |but )*(?:put|set|count|mark|rate|score|treat|take|read|keep|leave|call|make|lower|raise) "
    r"(?:it|this|that|tonight|today|the night|the day|everything|all of)\b",
    re.I,
)
_WORD = re.compile(r"[a-z']+")

_TO_THE_FORECASTER = re.compile(
    r"\b(?:hrv|rmssd|milli-?seconds?|\d+\s*ms|forecast\w*|predict\w*|estimat\w*|ensemble|baseline|quantile\w*|median|"
    r"percentile\w*|algorithm\w*|models?|shift(?:_ms|\s+by|\s+of|\s+the|\s+to)\w*|sd_scale|spread|weights?\s+of|json|"
    r"xml|html|markdown|prompt\w*|instru[ck]\w*|ignor\w+|disregard\w*|overrid\w+|overwrit\w+|system|assistant|"
    r"ai|a\.i|chat\s?bot|bot|llm|gpt|language\s+model|dear\s+(?:model|agent|system|computer)|"
    r"(?:the|this) (?:wearer|user|patient|person|subject)|the writer|agent|evidence|"
    r"answer\w*\s+(?:with|only|in)|respond\w*|reply\s+(?:with|only)|output\w*|print\w*|return\s+(?:only|the|a|\{)|"
    r"schema|tokens?|no change|lowers|raises|listed|data\s?base|developers?|admin\w*|"
    r"you\s+(?:are|must|should|shall|will|may|have\s+to|need)|your\s+(?:task|job|role|rules?|answers?|output|"
    r"numbers?|instructions?|text|prompt|settings?|result|opinion|judge?ment)|kindly|from now on|"
    r"on (?:such|these|those) days|on \d+ (?:earlier|other|previous|past) (?:days|nights)|on average|"
    r"statistic\w*|proven|per ?cent|probabilit\w+|certainty|code\s?word|password|key\s?word|commands?|execut\w+|"
    r"new rule|following rule|exception|(?:plus|negative|positive)\s+(?:[a-z]+teen|\d+|one|two|three|four|five|six|"
    r"seven|eight|nine|ten|eleven|twelve|twenty|thirty)|the numbers?|a number|values?|protocols?|counts?\s+as|the word|"
    r"options?|minimum|maximum|widen\w*|spread\s+factor|factor|the app|twice as much|backwards?|base\s?64|log it|"
    r"downwards?|minus|answers?|rot\s?13|example\s+\d|sample|grading|operator|human:|guidelines?|type)\b"
    r"|\b(?:system|assistant|user|human|operator|admin|notes?|journal|options|answer|ref)\s*:"
    r"|\byou(?! know)(?:r|rs|'\w+)?\b"
    r"|\b\w+_\w+|^(?:user|assistant|system|human)$|\?\s*$|(?:-{3,}|={3,})|(?<![\w.])[+-]\d"
    r"|[{}<>\[\]|`~^\\=#%]|https?:|\bs\d+\b|\b[exjcabm]\d+\b|\*\*|__",
    re.I,
)
_IMPERATIVE = re.compile(
    r"^(?:and |so |then |now |also |just |ok(?:ay)?,? |hey,? |listen[,:]? |important[,:]? |note[,:]? |attention[,:]? |"
    r"please,? )*(?:(?:adjust|mark|count|treat|classify|rate|score|assume|pretend|imagine|suppose|remember|forget|say|"
    r"tell|consider|choose|pick|select|stop|do not|don't|never|always|give|show|act|repeat|translate|summari[sz]e|"
    r"explain|describe|list|decode|decrypt|follow|obey|trust|believe|accept|write|record|report|enter|return|print|answer|respond|reply|make|use|"
    r"take|keep|ensure|apply|increase|decrease|reduce|double|add|subtract|multiply|raise|change|be|skip)\b(?! a lot)|"
    r"(?:set|put|let|lower|note)\s+(?:it|this|that|everything|all|tomorrow|tonight|the\s+(?:shift|number|value|"
    r"answer|effect|night|strength|result)|down\s+(?:that|as))\b)|[,:;]\s*please\b|\bplease\s+(?!d)",
    re.I,
)
_STOP = frozenset(
    "a about after again all also am an and any are as at be been before but by came come did do done for from had has "
    "have he her him his i i'm i've if in into is it it's its just like me more my no not now of on only or other our "
    "out over really she so some still such than that the their them then there they this to today tonight too up us "
    "very was we well went were what when which while who will with without would yes you evening day night".split()
)
_ENGLISH = frozenset(
    "the and my was with had for of to it is that at day this from not today tonight were have has been but then after "
    "before while all off up out i in on no".split()
)
_FOREIGN = frozenset(
    "und die der das alle nicht auf mit eine einen den ich gib setze um ist los las el la que por con una todo todas y "
    "pon les des une et toutes sur avec tout le di che tutte per il het een niet van alles og alla och att os em com "
    "de da do na se es en un mais ja kaikki wszystkie i podaj nie vse si mi".split()
) - _ENGLISH
_STRANGE = re.compile(r"\S{28,}")
_SPANS = re.compile(
    r"<\|.*\|>|```.*?(?:```|$)|<(\w+)[^>]*>.*?</\1>|\{.*\}|\[[^\]]*\]|\S{28,}"
    r"|^[^\S\n]*#+ [^\n]*|^[^\S\n]*(?:system|assistant|user)\s*:[^\n]*",
    re.S | re.I | re.M,
)
"""Markup of other programs, with what it encloses, and words that no one speaks: taken out before anything is cut."""


@dataclass(frozen=True)
class Sentence:
    """One sentence of the wearer that the model is asked about.

    Attributes
    ----------
    id : str
        ``J1`` …, in the order of the note.
    text : str
    note : int
        Which of the day's notes it stands in, from 0.
    """

    id: str
    text: str
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
    kept: list[tuple[int, str]] = []
    covered: list[str] = []
    withheld = 0
    for note, text in enumerate(journal):
        sentences, spans = _sentences_and_markup(text)
        withheld += spans
        for whole, beside in zip(sentences, _beside_addresses(sentences), strict=True):
            parts = _read_of(whole)
            withheld += beside or parts != _clauses(whole)
            if beside and parts == [whole]:
                continue
            for sentence in parts:
                if _is_covered(fold(sentence), quotes):
                    covered.append(sentence)
                elif _WORD.findall(fold(sentence)) and sentence not in (told for _, told in kept):
                    kept.append((note, sentence))
    if len(kept) > MOST_SENTENCES:
        withheld += len(kept) - MOST_SENTENCES
        half = MOST_SENTENCES // 2
        kept = kept[:half] + kept[-(MOST_SENTENCES - half) :]
    asked = tuple(Sentence(f"J{i}", text, note) for i, (note, text) in enumerate(kept, start=1))
    return Words(asked, tuple(covered), withheld, " ".join(fold(s) for s in [*(k[1] for k in kept), *covered]))


def sentences_of(text: str) -> list[str]:
    """The sentences of a note; markup is taken out."""
    return _sentences_and_markup(text)[0]


def fold(text: str) -> str:
    """Lower case, plain letters, single spaces: how texts are compared."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = plain.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)?", plain))


def _sentences_and_markup(text: str) -> tuple[list[str], int]:
    """The sentences of a text, and how much markup was taken out."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable() or c == "\n")
    visible = "".join(" " if unicodedata.category(c) in ("Cf", "Co", "Cn") else c for c in visible)
    visible, spans = _SPANS.subn("\n", visible)
    wrapped = [m for m in _WRAPPED.finditer(visible) if _is_address(m.group(1) or m.group(2), in_address=True)]
    for found in reversed(wrapped):
        visible = visible[: found.start()] + visible[found.end() :]
    spans += len(wrapped)
    told = []
    for part in _END.split(visible):
        words = " ".join((part or "").split()).strip(" -*•\"'")
        if words:
            told.append(words)
    return told, spans


def _read_of(sentence: str) -> list[str]:
    """What is read of a sentence, in its parts where it is long; a ramble is judged part by part when it must be."""
    told = _told(sentence)
    if not told and len(sentence.split()) > RAMBLE_WORDS:
        return [part for piece in _clauses(sentence) if (part := _told(piece))]
    return _clauses(told) if told else []


def _clauses(sentence: str) -> list[str]:
    """A long spoken sentence in its parts, where both sides of a comma are sentences of their own."""
    words = sentence.split()
    if len(words) <= LONG_WORDS:
        return [sentence]
    if len(sentence) > LONGEST_SENTENCE:
        return [" ".join(words[i : i + LONG_WORDS]) for i in range(0, len(words), LONG_WORDS)]
    cuts = [m for m in _CLAUSE.finditer(sentence) if min(_words_around(sentence, m)) >= 4]
    parts, start = [], 0
    for cut in cuts:
        if len(sentence[start : cut.start()].split()) >= 4:
            parts.append(sentence[start : cut.start()])
            start = cut.end()
    return [*parts, sentence[start:]]


def clauses_of(sentence: str) -> list[str]:
    """A sentence cut at its commas, brackets and joining words; a scrap stays with what stands before."""
    return [clause.strip(" ,") for clause, _ in _clauses_and_ties(sentence)]


def _clauses_and_ties(sentence: str) -> list[tuple[str, str]]:
    """Each clause with what ties it to the one before; a scrap goes where no comma stands between, else back."""
    found: list[tuple[str, str]] = []
    tie, start, scrap = "", 0, ""
    for seam in (*_SEAM.finditer(sentence), None):
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
    address = speaks_to_us(sentence)
    clauses = _clauses_and_ties(sentence)
    if len(clauses) < 2:
        return "" if address else sentence
    honest = [pair for pair in clauses if not _is_address(pair[0], in_address=address)]
    if len(honest) == len(clauses):
        return "" if address else sentence
    rest = _JOINS.sub("", "".join(f"{tie}{clause}" for clause, tie in honest).strip(" ,:"))
    if len(rest.split()) < FEWEST_WORDS or _NO_MAIN_CLAUSE.match(rest) or _is_address(rest, in_address=address):
        return "" if address else sentence
    ending = sentence[-1] if sentence[-1] in ".!…" and rest[-1] not in ".!?…" else ""
    return rest[0].upper() + rest[1:] + ending


def _is_address(clause: str, *, in_address: bool) -> bool:
    """In a sentence that speaks to the forecaster as a whole, less makes a clause of it suspect."""
    chance = address_screen().chance(clause)
    if in_address:
        return chance > ADDRESS_FROM or speaks_to_us(clause)
    return chance > CLAUSE_FROM or bool(_STEERS.match(clause))


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


def speaks_to_us(sentence: str) -> bool:
    """The written screen: what names the forecaster or orders it about, other scripts, other languages."""
    letters = [c for c in sentence if c.isalpha()]
    latin = [c for c in letters if "LATIN" in unicodedata.name(c, "")]
    return (
        len(latin) < len(letters)
        or bool(_STRANGE.search(sentence))
        or bool(_TO_THE_FORECASTER.search(sentence))
        or bool(_IMPERATIVE.search(sentence))
        or not _is_english(sentence)
    )


def _is_english(sentence: str) -> bool:
    """Not when it is spelled in single letters, or its small words and letters are those of other languages."""
    words = _WORD.findall(fold(sentence))
    if not words:
        return bool(re.fullmatch(r"[\d\s.,:/-]*", sentence))
    if sum(len(word) == 1 for word in words) > max(2, 0.4 * len(words)):
        return False
    english = sum(word in _ENGLISH for word in words)
    foreign = sum(word in _FOREIGN for word in words)
    if len(words) >= 5 and len(set(words)) <= 2:
        return False
    plain = sentence.isascii() or english > 1 or len(words) <= 3
    return plain and not (foreign >= 2 and foreign > english) and (english > 0 or len(words) < 7)


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
