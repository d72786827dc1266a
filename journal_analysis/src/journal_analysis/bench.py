"""Measure the room on labelled test sets: listening on recordings, reading on texts.

A folder's ``manifest.json`` lists recordings (see `bench_speech`); every other ``*.json`` that is a list of labelled
texts (see `bench_texts`) is a set of texts, and so is a single file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from journal_analysis.bench_speech import measure_speech
from journal_analysis.bench_texts import is_text_case, measure_texts
from journal_analysis.errors import BadBenchmark

if TYPE_CHECKING:
    from hrv_shared.settings import Settings

__all__ = ["bench_text", "run_bench", "text_cases"]

MANIFEST = "manifest.json"
MOST_MISSES_SHOWN = 40


def run_bench(data: Sequence[Path], settings: Settings) -> dict[str, Any]:
    """Measure everything in the given folders and files.

    Returns
    -------
    dict
        ``rows`` (metric, value, n, model, set), ``misses`` by case, and ``recordings`` as they were heard.

    Raises
    ------
    BadBenchmark
        One of them is no test set.
    """
    result: dict[str, Any] = {"data": [str(d) for d in data], "rows": [], "misses": [], "recordings": []}
    for place in data:
        manifest = place / MANIFEST
        if place.is_dir() and manifest.exists():
            speech = measure_speech(place, _read(manifest), settings)
            result["rows"] += speech.rows
            result["misses"] += speech.misses
            result["recordings"] += speech.recordings
        cases = text_cases(place)
        if cases:
            texts = measure_texts(cases)
            result["rows"] += texts.rows
            result["misses"] += texts.misses
        elif not manifest.exists():
            raise BadBenchmark(
                f"Expected a folder with {MANIFEST} (recordings) or *.json lists of {{text, labels}}, or one such "
                f"file; {place} is neither."
            )
    return result


def text_cases(place: Path) -> list[dict[str, Any]]:
    """The labelled texts of a file, or of a folder's files; each has an ``id`` and a ``set`` afterwards."""
    paths = sorted(place.glob("*.json")) if place.is_dir() else [place]
    return [case for path in paths if path.name != MANIFEST for case in _cases_of(path)]


def bench_text(result: dict[str, Any]) -> str:
    """The figures in words: a block for each set, then what was missed."""
    lines: list[str] = []
    for row in result["rows"]:
        title = f"{row['set']} ({row['model']})"
        if title not in lines:
            lines.append(title)
        lines.append(f"  {row['metric']:34} {row['value']:>9g}  n {row['n']}")
    missed = [_miss_line(m) for m in result["misses"]]
    hidden = len(missed) - MOST_MISSES_SHOWN
    more = [f"  … and {hidden} more (--json has all of them)"] if hidden > 0 else []
    return "\n".join([*lines, *(["missed:"] if missed else []), *missed[:MOST_MISSES_SHOWN], *more])


def _miss_line(miss: dict[str, Any]) -> str:
    if "field" in miss:
        said = f"{miss['field']}: expected {miss['expected']}, got {miss['got']}"
    elif "said" in miss:
        said = f"said {miss['said']!r}, heard {miss['heard']!r}"
    else:
        kind = "missing" if "missing" in miss else "extra"
        behaviour, how, value, shift, plan = miss[kind]
        said = f"{kind} {behaviour} {how} {value if value is not None else ''} day {shift:+d}{' plan' if plan else ''}"
    return f"  {miss['case']}  {said}"


def _cases_of(path: Path) -> list[dict[str, Any]]:
    cases = _read(path)
    if not isinstance(cases, list):
        return []
    return [
        {"id": f"{path.stem}:{k}", "set": path.stem, **case}
        for k, case in enumerate(cases)
        if is_text_case(case)
    ]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadBenchmark(f"{path} can't be read as JSON ({error}).") from error
