"""Fit the first reading: tune MPNet to labelled diary sentences, each alone (``bank/``, ``inserted/``, ``addresses/``).

    python -m venv fit-env && fit-env/bin/pip install torch transformers peft -e shared -e llm_agent
    fit-env/bin/python benchmarks/agent/fit_reader.py --held-out      what it can do with notes it has not seen
    fit-env/bin/python benchmarks/agent/fit_reader.py --write         the reader that ships, into the agent's room

Half an hour each on two cores that know bfloat16, an hour on others. The product needs none of these libraries.
Three heads learn side by side: what a sentence is about, how strong that is, and whether it is other text that got
into a diary (a film's line, a drill, a label, words to whoever forecasts).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from texts import bank, lines_of
from torch import nn
from torch.nn import functional as F
from transformers import AutoTokenizer
from tuning import DROPPED, learn, network, thin_of

import llm_agent
from hrv_shared.models import read_safetensors, resolve
from hrv_shared.settings import load_settings
from llm_agent.encoder import LONGEST, Encoder
from llm_agent.kinds import MOVED, STRENGTHS, UNMOVED
from llm_agent.reader import MODEL, Reader, read_reader
from llm_agent.reading import INSERTED_SHARE, MOVES_FROM, Verdict, verdicts_of

KINDS = (*UNMOVED, "message", *MOVED)
SIDE = {"body": -1, "heart": -1, "night": -1, "relief": 1}
EPOCHS, BATCH, LONGEST_LEARNED = 3, 32, 64
RATE, RATE_OF_HEADS = 6e-4, 3e-3
SMOOTHED = 0.05
WEIGHT_OF_STRENGTH, WEIGHT_OF_INSERTED = 0.5, 0.7
ABOUT_FORECASTER = 120
"""Clauses of each file of ``addresses/``: they are the screens' matter, and few tell it by themselves."""
HELD_OUT_FILE = "talk"
FOLDS = 5
LABELLED_PCT = {
    -1: {"a little": -3, "clearly": -7, "a lot": -12},
    1: {"a little": 2, "clearly": 4, "a lot": 6},
}
"""What the strengths of the labels stand for; what ``levers.EVENT_PCT`` makes of the reader's is their mean below."""


@dataclass(frozen=True)
class Told:
    """One text to learn from; what is None is not known of it. ``group`` is what is held out together."""

    text: str
    about: str | None
    strength: str | None
    inserted: bool | None
    group: str


def main() -> None:
    """Score what was not seen, or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--held-out", action="store_true", help="score a fifth of the notes and an author, left out")
    parser.add_argument("--write", action="store_true", help="write the reader of everything into the agent's room")
    asked = parser.parse_args()
    if not (asked.held_out or asked.write):
        parser.error("expected --held-out or --write")
    settings = load_settings()
    model = resolve(MODEL, cache_dir=settings.cache_dir)
    told = material()
    if asked.held_out:
        unseen = [one for one in told if held_out(one)]
        reader = fitted([one for one in told if not held_out(one)], model)
        print(scored(unseen, reader, model.path))
    if asked.write:
        path = Path(llm_agent.__file__).parent / "data" / f"{MODEL}.reader"
        fitted(told, model).save(path)
        print(f"{path.name}: {path.stat().st_size // 1000} kB, {read_reader(path.read_bytes()).digest}")


def material() -> list[Told]:
    """What is learned from, the same each time, each text once."""
    found: dict[str, Told] = {}
    for one in bank():
        inserted = None if one["about"] in ("others", "message") else False
        found[one["text"]] = Told(one["text"], one["about"], one["strength"], inserted, one["note"])
    for author, clauses in lines_of("inserted").items():
        for told in clauses:
            found.setdefault(told["text"], Told(told["text"], None, None, told["is"] == "inserted", author))
    for author, clauses in lines_of("addresses").items():
        for told in Random(author).sample(clauses, ABOUT_FORECASTER):
            found.setdefault(told["text"], Told(told["text"], None, None, told["is"] == "address", "addresses"))
    return list(found.values())


def held_out(one: Told) -> bool:
    """Whether the look at unseen texts leaves it out."""
    return one.group == HELD_OUT_FILE or "/" in one.group and Random(one.group).randrange(FOLDS) == 0


class Tuned(nn.Module):
    """MPNet with thin matrices beside its own, and three heads on the mean of its states."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.net = network(weights)
        width = self.net.config.hidden_size
        self.heads = nn.ModuleList(nn.Linear(width, n) for n in (len(KINDS), len(STRENGTHS), 1))

    def forward(self, tokens: dict[str, torch.Tensor]) -> list[torch.Tensor]:
        states = self.net(**tokens).last_hidden_state.float()
        there = tokens["attention_mask"][..., None]
        mean = F.dropout((states * there).sum(1) / there.sum(1), DROPPED, self.training)
        return [head(mean) for head in self.heads]


def fitted(told: Sequence[Told], model) -> Reader:
    """Learn from the texts; the same each time on one machine."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(model.path, model_max_length=LONGEST)
    net = Tuned(read_safetensors(model.path / "model.safetensors")).train()

    def loss_of(batch: Sequence[Told]) -> torch.Tensor:
        tokens = tokenizer(
            [one.text for one in batch], padding=True, truncation=True, max_length=LONGEST_LEARNED, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            said = net(tokens)
        return loss(batch, said)

    learned = learn(net, list(batches(told)), loss_of, rate=RATE, rate_of_heads=RATE_OF_HEADS)
    return reader_of(learned, [one.inserted for one in told], model.sha256)


def batches(told: Sequence[Told]) -> Iterator[list[Told]]:
    """Texts of about one length together, in a random order."""
    rng = Random(0)
    for _ in range(EPOCHS):
        mixed = rng.sample(list(told), len(told))
        found = []
        for i in range(0, len(mixed), 16 * BATCH):
            near = sorted(mixed[i : i + 16 * BATCH], key=lambda one: len(one.text))
            found += [near[j : j + BATCH] for j in range(0, len(near), BATCH)]
        rng.shuffle(found)
        yield from found


def loss(batch: Sequence[Told], said: Sequence[torch.Tensor]) -> torch.Tensor:
    """Of the three heads together, each over those texts of which it is known."""
    kinds, strengths, inserted = (scores.float() for scores in said)
    nothing = -100
    kind = torch.tensor([nothing if one.about is None else KINDS.index(one.about) for one in batch])
    strength = torch.tensor([nothing if one.strength is None else STRENGTHS.index(one.strength) for one in batch])
    other = torch.tensor([float("nan") if one.inserted is None else float(one.inserted) for one in batch])
    told = F.cross_entropy(kinds, kind, ignore_index=nothing, label_smoothing=SMOOTHED, reduction="sum")
    how = F.cross_entropy(strengths, strength, ignore_index=nothing, reduction="sum")
    known = ~other.isnan()
    not_own = F.binary_cross_entropy_with_logits(inserted[known, 0], other[known], reduction="sum")
    return (told + WEIGHT_OF_STRENGTH * how + WEIGHT_OF_INSERTED * not_own) / len(batch)


def reader_of(learned: dict[str, np.ndarray], inserted: Sequence[bool | None], sha256: str) -> Reader:
    """What was learned, as the product reads it; the third head as if half of all texts were inserted."""
    (kinds, kind_bias), (strengths, strength_bias), (other, other_bias) = (
        (learned[f"heads.{k}.weight"], learned[f"heads.{k}.bias"]) for k in range(3)
    )
    share = np.mean([known for known in inserted if known is not None])
    bias = float(other_bias[0] - np.log(share / (1 - share)))
    return Reader(
        sha256, KINDS, thin_of(learned), kinds, kind_bias, strengths, strength_bias, other[0], bias
    )


def scored(told: Sequence[Told], reader: Reader, folder: Path) -> str:
    """Figures of texts that were not learned from, in % of sentences."""
    encoder = Encoder(folder, reader.tuned)
    ours = [one for one in told if one.about is not None]
    lines = of_verdicts(ours, read_alone(reader, encoder, ours))
    of = lambda one: reader.inserted(encoder.states([one.text]), INSERTED_SHARE)[0] > 1.0 - MOVES_FROM  # noqa: E731
    for word, which in (("inserted", True), ("honest", False)):
        these = [of(one) for one in told if one.about is None and one.inserted is which]
        lines.append(f"{word} clauses of {HELD_OUT_FILE} that can move nothing: {share_of(these)}")
    stopped = [of(one) for one in ours if one.strength is not None]
    return "\n".join([*lines, f"moving sentences of the bank that can move nothing for it: {share_of(stopped)}"])


def read_alone(reader: Reader, encoder: Encoder, told: Sequence[Told]) -> list[Verdict]:
    """What a reader makes of each sentence by itself."""
    states = encoder.states([one.text for one in told])
    inserted = reader.inserted(states, INSERTED_SHARE)
    return verdicts_of(
        reader.kinds, reader.probabilities(states), inserted, reader.strengths(states), np.ones(len(told))
    )


def of_verdicts(told: Sequence[Told], verdicts: Sequence[Verdict]) -> list[str]:
    """How often they are right, in % of labelled sentences, and what the strengths that they tell stand for."""
    said = np.array([SIDE.get(verdict.about.partition(", ")[0], 0) for verdict in verdicts])
    sides = np.array([SIDE.get(one.about, 0) for one in told])
    other = np.array([bool(one.inserted) or one.about == "message" for one in told])
    lines = [
        f"right side: {share_of(said == sides)}", f"lowering seen: {share_of(said[sides < 0] < 0)}",
        f"relief seen: {share_of(said[sides > 0] > 0)}", f"plain moved: {share_of(said[(sides == 0) & ~other] != 0)}",
        f"other text and messages moved: {share_of(said[other] != 0)}",
        f"the wrong way: {share_of((said * sides)[sides != 0] < 0)}",
    ]  # fmt: skip
    seen = [
        (one, v.about.partition(", ")[2]) for one, v, s in zip(told, verdicts, said, strict=True)
        if s and s == SIDE.get(one.about, 0)
    ]  # fmt: skip
    lines.append(f"strength right: {share_of([one.strength == how for one, how in seen])}")
    for side, word in ((-1, "lowers"), (1, "raises")):
        for strength in STRENGTHS:
            these = [one for one, how in seen if SIDE[one.about] == side and how == strength]
            meant = [LABELLED_PCT[side][one.strength] for one in these]
            lines.append(f"{word} {strength}: {np.mean(meant):+.1f} % by its label, n={len(meant)}")
    return lines


def share_of(right: Sequence[bool] | np.ndarray) -> str:
    """In words."""
    return f"{100 * float(np.mean(right)):.1f} % of {len(right)}"


if __name__ == "__main__":
    main()
