"""The opinion: the schema that the model must answer on, and the checks that its answer must pass.

What the default model is known to get wrong (and what is done about it here): single effects overstated (the shift is
clipped to 1.25 times the matched effects, or to 6 ms when nothing matches), invented figures and false side clauses
(a sentence with a number that does not stand in the report goes), a rationale that contradicts its own shift (it goes
whole), a probability that is no probability (computed in code from the distribution; the model's own is only kept).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from llm_agent.briefing import Briefing
from llm_agent.errors import UngroundedOpinion

__all__ = ["OPINION_SCHEMA", "Opinion", "check_opinion"]

CLIP_FACTOR = 1.25
UNMATCHED_LIMIT_MS = 6.0
LEAST_WORDS = 3
"""Fewer words in a row than this are no quote when the rest is made up."""
SD_SCALES = (0.8, 1.0, 1.2, 1.5, 2.0)

OPINION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "evidence": {
            "type": "array",
            "items": {"type": "string", "maxLength": 90},
            "minItems": 1,
            "maxItems": 4,
        },
        "rationale": {"type": "string", "maxLength": 260},
        "shift_ms": {"type": "integer", "minimum": -15, "maximum": 15},
        "sd_scale": {"type": "number", "enum": list(SD_SCALES)},
        "p_above_baseline": {"type": "number", "enum": [round(0.05 * i, 2) for i in range(1, 20)]},
    },
    "required": ["evidence", "rationale", "shift_ms", "sd_scale", "p_above_baseline"],
    "additionalProperties": False,
}

_DOWN = re.compile(r"\b(lower(s|ed|ing)?|below|reduc\w+|drop\w*|decreas\w+|down|worse|suppress\w+)\b", re.I)
_UP = re.compile(r"\b(rais(e|es|ed|ing)|above|higher|increas\w+|improv\w+|up|better|boost\w*)\b", re.I)
_WRONG_SIGN = re.compile(
    r"\b(rais\w+|increas\w+|improv\w+|boost\w*)\b[^.;]{0,60}?(?<![\w.])-\d"
    r"|\b(lower\w*|reduc\w+|decreas\w+|drop\w*)\b[^.;]{0,60}?(?<![\w.])\+\d",
    re.I,
)
_NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:[.:]\d+)?")


@dataclass(frozen=True)
class Opinion:
    """A checked opinion on night 1.

    Attributes
    ----------
    shift_ms : float, ms
        After clipping; ``raw_shift_ms`` is what the model said.
    rationale_by : str
        ``model``, or ``template`` when none of the model's sentences stood the checks.
    dropped : tuple of str
        What was taken out, and why.
    """

    shift_ms: float
    raw_shift_ms: float
    sd_scale: float
    evidence: tuple[str, ...]
    rationale: str
    rationale_by: str
    p_above_baseline_said: float
    dropped: tuple[str, ...]


def check_opinion(reply: dict[str, Any], briefing: Briefing) -> Opinion:
    """Hold a reply (already valid on the schema) against the briefing.

    Raises
    ------
    UngroundedOpinion
        A shift without a single quote that stands in the report.
    """
    dropped: list[str] = []
    folded = _fold(briefing.report)
    evidence = []
    for quote in reply["evidence"]:
        if len(_fold(quote)) >= 3 and _fold(quote) in folded:
            evidence.append(quote.strip())
        elif part := _verbatim_part(quote, folded):
            evidence.append(part)
            dropped.append(f"evidence not word for word in the report, cut to what is: {quote!r}")
        else:
            dropped.append(f"evidence not in the report: {quote!r}")
    raw = float(reply["shift_ms"])
    if raw and not evidence:
        raise UngroundedOpinion(
            f"The language model asked for {raw:+.0f} ms and quoted nothing that stands in its briefing."
        )
    shift = _clip(raw, briefing)
    if shift != raw:
        dropped.append(f"shift {raw:+.0f} ms clipped to {shift:+.1f} ms")
    rationale = _sound_sentences(reply["rationale"], briefing, shift, dropped)
    by = "model" if rationale else "template"
    return Opinion(
        shift_ms=shift,
        raw_shift_ms=raw,
        sd_scale=float(reply["sd_scale"]),
        evidence=tuple(evidence),
        rationale=rationale or _template(briefing, shift),
        rationale_by=by,
        p_above_baseline_said=float(reply["p_above_baseline"]),
        dropped=tuple(dropped),
    )


def _verbatim_part(quote: str, folded_report: str) -> str | None:
    """The longest run of a quote's words that stands in the report, if it is most of the quote.

    The default model likes to glue a fact and the words it was heard in into one quote.
    """
    words, report = _fold(quote).split(), f" {folded_report} "
    for length in range(len(words) - 1, max(LEAST_WORDS, len(words) // 2 + 1) - 1, -1):
        for start in range(len(words) - length + 1):
            run = " ".join(words[start : start + length])
            if f" {run} " in report:
                return run
    return None


def _clip(shift: float, briefing: Briefing) -> float:
    down = sum(min(m["effect_ms"], 0.0) for m in briefing.matched) * CLIP_FACTOR
    up = sum(max(m["effect_ms"], 0.0) for m in briefing.matched) * CLIP_FACTOR
    if not briefing.matched:
        down, up = -UNMATCHED_LIMIT_MS, UNMATCHED_LIMIT_MS
    return round(min(max(shift, down), up), 1) + 0.0


def _sound_sentences(rationale: str, briefing: Briefing, shift: float, dropped: list[str]) -> str:
    known = {float(n.replace(":", ".").lstrip("+-")) for n in _NUMBER.findall(briefing.report)}
    kept = []
    sentences = re.split(r"(?<=[.!?])\s+", rationale.strip())
    if len(sentences) > 1 and not sentences[-1].endswith((".", "!", "?")):
        dropped.append(f"sentence cut off by the limit of length: {sentences.pop()!r}")
    for sentence in sentences:
        strange = [n for n in _NUMBER.findall(sentence) if not _stands(n, known)]
        if strange:
            dropped.append(
                f"sentence with {', '.join(strange)}, which the report does not hold: {sentence!r}"
            )
        elif _WRONG_SIGN.search(sentence):
            dropped.append(f"sentence whose word and figure disagree: {sentence!r}")
        elif not briefing.has_journal and "journal" in sentence.lower():
            dropped.append(f"sentence about a journal that nobody gave: {sentence!r}")
        elif sentence:
            kept.append(sentence)
    text = " ".join(kept)
    if _contradicts(text, shift):
        dropped.append(f"rationale that contradicts a shift of {shift:+.1f} ms: {text!r}")
        return ""
    return text


def _stands(number: str, known: set[float]) -> bool:
    """Whether the report holds the number, or one that rounds to it."""
    value = float(number.replace(":", ".").lstrip("+-"))
    places = len(number.partition(".")[2])
    return any(round(k, places) == value or abs(k - value) < 1e-9 for k in known)


def _contradicts(text: str, shift: float) -> bool:
    down, up = bool(_DOWN.search(text)), bool(_UP.search(text))
    return (shift < 0 and up and not down) or (shift > 0 and down and not up)


def _template(briefing: Briefing, shift: float) -> str:
    if not briefing.matched:
        return f"No personal effect matches today's facts; the median is moved by {shift:+.1f} ms." if shift else (
            "Nothing that is known about today moves the models' forecast; it stands."
        )  # fmt: skip
    phrases = "; ".join(m["phrase"] for m in briefing.matched)
    return f"Matched personal effects: {phrases}. The median is moved by {shift:+.1f} ms."


def _fold(text: str) -> str:
    """Lower case, without punctuation; the point stays inside numbers."""
    words = re.sub(r"[^a-z0-9.%+-]+|\.(?!\d)", " ", text.lower())
    return " ".join(words.split())
