"""A trained screen: whether words speak to or about the forecaster instead of telling of the day.

A linear model on words and pairs of them, fitted by ``benchmarks/agent/fit_address.py``. It stands beside
``written_screen``: that one knows what a forecaster is called, this one how people talk of being judged. It takes
clauses out; of what stays it raises the odds of a message, which the reader weighs.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

__all__ = ["AddressScreen", "address_screen", "grams"]

LONGEST_GRAM = 2
MOST_ODDS, MOST_LOGIT = 100.0, 30.0
_PIECE = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")


@dataclass(frozen=True)
class AddressScreen:
    """Logistic regression on which grams occur, in a vector of unit length.

    Attributes
    ----------
    bias : float
    share : float
        Of addresses in what it learned from.
    weights : dict gram -> float
    digest : str
        Of the file; part of the score segment.
    """

    bias: float
    share: float
    weights: dict[str, float] = field(repr=False)
    digest: str = ""

    def chance(self, text: str) -> float:
        """Probability that the words are an address, if they are as common as in what it learned from."""
        return 1.0 / (1.0 + math.exp(-self._logit(text)))

    def message_odds(self, text: str) -> float:
        """How many times likelier the words are in an address than in a diary; at least 1: it never acquits."""
        odds = math.exp(self._logit(text)) * (1.0 - self.share) / self.share
        return min(max(odds, 1.0), MOST_ODDS)

    def _logit(self, text: str) -> float:
        known = [self.weights[gram] for gram in grams(text) if gram in self.weights]
        logit = self.bias + sum(known) / math.sqrt(max(len(known), 1))
        return min(max(logit, -MOST_LOGIT), MOST_LOGIT)

    def save(self, path: Path) -> None:
        """Write it; the same bytes for the same screen."""
        weights = {gram: round(weight, 3) for gram, weight in sorted(self.weights.items())}
        told = {"bias": round(self.bias, 4), "share": round(self.share, 4), "weights": weights}
        path.write_text(json.dumps(told, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def grams(text: str) -> set[str]:
    """Words and pairs of a text; every number is the same one."""
    words = ["0" if piece[0].isdigit() else piece for piece in _PIECE.findall(text.casefold().replace("’", "'"))]
    return {" ".join(words[i : i + n]) for n in range(1, LONGEST_GRAM + 1) for i in range(len(words) - n + 1)}


@cache
def address_screen() -> AddressScreen:
    """The screen that ships."""
    data = files("llm_agent").joinpath("data/address.json").read_bytes()
    told = json.loads(data)
    return AddressScreen(told["bias"], told["share"], told["weights"], sha256(data).hexdigest()[:8])
