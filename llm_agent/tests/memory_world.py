"""A small world for the tests of memory: nights, journal facts, agent rows, summaries, one clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from hrv_shared import schemas
from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.issue import Issue
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

Z = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
SD = 0.14


@dataclass
class World:
    """One wearer; call ``write`` after changes."""

    store: Store
    now: list[datetime]
    nights: dict[date, dict[str, Any]] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)

    def at(self, day: date, hour: int) -> datetime:
        """Set the clock."""
        self.now[0] = datetime.combine(day, time(hour), UTC)
        return self.now[0]

    def night(self, day: date, ms: float, **other: Any) -> None:
        wake = datetime.combine(day, time(6, 30), UTC)
        usual = {
            "resting_hr_bpm": 52.0 + day.toordinal() % 3, "resp_rate_rpm": 15.0, "skin_temp_c": 33.5,
            "asleep_min": 450.0, "sleep_onset_at": wake - timedelta(hours=8), "wake_at": wake,
            "known_at": wake + timedelta(minutes=30), "state": "scored", "utc_offset_min": 0,
        }  # fmt: skip
        self.nights[day] = usual | {"hrv_rmssd_ms": ms} | other

    def told(
        self,
        behaviour: str,
        day: date,
        *,
        at: datetime,
        kind: str = "yes",
        amount: float | None = None,
        **other: Any,
    ):
        key = other.pop("fact_key", f"f{len(self.facts)}")
        self.facts.append(
            {"fact_key": key, "revision": 1, "known_at": at, "day": day, "night": day + timedelta(days=1),
             "behaviour": behaviour, "kind": kind, "amount": amount, "is_plan": False, "status": "accepted"} | other
        )  # fmt: skip

    def write(self) -> None:
        days = [{"member_id": "me", "day": day, **values} for day, values in sorted(self.nights.items())]
        self.store.write_table("days", _table("days", days))
        facts = [{"member_id": "me", **fact} for fact in self.facts]
        self.store.write_table("journal_facts", _table("journal_facts", facts))

    def issue(self, origin: date, book: str = "live") -> Issue:
        return Issue("me", book, "evening", datetime.combine(origin, time(21), UTC), origin, 0)

    def agent_says(
        self, origin: date, base: float, levers: dict[str, float], book: str = "live", **reasons: Any
    ) -> None:
        """Rows of mix, agent and final for the night after ``origin``; ``levers``: behaviour -> ms taken."""
        issue = self.issue(origin, book)
        if book == "live":
            self.now[0] = issue.as_of
        shift = sum(levers.values())
        told = {
            "shift_of_this_night_ms": shift, "spread_factor": 1.0, "segment": "s1", "rationale": "why",
            "levers": [
                {"id": f"X{i + 1}", "text": name, "behaviour": name, "kind": "effect", "effect_ms": ms, "taken_ms": ms}
                for i, (name, ms) in enumerate(levers.items())
            ],
        }  # fmt: skip
        rows = [
            ForecastRow("me", "evening", issue.as_of, origin, origin + timedelta(days=1), 1, name, "1",
                        tuple(float(x) for x in ms * np.exp(SD * Z)), "d", why)
            for name, ms, why in (("mix", base, None), ("agent", base + shift, told | reasons), ("final", base, None))
        ]  # fmt: skip
        self.store.ledger.issue(book, rows)

    def summary(self, issue: Issue, **other: Any) -> dict[str, Any]:
        """A summary of an issue, written where the agent looks for it."""
        told = {
            "issue": issue.describe(), "tonight_facts": [], "alerts": [], "effects": [],
            "baseline": {"mean_7d_ms": 58.0, "mean_60d_ms": 60.0, "evidence": "E1"},
            "trends": {
                "band": {"position": "inside", "low_ms": 55.0, "high_ms": 65.0, "evidence": "E2"}, "level_shifts": []
            },
        } | other  # fmt: skip
        path = self.store.reports_dir("daily") / f"{issue.name}.json"
        path.write_text(json.dumps(told, default=str))
        return told


def make_world(folder, today: date, nights: int = 60, seed: int = 0) -> World:
    """A wearer around 60 ms, all quiet, up to and with ``today``."""
    now = [datetime.combine(today, time(20), UTC)]
    world = World(Store(folder / "home", lambda: now[0]), now)
    rng = np.random.default_rng(seed)
    for k in range(nights):
        world.night(today - timedelta(days=k), float(60 * np.exp(rng.normal(0, SD))))
    world.write()
    return world


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = schemas.TABLES[name].columns
    filled = [{"basis": "seen", "source": "test", "revision": 1} | row for row in rows]
    return pl.DataFrame(
        [[row.get(c) for c in columns] for row in filled], schema=columns, orient="row", strict=False
    )
