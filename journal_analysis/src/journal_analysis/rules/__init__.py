"""The rules: each reads one kind of statement out of a note and returns candidates, nothing else."""

from __future__ import annotations

from collections.abc import Callable

from journal_analysis.behaviours import Behaviour
from journal_analysis.clauses import Note
from journal_analysis.rules.bedtime import read_bedtime
from journal_analysis.rules.candidate import Candidate
from journal_analysis.rules.count import read_count
from journal_analysis.rules.illness import read_illness
from journal_analysis.rules.meal import read_meal
from journal_analysis.rules.mention import read_mention
from journal_analysis.rules.moment import read_moment
from journal_analysis.rules.rating import read_rating
from journal_analysis.rules.scale import read_scale
from journal_analysis.rules.training import read_training
from journal_analysis.rules.travel import read_travel

__all__ = ["RULES", "Candidate"]

RULES: dict[str, Callable[[Note, Behaviour], list[Candidate]]] = {
    "count": read_count,
    "scale": read_scale,
    "mention": read_mention,
    "moment": read_moment,
    "rating": read_rating,
    "meal": read_meal,
    "training": read_training,
    "bedtime": read_bedtime,
    "illness": read_illness,
    "travel": read_travel,
}
"""Rules by the name that ``behaviours.toml`` uses; names beginning with ``with_`` are read by another's rule."""
