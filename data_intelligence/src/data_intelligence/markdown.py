"""A daily summary as Markdown, for people and for pasting elsewhere."""

from __future__ import annotations

from data_intelligence.markdown_trends import alert_lines, effect_table, trend_lines
from data_intelligence.markdown_words import escape, evidence_lines, id_ranges, number, table
from data_intelligence.summary import Anomaly, DailySummary, ForecastLine
from hrv_shared.constants import MODEL_COMBINATION, PRODUCT

__all__ = ["daily_markdown"]

COMBINED = (PRODUCT, MODEL_COMBINATION)
"""Stand before the forecasters that they are made of."""
NOT_YET = "The final forecast is made from this summary, so it is not in it: `hrv card` shows it."


def daily_markdown(summary: DailySummary) -> str:
    """Render the summary; every figure carries its evidence id, listed at the end."""
    issue, base = summary.issue, summary.baseline
    parts = [
        f"# Daily summary {issue.origin_day}, {issue.slot}",
        f"Member {escape(issue.member_id)} · {issue.book} book · as of {issue.as_of:%Y-%m-%d %H:%M} UTC"
        + (f"\n\n> {escape(issue.note)}" if issue.note else ""),
        f"Data: {summary.freshness.sentence} [{summary.freshness.evidence}]",
        "## Last night and baseline",
        f"{summary.last_night.sentence} [{summary.last_night.evidence}]",
        f"60-day baseline: mean {number(base.mean_60d_ms)}, sd {number(base.sd_60d_ms)} ms ({base.n_60d} nights). "
        f"Last 7 days mean {number(base.mean_7d_ms)} ms. Last value z={number(summary.last_night.z, '+z.1f')}. "
        f"Smallest worthwhile change {number(base.smallest_worthwhile_change_ms)} ms. "
        f"HRV-CV {number(base.cv_7d_pct)} %. [{base.evidence}]",
        "Last 28 nights (ms, oldest first): "
        + ", ".join(
            f"{n.hrv_rmssd_ms:.0f}" if n.hrv_rmssd_ms is not None else n.state for n in summary.nights
        ),
        *(_anomaly(anomaly) for anomaly in summary.anomalies),
        f"![history](./{summary.plots[0]})",
        "## Alerts",
        alert_lines(summary),
        "## Trends",
        trend_lines(summary),
        "## Context",
        _context(summary),
        "## Journal facts for tonight",
        "\n".join(f"- {escape(f.text)} [{f.evidence}]" for f in summary.tonight_facts) or "none",
        "## Personal effects that match tonight's facts",
        "\n".join(f"- {escape(e.phrase)}, {e.label} [{e.evidence}]" for e in summary.matched_effects)
        or "none (ordinary day)",
        "## Model forecasts (ms)",
        _forecasts(summary.forecasts),
        "## Recent skill",
        _skill(summary),
        f"![reliability](./{summary.plots[1]})",
        "## All personal effects on the next night's RMSSD",
        effect_table(summary),
        f"![effects](./{summary.plots[2]})",
        "## Not known",
        "\n".join(f"- {escape(line)}" for line in summary.unknown) or "nothing of note",
        "## Evidence",
        evidence_lines(summary.evidence),
    ]
    return "\n\n".join(parts) + "\n"


def _anomaly(anomaly: Anomaly) -> str:
    why = f" May be explained by: {escape('; '.join(anomaly.reasons))}." if anomaly.reasons else ""
    return f"- **{anomaly.name.replace('_', ' ')}**: {escape(anomaly.sentence)}{why} [{anomaly.evidence}]"


def _context(summary: DailySummary) -> str:
    sleep, load = summary.sleep_last_night, summary.load
    lines = []
    if sleep is not None:
        lines.append(
            f"- Sleep last night: {number(sleep.asleep_h)} h, efficiency {number(sleep.efficiency_pct, '.0f')} %, "
            f"debt {number(sleep.debt_h)} h, asleep from {sleep.onset_local or 'unknown'} [{sleep.evidence}]"
        )
    hearts = ", ".join(
        f"{r.resting_hr_bpm:.0f} [{r.evidence}]"
        if r.resting_hr_bpm is not None
        else f"{r.state} [{r.evidence}]"
        for r in summary.resting_hr
    )
    lines.append(f"- Resting heart rate, last 3 nights (bpm): {hearts}")
    today = "unknown" if load.today_strain_0_21 is None else f"{load.today_strain_0_21:.1f}"
    today += " so far" if load.today_is_final is False else ""
    lines.append(
        f"- Strain a day: acute 7 d {number(load.acute_7d_strain)}, chronic 28 d {number(load.chronic_28d_strain)}, "
        f"ratio {number(load.ratio, '.2f')}; today {today} [{load.evidence}]"
    )
    return "\n".join(lines)


def _forecasts(lines: tuple[ForecastLine, ...]) -> str:
    if not lines:
        return "none in the ledger"
    nights = sorted({(line.horizon, line.target_day) for line in lines})
    said = {(line.forecaster, line.horizon): line for line in lines}
    names = sorted({line.forecaster for line in lines}, key=lambda name: (name not in COMBINED, name))
    rows = []
    for name in names:
        own = [said.get((name, horizon)) for horizon, _ in nights]
        cells = [f"{x.p50_ms:.1f} ({x.p10_ms:.1f} – {x.p90_ms:.1f})" if x else "" for x in own]
        rows.append([name, *cells, id_ranges([x.evidence for x in own if x])])
    head = [f"{day:%a} {day} (+{horizon})" for horizon, day in nights]
    said_all = table(["median (80 % band)", *head, "evidence"], rows)
    return said_all if PRODUCT in names else f"{said_all}\n\n{NOT_YET}"


def _skill(summary: DailySummary) -> str:
    if not summary.skill:
        return "nothing has been scored yet"
    head = [
        "book",
        "nights ahead",
        "forecaster",
        "n",
        "CRPS ms",
        "skill % (90 %)",
        "in 80 %",
        "verdict",
        "evidence",
    ]
    rows = []
    for r in summary.skill:
        band = "" if r.skill_low_pct is None else f" ({r.skill_low_pct:+.1f} … {r.skill_high_pct:+.1f})"
        rows.append([
            r.book, r.horizons, r.forecaster, str(r.n), f"{r.crps_ms:.2f}", number(r.skill_pct, "+.1f") + band,
            f"{r.cover_80_pct:.0f}%", r.verdict, r.evidence,
        ])  # fmt: skip
    return table(head, rows)
