"""What the journal says of each behaviour on each day, as known at each instant: yes, no or unknown, and carry-over.

- A fact counts once it is accepted. What was done stands over what was planned, a note (which has amounts) over an
  answer of the WHOOP journal; of several notes a yes stands over a no and the largest amount counts, because a later
  note mostly repeats (the models read them so too); of several times or scales the last told.
- **Unknown** is explicit where the wearer tracks the behaviour: told on at least `TRACKED_DAYS` of the `MEMORY_DAYS`
  days before, as known when the day began. It is never a no.
- **Carry-over** looks `MEMORY_DAYS` back: nights since the last yes, and the amounts of earlier days, each halved with
  every `HALF_LIFE_NIGHTS` nights, added up. A behaviour without amounts carries 1 for each yes; clock times and scales
  carry none; a yes whose amount was not said adds nothing.

A row is a vintage: it holds from its ``known_at`` on until the next row of its day and behaviour. An earlier day that
becomes known late makes new vintages of the days after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from journal_analysis.behaviours import behaviours

__all__ = ["HALF_LIFE_NIGHTS", "MEMORY_DAYS", "TRACKED_DAYS", "Telling", "day_rows"]

MEMORY_DAYS = 28
TRACKED_DAYS = 3
HALF_LIFE_NIGHTS = 2.0

_STRENGTH = {"amount": 3, "yes": 2, "no": 1}
_NO_CARRY = frozenset({"scale", "time"})
_ANSWER = "whoop-export"


class Telling(NamedTuple):
    """One revision of one fact, as ``journal_facts`` has it."""

    fact_key: str
    revision: int
    known_at: datetime
    source: str
    day: date
    behaviour: str
    kind: str
    amount: float | None
    unit: str
    clock_time: str
    is_plan: bool
    status: str


class _State(NamedTuple):
    """What stands of one day; the last two are its carry-over."""

    state: str
    amount: float | None
    unit: str
    clock_time: str
    is_plan: bool
    told_by: str
    nights_since_yes: int | None
    amount_remembered: float | None


@dataclass
class _Book:
    """Everything of one behaviour at one instant of the sweep."""

    behaviour: str
    carries: bool
    facts: dict[str, Telling] = field(default_factory=dict)
    by_day: dict[date, set[str]] = field(default_factory=dict)
    standing: dict[date, Telling] = field(default_factory=dict)
    written: dict[date, _State] = field(default_factory=dict)

    def hear(self, telling: Telling) -> set[date]:
        """Take a revision in; the days of which something else is true now."""
        before = self.facts.get(telling.fact_key)
        self.facts[telling.fact_key] = telling
        touched = {telling.day}
        if before is not None:
            self.by_day[before.day].discard(telling.fact_key)
            touched.add(before.day)
        self.by_day.setdefault(telling.day, set()).add(telling.fact_key)
        for day in touched:
            standing = _standing(self.facts[key] for key in self.by_day[day])
            if standing is None:
                self.standing.pop(day, None)
            else:
                self.standing[day] = standing
        return touched

    def is_tracked(self, day: date) -> bool:
        """Whether the wearer tracks it when ``day`` begins."""
        return sum(earlier in self.standing for earlier in _memory(day)) >= TRACKED_DAYS

    def state(self, day: date) -> _State:
        """What is true of a day now."""
        since = carried = None
        if self.carries:
            carried = 0.0
        for nights, earlier in enumerate(_memory(day), start=1):
            told = self.standing.get(earlier)
            if told is None or told.is_plan or told.kind == "no":
                continue
            amount = _carried_amount(told)
            since = since if since is not None or told.kind == "amount" and not told.amount else nights
            if carried is not None and amount:
                carried += amount * 0.5 ** (nights / HALF_LIFE_NIGHTS)
        told = self.standing.get(day)
        if told is None:
            return _State("unknown", None, _unit(self.behaviour), "", False, "", since, carried)
        by = "answer" if told.source == _ANSWER else "note"
        is_no = told.kind == "no" or (told.kind == "amount" and told.amount == 0)
        state = "no" if is_no else "yes"
        return _State(state, told.amount, told.unit, told.clock_time, told.is_plan, by, since, carried)


def day_rows(
    tellings: Iterable[Telling], begins_at: Mapping[date, datetime], since: date | None = None
) -> list[dict[str, Any]]:
    """Rows of ``journal_days`` (without ``member_id``) of one member.

    Parameters
    ----------
    tellings : iterable of Telling
        Every revision of every fact; with ``since``, of every fact that was ever about one of the last `MEMORY_DAYS`
        days before it or a later one.
    begins_at : mapping of date to instant
        When each day of the journal begins for the wearer. A day that is not in it gets no explicit unknown.
    since : date, optional
        Only rows of this day and later ones.
    """
    by_behaviour: dict[str, list[Telling]] = {}
    for telling in tellings:
        by_behaviour.setdefault(telling.behaviour, []).append(telling)
    days = sorted((at, day) for day, at in begins_at.items() if since is None or day >= since)
    return [
        row
        for name in sorted(by_behaviour)
        for row in _rows_of(name, by_behaviour[name], days, since or date.min)
    ]


def _rows_of(
    behaviour: str, tellings: list[Telling], days: list[tuple[datetime, date]], since: date
) -> Iterator[dict[str, Any]]:
    known = behaviours().get(behaviour)
    carries = known.kind not in _NO_CARRY if known else not {t.kind for t in tellings} & _NO_CARRY
    book = _Book(behaviour, carries)
    news = sorted(tellings, key=lambda t: (t.known_at, t.fact_key, t.revision))
    first, last = min(t.day for t in news), max(t.day for t in news) + timedelta(days=MEMORY_DAYS)
    days = [(at, day) for at, day in days if first < day <= last]
    at_news = at_days = 0
    while at_news < len(news) or at_days < len(days):
        begins = days[at_days][0] if at_days < len(days) else None
        now = news[at_news].known_at if at_news < len(news) else None
        now = begins if now is None or (begins is not None and begins < now) else now
        assert now is not None
        touched: set[date] = set()
        while at_news < len(news) and news[at_news].known_at == now:
            touched |= book.hear(news[at_news])
            at_news += 1
        tracked = set()
        while at_days < len(days) and days[at_days][0] == now:
            if book.is_tracked(days[at_days][1]):
                tracked.add(days[at_days][1])
            at_days += 1
        for day in sorted(_to_write(book, touched, tracked)):
            state = book.state(day)
            if day >= since and book.written.get(day) != state:
                book.written[day] = state
                yield {
                    "day": day, "night": day + timedelta(days=1), "behaviour": behaviour, "known_at": now,
                    **state._asdict(),
                }  # fmt: skip


def _to_write(book: _Book, touched: set[date], tracked: set[date]) -> set[date]:
    """Days whose row may change: told of now, begun now, or with a row and within the memory of what was told."""
    after = {day + timedelta(days=n) for day in touched for n in range(1, MEMORY_DAYS + 1)}
    told = {day for day in touched if day in book.standing or day in book.written}
    return told | tracked | {day for day in after if day in book.written}


def _standing(facts: Iterable[Telling]) -> Telling | None:
    """Which of the facts about one day counts."""
    return max((f for f in facts if f.status == "accepted"), key=_weight, default=None)


def _weight(fact: Telling) -> tuple[Any, ...]:
    told = (not fact.is_plan, fact.source != _ANSWER)
    how_much = (_STRENGTH[fact.kind], fact.amount or 0.0) if fact.kind in _STRENGTH else (9, 0.0)
    if fact.kind == "amount" and not fact.amount:
        how_much = (_STRENGTH["no"], 0.0)
    return *told, *how_much, fact.known_at, fact.fact_key


def _carried_amount(fact: Telling) -> float:
    if fact.kind == "yes":
        return 0.0 if fact.unit else 1.0
    return fact.amount or 0.0


def _unit(behaviour: str) -> str:
    known = behaviours().get(behaviour)
    return known.unit if known else ""


def _memory(day: date) -> Iterator[date]:
    """The days before ``day``, the last first."""
    return (day - timedelta(days=n) for n in range(1, MEMORY_DAYS + 1))
