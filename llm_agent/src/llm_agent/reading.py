"""How the sentences of an evening are read by the trained readers, and what is concluded of each.

What a sentence is about is read in its note: "It is not what we hoped." is a surgeon's or a cake's. What the same
reading takes for other text (a film's line, a stranger's words, a drill, a fairy tale) is taken out, and the rest is
read again as if it had never stood there, so that what is recognised as no account of the day sways nothing beside it.
How strong a sentence is, and whether it is one that no diary would have, is read of it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llm_agent.address import address_screen
from llm_agent.encoder import MODEL, Encoder
from llm_agent.kinds import MOVED, STRENGTHS
from llm_agent.reader import Reader, shipped_in_note, shipped_reader
from llm_agent.sentences import Sentence

__all__ = [
    "INSERTED_SHARE", "MOVES_FROM", "OTHER_FROM", "OTHER_SHARE", "RELIEF_ODDS", "SURE_FROM", "Readers", "Verdict",
    "as_it_stands", "read_in_note", "shipped_readers", "verdicts_of",
]  # fmt: skip

MOVES_FROM = 0.75
"""Least probability that the night goes one way, for a sentence to move it at all; above a half, because the bank holds
more that moves than evenings do."""
RELIEF_ODDS = 1.35
"""By how much the odds of relief are raised: the bank tells far more often of strain, a life does not."""
SURE_FROM = 0.8
"""Below this probability less of the size is taken, and the band of the night is wider."""
INSERTED_SHARE = 0.05
"""How much of what is read is taken to be other text before it is looked at alone."""
OTHER_SHARE, OTHER_FROM = 0.2, 0.5
"""The same before it is looked at in its note, and the least probability from which on it is other text there."""


@dataclass(frozen=True)
class Verdict:
    """What one sentence is about.

    Attributes
    ----------
    about : str
        A kind of the reader, with its strength where it moves the night: ``others``, ``body, clearly``.
    sure : float
        Probability that the night goes the way that it says (down, up, neither).
    """

    about: str
    sure: float

    @property
    def moves(self) -> bool:
        """Whether the night goes one way for it."""
        return self.about.partition(", ")[0] in MOVED


@dataclass(frozen=True)
class Readers:
    """Those for sentences alone and in their note, of the same kinds."""

    alone: Reader
    in_note: Reader

    @property
    def label(self) -> str:
        """Stands where a prompt's would: ``read-1a2b3c4d.5e6f7a8b``."""
        return f"read-{self.alone.digest}.{self.in_note.digest}"

    def encoder(self, folder: Path) -> Encoder:
        """The network that both need, from the folder of the published one.

        Raises
        ------
        ModelTampered
        """
        return Encoder(folder, self.alone.tuned, self.in_note.tuned, model_id=MODEL)

    def verdicts(self, encoder: Encoder, asked: Sequence[Sentence]) -> dict[str, Verdict]:
        """Of the sentences of an evening, by their ids; the same words give the same."""
        if not asked:
            return {}
        states = encoder.states([sentence.text for sentence in asked])
        kinds, other = np.empty((len(asked), len(self.in_note.kinds))), np.empty(len(asked))
        for note in {sentence.note for sentence in asked}:
            inside = [i for i, sentence in enumerate(asked) if sentence.note == note]
            kinds[inside], other[inside] = read_in_note(self.in_note, encoder, [as_it_stands(asked[i]) for i in inside])
        odds = [address_screen().message_odds(sentence.text) for sentence in asked]
        inserted = self.alone.inserted(states, INSERTED_SHARE)
        said = verdicts_of(self.in_note.kinds, kinds, inserted, self.alone.strengths(states), odds)
        return {
            sentence.id: Verdict("others", float(p)) if p > OTHER_FROM else verdict
            for sentence, p, verdict in zip(asked, other, said, strict=True)
        }


def shipped_readers() -> Readers:
    """Those of this package."""
    return Readers(shipped_reader(), shipped_in_note())


def as_it_stands(sentence: Sentence) -> str:
    """The sentence with the quotation marks that it stood in."""
    return f'"{sentence.text}"' if sentence.quoted else sentence.text


def read_in_note(reader: Reader, encoder: Encoder, parts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Each sentence of a note with its neighbours; then those that are no other text once more, without that.

    What is other text is told by the first reading alone: in the second an honest sentence may stand right behind the
    frame of what was taken out.

    Parameters
    ----------
    parts : sequence [n] of str
        The note's sentences in their order, as they stand.

    Returns
    -------
    ndarray [n, K], ndarray [n]
        Probabilities of the kinds, and of being other text.
    """
    states = encoder.states_in_note(parts)
    kinds, other = reader.probabilities(states), reader.inserted(states, OTHER_SHARE)
    own = np.flatnonzero(other <= OTHER_FROM)
    if 0 < len(own) < len(parts):
        kinds[own] = reader.probabilities(encoder.states_in_note([parts[i] for i in own]))
    return kinds, other


def verdicts_of(
    names: Sequence[str], kinds: np.ndarray, inserted: np.ndarray, strengths: np.ndarray, message_odds: Sequence[float]
) -> list[Verdict]:
    """The likeliest kind on the likeliest side; a side that moves must have more than ``MOVES_FROM``.

    What may be other text is that much less likely to tell of the writer.

    Parameters
    ----------
    names : sequence [K] of str
    kinds : ndarray [n, K]
        Probabilities.
    inserted : ndarray [n]
        Probability that no diary would have it.
    strengths : ndarray [n, S]
    message_odds : sequence [n] of float
        By how much the odds of a message are raised: ``AddressScreen.message_odds`` of each sentence.
    """
    said = []
    for p, other, how, odds in zip(kinds, inserted, strengths, message_odds, strict=True):
        weighed = p * [{"relief": RELIEF_ODDS, "message": odds}.get(name, 1.0) for name in names]
        by_kind = dict(zip(names, weighed / weighed.sum() * (1.0 - other), strict=True))
        by_kind["others"] += other
        up = by_kind["relief"]
        down = sum(by_kind[kind] for kind in MOVED) - up
        if max(up, down) > MOVES_FROM:
            side = ("relief",) if up > down else tuple(kind for kind in MOVED if kind != "relief")
            about = max(side, key=by_kind.__getitem__)
            said.append(Verdict(f"{about}, {STRENGTHS[int(how.argmax())]}", float(max(up, down))))
        else:
            about = max((kind for kind in by_kind if kind not in MOVED), key=by_kind.__getitem__)
            said.append(Verdict(about, float(1.0 - up - down)))
    return said
