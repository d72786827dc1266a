"""What the page shows: the ledger's numbers, replay as replay, trouble as a sentence."""

from __future__ import annotations

import json
import re

import pytest


def test_it_shows_the_card_the_week_and_the_plots(reported, visit):
    answer = visit("/")
    page = answer.text
    assert answer.status_code == 200
    assert "REPLAYED as of 2026-06-30" in page
    assert "Wed 1 Jul: 60 ms" in page
    assert page.count('class="fan"') == 7
    assert page.count("<figure><svg") == 3
    assert "No final forecast" not in page


def test_the_api_gives_the_same_card_as_the_command(reported, visit):
    from data_intelligence import chosen_issue, today_card

    card = today_card(reported, chosen_issue(reported, "me")).model_dump(mode="json")
    assert visit("/api/today").json() == json.loads(json.dumps(card))
    assert card["tomorrow"]["p50_ms"] == 60.0


def test_every_id_of_the_page_is_unique_although_three_plots_stand_on_it(reported, visit):
    ids = re.findall(r'\bid="([^"]+)"', visit("/").text)
    assert len(ids) == len(set(ids)) > 50


def test_nothing_on_the_page_needs_what_the_policy_forbids(reported, visit):
    page = visit("/").text
    for banned in ("<script", " style=", "<style", "javascript:", "http://cdn", "https://"):
        assert banned not in page
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert {link for link in links if not link.startswith("#")} == {"/static/page.css", "/api/today"}


def test_journal_words_and_refusals_are_escaped(reported, visit):
    from data_intelligence import chosen_issue

    issue = chosen_issue(reported, "me")
    reported.record.append(
        "me", "refusal", "x",
        {"forecaster": "agent", "code": "X", "message": "<script>alert(1)</script>", "issue": issue.describe()},
        known_at=reported.clock(), basis="seen", source="llm-agent",
    )  # fmt: skip
    page = visit("/").text
    assert "The agent did not forecast: &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def test_no_forecast_is_a_sentence_with_404(settings, visit):
    pytest.importorskip("data_intelligence", reason="the card is made by the room data_intelligence")
    answer = visit("/")
    assert answer.status_code == 404
    assert "hrv pull" in answer.text
    api = visit("/api/today")
    assert api.status_code == 404
    assert api.json()["error"]["code"] == "TooFewNights"


def test_a_spoiled_plot_is_left_out_and_said(reported, visit):
    folder = reported.reports_dir("daily")
    path = next(folder.glob("*-history.svg"))
    path.write_text(path.read_text().replace("<defs>", "<script>1</script><defs>", 1))
    page = visit("/").text
    assert "holds more than a drawing" in page
    assert "<figure>" not in page
    assert "<script" not in page


def test_the_style_is_served_here(visit):
    answer = visit("/static/page.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in answer.text
    assert "url(" not in answer.text
