"""The briefing: what the language model is told, computed from the summary and the ledger alone.

Static text comes first so that a model can keep it, the journal last because it matters most. The same summary gives
the same briefing, byte for byte.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from hrv_shared.llm import Message

__all__ = ["Briefing", "make_briefing", "make_messages", "prompt_digest"]

LEAST_CERTAINTY = 0.8
"""Effects whose sign is less certain than this are not told: the model makes a sentence of every row it gets."""

MAX_JOURNAL_CHARACTERS = 1500
"""About 400 tokens; the default model's window holds 4,096 in all."""


@dataclass(frozen=True)
class Briefing:
    """What is shown, and the numbers that the checks need.

    Attributes
    ----------
    report : str
        The text; every quote and number of a reply must be found in it.
    base_median_ms : float, ms
        The models' median for night 1 without tonight's journal.
    matched : tuple of dict
        Personal effects of tonight's facts: ``behaviour``, ``effect_ms``, ``phrase``, ``evidence``.
    has_journal : bool
        Whether the wearer said anything today.
    """

    report: str
    base_median_ms: float
    matched: tuple[dict[str, Any], ...]
    has_journal: bool

    @property
    def matched_sum_ms(self) -> float:
        """Sum of the matched effects, ms."""
        return sum(effect["effect_ms"] for effect in self.matched)


def make_briefing(
    summary: dict[str, Any], base_quantiles_ms: tuple[float, ...], journal: list[str]
) -> Briefing:
    """Write the report.

    Parameters
    ----------
    summary : dict
        ``reports/daily/<issue>.json``, schema 1.0.
    base_quantiles_ms : tuple of 23 floats, ms
        The models' combination for night 1 without tonight's journal.
    journal : list of str
        Today's transcripts; data, never instructions.
    """
    matched = tuple(
        {k: m[k] for k in ("behaviour", "effect_ms", "phrase", "evidence")}
        for m in summary["matched_effects"]
        if max(m["p_negative"], 1 - m["p_negative"]) >= LEAST_CERTAINTY
    )
    p10, p25, p50, p75, p90 = (base_quantiles_ms[i] for i in (3, 6, 11, 16, 19))
    baseline = summary["baseline"]
    nights = [f"{n['hrv_rmssd_ms']:.0f}" if n["hrv_rmssd_ms"] is not None else "?" for n in summary["nights"]]
    lines = [
        "# Daily report, forecast for tomorrow morning",
        "## Overnight RMSSD, last 28 days (ms, oldest first; ? = no usable night)",
        ", ".join(nights),
        _sentence(
            f"60-day baseline: mean {_one(baseline['mean_60d_ms'])}, sd {_one(baseline['sd_60d_ms'])}.",
            f"Last 7 days mean {_one(baseline['mean_7d_ms'])}.",
            _last_night(summary["last_night"]),
        ),
        "## Model forecasts for tomorrow (ms; P10, P25, P50, P75, P90)",
        f"| ENSEMBLE | {p10:.1f} | {p25:.1f} | {p50:.1f} | {p75:.1f} | {p90:.1f} |",
        "## Context",
        *_context(summary),
        "## Personal effects that match today's facts (mean change in next-morning RMSSD, n days, sd)",
        *([f"- {m['phrase']}" for m in matched] or ["none (ordinary day)"]),
        "## Journal facts for today (extracted)",
        "; ".join(fact["text"] for fact in summary["tonight_facts"]) or "none",
        "## Journal transcript for today",
        _quoted(journal),
    ]
    return Briefing("\n".join(lines) + "\n", p50, matched, has_journal=bool(journal))


def make_messages(briefing: Briefing) -> list[Message]:
    """The prompt: instructions, worked examples, then the report."""
    prompt = _prompt()
    messages: list[Message] = [{"role": "system", "content": prompt["system"]}]
    for example in prompt["few_shot"]:
        messages.append({"role": "user", "content": example["user"]})
        messages.append({"role": "assistant", "content": json.dumps(example["assistant"])})
    return [*messages, {"role": "user", "content": briefing.report}]


def prompt_digest() -> str:
    """Version and digest of the prompt file; part of the agent's version."""
    text = files("llm_agent").joinpath("data/prompt.json").read_bytes()
    return f"{_prompt()['version']}-{sha256(text).hexdigest()[:8]}"


@cache
def _prompt() -> dict[str, Any]:
    return json.loads(files("llm_agent").joinpath("data/prompt.json").read_text(encoding="utf-8"))


def _context(summary: dict[str, Any]) -> list[str]:
    load, sleep = summary["load"], summary["sleep_last_night"]
    lines = []
    if load["ratio"] is not None:
        acute, chronic = load["acute_7d_strain"], load["chronic_28d_strain"]
        lines.append(
            f"Mean day strain: last 7 days {acute:.1f}, last 28 days {chronic:.1f} (ratio {load['ratio']:.2f})"
        )
    if load["today_strain_0_21"] is not None:
        so_far = "" if load["today_is_final"] else " so far"
        lines.append(f"Strain today{so_far}: {load['today_strain_0_21']:.1f} of 21")
    if sleep and sleep["asleep_h"] is not None:
        efficiency = "" if sleep["efficiency_pct"] is None else f", efficiency {sleep['efficiency_pct']:.0f}%"
        lines.append(f"Sleep last night: {sleep['asleep_h']:.1f} h{efficiency}")
    resting = [r["resting_hr_bpm"] for r in summary["resting_hr"] if r["resting_hr_bpm"] is not None]
    if resting:
        lines.append("Resting heart rate last nights: " + ", ".join(f"{r:.0f}" for r in resting) + " bpm")
    lines += [anomaly["sentence"] for anomaly in summary["anomalies"]]
    return lines or ["nothing known"]


def _last_night(last: dict[str, Any]) -> str:
    if last["hrv_rmssd_ms"] is None:
        return f"Last night: {last['state']}."
    z = "" if last["z"] is None else f" (z={last['z']:+.1f})"
    return f"Last value {last['hrv_rmssd_ms']:.0f}{z}."


def _quoted(journal: list[str]) -> str:
    """The wearer's words on one line between quotation marks, without any of their own or a heading's sign."""
    words = " ".join(" ".join(journal).split()).replace('"', "'").replace("#", "").replace("|", "")
    return f'"{words[:MAX_JOURNAL_CHARACTERS]}"' if words else "none"


def _one(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"


def _sentence(*parts: str) -> str:
    return " ".join(part for part in parts if part)
