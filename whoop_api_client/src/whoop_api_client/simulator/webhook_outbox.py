"""Which events are due: made out of the revisions of all accounts, in simulated time. Sends nothing itself."""

from __future__ import annotations

import heapq
import itertools
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from whoop_api_client.simulator.presentation import Presentation
from whoop_api_client.simulator.timeline import Revision, api_instant
from whoop_api_client.simulator.webhook_plan import WebhookPlan
from whoop_api_client.simulator.world import World

__all__ = ["Attempt", "Outbox"]

_KINDS = ("sleep", "recovery", "workout")
_LOGGED = 5_000


@dataclass(frozen=True)
class Attempt:
    """One delivery to one address; ``number`` counts from 0 and rises with each repetition."""

    due_at: datetime
    first_due_at: datetime
    url: str
    user_id: int
    id: str
    type: str
    trace_id: str
    number: int = 0

    @property
    def body(self) -> dict[str, Any]:
        """What is posted."""
        return {"user_id": self.user_id, "id": self.id, "type": self.type, "trace_id": self.trace_id}


class Outbox:
    """Holds every event to come and hands out those whose time is there."""

    def __init__(
        self, worlds: Iterable[World], plan: WebhookPlan, look: Presentation, since: datetime
    ) -> None:
        self._plan, self._look = plan, look
        self._dice = random.Random(plan.webhook_seed)
        self._ordinal = itertools.count()
        self._waiting: list[tuple[datetime, int, Attempt]] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOGGED)
        for world in worlds if plan.webhook_urls else ():
            for timeline in world.timelines:
                if timeline.kind not in _KINDS:
                    continue
                # a deletion carries no payload: the id is that of the state before
                known_from = bisect_right(timeline.revisions, since, key=lambda r: r.visible_at)
                for position in range(known_from, len(timeline.revisions)):
                    before = timeline.revisions[position - 1] if position else None
                    self.note(world, timeline.kind, timeline.revisions[position], before)

    def note(self, world: World, kind: str, revision: Revision, before: Revision | None) -> None:
        """Plan the events of one revision."""
        if not self._plan.webhook_urls or kind not in _KINDS:
            return
        payload = revision.payload or before.payload
        what = "updated" if revision.payload else "deleted"
        record_id = payload["sleep_id"] if kind == "recovery" else payload["id"]
        instants = [revision.visible_at]
        if kind == "recovery" and self._plan.early_s:
            instants = [revision.visible_at - timedelta(seconds=self._plan.early_s)]
        if revision.payload and before is None and kind != "workout" and self._look.pending_score_s:
            instants.append(revision.visible_at + timedelta(seconds=self._look.pending_score_s))
        for instant in instants:
            self._plan_one(world.profile["user_id"], record_id, f"{kind}.{what}", instant)

    def take_due(self, now: datetime) -> list[Attempt]:
        """The attempts whose time has come, oldest first; each is handed out once."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        return due

    def finish(self, attempt: Attempt, outcome: str, at: datetime) -> None:
        """Note how an attempt went; ``failed`` plans the next one, five in the live service's hour."""
        self._write_down(attempt, attempt.number + 1, outcome, at)
        if outcome == "failed" and attempt.number < len(self._plan.retries_after_s):
            wait = timedelta(seconds=self._plan.retries_after_s[attempt.number])
            again = replace(attempt, due_at=attempt.first_due_at + wait, number=attempt.number + 1)
            self._push(again)

    def _plan_one(self, user_id: int, record_id: str, kind: str, instant: datetime) -> None:
        trace_id = str(UUID(int=self._dice.getrandbits(128), version=4))
        for url in self._plan.webhook_urls:
            attempt = Attempt(instant, instant, url, user_id, record_id, kind, trace_id)
            lost, doubled = self._dice.random(), self._dice.random()
            if lost < self._plan.lost_share:
                self._write_down(attempt, 0, "lost", instant)
                continue
            self._push(attempt)
            if doubled < self._plan.doubled_share:
                self._push(attempt)

    def _write_down(self, attempt: Attempt, number: int, outcome: str, at: datetime) -> None:
        how = {"at": api_instant(at), "attempt": number, "outcome": outcome, "url": attempt.url}
        self.log.append(attempt.body | how)

    def _push(self, attempt: Attempt) -> None:
        heapq.heappush(self._waiting, (attempt.due_at, next(self._ordinal), attempt))
