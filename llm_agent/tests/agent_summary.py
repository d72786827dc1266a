"""A daily summary as the agent reads it, and the models' quantiles beneath it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from hrv_shared.issue import Issue

NOW = datetime(2026, 5, 10, 20, 0, tzinfo=UTC)
ORIGIN = date(2026, 5, 10)
ISSUE = Issue("me", "live", "evening", NOW, ORIGIN, 0)
BASE = tuple(np.linspace(30, 80, 23))
EFFECT = {
    "behaviour": "alcohol", "text": "alcohol, 2 drinks", "label": "adjusted association", "effect_ms": -6.3,
    "low80_ms": -9.1, "high80_ms": -3.5, "n_yes": 17, "n_no": 60, "p_negative": 0.99,
    "phrase": "alcohol, 2 drinks: -6.3 ms (n=17, sd 5.2)", "evidence": "E9", "fact_evidence": "E5",
}  # fmt: skip


def summary_of(matched=(EFFECT,), facts=()):
    return {
        "issue": ISSUE.describe(),
        "nights": [{"hrv_rmssd_ms": 50.0 + i % 5 if i != 3 else None} for i in range(28)],
        "baseline": {"mean_60d_ms": 52.0, "sd_60d_ms": 8.6, "mean_7d_ms": 48.7, "n_60d": 55, "n_7d": 7,
                     "evidence": "E2"},
        "last_night": {"state": "scored", "hrv_rmssd_ms": 53.0, "z": 0.1, "evidence": "E1"},
        "load": {"acute_7d_strain": 10.1, "chronic_28d_strain": 9.8, "ratio": 1.03, "today_strain_0_21": 12.4,
                 "today_is_final": False, "evidence": "E3"},
        "sleep_last_night": {"asleep_h": 7.3, "efficiency_pct": 88.0, "onset_local": "23:10", "evidence": "E4"},
        "resting_hr": [{"resting_hr_bpm": 51.0, "evidence": "E7"}, {"resting_hr_bpm": None, "evidence": "E8"}],
        "anomalies": [], "alerts": [], "effects": [], "tonight_facts": list(facts), "matched_effects": list(matched),
        "evidence": {},
    }  # fmt: skip
