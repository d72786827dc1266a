"""Alerts, trends and effects of a daily summary as Markdown."""

from __future__ import annotations

from data_intelligence.markdown_words import escape, number, table
from data_intelligence.summary import DailySummary

__all__ = ["alert_lines", "effect_table", "trend_lines"]


def alert_lines(summary: DailySummary) -> str:
    """Raised alerts with their probability and by what they will be judged."""
    lines = [
        f"- **{a.name.replace('_', ' ')}** ({100 * a.probability:.0f} %, since {a.since_day}): {escape(a.sentence)} "
        f"{'You said so yourself. ' if a.told else ''}Comes true when: {escape(a.comes_true_when)} [{a.evidence}]"
        for a in summary.alerts
    ]
    return "\n".join(lines) or "none raised"


def trend_lines(summary: DailySummary) -> str:
    """What moves slowly."""
    trends = summary.trends
    band, sleep, load = trends.band, trends.sleep_regularity, trends.load
    lines = [f"- {escape(band.sentence)} [{band.evidence}]"]
    lines += [
        f"- {escape(shift.sentence)} ({100 * shift.probability:.0f} %) [{shift.evidence}]"
        for shift in (*trends.level_shifts, *trends.device_changes)
    ]
    if trends.weekly_rhythm:
        days = ", ".join(
            f"{day.weekday} {day.effect_pct:+.1f} %{'' if day.clear else ' (?)'}"
            for day in trends.weekly_rhythm
        )
        lines.append(f"- Weekly rhythm: {days} [{trends.weekly_rhythm[0].evidence}]; (?) may well be nothing")
    lines.append(
        f"- Sleep of {sleep.n} nights: onset varies by {number(sleep.onset_sd_min, '.0f')} min, waking by "
        f"{number(sleep.wake_sd_min, '.0f')} min, weekend against week {number(sleep.social_jetlag_h, '+.1f')} h, "
        f"regularity {number(sleep.regularity_index, '.0f')} of 100 [{sleep.evidence}]"
    )
    lines.append(
        f"- Load {load.direction}: 7 days {number(load.acute_7d_strain)}, 28 days {number(load.chronic_28d_strain)}, "
        f"ratio {number(load.ratio, '.2f')}, monotony {number(load.monotony, '.1f')} [{load.evidence}]"
    )
    return "\n".join(lines)


def effect_table(summary: DailySummary) -> str:
    """Every effect at its typical dose; what lies outside the budget for false findings says so."""
    if not summary.effects:
        return "none: no behaviour was logged on a scored night"
    head = [
        "behaviour", "effect %", "95 %", "ms (80 %)", "n with / without", "P(lowers)", "P(harm)", "told", "label",
        "evidence",
    ]  # fmt: skip
    rows = [
        [
            escape(e.text), f"{e.effect_pct:+.1f}", f"{e.low95_pct:+.1f} … {e.high95_pct:+.1f}",
            f"{e.effect_ms:+.1f} ({e.low80_ms:+.1f} … {e.high80_ms:+.1f})", f"{e.n_yes} / {e.n_no}",
            f"{e.p_negative:.2f}", f"{e.p_harm:.2f}", "yes" if e.shown else "may well be nothing",
            e.label + (", looking back only" if e.retrospective else ""), e.evidence,
        ]
        for e in summary.effects
    ]  # fmt: skip
    return table(head, rows)
