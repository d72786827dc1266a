"""Which behaviour a question of the WHOOP journal asks for; a question that is not understood stays unknown."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

__all__ = ["behaviour_of_question", "fold_question"]


@lru_cache(maxsize=4096)
def behaviour_of_question(question: str) -> str | None:
    """The behaviour (a name of `hrv_shared.ontology`) that a question asks for; None for an unknown question.

    Any wording that WHOOP is known to have used, in English and partly in German and Spanish, is understood. What
    negates, compares or restricts ("no", "less than", "after 2 pm") makes a question unknown instead of a wrong fact.
    """
    folded = fold_question(question)
    known = _known()
    if folded in known.texts:
        return known.texts[folded]
    for behaviour, words in known.words:
        if match := words.search(folded):
            rest = folded[: match.start()] + " " + folded[match.end() :]
            return None if known.qualifiers.search(rest) else behaviour
    return None


@lru_cache(maxsize=4096)
def fold_question(question: str) -> str:
    """Fold a question so that case, accents, punctuation and the ``X / Not X`` form do not matter."""
    plain = unicodedata.normalize("NFKD", question)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    positive, slash, negative = plain.partition(" / ")
    if slash and re.fullmatch(rf"no[nt]? {re.escape(positive.strip())}\W*", negative.strip()):
        plain = positive
    return " ".join(re.findall(r"[^\W_]+", plain))


@dataclass(frozen=True)
class _Known:
    texts: dict[str, str]
    words: tuple[tuple[str, re.Pattern[str]], ...]
    qualifiers: re.Pattern[str]


@cache
def _known() -> _Known:
    file = resources.files("hrv_shared") / "data" / "journal_questions.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    words = tuple((behaviour, _whole(pattern)) for behaviour, pattern in table["words"].items())
    return _Known(table["texts"], words, _whole(table["qualifiers"]))


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{pattern.replace(chr(10), '')})(?!\w)")
