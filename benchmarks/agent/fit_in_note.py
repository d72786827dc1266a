"""Fit the second reading, of sentences in their note (``in_notes/``, ``bank/``, ``inserted/``, ``addresses/``).

    fit-env/bin/python benchmarks/agent/fit_in_note.py             what the shipped one can do
    fit-env/bin/python benchmarks/agent/fit_in_note.py --write     fit it, into the agent's room

The environment is that of ``fit_reader.py``; twenty minutes on two cores. It starts from the shipped reader of
sentences alone and has the same three heads. A fifth of the notes of ``in_notes/`` is never learned from: the figures
are theirs. Notes of the bank get a clause of ``inserted/`` or ``addresses/`` among their sentences, honest ones as
often as others, so that a change of topic alone tells nothing; the sentences beside it keep their labels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from random import Random

import torch
from fit_reader import Told, Tuned, loss, of_verdicts, read_alone, reader_of
from texts import HERE, bank, lines_of
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from tuning import DROPPED, begin_from, learn

import llm_agent
from hrv_shared.models import read_safetensors, resolve
from hrv_shared.settings import load_settings
from llm_agent.encoder import PAD, Encoder, note_around
from llm_agent.fold import fold
from llm_agent.reader import MODEL, Reader, read_reader, shipped_reader
from llm_agent.reading import Readers, Verdict, as_it_stands
from llm_agent.sentences import Sentence, read_words

ROUNDS, BATCH = 3, 16
RATE, RATE_OF_HEADS = 4e-4, 1e-3
BANK_NOTES = 4_000
"""Notes of the bank in each round, other ones each time."""
WITH_A_CLAUSE = 0.6
"""How many of them get one."""
HELD_OUT = 5


def main() -> None:
    """Fit, if asked to; score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="fit, and write it into the agent's room")
    asked = parser.parse_args()
    model = resolve(MODEL, cache_dir=load_settings().cache_dir)
    learned, unseen = labelled()
    path = Path(llm_agent.__file__).parent / "data" / f"{MODEL}.in-note"
    if asked.write:
        fitted(learned, model).save(path)
    made = read_reader(path.read_bytes())
    print(f"{path.name}: {path.stat().st_size // 1000} kB, {made.digest}")
    print(scored(unseen, Readers(shipped_reader(), made), model.path))


def labelled() -> tuple[list[list[Told]], list[list[Told]]]:
    """The notes of ``in_notes/``, cut as the product cuts them: to learn from, and a fifth held out.

    One of which nothing is read is none.
    """
    learned: list[list[Told]] = []
    unseen: list[list[Told]] = []
    for file in sorted((HERE / "in_notes").glob("*.jsonl")):
        for k, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
            sentences = json.loads(line)["sentences"]
            note = cut_as_read([told(*sentence, group=file.stem) for sentence in sentences])
            if note:
                (learned if k % HELD_OUT else unseen).append(note)
    return learned, unseen


def told(text: str, about: str, strength: str | None, *, group: str) -> Told:
    """A sentence of a note; other text is about others."""
    kind = "others" if about == "foreign" else about
    return Told(text, kind, strength, about in ("foreign", "others", "message"), group)


def cut_as_read(note: Sequence[Told]) -> list[Told]:
    """A piece that the cutting makes has the label of the sentence that it comes from.

    Where it makes pieces of two, as of words without any stop, the sentences stay as they were told.
    """
    asked = read_words([" ".join(one.text for one in note)], in_prompt=False).asked
    pieces = [fold(sentence.text).strip(" .!?\"'") for sentence in asked]
    origins = [[one for one in note if piece and piece in fold(one.text)] for piece in pieces]
    if any(len({(one.about, one.strength, one.inserted) for one in found}) != 1 for found in origins):
        return list(note)
    return [
        Told(as_it_stands(sentence), found[0].about, found[0].strength, found[0].inserted, found[0].group)
        for sentence, found in zip(asked, origins, strict=True)
    ]


def mixed(whole: Sequence[list[Told]]) -> Iterator[list[list[Told]]]:
    """Batches of notes of about one length, in a random order."""
    rng = Random(0)
    of_bank = [
        [told(one["text"], one["about"], one["strength"], group=one["note"]) for one in group]
        for _, group in groupby(bank(), key=lambda one: one["note"])
    ]
    clauses = [
        Told(one["text"], None, None, one["is"] in ("inserted", "address"), author)
        for folder in ("inserted", "addresses")
        for author, of_author in lines_of(folder).items()
        for one in of_author
    ]
    for _ in range(ROUNDS):
        notes = list(whole)
        for of_one in rng.sample(of_bank, BANK_NOTES):
            note = list(of_one)
            if rng.random() < WITH_A_CLAUSE:
                note.insert(rng.randrange(len(note) + 1), rng.choice(clauses))
            notes.append(note)
        notes.sort(key=lambda note: sum(len(one.text) for one in note) + rng.random())
        batches = [notes[i : i + BATCH] for i in range(0, len(notes), BATCH)]
        rng.shuffle(batches)
        yield from batches


class TunedInNote(Tuned):
    """The same network and heads, on the mean of each sentence's own states."""

    def forward(self, ids: torch.Tensor, spans: Sequence[tuple[int, int, int]]) -> list[torch.Tensor]:
        """``spans``: row, start and stop of each sentence."""
        states = self.net(input_ids=ids, attention_mask=(ids != PAD).long()).last_hidden_state.float()
        means = torch.stack([states[row, start:stop].mean(0) for row, start, stop in spans])
        means = F.dropout(means, DROPPED, self.training)
        return [head(means) for head in self.heads]


def fitted(whole: Sequence[list[Told]], model) -> Reader:
    """Learn from the notes; the same each time on one machine."""
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(model.path / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    net = TunedInNote(read_safetensors(model.path / "model.safetensors")).train()
    begin_from(net, shipped_reader())

    def loss_of(batch: Sequence[list[Told]]) -> torch.Tensor:
        rows, spans, read = [], [], []
        for note in batch:
            tokens = [tokenizer.encode(one.text, add_special_tokens=False).ids for one in note]
            first, last, ids, places = note_around(tokens, len(tokens) // 2)
            spans += [(len(rows), *place) for place in places]
            read += note[first : last + 1]
            rows.append(torch.tensor(ids))
        ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
        with torch.autocast("cpu", torch.bfloat16):
            said = net(ids, spans)
        return loss(read, said)

    batches = list(mixed(whole))
    learned = learn(net, batches, loss_of, rate=RATE, rate_of_heads=RATE_OF_HEADS)
    return reader_of(learned, [one.inserted for batch in batches for note in batch for one in note], model.sha256)


def scored(unseen: Sequence[list[Told]], readers: Readers, folder: Path) -> str:
    """Figures of notes that were not learned from, in % of their sentences: as read in the note, and one by one."""
    encoder = readers.encoder(folder)
    one_by_one = [one for note in unseen for one in note]
    read = {
        "in their notes": [verdict for note in unseen for verdict in read_whole(readers, encoder, note)],
        "one by one": read_alone(readers.alone, encoder, one_by_one),
    }
    lines = []
    for way, verdicts in read.items():
        lines += [f"{len(unseen)} notes, sentences read {way}:", *(f"  {x}" for x in of_verdicts(one_by_one, verdicts))]
    return "\n".join(lines)


def read_whole(readers: Readers, encoder: Encoder, note: Sequence[Told]) -> list[Verdict]:
    """What the product makes of a note."""
    asked = [Sentence(str(k), one.text, one.text, 0) for k, one in enumerate(note)]
    return list(readers.verdicts(encoder, asked).values())


if __name__ == "__main__":
    main()
