"""Evidence ids: every number of a summary can be followed to the cell, ledger row or fit that it came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from data_intelligence.summary import EvidenceItem

__all__ = ["EvidenceBook"]

Kind = Literal["days", "journal", "ledger", "scores", "fit", "derived", "record", "report"]


class EvidenceBook:
    """Gives out ``E1``, ``E2`` … in the order of asking; the same thing asked twice has one id."""

    def __init__(self) -> None:
        self._items: dict[str, EvidenceItem] = {}
        self._ids: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def cite(self, kind: Kind, what: str, where: Iterable[str]) -> str:
        """The id of one piece of evidence.

        Parameters
        ----------
        kind : str
            ``days``/``journal`` (a table), ``ledger`` (a forecast row), ``scores`` (ledger rows with their outcomes),
            ``fit`` (a regression) or ``derived`` (computed in code from the cells named).
        what : str
            What it is, in words.
        where : iterable of str
            Where it stands, such as ``days/2026-11-20/hrv_rmssd_ms`` or ``ledger/live/41/<hash>``.
        """
        places = tuple(where)
        key = (kind, what, places)
        if key not in self._ids:
            self._ids[key] = f"E{len(self._ids) + 1}"
            self._items[self._ids[key]] = EvidenceItem(kind=kind, what=what, where=places)
        return self._ids[key]

    def items(self) -> dict[str, EvidenceItem]:
        """Everything cited so far, by id."""
        return dict(self._items)
