"""Scorer of numbers: each one in a text must be one that its unit allows.

- ms: an effect on record, its interval or night SD, what was taken of it, the shift, a baseline, a median of the week,
  night 1's 10 % and 90 % quantiles
- nights: a count on record, or the length of a baseline
- %: an effect, a band, a share of the sleep
- a bare number: anything said by the wearer, a fact, the context, a count, or a size of an effect or shift
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hrv_shared.constants import MEDIAN_INDEX, QUANTILE_LEVELS
from llm_agent.bench.quoting import own_words

__all__ = ["numbers_in", "ungrounded"]

_NUMBER = re.compile(r"(?<![\w.:])[+\-\u2212]?\d+(?:[.,]\d+)?(?:\s?%|\s?ms\b)?")
_CLOCK = re.compile(r"\b\d{1,2}[:.h]\d{2}\b(?!\s?(?:ms|%))")
_NIGHTS = re.compile(
    r"^\s*(?:earlier |past |previous |other |such |similar |logged |recorded )*"
    r"(?:nights?|days?|evenings?|observations?)\b"
)
_RANGE = re.compile(r"^\s*(?:to|and|-|\u2013|\u2026|\.{2,3})\s*[+\-\u2212]?\d+(?:[.,]\d+)?\s?(ms|%)")
_LIST_MARK = re.compile(
    r"\[?\b[A-Z]\d+\b\]?|\b(?:RMSSD|HRV|P)\s?\d+\b|\bnights? \d(?:\s?(?:to|-|\u2013)\s?\d)?\b", re.I
)
BASELINE_NIGHTS = {7.0, 28.0, 60.0}
BANDS_PCT = {50.0, 80.0, 90.0, 95.0}
BAND_ENDS = (QUANTILE_LEVELS.index(0.10), QUANTILE_LEVELS.index(0.90))


def numbers_in(text: str) -> list[tuple[float, str]]:
    """Numbers of a text as (value without sign, unit): ms, %, nights or nothing; a range's first takes its second's."""
    bare = _LIST_MARK.sub(" ", _CLOCK.sub(" ", text))
    found = []
    for match in _NUMBER.finditer(bare):
        token, follows = match.group(), bare[match.end() : match.end() + 60]
        value = float(re.sub(r"[^\d.]", "", token.replace(",", ".")))
        unit = "ms" if token.endswith("ms") else "%" if token.endswith("%") else ""
        if not unit and (shared := _RANGE.match(follows)):
            unit = shared.group(1)
        elif not unit and _NIGHTS.match(follows):
            unit = "nights"
        found.append((value, unit))
    return found


def ungrounded(
    text: str, summary: Mapping[str, Any], answer: Mapping[str, Any], journal: Iterable[str]
) -> list[str]:
    """Numbers of ``text`` that nothing of their unit stands for; what it quotes from the notes is left out."""
    said = list(journal)
    allowed = _allowed(summary, answer, " ".join(said))
    return [
        f"{value:g} {unit}".strip()
        for value, unit in numbers_in(own_words(text, said))
        if not _stands(value, allowed[unit])
    ]


def _allowed(summary: Mapping[str, Any], answer: Mapping[str, Any], journal: str) -> dict[str, set[float]]:
    heard = {value for value, _ in numbers_in(journal)}
    effects, base = summary["matched_effects"], summary["baseline"]
    nights = BASELINE_NIGHTS | {float(base["n_60d"]), float(base["n_7d"])}
    nights |= {float(effect[k]) for effect in effects for k in ("n_yes", "n_no")}
    sizes = _sizes(effects, answer)
    percent = BANDS_PCT | {effect["effect_pct"] for effect in effects} | _sleep_shares(summary)
    bare = sizes | nights | percent | _context(summary) | set(answer["spread"].values()) | {1.0, 21.0}
    bare |= set(
        map(float, range(answer.get("samples", 0) + 1))
    )  # how often it was asked, and how many agreed
    return {
        "ms": sizes | _levels(summary, answer),
        "%": percent | heard,
        "nights": nights | heard,
        "": bare | heard,
    }


def _sizes(effects: Iterable[Mapping[str, Any]], answer: Mapping[str, Any]) -> set[float]:
    """Of effects, of what was taken of them, and of the shifts, ms."""
    sizes = {effect[k] for effect in effects for k in ("effect_ms", "low80_ms", "high80_ms", "night_sd_ms")}
    sizes |= {sum(effect["effect_ms"] for effect in effects)} | set(answer["shifts_ms"].values())
    parts = ("taken_ms", "effect_ms", "counted_ms")
    return sizes | {lever[k] for lever in answer["levers"] for k in parts if lever.get(k) is not None}


def _levels(summary: Mapping[str, Any], answer: Mapping[str, Any]) -> set[float]:
    """Baselines, last night, the models' and the answer's quantiles that people are told, ms."""
    base, last = summary["baseline"], summary["last_night"]["hrv_rmssd_ms"]
    levels = {base[k] for k in ("mean_60d_ms", "sd_60d_ms", "mean_7d_ms", "smallest_worthwhile_change_ms")}
    levels |= {last} if last is not None else set()
    levels |= {line["p50_ms"] for line in summary["forecasts"]}
    levels |= {line[k] for line in summary["forecasts"] if line["horizon"] == 1 for k in ("p10_ms", "p90_ms")}
    levels |= {quantiles[MEDIAN_INDEX] for quantiles in answer["quantiles_ms"].values()}
    return levels | {answer["quantiles_ms"][1][i] for i in BAND_ENDS}


def _context(summary: Mapping[str, Any]) -> set[float]:
    """Load, sleep, pulse, z, and what facts and effects have in their names."""
    load, sleep = summary["load"], summary["sleep_last_night"] or {}
    known = {v for block in (load, sleep) for v in block.values() if isinstance(v, float)}
    known |= {r["resting_hr_bpm"] for r in summary["resting_hr"] if r["resting_hr_bpm"] is not None}
    rows = (*summary["tonight_facts"], *summary["matched_effects"])
    known |= {value for value, _ in numbers_in(" ".join(row["text"] for row in rows))}
    return known | {summary["last_night"]["z"] or 0.0}


def _sleep_shares(summary: Mapping[str, Any]) -> set[float]:
    sleep = summary["sleep_last_night"] or {}
    return {sleep[k] for k in ("efficiency_pct", "performance_pct") if sleep.get(k) is not None}


def _stands(value: float, known: set[float]) -> bool:
    """Whether one of the numbers is this one, or rounds to it."""
    places = len(f"{value:g}".partition(".")[2])
    return any(abs(abs(k) - value) <= 0.5 * 10**-places + 1e-9 for k in known)
