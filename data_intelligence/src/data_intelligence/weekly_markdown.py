"""A weekly summary as Markdown."""

from __future__ import annotations

from data_intelligence.markdown import escape, number, table
from data_intelligence.weekly import WeeklySummary

__all__ = ["weekly_markdown"]


def weekly_markdown(summary: WeeklySummary) -> str:
    """Render the week."""
    issue = summary.issue
    change = "" if summary.change_pct is None else f" ({summary.change_pct:+.1f} %)"
    parts = [
        f"# Week {summary.first_day} to {summary.last_day}",
        f"Member {escape(issue.member_id)} · as of {issue.as_of:%Y-%m-%d %H:%M} UTC"
        + (f"\n\n> {escape(issue.note)}" if issue.note else ""),
        f"Mean (ms) {number(summary.mean_ms)} over {summary.n_nights} nights; the week before "
        f"{number(summary.previous_mean_ms)} over {summary.n_previous}{change}. "
        f"Trend {number(summary.trend_ms_per_day, '+.2f')} ms a day. [{summary.evidence}]",
        table(
            ["night to", "RMSSD ms", "evidence"],
            [
                [str(n.day), n.state if n.hrv_rmssd_ms is None else f"{n.hrv_rmssd_ms:.1f}", n.evidence]
                for n in summary.nights
            ],
        ),
        f"## How the forecasts did ({issue.slot}, one night ahead)",
        _scores(summary),
        "## Worst miss",
        _miss(summary),
        "## Not known",
        "\n".join(f"- {line}" for line in summary.unknown) or "nothing of note",
        "## Evidence",
        "\n".join(
            f"- **{k}** {item.kind}: {escape(item.what)} (`{'`, `'.join(item.where)}`)"
            for k, item in summary.items.items()
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _scores(summary: WeeklySummary) -> str:
    if not summary.scores:
        return "nothing has been scored"
    head = ["book", "forecaster", "n", "CRPS ms", "MAE ms", "in 80 %", "evidence"]
    rows = [
        [
            s.book,
            s.forecaster,
            str(s.n),
            f"{s.crps_ms:.2f}",
            f"{s.mae_ms:.2f}",
            f"{s.in_80} of {s.n}",
            s.evidence,
        ]
        for s in summary.scores
    ]
    return table(head, rows) + "\n\nSeven nights prove nothing about who is better; see the daily scorecard."


def _miss(summary: WeeklySummary) -> str:
    miss = summary.worst_miss
    if miss is None:
        return "none: no forecast of ours was scored"
    head = ["forecaster", "said (median ms)", "issued", "CRPS ms", "inside 80 %", "evidence"]
    rows = [
        [s.forecaster, f"{s.median_ms:.1f}", f"{s.issued_at:%Y-%m-%d %H:%M}Z", f"{s.crps_ms:.2f}",
         "yes" if s.in_80 else "no", s.evidence]
        for s in miss.sayings
    ]  # fmt: skip
    return (
        f"Night to {miss.target_day}: it came out at {miss.hrv_rmssd_ms:.1f} ms [{miss.evidence}]; furthest off was "
        f"{miss.forecaster} ({miss.book} book).\n\n" + table(head, rows)
    )
