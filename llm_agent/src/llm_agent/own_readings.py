"""The wearer's word on a sentence: what it means for the night, where the agent would read it otherwise.

A fact ``own_reading`` of words as they stand in a note. It counts for these words from then on: on the same evening, as
long as nothing was issued, and on every later one on which they are said again. What was issued stays as it was.
"""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from typing import Any

from hrv_shared.record import SEEN, Fact
from hrv_shared.store import Store
from llm_agent.encoder import Encoder
from llm_agent.errors import BadEdit
from llm_agent.fold import fold
from llm_agent.kinds import MOVED, STRENGTHS, in_words
from llm_agent.notes import notes_told
from llm_agent.reading import Readers, Verdict
from llm_agent.sentences import read_words, said_of

__all__ = ["KIND", "own_readings", "read_now", "set_reading", "unset_reading"]

KIND, SOURCE = "own_reading", "wearer"
NOTHING = "daily life"
VERDICTS = (NOTHING, *(f"{kind}, {strength}" for kind in MOVED for strength in STRENGTHS))
MOST_CHARACTERS = 400
COUNTS = "It counts from the next forecast on, whenever you say these words. What was issued stays as it was."


def set_reading(store: Store, member_id: str, words: str, means: str) -> Fact | None:
    """What these words mean for the night.

    Parameters
    ----------
    words : str
        A sentence as it stands in a note; case and punctuation don't matter.
    means : str
        ``daily life``, or ``body``, ``heart``, ``night``, ``relief`` with a strength (``body, a lot``); without one
        it is ``clearly``.

    Raises
    ------
    BadEdit
    """
    verdict = f"{means}, clearly" if means in MOVED else means
    if verdict not in VERDICTS:
        raise BadEdit(f"Expected {', '.join(MOVED)} or {NOTHING}, got {means[:20]!r}. With a strength: 'heart, a lot'.")
    return _append(store, member_id, words, verdict)


def unset_reading(store: Store, member_id: str, words: str) -> Fact | None:
    """Let the agent read these words by itself again."""
    return _append(store, member_id, words, None)


def own_readings(store: Store, member_id: str, as_of: datetime) -> dict[str, str]:
    """What the wearer had said by then: of folded words, a kind with its strength, as a verdict has it."""
    facts = store.record.latest(KIND, member_id, as_of).values()
    return {fold(f.payload["words"]): f.payload["about"] for f in facts if f.payload["about"]}


def read_now(
    store: Store, member_id: str, readers: Readers, encoder: Encoder | None, day: date | None = None
) -> list[dict[str, Any]]:
    """How a day's notes (by default the newest day's) are read now, whatever was issued.

    Parameters
    ----------
    encoder : Encoder, optional
        Without one only the wearer's own words tell.

    Returns
    -------
    list of dict
        As in ``understood``. Sentences that are facts of the journal are not among them.
    """
    now = store.clock()
    notes = notes_told(store, member_id, now, day)
    keys = {note.key for note in notes}
    facts = [f.payload for f in store.record.latest("journal_fact", member_id, now).values()]
    quotes = [f["quote"] for f in facts if f["entry_key"] in keys and f["status"] != "rejected" and f["quote"]]
    asked = read_words([note.payload["transcript"] for note in notes], quotes, in_prompt=False).asked
    said = said_of(asked, own_readings(store, member_id, now))
    read = readers.verdicts(encoder, asked) if encoder else {}
    verdicts = {s.id: Verdict(said[s.id], 1.0) if s.id in said else read.get(s.id) for s in asked}
    return [
        {
            "words": s.quote, "about": verdict and verdict.about,
            "meaning": verdict and in_words(verdict.about, verdict.sure, yours=s.id in said),
            "share": verdict and round(verdict.sure, 3), "yours": s.id in said,
        }
        for s in asked
        for verdict in [verdicts[s.id]]
    ]  # fmt: skip


def _append(store: Store, member_id: str, words: str, about: str | None) -> Fact | None:
    said = " ".join(words.split())
    folded = fold(said)
    if not folded or len(said) > MOST_CHARACTERS:
        raise BadEdit(f"Expected a sentence of at most {MOST_CHARACTERS} characters, got {len(said)}.")
    return store.record.append(
        member_id, KIND, sha256(folded.encode()).hexdigest()[:24], {"words": said, "about": about},
        known_at=store.clock(), basis=SEEN, source=SOURCE,
    )  # fmt: skip
