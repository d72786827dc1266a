"""The reliability report: from the ledger alone, a segment at a time, claiming nothing that can't be told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import polars as pl
import pytest
from scipy import stats

from data_intelligence.reliability import build_reliability, write_reliability
from data_intelligence.reliability.layout import Reliability
from data_intelligence.reliability.rows import band_of
from data_intelligence.reliability.text import reliability_text
from data_intelligence.segments import scored_rows
from hrv_shared.scoring import score_rows, scorecard

NIGHTS = 90


@pytest.fixture(scope="module")
def ledger_home(world, synth, tmp_path_factory):
    """Ninety replayed nights: a forecaster that knows alcohol, one blind to it, an agent whose prompt changed once."""
    store = world.write(tmp_path_factory.mktemp("reliability") / "home", synth.at(world.last_day, 24.0 * 14))
    drunk = set(world.journal.filter(pl.col("behaviour") == "alcohol")["night"])
    rows = []
    for back in range(NIGHTS, 0, -1):
        origin = world.last_day - timedelta(days=back)
        hit = -14.0 if origin + timedelta(days=1) in drunk else 0.0
        agent = {"segment": "old" if back > 50 else "new", "rationale": "Alcohol." if hit else "Quiet."}
        said = {
            "last_night": (14.0, 12.0, None), "last_28": (6.0, 10.0, None), "ewma_8": (5.0, 10.0, None),
            "mix": (0.0, 9.0, None), "final": (hit * 0.8, 9.0, None), "agent": (hit, 2.0, agent),
        }  # fmt: skip
        for name, (bias, sd, reasons) in said.items():
            rows += synth.forecast_rows(
                world, origin, "evening", name, bias_ms=bias, sd_ms=sd, reasons=reasons
            )
    store.ledger.issue("replay", rows)
    store.ledger.record_outcomes(world.days)
    store.ledger.close()
    return store.home


@pytest.fixture
def scored(ledger_home, now, tmp_path):
    import shutil

    from hrv_shared.store import Store

    shutil.copytree(ledger_home, tmp_path / "home")
    return Store(tmp_path / "home", clock=lambda: now)


def row_of(report: Reliability, forecaster: str, horizons: str = "1", segment: str | None = None):
    return next(
        r for r in report.rows
        if (r.forecaster, r.horizons) == (forecaster, horizons) and segment in (None, r.segment)
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(ledger_home, world, synth):
    from hrv_shared.store import Store

    store = Store(ledger_home, clock=lambda: synth.at(world.last_day, 24.0 * 14))
    return build_reliability(store, world.issue()).report


def test_every_figure_is_that_of_a_plain_reckoning(report, scored, world):
    rows = score_rows(scored.ledger.forecasts("replay"), scored.ledger.outcomes()).filter(
        pl.col("horizon") == 1
    )
    own = rows.filter(pl.col("forecaster") == "final").sort("target_day")
    naive = {
        n: rows.filter(pl.col("forecaster") == n).sort("target_day")
        for n in ("last_night", "last_28", "ewma_8")
    }
    best = min(naive, key=lambda n: naive[n]["crps_ms"].mean())
    row = row_of(report, "final")
    assert (row.n, row.reference) == (len(own), best)
    assert row.crps_ms == pytest.approx(own["crps_ms"].mean(), abs=0.006)
    assert row.skill_pct == pytest.approx(
        100 * (1 - own["crps_ms"].sum() / naive[best]["crps_ms"].sum()), abs=0.06
    )
    assert [b.observed_pct for b in row.bands] == [
        pytest.approx(100 * own[f"in_{m}"].mean(), abs=0.06) for m in (50, 80, 95)
    ]
    assert sum(row.pit.counts) == len(own)
    assert row.skill_low_pct < row.skill_pct < row.skill_high_pct


def test_its_intervals_are_those_of_the_scorecard(report, scored, issue):
    """One number, one interval: a reader who finds two asks which is right."""
    for card in scorecard(scored_rows(scored, issue.member_id, issue.as_of)).iter_rows(named=True):
        if card["forecaster"] != "agent" and card["forecaster"] != card["reference"] and card["horizons"] == "1":
            row = row_of(report, card["forecaster"])
            ends = [round(100 * card[end], 1) for end in ("skill_low", "skill_high")]
            assert [row.skill_low_pct, row.skill_high_pct] == ends


def test_segments_of_the_agent_are_never_pooled(report):
    old, new = row_of(report, "agent", segment="old"), row_of(report, "agent", segment="new")
    assert (old.n, new.n) == (40, 50)
    assert (old.is_newest, new.is_newest) == (False, True)
    assert old.last_day < new.first_day
    assert {r.n for r in report.rows if r.forecaster == "agent" and r.horizons == "1"} == {40, 50}


def test_a_combination_keeps_its_segment_whoever_spoke_that_night(scored, world, synth, issue):
    rows = [
        replace(row, version=f"2.0.0+0123abcd.{k:04x}")
        for k in range(3)
        for row in synth.forecast_rows(world, world.last_day - timedelta(days=100 + k), "evening", "other")
    ]
    scored.ledger.issue("replay", rows)
    found = scored_rows(scored, synth.member, issue.as_of).filter(pl.col("forecaster") == "other")
    assert set(found["segment"]) == {"2.0.0+0123abcd"}
    assert found["version"].n_unique() == 3


def test_the_band_of_chance_is_binomial():
    inside = pl.Series([True] * 70 + [False] * 30)
    band = band_of(inside, 80, 100)
    low, high = stats.binom.interval(0.9, 100, 0.8)
    assert (band.chance_low_pct, band.chance_high_pct) == (low, high)
    assert not band.holds
    assert band_of(pl.Series([True] * 80 + [False] * 20), 80, 100).holds


def test_bands_that_are_too_narrow_are_called_out(report):
    agent = row_of(report, "agent", segment="new")
    assert not any(band.holds for band in agent.bands)
    assert agent.pit.p_value < 0.01
    assert "not flat" in agent.pit.sentence


def test_nothing_is_claimed_on_few_nights(scored, world, synth, issue):
    early = world.last_day - timedelta(days=NIGHTS - 12)
    past = replace(issue, origin_day=early, as_of=synth.at(early, 21.5))
    report = build_reliability(scored, past).report
    assert {r.verdict for r in report.rows if r.forecaster == "final"} == {"cannot tell yet"}
    power = row_of(report, "final").power
    assert "more nights before even the question" in power.sentence
    assert report.succeeds == report.fails == ()


def test_it_says_how_many_more_nights_or_that_there_is_no_edge(report):
    waiting = [r for r in report.rows if r.verdict == "cannot tell yet" and r.horizons == "1" and r.n >= 16]
    assert waiting
    for row in waiting:
        has_edge = row.skill_pct > 0
        assert (row.power.nights_more is not None) == has_edge
        assert ("more nights" in row.power.sentence or "years" in row.power.sentence
                or "nearly" in row.power.sentence) == has_edge  # fmt: skip


def test_it_finds_where_the_forecast_succeeds(report):
    after = next(g for g in report.groups if g.group == "after alcohol")
    assert after.verdict == "succeeds" or after.n < 30
    assert (
        after.skill_pct
        > next(g for g in report.groups if g.group == "nothing was said in the journal").skill_pct
    )
    outcome = [g for g in report.groups if g.by_outcome]
    assert outcome and all(g.verdict == "chosen by outcome" for g in outcome)


def test_it_finds_where_the_forecast_fails(scored, world, synth, issue):
    """A product that is sound on other days and says 25 ms too much for every Monday."""
    rows = []
    for back in range(214, 0, -1):
        origin = world.last_day - timedelta(days=back)
        monday = (origin + timedelta(days=1)).weekday() == 0
        rows += synth.forecast_rows(world, origin, "morning", "last_28", bias_ms=2.0, sd_ms=10.0)
        rows += synth.forecast_rows(
            world, origin, "morning", "final", bias_ms=25.0 if monday else 0.0, sd_ms=10.0
        )
    scored.ledger.issue("replay", rows)
    report = build_reliability(scored, replace(issue, slot="morning")).report
    assert report.focus.slot == "morning"
    verdicts = {g.group: g.verdict for g in report.groups}
    assert verdicts["Mondays"] == "fails"
    assert any(line.startswith("Mondays") for line in report.fails)


def test_the_worst_misses_tell_what_was_known_and_who_said_what(report, scored, world, issue):
    rows = score_rows(scored.ledger.forecasts("replay", forecaster="final"), scored.ledger.outcomes())
    worst = rows.filter(pl.col("horizon") == 1).sort("crps_ms", descending=True)["target_day"][:5].to_list()
    assert [miss.target_day for miss in report.misses] == worst
    facts = world.journal.filter(pl.col("behaviour") != "free_note")
    for miss in report.misses:
        assert {w.forecaster for w in miss.words} == {
            "last_night",
            "last_28",
            "ewma_8",
            "mix",
            "final",
            "agent",
        }
        noted = set(facts.filter(pl.col("night") == miss.target_day)["behaviour"])
        assert {f.text.split(":")[0].replace(" ", "_") for f in miss.known} == noted
        assert next(w for w in miss.words if w.forecaster == "agent").rationale in ("Alcohol.", "Quiet.")


def test_a_post_mortem_is_shown_with_where_it_stands(scored, synth, issue, report):
    day = report.misses[0].target_day - timedelta(days=1)
    key = f"replay:{synth.member}-{day}-evening"
    scored.record.append(
        synth.member, "post_mortem", key, {"text": "It was the late meal, not the drinks."},
        known_at=synth.at(day, 32.0), basis="seen", source="llm-agent",
    )  # fmt: skip
    again = build_reliability(scored, issue).report
    miss = again.misses[0]
    assert miss.post_mortem == "It was the late meal, not the drinks."
    assert again.evidence[miss.post_mortem_evidence].where == (f"record/post_mortem/{key}",)


def test_an_alert_that_stood_then_is_among_what_was_known(scored, synth, issue, report):
    day = report.misses[0].target_day - timedelta(days=1)
    payload = {"book": "replay", "kind": "illness", "day": day.isoformat(), "raised": True,
               "sentence": "Illness is likely.", "as_of": synth.at(day, 8.0).isoformat()}  # fmt: skip
    late = payload | {
        "kind": "travel",
        "as_of": synth.at(day, 40.0).isoformat(),
        "sentence": "Known too late.",
    }
    for alert in (payload, late):
        scored.record.append(synth.member, "alert", f"replay:{day}:{alert['kind']}", alert,
                             known_at=scored.clock(), basis="seen", source="data_intelligence")  # fmt: skip
    again = build_reliability(scored, issue).report
    known = [fact for fact in again.misses[0].known if fact.kind == "alert"]
    assert [fact.text for fact in known] == ["Illness is likely."]
    assert again.evidence[known[0].evidence].where == (f"record/alert/replay:{day}:illness",)


def test_what_was_scored_later_changes_no_byte(scored, world, synth, issue, tmp_path):
    origin = world.last_day - timedelta(days=40)
    past = replace(issue, origin_day=origin, as_of=synth.at(origin, 21.5))
    before = build_reliability(scored, past).report.model_dump_json()
    more = synth.forecast_rows(world, world.last_day - timedelta(days=2), "evening", "rules", bias_ms=90.0)
    scored.ledger.issue("replay", more)
    assert build_reliability(scored, past).report.model_dump_json() == before
    assert "rules" in {r.forecaster for r in build_reliability(scored, issue).report.rows}


class Links(HTMLParser):
    """Collects what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in ("script", "link", "iframe", "img", "object", "embed"):
            self.fetched.append(tag)
        self.fetched += [v for k, v in attrs if k in ("src", "href", "xlink:href") and not v.startswith("#")]
        if "id" in values:
            self.ids.append(values["id"])


def test_the_page_stands_alone_and_is_written_alike_each_time(scored, issue):
    report, files = write_reliability(scored, issue)
    first = {path.name: path.read_bytes() for path in files}
    assert first == {path.name: path.read_bytes() for path in write_reliability(scored, issue)[1]}
    assert {path.suffix for path in files} == {".html", ".json", ".svg"}
    page = files[0].read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert links.fetched == []
    assert len(links.ids) == len(set(links.ids))
    assert "url(http" not in page and "@import" not in page
    assert "prefers-color-scheme:dark" in page and "@media print" in page
    assert Reliability.model_validate(json.loads(files[1].read_text(encoding="utf-8"))) == report
    cited = set(re.findall(r'href="#(E\d+)"', page))
    assert cited <= set(report.evidence)
    assert cited <= set(links.ids)


def test_journal_words_stay_words_on_the_page(scored, synth, issue, report):
    day = report.misses[0].target_day - timedelta(days=1)
    scored.record.append(
        synth.member, "post_mortem", f"replay:{synth.member}-{day}-evening", {"text": "<script>alert(1)</script>"},
        known_at=synth.at(day, 32.0), basis="seen", source="llm-agent",
    )  # fmt: skip
    page = write_reliability(scored, issue)[1][0].read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_terminal_shows_one_screen(report):
    text = reliability_text(report)
    assert max(map(len, text.splitlines())) <= 100
    for words in ("WHERE IT SUCCEEDS", "WHERE IT FAILS", "WORST MISSES", "NOT KNOWN", "°agent"):
        assert words in text


def test_an_empty_ledger_says_so(world, issue, now, tmp_path):
    store = world.write(tmp_path / "home", now)
    report, files = write_reliability(store, issue)
    assert report.focus is None
    assert report.rows == report.misses == ()
    assert "Nothing has been scored yet" in report.headline
    assert [path.stat().st_size > 500 for path in files] == [True] * 6
    assert "Not scored yet: final, mix" in " ".join(report.unknown)
