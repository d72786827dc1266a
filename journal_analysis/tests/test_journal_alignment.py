"""The night on which a fact can act, and the journal's tables against a slow, plain reference written apart."""

import os
import random
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.record import FactDraft
from hrv_shared.store import Store
from journal_analysis import add_text, as_of_days, as_of_weeks, backfill, confirm, correct, rebuild, undo
from journal_analysis.corrections import Correction
from journal_analysis.day_begins import day_begins
from journal_analysis.table import OWN_TABLES
from journal_analysis.telling import spoken_at

ME = "me"
SLOW = bool(os.environ.get("HRV_SLOW"))
BERLIN_WINTER, BERLIN_SUMMER, NEW_YORK, TOKYO = 60, 120, -300, 540
D3 = date(2026, 3, 3)


def at(text):
    return datetime.fromisoformat(text)


def night(day, offset_min, onset, wake, known_at=None):
    row = dict.fromkeys(schemas.TABLES["days"].columns)
    told = {
        "member_id": ME,
        "day": day,
        "known_at": known_at or wake,
        "wake_at": wake,
        "sleep_onset_at": onset,
    }
    return {
        **row,
        **told,
        "utc_offset_min": offset_min,
        "basis": "seen",
        "source": "t",
        "state": "scored",
        "flags": [],
    }


def sleeps(store, *rows):
    store.write_table("days", pl.DataFrame(list(rows), schema=schemas.TABLES["days"].columns))


def usual_sleeps(offset_min=60, first=date(2026, 2, 20), days=20):
    """23:00 to 07:00 on the wearer's clock, every night."""
    rows = []
    for k in range(days):
        day = first + timedelta(days=k)
        wake = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) - timedelta(minutes=offset_min)
        rows.append(night(day, offset_min, wake - timedelta(hours=8), wake))
    return rows


@pytest.fixture
def late(settings):
    """A store whose clock stands well after everything that is told."""
    return Store(settings.home, clock=lambda: datetime(2026, 6, 1, tzinfo=UTC))


def facts_of(entry):
    return {(f.behaviour, f.day, f.is_plan) for f in entry.facts}


@pytest.mark.parametrize(
    ("told_at", "text", "behaviour", "day"),
    [
        ("2026-03-03T21:30+01:00", "Two beers.", "alcohol", "2026-03-03"),
        ("2026-03-03T23:59+01:00", "Two beers.", "alcohol", "2026-03-03"),
        ("2026-03-04T00:01+01:00", "Two beers.", "alcohol", "2026-03-03"),
        ("2026-03-04T02:40+01:00", "Two beers.", "alcohol", "2026-03-03"),
        ("2026-03-04T07:30+01:00", "Two beers last night.", "alcohol", "2026-03-03"),
        ("2026-03-04T07:30+01:00", "Yesterday I had two beers.", "alcohol", "2026-03-03"),
        ("2026-03-04T07:30+01:00", "Two beers, the last one at ten in the evening.", "alcohol", "2026-03-03"),
        (
            "2026-03-04T07:30+01:00",
            "Two beers, the last one at ten in the evening.",
            "alcohol_last_time",
            "2026-03-03",
        ),
        ("2026-03-04T12:30+01:00", "Two beers, the last one at noon.", "alcohol", "2026-03-04"),
        ("2026-03-04T15:10+01:00", "Had a nap, then one coffee.", "caffeine", "2026-03-04"),
        ("2026-03-04T21:00+01:00", "On Monday I had two beers.", "alcohol", "2026-03-02"),
        ("2026-03-04T21:00+01:00", "On Wednesday I had two beers.", "alcohol", "2026-03-04"),
        ("2026-03-04T21:00+01:00", "Two beers two days ago.", "alcohol", "2026-03-02"),
        ("2026-03-04T21:00-08:00", "Two beers.", "alcohol", "2026-03-04"),  # the recorder's own offset
        (
            "2026-03-04T05:30Z",
            "Two beers.",
            "alcohol",
            "2026-03-04",
        ),  # 06:30 on the wearer's clock, asleep before
    ],
)
def test_a_fact_is_about_its_day_and_acts_on_the_night_after_it(late, told_at, text, behaviour, day):
    sleeps(late, *usual_sleeps())
    add_text(late, ME, text, at(told_at))
    rows = late.read_table("journal_facts").filter(pl.col("behaviour") == behaviour)
    assert rows["day"].to_list() == [date.fromisoformat(day)]
    assert rows["night"].to_list() == [date.fromisoformat(day) + timedelta(days=1)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Tonight I will go to bed at eleven.", {"2026-03-04"}),
        ("Tomorrow I will run for an hour.", {"2026-03-05"}),
        ("Tomorrow I am going to the sauna.", {"2026-03-05"}),
    ],
)
def test_a_plan_acts_on_the_night_of_its_own_day(late, text, days):
    entry = add_text(late, ME, text, at("2026-03-04T20:00+01:00"))
    assert {f.day.isoformat() for f in entry.facts} == days and all(f.is_plan for f in entry.facts)
    rows = late.read_table("journal_days")
    assert set(rows["night"]) == {date.fromisoformat(d) + timedelta(days=1) for d in days}
    assert rows["is_plan"].all()


def test_awake_until_dawn_is_still_the_day_before_once_the_sleep_is_known(late):
    sleeps(
        late, *usual_sleeps(), night(date(2026, 3, 15), 60, at("2026-03-15T05:10Z"), at("2026-03-15T11:00Z"))
    )
    told = spoken_at(late, ME, at("2026-03-15T05:30+01:00"), now=late.clock())
    assert told.day == date(2026, 3, 14)
    assert spoken_at(late, ME, at("2026-03-15T12:30+01:00"), now=late.clock()).day == date(2026, 3, 15)


def test_an_early_riser_told_of_by_the_strap_begins_a_new_day(late):
    sleeps(late, night(date(2026, 3, 4), 60, at("2026-03-03T20:00Z"), at("2026-03-04T02:15Z")))
    assert spoken_at(late, ME, at("2026-03-04T02:30Z"), now=late.clock()).day == date(2026, 3, 4)
    assert spoken_at(late, ME, at("2026-03-04T02:00Z"), now=late.clock()).day == date(2026, 3, 3)


def test_daylight_saving_and_travel_are_changes_of_offset(late):
    summer = usual_sleeps(BERLIN_SUMMER, date(2026, 3, 29), 3)
    sleeps(late, *usual_sleeps(BERLIN_WINTER, date(2026, 3, 20), 9), *summer)
    for told_at, offset, day in (
        ("2026-03-28T22:30Z", BERLIN_WINTER, date(2026, 3, 28)),
        ("2026-03-29T22:30Z", BERLIN_SUMMER, date(2026, 3, 29)),  # 00:30 on the 30th
        ("2026-03-30T01:59Z", BERLIN_SUMMER, date(2026, 3, 29)),  # 03:59
    ):
        told = spoken_at(late, ME, at(told_at), now=late.clock())
        assert (told.utc_offset_min, told.day) == (offset, day)
    tokyo = [night(date(2026, 4, 2), TOKYO, at("2026-04-01T14:00Z"), at("2026-04-01T22:00Z"))]
    sleeps(late, *summer, *tokyo)
    told = spoken_at(late, ME, at("2026-04-02T13:00Z"), now=late.clock())
    assert (told.utc_offset_min, told.day) == (TOKYO, date(2026, 4, 2))
    assert spoken_at(late, ME, at("2026-04-01T20:00Z"), now=late.clock()).utc_offset_min == BERLIN_SUMMER


def test_a_day_begins_at_four_on_the_clock_where_the_wearer_is(late):
    sleeps(late, *usual_sleeps(BERLIN_WINTER, date(2026, 3, 1), 5))
    begins = day_begins(late.read_table("days"), {"2026-03-03": NEW_YORK}).instants()
    assert begins[date(2026, 3, 3)] == at("2026-03-03T03:00Z")
    assert begins[date(2026, 3, 4)] == at("2026-03-04T09:00Z")
    assert begins[date(2026, 3, 5)] == at("2026-03-05T03:00Z")
    assert day_begins(schemas.empty("days"), {}).instants() == {}


def told(store, day, text, hour=21):
    """A note of an evening, known then."""
    return add_text(store, ME, text, datetime(day.year, day.month, day.day, hour, tzinfo=UTC))


def cell(store, day, behaviour, as_of):
    rows = as_of_days(store.read_table("journal_days"), as_of).filter(
        pl.col("day") == day, pl.col("behaviour") == behaviour
    )
    assert len(rows) <= 1
    return rows.row(0, named=True) if len(rows) else None


@pytest.fixture
def living(settings):
    """A store whose clock the test moves."""
    now = [datetime(2026, 3, 1, 21, tzinfo=UTC)]
    store = Store(settings.home, clock=lambda: now[0])
    store.move = lambda instant: now.__setitem__(0, instant)
    return store


def evening(store, day, text):
    instant = datetime(2026, 3, day, 21, tzinfo=UTC)
    store.move(instant)
    return add_text(store, ME, text, instant.replace(tzinfo=UTC))


def test_explicit_zero_explicit_unknown_and_carry_over(living):
    evening(living, 1, "Two beers.")
    evening(living, 2, "No alcohol.")
    evening(living, 3, "Three beers.")
    evening(living, 4, "Stress two out of five.")
    now = living.clock()
    two, none, three = (cell(living, date(2026, 3, d), "alcohol", now) for d in (1, 2, 3))
    assert (two["state"], two["amount"], two["nights_since_yes"], two["amount_remembered"]) == (
        "yes",
        2,
        None,
        0,
    )
    assert (none["state"], none["amount"], none["unit"]) == ("no", 0.0, "drinks")
    assert none["nights_since_yes"] == 1 and none["amount_remembered"] == pytest.approx(2 * 0.5**0.5)
    assert three["nights_since_yes"] == 2 and three["amount_remembered"] == pytest.approx(1.0)
    silent = cell(living, date(2026, 3, 4), "alcohol", now)
    assert (silent["state"], silent["amount"], silent["told_by"]) == ("unknown", None, "")
    assert silent["nights_since_yes"] == 1
    assert silent["amount_remembered"] == pytest.approx(3 * 0.5**0.5 + 2 * 0.5**1.5)
    assert cell(living, date(2026, 3, 4), "stress", now)["amount_remembered"] is None
    assert cell(living, date(2026, 3, 4), "caffeine", now) is None


def test_an_unknown_is_there_from_the_beginning_of_its_day_and_not_before(living):
    for day in (1, 2, 3, 4):
        evening(living, day, "Two beers." if day < 4 else "Sauna.")
    begins = living.read_table("journal_days").filter(
        pl.col("day") == date(2026, 3, 4), pl.col("state") == "unknown"
    )
    (known_at,) = begins["known_at"].to_list()
    assert known_at.time() == (datetime(2026, 3, 4, 4) - (known_at.utcoffset() or timedelta())).time()
    assert cell(living, date(2026, 3, 4), "alcohol", known_at - timedelta(seconds=1)) is None


def test_what_was_done_replaces_the_plan_and_undo_leaves_unknown(living):
    evening(living, 3, "Tomorrow I will have two beers.")
    assert cell(living, date(2026, 3, 4), "alcohol", living.clock())["is_plan"]
    entry = evening(living, 4, "I had three beers.")
    done = cell(living, date(2026, 3, 4), "alcohol", living.clock())
    assert (done["amount"], done["is_plan"]) == (3, False)
    living.move(living.clock() + timedelta(hours=1))
    undo(living, ME, entry.key)
    assert cell(living, date(2026, 3, 4), "alcohol", living.clock())["is_plan"]
    before = cell(living, date(2026, 3, 4), "alcohol", living.clock() - timedelta(minutes=30))
    assert before["amount"] == 3


def test_drafts_do_not_count_until_confirmed(living):
    entry = evening(living, 3, "I think I had a few beers.")
    assert cell(living, D3, "alcohol", living.clock()) is None
    living.move(living.clock() + timedelta(hours=1))
    confirm(living, ME, entry.key)
    assert cell(living, D3, "alcohol", living.clock())["state"] == "yes"
    living.move(living.clock() + timedelta(hours=1))
    correct(living, ME, entry.key, 1, Correction(amount=2.0, day=date(2026, 3, 2)))
    assert cell(living, D3, "alcohol", living.clock())["state"] == "unknown"
    assert cell(living, date(2026, 3, 2), "alcohol", living.clock())["amount"] == 2


def test_weeks_add_days_up(living):
    for day, text in ((2, "Two beers."), (3, "No alcohol."), (4, "Three beers."), (5, "Sauna.")):
        evening(living, day, text)
    (week,) = (
        as_of_weeks(living.read_table("journal_weeks"), living.clock())
        .filter(pl.col("behaviour") == "alcohol")
        .to_dicts()
    )
    assert (week["yes_days"], week["no_days"], week["unknown_days"], week["plan_days"]) == (2, 1, 1, 0)
    assert (week["week"], week["amount_total"], week["amount_days"]) == (date(2026, 3, 2), 5.0, 3)


# --- the reference: for every instant anew, from the facts alone ---------------------------------------------------


def reference(facts, begins, member_kinds, t):
    """State of every (day, behaviour) at ``t``, the slow way. ``facts``: list of dicts, every revision."""

    def in_force(when):
        chosen = {}
        for fact in facts:
            if fact["known_at"] <= when:
                held = chosen.get(fact["key"])
                if held is None or (fact["known_at"], fact["revision"]) > (
                    held["known_at"],
                    held["revision"],
                ):
                    chosen[fact["key"]] = fact
        return [f for f in chosen.values() if f["status"] == "accepted"]

    def told_of(day, behaviour, when):
        about = [f for f in in_force(when) if (f["day"], f["behaviour"]) == (day, behaviour)]
        about = [f for f in about if not f["is_plan"]] or about
        about = [f for f in about if f["source"] != "whoop-export"] or about
        if not about:
            return None
        kinds = {f["kind"] for f in about}
        if kinds & {"scale", "time"}:
            about = [f for f in about if f["kind"] in ("scale", "time")]
            return sorted(about, key=lambda f: (f["known_at"], f["key"]))[-1]
        amounts = [f for f in about if f["kind"] == "amount" and f["amount"] > 0]
        if amounts:
            most = max(f["amount"] for f in amounts)
            about = [f for f in amounts if f["amount"] == most]
        else:
            about = [f for f in about if f["kind"] == "yes"] or about
        return sorted(about, key=lambda f: (f["known_at"], f["key"]))[-1]

    def tracked(day, behaviour):
        if day not in begins or begins[day] > t:
            return False
        back = [day - timedelta(days=n) for n in range(1, 29)]
        return sum(told_of(d, behaviour, begins[day]) is not None for d in back) >= 3

    result = {}
    pairs = {(f["day"], f["behaviour"]) for f in facts if f["known_at"] <= t}
    names = {b for _, b in pairs}
    pairs |= {(d, b) for d in begins for b in names}
    for day, behaviour in sorted(pairs):
        ever = any(
            told_of(day, behaviour, f["known_at"]) is not None
            for f in facts
            if f["known_at"] <= t and f["behaviour"] == behaviour
        )
        if not ever and not tracked(day, behaviour):
            continue
        since, carried = None, 0.0
        for n in range(1, 29):
            earlier = told_of(day - timedelta(days=n), behaviour, t)
            if earlier is None or earlier["is_plan"] or earlier["kind"] == "no":
                continue
            if earlier["kind"] == "amount" and earlier["amount"] == 0:
                continue
            since = n if since is None else since
            if earlier["kind"] == "amount":
                carried += earlier["amount"] / 2 ** (n / 2)
            elif earlier["kind"] == "yes" and not earlier["unit"]:
                carried += 1 / 2 ** (n / 2)
        told = told_of(day, behaviour, t)
        state = "unknown" if told is None else "yes"
        if told is not None and (told["kind"] == "no" or (told["kind"] == "amount" and told["amount"] == 0)):
            state = "no"
        by = "" if told is None else ("answer" if told["source"] == "whoop-export" else "note")
        result[day, behaviour] = (
            state, told and told["amount"], bool(told and told["is_plan"]), by, since,
            None if member_kinds[behaviour] in ("scale", "time") else round(carried, 9),
        )  # fmt: skip
    return result


KINDS = {"alcohol": "amount", "sauna": "yes", "stress": "scale", "alcohol_last_time": "time"}
UNITS = {"alcohol": "drinks", "sauna": "", "stress": "0-10", "alcohol_last_time": "HH:MM"}


def drawn(rng, days):
    """A random history of facts: amounts, noes, plans, answers, drafts, late ones, corrections, moves, rejections."""
    facts = []
    for number in range(rng.randint(15, 60)):
        behaviour = rng.choice(list(KINDS))
        kind = KINDS[behaviour]
        kind = rng.choice([kind, "yes", "no"]) if kind in ("amount", "yes") else kind
        amount = {"amount": float(rng.randint(0, 4)), "no": 0.0, "scale": float(rng.randint(0, 10))}.get(kind)
        if kind == "no" and behaviour == "sauna":
            amount = None
        day = rng.choice(days)
        known = datetime(day.year, day.month, day.day, rng.choice([2, 4, 9, 21]), tzinfo=UTC)
        known += timedelta(days=rng.choice([0, 0, 0, 0, 1, 5, 40]))
        fact = {
            "key": f"{number:02d}", "revision": 1, "known_at": known, "day": day, "behaviour": behaviour, "kind": kind,
            "amount": amount, "unit": UNITS[behaviour], "is_plan": rng.random() < 0.15,
            "source": "whoop-export" if rng.random() < 0.2 and kind in ("yes", "no") else "text",
            "status": "draft" if rng.random() < 0.1 else "accepted",
        }  # fmt: skip
        facts.append(fact)
        while rng.random() < 0.3:
            change = rng.choice(
                [
                    {"status": "rejected"},
                    {"status": "accepted"},
                    {"day": rng.choice(days)},
                    {"is_plan": False},
                ]
            )
            later = fact["known_at"] + timedelta(days=rng.choice([0, 0, 1, 9]))
            fact = {**fact, **change, "revision": fact["revision"] + 1, "known_at": later}
            facts.append(fact)
    return sorted(facts, key=lambda f: (f["revision"], f["known_at"]))


def written(fact):
    day = fact["day"]
    payload = {
        "entry_key": f"e{fact['key']}", "day": day.isoformat(), "night": (day + timedelta(days=1)).isoformat(),
        "behaviour": fact["behaviour"], "kind": fact["kind"], "amount": fact["amount"], "unit": fact["unit"],
        "clock_time": "21:30" if fact["kind"] == "time" else "", "is_plan": fact["is_plan"], "quote": "q",
        "confidence": 1.0, "status": fact["status"], "rule": "drawn", "n": fact["revision"],
    }  # fmt: skip
    return FactDraft(ME, "journal_fact", fact["key"], payload, fact["known_at"], "seen", fact["source"])


def table_at(store, t):
    rows = as_of_days(store.read_table("journal_days"), t).to_dicts()
    return {
        (r["day"], r["behaviour"]): (
            r["state"], r["amount"], r["is_plan"], r["told_by"], r["nights_since_yes"],
            None if r["amount_remembered"] is None else round(r["amount_remembered"], 9),
        )
        for r in rows
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(5 if not SLOW else 60))
def test_the_table_at_any_instant_is_what_the_reference_says(store, seed):
    rng = random.Random(seed)
    offsets = [rng.choice([60, 120, -300]) for _ in range(3)]
    all_days = [date(2026, 1, 1) + timedelta(days=k) for k in range(45)]
    sleeps(store, *[r for k, o in enumerate(offsets) for r in usual_sleeps(o, all_days[k * 15], 15)])
    facts = drawn(rng, all_days)
    store.record.append_many([written(f) for f in facts])
    rebuild(store)
    offset = {day: offsets[k // 15] for k, day in enumerate(all_days)}
    begins = {}
    for day in all_days:
        hours = offset.get(day - timedelta(days=1), offsets[0]) / 60
        begins[day] = datetime(day.year, day.month, day.day, 4, tzinfo=UTC) - timedelta(hours=hours)
    instants = [f["known_at"] for f in rng.sample(facts, 4)]
    instants += [rng.choice(list(begins.values())) for _ in range(3)] + [datetime(2026, 9, 1, tzinfo=UTC)]
    for t in instants:
        for instant in (t, t - timedelta(microseconds=1)):
            expected = reference(facts, begins, KINDS, instant)
            assert table_at(store, instant) == expected, (seed, instant)


@pytest.mark.parametrize("seed", range(5 if not SLOW else 60))
def test_brought_up_to_date_piece_by_piece_the_tables_have_the_bytes_of_a_whole_rebuild(
    settings, tmp_path, seed
):
    from journal_analysis.table import refresh

    rng = random.Random(100 + seed)
    days = [date(2026, 1, 1) + timedelta(days=k) for k in range(60)]
    facts = drawn(rng, days)
    piecewise, whole = Store(settings.home), Store(tmp_path / "whole")
    nights = usual_sleeps(60, days[0], 40) + usual_sleeps(rng.choice([60, 120]), days[40], 20)
    at_once = 1 + rng.randrange(8)
    for k in range(0, len(facts), at_once):
        seen = nights[: 20 + 40 * (k + 1) // len(facts)]
        sleeps(piecewise, *seen)
        piecewise.record.append_many([written(f) for f in facts[k : k + at_once]])
        refresh(piecewise)
    sleeps(piecewise, *nights)
    refresh(piecewise)
    sleeps(whole, *nights)
    whole.record.append_many([written(f) for f in facts])
    rebuild(whole)
    for name in OWN_TABLES:
        assert piecewise.read_table(name).equals(whole.read_table(name)), name
        assert piecewise.table_path(name).read_bytes() == whole.table_path(name).read_bytes(), name


def test_a_refresh_does_less_than_a_rebuild(store, monkeypatch):
    """The days that are made again are those from the first one told of anew."""
    from journal_analysis import table

    for day in range(1, 20):
        told(store, date(2026, 2, day), f"{day % 3} beers. Stress two out of five.")
    asked = []
    real = table.day_rows
    monkeypatch.setattr(table, "day_rows", lambda t, b, since=None: asked.append(since) or real(t, b, since))
    told(store, date(2026, 2, 20), "One beer.")
    assert asked == [date(2026, 2, 20)]
    store.table_path("journal_days").write_bytes(b"somebody else's")
    told(store, date(2026, 2, 21), "One beer.")
    assert asked[1] is None and len(store.read_table("journal_days")) > 30


def test_backfilled_days_are_known_as_of_their_own_evening(late, tmp_path):
    folder = tmp_path / "diary" / "2026"
    folder.mkdir(parents=True)
    for day in range(1, 8):
        (folder / f"2026-02-{day:02d}.md").write_text(f"---\ntags: [beer]\n---\n# Evening\n- {day} beers\n")
    (folder / "20260210 2315.txt").write_text("No alcohol.")
    (folder / "todo.md").write_text("Buy beer.")
    (folder / "2026-02-31.txt").write_text("Two beers.")
    sleeps(late, *usual_sleeps(60, date(2026, 1, 20), 40))
    done = backfill(late, ME, tmp_path / "diary")
    assert done.entries == 8 and sorted(b["file"] for b in done.bad_lines) == [
        "2026/2026-02-31.txt",
        "2026/todo.md",
    ]
    facts = late.read_table("journal_facts").filter(pl.col("behaviour") == "alcohol")
    assert facts["known_at"].min() == at("2026-02-01T21:00Z") and facts["known_at"].max() == at(
        "2026-02-10T22:15Z"
    )
    assert facts.sort("day")["amount"].to_list() == [1, 2, 3, 4, 5, 6, 7, 0]
    fifth = cell(late, date(2026, 2, 5), "alcohol", at("2026-02-05T12:00Z"))
    assert fifth["state"] == "unknown"
    assert cell(late, date(2026, 2, 8), "alcohol", late.clock())["state"] == "unknown"
    assert backfill(late, ME, tmp_path / "diary").already == 8
