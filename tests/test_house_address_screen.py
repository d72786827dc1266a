"""The trained screen that ships is the one that its texts and its fit give."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from llm_agent.address import address_screen

BENCH = Path(__file__).resolve().parents[1] / "benchmarks" / "agent"


@pytest.fixture(scope="module")
def fit_address():
    sys.path.insert(0, str(BENCH))  # it borrows from the script beside it
    try:
        spec = importlib.util.spec_from_file_location("fit_address", BENCH / "fit_address.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(BENCH))


def test_the_shipped_screen_is_what_its_texts_give(fit_address):
    """After a change of either: benchmarks/agent/fit_address.py --write."""
    shipped, again = address_screen(), fit_address.everything_fitted()
    assert shipped.weights.keys() == again.weights.keys()
    assert max(abs(shipped.weights[gram] - weight) for gram, weight in again.weights.items()) < 0.02
    assert shipped.bias == pytest.approx(again.bias, abs=0.02) and shipped.share == pytest.approx(again.share, abs=1e-4)


@pytest.mark.parametrize(
    "judge", ["ninth", "redteam", "redteam_second", "redteam_third", "redteam_fourth", "redteam_fifth"]
)
def test_it_learned_from_no_set_that_only_judges(fit_address, judge):
    learned = {text.casefold() for text in fit_address.everything()[0]}
    told = fit_address.attack_words(BENCH / "cases" / f"injection_{judge}.json")
    unseen = {text.casefold() for text in told if len(text.split()) > 3}  # "What am I?" is anybody's
    assert unseen and not learned & unseen
