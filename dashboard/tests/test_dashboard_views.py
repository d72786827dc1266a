"""What the views show: the ledger's numbers, replay as replay, trouble as a sentence, everybody's words escaped."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from conftest import LAST_DAY, PORT, TOKEN
from dashboard.why_parts import add_up
from dashboard.words import chance_words, compared_words, local_words, short_day
from hrv_shared.store import write_bytes_atomic

for room in ("data_intelligence", "journal_analysis", "model_training"):
    pytest.importorskip(room, reason=f"the views show what the room {room} says")

VIEWS = ("/", "/speak", "/tonight", "/track", "/moves", "/settings")
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' {{7*7}} two beers"


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.ids = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]


def test_the_first_page_says_it_in_a_sentence_a_number_and_a_week(reported, visit):
    answer = visit("/")
    assert answer.status_code == 200
    page = answer.text
    assert "Replayed, no live forecast" in page
    assert '<p class="big"><span>60</span> ms</p>' in page
    assert re.search(r"<h1[^>]*>Wednesday: .*usual", page)
    assert page.count("Wed 1 Jul") >= 2
    assert "Make what is due" in page


def test_the_api_gives_the_card_of_the_command(reported, visit):
    from data_intelligence import chosen_issue, today_card

    card = today_card(reported, chosen_issue(reported, "me")).model_dump(mode="json")
    told = visit("/api/today").json()
    assert told["card"] == json.loads(json.dumps(card))
    assert told["card"]["tomorrow"]["p50_ms"] == 60.0


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_what_a_screen_reader_needs_and_nothing_that_the_policy_forbids(reported, visit, view):
    page = visit(view).text
    tags = Tags(page)
    assert tags.elements.count("h1") == 1
    assert tags.elements.count("main") == 1
    assert '<html lang="en">' in page
    assert 'class="skip"' in page
    assert len(tags.ids) == len(set(tags.ids))
    assert "style" not in tags.elements
    for tag, name, value in tags.attributes:
        assert name != "style", (tag, value)
        assert not (name.startswith("on") and name not in ("on",)), (tag, name)
        if name in ("src", "href", "hx-get", "hx-post", "action"):
            assert value.startswith(("/", "#")), (tag, name, value)
        if tag == "script":
            assert name in ("src", "defer")
    assert not re.search(r"<script[^>]*>[^<]", page)


@pytest.mark.parametrize("view", VIEWS)
def test_a_store_with_nothing_in_it_is_no_error(visit, view):
    answer = visit(view)
    assert answer.status_code == 200
    assert "hrv" in answer.text


def test_without_nights_the_first_page_says_how_to_begin(visit):
    page = visit("/").text
    for way in ("Make the demo member", "Drop the ZIP here", "Connect in Settings"):
        assert way in page
    api = visit("/api/today")
    assert (api.status_code, api.json()["error"]["code"]) == (404, "TooFewNights")


def test_a_refusal_and_a_note_are_escaped_in_every_view(reported, visit):
    from data_intelligence import chosen_issue
    from journal_analysis import add_text

    issue = chosen_issue(reported, "me")
    reported.record.append(
        "me", "refusal", "x",
        {"forecaster": "agent", "code": "X", "message": ATTACK, "issue": issue.describe()},
        known_at=reported.clock(), basis="seen", source="llm-agent",
    )  # fmt: skip
    reported.record.append(
        "me", "post_mortem", f"replay:{issue.name}", {"sentence": ATTACK},
        known_at=reported.clock(), basis="seen", source="llm-agent",
    )  # fmt: skip
    add_text(reported, "me", ATTACK)
    pages = {view: visit(view).text for view in VIEWS}
    assert "&lt;script&gt;alert(1)" in pages["/"]
    assert "&lt;script&gt;alert(1)" in pages["/speak"]
    for view, page in pages.items():
        assert "<script>alert" not in page, view
        assert "<img" not in page, view
        assert "49 two beers" not in page, view
        assert not re.search(r"<script[^>]*>[^<]", page), view


def test_the_first_page_tells_how_each_sentence_was_read(reported, visit):
    pytest.importorskip("llm_agent", reason="the sentences are read by the room llm_agent")
    from data_intelligence import chosen_issue

    issue = chosen_issue(reported, "me")
    answers = [{"about": "J1", "text": '{"about": "heart, a lot", "sure": 0.94}'}]
    reported.record.append(
        "me", "llm_call", f"{issue.book}:{issue.name}",
        {"sentences": {"J1": f"Our dog died. {ATTACK}"}, "withheld": 1, "reply": {"answers": answers}},
        known_at=reported.clock(), basis="seen", source="llm-agent",
    )  # fmt: skip
    page = visit("/").text
    assert "Our dog died. &lt;script&gt;" in page and "a strain on the mind, a lot (94 % sure)" in page
    assert "1 not read" in page and "<script>alert" not in page


def test_the_demo_is_marked_on_every_view(reported, visit):
    assert "This member does not exist" not in visit("/").text
    (reported.home / ".hrv-demo").write_bytes(b"made by a test\n")
    for view in VIEWS:
        assert "This member does not exist" in visit(view).text, view


def test_an_older_page_is_not_shown_when_the_store_has_changed(reported, visit):
    assert "The agent did not" not in visit("/").text
    first = visit("/api/today").json()
    path = reported.reports_dir("daily") / f"me-{LAST_DAY}-{first['card']['slot']}.json"
    summary = json.loads(path.read_text())
    summary["baseline"]["mean_60d_ms"] = 99.0
    write_bytes_atomic(path, json.dumps(summary).encode())
    assert visit("/api/today").json()["card"]["baseline_ms"] == 99.0


def test_a_damaged_summary_is_said_and_no_old_card_shown(reported, visit):
    for path in reported.reports_dir("daily").glob("me-*.json"):
        path.write_text("{}")
    answer = visit("/api/today")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "DamagedReport")
    assert "hrv daily" in visit("/").text or "data_intelligence daily" in visit("/").text


@pytest.mark.parametrize(
    ("parts", "sums_to"),
    [({"base": 64.06, "a": -6.54, "b": -1.35}, 56.2), ({"base": 60.05, "a": 0.04, "b": 0.04, "c": 0.04}, 60.2),
     ({"base": 50.0}, 50.0), ({"base": 61.949, "a": -0.051}, 61.9)],
)  # fmt: skip
def test_rounded_parts_add_up(parts, sums_to):
    rounded = add_up(parts)
    assert round(sum(rounded.values()), 1) == sums_to
    assert all(abs(rounded[name] - parts[name]) < 0.1 + 1e-9 for name in parts)


def test_words_for_chances_rise_with_them():
    assert compared_words(0.05) == "very likely below your usual"
    assert compared_words(0.5) == "about your usual"
    assert compared_words(0.95) == "very likely above your usual"
    assert chance_words(0.01) == "less than 1 in 10"
    assert chance_words(0.2) == "about 2 in 10"
    assert chance_words(None).startswith("unknown")


def test_times_are_on_the_wearers_clock():
    assert local_words("2026-07-01T22:30:00+00:00", 120) == "Thu 2 Jul, 00:30"
    assert local_words("2026-07-01T22:30:00+02:00", -300) == "Wed 1 Jul, 15:30"
    assert short_day("2026-12-24") == "Thu 24 Dec"


def test_files_are_packed_kept_and_only_from_their_folder(visit):
    packed = visit("/static/page.css")
    assert packed.headers["content-encoding"] == "gzip"
    assert "immutable" in packed.headers["cache-control"]
    assert "prefers-color-scheme: dark" in packed.text
    for path in ("/static/../page.py", "/static/%2e%2e/page.py", "/static/vendor/../../page.py", "/static/"):
        assert visit(path).status_code in (400, 404), path


def test_status_tells_whether_there_is_a_card(reported):
    import os
    import subprocess
    import sys

    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {"HRV_HOME": str(reported.home)}
    command = [sys.executable, "-m", "dashboard", "status", "--port", "1", "--json"]
    told = json.loads(
        subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60).stdout
    )
    assert (told["has_card"], told["serving"], told["trouble"]) == (True, False, None)
    assert TOKEN not in json.dumps(told)
    assert PORT != 1
