"""Measure listening on labelled recordings: words and key words heard, facts from speech, facts from nothing, speed.

A folder's ``manifest.json`` is a list of ``file``, ``reference``, ``kind`` (``tts``, ``human``, or ``no journal``:
noise, music, a stranger's story, from which no fact may come), ``labels`` (the ten fields or null), maybe ``facts``,
``recorded_at``, ``set``.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrv_shared.cli import progress
from journal_analysis.bench_texts import fact_misses, key_of, spoken_of
from journal_analysis.errors import JournalError
from journal_analysis.fields import FIELDS, fields_of
from journal_analysis.key_words import key_words_right
from journal_analysis.reading import read_facts
from journal_analysis.word_error import word_errors

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from journal_analysis.transcript import Transcript

__all__ = ["NO_JOURNAL", "SpeechFigures", "measure_speech", "set_of"]

NO_JOURNAL = "no journal"
LONG_S = 150.0
"""From this length on a recording counts as a three-minute entry."""


@dataclass
class SpeechFigures:
    """Rows (metric, value, n, model, set), every recording as heard, and every miss by name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    misses: list[dict[str, Any]] = field(default_factory=list)


def measure_speech(folder: Path, manifest: Sequence[Mapping[str, Any]], settings: Settings) -> SpeechFigures:
    """Transcribe every recording of a manifest and hold words and facts against the labels.

    Returns
    -------
    SpeechFigures
        For each set: ``word error rate``, ``key words right`` (negations, numbers, units, clock times), ``ten fields
        right`` and ``facts F1`` where labelled, ``facts F1 against the reference's`` (what listening alone costs),
        ``audio s per s``, ``CPU s per audio s``, ``longest wait, s``; of recordings that hold no journal ``facts where
        none was told`` and ``transcribed though no journal`` (shares of recordings); and ``peak memory, MB`` of all.
    """
    from journal_analysis.listening import load_model
    from journal_analysis.transcription import transcribe

    model = load_model(settings).name
    figures = SpeechFigures()
    with progress("transcribing", len(manifest)) as advance:
        for item in manifest:
            began, cpu = time.perf_counter(), time.process_time()
            try:
                heard, failed = transcribe(folder / item["file"], settings), None
            except JournalError as error:
                heard, failed = None, str(error)
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
            recording = _held_against(item, heard)
            recording |= {"failed": failed, "seconds": round(wall_s, 2), "cpu_s": round(cpu_s, 2)}
            figures.recordings.append(recording)
            figures.misses += recording.pop("misses")
            advance(1)
    by_set: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for recording in figures.recordings:
        by_set[recording["set"]].append(recording)
    for name, own in sorted(by_set.items()):
        figures.rows += _rows(name, own, model)
    peak_mb = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    n = len(figures.recordings)
    figures.rows.append({"metric": "peak memory, MB", "value": peak_mb, "n": n, "model": model, "set": "all"})
    return figures


def set_of(item: Mapping[str, Any]) -> str:
    """The set a recording is counted in: its own ``set``, else by its kind, its name and its length."""
    if item.get("set"):
        return str(item["set"])
    if item.get("kind") == NO_JOURNAL:
        return NO_JOURNAL
    if item.get("kind") == "human":
        return "human speech"
    if "noise" in item["file"]:
        return "10 dB noise"
    if "espeak" in item["file"]:
        return "espeak"
    return "three-minute entry" if item.get("seconds", 0.0) >= LONG_S else "synthetic journals"


def _held_against(item: Mapping[str, Any], transcript: Transcript | None) -> dict[str, Any]:
    """One recording's counts; ``misses`` names what went wrong."""
    name, spoken = item["file"], spoken_of(item)
    heard = transcript.text if transcript else ""
    facts = read_facts(heard, spoken, transcript).facts if transcript else ()
    found: dict[str, Any] = {
        "file": name, "set": set_of(item), "heard": heard, "audio_s": item["seconds"], "facts": len(facts),
        "misses": [], "journal": item.get("kind") != NO_JOURNAL,
    }  # fmt: skip
    if not found["journal"]:
        found["misses"] = [{"case": name, "extra": key_of(f)} for f in facts]
        return found
    reference = item["reference"]
    errors, words = word_errors(reference, heard)
    right, keys, misheard = key_words_right(reference, heard)
    found |= {"errors": errors, "words": words, "key_words": keys, "key_words_right": right}
    found["misses"] += [{"case": name, "said": said, "heard": got} for said, got in misheard]
    of_reference = read_facts(reference, spoken).facts
    missing = sum(1 for f in of_reference if key_of(f) not in {key_of(g) for g in facts})
    extra = sum(1 for f in facts if key_of(f) not in {key_of(g) for g in of_reference})
    found |= {"facts_of_reference": len(of_reference), "facts_changed": missing + extra}
    if item.get("labels"):
        got = fields_of(facts)
        wrong = [f for f in FIELDS if got[f] != item["labels"][f]]
        found |= {"fields": len(FIELDS), "fields_right": len(FIELDS) - len(wrong)}
        found["misses"] += [
            {"case": name, "field": f, "expected": item["labels"][f], "got": got[f]} for f in wrong
        ]
    if item.get("facts") is not None:
        missed, invented = fact_misses(item["facts"], facts)
        found |= {"facts_expected": len(item["facts"]), "facts_right": len(facts) - invented.total()}
        found["facts_read"] = len(facts)
        found["misses"] += [{"case": name, "missing": key} for key in missed.elements()]
        found["misses"] += [{"case": name, "extra": key} for key in invented.elements()]
    return found


def _rows(name: str, own: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    def total(key: str) -> float:
        return sum(r.get(key, 0) for r in own)

    def row(metric: str, value: float, n: float) -> dict[str, Any]:
        return {"metric": metric, "value": round(value, 4), "n": int(n), "model": model, "set": name}

    rows = []
    if told := [r for r in own if r["journal"]]:
        rows.append(row("word error rate", total("errors") / max(total("words"), 1), total("words")))
        keys = max(total("key_words"), 1)
        rows.append(row("key words right", total("key_words_right") / keys, total("key_words")))
        both = sum(r["facts"] + r["facts_of_reference"] for r in told)
        changed = total("facts_changed") / max(both, 1)
        rows.append(row("facts F1 against the reference's", 1 - changed, total("facts_of_reference")))
    if fields := total("fields"):
        rows.append(row("ten fields right", total("fields_right") / fields, fields))
    if expected := total("facts_expected"):
        rows.append(
            row("facts F1", 2 * total("facts_right") / max(expected + total("facts_read"), 1), expected)
        )
    if untold := [r for r in own if not r["journal"]]:
        rows.append(
            row("facts where none was told", sum(r["facts"] > 0 for r in untold) / len(untold), len(untold))
        )
        heard = sum(bool(r["heard"]) for r in untold)
        rows.append(row("transcribed though no journal", heard / len(untold), len(untold)))
    audio_s = total("audio_s")
    rows.append(row("audio s per s", audio_s / max(total("seconds"), 1e-9), len(own)))
    rows.append(row("CPU s per audio s", total("cpu_s") / max(audio_s, 1e-9), len(own)))
    return [*rows, row("longest wait, s", max(r["seconds"] for r in own), len(own))]
