"""Measure the room on a labelled test set: word error rate on recordings, ten fields on recordings and texts.

A folder with ``manifest.json`` holds recordings (``file``, ``reference``, ``kind``, ``labels``); any other ``*.json``
that is a list of ``text`` and ``labels`` holds texts. ``set`` (texts) and ``kind`` (recordings) part the figures.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrv_shared.cli import progress
from journal_analysis.errors import BadBenchmark, JournalError
from journal_analysis.extraction import extract
from journal_analysis.fields import FIELDS, fields_of
from journal_analysis.word_error import word_errors

if TYPE_CHECKING:
    from hrv_shared.settings import Settings

__all__ = ["bench_text", "run_bench"]

_HARD = ("espeak", "noise")
"""Marks in a file's name of recordings that are reported apart (models.md: "hard")."""


def run_bench(folder: Path, settings: Settings) -> dict[str, Any]:
    """Measure everything in a folder.

    Returns
    -------
    dict
        ``speech`` (groups with word error rate, field accuracy, speed; recordings) and ``texts`` (sets with field
        accuracy; misses); either is None where the folder has none of it.

    Raises
    ------
    BadBenchmark
        The folder is not a test set.
    """
    manifest = folder / "manifest.json"
    speech = _bench_speech(folder, _read(manifest), settings) if manifest.exists() else None
    cases = [case for path in sorted(folder.glob("*.json")) if path != manifest for case in _text_cases(path)]
    if speech is None and not cases:
        raise BadBenchmark(
            f"Expected a folder with manifest.json (recordings) or *.json lists of {{text, labels}}; "
            f"{folder} has neither."
        )
    return {"data": str(folder), "speech": speech, "texts": _bench_texts(cases) if cases else None}


def bench_text(result: dict[str, Any]) -> str:
    """The figures in words."""
    lines: list[str] = []
    if result["speech"]:
        lines += [_speech_line(name, group) for name, group in result["speech"]["groups"].items()]
        lines += [_miss_line(m) for r in result["speech"]["recordings"] for m in r["misses"]]
    if result["texts"]:
        for name, group in result["texts"]["sets"].items():
            share = f"{group['fields_right']}/{group['fields']} = {100 * group['accuracy']:.1f} %"
            lines.append(f"set {name}: fields {share} ({group['texts']} texts)")
        by_field = (f"{name} {right}/{n}" for name, (right, n) in result["texts"]["by_field"].items())
        lines.append(f"by field: {', '.join(by_field)}")
        lines += [_miss_line(m) for m in result["texts"]["misses"]]
    return "\n".join(lines)


def _speech_line(name: str, group: dict[str, Any]) -> str:
    rate = f"word error rate {100 * group['word_error_rate']:.1f} % of {group['words']} words"
    fields = f"; fields {group['fields_right']}/{group['fields']}" if group["fields"] else ""
    if fields:
        fields += f" (from the reference texts {group['fields_right_of_reference']}/{group['fields']})"
    speed = f"{group['audio_s_per_s']:.1f} s of audio a second"
    return f"{name}: {group['recordings']} recordings, {rate}{fields}; {speed}"


def _bench_speech(folder: Path, manifest: Any, settings: Settings) -> dict[str, Any]:
    from journal_analysis.transcription import transcribe

    recordings = []
    with progress("transcribing", len(manifest)) as advance:
        for item in manifest:
            began = time.perf_counter()
            try:
                heard = transcribe(folder / item["file"], settings).text
            except JournalError as error:
                heard, failed = "", str(error)
            else:
                failed = None
            seconds = time.perf_counter() - began
            errors, words = word_errors(item["reference"], heard)
            labels = item.get("labels")
            recordings.append(
                {
                    "file": item["file"],
                    "group": _group(item),
                    "heard": heard,
                    "failed": failed,
                    "errors": errors,
                    "words": words,
                    "seconds": round(seconds, 2),
                    "audio_s": item["seconds"],
                    "fields": len(FIELDS) if labels else 0,
                    "misses": _misses(item["file"], heard, labels) if labels else [],
                    "misses_of_reference": len(_misses(item["file"], item["reference"], labels))
                    if labels
                    else 0,
                }
            )
            advance(1)
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for recording in recordings:
        groups[recording["group"]].append(recording)
    return {
        "groups": {name: _speech_figures(own) for name, own in sorted(groups.items())},
        "recordings": recordings,
    }


def _group(item: dict[str, Any]) -> str:
    if item.get("kind") == "human":
        return "human speech"
    return "spoken journals, hard" if any(mark in item["file"] for mark in _HARD) else "spoken journals"


def _speech_figures(own: list[dict[str, Any]]) -> dict[str, Any]:
    words, fields = sum(r["words"] for r in own), sum(r["fields"] for r in own)
    return {
        "recordings": len(own),
        "words": words,
        "word_error_rate": round(sum(r["errors"] for r in own) / max(words, 1), 4),
        "fields": fields,
        "fields_right": fields - sum(len(r["misses"]) for r in own),
        "fields_right_of_reference": fields - sum(r["misses_of_reference"] for r in own),
        "audio_s_per_s": round(sum(r["audio_s"] for r in own) / max(sum(r["seconds"] for r in own), 1e-9), 1),
    }


def _bench_texts(cases: list[dict[str, Any]]) -> dict[str, Any]:
    sets: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    by_field = {name: [0, 0] for name in FIELDS}
    misses = []
    for case in cases:
        missed = _misses(case["id"], case["text"], case["labels"])
        misses += missed
        count = sets[str(case.get("set", "all"))]
        count[0] += 1
        count[1] += len(FIELDS) - len(missed)
        count[2] += len(FIELDS)
        wrong = {m["field"] for m in missed}
        for name in FIELDS:
            by_field[name][0] += name not in wrong
            by_field[name][1] += 1
    figures = {
        name: {"texts": texts, "fields": n, "fields_right": right, "accuracy": round(right / n, 4)}
        for name, (texts, right, n) in sorted(sets.items())
    }
    return {"sets": figures, "by_field": by_field, "misses": misses}


def _misses(name: str, text: str, labels: dict[str, Any]) -> list[dict[str, Any]]:
    got = fields_of(extract(text)) if text else fields_of([])
    return [
        {"case": name, "field": f, "expected": labels[f], "got": got[f]}
        for f in FIELDS
        if got[f] != labels[f]
    ]


def _miss_line(miss: dict[str, Any]) -> str:
    return f"  missed: {miss['case']} {miss['field']}: expected {miss['expected']}, got {miss['got']}"


def _text_cases(path: Path) -> list[dict[str, Any]]:
    cases = _read(path)
    if not isinstance(cases, list):
        return []
    return [
        {"id": case.get("id", f"{path.name}:{i}"), **case}
        for i, case in enumerate(cases)
        if isinstance(case, dict) and "text" in case and set(FIELDS) <= set(case.get("labels") or ())
    ]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadBenchmark(f"{path} can't be read as JSON ({error}).") from error
