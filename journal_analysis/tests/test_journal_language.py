"""Notes in other languages are kept and yield nothing; terse English is never taken for one of them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from journal_analysis import add_text, edit, receipt, show
from journal_analysis.languages import language_name, language_of_text
from journal_analysis.reading import ASKED, read_facts
from journal_analysis.telling import Spoken
from journal_analysis.transcript import Transcript, Word

CASES = Path(__file__).with_name("language_cases")
ENGLISH = (CASES / "en_terse.txt").read_text(encoding="utf-8").splitlines()
FOREIGN = [
    (path.stem, line)
    for path in sorted(CASES.glob("*.txt"))
    if path.stem != "en_terse"
    for line in path.read_text(encoding="utf-8").splitlines()
]
SPOKEN = Spoken(datetime(2026, 3, 4, 20, tzinfo=UTC), 60, date(2026, 3, 4))
ME = "me"


def test_there_are_enough_notes():
    assert len(set(ENGLISH)) >= 60
    assert len(FOREIGN) >= 40 and len({language for language, _ in FOREIGN}) >= 8


@pytest.mark.parametrize("text", ENGLISH)
def test_terse_english_is_not_swallowed(text):
    """Neither with what the rules found in it nor, for nearly all, without."""
    assert read_facts(text, SPOKEN).language == "en"


def test_not_even_when_the_rules_find_nothing():
    taken = [text for text in ENGLISH if language_of_text(text, found=0) != "en"]
    assert len(taken) <= 2, taken  # "cafe au lait", "Dia de los Muertos party"


def test_notes_in_other_languages_are_seen_as_such():
    missed = [(language, text) for language, text in FOREIGN if read_facts(text, SPOKEN).language == "en"]
    named = sum(read_facts(text, SPOKEN).language == language for language, text in FOREIGN)
    assert len(missed) <= len(FOREIGN) * 0.06, missed
    assert named >= len(FOREIGN) * 0.85


def test_such_a_note_is_kept_and_says_so(store):
    entry = add_text(store, ME, "Heute zwei Gläser Wein, kein Training, Stress war hoch.")
    assert receipt(entry) == "This note seems to be in German. I can read English only so far; it is kept."
    assert entry.facts == () and entry.as_dict()["language"] == "de"
    (shown,) = show(store, ME)
    assert shown["transcript"].startswith("Heute") and shown["language"] == "de" and shown["facts"] == []
    edit(store, ME, entry.key, "Two glasses of wine, no training, stress was high.")
    (shown,) = show(store, ME)
    assert shown["language"] == "en" and {f["behaviour"] for f in shown["facts"]} >= {"alcohol"}


@pytest.mark.parametrize(
    ("heard", "text", "language"),
    [
        ("de", "Ich habe heute nichts getrunken.", "de"),
        ("de", "Sauna.", "de"),
        ("de", "I had two glasses of wine and went to bed late.", "en"),
        ("en", "Two beers.", "en"),
    ],
)
def test_the_language_that_was_heard_counts_unless_the_words_are_english(heard, text, language):
    words = tuple(Word(w, 0.0, 1.0, 0.9) for w in text.split())
    assert read_facts(text, SPOKEN, Transcript(text, 3.0, "m", "s", heard, words)).language == language


def test_every_language_seen_has_a_name():
    assert language_name("pl") == "Polish" and language_name("xx") == "another language (xx)"
    assert all("(" not in language_name(language) for language, _ in FOREIGN)


def heard_with(text, **doubtful):
    words = tuple(Word(w, 0.0, 1.0, doubtful.get(w.strip(".,").lower(), 0.95)) for w in text.split())
    return Transcript(text, 5.0, "m", "s", "en", words)


def test_a_fact_that_rests_on_an_unsure_word_is_asked(store):
    text = "I had two glasses of wine. No magnesium. Stress was three out of five."
    sure = {f.behaviour: f for f in read_facts(text, SPOKEN, heard_with(text)).facts}
    assert {f.status for f in sure.values()} == {"accepted"}
    facts = {f.behaviour: f for f in read_facts(text, SPOKEN, heard_with(text, two=0.3)).facts}
    assert facts["alcohol"].status == "draft" and facts["alcohol"].confidence <= ASKED < 0.5
    assert facts["alcohol"].rule.endswith("heard unsurely")
    assert facts["stress"] == sure["stress"] and facts["magnesium"] == sure["magnesium"]
    facts = {f.behaviour: f for f in read_facts(text, SPOKEN, heard_with(text, of=0.1, had=0.2)).facts}
    assert facts == sure  # no word of weight
    facts = {f.behaviour: f for f in read_facts(text, SPOKEN, heard_with(text, no=0.2)).facts}
    assert facts["magnesium"].status == "draft"
