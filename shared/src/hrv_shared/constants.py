"""Numbers that every room must agree on."""

from __future__ import annotations

MEMBER_ID_FORM = r"[A-Za-z0-9_.-]{1,64}"
"""What a member may be called; the name becomes part of file names."""

QUANTILE_LEVELS: tuple[float, ...] = (
    0.01, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50,
    0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975, 0.99,
)  # fmt: skip
"""The 23 levels of the forecast hubs."""

MEDIAN_INDEX = QUANTILE_LEVELS.index(0.50)

HORIZONS: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
"""Nights ahead of the origin day."""

SLOTS: tuple[str, ...] = ("morning", "evening")

NAIVE_FORECASTERS: tuple[str, ...] = ("last_night", "last_28", "ewma_8")
"""The rules that any other forecaster has to beat; skill is against the best of them."""

MODEL_COMBINATION = "mix"
AGENT = "agent"
AGENT_CALIBRATED = "agent_calibrated"
RULES = "rules"
GUESS = "guess"
PRODUCT = "final"
"""Forecasters that are made out of others: the models' combination, the LLM's correction (as it said it, and
recalibrated), the matched effects summed by rule, the wearer's own guess, what we stand by."""

NOT_MODELS: tuple[str, ...] = (MODEL_COMBINATION, AGENT, AGENT_CALIBRATED, RULES, GUESS, PRODUCT)
"""Rows of these are no member of the models' combination."""

DAY_ROLLOVER_HOUR = 4
"""Local hour at which an unfinished evening stops belonging to the day before."""

EVENING_FROM_HOUR = 18
"""Local hour from which the day's strain so far stands for the day."""

REPLAY_EVENING_HOUR = 22
"""Local hour of a replayed evening whose sleep onset is unknown."""

SETTLE_HOURS = 36
"""Hours after waking until which a revised night still replaces the outcome."""

STALE_AFTER_DAYS = 3
"""Days without a scored night after which a live forecast is refused."""

RMSSD_PLAUSIBLE_MS = (1.0, 400.0)
"""Range outside which a nightly RMSSD is not taken for data (20 people of whoop_export.md 6.3: 6-314 ms)."""
