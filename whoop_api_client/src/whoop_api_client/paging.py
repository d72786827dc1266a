"""Walking through a collection page by page: marks, de-duplication, the end; no input or output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whoop_api_client.answers import page_from
from whoop_api_client.errors import UnexpectedAnswer
from whoop_api_client.models import Collection
from whoop_api_client.questions import Question, page


@dataclass(frozen=True)
class Page:
    """One answer of a collection; `records` are as received, without those already seen on earlier pages."""

    records: list[dict[str, Any]]
    is_last: bool


class Walk:
    """A walk from the newest record of a window to its oldest: ask `question`, give the answer to `take`."""

    def __init__(self, collection: Collection[Any], start: datetime | None, end: datetime | None):
        self._collection, self._start, self._end = collection, start, end
        self._seen: set[str] = set()
        self._marks: set[str] = set()
        self._mark: str | None = None
        self.is_done = False

    def question(self) -> Question[Any]:
        """The next page's question."""
        return page(self._collection, self._start, self._end, self._mark)

    def take(self, body: dict[str, Any]) -> Page:
        """Read an answer.

        Raises
        ------
        UnexpectedAnswer
            Not a page, or a page mark that came before.
        """
        records, mark = page_from(body, self._collection)
        if mark is not None and mark in self._marks:
            raise UnexpectedAnswer(
                f"WHOOP sent the same page mark of {self._collection.kind} twice; stopped, to not turn in circles."
            )
        self._mark, self.is_done = mark, mark is None
        if mark is not None:
            self._marks.add(mark)
        return Page([raw for raw in records if self._is_new(raw)], is_last=self.is_done)

    def _is_new(self, raw: dict[str, Any]) -> bool:
        # new records may push old ones onto the next page
        if self._collection.key_field not in raw:
            return True
        key = self._collection.key(raw)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new
