"""Fit the second reading: which sentences of a note are other text (``in_notes/``, ``bank/``, ``inserted/`` …).

    fit-env/bin/python benchmarks/agent/fit_other_text.py             what the shipped one can do
    fit-env/bin/python benchmarks/agent/fit_other_text.py --write     fit it, into the agent's room

The environment is that of ``fit_reader.py``; twenty minutes on two cores. A fifth of the notes of ``in_notes/`` is
never learned from: the figures are theirs, for those sentences that the shipped reader would let move the night. Notes
of the bank get a clause of ``inserted/`` or ``addresses/`` among their sentences, honest ones as often as others, so
that a change of topic alone tells nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

import numpy as np
import torch
from texts import HERE, bank, lines_of
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from tuning import DROPPED, learn, network, thin_of

import llm_agent
from hrv_shared.models import read_safetensors, resolve
from hrv_shared.settings import load_settings
from llm_agent.encoder import PAD, Encoder, note_around
from llm_agent.fold import fold
from llm_agent.other_text import OTHER_FROM, OtherText, as_it_stands, read_other_text
from llm_agent.reader import MODEL, shipped_reader
from llm_agent.sentences import read_words

EPOCHS, BATCH = 4, 16
BANK_NOTES = 4_000
"""Notes of the bank with a clause among them, other ones in each round."""
HELD_OUT = 5


@dataclass(frozen=True)
class Note:
    """Sentences as the product reads them, and which are other text."""

    parts: tuple[str, ...]
    other: tuple[bool, ...]


def main() -> None:
    """Fit, if asked to; score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="fit, and write it into the agent's room")
    asked = parser.parse_args()
    model = resolve(MODEL, cache_dir=load_settings().cache_dir)
    whole = labelled()
    path = Path(llm_agent.__file__).parent / "data" / f"{MODEL}.other-text"
    if asked.write:
        fitted([note for k, note in enumerate(whole) if k % HELD_OUT], model.path).save(path)
    made = read_other_text(path.read_bytes())
    print(f"{path.name}: {path.stat().st_size // 1000} kB, {made.digest}")
    print(scored(whole[::HELD_OUT], made, model.path))


def labelled() -> list[Note]:
    """The notes of ``in_notes/``, cut as the product cuts them; one of which nothing is read is none."""
    whole = [
        cut_as_read([tuple(told) for told in json.loads(line)["sentences"]])
        for file in sorted((HERE / "in_notes").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return [note for note in whole if note.parts]


def cut_as_read(told: Sequence[tuple[str, str]]) -> Note:
    """A piece that the cutting makes has the label of the sentence that it comes from.

    Where it makes pieces of two, as of words without any stop, the sentences stay as they were told.
    """
    asked = read_words([" ".join(text for text, _ in told)], in_prompt=False).asked
    pieces = [fold(sentence.text).strip(" .!?\"'") for sentence in asked]
    labels = [{label for text, label in told if piece and piece in fold(text)} for piece in pieces]
    if any(len(of) != 1 for of in labels):
        return Note(tuple(text for text, _ in told), tuple(label == "foreign" for _, label in told))
    return Note(tuple(as_it_stands(sentence) for sentence in asked), tuple(of == {"foreign"} for of in labels))


def mixed(whole: Sequence[Note]) -> Iterator[list[Note]]:
    """Batches of notes of about one length, in a random order, other notes of the bank in each round."""
    rng = Random(0)
    of_bank = [list(group) for _, group in groupby(bank(), key=lambda one: one["note"])]
    clauses = [
        (told["text"], told["is"] in ("inserted", "address"))
        for folder in ("inserted", "addresses")
        for author in lines_of(folder).values()
        for told in author
    ]
    for _ in range(EPOCHS):
        notes = list(whole)
        for sentences, clause in zip(rng.sample(of_bank, BANK_NOTES), rng.sample(clauses, BANK_NOTES), strict=True):
            parts = [one["text"] for one in sentences]
            other = [one["about"] in ("others", "message") for one in sentences]
            at = rng.randrange(len(parts) + 1)
            parts.insert(at, clause[0])
            other.insert(at, clause[1])
            notes.append(Note(tuple(parts), tuple(other)))
        notes.sort(key=lambda note: sum(map(len, note.parts)) + rng.random())
        batches = [notes[i : i + BATCH] for i in range(0, len(notes), BATCH)]
        rng.shuffle(batches)
        yield from batches


class Tuned(nn.Module):
    """MPNet with thin matrices beside its own, and one head on the mean of each sentence's states."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.net = network(weights)
        self.heads = nn.ModuleList([nn.Linear(self.net.config.hidden_size, 1)])

    def forward(self, ids: torch.Tensor, spans: Sequence[tuple[int, int, int]]) -> torch.Tensor:
        """``spans``: row, start and stop of each sentence -> its log odds."""
        states = self.net(input_ids=ids, attention_mask=(ids != PAD).long()).last_hidden_state.float()
        means = torch.stack([states[row, start:stop].mean(0) for row, start, stop in spans])
        return self.heads[0](F.dropout(means, DROPPED, self.training))[:, 0]


def fitted(whole: Sequence[Note], folder: Path) -> OtherText:
    """Learn from the notes; the same each time on one machine."""
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    net = Tuned(read_safetensors(folder / "model.safetensors")).train()

    def loss_of(batch: Sequence[Note]) -> torch.Tensor:
        rows, spans, known = [], [], []
        for note in batch:
            tokens = [tokenizer.encode(part, add_special_tokens=False).ids for part in note.parts]
            first, last, ids, places = note_around(tokens, len(tokens) // 2)
            for place, other in zip(places, note.other[first : last + 1], strict=True):
                spans.append((len(rows), *place))
                known.append(float(other))
            rows.append(torch.tensor(ids))
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
        with torch.autocast("cpu", torch.bfloat16):
            said = net(ids, spans)
        return F.binary_cross_entropy_with_logits(said, torch.tensor(known))

    batches = list(mixed(whole))
    learned = learn(net, batches, loss_of, sum(len(note.parts) for batch in batches for note in batch))
    return OtherText(thin_of(learned), learned["heads.0.weight"][0], float(learned["heads.0.bias"][0]))


def scored(unseen: Sequence[Note], made: OtherText, folder: Path) -> str:
    """Figures of notes that were not learned from, in % of the sentences that the reader lets move the night."""
    reader = shipped_reader()
    encoder = Encoder(folder, reader.tuned, made.tuned)
    told, chance = [], []
    for note in unseen:
        verdicts = reader.verdicts(encoder.states(note.parts), np.ones(len(note.parts)))
        at = [k for k, verdict in enumerate(verdicts) if verdict.moves]
        told += [note.other[k] for k in at]
        chance += list(made.probabilities(encoder.states_in_note(note.parts, at)))
    other, p = np.array(told, bool), np.array(chance)
    lines = [f"of {len(unseen)} notes {len(p)} sentences would move the night, {other.sum()} of them other text"]
    for least in sorted({0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, OTHER_FROM}):
        found, lost = 100 * np.mean(p[other] > least), 100 * np.mean(p[~other] > least)
        mark = " <- OTHER_FROM" if least == OTHER_FROM else ""
        lines.append(f"from {least:.2f}: {found:.1f} % of other text stopped, {lost:.1f} % of honest ones{mark}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
