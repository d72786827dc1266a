"""Who a piece of text is about: the speaker, somebody else, or nobody named."""

from __future__ import annotations

import re

from journal_analysis.phrases import phrase

__all__ = ["about_others", "consumes"]

_SOMEBODY_ELSE = phrase("subjects", "somebody_else")
_GIVEN_AWAY = phrase("subjects", "given_away")
_SPEAKER = phrase("subjects", "speaker")
_NAMED = phrase("subjects", "named")
_NAMED_FIRST = phrase("subjects", "named_first")
_TAKEN_ALONG = re.compile(
    r"\b(?:dragged|took|brought|invited|joined|drove|made|talked|roped|forced|topped|poured|bought|got|gave|handed|"
    r"served|treated|destroyed|killed|crushed|pushed|smashed|beasted|drilled|hammered|tortured|broke|coached|"
    r"trained|thrashed|beat|demolished) (?:me|us)\b(?! (?:to|that|not)\b(?! (?:a|the|her|his|my|their)\b))"
)
"""What somebody else does with the wearer is the wearer's too: "the wife dragged me along to yoga"."""
_CONSUMES = phrase("subjects", "consumes")
_LINK = phrase("clauses", "link")
_TOPIC = phrase("subjects", "own_topic")
_INSIDE = re.compile(r"^[\s,]*(?:\w)")
"""How a clause begins inside a sentence; after a colon or a dash a capital means nothing."""
_NO_NAME = frozenset(
    "no not never yes i i'm i've i'd i'll we just then only still finally later tonight today yesterday "
    "also already afterwards after once again always lunch dinner breakfast work training and but so "
    "everyone nobody somehow luckily instead maybe probably actually stress sleep evening morning "
    "afternoon have usually normally otherwise obviously sadly unfortunately monday tuesday wednesday "
    "thursday friday saturday sunday january february march april may june july august september october "
    "november december whoop garmin strava oura guinness legs back head throat knee mood energy which who "
    "that it this what there here me you must could should would might even really apparently fortunately "
    "accidentally definitely basically eventually initially plus because when while before until since "
    "though although however bed food water coffee tea wine beer alcohol caffeine gym run ride swim yoga "
    "sauna magnesium rest night day weekend hrv recovery session workout nothing something all both one "
    "two three none neither first second last next commute weight therapy massage nap soreness pain knee period "
    "headache anxiety motivation shower meditation stretching breathing cycling running swimming pizza boss office "
    "meeting temperature stomach cramps migraine flight train bus traffic deadline exam creatine zinc iron melatonin "
    "ibuprofen protein electrolytes steps phone netflix screen reading journaling snack supper alarm bedtime lights "
    "hotel airbnb heat cold weather focus appetite hip ankle shoulder cough fever flu everything".split()
)
"""Words that stand before "had" or "was" and are nobody's name."""


def about_others(piece: str, original: str, opens: bool) -> bool | None:
    """Whether a clause is about somebody else (True), the speaker (False), or does not say (None).

    Parameters
    ----------
    piece : str
        The clause in canonical text.
    original : str
        Its words as written, whose capitals show names.
    opens : bool
        Whether it is the first of its sentence, where a capital means nothing.
    """
    bare = _LINK.sub("", piece)
    if _TAKEN_ALONG.search(bare):
        return False
    if _SOMEBODY_ELSE.search(bare) or _GIVEN_AWAY.search(bare):
        return True
    if opens or not _INSIDE.match(original):
        name = _NAMED_FIRST.search(original)
        if name and name.group(1).lower() not in _NO_NAME and name.group(1)[:1].isupper():
            return True
    else:
        name = _NAMED.search(" " + original)
        if name and name.group(1).lower() not in _NO_NAME:
            return True
    if _SPEAKER.search(bare) or _TOPIC.match(bare):
        return False
    return None


def consumes(piece: str, before: bool) -> bool:
    """Whether somebody else is told to eat, drink or take something, here or in the clause before."""
    return before or _CONSUMES.search(piece) is not None
