"""The last issued forecast of a slot, explained or asked a what-if: what commands and the dashboard call.

An explanation is the one that was issued with the forecast, where there is one; else it is made anew from the history
as of that issue. A what-if runs the members of the issued mix, under the weights that it was issued with.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hrv_shared.constants import (
    HORIZONS,
    MEDIAN_INDEX,
    MODEL_COMBINATION,
    NOT_MODELS,
    PRODUCT,
    QUANTILE_LEVELS,
)
from hrv_shared.errors import Refusal
from hrv_shared.forecaster import find_forecasters
from hrv_shared.history import History, load_history
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from model_training.explanation.changed_facts import Change
from model_training.explanation.errors import NothingToExplain
from model_training.explanation.explain import (
    NOT_TAKEN_APART,
    PARTS,
    final_with_parts,
    mix_with_parts,
    shares_of,
)
from model_training.explanation.groups import BASE, label
from model_training.explanation.what_if import Calibrate, carried_calibration, what_if, what_was_said
from model_training.issued import as_rows, newest

__all__ = ["StandingWhatIf", "explain_latest", "what_if_latest"]

CHANGED_SINCE = (
    "The models, the data or the weights have changed since this forecast was issued, so both sides are the mix before "
    "its calibration. Issue anew: python -m model_training forecast"
)
SAME_MS = 1e-6


@dataclass(frozen=True)
class _Latest:
    """Rows of the last issue of one slot, the newest of every forecaster and horizon."""

    rows: list[ForecastRow]
    history: History

    def of(self, name: str) -> dict[int, ForecastRow]:
        return {row.horizon: row for row in self.rows if row.forecaster == name}

    @property
    def members(self) -> list[ForecastRow]:
        return [row for row in self.rows if row.forecaster not in NOT_MODELS]

    def describe(self) -> dict[str, str]:
        first = self.rows[0]
        return {"member_id": first.member_id, "slot": first.slot, "origin_day": first.origin_day.isoformat(),
                "as_of": self.history.as_of.isoformat()}  # fmt: skip


def explain_latest(store: Store, member_id: str, slot: str | None = None) -> dict[str, Any]:
    """Tomorrow and the week of the last issue, taken apart.

    Returns
    -------
    dict
        issue, forecaster (``final``, or ``mix`` where there is none), not_taken_apart, labels (group -> words) and
        nights: target_day, horizon, median_ms, base_ms, parts_ms (group -> ms without base), rest_ms (median less sum).

    Raises
    ------
    NothingToExplain
        No forecast of the slot was issued.
    """
    latest = _latest(store, member_id, slot)
    rows = _told(latest)
    name = PRODUCT if any(row.forecaster == PRODUCT for row in rows) else MODEL_COMBINATION
    nights = []
    for row in (row for row in rows if row.forecaster == name):
        parts, median = dict(row.reasons[PARTS]), row.quantiles_ms[MEDIAN_INDEX]
        nights.append({
            "target_day": row.target_day.isoformat(), "horizon": row.horizon, "median_ms": median,
            "rest_ms": median - math.fsum(parts.values()), "base_ms": parts.pop(BASE), "parts_ms": parts,
        })  # fmt: skip
    groups = dict.fromkeys(group for night in nights for group in night["parts_ms"])
    silent = sorted({n for row in rows for n in row.reasons.get(NOT_TAKEN_APART, [])})
    return {"issue": latest.describe(), "forecaster": name, "not_taken_apart": silent,
            "labels": {BASE: label(BASE)} | {group: label(group) for group in groups}, "nights": nights}  # fmt: skip


def what_if_latest(store: Store, member_id: str, change: Change, slot: str | None = None) -> dict[str, Any]:
    """Ask the members of the last issued mix what a changed fact would do; see `StandingWhatIf.ask`.

    Raises
    ------
    NothingToExplain, BadChange, Refusal
    """
    return StandingWhatIf(store, member_id, slot).ask(change)


class StandingWhatIf:
    """The members of the last issued mix, fitted once and kept: each question costs their predictions only.

    It answers for the issue that it was made at; after a new one is issued, make it anew.

    Raises
    ------
    NothingToExplain
        No forecast of the slot was issued, or no member of its mix speaks any more.
    """

    def __init__(self, store: Store, member_id: str, slot: str | None = None) -> None:
        self._latest = latest = _latest(store, member_id, slot)
        mix = latest.of(MODEL_COMBINATION)
        self._shares = {horizon: shares_of(row, latest.members) for horizon, row in mix.items()}
        self._fitted, self._left_out = _fitted(latest, self._shares)
        self._calibrate = _calibration(latest, self._fitted, self._shares)
        self._said = what_was_said(latest.history, self._fitted)

    @property
    def issue(self) -> dict[str, str]:
        """member_id, slot, origin_day and as_of of the issue that it answers for."""
        return self._latest.describe()

    def ask(self, change: Change, *, with_parts: bool = True) -> dict[str, Any]:
        """What a changed fact would do.

        Parameters
        ----------
        with_parts : bool
            Also say by which groups of facts, which costs as much again.

        Returns
        -------
        dict
            issue, facts (name, before, after), kind, note, nights (target_day, horizon, before_ms and after_ms: median
            and 80 % band, shift_ms, shift_pct, parts_ms), scenarios, members (name -> weight at night 1), left_out.

        Raises
        ------
        BadChange, Refusal
        """
        latest = self._latest
        answer = what_if(
            latest.history, change, self._fitted, self._shares,
            calibrate=self._calibrate, said=self._said, with_parts=with_parts,
        )  # fmt: skip
        mix = latest.of(MODEL_COMBINATION)
        low, high = (QUANTILE_LEVELS.index(level) for level in (0.10, 0.90))
        nights = []
        for k, h in enumerate(HORIZONS):
            before, after = answer.before_ms[k], answer.after_ms[k]
            nights.append({
                "target_day": mix[h].target_day.isoformat() if h in mix else None, "horizon": h,
                "before_ms": {"median": before[MEDIAN_INDEX], "low": before[low], "high": before[high]},
                "after_ms": {"median": after[MEDIAN_INDEX], "low": after[low], "high": after[high]},
                "shift_ms": answer.shift_ms[k], "shift_pct": 100 * answer.shift_ms[k] / before[MEDIAN_INDEX],
                "parts_ms": {group: ms[k] for group, ms in answer.parts_ms.items() if ms[k]},
            })  # fmt: skip
        note = answer.note if self._calibrate is not None else f"{answer.note} {CHANGED_SINCE}"
        return {"issue": latest.describe(), "facts": [asdict(f) for f in answer.facts], "kind": answer.kind,
                "note": note, "nights": nights, "scenarios": [asdict(s) for s in answer.scenarios],
                "members": self._shares.get(1, {}), "left_out": self._left_out}  # fmt: skip


def _fitted(latest: _Latest, shares: dict[int, dict[str, float]]) -> tuple[dict[str, Any], dict[str, str]]:
    """The members of the issued mix, fitted again on what was known then; and why some are left out."""
    asked = sorted({name for share in shares.values() for name in share})
    registered, fitted, left_out = find_forecasters(), {}, {}
    for name in asked:
        if name not in registered:
            left_out[name] = "it is not installed any more"
            continue
        try:
            fitted[name] = registered[name]().fit(latest.history)
        except Refusal as refusal:
            left_out[name] = str(refusal)
    if not fitted:
        raise NothingToExplain(
            f"Expected a member of the mix that still speaks, got none of {', '.join(asked)}. "
            "Issue anew: python -m model_training forecast"
        )
    return fitted, left_out


def _told(latest: _Latest) -> list[ForecastRow]:
    """Rows of ``mix`` and ``final`` with their parts, in order of the night: as issued, else made anew."""
    mix, final = (list(latest.of(name).values()) for name in (MODEL_COMBINATION, PRODUCT))
    if not all(PARTS in (row.reasons or {}) for row in mix):
        mix = mix_with_parts(latest.history, latest.members, mix)
    if not all(PARTS in (row.reasons or {}) for row in final):
        final = final_with_parts(mix, final)
    return sorted([*mix, *final], key=lambda row: row.horizon)


def _latest(store: Store, member_id: str, slot: str | None) -> _Latest:
    made = store.ledger.forecasts(None, member_id, forecaster=MODEL_COMBINATION, slot=slot)
    made = made.sort("origin_day", "as_of", "recorded_at")
    if made.is_empty():
        raise NothingToExplain(
            f"Expected an issued {'' if slot is None else slot + ' '}forecast of {member_id}, found none. "
            "Run first: python -m model_training forecast"
        )
    book, slot, origin = (made[name][-1] for name in ("book", "slot", "origin_day"))
    rows = as_rows(store.ledger.forecasts(book, member_id, slot=slot, origin_day=origin))
    rows = newest(rows, *{row.forecaster for row in rows})
    if all(row.forecaster in NOT_MODELS for row in rows):
        raise NothingToExplain(
            f"Expected the members of the mix of {origin} in the ledger, found none, so it can't be taken apart."
        )
    return _Latest(rows, load_history(store, member_id, _issued_as_of(rows), origin, slot))


def _issued_as_of(rows: list[ForecastRow]) -> Any:
    """The instant most members of the mix looked at the record; a second run of a day keeps the first one's rows."""
    instants = [row.as_of for row in rows if row.forecaster not in NOT_MODELS]
    return max(set(instants), key=lambda instant: (instants.count(instant), instant))


def _calibration(
    latest: _Latest, fitted: dict[str, Any], shares: dict[int, dict[str, float]]
) -> Calibrate | None:
    """The calibration that the issued mix went through; None when the members would not say again what they said."""
    mix = latest.of(MODEL_COMBINATION)
    said = {(row.forecaster, row.horizon): np.array(row.quantiles_ms) for row in latest.members}
    if set(mix) != set(HORIZONS) or any(name not in fitted for share in shares.values() for name in share):
        return None
    again = {name: np.asarray(f.predict(latest.history, HORIZONS)) for name, f in fitted.items()}
    for (name, horizon), quantiles in said.items():
        if name in shares[horizon] and np.abs(again[name][horizon - 1] - quantiles).max() > SAME_MS:
            return None
    averaged = np.array([sum(w * again[name][h - 1] for name, w in shares[h].items()) for h in HORIZONS])
    return carried_calibration(averaged, np.array([mix[h].quantiles_ms for h in HORIZONS]))
