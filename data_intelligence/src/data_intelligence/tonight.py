"""Tonight's facts, and the personal effects that match them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from data_intelligence.behaviours import NOT_CAUSES, describe_dose, read_dose
from data_intelligence.effects import Z80, Z95, Effect, EffectFit
from data_intelligence.evidence import EvidenceBook
from data_intelligence.summary import EffectRow, FactRow, MatchedEffect
from hrv_shared.history import History
from hrv_shared.issue import Issue

__all__ = ["effect_rows", "matched_effects", "tonight_facts"]


def tonight_facts(history: History, issue: Issue, book: EvidenceBook) -> tuple[tuple[FactRow, ...], int]:
    """Accepted facts that can act on the coming night, and how many drafts wait for a yes."""
    night = issue.origin_day + timedelta(days=1)
    facts = history.journal.filter(pl.col("night") == night).sort("behaviour", "fact_key")
    rows = tuple(
        FactRow(
            behaviour=fact["behaviour"],
            text=fact_text(fact),
            kind=fact["kind"],
            amount=fact["amount"],
            unit=fact["unit"],
            clock_time=fact["clock_time"],
            is_plan=bool(fact["is_plan"]),
            quote=fact["quote"] or "",
            confidence=fact["confidence"],
            evidence=book.cite(
                "journal", f"journal: {fact['behaviour']}", [f"journal_facts/{fact['fact_key']}"]
            ),
        )  # fmt: skip
        for fact in facts.filter(pl.col("status") == "accepted").iter_rows(named=True)
    )
    return rows, facts.filter(pl.col("status") == "draft").height


def fact_text(fact: dict[str, Any]) -> str:
    """A fact in words: ``alcohol: 3 drinks``, ``late meal: yes``, ``planned bedtime: 23:30 (plan)``."""
    value = {"yes": "yes", "no": "no", "time": fact["clock_time"], "text": fact["quote"]}.get(fact["kind"])
    if value is None:
        amount = "amount not said" if fact["amount"] is None else f"{fact['amount']:g}"
        value = f"{amount} {fact['unit']}".rstrip() if fact["unit"] else amount
    return f"{fact['behaviour'].replace('_', ' ')}: {value}{' (plan)' if fact['is_plan'] else ''}"


def effect_rows(fit: EffectFit, book: EvidenceBook) -> tuple[EffectRow, ...]:
    """Every effect of a fit as rows of the summary."""
    cited = _cite(fit, book) if fit.effects else ""
    return tuple(
        EffectRow(
            behaviour=e.behaviour,
            text=e.text,
            label=e.label,
            retrospective=e.retrospective,
            effect_pct=round(e.pct(0.0), 1),
            effect_ms=round(e.ms(0.0), 1),
            **_intervals(e),
            night_sd_ms=round(e.night_sd_ms, 1),
            n_yes=e.n_yes,
            n_no=e.n_no,
            p_negative=round(e.p_negative, 3),
            clear=e.clear,
            phrase=e.phrase,
            evidence=cited,
        )  # fmt: skip
        for e in fit.effects
    )


def matched_effects(
    fit: EffectFit, facts: tuple[FactRow, ...], book: EvidenceBook
) -> tuple[tuple[MatchedEffect, ...], tuple[str, ...]]:
    """Effects of what tonight's facts say happened, at tonight's dose.

    Returns
    -------
    matched : tuple of MatchedEffect
    unknown : tuple of str
        Behaviours of tonight without any earlier night to learn from.
    """
    matched, unknown = [], []
    for fact in facts:
        if fact.behaviour in NOT_CAUSES or fact.kind in ("time", "text"):
            continue
        happened, dose = read_dose(fact.model_dump())
        if not happened:
            continue
        effect = fit.effect(fact.behaviour, dose)
        if effect is None or effect.n_yes == 0:
            name = describe_dose(fact.behaviour, None, None)
            unknown.append(f"No earlier night with {name} is on record, so its personal effect is unknown.")
            continue
        matched.append(_matched(effect, fact, _cite(fit, book)))
    matched.sort(key=lambda m: (-abs(m.effect_ms), m.behaviour))
    once = {m.behaviour: m for m in reversed(matched)}  # told twice is done once: the larger dose stands
    matched = [m for m in matched if once[m.behaviour] is m]
    return tuple(matched), tuple(dict.fromkeys(unknown))


def _matched(effect: Effect, fact: FactRow, cited: str) -> MatchedEffect:
    shown = _intervals(effect)
    return MatchedEffect(
        behaviour=effect.behaviour, text=effect.text, label=effect.label, effect_pct=round(effect.pct(0.0), 1),
        effect_ms=round(effect.ms(0.0), 1), low80_ms=shown["low80_ms"], high80_ms=shown["high80_ms"],
        night_sd_ms=round(effect.night_sd_ms, 1), n_yes=effect.n_yes, n_no=effect.n_no,
        p_negative=round(effect.p_negative, 3), phrase=effect.phrase, fact_evidence=fact.evidence, evidence=cited,
    )  # fmt: skip


def _intervals(effect: Effect) -> dict[str, float]:
    ends = {}
    for mass, z in (("80", Z80), ("95", Z95)):
        for side, sign in (("low", -1), ("high", 1)):
            ends[f"{side}{mass}_pct"] = round(effect.pct(sign * z), 1)
            ends[f"{side}{mass}_ms"] = round(effect.ms(sign * z), 1)
    return ends


def _cite(fit: EffectFit, book: EvidenceBook) -> str:
    nights = fit.design.nights
    span = f"days/{nights[0]}..{nights[-1]}/hrv_rmssd_ms" if nights else "no nights"
    kind = "looking back" if fit.retrospective else "known before the night"
    what = f"joint effects fit on {len(nights)} nights, journal facts {kind}"
    return book.cite("fit", what, [f"fit/effects/{fit.digest}", span])
