"""Fit what tells other text from the writer's own account: a film's line, a drill, a label, an address.

    .venv/bin/python benchmarks/agent/fit_inserted.py [--penalty 0.01] [--write]

A third head of the reader, on the same states. It learns from clauses of ``inserted/`` and ``addresses/`` against
honest ones with the same words, and against sentences of the bank that move a night. First what it can do: each file,
and notes of the bank, by a head that has not seen them. With ``--write`` then the head of everything, beside the other
two in the file that ships. The states are kept in the cache: after ``fit_reader.py`` the first run takes a quarter of
an hour, the next seconds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from fit_reader import BANK, SIDE, bank, standardised, states_of
from sklearn.linear_model import LogisticRegression

import llm_agent
from hrv_shared.settings import load_settings
from llm_agent.cli import reader_of
from llm_agent.reader import INSERTED_SHARE, MOVES_FROM

INSERTED, ADDRESSES = Path(__file__).parent / "inserted", Path(__file__).parent / "addresses"
PER_FILE, CLAUSES, FROM_BANK = 85, 2600, 1500
"""Clauses of each file about the forecaster, how many of these and the others' words are drawn, and sentences of the
bank: as many as a quarter of an hour reads."""
PENALTY = 0.01
FOLDS = 5


@dataclass(frozen=True)
class Told:
    """One text to learn from; ``group`` is what is held out together."""

    text: str
    inserted: bool
    group: str


def main() -> None:
    """Judge what was not seen, and on request write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--penalty", type=float, default=PENALTY, help="C of the ridge")
    parser.add_argument("--write", action="store_true", help="write the head into the agent's room")
    asked = parser.parse_args()
    settings = load_settings()
    told = material()
    states = states_of([one.text for one in told], settings)
    labels, groups = np.array([one.inserted for one in told]), np.array([one.group for one in told])
    for group in sorted(set(groups)):
        here = groups == group
        weights, bias = fitted(states[~here], labels[~here], asked.penalty)
        chance = at_share(states[here] @ weights + bias)
        print(f"{group}, not seen: {worded(chance, labels[here])}")
    if asked.write:
        weights, bias = fitted(states, labels, asked.penalty)
        shipped = reader_of(settings)
        if shipped is None:
            raise SystemExit("No reader fits this model and wording. Fit its other heads first: fit_reader.py --write")
        path = Path(llm_agent.__file__).parent / "data" / "readers" / f"{settings.llm_model}.head"
        replace(shipped, inserted_weights=weights, inserted_bias=bias).save(path)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


def material() -> list[Told]:
    """What is learned from, the same each time."""
    found: dict[str, Told] = {}
    for file in sorted(INSERTED.glob("*.jsonl")):
        for line in lines_of(file):
            found.setdefault(line["text"], Told(line["text"], line["is"] == "inserted", file.stem))
    for file in sorted(ADDRESSES.glob("*.jsonl")):
        for line in Random(file.stem).sample(lines_of(file), PER_FILE):
            found.setdefault(line["text"], Told(line["text"], line["is"] == "address", "addresses"))
    clauses = list(found.values())
    Random(1).shuffle(clauses)
    found = {one.text: one for one in clauses[:CLAUSES]}
    moving = [sentence for sentence in bank(BANK) if sentence["about"] in SIDE]
    for sentence in Random(0).sample(moving, FROM_BANK):
        fold = Random(sentence["note"]).randrange(FOLDS)
        found.setdefault(sentence["text"], Told(sentence["text"], False, f"bank, fold {fold}"))
    return list(found.values())


def lines_of(file: Path) -> list[dict[str, str]]:
    """The clauses of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def fitted(states: np.ndarray, labels: np.ndarray, c: float) -> tuple[np.ndarray, float]:
    """Weights and bias in units of the states, as if half of all texts were inserted."""
    weights, bias = standardised(LogisticRegression(C=c, max_iter=3000, class_weight="balanced"), states, labels)
    return weights[0], float(bias[0])


def at_share(logits: np.ndarray) -> np.ndarray:
    """Probabilities where ``INSERTED_SHARE`` of what is read is inserted."""
    return 1.0 / (1.0 + np.exp(-(logits + np.log(INSERTED_SHARE / (1.0 - INSERTED_SHARE)))))


def worded(chance: np.ndarray, inserted: np.ndarray) -> str:
    """How much can no longer move a night."""
    stopped = chance > 1.0 - MOVES_FROM
    parts = [
        f"{100 * stopped[which].mean():.1f} % of {which.sum()} {name} can move nothing"
        for name, which in (("inserted", inserted), ("honest", ~inserted))
        if which.any()
    ]
    return ", ".join(parts)


if __name__ == "__main__":
    main()
