"""The card in the terminal: at most 45 lines of 100 columns; colour only on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from datetime import date

from data_intelligence.card import Card, CardNight
from data_intelligence.summary import SkillRow

__all__ = ["MAX_LINES", "WIDTH", "card_lines", "card_text", "print_card"]

WIDTH, MAX_LINES = 100, 45
FAN_CELLS = 34
MAX_MATCHED, MAX_FACTS, MAX_ANOMALIES, MAX_NOTES, MAX_ALERTS = 3, 6, 2, 3, 2
NAMED = {"agent_calibrated": "agent, recalibrated", "guess": "your guess", "rules": "rules alone"}

Line = tuple[str, str]
"""Text and rich style."""

BLANK: Line = ("", "")
LEAST_SKILL = 7
"""Lines of the scorecard with the fewest forecasters: a heading; for each book its head, the product, the reference."""


def card_text(card: Card) -> str:
    """The card as plain text."""
    return "\n".join(text for text, _ in card_lines(card))


def print_card(card: Card) -> None:
    """Print the card in colour."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=WIDTH, highlight=False)
    for text, style in card_lines(card):
        console.print(Text(text, style=style), no_wrap=True, overflow="crop")


def card_lines(card: Card) -> list[Line]:
    """The lines of the card and how each is styled."""
    top = [
        (f"HRV · {card.headline}", "bold green" if card.is_live else "bold yellow"),
        *_wrapped(f"Data: {card.freshness}", "dim", limit=2),
        *(_wrapped(card.issue_note, "yellow", limit=2) if card.issue_note else []),
        *[line for note in card.notes[:MAX_NOTES] for line in _wrapped(f"! {note}", "yellow", limit=2)],
        BLANK,
        *_tomorrow(card),
        BLANK,
    ]
    week = [BLANK, *_week(card), BLANK]
    bottom = [BLANK, *_further(card)]
    room = MAX_LINES - len(top) - len(week) - len(bottom)
    why = _why(card, room - LEAST_SKILL)
    return [*top, *why, *week, *_skill(card, room - len(why)), *bottom]


def day_label(day: date) -> str:
    """Weekday and date, such as ``Tue 24 Nov``; weekday names do not follow the locale."""
    weekday = "Mon Tue Wed Thu Fri Sat Sun".split()[day.weekday()]
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[day.month - 1]
    return f"{weekday} {day.day:>2} {month}"


def _tomorrow(card: Card) -> list[Line]:
    night = card.tomorrow
    whose = "our final forecast" if card.forecaster == "final" else "the models' mix, no final forecast"
    wide = f"80 % band {night.p10_ms:.0f} – {night.p90_ms:.0f} ms"
    lines = [
        (f"TOMORROW  {day_label(night.target_day)}: {night.p50_ms:.0f} ms   ({whose})", "bold"),
        (f"  50 % band {night.p25_ms:.0f} – {night.p75_ms:.0f} ms    {wide}", ""),
    ]
    if card.voices:
        said = " · ".join(f"{NAMED.get(v.forecaster, v.forecaster)} {v.p50_ms:.0f}" for v in card.voices)
        lines.append((_cut(f"  Others say: {said} ms"), "dim"))
    if card.baseline_ms is None or night.p_above_baseline is None:
        return [*lines, ("  Chance of lying above your baseline: unknown, there is no baseline.", "dim")]
    above = 100 * night.p_above_baseline
    return [
        *lines,
        (f"  {above:.0f} % chance of lying above your 60-day baseline ({card.baseline_ms:.1f} ms)", ""),
    ]


def _why(card: Card, room: int) -> list[Line]:
    """Alerts, facts, effects and the agent's word; where the room is short the least of what lies between goes."""
    first: list[Line] = [("WHY", "bold")]
    for sentence in card.alerts[:MAX_ALERTS]:
        first += _wrapped(f"  !! {sentence}", "bold red", limit=1 if len(card.alerts) > 1 else 2)
    last = _agent(card)
    between = _between(card)
    return [*first, *between[: max(room - len(first) - len(last), 0)], *last]


def _between(card: Card) -> list[Line]:
    why = card.why
    lines: list[Line] = []
    if card.last_night:
        lines += _wrapped(f"  {card.last_night}", "", limit=1)
    for sentence in card.anomalies[: MAX_ANOMALIES if not card.alerts else 1]:
        lines += _wrapped(f"  ! {sentence}", "yellow", limit=2)
    if why.facts:
        more = f" (+{len(why.facts) - MAX_FACTS} more)" if len(why.facts) > MAX_FACTS else ""
        lines += _wrapped(f"  Tonight's journal: {'; '.join(why.facts[:MAX_FACTS])}{more}", "", limit=2)
    for phrase in why.matched[:MAX_MATCHED]:
        lines += _wrapped(f"  Your own effect: {phrase}", "", limit=2)
    if why.journal_shift_ms is not None:
        lines.append((f"  Tonight's journal moved the models' mix by {why.journal_shift_ms:+.1f} ms", ""))
    return lines


def _agent(card: Card) -> list[Line]:
    why = card.why
    if why.status == "spoke":
        shift = "" if why.shift_ms is None else f", {why.shift_ms:+.0f} ms"
        weight = "" if why.weight_in_final is None else f", weight {100 * why.weight_in_final:.0f} %"
        return _wrapped(f"  {why.said_by}{shift}{weight}: “{why.text}”", "cyan", limit=4)
    if why.status == "refused":
        return _wrapped(f"  The agent did not forecast: {why.text}", "red", limit=3)
    return _wrapped(f"  {why.text}", "dim", limit=2)


def _week(card: Card) -> list[Line]:
    baseline = [] if card.baseline_ms is None else [card.baseline_ms]
    low = min([night.p10_ms for night in card.week] + baseline)
    high = max([night.p90_ms for night in card.week] + baseline)
    span = max(high - low, 1.0)

    def cell(value: float) -> int:
        return round((value - low) / span * (FAN_CELLS - 1))

    mark = cell(baseline[0]) if baseline else None
    key = "· 80 %  ━ 50 %  ● median" + ("  ┊ baseline" if mark is not None else "")
    lines: list[Line] = [(f"THE WEEK   P10   P50   P90  ms   {low:.0f} to {high:.0f} ms:  {key}", "bold")]
    for night in card.week:
        values = f"{night.p10_ms:>5.0f} {night.p50_ms:>5.0f} {night.p90_ms:>5.0f}"
        above = "" if night.p_above_baseline is None else f"  {100 * night.p_above_baseline:>3.0f} % above"
        lines.append((f"{day_label(night.target_day)} {values}      {_fan(night, cell, mark)}{above}", ""))
    return lines


def _fan(night: CardNight, cell: Callable[[float], int], mark: int | None) -> str:
    cells = [" "] * FAN_CELLS
    for low, high, sign in ((night.p10_ms, night.p90_ms, "·"), (night.p25_ms, night.p75_ms, "━")):
        for at in range(cell(low), cell(high) + 1):
            cells[at] = sign
    if mark is not None:
        cells[mark] = "┊"
    cells[cell(night.p50_ms)] = "●"
    return "".join(cells)


def _skill(card: Card, room: int) -> list[Line]:
    """The scorecard in at most ``room`` lines; the longer book's last forecasters go first, never the reference."""
    shown = [row for row in card.skill if row.horizons == "1"]
    books = {book: [row for row in shown if row.book == book] for book in ("replay", "live")}
    while 1 + sum(len(rows) + 1 for rows in books.values()) > room and max(map(len, books.values())) > 2:
        longest = max(books, key=lambda book: (len(books[book]), book == "replay"))
        books[longest].pop(-2)
    lines: list[Line] = [
        ("HOW GOOD WE HAVE BEEN  (next night; skill against the best naive rule, 90 % interval)", "bold")
    ]
    for book, words in (("replay", "replayed"), ("live", "live")):
        rows = books[book]
        if not rows:
            lines.append((f"  {words}: nothing scored yet", "dim"))
            continue
        lines.append(
            (f"  {words:<16} {'n':>4}  {'CRPS ms':>7}  {'skill':>7}  {'interval':>17}  {'in 80 %':>7}", "dim")
        )
        lines += [(_skill_line(row), "") for row in rows]
    return lines


def _skill_line(row: SkillRow) -> str:
    name = f"{row.forecaster}*" if row.forecaster == row.reference else row.forecaster
    skill = "" if row.skill_pct is None or name.endswith("*") else f"{row.skill_pct:+.1f} %"
    band = ""
    if row.skill_low_pct is not None and not name.endswith("*"):
        band = f"{row.skill_low_pct:+.1f} … {row.skill_high_pct:+.1f}"
    told = "best naive rule" if name.endswith("*") else row.verdict
    cover = f"{row.cover_80_pct:.0f} %"
    return _cut(
        f"  {name:<16.16} {row.n:>4}  {row.crps_ms:>7.2f}  {skill:>7}  {band:>17}  {cover:>7}  {told}"
    )


def _further(card: Card) -> list[Line]:
    lines: list[Line] = [("LOOK FURTHER", "bold")]
    if card.report is not None:
        room = WIDTH - len("  report and plots   ")
        path = card.report if len(card.report) <= room else "…" + card.report[1 - room :]
        lines.append((f"  report and plots   {path}", ""))
    shown = "  record: hrv reliability    models: hrv mlflow    pipeline: hrv dagster    page: hrv dashboard"
    return [*lines, (shown, "")]


def _wrapped(text: str, style: str, *, limit: int) -> list[Line]:
    """Wrapped to the width; what does not fit in ``limit`` lines ends with an ellipsis."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(
        text, WIDTH, subsequent_indent=indent + ("  " if indent else ""), max_lines=limit, placeholder=" …"
    )
    return [(line, style) for line in lines]


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
