"""Exporting: everything that is kept, readable by others, an equal database when unpacked, and no secret."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from hrv_shared import schemas
from hrv_shared.constants import HORIZONS, QUANTILE_LEVELS
from hrv_shared.errors import StoreError
from hrv_shared.exporting import export_all
from hrv_shared.ledger import ForecastRow
from hrv_shared.store import Store

DAY = date(2026, 6, 30)
AT = datetime(2026, 6, 30, 7, tzinfo=UTC)


@pytest.fixture
def store(tmp_path) -> Store:
    made = Store(tmp_path / "home")
    for text in ("two beers", "=cmd|' /C calc'!A0", "ünï“code”"):
        made.record.append(
            "me", "journal_entry", text, {"transcript": text}, known_at=AT, basis="seen", source="text"
        )
    quantiles = tuple(50.0 + k for k in range(len(QUANTILE_LEVELS)))
    made.ledger.issue(
        "replay",
        [ForecastRow("me", "morning", AT, DAY, DAY + timedelta(days=h), h, "final", "1", quantiles, "d", {"a": [1]})
         for h in HORIZONS],
    )  # fmt: skip
    row = dict.fromkeys(schemas.TABLES["days"].columns) | {
        "member_id": "me", "day": DAY, "known_at": AT, "basis": "seen", "source": "=1+1", "state": "scored",
        "utc_offset_min": 60, "hrv_rmssd_ms": 61.25, "flags": ["nap"],
    }  # fmt: skip
    made.write_table("days", pl.DataFrame([row], schema=schemas.TABLES["days"].columns, orient="row"))
    made.ledger.record_outcomes(made.read_table("days"))
    (made.home / "hrv.toml").write_text(
        'seed = 3\nllm_api_key = "hush-7c1"\nnotify_urls = "ntfy://hush-7c1"\n'
    )
    (made.reports_dir("daily") / "x.md").write_text("a report")
    (made.home / "service-token").write_text("hush-7c1")
    return made


def test_the_export_holds_everything_and_no_secret(store, tmp_path):
    done = export_all(store, tmp_path / "out" / "all.zip")
    assert (done["facts"], done["forecasts"], done["outcomes"], done["tables"]) == (3, 7, 1, 1)
    path = tmp_path / "out" / "all.zip"
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        everything = b"".join(archive.read(name) for name in names)
        facts = [json.loads(line) for line in archive.read("facts.jsonl").splitlines()]
        forecasts = [json.loads(line) for line in archive.read("forecasts.jsonl").splitlines()]
        days = pl.read_csv(io.BytesIO(archive.read("tables/days.csv")))
    assert {"README.txt", "record.sqlite", "ledger.head", "reports/daily/x.md", "hrv.toml"} <= names
    assert [f["payload"]["transcript"] for f in facts] == ["two beers", "=cmd|' /C calc'!A0", "ünï“code”"]
    assert forecasts[0]["reasons"] == {"a": [1]}
    assert days["source"][0] == "'=1+1"
    assert days["flags"][0] == '["nap"]'
    assert b"hush-7c1" not in everything


def test_unpacked_into_an_empty_folder_it_is_an_equal_store(store, tmp_path):
    export_all(store, tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extractall(tmp_path / "again")
    again = Store(tmp_path / "again")
    assert list(again.record.facts()) == list(store.record.facts())
    assert again.ledger.verify() == []
    assert again.ledger.forecasts().equals(store.ledger.forecasts())
    assert again.ledger.outcomes().equals(store.ledger.outcomes())


def test_nothing_to_export_is_said_and_nothing_left_behind(tmp_path):
    with pytest.raises(StoreError, match="nothing to export"):
        export_all(Store(tmp_path / "empty"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_place_that_cannot_be_written_to_is_a_sentence(store, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Choose another place"):
        export_all(store, tmp_path / "file" / "x.zip")
