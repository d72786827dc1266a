"""What nobody said is taken out; what somebody said stays, with its doubts marked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal_analysis.listening import Heard
from journal_analysis.mishearings import mended
from journal_analysis.plausibility import believable, is_doubtful, is_loop, misses_words
from journal_analysis.transcript import Word, uncertain_spans
from journal_analysis.transcription import PROMPT
from journal_analysis.voice_activity import Piece, pieces_of, speech_in


def heard(
    text,
    probability=0.9,
    logprob=-0.1,
    no_speech=0.1,
    compression=1.3,
    step_s=0.4,
    speech_s=None,
    unprompted=None,
):
    words = tuple(Word(w, i * step_s, i * step_s + 0.3, probability) for i, w in enumerate(text.split()))
    end = max(len(words) * step_s, 1.0)
    alone = (probability - 0.05 if unprompted is None else unprompted,) * len(words)
    return Heard(Piece(0.0, end, speech_s or end), text, words, alone, logprob, no_speech, compression)


def kept(*args, **kwargs):
    return " ".join(w.text for w in believable(heard(*args, **kwargs), PROMPT))


def test_a_real_note_stays_whole():
    text = "No drinks tonight. Stress was four. Thank you."
    assert kept(text) == text
    assert kept("No.") == "No."
    assert kept("No sore throat. Stress was four.") == "No sore throat. Stress was four."


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Thank you for watching!", {"probability": 0.4}),
        ("You", {"probability": 0.5}),
        ("Thank you.", {"speech_s": 20.0}),
        ("Two beers tonight.", {"no_speech": 0.9, "logprob": -1.3}),
        ("Two beers tonight.", {"logprob": -2.0}),
        ("Two beers tonight.", {"probability": 0.45}),
        ("Two beers tonight.", {"unprompted": 0.1}),
        ("beer beer beer beer beer beer beer beer", {}),
        ("and then I went home and then I went home and then I went home and then I went home", {}),
        ("Stress was four.", {"unprompted": 0.3}),
        ("No alcohol. No sore throat.", {"unprompted": 0.4}),
        ("...", {}),
    ],
)
def test_what_nobody_said_goes(text, how):
    assert kept(text, **how) == ""


def test_a_caption_after_a_note_goes_and_the_note_stays():
    note, caption = heard("No alcohol today.").words, heard("Thanks for watching.", probability=0.3).words
    both = heard("No alcohol today. Thanks for watching.")
    both = Heard(both.piece, both.text, note + caption, both.unprompted, -0.3, 0.1, 1.3)
    assert [w.text for w in believable(both, PROMPT)] == ["No", "alcohol", "today."]


def test_pieces_with_words_missing_are_doubtful():
    note = "I slept well and had two coffees before ten and no alcohol at all today"
    assert not is_doubtful(heard(note))
    unsure = heard(note, logprob=-0.3)
    assert is_doubtful(unsure) and not misses_words(unsure)
    assert is_doubtful(heard(note, unprompted=0.95))
    assert is_doubtful(heard(note, speech_s=25.0))
    assert is_doubtful(heard(note, step_s=4.5))
    assert is_doubtful(heard("no " * 12)) and is_loop(heard("no " * 12))
    assert not is_loop(heard("no no no two glasses"))
    assert is_loop(heard("fine", compression=3.0))


@pytest.mark.parametrize(
    ("was_heard", "said"),
    [
        ("Stress was for.", "Stress was four."),
        ("Stress was for the whole day low.", "Stress was for the whole day low."),
        ("Stress is to out of five.", "Stress is two out of five."),
        ("One energy joe, after that", "One energy gel, after that"),
        ("Tress was three. Tressed two out of five.", "Stress was three. Stress two out of five."),
        ("I felt stressed today.", "I felt stressed today."),
        ("I planned to be in bed at eleven.", "I plan to be in bed at eleven."),
        ("I planned to swim.", "I planned to swim."),
        ("A soar throat", "A sore throat"),
        ("Five grams of creating, no magnesium", "Five grams of creatine, no magnesium"),
        ("I went to a match at nine", "I went to a match at nine"),
        ("Ada lot.", "Ate a lot."),
        ("I m on day nine", "I am on day nine"),
        ("Moot is eight out of ten.", "Mood is eight out of ten."),
        ("A known alcoholic beer", "A non alcoholic beer"),
        ("No caffeine afternoon.", "No caffeine after noon."),
        ("No coffee in the afternoon.", "No coffee in the afternoon."),
    ],
)
def test_mishearings_are_mended_only_where_one_reading_is_left(was_heard, said):
    assert " ".join(w.text for w in mended(heard(was_heard).words)) == said


def test_a_mended_word_keeps_its_time_and_its_doubt():
    words = mended(heard("Stress was for.", probability=0.2).words)
    assert words[2] == Word("four.", 0.8, 0.8 + 0.3, 0.2)


def test_uncertain_spans_name_the_doubtful_words():
    sure, unsure = heard("Stress was").words, heard("four maybe.", probability=0.1).words
    text = "Stress was four maybe. Four more."
    assert [text[a:b] for a, b in uncertain_spans(text, sure + unsure)] == ["four maybe."]
    words = (Word("Two", 0, 1, 0.2), Word("or", 1, 2, 0.9), Word("two", 2, 3, 0.2))
    assert uncertain_spans("Two or two", words) == [(0, 3), (7, 10)]
    assert uncertain_spans("", words) == []


@given(st.lists(st.tuples(st.floats(0.1, 28.0), st.floats(0.0, 9.0)), max_size=40))
def test_pieces_hold_all_speech_and_none_is_longer_than_whisper_sees(lengths):
    stretches, at = [], 0.0
    for speech, pause in lengths:
        stretches.append((at, at + speech))
        at += speech + pause
    pieces = pieces_of(stretches)
    assert sum(p.speech_s for p in pieces) == pytest.approx(sum(e - s for s, e in stretches))
    assert all(p.end_s - p.start_s <= 30.0 for p in pieces)
    assert all(any(p.start_s <= s and e <= p.end_s for p in pieces) for s, e in stretches)


def test_a_click_is_no_speech():
    click = np.zeros(32_000, np.float32)
    click[16_000:16_200] = 0.9
    assert speech_in(click) == []
