"""Fit the reader: a linear head on the default model's states, from the labelled sentences of ``bank/``.

    .venv/bin/python benchmarks/agent/fit_reader.py [--penalty 0.004] [--apart] [--write]

First what it can do: five folds over whole notes, figures of sentences; with ``--apart`` also from each half of the
state alone. With ``--write`` then the head of all sentences, into the agent's room, beside that of ``fit_inserted.py``.
The states are kept in the cache: the first run takes over an hour, the next minutes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

import llm_agent
from hrv_shared.cli import progress
from hrv_shared.settings import load_settings
from llm_agent.bench.memory import RememberingModel
from llm_agent.bench.run import memory_file
from llm_agent.choice import MOVED, STRENGTHS, UNMOVED
from llm_agent.cli import model_digest, open_model, reader_of
from llm_agent.prompts import load_prompt
from llm_agent.reader import Reader, reader_frame

BANK = Path(__file__).parent / "bank"
KINDS = (*UNMOVED, "message", *MOVED)
SIDE = {"body": -1, "heart": -1, "night": -1, "relief": 1}
BLOCKS = 16
"""Of the default model's 28: the last layer holds what it would say, the middle what it read."""
HALVES = ("the sentence's words", "the question's words")
"""Of a state, side by side."""
CHUNK = 200
FOLDS = 5
LABELLED_PCT = {
    -1: {"a little": -3, "clearly": -7, "a lot": -12},
    1: {"a little": 2, "clearly": 4, "a lot": 6},
}
"""What the strengths of the labels stand for; what ``levers.EVENT_PCT`` makes of the reader's is their mean below."""


def main() -> None:
    """Read, score, and on request write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--penalty", type=float, default=0.004, help="C of the ridge")
    parser.add_argument("--apart", action="store_true", help="score each half of the state alone too")
    parser.add_argument("--write", action="store_true", help="write the head into the agent's room")
    asked = parser.parse_args()
    settings = load_settings()
    told = bank(BANK)
    states = states_of([one["text"] for one in told], settings)
    if asked.apart:
        for half, alone in zip(HALVES, np.hsplit(states, len(HALVES)), strict=True):
            print(f"from {half}: {worded(cross_validated(told, alone, asked.penalty))}")
    print(f"{len(told)} sentences: {worded(cross_validated(told, states, asked.penalty, sizes=True))}")
    if asked.write:
        head = fitted(told, states, asked.penalty)
        shipped = reader_of(settings)
        third = (shipped.inserted_weights, shipped.inserted_bias) if shipped else nothing_inserted(states)
        reader = Reader(model_digest(settings), load_prompt("read").digest, BLOCKS, KINDS, *head, *third)
        path = Path(llm_agent.__file__).parent / "data" / "readers" / f"{settings.llm_model}.head"
        reader.save(path)
        print(f"{path.name}: {path.stat().st_size // 1000} kB")


def bank(folder: Path) -> list[dict]:
    """Every labelled sentence once: text, kind, strength, and the note it stands in."""
    found: dict[str, dict] = {}
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
            for text, about, strength in json.loads(line)["sentences"]:
                one = {"text": text, "about": about, "strength": strength, "note": f"{file.stem}/{number}"}
                found.setdefault(text, one)
    return list(found.values())


def states_of(texts: list[str], settings) -> np.ndarray:
    """The model's state of each [n, 2 x width], from the cache where it was read before."""
    frame = reader_frame(load_prompt("read"))
    model = RememberingModel(open_model(settings), memory_file(settings.cache_dir, "reader"))
    states = []
    with progress("Sentences read", total=len(texts)) as advance:
        for i in range(0, len(texts), CHUNK):
            states.append(model.hidden_states(texts[i : i + CHUNK], frame, BLOCKS))
            advance(len(states[-1]))
    model.close()
    return np.concatenate(states)


def nothing_inserted(states: np.ndarray) -> tuple[np.ndarray, float]:
    """A third head for which everything is the writer's own account; ``fit_inserted.py`` fits the real one."""
    return np.zeros(states.shape[1]), -1000.0


def worded(figures: dict[str, float]) -> str:
    """The figures on a line."""
    return ", ".join(f"{name} {value:.1f} %" for name, value in figures.items())


def cross_validated(
    sentences: list[dict], states: np.ndarray, c: float, sizes: bool = False
) -> dict[str, float]:
    """Figures of held-out notes, in % of sentences."""
    sides = np.array([SIDE.get(s["about"], 0) for s in sentences])
    said = np.zeros(len(sentences))
    size, meant = [], {}
    groups = [s["note"] for s in sentences]
    for train, test in GroupKFold(FOLDS).split(states, groups=groups):
        head = fitted([sentences[i] for i in train], states[train], c)
        reader = Reader("", "", BLOCKS, KINDS, *head, *nothing_inserted(states))
        for i, verdict in zip(test, reader.verdicts(states[test], np.ones(len(test))), strict=True):
            about, _, strength = verdict.about.partition(", ")
            said[i] = SIDE.get(about, 0)
            if said[i] and said[i] == sides[i]:
                size.append(strength == sentences[i]["strength"])
                pct = LABELLED_PCT[int(sides[i])][sentences[i]["strength"]]
                meant.setdefault(f"{('raises', 'lowers')[pct < 0]} {strength}", []).append(pct)
    for strength, labelled in sorted(meant.items()) if sizes else ():
        print(f"{strength}: {np.mean(labelled):+.1f} % by its label, n={len(labelled)}")
    of = lambda chosen, right: 100 * float(np.mean(right[chosen]))  # noqa: E731
    message = np.array([s["about"] == "message" for s in sentences])
    everything = np.ones(len(said), bool)
    return {
        "right side": of(everything, said == sides), "lowering seen": of(sides < 0, said < 0),
        "relief seen": of(sides > 0, said > 0), "plain moved": of((sides == 0) & ~message, said != 0),
        "messages moved": of(message, said != 0), "wrong way": of(sides != 0, said * sides < 0),
        "right strength": 100 * float(np.mean(size)),
    }  # fmt: skip


def fitted(sentences: list[dict], states: np.ndarray, c: float) -> tuple[np.ndarray, ...]:
    """Weights and bias for the kinds, then for the strengths, in units of the states themselves."""
    kinds = np.array([s["about"] for s in sentences])
    moves = np.array([s["strength"] is not None for s in sentences])
    strengths = np.array([str(s["strength"]) for s in sentences])
    return *_head(states, kinds, KINDS, c), *_head(states[moves], strengths[moves], STRENGTHS, c)


def _head(states, labels, names, c) -> tuple[np.ndarray, np.ndarray]:
    model = LogisticRegression(C=c, max_iter=3000)
    weights, bias = standardised(model, states, labels)
    order = [list(model.classes_).index(name) for name in names]
    return weights[order], bias[order]


def standardised(model: LogisticRegression, states, labels) -> tuple[np.ndarray, np.ndarray]:
    """Fit a model to standardised states; its weights and bias in units of the states themselves."""
    scaler = StandardScaler()
    model.fit(scaler.fit_transform(states), labels)
    weights = model.coef_ / scaler.scale_
    return weights, model.intercept_ - weights @ scaler.mean_


if __name__ == "__main__":
    main()
