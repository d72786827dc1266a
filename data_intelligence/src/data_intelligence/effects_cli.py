"""``hrv effects``: what each behaviour goes with, how sure that is, and what more nights could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_intelligence.cli_options import AsOfOption, SlotOption, open_store
from hrv_shared.cli import JsonOption, MemberOption, emit

if TYPE_CHECKING:
    from data_intelligence.effect_blocks import EffectRow
    from data_intelligence.effects import EffectFit

__all__ = ["effects"]

MORE_NIGHTS = (30, 90)
MANY_NIGHTS = 2000


def effects(
    member: MemberOption = None,
    slot: SlotOption = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Personal effects on the next night's HRV in ms and %, with intervals, and what more nights could tell."""
    from data_intelligence.effects import estimate_effects
    from data_intelligence.evidence import EvidenceBook
    from data_intelligence.experiments import finished_experiments
    from data_intelligence.moment import chosen_issue
    from data_intelligence.tonight import all_effect_rows
    from hrv_shared.history import load_history

    settings, store = open_store()
    issue = chosen_issue(store, member or settings.member_id, slot=slot, as_of=as_of)
    history = load_history(store, issue.member_id, issue.as_of, issue.origin_day, issue.slot)
    fit = estimate_effects(history, tested=finished_experiments(store, issue.member_id, issue.as_of))
    book = EvidenceBook()
    rows = all_effect_rows(history, fit, book)
    told = {
        effect.behaviour: {str(k): _rounded(effect.detectable_pct(k)) for k in MORE_NIGHTS}
        for effect in fit.effects
    }
    result = {
        "issue": issue.describe(),
        "nights": len(fit.design.nights),
        "level_ms": _rounded(fit.level_ms) if fit.design.nights else None,
        "effects": [
            row.model_dump(mode="json") | {"detectable_pct_after_more_nights": told.get(row.behaviour)}
            for row in rows
        ],
        "evidence": {key: item.model_dump(mode="json") for key, item in book.items().items()},
    }
    emit(result, effects_text(result, rows, fit), as_json)


def effects_text(result: dict[str, Any], rows: tuple[EffectRow, ...], fit: EffectFit) -> str:
    """What may be said first, then what can't be told, then what more nights would tell."""
    issue = result["issue"]
    lines = [
        f"Personal effects on the next night's HRV as of {issue['origin_day']} {issue['slot']} ({issue['book']}), "
        f"{result['nights']} nights"
    ]
    if not rows:
        return (
            lines[0]
            + "\n  none can be estimated: no behaviour was told of for a scored night (hrv journal add)"
        )
    shown, wide = [row for row in rows if row.shown], max(len(row.text) for row in rows)
    lines += ["", "Effects (at most one in ten of these is expected to be wrong in sign or under 2 %):"]
    lines += _table(shown, wide) if shown else ["  none is sure enough yet"]
    later = [(row, night) for row in rows for night in row.later if night.shown]
    for row, night in later:
        lines.append(
            f"  {row.text}, {night.nights_later} night{'s'[: night.nights_later - 1]} later: {night.effect_ms:+.1f} ms "
            f"(80 %: {night.low80_ms:+.1f} to {night.high80_ms:+.1f})"
        )
    rest = [row for row in rows if not row.shown]
    if rest:
        lines += ["", "Cannot be told from nothing yet:", *_table(rest, wide)]
        lines += ["", "What could be told (4 times in 5; smallest effect, % of HRV):"]
        lines.append(f"  {'':{wide}}  now   {'   '.join(f'+{k} nights' for k in MORE_NIGHTS)}   a 10 % effect in")
        lines += [
            _power_line(row, fit, wide) for row in rest if row.detectable_pct is not None and not row.retrospective
        ]
    lines += [
        "",
        "n: nights with / without (of an hour: later / earlier). Adjusted association is no cause: what always comes",
        "together can't be told apart. To test a harmless habit: hrv experiment start.",
    ]
    return "\n".join(lines)


def _table(rows: list[EffectRow], wide: int) -> list[str]:
    lines = [f"  {'':{wide}}   ms (80 %)                %  (90 %)                 n         harm   label"]
    for row in rows:
        ms = f"{row.effect_ms:+.1f} ({row.low80_ms:+.1f} to {row.high80_ms:+.1f})"
        pct = f"{row.effect_pct:+.1f} ({row.low90_pct:+.1f} to {row.high90_pct:+.1f})"
        label = row.label + (", looking back" if row.retrospective else "")
        if row.tested is not None:
            label += (
                f" ({row.tested.effect_pct:+.1f} %, {row.tested.low90_pct:+.1f} to {row.tested.high90_pct:+.1f}, "
                f"{row.tested.n} nights)"
            )
        nights = f"{row.n_yes}/{row.n_no}"
        lines.append(
            f"  {row.text:{wide}}  {ms:23}  {pct:23}  {nights:8}  {100 * row.p_harm:3.0f} %  {label}"
        )
    return lines


def _power_line(row: EffectRow, fit: EffectFit, wide: int) -> str:
    effect = next(e for e in fit.effects if e.behaviour == row.behaviour)
    after = "".join(f"{effect.detectable_pct(k):8.0f} %" for k in MORE_NIGHTS)
    nights = row.more_nights_for_10_pct
    when = "years" if nights is None or nights >= MANY_NIGHTS else f"{nights} night{'s'[: nights - 1]}"
    when = "now" if nights == 0 else when
    return f"  {row.text:{wide}}  {row.detectable_pct:3.0f} %{after}     {when}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
