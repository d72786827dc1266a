"""How plainly a clause can be read: much told at once, others' doings and what might have been are easily misread."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journal_analysis.phrases import phrase

if TYPE_CHECKING:
    from journal_analysis.clauses import Clause

__all__ = ["with_sureness"]

_SPEAKER = phrase("subjects", "speaker")
_NOT_REAL = phrase("sureness", "not_real")
_FIGURE = phrase("sureness", "figure")
_OTHERS, _MODAL, _STORY, _LONG, _FIGURATIVE = 0.8, 0.86, 0.93, 0.93, 0.93
_STORY_WORDS = 14.0
"""Words a sentence on average from which a note is a story more than a log."""
_LONG_WORDS = 26
_FEWEST_SENTENCES = 3


def with_sureness(text: str, clauses: list[Clause]) -> list[Clause]:
    """Set ``sureness`` of every clause, 0 … 1: what the confidence of facts read from it is multiplied with."""
    sentences: dict[int, list[Clause]] = {}
    for clause in clauses:
        sentences.setdefault(clause.sentence, []).append(clause)
    lengths = [len(text[c[0].sentence_start : c[0].sentence_end].split()) for c in sentences.values()]
    story = len(lengths) >= _FEWEST_SENTENCES and sum(lengths) / len(lengths) >= _STORY_WORDS
    weighed: list[Clause] = []
    for (_, mine), length in zip(sentences.items(), lengths, strict=True):
        sentence = text[mine[0].sentence_start : mine[0].sentence_end]
        whole = (_STORY if story else 1.0) * (_LONG if length >= _LONG_WORDS else 1.0)
        whole *= _MODAL if _NOT_REAL.search(sentence) else 1.0
        whole *= _FIGURATIVE if story and _FIGURE.search(sentence) else 1.0
        others = any(c.others for c in mine)
        for clause in mine:
            mixed = others and not _SPEAKER.search(text[clause.start : clause.end])
            weighed.append(replace(clause, sureness=whole * (_OTHERS if mixed else 1.0)))
    return weighed
