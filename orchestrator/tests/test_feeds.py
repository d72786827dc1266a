"""Feeds: CSV, hubverse model output, calendar; each read back by another reader, and no member named in any."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from icalendar import Calendar

from hrv_shared.constants import QUANTILE_LEVELS
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store
from orchestrator.commands import run_own
from orchestrator.feeds.calendar import words_of
from orchestrator.feeds.hubverse import COLUMNS, TARGET
from orchestrator.feeds.pseudonym import load_salt, pseudonym

MEMBER = "Jane.Doe"
FIRST = date(2026, 5, 10)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A store with three days of two members' live forecasts."""
    clock = [datetime(2026, 5, 10, 7, tzinfo=UTC)]
    store = Store(tmp_path / "home", clock=lambda: clock[0])
    for day in range(3):
        origin = FIRST + timedelta(days=day)
        for slot, hour in (("morning", 7), ("evening", 20)):
            clock[0] = datetime(origin.year, origin.month, origin.day, hour, tzinfo=UTC)
            store.ledger.issue("live", [
                ForecastRow(member, slot, clock[0], origin, origin + timedelta(days=h), h, forecaster, "1",
                            tuple(base + day + h + k * 1.5 for k in range(23)), "digest")
                for member in (MEMBER, "other") for forecaster, base in (("final", 42.0), ("last_28", 40.0))
                for h in range(1, 8)
            ])  # fmt: skip
    monkeypatch.setenv("HRV_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HRV_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def export(home, capsys):
    def call(*arguments, code=0):
        with pytest.raises(SystemExit) as ended:
            run_own("export", ["forecasts", *arguments, "--json"])
        assert ended.value.code == code
        return json.loads(capsys.readouterr().out)

    return call


def everything_in(folder):
    return "".join(p.read_text() + str(p) for p in folder.rglob("*") if p.is_file())


def test_csv_holds_each_night_with_its_23_levels(export, home):
    told = export("--out", str(home / "f.csv"), "--since", "2026-05-11")
    with (home / "f.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == told["rows"] == 2 * 2 * 2 * 7
    assert {r["forecaster"] for r in rows} == {"final"} and {r["origin_day"] for r in rows} == {
        "2026-05-11",
        "2026-05-12",
    }
    first = rows[0]
    assert [float(first[f"q{level:g}"]) for level in QUANTILE_LEVELS] == [44.0 + 1.5 * k for k in range(23)]
    assert first["issued_at"].endswith("Z") and (home / "f.csv").stat().st_mode & 0o777 == 0o600


def test_the_hubs_files_have_the_names_columns_and_values_that_hubs_ask_for(export, home):
    told = export("--format", "hubverse", "--out", str(home / "hub"), "--forecaster", "all")
    assert told["rows"] == 3 * 2 * 2 * 2 * 7 and len(told["files"]) == 3 * 2 * 2
    for path in (home / "hub").rglob("*.csv"):
        model = path.parent.name
        team, hyphen, name = model.partition("-")
        assert team and hyphen and name.replace("_", "").isalnum(), "letters, digits and _ around one hyphen"
        assert path.parent.parent.name == "model-output"
        origin, rest = path.stem[:10], path.stem[11:]
        assert rest == model and date.fromisoformat(origin)
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        assert tuple(reader.fieldnames) == COLUMNS
        assert {r["origin_date"] for r in rows} == {origin} and {r["target"] for r in rows} == {TARGET}
        assert {r["output_type"] for r in rows} == {"quantile"}
        tasks = {}
        for row in rows:
            task = (row["location"], int(row["horizon"]))
            tasks.setdefault(task, []).append((float(row["output_type_id"]), float(row["value"])))
        assert {h for _, h in tasks} == set(range(1, 8)) and len({m for m, _ in tasks}) == 2
        for quantiles in tasks.values():
            assert tuple(level for level, _ in quantiles) == QUANTILE_LEVELS
            assert all(a[1] <= b[1] for a, b in pairwise(quantiles)), "values never fall"
    before = everything_in(home / "hub")
    export("--format", "hubverse", "--out", str(home / "hub"), "--forecaster", "all")
    assert everything_in(home / "hub") == before, "again gives the same"


def test_a_calendar_shows_each_night_once_as_last_forecast(export, home):
    export("--format", "ics", "--out", str(home / "c.ics"), "--member", MEMBER)
    data = (home / "c.ics").read_bytes()
    assert all(len(line) <= 75 for line in data.split(b"\r\n")) and data.endswith(b"END:VCALENDAR\r\n")
    calendar = Calendar.from_ical(data)
    events = calendar.walk("VEVENT")
    assert [e.decoded("dtstart") for e in events] == [FIRST + timedelta(days=d) for d in range(1, 10)]
    assert all(e.decoded("dtend") - e.decoded("dtstart") == timedelta(days=1) for e in events)
    assert len({str(e["uid"]) for e in events}) == 9 and not any(e.errors for e in events)
    last = events[-1]
    assert (
        last.decoded("dtstamp") == datetime(2026, 5, 12, 20, tzinfo=UTC)
        and "2026-05-12 (evening)" in last["description"]
    )
    assert {str(e["summary"]) for e in events} == {"HRV about your usual"}, "no number unless asked"
    again = (
        export("--format", "ics", "--out", str(home / "c.ics"), "--member", MEMBER),
        (home / "c.ics").read_bytes(),
    )
    assert again[1] == data
    export("--format", "ics", "--out", str(home / "n.ics"), "--member", MEMBER, "--numbers")
    first = Calendar.from_ical((home / "n.ics").read_bytes()).walk("VEVENT")[0]
    assert first["summary"] == "HRV about your usual: 60 ms (48 to 72)"


@pytest.mark.parametrize(
    ("usual", "words"),
    [(None, "HRV forecast"), (30.0, "HRV likely above your usual"), (51.0, "HRV about your usual"),
     (90.0, "HRV likely below your usual")],
)  # fmt: skip
def test_words_for_a_night(usual, words):
    quantiles = [40.0 + k for k in range(23)]
    assert words_of(quantiles, usual, numbers=False) == words


def test_nobody_is_named_and_the_same_salt_gives_the_same_pseudonym(export, home):
    for form, out in (("csv", "a/f.csv"), ("hubverse", "a/hub"), ("ics", "a/c.ics")):
        (home / "a").mkdir(exist_ok=True)
        export("--format", form, "--out", str(home / out))
    written = everything_in(home / "a")
    salt = load_salt(home / "config")
    assert MEMBER not in written and "other" not in written and pseudonym(MEMBER, salt) in written
    assert load_salt(home / "config") == salt and load_salt(home / "elsewhere") != salt
    assert (home / "config" / "export-salt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "{}/x.csv", "--book", "replay"], "hrv daily"),
        (["--out", "{}/no/folder/x.csv"], "can't be written"),
        (["--out", "{}/x.csv", "--since", "May"], "--since like 2026-03-01"),
        (["--out", "{}/x.ics", "--format", "ics", "--forecaster", "all"], "one forecaster"),
    ],
)
def test_what_can_not_be_written_is_said(export, home, arguments, words):
    told = export(*(part.format(home) for part in arguments), code=2)
    assert words in told["error"]["message"]
