"""What can be wrong, one pure function each: Dagster's checks and `hrv doctor` both say what these say.

A finding that **blocks** is one with which a forecast would be dishonest or could not be kept; a **warning** is for the
wearer to know while everything goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl

from hrv_shared.constants import PRODUCT, SETTLE_HOURS, STALE_AFTER_DAYS
from hrv_shared.ledger import LedgerFault

__all__ = [
    "Finding", "clock", "coverage_drift", "disk", "freshness", "ledger", "login", "model_files", "revisions", "schema",
    "skill_decay", "slots_kept", "token_store", "training",
]  # fmt: skip

LOW_DISK_GB, FULL_DISK_GB = 2.0, 0.2
DRIFT_NIGHTS = 30
LEAST_NIGHTS = 14
DRIFT_P = 0.01
REVISED_NIGHTS = 60
TRAINING_OLD_DAYS = 14


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    what : str
        The check's name.
    level : str
        ``ok``, ``warn`` or ``block``.
    mend : str
        What to do about it; empty when it is ok.
    """

    what: str
    level: Literal["ok", "warn", "block"]
    says: str
    mend: str = ""

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        says = f"{self.says}; {self.mend}" if self.mend else self.says
        return {
            "what": self.what,
            "ok": self.level == "ok",
            "level": self.level,
            "says": says,
            "mend": self.mend,
        }


def freshness(states: Mapping[date, str], today: date) -> Finding:
    """Every day of the last two weeks that should have a night: ``states`` is wake day -> state as known now."""
    scored = [day for day, state in states.items() if state == "scored"]
    if not scored:
        return Finding("freshness", "warn", "no scored night yet", "hrv pull, or hrv import EXPORT.zip")
    age = (today - max(scored)).days
    if age > STALE_AFTER_DAYS:
        says = (
            f"the last scored night is {max(scored)}, {age} days ago: no honest forecast of tomorrow exists"
        )
        return Finding("freshness", "warn", says, "hrv pull, or hrv import a newer export")
    expected = [today - timedelta(days=back) for back in range(14, 0, -1)]
    expected = [day for day in expected if day >= min(scored)]
    missing = [day for day in expected if states.get(day) != "scored"]
    if missing:
        named = ", ".join(f"{day} {states.get(day, 'missing')}" for day in missing[-3:])
        says = f"{len(missing)} of the last {len(expected)} nights have no HRV ({named})"
        return Finding("freshness", "warn", says, "hrv gaps says why")
    return Finding("freshness", "ok", f"every one of the last {len(expected)} nights is scored")


def schema(faults: Mapping[str, str]) -> Finding:
    """Whether each table can be read and has its columns; ``faults`` is table -> what is wrong."""
    if faults:
        return Finding("schema", "block", "; ".join(faults.values()), "hrv rebuild")
    return Finding("schema", "ok", "every table can be read and has its columns")


def clock(now: datetime, last_issued_at: datetime | None, newest_known_at: datetime | None) -> Finding:
    """Whether time runs forward: a clock behind the ledger can issue nothing, one behind the data hides some of it."""
    if last_issued_at is not None and now < last_issued_at:
        says = f"the clock says {now:%Y-%m-%d %H:%M}Z, but a forecast was issued at {last_issued_at:%Y-%m-%d %H:%M}Z"
        return Finding("clock", "block", says, "set the clock right; no forecast is backdated")
    if newest_known_at is not None and now < newest_known_at:
        says = f"the clock says {now:%Y-%m-%d %H:%M}Z, but something was learned at {newest_known_at:%Y-%m-%d %H:%M}Z"
        return Finding(
            "clock", "warn", says, "set the clock right, or wait: what was learned later is not seen yet"
        )
    return Finding("clock", "ok", "nothing in the store is from the future")


def revisions(days: pl.DataFrame, today: date) -> Finding:
    """Nights whose HRV changed after it had settled: their outcome stays the first one, the tables show the new one."""
    recent = days.filter(pl.col("state") == "scored", pl.col("day") > today - timedelta(days=REVISED_NIGHTS))
    values = recent.sort("known_at").group_by("day", maintain_order=True).agg(
        pl.col("hrv_rmssd_ms").n_unique().alias("values"),
        ((pl.col("known_at") > pl.col("wake_at").first() + timedelta(hours=SETTLE_HOURS))
         & (pl.col("hrv_rmssd_ms") != pl.col("hrv_rmssd_ms").shift(1))).any().alias("late"),
    )  # fmt: skip
    late = values.filter(pl.col("late"))["day"].sort().to_list()
    if late:
        says = (
            f"WHOOP changed {len(late)} nights more than {SETTLE_HOURS} h after waking, the last {late[-1]}"
        )
        mend = f"hrv why {late[-1]} hrv shows what it was; scores keep the first value"
        return Finding("revisions", "warn", says, mend)
    revised = values.filter(pl.col("values") > 1).height
    return Finding(
        "revisions", "ok", f"{revised} of {values.height} nights were revised, all before they settled"
    )


def coverage_drift(scores: pl.DataFrame) -> Finding:
    """Whether the last nights fall into the 80 % band of `final` about as often as they should."""
    inside = _first_night(scores, PRODUCT).tail(DRIFT_NIGHTS)["in_80"]
    n, hits = len(inside), int(inside.sum() or 0)
    if n < LEAST_NIGHTS:
        return Finding("coverage drift", "ok", f"{n} live nights are scored; judged from {LEAST_NIGHTS} on")
    p = min(1.0, 2 * min(_binomial_tail(n, hits, 0.8), _binomial_tail(n, n - hits, 0.2)))
    says = f"{hits} of the last {n} nights lay in the 80 % band"
    if p < DRIFT_P:
        too = "narrow" if hits < 0.8 * n else "wide"
        says = f"{says}: the bands are too {too}"
        return Finding("coverage drift", "warn", says, "hrv train; hrv scorecard shows who")
    return Finding("coverage drift", "ok", says)


def skill_decay(scores: pl.DataFrame, *, seed: int = 0) -> Finding:
    """Whether `final` has become worse than the best naive rule on the last nights, beyond chance."""
    from hrv_shared.constants import NAIVE_FORECASTERS
    from hrv_shared.scoring import skill_interval

    own = _first_night(scores, PRODUCT).tail(2 * DRIFT_NIGHTS)
    if len(own) < LEAST_NIGHTS:
        return Finding(
            "skill decay", "ok", f"{len(own)} live nights are scored; judged from {LEAST_NIGHTS} on"
        )
    naive = scores.filter(pl.col("forecaster").is_in(NAIVE_FORECASTERS))
    best, skill, high = None, 0.0, 0.0
    for name in NAIVE_FORECASTERS:
        both = own.join(_first_night(naive, name), on=["slot", "origin_day"], suffix="_naive").sort(
            "target_day"
        )
        if len(both) < LEAST_NIGHTS:
            continue
        value = 1 - both["crps_ms"].sum() / both["crps_ms_naive"].sum()
        if best is None or value < skill:
            _, high = skill_interval(both["crps_ms"].to_numpy(), both["crps_ms_naive"].to_numpy(), seed=seed)
            best, skill = name, value
    if best is None:
        return Finding("skill decay", "ok", "no naive rule has spoken on enough of the same nights")
    says = f"skill of the last {len(own)} forecasts against {best}: {100 * skill:+.0f} %"
    if high < 0:
        says = f"{says}, worse beyond chance"
        return Finding("skill decay", "warn", says, "hrv train; hrv scorecard shows who is better")
    return Finding("skill decay", "ok", says)


def ledger(faults: Collection[LedgerFault]) -> Finding:
    """Whether the ledger is what was written."""
    if faults:
        first = next(iter(faults))
        says = f"{len(faults)} faults, the first: {first.chain} row {first.n} {first.what}"
        return Finding("ledger", "block", says, "hrv ledger verify; restore a backup")
    return Finding("ledger", "ok", "sound")


def disk(free_gb: float) -> Finding:
    """Whether there is room to write."""
    if free_gb < FULL_DISK_GB:
        return Finding("disk", "block", f"{free_gb:.1f} GB free", "free some space; nothing can be kept")
    if free_gb < LOW_DISK_GB:
        return Finding("disk", "warn", f"{free_gb:.1f} GB free", "free some space")
    return Finding("disk", "ok", f"{free_gb:.0f} GB free")


def login(connection: Mapping[str, Any]) -> Finding:
    """Whether WHOOP would answer us; ``connection`` is what the WHOOP room says of it."""
    if connection.get("connected"):
        return Finding("login", "ok", "connected to WHOOP")
    if connection.get("lost_at"):
        says = f"WHOOP ended the connection (noticed {connection['lost_at'][:16]})"
        return Finding("login", "warn", says, "hrv connect")
    return Finding("login", "warn", "not connected", "hrv connect (an import needs no login)")


def token_store(connection: Mapping[str, Any]) -> Finding:
    """Whether the tokens lie where they can be read."""
    store = connection.get("token_store") or {}
    if store.get("fault"):
        return Finding("token store", "warn", store["fault"], "hrv connect")
    return Finding("token store", "ok", str(store.get("place") or "none yet"))


def model_files(absent: Collection[str]) -> Finding:
    """Whether the weights that the settings name are on this machine."""
    if absent:
        return Finding("models", "warn", f"{', '.join(absent)} not here", "hrv models fetch asr reader forecast")
    return Finding("models", "ok", "ready")


def training(last_origin: date | None, newest_night: date | None) -> Finding:
    """How old the models are, in days of data."""
    if newest_night is None:
        return Finding("training", "ok", "nothing to train on yet")
    if last_origin is None:
        return Finding("training", "warn", "the models were never trained on these data", "hrv train")
    age = (newest_night - last_origin).days
    if age > TRAINING_OLD_DAYS:
        return Finding("training", "warn", f"the models were last trained {age} days ago", "hrv train")
    return Finding("training", "ok", f"trained on the nights up to {last_origin}")


def slots_kept(nights: Collection[date], issued: Collection[tuple[date, str]], today: date) -> Finding:
    """How many slots of the last week, of days with a scored night, have their forecast."""
    week = sorted(day for day in nights if today - timedelta(days=7) <= day < today)
    kept = sum((day, slot) in issued for day in week for slot in ("morning", "evening"))
    says = f"{kept} of the last week's {2 * len(week)} forecasts were made"
    if week and not kept:
        return Finding("every day", "warn", says, "let it run: hrv up, or hrv daily each morning and evening")
    return Finding("every day", "ok", says)


def _first_night(scores: pl.DataFrame, forecaster: str) -> pl.DataFrame:
    """Counted live scores of one forecaster for the coming night, oldest first."""
    return scores.filter(
        pl.col("book") == "live", pl.col("forecaster") == forecaster, pl.col("horizon") == 1, ~pl.col("void")
    ).sort("target_day", "slot")


def _binomial_tail(n: int, k: int, p: float) -> float:
    """P(X <= k) for X ~ Bin(n, p)."""
    terms = np.cumsum([0.0, *np.log((n - np.arange(k)) / (1 + np.arange(k)))])
    return float(np.exp(terms + np.arange(k + 1) * np.log(p) + (n - np.arange(k + 1)) * np.log(1 - p)).sum())
