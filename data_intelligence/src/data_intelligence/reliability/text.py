"""The reliability report in a terminal: one screen of plain text, 100 columns."""

from __future__ import annotations

import textwrap
from itertools import groupby

from data_intelligence.reliability.layout import Miss, Reliability, SegmentRow

__all__ = ["reliability_text"]

WIDTH = 100
SHOWN_LINES, SHOWN_MISSES, SHOWN_UNKNOWN = 6, 3, 6
SIGNS = "▁▂▃▄▅▆▇█"


def reliability_text(report: Reliability, *, more: str = "", everything: bool = False) -> str:
    """Render the report.

    Parameters
    ----------
    more : str
        A last line that says where the page lies.
    everything : bool
        Both books and slots, not only those looked at closely.
    """
    lines = [f"HOW GOOD · {report.issue.member_id} · as of {report.issue.as_of:%Y-%m-%d %H:%M} UTC"]
    lines += _wrapped(report.headline)
    shown = [
        r for r in report.rows if r.horizons in ("1", "2-7") and (everything or _is_looked_at(r, report))
    ]
    for (book, slot, horizons), rows in groupby(shown, key=lambda r: (r.book, r.slot, r.horizons)):
        nights = "next night" if horizons == "1" else "nights 2-7"
        lines += ["", f"{book.upper()}, {slot}, {nights}"]
        lines.append(
            f" {'forecaster':<17} {'n':>5} {'CRPS':>6} {'skill %':>7} {'90 % interval':>15}"
            f"  {'50':>3} {'80':>3} {'95':>3}  {'PIT':<10}  verdict"
        )
        lines += [_row(row) for row in rows]
    lines += ["", "skill: against the best naive rule (*) on equal nights; 50 80 95: % inside that band, ! off by more",
              "than chance; PIT: nights by tenth of the forecast, flat is right; ° = an earlier segment"]  # fmt: skip
    if report.focus is not None:
        lines += ["", *_wrapped(report.focus.sentence.rstrip(".") + ":")]
        lines += ["WHERE IT SUCCEEDS", *_listed(report.succeeds, "nowhere yet that could be told")]
        lines += ["WHERE IT FAILS", *_listed(report.fails, "nowhere that could be told")]
        lines += ["WORST MISSES", *(line for miss in report.misses[:SHOWN_MISSES] for line in _miss(miss))]
    lines += ["", "NOT KNOWN", *_listed(report.unknown[:SHOWN_UNKNOWN], "nothing of note")]
    if more:
        lines += ["", more]
    return "\n".join(line[:WIDTH] if not line.startswith("page: ") else line for line in lines)


def _is_looked_at(row: SegmentRow, report: Reliability) -> bool:
    focus = report.focus
    return focus is not None and (row.book, row.slot) == (focus.book, focus.slot)


def _row(row: SegmentRow) -> str:
    is_reference = row.forecaster == row.reference
    name = f"{' ' if row.is_newest else '°'}{row.forecaster}{'*' if is_reference else ''}"
    skill = "" if row.skill_pct is None or is_reference else f"{row.skill_pct:+.1f}"
    interval = ""
    if row.skill_low_pct is not None and not is_reference:
        interval = f"{row.skill_low_pct:+.1f} … {row.skill_high_pct:+.1f}"
    bands = " ".join(f"{b.observed_pct:.0f}{'' if b.holds else '!'}".rjust(3) for b in row.bands)
    told = "best naive rule" if is_reference else row.verdict
    return (
        f"{name:<18.18} {row.n:>5} {row.crps_ms:>6.2f} {skill:>7} {interval:>15}  {bands}  "
        f"{_sparkline(row.pit.counts):<10}  {told}"
    )


def _sparkline(counts: tuple[int, ...]) -> str:
    top = max(counts) or 1
    return "".join(SIGNS[round(count / top * (len(SIGNS) - 1))] for count in counts)


def _miss(miss: Miss) -> list[str]:
    said = ", ".join(f"{w.forecaster} {w.p50_ms:.0f}" for w in miss.words)
    known = "; ".join(f.text for f in miss.known) or "nothing from the journal, no alert"
    lines = [*_wrapped(f"  {miss.target_day}: {miss.sentence}"), *_wrapped(f"    said: {said}")]
    lines += _wrapped(f"    known: {known}")
    return lines + (_wrapped(f"    post-mortem: {miss.post_mortem}") if miss.post_mortem else [])


def _listed(lines: tuple[str, ...], otherwise: str) -> list[str]:
    shown = [line for text in lines[:SHOWN_LINES] for line in _wrapped(f"  {text}")]
    rest = [f"  … and {len(lines) - SHOWN_LINES} more"] if len(lines) > SHOWN_LINES else []
    return shown + rest or [f"  {otherwise}"]


def _wrapped(text: str) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent + "  ", max_lines=2, placeholder=" …")
