"""A stranger's story: a book, a broadcast, a report. It may be full of wine and coughs, and none of it is the wearer's.

A journal is told by "I", or leaves the subject out ("two beers, no gym"). A story names its people: he, she, the
captain. So a text without any first person in which people turn up in most clauses is taken for one.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache

from journal_analysis.behaviours import data_file
from journal_analysis.clauses import read_note

__all__ = ["is_strangers_story"]

SHORTEST = 12
"""In words; less than this says nothing about who tells it."""
PEOPLE_A_CLAUSE, PEOPLED_SENTENCES = 0.6, 0.5
"""Mentions of other people for each clause, and share of sentences with one, from which on a text without a first
person is a story. A note may speak of sick children in one sentence; the others are about its wearer."""


def is_strangers_story(text: str) -> bool:
    """Whether a text tells of others throughout, and the wearer is not in it."""
    lowered = text.lower().replace("’", "'")
    patterns = _patterns()
    if patterns["broadcast"].search(lowered):
        return True
    if len(lowered.split()) < SHORTEST or any(patterns[name].search(lowered) for name in ("first_person", "own_kin")):
        return False
    note = read_note(text)
    people = [c.sentence for c in note.clauses if c.others]
    for name in ("third_person", "figures"):
        people += [note.clause_at(m.start()).sentence for m in patterns[name].finditer(note.text)]
    peopled = len(set(people)) / len({c.sentence for c in note.clauses})
    return peopled >= PEOPLED_SENTENCES and len(people) >= PEOPLE_A_CLAUSE * len(note.clauses)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    with data_file("strangers.toml").open("rb") as file:
        told = tomllib.load(file)
    return {name: re.compile(rf"\b(?:{words})\b".replace("\n", "")) for name, words in told.items()}
