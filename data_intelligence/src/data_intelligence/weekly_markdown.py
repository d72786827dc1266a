"""A weekly summary as Markdown; every figure carries its evidence id, listed at the end."""

from __future__ import annotations

from data_intelligence.markdown_words import escape, evidence_lines, number, table
from data_intelligence.reliability.layout import Miss
from data_intelligence.weekly_layout import WeeklySummary

__all__ = ["weekly_markdown"]


def weekly_markdown(summary: WeeklySummary) -> str:
    """Render the week."""
    issue, means = summary.issue, summary.means
    change = "" if means.change_pct is None else f" ({means.change_pct:+.1f} %)"
    parts = [
        f"# Week {summary.first_day} to {summary.last_day}",
        f"Member {escape(issue.member_id)} · as of {issue.as_of:%Y-%m-%d %H:%M} UTC"
        + (f"\n\n> {escape(issue.note)}" if issue.note else ""),
        f"**{escape(summary.sentence)}** [{means.evidence}]",
        f"Mean (ms) {number(means.mean_ms)} over {means.n_nights} nights; the week before "
        f"{number(means.previous_mean_ms)} over {means.n_previous}{change}. "
        f"Trend {number(means.trend_ms_per_day, '+.2f')} ms a day. [{means.evidence}]",
        f"![history](./{summary.plots[0]})",
        "## What came true, against what was said",
        _calls(summary),
        f"## How the forecasts did ({issue.slot}, one night ahead)",
        _scores(summary),
        f"![skill](./{summary.plots[1]})",
        "## Best call",
        _night(summary.best_call),
        "## Worst miss",
        _night(summary.worst_miss),
        "## Effects at work this week",
        _effects(summary),
        "## Alerts",
        "\n".join(f"- {escape(a.sentence)} [{a.evidence}]" for a in summary.alerts) or "none",
        "## The coming week (ms)",
        _ahead(summary),
        "## Not known",
        "\n".join(f"- {escape(line)}" for line in summary.unknown) or "nothing of note",
        "## Evidence",
        evidence_lines(summary.evidence),
    ]
    return "\n\n".join(parts) + "\n"


def _calls(summary: WeeklySummary) -> str:
    rows = []
    for call in summary.calls:
        came = call.state if call.hrv_rmssd_ms is None else f"{call.hrv_rmssd_ms:.1f}"
        said = "nobody spoke"
        if call.p50_ms is not None:
            said = f"{call.p50_ms:.1f} ({call.p10_ms:.1f} – {call.p90_ms:.1f})"
        inside = {True: "yes", False: "**no**", None: ""}[call.in_80]
        off = "" if call.off_ms is None else f"{call.off_ms:+.1f}"
        rows.append([str(call.day), came, said, off, inside, call.evidence])
    return table(["night to", "came (ms)", "said (80 % band)", "off by", "inside", "evidence"], rows)


def _scores(summary: WeeklySummary) -> str:
    if not summary.scores:
        return "nothing has been scored"
    head = ["book", "forecaster", "n", "CRPS ms", "MAE ms", "in 80 %", "evidence"]
    rows = [
        [s.book, s.forecaster, str(s.n), f"{s.crps_ms:.2f}", f"{s.mae_ms:.2f}", f"{s.in_80} of {s.n}", s.evidence]
        for s in summary.scores
    ]  # fmt: skip
    text = table(head, rows) + "\n\nSeven nights prove nothing about who is better. Over the last nights:"
    head = ["book", "forecaster", "n", "skill % (90 %)", "against", "in 80 %", "told", "evidence"]
    rows = []
    for s in summary.skill:
        band = "" if s.skill_low_pct is None else f" ({s.skill_low_pct:+.1f} … {s.skill_high_pct:+.1f})"
        rows.append([s.book, s.forecaster, str(s.n), number(s.skill_pct, "+.1f") + band, s.reference or "",
                     f"{s.cover_80_pct:.0f}%", s.verdict, s.evidence])  # fmt: skip
    return text + "\n\n" + table(head, rows) if rows else text


def _night(miss: Miss | None) -> str:
    if miss is None:
        return "none: no forecast of ours was scored"
    head = ["forecaster", "said (80 % band)", "issued", "CRPS ms", "inside 80 %", "evidence"]
    rows = [
        [w.forecaster, f"{w.p50_ms:.1f} ({w.p10_ms:.1f} – {w.p90_ms:.1f})", f"{w.issued_at:%Y-%m-%d %H:%M}Z",
         f"{w.crps_ms:.2f}", "yes" if w.in_80 else "no", w.evidence]
        for w in miss.words
    ]  # fmt: skip
    known = (
        "; ".join(f"{escape(f.text)} [{f.evidence}]" for f in miss.known)
        or "nothing from the journal, no alert"
    )
    lines = [f"Night to {miss.target_day}: {miss.sentence} [{miss.evidence}]", f"Known at issue: {known}."]
    lines += [f"{w.forecaster}: “{escape(w.rationale)}”" for w in miss.words if w.rationale]
    if miss.post_mortem:
        lines.append(f"Post-mortem: {escape(miss.post_mortem)} [{miss.post_mortem_evidence}]")
    return "\n\n".join([*lines, table(head, rows)])


def _effects(summary: WeeklySummary) -> str:
    if not summary.effects_seen:
        return "none seen"
    head = [
        "behaviour",
        "effect ms (80 %)",
        "n",
        "label",
        "evidence",
        "nights this week",
        "their mean ms",
        "evidence",
    ]
    rows = [
        [escape(e.text), f"{e.effect_ms:+.1f} ({e.low80_ms:+.1f} … {e.high80_ms:+.1f})", str(e.n_yes), e.label,
         e.evidence, ", ".join(str(night) for night in e.nights), number(e.week_mean_ms), e.week_evidence]
        for e in summary.effects_seen
    ]  # fmt: skip
    return table(head, rows)


def _ahead(summary: WeeklySummary) -> str:
    if not summary.week_ahead:
        return "none in the ledger"
    rows = [
        [
            str(line.target_day),
            *(f"{getattr(line, f'p{p}_ms'):.1f}" for p in (10, 25, 50, 75, 90)),
            line.evidence,
        ]
        for line in summary.week_ahead
    ]
    return table(["night to", "P10", "P25", "P50", "P75", "P90", "evidence"], rows)
