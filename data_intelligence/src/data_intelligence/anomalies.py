"""What was out of the ordinary last night, with what may explain it.

HRV is judged against the 60-day mean, the other channels against the wearer's usual of the nights 4 to 35 back (median
and robust spread, `nightly_channels.trailing_z`), each on the side that says something.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from data_intelligence.alert_watch import Watch
from data_intelligence.behaviours import NOT_CAUSES, read_dose
from data_intelligence.evidence import EvidenceBook
from data_intelligence.nightly_channels import BASELINE_NIGHTS, trailing_z
from data_intelligence.summary import Anomaly, Baseline, LastNight
from data_intelligence.tonight import fact_text
from hrv_shared.history import History
from hrv_shared.issue import Issue

__all__ = ["anomalies_of"]

Z_LIMIT, LATE_H, HARD_DAY_SD = 2.0, 1.5, 1.0

JUDGED = {
    "resting_hr_bpm": ("resting_hr", "resting heart rate", "bpm", (1,)),
    "resp_rate_rpm": ("resp_rate", "respiratory rate", "breaths a minute", (1,)),
    "skin_temp_c": ("skin_temp", "skin temperature", "°C", (1, -1)),
    "spo2_pct": ("spo2", "blood oxygen", "%", (-1,)),
}  # fmt: skip
"""Column -> name, words, unit, and the sides worth a word."""


def anomalies_of(
    history: History, issue: Issue, watch: Watch, baseline: Baseline, last: LastNight, book: EvidenceBook
) -> tuple[Anomaly, ...]:
    """The channels of the origin day's night that lie two spreads or more from the usual."""
    if last.state != "scored":
        return ()
    reasons, cells = _reasons(history, issue, watch)
    found = []
    if last.z is not None and abs(last.z) > Z_LIMIT:
        side = "above" if last.z > 0 else "below"
        found.append(
            Anomaly(
                name="hrv", value=last.hrv_rmssd_ms, usual=baseline.mean_60d_ms, z=last.z, reasons=reasons,
                evidence=book.cite(
                    "derived", f"HRV of the night to {issue.origin_day} against 60 days, with what may explain it",
                    [f"days/{issue.origin_day}/hrv_rmssd_ms", *cells],
                ),
                sentence=f"HRV last night ({last.hrv_rmssd_ms:.1f} ms) lies {abs(last.z):.1f} SD {side} the 60-day "
                f"mean ({baseline.mean_60d_ms:.1f} ms).",
            )
        )  # fmt: skip
    for column, (name, words, unit, sides) in JUDGED.items():
        z, usual = trailing_z(watch.nights.values[column], column, watch.fresh_from)
        if not np.isfinite(z[-1]) or abs(z[-1]) <= Z_LIMIT or np.sign(z[-1]) not in sides:
            continue
        first = issue.origin_day - timedelta(days=BASELINE_NIGHTS)
        value = float(watch.nights.values[column][-1])
        found.append(
            Anomaly(
                name=name, value=round(value, 1), usual=round(float(usual[-1]), 1), z=round(float(z[-1]), 2),
                reasons=reasons,
                evidence=book.cite(
                    "derived", f"{words} against the usual of the month before, with what may explain it",
                    [f"days/{first}..{issue.origin_day}/{column}", *cells],
                ),
                sentence=f"{words.capitalize()} last night ({value:.1f} {unit}) lies {abs(z[-1]):.1f} usual spreads "
                f"{'above' if z[-1] > 0 else 'below'} the month before ({usual[-1]:.1f}).",
            )
        )  # fmt: skip
    return tuple(found)


def _reasons(history: History, issue: Issue, watch: Watch) -> tuple[tuple[str, ...], list[str]]:
    """What is known that could explain an odd night, and the cells that say so."""
    day, nights = issue.origin_day, watch.nights
    before = day - timedelta(days=1)
    said, cells = [], []
    facts = history.journal.filter(
        pl.col("night") == day, pl.col("status") == "accepted", ~pl.col("is_plan").fill_null(False)
    )
    for fact in facts.sort("behaviour", "fact_key").iter_rows(named=True):
        if fact["behaviour"] in NOT_CAUSES or fact["kind"] in ("text", "time") or not read_dose(fact)[0]:
            continue
        said.append(f"journal, {fact_text(fact)}")
        cells.append(f"journal_facts/{fact['fact_key']}")
    past = nights.strain[-29:-2]
    past = past[np.isfinite(past)]
    hard = np.mean(past) + HARD_DAY_SD * max(float(np.std(past)), 1.0) if len(past) >= 10 else np.inf
    if len(nights) > 1 and nights.strain[-2] > hard:
        said.append(f"strain of the day before was {nights.strain[-2]:.1f} (usual {np.mean(past):.1f})")
        cells.append(f"days/{day - timedelta(days=28)}..{before}/strain_0_21")
    onset = nights.onset_local_h[-29:-1]
    onset = onset[np.isfinite(onset)]
    if len(onset) >= 10 and np.isfinite(nights.onset_local_h[-1]):
        late = float(nights.onset_local_h[-1] - np.median(onset))
        if abs(late) >= LATE_H:
            said.append(f"sleep began {abs(late):.1f} h {'later' if late > 0 else 'earlier'} than usual")
            cells.append(f"days/{day - timedelta(days=28)}..{day}/sleep_onset_at")
    for kind in ("device_change", "travel", "illness"):
        if watch.raised[kind][-1]:
            said.append(f"alert: {kind.replace('_', ' ')}")
    return tuple(said), cells
