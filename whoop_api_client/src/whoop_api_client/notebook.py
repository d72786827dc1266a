"""What one pull knows of the record and writes into it: pages, the account, cursors, counts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hrv_shared.daytime import parse_instant
from hrv_shared.record import SEEN, FactDraft
from hrv_shared.store import Store
from whoop_api_client.client import WhoopClient
from whoop_api_client.errors import NotFound, UnexpectedAnswer, WrongAccount
from whoop_api_client.models import COLLECTIONS
from whoop_api_client.received import SOURCE, Quarantined, drafts_for

if TYPE_CHECKING:
    from whoop_api_client.sync import PullResult


TOGETHER_S = 0.2
"""Pages of a back-fill that come faster share one transaction: a disk's confirmation costs more than a page."""


class Notebook:
    """One member's side of the record during one pull."""

    def __init__(self, store: Store, member_id: str, connection: str):
        self.member_id = member_id
        self.now = store.clock
        self._record = store.record
        self._connection = connection
        self._held: dict[str, dict[str, FactDraft]] = {
            kind: dict(self._record.latest(kind, member_id)) for kind in COLLECTIONS
        }
        self._gone = {
            key for key, fact in self._record.latest("gone", member_id).items() if fact.payload["gone"]
        }
        self._received: Counter[str] = Counter()
        self._written: Counter[str] = Counter()
        self._quarantined: dict[tuple[str, str], Quarantined] = {}
        self._kind = ""
        self._unwritten: list[FactDraft] = []
        self._unset: dict[str, str] = {}
        self._flushed_s = time.monotonic()

    def held(self, kind: str) -> dict[str, FactDraft]:
        """Latest revisions, those of this pull included."""
        return self._held[kind]

    def is_gone(self, kind: str, key: str) -> bool:
        return gone_key(kind, key) in self._gone

    def write_page(
        self,
        kind: str,
        records: list[dict[str, Any]],
        stand: Callable[[datetime | None], dict[str, str]] = lambda oldest: {},
        *,
        may_wait: bool = False,
    ) -> datetime | None:
        """Make a page durable, and with it where the sync stands.

        Parameters
        ----------
        stand : callable
            Gets how far back the page reaches, returns cursors (names as in `remember`).
        may_wait : bool
            Durable together with the pages that come within `TOGETHER_S` (see `flush`).

        Returns
        -------
        datetime or None
            How far back the page reaches (None when nothing on it can be dated).
        """
        if kind != self._kind:
            self.flush()
            self._kind = kind
        now = self.now()
        drafts: list[FactDraft] = []
        received: dict[str, FactDraft] = {}
        oldest: datetime | None = None
        for raw in records:
            made = drafts_for(kind, raw, self._held[kind], member_id=self.member_id, now=now)
            if isinstance(made, Quarantined):
                self._quarantined[kind, made.key] = made
                continue
            key = made[-1].key
            if self.is_gone(kind, key):  # it came back
                drafts.append(self.gone_draft(kind, key, gone=False))
            drafts += made
            received[key] = made[-1]
            anchor = self.anchor(kind, raw)
            oldest = min(filter(None, (oldest, anchor)), default=None)
        self._received[kind] += len(records)
        self._unwritten += drafts
        self._unset |= {self._cursor(name): value for name, value in stand(oldest).items()}
        self._held[kind] |= received
        if not may_wait or time.monotonic() - self._flushed_s > TOGETHER_S:
            self.flush()
        return oldest

    def flush(self) -> None:
        """Write what waits, in one transaction."""
        if self._unwritten or self._unset:
            self._written[self._kind] += self._record.append_many(self._unwritten, self._unset)
        self._unwritten, self._unset, self._flushed_s = [], {}, time.monotonic()

    def write_account(self, client: WhoopClient) -> dict[str, Any]:
        """Profile and body measurements; returns both.

        Raises
        ------
        WrongAccount
            The record holds another WHOOP account's profile under this member.
        """
        profile = client.profile()
        user = profile.get("user_id")
        if not isinstance(user, int):
            raise UnexpectedAnswer(
                "WHOOP's profile has no user_id; the API may have changed. Nothing was written."
            )
        if set(self._record.latest("profile", self.member_id)) - {str(user)}:
            raise WrongAccount(
                f"Member {self.member_id!r} of this store holds records of another WHOOP account. Choose another "
                "HRV_MEMBER_ID or HRV_HOME for this account, or connect the first one again."
            )
        try:
            body = client.body()
        except NotFound:
            body = {}
        for kind, payload in (("profile", profile), ("body", body)):
            if payload:
                draft = FactDraft(
                    self.member_id, kind, str(user), payload, known_at=self.now(), basis=SEEN, source=SOURCE
                )
                self._written[kind] += self._record.append_many([draft])
        return {"profile": profile, "body": body}

    def write_gone(self, kind: str, key: str) -> None:
        self._written["gone"] += self._record.append_many([self.gone_draft(kind, key, gone=True)])

    def gone_draft(self, kind: str, key: str, *, gone: bool) -> FactDraft:
        payload = {"kind": kind, "key": key, "gone": gone}
        return FactDraft(
            self.member_id,
            "gone",
            gone_key(kind, key),
            payload,
            known_at=self.now(),
            basis=SEEN,
            source=SOURCE,
        )

    def anchor(self, kind: str, payload: dict[str, Any]) -> datetime | None:
        """Where in time WHOOP's filters place a record: its start, for a recovery its sleep's start."""
        if kind == "recovery":
            sleep = self._held["sleep"].get(str(payload.get("sleep_id")))
            # the recovery is made when the sleep ends, so `created_at` is a little late; the margins cover it
            text = sleep.payload.get("start") if sleep else payload.get("created_at")
        else:
            text = payload.get("start")
        return self.instant(text)

    @staticmethod
    def instant(text: Any) -> datetime | None:
        """An instant of a payload; None when there is none, or it cannot be read."""
        try:
            return parse_instant(text) if text else None
        except (TypeError, ValueError):
            return None

    def recall(self, name: str) -> str | None:
        """A cursor of this connection; None when it was never set."""
        return self._record.get_cursor(self._cursor(name)) or None

    def remember(self, **cursors: str | None) -> None:
        """Set cursors of this connection, all at once; None: as if it was never set."""
        self._record.append_many([], {self._cursor(name): value or "" for name, value in cursors.items()})

    def _cursor(self, name: str) -> str:
        return f"whoop:{self._connection}:{name}"

    def count_into(self, result: PullResult) -> PullResult:
        """Put what was received, written and not written into a result."""
        result.received = {kind: self._received[kind] for kind in COLLECTIONS}
        result.written = dict(sorted(self._written.items()))
        result.quarantined = list(self._quarantined.values())
        return result


def gone_key(kind: str, key: str) -> str:
    """The key of the `gone` fact that speaks of a record."""
    return f"{kind}:{key}"
