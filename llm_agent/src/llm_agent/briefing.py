"""The briefing: numbered evidence for the night, computed from the summary, the ledger and the wearer's words alone.

Lines stand in the order of what moves HRV tonight: personal effects of tonight's facts, alerts, the wearer's words,
memory, the day's load and the last night, then the models and the level. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from hrv_shared.constants import MEDIAN_INDEX
from llm_agent.counted import NOTHING_COUNTED, Counted, beyond_counted
from llm_agent.kinds import in_words
from llm_agent.levers import Lever, listed_levers
from llm_agent.literature import needs_no_judgement, usual_levers, usual_pct
from llm_agent.sentences import Sentence, Words, read_words, said_of

__all__ = ["Briefing", "Line", "make_briefing"]

UNUSUAL_Z = 1.5
"""From this many SDs on a measure is called above or below usual."""
LOAD_RATIO = 1.3


@dataclass(frozen=True)
class Line:
    """One piece of evidence: its id in the briefing, its text, and the summary's ids that it resolves to."""

    id: str
    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Briefing:
    """What a language model may rest on.

    Attributes
    ----------
    lines : tuple of Line
    effects : tuple of Lever
        Personal effects of tonight's facts whose sign is certain enough, and usual ones where there is none.
    words : Words
        The wearer's sentences: asked about, covered by facts, withheld.
    state : str
        The measured state in a few words, for a small prompt.
    base_ms : dict horizon -> quantiles [Q], ms
        The models' week, with what they made of tonight's journal.
    baseline_ms : float or None, ms
        60-day mean.
    places : tuple of str
        Where each of the day's notes stands in the record.
    facts : tuple of dict
        Tonight's accepted facts.
    accounted : dict behaviour -> bool
        Those of tonight's facts whose pull is in the numbers already, by an effect here or in the models; True: down.
    own_readings : dict sentence id -> verdict
        What the wearer has said that a sentence means; nobody else judges it.
    """

    lines: tuple[Line, ...]
    effects: tuple[Lever, ...]
    words: Words
    state: str
    base_ms: Mapping[int, Sequence[float]]
    baseline_ms: float | None
    places: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]
    accounted: Mapping[str, bool]
    own_readings: Mapping[str, str]

    @property
    def median_ms(self) -> float:
        """The models' median of night 1, ms."""
        return self.base_ms[1][MEDIAN_INDEX]

    @property
    def text(self) -> str:
        """All lines, as a large model and people read them."""
        return "\n".join(f"[{line.id}] {line.text}" for line in self.lines) + "\n"

    def line(self, line_id: str) -> Line | None:
        """The line of an id."""
        return next((line for line in self.lines if line.id == line_id), None)

    def place_of(self, sentence: Sentence) -> str:
        """Where a sentence stands: the record's key of its note, and its number."""
        return f"{self.places[sentence.note]}/{sentence.id}"


def make_briefing(
    summary: dict[str, Any],
    base_ms: Mapping[int, Sequence[float]],
    journal: Sequence[str],
    *,
    places: Sequence[str] | None = None,
    memory: Sequence[tuple[str, str]] = (),
    counted: Counted = NOTHING_COUNTED,
    in_prompt: bool = True,
    own_words: Mapping[str, str] | None = None,
) -> Briefing:
    """Gather the evidence.

    Parameters
    ----------
    summary : dict
        ``reports/daily/<issue>.json``.
    base_ms : dict horizon -> quantiles [Q], ms
        The models' combination.
    journal : sequence of str
        Today's transcripts; data, never instructions.
    places : sequence of str, optional
        Where each transcript stands in the record.
    memory : sequence of (id, text)
        Lines of the belief state.
    counted : Counted
        What the combination made of tonight's journal.
    in_prompt : bool
        Of ``read_words``.
    own_words : dict folded words -> verdict, optional
        ``own_readings``.
    """
    own = listed_levers(summary["matched_effects"])
    sleep = summary["sleep_last_night"]
    onset = sleep["onset_local"] if sleep else None
    known = {m["behaviour"] for m in summary["matched_effects"]}
    read = known | counted.behaviours
    usual = usual_levers(
        summary["tonight_facts"], known, base_ms[1][MEDIAN_INDEX], onset, counted=counted.behaviours
    )
    effects = beyond_counted((*own, *usual), counted)
    words = read_words(journal, _covered_quotes(summary, onset, read), in_prompt=in_prompt)
    own = said_of(words.asked, own_words or {})
    places = tuple(places or (f"journal/{i + 1}" for i in range(len(journal))))
    lines = [
        *_effect_lines(summary, effects),
        *_alert_lines(summary),
        *(Line(s.id, _told(s, own), (f"{places[s.note]}/{s.id}",)) for s in words.asked),
        *_fact_lines(summary),
        *(Line(line_id, text, ()) for line_id, text in memory),
        *_context_lines(summary),
        *_model_lines(summary, base_ms, counted),
    ]
    return Briefing(
        tuple(lines), effects, words, _state(summary), base_ms, summary["baseline"]["mean_60d_ms"], places,
        tuple(summary["tonight_facts"]), _accounted(summary, onset, read, effects), own,
    )  # fmt: skip


def _told(sentence: Sentence, own: Mapping[str, str]) -> str:
    meant = f" (by the wearer's own word {in_words(own[sentence.id])})" if sentence.id in own else ""
    return f'the wearer said: "{sentence.text}"{meant}'


def _accounted(
    summary: dict[str, Any], onset_local: str | None, read: Set[str], effects: Sequence[Lever]
) -> dict[str, bool]:
    """The way of each fact that an effect or the models speak for; where they name no size, the usual one's."""
    usual = {
        fact["behaviour"]: usual_pct(fact, onset_local)
        for fact in summary["tonight_facts"]
        if fact["behaviour"] in read
    }
    return {name: pct < 0 for name, pct in usual.items() if pct} | {
        lever.behaviour: lever.effect_ms < 0 for lever in effects if lever.behaviour
    }


def _covered_quotes(summary: dict[str, Any], onset_local: str | None, read: Set[str]) -> list[str]:
    """Quotes of facts that need no judgement: the models read them, they have an own or a usual effect, or code knows
    that they have none."""
    return [
        fact["quote"]
        for fact in summary["tonight_facts"]
        if fact["quote"] and (fact["behaviour"] in read or needs_no_judgement(fact, onset_local))
    ]


def _effect_lines(summary: dict[str, Any], effects: Sequence[Lever]) -> list[Line]:
    by_name = {m["behaviour"]: m for m in summary["matched_effects"]}
    lines = []
    for lever in effects:
        if lever.kind == "usual":
            told = (
                f"usual effect of {lever.text}: {lever.effect_ms:+.1f} ms, a rule of thumb without own nights"
            )
            lines.append(Line(lever.id, f"{told}{_counted_part(lever)}", lever.evidence))
            continue
        m = by_name[lever.behaviour]
        lines.append(
            Line(
                lever.id,
                f"own effect of {m['text']}: {m['effect_ms']:+.1f} ms "
                f"(80 % {m['low80_ms']:+.1f} to {m['high80_ms']:+.1f}; "
                f"{m['n_yes']} nights with, {m['n_no']} without; {m['label']}){_counted_part(lever)}",
                lever.evidence,
            )
        )
    return lines or [Line("X0", "no listed effect matches tonight's facts", ())]


def _counted_part(lever: Lever) -> str:
    return "" if lever.counted_ms is None else f", of which the models took {lever.counted_ms:+.1f} already"


def _alert_lines(summary: dict[str, Any]) -> list[Line]:
    told = [*summary.get("alerts", ()), *summary["anomalies"]]
    return [Line(f"A{i}", a["sentence"], (a["evidence"],)) for i, a in enumerate(told[:4], start=1)]


def _fact_lines(summary: dict[str, Any]) -> list[Line]:
    facts = summary["tonight_facts"][:12]
    if not facts:
        return [Line("F1", "no journal fact about tonight", ())]
    return [
        Line("F1", "; ".join(f["text"] for f in facts), tuple(dict.fromkeys(f["evidence"] for f in facts)))
    ]


def _context_lines(summary: dict[str, Any]) -> list[Line]:
    load, sleep, last = summary["load"], summary["sleep_last_night"], summary["last_night"]
    lines = []
    if load["today_strain_0_21"] is not None:
        so_far = "" if load["today_is_final"] else " so far"
        usual = (
            ""
            if load["chronic_28d_strain"] is None
            else f", mean of 28 days {load['chronic_28d_strain']:.1f}"
        )
        lines.append((f"strain today{so_far} {load['today_strain_0_21']:.1f} of 21{usual}", load))
    if load["ratio"] is not None:
        lines.append((f"load of 7 days against 28: {load['ratio']:.2f}", load))
    if last["hrv_rmssd_ms"] is None:
        lines.append((f"last night: {last['state']}", last))
    else:
        z = "" if last["z"] is None else f" (z {last['z']:+.1f})"
        lines.append((f"last night {last['hrv_rmssd_ms']:.0f} ms{z}", last))
    if sleep and sleep["asleep_h"] is not None:
        lines.append((f"slept {sleep['asleep_h']:.1f} h last night", sleep))
    resting = [r for r in summary["resting_hr"] if r["resting_hr_bpm"] is not None]
    if resting:
        shown = ", ".join(f"{r['resting_hr_bpm']:.0f}" for r in resting)
        lines.append((f"resting heart rate of the last nights: {shown} bpm", resting[-1]))
    return [Line(f"C{i}", text, _ids(block)) for i, (text, block) in enumerate(lines, start=1)]


def _model_lines(
    summary: dict[str, Any], base_ms: Mapping[int, Sequence[float]], counted: Counted
) -> list[Line]:
    p10, p50, p90 = (base_ms[1][i] for i in (3, MEDIAN_INDEX, 19))
    week = ", ".join(f"{base_ms[h][MEDIAN_INDEX]:.0f}" for h in sorted(base_ms))
    baseline = summary["baseline"]
    lines = [
        Line(
            "M1",
            f"the models: {p50:.1f} ms, 80 % {p10:.1f} to {p90:.1f}; week {week}; of it by tonight's journal "
            f"{counted.shift_ms:+.1f} ms",
            ("mix",),
        )
    ]
    if baseline["mean_60d_ms"] is not None:
        parts = [f"60-day mean {baseline['mean_60d_ms']:.1f} ms"]
        if baseline["sd_60d_ms"] is not None:
            parts.append(f"sd {baseline['sd_60d_ms']:.1f}")
        if baseline["mean_7d_ms"] is not None:
            parts.append(f"last 7 nights {baseline['mean_7d_ms']:.1f}")
        lines.append(Line("M2", ", ".join(parts), _ids(baseline)))
    return lines


def _state(summary: dict[str, Any]) -> str:
    """What is measured to be out of the usual, in words without numbers."""
    said = []
    z = summary["last_night"].get("z")
    if z is not None and abs(z) >= UNUSUAL_Z:
        said.append(f"HRV {'above' if z > 0 else 'below'} usual")
    ratio = summary["load"]["ratio"]
    if ratio is not None and ratio >= LOAD_RATIO:
        said.append("training load above usual")
    for anomaly in summary["anomalies"]:
        if anomaly["name"].startswith("resting_hr") and anomaly["value"] > anomaly["usual"]:
            said.append("pulse above usual")
    said += [alert["name"].replace("_", " ") for alert in summary.get("alerts", ())]
    return ", ".join(dict.fromkeys(said)) or "as usual"


def _ids(block: dict[str, Any]) -> tuple[str, ...]:
    return (block["evidence"],) if block.get("evidence") else ()
