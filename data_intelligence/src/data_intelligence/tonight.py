"""Tonight's facts, and the personal effects that match them."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl

from data_intelligence.behaviours import NOT_CAUSES, describe_dose, has_late_answers, read_dose
from data_intelligence.clock_times import hours_of
from data_intelligence.effect import MASSES, Effect
from data_intelligence.effect_blocks import EffectRow, LaterNightRow, MatchedEffect, TestedRow
from data_intelligence.effects import EffectFit, estimate_effects, share_budget
from data_intelligence.evidence import EvidenceBook
from data_intelligence.summary import FactRow
from hrv_shared.history import History
from hrv_shared.issue import Issue

__all__ = ["all_effect_rows", "effect_rows", "matched_effects", "tonight_facts"]

CLOCK_WORTH_A_WORD_H = 0.5


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
    """A fact in words: ``alcohol: 3 drinks``, ``stress: 4 of 10``, ``planned bedtime: 23:30 (plan)``."""
    value = {"yes": "yes", "no": "no", "time": fact["clock_time"], "text": fact["quote"]}.get(fact["kind"])
    if value is None:
        amount = "amount not said" if fact["amount"] is None else f"{fact['amount']:g}"
        unit = fact["unit"] or ""
        value = f"{amount} of {unit.removeprefix('0-')}" if unit.startswith("0-") else f"{amount} {unit}".rstrip()
    return f"{fact['behaviour'].replace('_', ' ')}: {value}{' (plan)' if fact['is_plan'] else ''}"


def all_effect_rows(history: History, fit: EffectFit, book: EvidenceBook) -> tuple[EffectRow, ...]:
    """Effects from facts known before the night; those that late answers alone can tell are added and marked.

    One budget for false findings holds over both.
    """
    back = (
        estimate_effects(history, with_retrospective=True, tested=fit.tested)
        if has_late_answers(history)
        else None
    )
    if back is None:
        return effect_rows(fit, book)
    late = [effect for effect in back.effects if effect.retrospective]
    together = share_budget([*fit.effects, *late])
    own, late = together[: len(fit.effects)], together[len(fit.effects) :]
    return effect_rows(replace(fit, effects=own), book) + effect_rows(replace(back, effects=late), book)


def effect_rows(fit: EffectFit, book: EvidenceBook) -> tuple[EffectRow, ...]:
    """Every effect of a fit as rows of the summary."""
    cited = _cite(fit, book) if fit.effects else ""
    return tuple(
        EffectRow(
            behaviour=e.behaviour,
            text=e.text,
            label=e.label,
            retrospective=e.retrospective,
            shown=e.shown,
            clear=e.clear,
            effect_pct=round(e.effect_pct, 1),
            effect_ms=round(e.effect_ms, 1),
            **_intervals(e),
            night_sd_ms=round(e.night_sd_ms, 1),
            n_yes=e.n_yes,
            n_no=e.n_no,
            p_negative=round(e.p_negative, 3),
            p_harm=round(e.p_harm, 3),
            p_false=round(e.p_false, 3),
            detectable_pct=None if e.detectable_pct() is None else round(e.detectable_pct(), 1),
            more_nights_for_10_pct=e.nights_for(10.0),
            later=_later(e),
            tested=None
            if e.tested is None
            else TestedRow(**{k: e.tested[k] for k in TestedRow.model_fields}),
            phrase=e.phrase,
            evidence=cited,
        )  # fmt: skip
        for e in fit.effects
    )


def matched_effects(
    fit: EffectFit, facts: tuple[FactRow, ...], book: EvidenceBook
) -> tuple[tuple[MatchedEffect, ...], tuple[str, ...]]:
    """Effects of what tonight's facts say happened, at tonight's dose and hour.

    Returns
    -------
    matched : tuple of MatchedEffect
    unknown : tuple of str
        Behaviours of tonight without any earlier night to learn from.
    """
    matched, unknown = [], []
    shown = {effect.behaviour: effect for effect in fit.effects if effect.shown}
    for fact in facts:
        if fact.behaviour in NOT_CAUSES or fact.kind == "text":
            continue
        if fact.kind == "time":
            effect = _clock_effect(fit, fact)
        else:
            happened, dose = read_dose(fact.model_dump())
            if not happened:
                continue
            effect = fit.effect(fact.behaviour, dose)
            if effect is None or effect.n_yes == 0:
                name = describe_dose(fact.behaviour, None, None)
                unknown.append(
                    f"No earlier night with {name} is on record, so its personal effect is unknown."
                )
                continue
        if effect is not None:
            known = shown.get(fact.behaviour)
            matched.append(_matched(effect, known, fact, _cite(fit, book)))
    matched.sort(key=lambda m: (-abs(m.effect_ms), m.behaviour))
    once = {m.behaviour: m for m in reversed(matched)}  # told twice is done once: the larger dose stands
    matched = [m for m in matched if once[m.behaviour] is m]
    return tuple(matched), tuple(dict.fromkeys(unknown))


def _clock_effect(fit: EffectFit, fact: FactRow) -> Effect | None:
    """Of a clock time that is at least half an hour from the usual one and has nights to learn from."""
    hours, usual = hours_of(fact.clock_time), fit.design.usual_hours.get(fact.behaviour)
    if hours is None or usual is None or abs(hours - usual) < CLOCK_WORTH_A_WORD_H:
        return None
    return fit.clock_effect(fact.behaviour, hours)


def _matched(effect: Effect, known: Effect | None, fact: FactRow, cited: str) -> MatchedEffect:
    low, high = effect.ends_ms(80)
    nights_shown = (
        {night.nights_later for night in known.later if night.shown} if known is not None else set()
    )
    return MatchedEffect(
        behaviour=effect.behaviour, text=effect.text, label=effect.label, shown=known is not None,
        effect_pct=round(effect.effect_pct, 1), effect_ms=round(effect.effect_ms, 1), low80_ms=round(low, 1),
        high80_ms=round(high, 1), night_sd_ms=round(effect.night_sd_ms, 1), n_yes=effect.n_yes, n_no=effect.n_no,
        p_negative=round(effect.p_negative, 3), p_harm=round(effect.p_harm, 3), later=_later(effect, nights_shown),
        phrase=effect.phrase, fact_evidence=fact.evidence, evidence=cited,
    )  # fmt: skip


def _later(effect: Effect, shown: set[int] | None = None) -> tuple[LaterNightRow, ...]:
    """Later nights of an effect; ``shown`` names those within the budget where the effect itself does not know."""
    rows = []
    for night in effect.later:
        spread = night.spread
        low, high = spread.ends_ln(80)
        rows.append(
            LaterNightRow(
                nights_later=night.nights_later,
                effect_pct=round(100.0 * math.expm1(spread.median_ln), 1),
                effect_ms=round(effect.level_ms * math.expm1(spread.median_ln), 1),
                low80_ms=round(effect.level_ms * math.expm1(low), 1),
                high80_ms=round(effect.level_ms * math.expm1(high), 1),
                p_negative=round(spread.p_negative, 3),
                p_harm=round(spread.p_harm, 3),
                shown=night.shown if shown is None else night.nights_later in shown,
            )
        )
    return tuple(rows)


def _intervals(effect: Effect) -> dict[str, float]:
    ends = {}
    for mass in MASSES:
        for unit, (low, high) in (("pct", effect.ends_pct(mass)), ("ms", effect.ends_ms(mass))):
            ends[f"low{mass}_{unit}"], ends[f"high{mass}_{unit}"] = round(low, 1), round(high, 1)
    return ends


def _cite(fit: EffectFit, book: EvidenceBook) -> str:
    nights = fit.design.nights
    span = f"days/{nights[0]}..{nights[-1]}/hrv_rmssd_ms" if nights else "no nights"
    kind = "looking back" if fit.retrospective else "known before the night"
    what = f"joint effects fit on {len(nights)} nights, journal facts {kind}"
    return book.cite("fit", what, [f"fit/effects/{fit.digest}", span])
