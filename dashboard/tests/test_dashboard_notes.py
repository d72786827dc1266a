"""Speaking and typing: a note goes in, is read, corrected, confirmed and taken back; a failed one is not lost."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

pytest.importorskip("journal_analysis", reason="notes are read by the room journal_analysis")

NOTE = "Two beers, the last at nine. Hard run, one hour."


def noted(visit, text=NOTE, **more):
    answer = visit("/api/journal", "POST", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def fact(note, behaviour):
    return next(f for f in note["facts"] if f["behaviour"] == behaviour)


def job_of(app, visit, answer):
    """The job when it has ended."""
    number = answer.json()["id"]
    assert app.desk.jobs.get(number).ended.wait(100)
    return visit(f"/api/jobs/{number}").json()


def test_a_typed_note_is_read_confirmed_corrected_and_taken_back(store, visit):
    note = noted(visit)["note"]
    key = note["entry"]
    assert fact(note, "alcohol")["amount"] == 2
    number = fact(note, "alcohol")["number"]
    corrected = visit(f"/api/journal/{key}/correct", "POST", json={"number": number, "amount": "3"}).json()
    assert fact(corrected, "alcohol")["amount"] == 3
    confirmed = visit(f"/api/journal/{key}/confirm", "POST").json()
    assert confirmed["state"] == "confirmed"
    assert {f["status"] for f in confirmed["facts"]} == {"accepted"}
    back = visit(f"/api/journal/{key}/undo", "POST").json()
    assert back["state"] == "kept"
    assert fact(back, "alcohol")["amount"] == 3
    assert fact(visit(f"/api/journal/{key}/undo", "POST").json(), "alcohol")["amount"] == 2
    edited = visit(f"/api/journal/{key}/edit", "POST", json={"text": "One beer."}).json()
    assert fact(edited, "alcohol")["amount"] == 1
    assert visit("/api/journal").json()["notes"][0]["transcript"] == "One beer."


def test_a_single_fact_is_rejected(store, visit):
    note = noted(visit)["note"]
    number = fact(note, "workout")["number"]
    left = visit(f"/api/journal/{note['entry']}/reject", "POST", json={"number": number}).json()
    assert "workout" not in {f["behaviour"] for f in left["facts"]}
    assert "alcohol" in {f["behaviour"] for f in left["facts"]}


def test_another_day_is_filled_in_on_its_evening_and_known_from_now_on(store, visit):
    day = (store.clock() - timedelta(days=3)).date().isoformat()
    note = noted(visit, day=day)["note"]
    assert note["recorded_at"].startswith(f"{day}T21:00")
    (told,) = [f for f in store.record.facts("journal_entry", "me") if f.key == note["entry"]]
    assert told.known_at.date() >= (store.clock() - timedelta(minutes=5)).date()


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [("/api/journal", {"text": ""}, 409), ("/api/journal", {"text": 7}, 400), ("/api/journal", {}, 400),
     ("/api/journal", {"text": "a beer", "day": "yesterday"}, 400), ("/api/journal/ffffffff/confirm", {}, 409),
     ("/api/journal/ffffffff/burn", {}, 400), ("/api/journal/ffffffff/correct", {"number": "x"}, 400)],
)  # fmt: skip
def test_what_is_no_note_is_refused_with_a_sentence(store, visit, path, said, status):
    answer = visit(path, "POST", json=said)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_the_wearer_says_what_a_sentence_means(store, visit):
    agent = pytest.importorskip("llm_agent", reason="sentences are read by the room llm_agent")
    words = 'Feet up with "the cat" <b>'
    said = {"words": words, "means": "relief, a lot"}
    part = visit("/api/reading", "POST", json=said, headers={"hx-request": "true"})
    assert "Feet up with &#34;the cat&#34; &lt;b&gt;" in part.text and "<b>" not in part.text
    assert '<option value="relief, a lot" selected>' in part.text
    own = agent.own_readings.own_readings(store, "me", store.clock() + timedelta(minutes=1))
    assert own == {"feet up with the cat b": "relief, a lot"}
    assert visit("/api/reading", "POST", json={"words": words, "means": ""}).json()["yours"] is False
    assert agent.own_readings.own_readings(store, "me", store.clock() + timedelta(minutes=1)) == {}
    for said in ({"words": words}, {"words": 7, "means": ""}, {"words": words, "means": "great"}):
        answer = visit("/api/reading", "POST", json=said)
        assert answer.status_code in (400, 409) and "Expected" in answer.json()["error"]["message"], said


def test_every_meaning_that_the_page_offers_is_one_that_the_agent_knows(store, visit):
    agent = pytest.importorskip("llm_agent", reason="sentences are read by the room llm_agent")
    said = {"words": "Feet up.", "means": ""}
    part = visit("/api/reading", "POST", json=said, headers={"hx-request": "true"}).text
    assert set(re.findall(r'<option value="([^"]*)"', part)) == {"", *agent.own_readings.VERDICTS}


def test_how_a_note_is_read_is_shown_before_any_forecast(store, visit, app):
    pytest.importorskip("llm_agent", reason="sentences are read by the room llm_agent")
    from hrv_shared.settings import load_settings

    note = noted(visit, "Two beers. Grandad died this morning.")["note"]
    assert "hrv models fetch reader" in visit(f"/api/reading?day={note['day']}").json()["error"]["message"]
    app.desk.own = app.desk.own.model_copy(update={"cache_dir": load_settings({}).cache_dir})
    answer = visit(f"/api/reading?day={note['day']}")
    if answer.status_code != 200:
        pytest.skip(answer.json()["error"]["message"])
    (one,) = answer.json()["sentences"]
    assert one["words"] == "Grandad died this morning." and one["about"].startswith("heart")
    shown = visit(f"/api/reading?day={note['day']}", headers={"hx-request": "true"}).text
    assert "a strain on the mind" in shown and shown.count("<select") == 1


def test_htmx_gets_the_note_as_a_part_of_the_page(store, visit):
    answer = visit("/api/journal", "POST", json={"text": NOTE}, headers={"hx-request": "true"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "alcohol: 2 drinks" in answer.text
    assert "<html" not in answer.text


def test_what_is_no_recording_is_refused_and_set_aside(store, visit, app):
    job = visit("/api/speak", "POST", files={"file": ("note", b"no sound at all", "audio/webm")})
    assert job.status_code == 202
    done = job_of(app, visit, job)
    assert (done["state"], done["error"]["code"]) == ("failed", "UnreadableAudio")
    inbox = store.home / "inbox"
    assert len(list((inbox / "refused").iterdir())) == 1
    assert [p for p in inbox.iterdir() if p.is_file()] == []


def test_a_recording_that_could_not_be_written_down_waits_in_the_inbox(store, visit, app, monkeypatch):
    import sys

    import dashboard.notes as notes

    broken = [sys.executable, "-c", "import sys; sys.exit(3)"]
    monkeypatch.setattr(notes, "room_command", lambda *_: broken)
    done = job_of(app, visit, visit("/api/speak", "POST", files={"file": ("note", b"words", "audio/webm")}))
    assert done["state"] == "failed"
    (waiting,) = (store.home / "inbox").glob("spoken-*.webm")
    assert waiting.read_bytes() == b"words"


def test_the_uploading_routes_take_one_file_of_their_own_kind(store, visit):
    for path in ("/api/speak", "/api/import"):
        assert visit(path, "POST", json={}).status_code == 415
        assert visit(path, "POST", files={"a": b"1", "b": b"2"}).status_code == 400
    assert (
        visit("/api/import", "POST", files={"file": ("x.zip", b"no zip", "application/zip")}).status_code
        == 400
    )


def test_a_spoken_note_is_written_down_by_whisper(store, visit, app):
    import journal_analysis
    from hrv_shared.models import status
    from hrv_shared.settings import load_settings

    cache = load_settings({}).cache_dir
    if not any(m.name == "whisper-base" and m.state == "ready" for m in status(cache_dir=cache)):
        pytest.skip("needs Whisper base in the model cache: hrv models fetch asr")
    app.desk.own = app.desk.own.model_copy(update={"cache_dir": cache})

    flac = Path(journal_analysis.__file__).parent / "data" / "demo_note.flac"
    done = job_of(
        app, visit, visit("/api/speak", "POST", files={"file": ("n", flac.read_bytes(), "audio/flac")})
    )
    assert done["state"] == "done", done
    note = visit(f"/api/journal/{done['result']['entry']}").json()
    assert fact(note, "alcohol")["amount"] == 2
    assert list((store.home / "audio").iterdir())
    visit(f"/api/journal/{note['entry']}/confirm", "POST")
    assert list((store.home / "audio").iterdir()) == []
