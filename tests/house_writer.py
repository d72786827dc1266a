"""A process that does real writes to a store and is killed for it: started and judged by ``test_house_kills``.

It imports the rooms once and forks for every run, so that a kill costs no start-up. Its clock stands still; an unkilled
run and a killed one that was carried on must therefore write the same bytes, hashes of the ledger included.
Line protocol: a folder comes in, ``pid N``, then ``done UNIT`` after each durable step and ``ended N STATUS`` go out.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from hrv_shared.forecaster import find_forecasters
from hrv_shared.issue import Issue, current_issue, past_issues
from hrv_shared.scoring import score_rows
from hrv_shared.store import Store
from journal_analysis import add_text
from model_training.issuing import combine, issue_forecasts
from whoop_api_client.export import import_export
from whoop_api_client.tables import rebuild

LAST_DAY = date(2026, 3, 20)
NOW = datetime(2026, 3, 20, 15, 0, tzinfo=UTC)
MEMBERS = ("ann", "ben")
NIGHTS = 30
PAST = 2
NOTES = ("Two glasses of wine with dinner.", "No alcohol, easy run at seven.", "Coffee at five, dinner at ten.")
CHEAP = {name: f for name, f in find_forecasters().items() if name in ("last_night", "last_28", "state_space")}
"""Rules, and one model for the mix to be made of."""

Unit = tuple[str, Callable[[], object]]


def units(store: Store, exports: Path) -> Iterator[Unit]:
    """Every durable step, in order; each may be done again at any time."""
    for member in MEMBERS:
        yield f"import {member}", lambda m=member: import_export(store, exports / m, m)
        yield f"tables {member}", lambda m=member: rebuild(store, m)
        for number, text in enumerate(NOTES):
            told_at = NOW - timedelta(days=number, hours=1)
            yield f"note {number} {member}", lambda m=member, t=text, at=told_at: add_text(store, m, t, at)
        for back in range(PAST, 0, -1):
            yield f"replay -{back} {member}", lambda m=member, b=back: _forecast(store, _past(store, m, b))
        yield f"outcomes {member}", lambda m=member: _outcomes(store, m)
        yield f"live {member}", lambda m=member: _forecast(store, current_issue(store, m))
        yield f"scores {member}", lambda: _score(store)
    yield "all tables", lambda: rebuild(store)


def work(home: Path, exports: Path) -> None:
    """Do every unit; say so after each."""
    store = Store(home, clock=lambda: NOW)
    for name, step in units(store, exports):
        step()
        os.write(1, f"done {name}\n".encode())


def serve(exports: Path) -> None:
    """Fork a run for every folder that is read from stdin."""
    ended_before = None
    for line in sys.stdin:
        if ended_before is not None:
            os.waitpid(ended_before, 0)
        pid = os.fork()
        if pid == 0:
            _run_and_leave(Path(line.strip()), exports)
        os.write(1, f"pid {pid}\n".encode())
        # not reaped yet: a kill that comes too late must still meet this run and no other process
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        os.write(1, f"ended {pid} {code}\n".encode())
        ended_before = pid


def _run_and_leave(home: Path, exports: Path) -> None:
    code = 1
    try:
        work(home, exports)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _past(store: Store, member: str, back: int) -> Issue:
    return past_issues(store, member, nights=back, slot="evening", before=current_issue(store, member))[0]


def _forecast(store: Store, issue: Issue) -> None:
    issue_forecasts(store, issue, forecasters=CHEAP)
    combine(store, issue)


def _outcomes(store: Store, member: str) -> None:
    """Only this member's: on a second pass the table already holds those who come later in the plan."""
    store.ledger.record_outcomes(store.read_table("days").filter(pl.col("member_id") == member))


def _score(store: Store) -> None:
    store.write_table("scores", score_rows(store.ledger.forecasts(), store.ledger.outcomes()))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
