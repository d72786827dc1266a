"""Facts -> typed revisions in the order in which they became known; what can't be read is counted, not hidden."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hrv_shared.record import Fact
from whoop_api_client.tables.shapes import API_KINDS, EXPORT_KINDS, Shape, read
from whoop_api_client.tables.timeline import Id

__all__ = ["KINDS", "Revision", "revisions_of"]

KINDS = (*API_KINDS, *EXPORT_KINDS, "gone")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Revision:
    """A fact that could be read, and what it is a revision of; a ``gone`` fact has no shape."""

    fact: Fact
    shape: Shape | None
    target: Id
    gone: bool = False

    @property
    def known_at(self) -> datetime:
        """When we learned it."""
        return self.fact.known_at

    @property
    def basis(self) -> str:
        """How we come by `known_at`."""
        return self.fact.basis


def revisions_of(facts: Iterable[Fact]) -> dict[str, list[Revision]]:
    """Read facts of `KINDS`.

    Returns
    -------
    dict of str to list of Revision
        By member, ordered by ``known_at``; the order of writing does not matter.
    """
    by_member: dict[str, list[Revision]] = {}
    unreadable: Counter[str] = Counter()
    for fact in facts:
        try:
            revision = _revision(fact)
        except ValueError:
            unreadable[fact.kind] += 1
            continue
        by_member.setdefault(fact.member_id, []).append(revision)
    for kind, count in sorted(unreadable.items()):
        _log.warning("%d %s facts can't be read and are left out of the tables", count, kind)
    for revisions in by_member.values():
        revisions.sort(key=lambda r: (r.fact.known_at, r.fact.kind, r.fact.key, r.fact.revision))
    return dict(sorted(by_member.items()))


def _revision(fact: Fact) -> Revision:
    if fact.kind != "gone":
        return Revision(fact, read(fact), (fact.kind, fact.key))
    try:
        target = (str(fact.payload["kind"]), str(fact.payload["key"]))
        return Revision(fact, None, target, gone=bool(fact.payload["gone"]))
    except KeyError as error:
        raise ValueError(f"gone {fact.key}: {error} is missing") from error
