"""Reads from the store what the findings judge; one name each, none raises."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Collection
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import polars as pl

from hrv_shared import schemas
from hrv_shared.constants import PRODUCT
from hrv_shared.daytime import local_time
from hrv_shared.errors import HrvError
from hrv_shared.history import as_of_days
from hrv_shared.settings import Settings
from hrv_shared.store import Store
from orchestrator import findings
from orchestrator.due import offset_of
from orchestrator.errors import StepFailed
from orchestrator.findings import Finding
from orchestrator.rooms import quiet_environment, room_command
from orchestrator.store_view import last_training_day, view_of

__all__ = ["NAMES", "Inspection"]


class Inspection:
    """One look at one member's part of a store."""

    def __init__(self, store: Store, settings: Settings, member_id: str | None = None) -> None:
        self.store, self.settings = store, settings
        self.member_id = member_id or settings.member_id

    def find(self, names: Collection[str] | None = None) -> list[Finding]:
        """The findings of these names (default: all), in the order of `NAMES`."""
        return [self._one(name) for name in NAMES if names is None or name in names]

    def _one(self, name: str) -> Finding:
        level, look = NAMES[name]
        try:
            return look(self)
        except HrvError as error:
            return Finding(name, level, str(error))

    @cached_property
    def days(self) -> pl.DataFrame:
        return self.store.read_table("days").filter(pl.col("member_id") == self.member_id)

    @cached_property
    def scores(self) -> pl.DataFrame:
        return self.store.read_table("scores").filter(pl.col("member_id") == self.member_id)

    @cached_property
    def states(self) -> dict[date, str]:
        """Wake day -> state, as known now."""
        return dict(as_of_days(self.days, self.store.clock()).select("day", "state").iter_rows())

    @cached_property
    def nights(self) -> list[date]:
        return sorted(day for day, state in self.states.items() if state == "scored")

    @cached_property
    def today(self) -> date:
        view = view_of(self.store, self.settings, members=[self.member_id])
        return local_time(self.store.clock(), offset_of(view.members[0].nights)).date()

    @cached_property
    def connection(self) -> dict[str, Any]:
        """What the WHOOP room says of its connection."""
        finished = subprocess.run(
            room_command("whoop", "status", "--json"),
            env=quiet_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        answer = json.loads(finished.stdout or "{}")
        if "connection" not in answer:
            raise StepFailed(answer.get("error", {}).get("message", "the WHOOP room does not answer"))
        return answer["connection"]

    def _store(self) -> Finding:
        members = self.store.record.members()
        says = f"{self.store.home}: {len(members)} member(s), {len(self.store.read_table('days'))} vintages of days"
        return Finding("store", "ok", says)

    def _schema(self) -> Finding:
        faults = {}
        for name in schemas.TABLES:
            try:
                self.store.read_table(name)
            except HrvError as error:
                faults[name] = str(error)
        return findings.schema(faults)

    def _due(self) -> Finding:
        from hrv_shared.issue import current_issue

        issue = current_issue(self.store, self.member_id, asked="")
        if issue.book == "live":
            return Finding("forecast due", "ok", issue.note or f"{issue.slot} of {issue.origin_day}, live")
        return Finding("forecast due", "warn", issue.note)

    def _clock(self) -> Finding:
        newest = self.days["known_at"].max()
        return findings.clock(self.store.clock(), self.store.ledger.last_issued_at(), newest)

    def _slots(self) -> Finding:
        issued = self.store.ledger.issued_slots(self.member_id, PRODUCT, self.today - timedelta(days=8))
        return findings.slots_kept(self.nights, issued, self.today)

    def _training(self) -> Finding:
        newest = self.nights[-1] if self.nights else None
        return findings.training(last_training_day(self.store, self.member_id), newest)

    def _models(self) -> Finding:
        from hrv_shared.models import status

        here = ("ready", "installed")
        wanted = [s for s in status(cache_dir=self.settings.cache_dir) if s.is_default]
        return findings.model_files([s.name for s in wanted if s.state not in here])


NAMES: dict[str, tuple[str, Callable[[Inspection], Finding]]] = {
    "store": ("block", Inspection._store),
    "schema": ("block", Inspection._schema),
    "ledger": ("block", lambda i: findings.ledger(i.store.ledger.verify())),
    "clock": ("block", Inspection._clock),
    "disk": ("block", lambda i: findings.disk(shutil.disk_usage(i.store.home).free / 1e9)),
    "forecast due": ("warn", Inspection._due),
    "freshness": ("warn", lambda i: findings.freshness(i.states, i.today)),
    "every day": ("warn", Inspection._slots),
    "revisions": ("warn", lambda i: findings.revisions(i.days, i.today)),
    "coverage drift": ("warn", lambda i: findings.coverage_drift(i.scores)),
    "skill decay": ("warn", lambda i: findings.skill_decay(i.scores, seed=i.settings.seed)),
    "training": ("warn", Inspection._training),
    "login": ("warn", lambda i: findings.login(i.connection)),
    "token store": ("warn", lambda i: findings.token_store(i.connection)),
    "models": ("warn", Inspection._models),
}
"""Name -> how bad it is when it cannot even be looked at, and how it is looked at."""
