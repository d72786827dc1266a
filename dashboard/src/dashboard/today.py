"""What the page shows: the card of the issue that is due, from the room that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.errors import RoomMissing
from dashboard.figures import read_figures
from hrv_shared.errors import HrvError
from hrv_shared.settings import Settings
from hrv_shared.store import Store

__all__ = ["FanRow", "Today", "card_of", "fan_rows", "gather_today"]

FAN_WIDTH, FAN_MARGIN = 300.0, 8.0


@dataclass(frozen=True)
class FanRow:
    """One night of the week, and where its band lies in a strip of 300 x 16."""

    night: dict[str, Any]
    low80: float
    high80: float
    low50: float
    high50: float
    median: float
    baseline: float | None


@dataclass(frozen=True)
class Today:
    """The card as JSON values, its plots and the strips of the week; or why there is none."""

    card: dict[str, Any] | None
    figures: tuple[str, ...]
    week: tuple[FanRow, ...]
    trouble: str
    trouble_code: str


def gather_today(settings: Settings) -> Today:
    """Everything for the page; trouble is shown as its sentence, never as an old card."""
    store = Store.open(settings)
    try:
        card = card_of(store, settings)
    except HrvError as error:
        return Today(None, (), (), str(error), error.code)
    finally:
        _close(store)
    try:
        figures, trouble, code = tuple(read_figures(store.reports_dir("daily"), tuple(card["plots"]))), "", ""
    except HrvError as error:
        figures, trouble, code = (), str(error), error.code
    return Today(card, figures, fan_rows(card), trouble, code)


def card_of(store: Store, settings: Settings) -> dict[str, Any]:
    """The card of the issue that is due, as JSON values.

    Raises
    ------
    RoomMissing
        ``data_intelligence`` is not installed beside this room.
    HrvError
        No night, no forecast, or a damaged report.
    """
    try:
        from data_intelligence import chosen_issue, today_card
    except ModuleNotFoundError as error:
        if error.name != "data_intelligence":
            raise
        raise RoomMissing(
            "The page needs the room data_intelligence for its card. Install it beside: "
            "pip install ../data_intelligence"
        ) from None
    issue = chosen_issue(store, settings.member_id)
    return today_card(store, issue, seed=settings.seed).model_dump(mode="json")


def fan_rows(card: dict[str, Any]) -> tuple[FanRow, ...]:
    """Places of the week's bands on one common scale."""
    week = card["week"]
    base = card["baseline_ms"]
    shown = [value for night in week for value in (night["p10_ms"], night["p90_ms"])] + (
        [] if base is None else [base]
    )
    low, span = min(shown), max(max(shown) - min(shown), 1.0)

    def x(value: float) -> float:
        return round(FAN_MARGIN + (value - low) / span * (FAN_WIDTH - 2 * FAN_MARGIN), 1)

    mark = None if base is None else x(base)
    return tuple(
        FanRow(n, x(n["p10_ms"]), x(n["p90_ms"]), x(n["p25_ms"]), x(n["p75_ms"]), x(n["p50_ms"]), mark)
        for n in week
    )


def _close(store: Store) -> None:
    """Close what this request opened; the books open themselves on first use."""
    if "ledger" in vars(store):
        store.ledger.close()
    if "record" in vars(store):
        store.record.close()
