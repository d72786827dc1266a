"""Alerts against planted events: found or missed, after how many nights, and how often for nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from data_intelligence.alert_features import said_by
from data_intelligence.alert_rules import came_true
from data_intelligence.alert_watch import TOLD_BACK, Watch, alert_runs
from data_intelligence.bench_alerts.planted_members import PlantedEvent, PlantedMember
from data_intelligence.nightly_channels import told_days

__all__ = ["WITHIN", "Tally", "judged_rows", "shows_planted", "tally_member"]

WITHIN = {"illness": 3, "travel": 3, "overload": 24, "level_shift": 35, "device_change": 16}
"""Nights after its start within which a planted event counts as found (an illness also on any of its nights)."""

LATER, START_ROW = 28, 45
"""Rows that near an event are not healthy; rows before a baseline exists are not judged."""


@dataclass
class Tally:
    """Counts of one kind over members."""

    planted: int = 0
    found: int = 0
    alerts: int = 0
    right: int = 0
    false_healthy: int = 0
    healthy_nights: int = 0
    delays: list[int] = field(default_factory=list)
    confused_with: Counter = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another one's members too."""
        for name in ("planted", "found", "alerts", "right", "false_healthy", "healthy_nights"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.delays += other.delays
        self.confused_with.update(other.confused_with)

    def figures(self) -> dict[str, float | int | None]:
        """As JSON values."""
        months = self.healthy_nights / 30
        return {
            "planted": self.planted, "recall": _share(self.found, self.planted),
            "alerts": self.alerts,
            "precision": _share(self.right, self.alerts),
            "median_delay_nights": float(np.median(self.delays)) if self.delays else None,
            "p90_delay_nights": float(np.quantile(self.delays, 0.9)) if self.delays else None,
            "false_alerts_per_healthy_month": round(self.false_healthy / months, 3) if months else None,
            "healthy_months": round(months, 1), "at_other_events": dict(sorted(self.confused_with.items())),
        }  # fmt: skip


def tally_member(member: PlantedMember, watch: Watch, kind: str) -> Tally:
    """Match every alert of one kind with what was planted in one member."""
    healthy = _healthy(member)
    tally = Tally(healthy_nights=int(healthy.sum()))
    runs = [run for run in alert_runs(watch, kind) if run[0] >= START_ROW]
    tally.alerts = len(runs)
    own = [event for event in member.events if event.kind == kind]
    for event in own:
        hits = [first for first, last, since in runs if _matches(event, first, last, since)]
        tally.planted += 1
        if hits:
            tally.found += 1
            tally.delays.append(max(0, min(hits) - event.start))
    for first, last, since in runs:
        if any(_matches(event, first, last, since) for event in own):
            tally.right += 1
            continue
        at = [e for e in member.events if e.start - 1 <= first <= _over(e)]
        if at:
            tally.confused_with[at[-1].kind] += 1
        elif healthy[first]:
            tally.false_healthy += 1
    return tally


def shows_planted(member: PlantedMember, kind: str, since: np.ndarray) -> np.ndarray:
    """Rows (0 or 1, [N]) whose signs should give a planted event away."""
    shows = np.zeros(len(member.nights))
    for event in member.events:
        if event.kind != kind:
            continue
        if kind in ("level_shift", "device_change"):
            rows = np.arange(event.start + 3, min(event.start + WITHIN[kind], len(shows)))
            shows[rows[np.abs(since[rows] - event.start) <= 6]] = 1.0
        else:
            begin = event.start + (5 if kind == "overload" else 0)
            shows[begin : (event.start + 4 if kind == "travel" else event.end + 1)] = 1.0
    return shows


def judged_rows(member: PlantedMember, watch: Watch, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that can be scored: their index, probability and outcome (rows that the wearer told of are left out)."""
    said = told_days(member.journal, kind)
    rows, outcomes = [], []
    for i in range(START_ROW, len(member.nights)):
        told = said_by(said, member.nights.days[i], member.moments[i], TOLD_BACK[kind])
        if told or not np.isfinite(watch.p[kind][i]):
            continue
        outcome = came_true(kind, member.nights.days[i], watch.signs[kind].reference[i], member.nights, said)
        if outcome is not None:
            rows.append(i)
            outcomes.append(outcome)
    at = np.array(rows, dtype=int)
    return at, watch.p[kind][at], np.array(outcomes, dtype=float)


def _matches(event: PlantedEvent, first: int, last: int, since: int) -> bool:
    """Whether an alert speaks of an event: raised in its time, and for steps dated within ten days of it."""
    if event.kind in ("level_shift", "device_change"):
        return event.start <= first <= event.start + WITHIN[event.kind] and abs(since - event.start) <= 10
    return first <= _over(event) and last >= event.start and first >= event.start - 1


def _over(event: PlantedEvent) -> int:
    """The last row on which an alert of this event is still about it."""
    if event.kind in ("level_shift", "device_change"):
        return event.start + WITHIN[event.kind]
    return event.end + (7 if event.kind == "overload" else 2)


def _healthy(member: PlantedMember) -> np.ndarray:
    healthy = np.zeros(len(member.nights), dtype=bool)
    healthy[START_ROW:] = True
    for event in member.events:
        over = event.start + 3 if event.kind in ("level_shift", "device_change") else event.end
        healthy[max(0, event.start - 2) : over + LATER] = False
    return healthy


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
