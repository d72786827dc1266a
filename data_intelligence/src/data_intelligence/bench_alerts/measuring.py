"""The measurement itself: alerts of the models in force on members whose seeds they were not tuned on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from data_intelligence.alert_models import AlertModel, alert_models, models_version
from data_intelligence.alert_rules import KINDS, RULES
from data_intelligence.alert_scores import brier_figures
from data_intelligence.alert_watch import watch_nights
from data_intelligence.bench_alerts.matching import Tally, judged_rows, tally_member
from data_intelligence.bench_alerts.planted_members import planted_member

__all__ = ["measure_alerts"]


def measure_alerts(
    seeds: range, nights: int, advance: Callable[[], None], models: Mapping[str, AlertModel] | None = None
) -> dict[str, Any]:
    """Precision, recall, delay and false alerts by kind, and the Brier score by the rules."""
    models = alert_models() if models is None else models
    totals = {kind: Tally() for kind in KINDS}
    by_member: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {kind: [] for kind in KINDS}
    for seed in seeds:
        member = planted_member(seed, nights)
        watch = watch_nights(member.nights, member.untold, member.moments, models)
        for kind in KINDS:
            totals[kind].add(tally_member(member, watch, kind))
            _, p, y = judged_rows(member, watch, kind)
            by_member[kind].append((p, y))
        advance()
    rows = []
    for kind in KINDS:
        p = np.concatenate([pair[0] for pair in by_member[kind]])
        y = np.concatenate([pair[1] for pair in by_member[kind]])
        rows.append(
            {"kind": kind, "raise_at": models[kind].raise_at, **totals[kind].figures(),
             **brier_figures(p, y, models[kind].raise_at), "rule": RULES[kind].text}
        )  # fmt: skip
    return {
        "members": len(seeds), "nights": nights, "seeds": f"{seeds.start}-{seeds.stop - 1}",
        "models": models_version(), "tuned_on": models["illness"].fitted_on, "rows": rows,
    }  # fmt: skip
