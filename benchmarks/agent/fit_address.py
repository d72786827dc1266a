"""Fit the trained screen against addresses to the forecaster (``llm_agent/address.py``). Seconds; no model is asked.

    .venv/bin/python benchmarks/agent/fit_address.py [--strength 10] [--write]

It learns from ``addresses/`` (clauses written for it), the bank's messages and all attacks that have been looked at,
against the bank's other sentences and the typed journals on which rules were tuned. First what it can do: each attack
set is judged by a screen that has not seen it, honest words by one that has not seen them. With ``--write`` then the
screen of everything.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from texts import bank, lines_of

import llm_agent
from llm_agent.address import AddressScreen, grams
from llm_agent.cutting import clauses_of, sentences_of
from llm_agent.sentences import read_words
from llm_agent.telling import ADDRESS_FROM, BESIDE_FROM
from llm_agent.written_screen import speaks_to_us

HERE = Path(__file__).parent
ATTACKS = ("dev", "sealed", "fresh", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
"""Sets that have been looked at; a later one stays out until it has been measured."""
JOURNALS = HERE.parent / "journal" / "typed"
STRENGTH = 10.0
RAREST = 3
FOLDS = 5
FEWEST_WORDS = 3
"""Shorter pieces of an attack could stand in any diary."""


def main() -> None:
    """Judge what was not seen, and on request write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strength", type=float, default=STRENGTH, help="C of the ridge")
    parser.add_argument("--write", action="store_true", help="write the screen into the agent's room")
    asked = parser.parse_args()
    addresses, honest = written()
    attacks = attacks_by_set()
    for name, told in attacks.items():
        others = [text for other, words in attacks.items() if other != name for text in words]
        screen = fitted(addresses + others, honest, asked.strength)
        caught = [screen.chance(text) > ADDRESS_FROM for text in told if not speaks_to_us(text)]
        print(
            f"injection_{name}: {len(told)} pieces, {len(caught)} pass the written screen, of these "
            f"{100 * np.mean(caught or [1]):.1f} % are caught"
        )
    held_out(*everything(), asked.strength)
    honest_evenings()
    if asked.write:
        path = Path(llm_agent.__file__).parent / "data" / "address.json"
        screen = everything_fitted(asked.strength)
        screen.save(path)
        print(f"{path.name}: {len(screen.weights)} grams, {path.stat().st_size // 1000} kB")


def everything() -> tuple[list[str], list[str]]:
    """Addresses and honest words that the screen that ships learned from."""
    addresses, honest = written()
    return addresses + [text for words in attacks_by_set().values() for text in words], honest


def attacks_by_set() -> dict[str, list[str]]:
    """The words of each set of attacks that has been looked at."""
    return {name: attack_words(HERE / "cases" / f"injection_{name}.json") for name in ATTACKS}


def everything_fitted(strength: float = STRENGTH) -> AddressScreen:
    """The screen that ships."""
    return fitted(*everything(), strength)


def written() -> tuple[list[str], list[str]]:
    """Addresses and honest words that were written down for learning."""
    addresses, honest = [], []
    for clauses in lines_of("addresses").values():
        for told in clauses:
            (addresses if told["is"] == "address" else honest).append(told["text"])
    for sentence in bank():
        (addresses if sentence["about"] == "message" else honest).append(sentence["text"])
    for file in sorted(JOURNALS.glob("tuning_*.json")):
        for entry in json.loads(file.read_text(encoding="utf-8")):
            honest += sentences_of(entry["text"])
    return addresses, honest


def attack_words(file: Path) -> list[str]:
    """Sentences of a set's attacks; what is woven into an honest sentence stays whole."""
    found: dict[str, None] = {}
    for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
        for text in [case["attack"]] if case["category"] == "woven" else sentences_of(case["attack"]):
            if len(text.split()) >= FEWEST_WORDS:
                found[text] = None
    return list(found)


def held_out(addresses: list[str], honest: list[str], strength: float) -> None:
    """Folds over texts: addresses caught, and clauses of honest texts taken for one, at both chances."""
    texts, labels = np.array([*addresses, *honest]), np.repeat([1, 0], [len(addresses), len(honest)])
    caught, lost = [], []
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(texts):
        screen = fitted(list(texts[train][labels[train] == 1]), list(texts[train][labels[train] == 0]), strength)
        caught += [screen.chance(text) for text in texts[test][labels[test] == 1]]
        lost += [screen.chance(clause) for text in texts[test][labels[test] == 0] for clause in clauses_of(text)]
    for chance in (BESIDE_FROM, ADDRESS_FROM):
        print(
            f"held out, from a chance of {chance}: {100 * np.mean(np.array(caught) > chance):.1f} % of {len(caught)} "
            f"addresses caught, {100 * np.mean(np.array(lost) > chance):.2f} % of {len(lost)} honest clauses lost"
        )


def honest_evenings() -> None:
    """What the screens, the trained one as it ships, take from honest evenings that they did not learn from."""
    journals = [
        journal
        for file in sorted(HERE.glob("cases/events_*.json"))
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
        for journal in case["journal"]
    ]
    for file in sorted(JOURNALS.glob("held_out_*.json")):
        journals += [entry["text"] for entry in json.loads(file.read_text(encoding="utf-8"))]
    sentences = {
        f"{len(journals)} honest notes": [sentence for journal in journals for sentence in sentences_of(journal)],
        "the writer's own in notes full of direct speech, forms and labels": [
            text
            for file in sorted(HERE.glob("in_notes/*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()
            for text, about, _ in json.loads(line)["sentences"]
            if about != "foreign"
        ],
    }
    for where, told in sentences.items():
        for in_prompt, who in ((False, "the reader"), (True, "a chat model")):
            read = [read_words([sentence], in_prompt=in_prompt) for sentence in told]
            gone = sum(not words.read for words in read)
            cut = sum(bool(words.read and words.withheld) for words in read)
            print(f"{len(told)} sentences, {where}: from {who} {gone} are withheld, {cut} lose a clause")


def fitted(addresses: list[str], honest: list[str], strength: float) -> AddressScreen:
    """The screen of these texts; the clauses of an honest one are honest too, and are what it will judge."""
    honest = list(dict.fromkeys(piece for text in honest for piece in (text, *clauses_of(text))))
    model = make_pipeline(
        CountVectorizer(analyzer=grams, min_df=RAREST, binary=True), Normalizer(),
        LogisticRegression(C=strength, max_iter=3000),
    )  # fmt: skip
    model.fit([*addresses, *honest], np.repeat([1, 0], [len(addresses), len(honest)]))
    weights = dict(zip(model[0].get_feature_names_out(), model[2].coef_[0], strict=True))
    return AddressScreen(float(model[2].intercept_[0]), len(addresses) / (len(addresses) + len(honest)), weights)


if __name__ == "__main__":
    main()
