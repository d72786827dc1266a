"""What the ledger says as of an issue: its forecasts, and how good each forecaster has been until then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from data_intelligence.evidence import EvidenceBook
from data_intelligence.segments import SPEAKERS_OF_A_MODEL, newest_segments, scored_rows
from data_intelligence.summary import ForecastLine, SkillRow
from hrv_shared.comparison import diebold_mariano
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.issue import Issue
from hrv_shared.ledger import BOOKS
from hrv_shared.scoring import scorecard
from hrv_shared.store import Store

__all__ = ["forecast_lines", "issue_forecasts", "p_of_equal_loss", "scores_as_of", "skill_rows", "verdict"]

SKILL_NIGHTS = 60
"""The scorecard looks at the last so many target nights of a book."""

LOOK_BACK = timedelta(days=120)
"""Origin days read first; a book with fewer scored nights in them is read whole."""

TELLING_NIGHTS = 30
"""Nights below which no claim is made (forecasting.md trap 25)."""

P_TOLD = 0.10

SHOWN_LEVELS = {
    f"p{round(100 * level)}_ms": QUANTILE_LEVELS.index(level) for level in (0.10, 0.25, 0.50, 0.75, 0.90)
}


def issue_forecasts(store: Store, issue: Issue) -> pl.DataFrame:
    """Ledger rows of the issue, the newest version of each forecaster, by forecaster and horizon."""
    rows = store.ledger.forecasts(issue.book, issue.member_id, slot=issue.slot, origin_day=issue.origin_day)
    return (
        rows.filter(pl.col("as_of") <= issue.as_of)
        .unique(["forecaster", "horizon"], keep="last", maintain_order=True)
        .sort("forecaster", "horizon")
    )


def forecast_lines(rows: pl.DataFrame, book: EvidenceBook) -> tuple[ForecastLine, ...]:
    """Five quantiles of every row, each citing its ledger row."""
    return tuple(
        ForecastLine(
            forecaster=row["forecaster"],
            version=row["version"],
            horizon=row["horizon"],
            target_day=row["target_day"],
            **{name: round(row["quantiles_ms"][at], 1) for name, at in SHOWN_LEVELS.items()},
            evidence=book.cite(
                "ledger",
                f"{row['forecaster']} for {row['target_day']}",
                [f"ledger/{row['book']}/{row['n']}/{row['hash']}"],
            ),
        )  # fmt: skip
        for row in rows.iter_rows(named=True)
    )


def scores_as_of(store: Store, issue: Issue) -> pl.DataFrame:
    """Scores of the member's earlier forecasts in the issue's slot, by outcomes known at ``as_of``.

    Each book's last 60 target nights; the agent's rows are those of its present model and prompt.
    """
    books = [_last_nights(store, issue, book) for book in BOOKS]
    return newest_segments(pl.concat(books), SPEAKERS_OF_A_MODEL)


def _last_nights(store: Store, issue: Issue, book: str) -> pl.DataFrame:
    for since in (issue.origin_day - LOOK_BACK, None):
        scores = scored_rows(
            store,
            issue.member_id,
            issue.as_of,
            book=book,
            slot=issue.slot,
            before=issue.origin_day,
            since=since,
        )
        if scores["target_day"].n_unique() >= SKILL_NIGHTS:
            break
    return scores.filter(pl.col("target_day").rank("dense", descending=True) <= SKILL_NIGHTS)


def skill_rows(scores: pl.DataFrame, book: EvidenceBook, *, seed: int) -> tuple[SkillRow, ...]:
    """The scorecard of each book over its last 60 target nights."""
    if scores.is_empty():
        return ()
    rows = []
    for card in scorecard(scores, seed=seed).iter_rows(named=True):
        own = scores.filter(pl.col("book") == card["book"], pl.col("forecaster") == card["forecaster"])
        span = f"{own['target_day'].min()}..{own['target_day'].max()}" if len(own) else "none"
        where = [f"scores/{card['book']}/{card['slot']}/{card['forecaster']}/h{card['horizons']}/{span}"]
        if card["n"] == 0 or card["crps_ms"] is None:
            continue
        skill, low, high = (_pct(card[name]) for name in ("skill", "skill_low", "skill_high"))
        rows.append(
            SkillRow(
                book=card["book"],
                slot=card["slot"],
                forecaster=card["forecaster"],
                horizons=card["horizons"],
                n=card["n"],
                crps_ms=round(card["crps_ms"], 2),
                mae_ms=round(card["mae_ms"], 2),
                skill_pct=skill,
                skill_low_pct=low,
                skill_high_pct=high,
                reference=card["reference"],
                cover_50_pct=_pct(card["cover_50"]),
                cover_80_pct=_pct(card["cover_80"]),
                cover_95_pct=_pct(card["cover_95"]),
                verdict=verdict(
                    card["n"], low, high, _paired_p(scores, card), is_reference=_is_reference(card)
                ),
                evidence=book.cite("scores", f"{card['forecaster']} in the {card['book']} book", where),
            )  # fmt: skip
        )
    return tuple(rows)


def verdict(
    n: int, low: float | None, high: float | None, p: float | None, *, is_reference: bool = False
) -> str:
    """``better``, ``worse`` or ``cannot tell yet`` than the best naive rule.

    Parameters
    ----------
    n : int
        Nights; below 30 nothing is claimed.
    low, high : float, optional
        Ends of the 90 % bootstrap interval of skill.
    p : float, optional
        ``p_of_equal_loss``. Interval and test must agree: for two equal forecasters the interval alone claims an edge
        in 27 % of cases on 30 nights and in 18 % on 60, both together in 10 %.
    """
    if is_reference:
        return "the reference"
    if n < TELLING_NIGHTS or low is None or high is None or low <= 0 <= high or p is None or p >= P_TOLD:
        return "cannot tell yet"
    return "better" if low > 0 else "worse"


def p_of_equal_loss(crps: np.ndarray, reference: np.ndarray, horizon: int) -> float | None:
    """Two-sided p of equal loss (Diebold-Mariano), paired by night [N]; None where there is nothing to test."""
    try:
        return round(diebold_mariano(crps, reference, horizon)[1], 4)
    except ValueError:  # too few nights for the lags, or the same difference every night
        return None


def _paired_p(scores: pl.DataFrame, card: dict[str, Any]) -> float | None:
    """The test for one row of the scorecard."""
    horizons = (1,) if card["horizons"] == "1" else HORIZONS[1:]
    rows = scores.filter(
        ~pl.col("void"), pl.col("book") == card["book"], pl.col("horizon").is_in(horizons)
    ).sort("n")
    own, ref = (
        rows.filter(pl.col("forecaster") == name).unique(
            ["origin_day", "horizon"], keep="last", maintain_order=True
        )
        for name in (card["forecaster"], card["reference"] or "")
    )
    pairs = own.join(ref.select("origin_day", "horizon", ref_ms="crps_ms"), on=["origin_day", "horizon"])
    pairs = pairs.sort("target_day", "horizon")
    nights = pairs.group_by("target_day", maintain_order=True).agg(pl.col("crps_ms", "ref_ms").mean())
    return p_of_equal_loss(nights["crps_ms"].to_numpy(), nights["ref_ms"].to_numpy(), max(horizons))


def _is_reference(card: dict[str, Any]) -> bool:
    return card["forecaster"] == card["reference"]


def _pct(share: float | None) -> float | None:
    return None if share is None or share != share else round(100 * share, 1)
