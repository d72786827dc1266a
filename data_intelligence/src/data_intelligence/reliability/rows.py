"""The scorecard: one row a forecaster, book, slot, horizon group and score segment."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from data_intelligence.evidence import EvidenceBook
from data_intelligence.ledger_view import p_of_equal_loss, verdict
from data_intelligence.reliability.layout import Band, PitTest, Power, SegmentRow
from data_intelligence.skill_plots import pit_counts
from hrv_shared.comparison import nights_to_tell
from hrv_shared.constants import HORIZONS, NAIVE_FORECASTERS
from hrv_shared.scoring import BLOCK_NIGHTS, scorecard, skill_interval

__all__ = ["HORIZON_GROUPS", "Paired", "band_of", "pair_with_best_naive", "segment_rows"]

HORIZON_GROUPS: dict[str, tuple[int, ...]] = {
    "1": (1,), "2-7": HORIZONS[1:], **{str(h): (h,) for h in HORIZONS[1:]},
}  # fmt: skip
MASSES = (50, 80, 95)
CHANCE = 0.90
PIT_NIGHTS, PIT_LEVEL = 50, 0.01
POWER_NIGHTS = 16
FAR_NIGHTS = 730


class Paired:
    """One forecaster and the best naive rule on identical nights, a mean a target day."""

    def __init__(self, own: pl.DataFrame, naive: pl.DataFrame) -> None:
        card = scorecard(_beside(own, naive), resamples=1).filter(
            pl.col("forecaster") == own["forecaster"][0]
        )
        self.card = card.row(0, named=True)
        self.reference: str | None = self.card["reference"]
        per_day = own
        if self.reference is not None:
            ref = naive.filter(pl.col("forecaster") == self.reference)
            on = ["origin_day", "horizon"]
            per_day = own.join(ref.select(*on, ref_ms="crps_ms"), on=on)
        else:
            per_day = own.with_columns(ref_ms=pl.lit(None, pl.Float64))
        self.rows = per_day.sort("target_day", "horizon")
        days = self.rows.group_by("target_day", maintain_order=True).agg(pl.col("crps_ms", "ref_ms").mean())
        self.own, self.ref = days["crps_ms"].to_numpy(), days["ref_ms"].to_numpy()

    def skill_pct(
        self, seed: int, *, block: int = BLOCK_NIGHTS
    ) -> tuple[float | None, float | None, float | None]:
        """Skill with its 90 % block-bootstrap interval, %."""
        if self.reference is None or not len(self.own):
            return None, None, None
        low, high = skill_interval(self.own, self.ref, seed=seed, block=block)
        return _pct(self.card["skill"]), _pct(low), _pct(high)


def pair_with_best_naive(own: pl.DataFrame, naive: pl.DataFrame) -> Paired:
    """Pair the rows of one forecaster with the naive rule that was best on its nights."""
    return Paired(own, naive)


def segment_rows(scores: pl.DataFrame, book: EvidenceBook, *, seed: int) -> tuple[SegmentRow, ...]:
    """Score every segment of every forecaster on its own nights.

    Parameters
    ----------
    scores : DataFrame
        Of one member (``segments.scored_rows``).
    """
    rows = []
    for (name, slot), group in scores.group_by("book", "slot", maintain_order=True):
        naive = group.filter(~pl.col("void"), pl.col("forecaster").is_in(NAIVE_FORECASTERS))
        for forecaster, segment, is_newest, own in _segments(group):
            for label, horizons in HORIZON_GROUPS.items():
                here = own.filter(pl.col("horizon").is_in(horizons))
                counted = here.filter(~pl.col("void"))
                if counted.is_empty():
                    continue
                span = f"{counted['target_day'].min()}..{counted['target_day'].max()}"
                place = f"segments/{name}/{slot}/{forecaster}/h{label}/{segment}/{span}"
                rows.append(
                    SegmentRow(
                        book=name, slot=slot, forecaster=forecaster, horizons=label, segment=segment,
                        is_newest=is_newest, versions=tuple(counted["version"].unique().sort()),
                        n_void=len(here) - len(counted), **_figures(counted, naive, max(horizons), seed),
                        evidence=book.cite("scores", f"{forecaster}, {label} nights ahead, {name} {slot}", [place]),
                    )
                )  # fmt: skip
    return tuple(rows)


def band_of(inside: pl.Series, nominal_pct: int, n_independent: int) -> Band:
    """Coverage against the range that chance alone gives a band which holds, on so many independent nights."""
    from scipy import stats  # half a second, which no other report need spend

    mass = nominal_pct / 100
    low, high = stats.binom.interval(CHANCE, n_independent, mass)
    observed = 100 * float(inside.mean())
    ends = 100 * float(low) / n_independent, 100 * float(high) / n_independent
    return Band(
        nominal_pct=nominal_pct, observed_pct=round(observed, 1), chance_low_pct=round(ends[0], 1),
        chance_high_pct=round(ends[1], 1), holds=ends[0] - 1e-9 <= observed <= ends[1] + 1e-9,
    )  # fmt: skip


def _segments(group: pl.DataFrame) -> Iterator[tuple[str, str, bool, pl.DataFrame]]:
    """Forecaster, segment, whether it is the newest of that forecaster, its rows."""
    last = dict(group.sort("n").group_by("forecaster").agg(pl.col("segment").last()).iter_rows())
    for (forecaster, segment), own in group.sort("forecaster", "n").group_by(
        "forecaster", "segment", maintain_order=True
    ):
        yield forecaster, segment, last[forecaster] == segment, own


def _figures(own: pl.DataFrame, naive: pl.DataFrame, horizon: int, seed: int) -> dict:
    pair = pair_with_best_naive(own, naive)
    shown = pair.rows if len(pair.rows) else own
    days = shown["target_day"].n_unique()
    skill, low, high = pair.skill_pct(seed)
    is_reference = own["forecaster"][0] == pair.reference
    p = None if pair.reference is None else p_of_equal_loss(pair.own, pair.ref, horizon)
    said = verdict(days, low, high, p, is_reference=is_reference)
    return {
        "first_day": shown["target_day"].min(),
        "last_day": shown["target_day"].max(),
        "n": len(shown),
        "n_days": days,
        "crps_ms": round(float(shown["crps_ms"].mean()), 2),
        "mae_ms": round(float(shown["abs_error_ms"].mean()), 2),
        "reference": pair.reference,
        "skill_pct": skill,
        "skill_low_pct": low,
        "skill_high_pct": high,
        "bands": tuple(band_of(shown[f"in_{mass}"], mass, days) for mass in MASSES),
        "pit": _pit_test(shown, days),
        "power": _power(pair, p, said),
        "verdict": said,
    }


def _pit_test(shown: pl.DataFrame, days: int) -> PitTest:
    counts = pit_counts(shown["pit"].to_numpy())
    told = tuple(int(c) for c in counts)
    if shown["horizon"].max() > 1:
        return PitTest(
            counts=told, p_value=None, sentence="not tested: forecasts several nights ahead overlap"
        )
    if days < PIT_NIGHTS:
        return PitTest(counts=told, p_value=None, sentence=f"cannot tell below {PIT_NIGHTS} nights")
    from scipy import stats

    p = float(stats.chisquare(counts).pvalue)
    words = "is not flat" if p < PIT_LEVEL else "not told from flat"
    return PitTest(counts=told, p_value=round(p, 4), sentence=f"{words} (p = {p:.2g})")


def _power(pair: Paired, p: float | None, said: str) -> Power:
    if pair.reference is None:
        return Power(nights_more=None, p_value=None, sentence="no naive rule spoke on these nights")
    if said == "the reference":
        return Power(nights_more=None, p_value=None, sentence="the rule that the others are held against")
    if len(pair.own) < POWER_NIGHTS:
        more = POWER_NIGHTS - len(pair.own)
        return Power(nights_more=None, p_value=None,
                     sentence=f"cannot tell yet: {more} more nights before even the question can be put")  # fmt: skip
    more = nights_to_tell(pair.own, pair.ref)
    if more is None:
        words = "no edge so far, so no number of nights to wait for"
    elif said == "better":
        words = "told: better"
    elif more > FAR_NIGHTS:
        words = "cannot tell yet: the edge seen so far is so small that it would take years"
    elif more == 0:
        words = "cannot tell yet: the edge seen would nearly do, interval and test do not agree yet"
    else:
        words = f"cannot tell yet: about {more} more nights if the edge seen so far is real"
    if said == "worse":
        words = "told: worse"
    return Power(nights_more=more, p_value=p, sentence=words)


def _beside(own: pl.DataFrame, naive: pl.DataFrame) -> pl.DataFrame:
    """The rows with those of the other naive rules on the same nights."""
    nights = own.select("origin_day", "horizon").unique()
    others = naive.filter(pl.col("forecaster") != own["forecaster"][0]).join(
        nights, on=["origin_day", "horizon"], how="semi"
    )
    return pl.concat([own, others.select(own.columns)])


def _pct(share: float | None) -> float | None:
    return None if share is None or share != share else round(100 * share, 1)
