"""Notes in the store: once each, on the right day, undone and confirmed, and the table made from the record alone."""

import json
import os
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.history import as_of_journal
from hrv_shared.store import Store
from journal_analysis import add_text, backfill, confirm, ingest, rebuild, receipt, reject, show, undo
from journal_analysis.errors import BadEntry, NoSpeech, UnknownEntry
from journal_analysis.notes import MAX_TEXT_CHARS

ME = "me"
NOTE = "Two glasses of wine, the last one at half past nine. Maybe a few coffees. No magnesium."


def days_row(day, offset_min, wake_at):
    row = dict.fromkeys(schemas.TABLES["days"].columns)
    known = {
        "member_id": ME,
        "day": day,
        "known_at": wake_at,
        "wake_at": wake_at,
        "utc_offset_min": offset_min,
    }
    return {**row, **known, "basis": "seen", "source": "whoop-api", "state": "scored", "flags": []}


def write_days(store, *rows):
    store.write_table("days", pl.DataFrame(list(rows), schema=schemas.TABLES["days"].columns))


def test_a_note_becomes_an_entry_and_rows(store):
    entry = add_text(store, ME, NOTE, datetime(2026, 3, 4, 20, 15, tzinfo=UTC))
    table = store.read_table("journal_facts")
    wine = table.row(by_predicate=pl.col("behaviour") == "alcohol", named=True)
    assert wine["amount"] == 2 and wine["unit"] == "drinks" and wine["status"] == "accepted"
    assert (wine["day"], wine["night"]) == (date(2026, 3, 4), date(2026, 3, 5))
    assert wine["known_at"] == store.clock() and wine["basis"] == "seen" and wine["source"] == "text"
    assert wine["entry_key"] == entry.key and wine["quote"] == "Two glasses of wine"
    none = table.row(by_predicate=pl.col("behaviour") == "magnesium", named=True)
    assert none["kind"] == "no" and none["amount"] == 0
    assert receipt(entry).startswith("I heard: 2 drinks (Two glasses of wine), last at 21:30; no magnesium.")
    assert "Please check: [3] 3 caffeine servings" in receipt(entry)


def test_the_same_note_twice_is_one_entry(store):
    first, second = add_text(store, ME, NOTE), add_text(store, ME, f" {NOTE}\n")
    assert not first.already and second.already and first.key == second.key
    assert "there already" in receipt(second)
    assert len(list(store.record.facts("journal_entry", ME))) == 1


def test_the_same_words_on_another_day_are_another_entry(store):
    days = [datetime(2026, 3, day, 20, tzinfo=UTC) for day in (2, 3)]
    entries = [add_text(store, ME, "Rest day. No alcohol.", at) for at in days]
    assert entries[0].key != entries[1].key and not entries[1].already


def test_after_midnight_the_evening_still_belongs_to_the_day_before(store):
    write_days(store, days_row(date(2026, 3, 3), 60, datetime(2026, 3, 3, 6, tzinfo=UTC)))
    assert add_text(store, ME, "One beer.", datetime(2026, 3, 4, 0, 30, tzinfo=UTC)).day == date(2026, 3, 3)
    assert add_text(store, ME, "Two beers.", datetime(2026, 3, 4, 5, 30, tzinfo=UTC)).day == date(2026, 3, 4)


def test_the_wearers_offset_decides_the_day_unless_the_note_has_its_own(store):
    far_east = days_row(date(2026, 3, 2), 600, datetime(2026, 3, 1, 21, tzinfo=UTC))
    write_days(store, far_east)
    assert add_text(store, ME, "One beer.", datetime(2026, 3, 2, 22, tzinfo=UTC)).day == date(2026, 3, 3)
    own = datetime.fromisoformat("2026-03-02T22:00:00-05:00")
    assert add_text(store, ME, "One beer.", own).day == date(2026, 3, 2)


def test_undo_and_confirm_are_revisions_with_their_own_time(store):
    entry = add_text(store, ME, NOTE)
    undone = undo(store, ME, entry.key[:8])
    table = store.read_table("journal_facts")
    assert undone.changed == len(entry.facts) == len(as_of_journal(table, store.clock())) + undone.changed
    assert receipt(add_text(store, ME, NOTE)).startswith("This note was undone")
    confirm(store, ME, entry.key)
    in_force = as_of_journal(store.read_table("journal_facts"), store.clock())
    assert set(in_force["status"]) == {"accepted"} and len(in_force) == len(entry.facts)
    assert store.read_table("journal_facts")["revision"].max() == 3


def test_a_draft_becomes_accepted_only_from_its_confirmation_on(settings):
    clock = [datetime(2026, 3, 4, 20, tzinfo=UTC)]
    store = Store(settings.home, clock=lambda: clock[0])
    entry = add_text(store, ME, "I think I had a few beers.")
    clock[0] += timedelta(hours=1)
    confirm(store, ME, entry.key)
    table = store.read_table("journal_facts")
    assert as_of_journal(table, clock[0] - timedelta(minutes=1))["status"].to_list() == ["draft"]
    assert as_of_journal(table, clock[0])["status"].to_list() == ["accepted"]


@pytest.mark.parametrize("key", ["", "abc", "ffff0000"])
def test_an_unknown_entry_is_said_to_be_unknown(store, key):
    add_text(store, ME, NOTE)
    with pytest.raises(UnknownEntry, match="key of one note"):
        undo(store, ME, key)


@pytest.mark.parametrize("text", ["", "  \n", "…", "\x00"])
def test_an_empty_text_is_no_note(store, text):
    with pytest.raises(NoSpeech):
        add_text(store, ME, text)
    assert store.record.members() == []


def test_an_endless_text_and_a_time_ahead_are_refused(store):
    with pytest.raises(BadEntry, match="at most"):
        add_text(store, ME, "beer " * MAX_TEXT_CHARS)
    with pytest.raises(BadEntry, match="from the past"):
        add_text(store, ME, "One beer.", store.clock() + timedelta(hours=1))
    with pytest.raises(BadEntry, match="offset"):
        add_text(store, ME, "One beer.", datetime(2026, 3, 4, 12))


def test_old_notes_count_as_known_when_they_were_recorded(store, tmp_path):
    lines = [
        {
            "recorded_at": f"2026-02-{day:02d}T21:40:00+01:00",
            "text": f"{day % 4} beers. Stress two out of five.",
        }
        for day in range(1, 29)
    ]
    bad = [
        "not json",
        '{"recorded_at": "2026-02-01", "text": "One beer."}',
        '{"text": "One beer."}',
        "[1]",
        "",
    ]
    file = tmp_path / "old.jsonl"
    file.write_text("\n".join([*map(json.dumps, lines), *bad]))
    done = backfill(store, ME, file)
    assert (done.entries, done.already) == (28, 0)
    assert [b["line"] for b in done.bad_lines] == [29, 30, 31, 32]
    table = store.read_table("journal_facts")
    assert set(table["basis"]) == {"inferred:recorded-at"}
    fact = table.filter(pl.col("day") == date(2026, 2, 3), pl.col("behaviour") == "alcohol").row(
        0, named=True
    )
    assert fact["amount"] == 3 and fact["known_at"] == datetime(2026, 2, 3, 20, 40, tzinfo=UTC)
    again = backfill(store, ME, file)
    assert (again.entries, again.already) == (0, 28)
    assert len(store.read_table("journal_facts")) == len(table)


def test_a_file_of_old_notes_may_lie_in_the_inbox(store, settings):
    line = json.dumps({"recorded_at": "2026-02-03T20:10:00+01:00", "text": "Two beers."})
    (store.folder("inbox") / "past.jsonl").write_text(f"{line}\nno note\n")
    done = ingest(store, settings, ME)
    assert (done.backfilled, [r["file"] for r in done.refused]) == (1, ["past.jsonl, line 2"])
    assert [p.name for p in store.folder("inbox").iterdir()] == ["refused"]
    assert [p.name for p in store.folder("inbox", "refused").iterdir()] == ["past.jsonl"], (
        "its bad line can be mended"
    )
    assert store.read_table("journal_facts")["basis"].to_list() == ["inferred:recorded-at"]


def test_old_notes_wait_for_confirmation_where_the_wearer_wants_it_so(store, settings, tmp_path):
    line = json.dumps({"recorded_at": "2026-02-03T20:10:00+01:00", "text": "Two beers."})
    for place in (tmp_path, store.folder("inbox")):
        (place / "past.jsonl").write_text(line.replace("Two", "Two" if place == tmp_path else "Three"))
    backfill(store, ME, tmp_path / "past.jsonl", auto_accept=False)
    assert ingest(store, settings.model_copy(update={"journal_auto_accept": False}), ME).backfilled == 1
    assert store.read_table("journal_facts")["status"].to_list() == ["draft", "draft"]


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [("0001-01-01T00:00:00+01:00", "since 1970"), ("9999-12-31T23:59:59-05:00", "from the past")],
)
def test_a_line_from_the_edge_of_the_calendar_stops_no_other(store, tmp_path, stamp, reason):
    good = {"recorded_at": "2026-02-03T20:10:00+01:00", "text": "Two beers."}
    file = tmp_path / "old.jsonl"
    file.write_text("\n".join(json.dumps(n) for n in ({**good, "recorded_at": stamp}, good)))
    done = backfill(store, ME, file)
    assert done.entries == 1 and [b["line"] for b in done.bad_lines] == [1]
    assert reason in done.bad_lines[0]["reason"]


def test_a_note_given_again_says_what_stands_in_the_record(store):
    entry = add_text(store, ME, NOTE)
    number = {f["behaviour"]: f["number"] for f in show(store, ME)[0]["facts"]}
    reject(store, ME, entry.key, [number["alcohol"]])
    confirm(store, ME, entry.key, [number["caffeine"]])
    again = add_text(store, ME, NOTE)
    stands = {f["behaviour"]: f["status"] for f in again.as_dict()["facts"]}
    assert stands == {f["behaviour"]: f["status"] for f in show(store, ME)[0]["facts"]}
    assert (stands["alcohol"], stands["caffeine"]) == ("rejected", "accepted")
    assert f"{len(entry.facts) - 1} facts)" in receipt(again)


def test_a_superseded_vintage_of_a_day_says_nothing_about_a_note(store):
    woken = datetime(2026, 3, 4, 2, tzinfo=UTC)
    early = days_row(date(2026, 3, 4), 60, woken)
    right = days_row(date(2026, 3, 4), 60, datetime(2026, 3, 4, 6, tzinfo=UTC))
    write_days(store, early, right)
    told = datetime(2026, 3, 4, 2, 30, tzinfo=UTC)  # half past three there: between the two wakings
    assert add_text(store, ME, "One beer.", told).day == date(2026, 3, 3)
    onset = {"sleep_onset_at": datetime(2026, 3, 4, 5, tzinfo=UTC)}
    write_days(store, {**early, **onset}, {**right, "sleep_onset_at": datetime(2026, 3, 3, 22, tzinfo=UTC)})
    dawn = datetime(2026, 3, 4, 4, 30, tzinfo=UTC)
    assert add_text(store, ME, "Two beers.", dawn).day == date(2026, 3, 4)


def test_the_table_is_the_records_and_byte_equal_when_rebuilt(store):
    for day in range(1, 5):
        add_text(store, ME, f"{day} beers. No magnesium.", datetime(2026, 3, day, 20, tzinfo=UTC))
    path = store.table_path("journal_facts")
    before = path.read_bytes()
    path.unlink()
    rebuild(store)
    assert path.read_bytes() == before


def test_show_gives_the_newest_first(store):
    for day in (1, 3, 2):
        add_text(store, ME, f"{day} beers.", datetime(2026, 3, day, 20, tzinfo=UTC))
    shown = show(store, ME, 2)
    assert [e["day"] for e in shown] == ["2026-03-03", "2026-03-02"]
    assert shown[0]["facts"][0]["behaviour"] == "alcohol"


def test_the_inbox_is_emptied_and_what_is_no_note_is_put_aside(store, settings):
    inbox = store.folder("inbox")
    (inbox / "a.txt").write_text("Two beers.")
    (inbox / "b.txt").write_bytes(b"\xff\xfe\x00bad")
    (inbox / "c.m4a").write_bytes(b"garbage" * 100)
    (inbox / "d.txt.part").write_text("still being copied")
    os.utime(inbox / "a.txt", (1_772_500_000, 1_772_500_000))  # 2026-03-03 01:06 UTC
    done = ingest(store, settings, ME)
    assert [e.transcript for e in done.entries] == ["Two beers."]
    assert [r["file"] for r in done.refused] == ["b.txt", "c.m4a"]
    assert "Expected flac" in done.refused[1]["reason"]
    assert {p.name for p in inbox.iterdir()} == {"d.txt.part", "refused"}
    assert [p.suffix for p in store.folder("audio").iterdir()] == [".txt"]
    assert ingest(store, settings, ME).entries == []
