"""The wearer's own guess: an interval becomes 23 quantiles in the ledger, before the night, scored like any other.

An interval of the wearer's fixes two points; between and beyond them the quantiles follow the shape of the wearer's own
nights on the ln scale (what the last ``SHAPE_NIGHTS`` were off from the median of the seven before), drawn to a normal
law by ``NORMAL_NIGHTS`` nights. A single number is a median, as wide as the wearer's nights usually are.

The ledger keeps what was said first in a slot; morning and evening are two slots. Whether the models' forecast of that
night had been issued by then stands in the row: a guess made after it may have been copied.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np

from hrv_shared.constants import (
    GUESS,
    HORIZONS,
    MODEL_COMBINATION,
    PRODUCT,
    QUANTILE_LEVELS,
    RMSSD_PLAUSIBLE_MS,
)
from hrv_shared.errors import BadGuess, GuessStands, StaleData
from hrv_shared.history import load_history
from hrv_shared.issue import Issue, current_issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.record import canonical_json
from hrv_shared.scoring import score_rows
from hrv_shared.store import Store

__all__ = ["Said", "enter_guess", "own_shape", "past_guesses", "quantiles_of", "read_said", "target_of"]

LEVELS = np.asarray(QUANTILE_LEVELS)
LOW, HIGH = (QUANTILE_LEVELS.index(level) for level in (0.15, 0.85))
VERSION = "1"
SHAPE_NIGHTS = 120
NORMAL_NIGHTS = 60
USUAL_HALF_WIDTH = 0.16
"""ln; half the 15-85 % band of nights of somebody of whom nothing is known."""
SURE = (50.0, 95.0)
NARROWEST, WIDEST = 1.02, 8.0
"""Upper end over lower end."""
FAR = 3.0
"""A guess so many times above the highest or below the lowest of the last nights is a slip of the keyboard."""

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_INTERVAL = re.compile(rf"^{_NUMBER}\s*(?:ms)?\s*(?:\.\.+|…|-|–|—|to|bis)\s*{_NUMBER}\s*(?:ms)?$", re.I)
_SINGLE = re.compile(rf"^{_NUMBER}\s*(?:ms)?$", re.I)


@dataclass(frozen=True)
class Said:
    """What the wearer said: an interval that holds ``sure_pct`` %, or a single number (both ends equal)."""

    low_ms: float
    high_ms: float
    sure_pct: float

    @property
    def words(self) -> str:
        """As the wearer would say it."""
        if self.low_ms == self.high_ms:
            return f"{self.low_ms:g} ms"
        return f"{self.low_ms:g} … {self.high_ms:g} ms, {self.sure_pct:g} % sure"


def read_said(text: str, sure_pct: float = 80.0) -> Said:
    """Read ``55..70`` (also ``55-70``, ``55 to 70``) or ``62``.

    Raises
    ------
    BadGuess
        Not a range of a nightly RMSSD, the ends the wrong way round, or too sure or unsure to mean anything.
    """
    whole, single = _INTERVAL.match(text.strip()), _SINGLE.match(text.strip())
    if whole is None and single is None:
        raise BadGuess(f"Expected a guess such as 55..70 or 62, in ms, got {text!r}. Run: hrv guess 55..70")
    low, high = (float(t.replace(",", ".")) for t in (whole.groups() if whole else single.groups() * 2))
    least, most = RMSSD_PLAUSIBLE_MS
    if not least <= low <= most or not least <= high <= most:
        raise BadGuess(f"Expected a nightly RMSSD between {least:g} and {most:g} ms, got {text!r}.")
    if not SURE[0] <= sure_pct <= SURE[1]:
        raise BadGuess(f"Expected --sure between {SURE[0]:g} and {SURE[1]:g} (%), got {sure_pct:g}.")
    if whole and low >= high:
        raise BadGuess(f"Expected the lower end first, got {text!r}. Run: hrv guess {high:g}..{low:g}")
    if whole and high / low < NARROWEST:
        raise BadGuess(
            f"{text!r} is narrower than any night can be known. Give a wider range, or one number."
        )
    if high / low > WIDEST:
        raise BadGuess(
            f"{text!r} says nothing: its ends are {high / low:.0f} times apart. Give a narrower range."
        )
    return Said(low, high, float(sure_pct))


def target_of(text: str, issue: Issue) -> int:
    """Nights ahead of ``tomorrow``, ``3`` or ``2026-11-25``.

    Raises
    ------
    BadGuess
        Not one of the next seven nights.
    """
    wanted = text.strip().lower()
    last = issue.origin_day + timedelta(days=HORIZONS[-1])
    try:
        if wanted == "tomorrow":
            horizon = 1
        elif re.fullmatch(r"\+?\d", wanted):
            horizon = int(wanted)
        else:
            horizon = (date.fromisoformat(wanted) - issue.origin_day).days
    except ValueError:
        horizon = 0
    if horizon not in HORIZONS:
        raise BadGuess(
            f"Expected --for tomorrow, a number of nights ahead (1 … {HORIZONS[-1]}) or a day from "
            f"{issue.origin_day + timedelta(days=1)} to {last}, got {text!r}."
        )
    return horizon


def own_shape(nights_ms: np.ndarray) -> tuple[np.ndarray, float]:
    """The shape of a wearer's nights: ln deviations at the levels [23], and half their 15-85 % band.

    Parameters
    ----------
    nights_ms : ndarray [N], ms
        Scored nights, oldest first.
    """
    normal = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
    normal /= (normal[HIGH] - normal[LOW]) / 2
    log_ms = np.log(nights_ms[-SHAPE_NIGHTS - 7 :])
    apart = np.array([log_ms[i] - np.median(log_ms[i - 7 : i]) for i in range(7, len(log_ms))])
    if len(apart) < 14:
        return normal, USUAL_HALF_WIDTH
    found = np.quantile(apart, LEVELS) - np.median(apart)
    half = (found[HIGH] - found[LOW]) / 2
    if half <= 0:
        return normal, USUAL_HALF_WIDTH
    trust = len(apart) / (len(apart) + NORMAL_NIGHTS)
    return trust * found / half + (1 - trust) * normal, float(trust * half + (1 - trust) * USUAL_HALF_WIDTH)


def quantiles_of(said: Said, shape: np.ndarray, half_width: float) -> np.ndarray:
    """23 quantiles, ms, whose interval of ``sure_pct`` % ends where the wearer said."""
    if said.low_ms == said.high_ms:
        return said.low_ms * np.exp(half_width * shape)
    tail = (1 - said.sure_pct / 100) / 2
    below, above = np.interp([tail, 1 - tail], LEVELS, shape)
    scale = np.log(said.high_ms / said.low_ms) / (above - below)
    return np.exp(np.log(said.low_ms) + scale * (shape - below))


def enter_guess(store: Store, member_id: str, said: Said, wanted: str = "tomorrow") -> dict[str, Any]:
    """Enter a guess into the live book.

    Raises
    ------
    StaleData
        There is no coming night to guess: the data end some days ago.
    BadGuess
        Not one of the next nights, or nowhere near the wearer's own.
    GuessStands
        Something was guessed in this slot for this night before; that stands.
    NightHasBegun
        Too late.
    """
    issue = current_issue(store, member_id)
    if issue.book != "live":
        raise StaleData(f"There is no coming night to guess. {issue.note}")
    horizon = target_of(wanted, issue)
    history = load_history(store, member_id, issue.as_of, issue.origin_day, issue.slot)
    nights = history.scored_nights().sort("day")["hrv_rmssd_ms"].to_numpy()
    _refuse_slip(said, nights)
    held = _own(store, issue, horizon)
    if held is not None:
        raise GuessStands(
            f"For {issue.origin_day + timedelta(days=horizon)} you said {_words_of(held)} this {issue.slot}; "
            "the ledger keeps what was said first."
        )
    shape, half_width = own_shape(nights)
    quantiles = tuple(float(q) for q in np.clip(quantiles_of(said, shape, half_width), *RMSSD_PLAUSIBLE_MS))
    target = issue.origin_day + timedelta(days=horizon)
    reasons = {"low_ms": said.low_ms, "high_ms": said.high_ms, "sure_pct": said.sure_pct}
    reasons |= _issued(store, issue, target)
    digest = hashlib.sha256(canonical_json([said.words, history.digest()]).encode()).hexdigest()
    row = ForecastRow(
        member_id, issue.slot, issue.as_of, issue.origin_day, target, horizon, GUESS, VERSION, quantiles,
        digest, reasons,
    )  # fmt: skip
    store.ledger.issue("live", [row], utc_offset_min=issue.utc_offset_min)
    return {
        "issue": issue.describe(), "target_day": target.isoformat(), "horizon": horizon, "said": said.words,
        "p10_ms": round(quantiles[3], 1), "median_ms": round(quantiles[11], 1), "p90_ms": round(quantiles[19], 1),
        **reasons,
    }  # fmt: skip


def past_guesses(store: Store, member_id: str) -> list[dict[str, Any]]:
    """Every guess, oldest first, with what came true and the scores of the guess and of ``final``, where known."""
    guesses = store.ledger.forecasts("live", member_id, forecaster=GUESS)
    finals = store.ledger.forecasts("live", member_id, forecaster=PRODUCT)
    outcomes = store.ledger.outcomes(member_id)
    by_night = ("slot", "origin_day", "horizon")
    scored = {}
    for name, frame in ((GUESS, guesses), (PRODUCT, finals)):
        for row in score_rows(frame, outcomes).iter_rows(named=True):
            scored[name, *(row[key] for key in by_night)] = row
    told = []
    for row in guesses.sort("n").iter_rows(named=True):
        key = tuple(row[name] for name in by_night)
        own, final = scored.get((GUESS, *key)), scored.get((PRODUCT, *key))
        reasons = json.loads(row["reasons"])
        told.append(
            {
                "target_day": row["target_day"], "slot": row["slot"], "horizon": row["horizon"], "said": _words_of(row),
                "low_ms": reasons["low_ms"], "high_ms": reasons["high_ms"], "sure_pct": reasons["sure_pct"],
                "median_ms": round(row["quantiles_ms"][11], 1),
                "forecast_was_issued": reasons["forecast_was_issued"],
                "outcome_ms": own and own["hrv_rmssd_ms"], "crps_ms": own and own["crps_ms"],
                "final_crps_ms": final and own and final["crps_ms"], "void": bool(own and own["void"]),
                "inside": None if own is None else bool(
                    reasons["low_ms"] <= own["hrv_rmssd_ms"] <= reasons["high_ms"]
                    if reasons["low_ms"] < reasons["high_ms"] else own["in_80"]
                ),
            }
        )  # fmt: skip
    return told


def _refuse_slip(said: Said, nights_ms: np.ndarray) -> None:
    recent = nights_ms[-90:]
    if len(recent) and (said.low_ms > FAR * recent.max() or said.high_ms < recent.min() / FAR):
        raise BadGuess(
            f"{said.words} is nowhere near your last nights ({recent.min():.0f} to {recent.max():.0f} ms). "
            "A guess is of the nightly RMSSD in ms, not of recovery or heart rate."
        )


def _own(store: Store, issue: Issue, horizon: int) -> dict[str, Any] | None:
    rows = store.ledger.forecasts(
        "live", issue.member_id, forecaster=GUESS, slot=issue.slot, origin_day=issue.origin_day
    )
    return next((row for row in rows.iter_rows(named=True) if row["horizon"] == horizon), None)


def _words_of(row: dict[str, Any]) -> str:
    reasons = json.loads(row["reasons"])
    return Said(reasons["low_ms"], reasons["high_ms"], reasons["sure_pct"]).words


def _issued(store: Store, issue: Issue, target: date) -> dict[str, Any]:
    """Whether a forecast of that night lay there to be read: in this slot, or in an earlier one."""
    rows = store.ledger.forecasts("live", issue.member_id, since=target - timedelta(days=HORIZONS[-1]))
    there = [
        row
        for row in rows.iter_rows(named=True)
        if row["target_day"] == target and row["forecaster"] in (MODEL_COMBINATION, PRODUCT)
    ]
    here = any(row["slot"] == issue.slot and row["origin_day"] == issue.origin_day for row in there)
    return {"forecast_was_issued": here, "earlier_forecast_was_issued": len(there) > 0 and not here}
