"""As of: nothing that became known after the time of issue reaches a forecast, a summary, a card or the agent.

Everything later is deleted, poisoned or shuffled in a copy of the record, all tables are made anew, and every voice of
the house has to say the same to the last bit. A leaky forecaster shows that the audit would notice.
"""

from __future__ import annotations

import shutil
from datetime import timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest

from house_audit import (
    audit,
    delete_later,
    leaks,
    permute_target_nights,
    poison_later,
    poison_later_with_times,
    voices,
)  # fmt: skip
from house_rooms import MEMBER, fill_by_pulling, fill_journal, make_house, simulated, synthetic_member
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.forecaster import find_forecasters
from hrv_shared.issue import current_issue, past_issues
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from model_training import replay

NIGHTS = 120
ORIGINS_BACK = {"evening": (24, 4), "morning": (17, 1)}
"""How many days before the end of the data the issues lie; the last one's targets are not over yet."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A pulled and back-filled store with a scored replay book, and four issues of its past."""
    member = synthetic_member(31, NIGHTS)
    house = make_house(tmp_path_factory.mktemp("as_of"))
    with simulated(member) as place:
        house = make_house(house.folder, place)
        fill_by_pulling(house)
    fill_journal(house, member)
    store = Store(house.home)
    now = current_issue(store, MEMBER)
    issues = [
        past_issues(store, MEMBER, nights=back, slot=slot, before=now)[0]
        for slot, all_back in ORIGINS_BACK.items() for back in all_back
    ]  # fmt: skip
    first = min(issues, key=lambda issue: issue.as_of)
    naive = {name: f for name, f in find_forecasters().items() if name in ("last_28", "ewma_8", "last_night")}
    for slot in ORIGINS_BACK:
        replay(store, first, nights=12, slot=slot, forecasters=naive)
    store.record.close()
    store.ledger.close()
    return house.home, issues


@pytest.fixture(scope="module")
def honest(filled, tmp_path_factory):
    """What is said when nothing was changed, by issue."""
    home, issues = filled
    folder = tmp_path_factory.mktemp("honest")
    return {issue.name: audit(home, folder / issue.name, issue, find_forecasters(), None) for issue in issues}


def test_the_baseline_is_the_whole_house(filled, honest):
    for issue in filled[1]:
        said = honest[issue.name]
        silent = {"fracast"} - {key.split()[2] for key in said if key.startswith("quantiles of ")}  # no weights here
        for forecaster in {*find_forecasters(), "mix", "final"} - silent:
            assert {f"quantiles of {forecaster} +{h}" for h in HORIZONS} <= said.keys(), (
                f"{forecaster} {issue.name}"
            )
        assert {f"report {issue.name}.json", f"report {issue.name}.md", "briefing read", "card"} <= said.keys()
        assert said["skill rows"] != "[]", "no scored past: outcomes known later could not be noticed"


def test_saying_it_again_says_the_same(filled, honest, tmp_path):
    """Without this, a difference below could be chance, and a match luck."""
    home, issues = filled
    assert (
        leaks(honest[issues[0].name], audit(home, tmp_path / "again", issues[0], find_forecasters(), None))
        == {}
    )


@pytest.mark.parametrize(
    ("change", "which"),
    [
        *((change, which) for change in (delete_later, poison_later) for which in range(4)),
        *((change, which) for change in (poison_later_with_times, permute_target_nights) for which in (0, 3)),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_what_became_known_later_changes_nothing(filled, honest, tmp_path, which, change):
    home, issues = filled
    issue = issues[which]
    changed = audit(home, tmp_path / "changed", issue, find_forecasters(), change)
    assert leaks(honest[issue.name], changed) == {}


def test_a_target_night_known_too_early_is_not_looked_at(filled, honest, tmp_path):
    """Same-night fields of the targets enter nothing, even if the table claimed that they were known in time."""
    home, issues = filled
    issue = issues[0]
    shutil.copytree(home, tmp_path / "home")
    store = Store(tmp_path / "home")
    days = store.read_table("days")
    targets = [issue.origin_day + timedelta(days=h) for h in HORIZONS]
    early = days.filter(pl.col("day").is_in(targets)).unique("day", keep="last", maintain_order=True)
    assert len(early) == len(HORIZONS)
    rng = np.random.default_rng(5)
    noise = [
        pl.Series(c, rng.uniform(5, 200, len(early))) for c, t in early.schema.items() if t == pl.Float64
    ]
    early = early.with_columns(
        *noise, known_at=pl.lit(issue.as_of - timedelta(hours=1)).cast(days.schema["known_at"])
    )
    store.write_table("days", pl.concat([days, early]))
    assert leaks(honest[issue.name], voices(tmp_path / "home", issue, find_forecasters())) == {}


def test_forecasts_made_later_change_nothing(filled, tmp_path):
    """Rows of later origins stand in the ledger; mix, final, skill and card of an earlier issue don't see them."""
    home, issues = filled
    issue, later = issues[0], max(issues, key=lambda i: i.as_of)
    forecasters = find_forecasters()
    for name in ("plain", "later"):
        shutil.copytree(home, tmp_path / name)
    store = Store(tmp_path / "later")
    rng = np.random.default_rng(6)
    rows = [
        ForecastRow(
            MEMBER, issue.slot, later.as_of, later.origin_day, later.origin_day + timedelta(days=h), h, name, "later",
            tuple(np.sort(rng.uniform(5, 200, len(QUANTILE_LEVELS)))), "0" * 64,
        )
        for name in (*forecasters, "mix", "agent") for h in HORIZONS
    ]  # fmt: skip
    assert store.ledger.issue("replay", rows).written == len(rows)
    store.ledger.close()
    plain = voices(tmp_path / "plain", issue, forecasters, keep_places=False)
    assert leaks(plain, voices(tmp_path / "later", issue, forecasters, keep_places=False)) == {}


@pytest.mark.parametrize("change", [delete_later, poison_later], ids=lambda f: f.__name__)
@pytest.mark.parametrize("leak", ["the days table", "the record"])
def test_a_leaky_forecaster_is_caught(filled, tmp_path, leak, change):
    home, issues = filled
    issue = issues[0]
    heard = {}
    for name, applied in (("plain", None), ("changed", change)):
        folder = tmp_path / name
        forecasters = {
            "last_28": find_forecasters()["last_28"],
            "leaky": type("Leaky", (_Leaky,), {"home": folder, "leak": leak}),
        }
        heard[name] = audit(home, folder, issue, forecasters, applied)
    caught = leaks(heard["plain"], heard["changed"])
    assert {f"quantiles of leaky +{h}" for h in HORIZONS} & set(caught)
    assert not any("last_28" in name for name in caught), "the honest one beside it is not blamed"


class _Leaky:
    """Looks at the store behind its history's back."""

    name, version, refit_days = "leaky", "1", 1
    home = leak = None

    def fit(self, history):
        return self

    def predict(self, history, horizons=HORIZONS):
        store = Store(self.home)
        if self.leak == "the days table":
            known = (
                store.read_table("days")
                .filter(pl.col("day") > history.origin_day)["hrv_rmssd_ms"]
                .drop_nulls()
            )
            values = known.to_list()
        else:
            facts = store.record.latest("recovery", history.member_id).values()
            known = [f for f in facts if f.known_at > history.as_of and f.payload.get("score")]
            values = [f.payload["score"]["hrv_rmssd_milli"] for f in known]
            store.record.close()
        middle = np.mean(values) if values else 50.0
        return np.array([middle * np.linspace(0.6, 1.5, len(QUANTILE_LEVELS)) for _ in horizons])


def test_the_poison_reaches_every_later_fact(filled, tmp_path):
    """A poison that changes nothing would make the audit blind."""
    import sqlite3

    from house_audit import drop_triggers

    home, issues = filled
    shutil.copytree(home, tmp_path / "home")
    connection = sqlite3.connect(tmp_path / "home" / "record.sqlite", isolation_level=None)
    at = issues[0].as_of.strftime("%Y-%m-%dT%H:%M:%S")
    read = partial(connection.execute, "SELECT seq, kind, payload FROM fact WHERE known_at > ?", (at,))
    before = {seq: (kind, payload) for seq, kind, payload in read().fetchall()}
    drop_triggers(connection)
    poison_later_with_times(connection, issues[0])
    same = [before[seq][0] for seq, _, payload in read().fetchall() if payload == before[seq][1]]
    connection.close()
    assert {kind for kind, _ in before.values()} >= {"cycle", "sleep", "recovery", "workout", "journal_fact"}
    assert len(before) > 100
    assert len(same) < 0.3 * len(before), "an open cycle has no score and no end; all else holds a number or an instant"
    assert set(same) <= {"journal_entry", "cycle"}
