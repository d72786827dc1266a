"""The measure itself: equal speech is equal however it is written, and a lost "no" or a wrong number is an error."""

import pytest

from journal_analysis.key_words import key_words_right
from journal_analysis.word_error import align, comparable_words, word_errors

SAME = [
    ("R P E seven, one thousand five hundred units, thirty eight point five", "RPE 7, 1,500 units, 38.5"),
    ("half past ten and ten thirty at four p.m.", "10:30 and 10.30 at 4pm"),
    ("heart rate one fifty two. My legs", "Heart rate 152, my legs"),
    ("two thousand one hundred metres", "2100 m"),
    ("It's Saturday the fourteenth", "It is Saturday the 14th."),
    ("a quarter to seven, nine oh five", "6:45, 9:05"),
    ("sixteen hundred milligrams, five grams", "1600 mg, 5g"),
    ("at eight, ten and one, three times", "At 8, 10 and 1, 3 times"),
    ("two hundred and forty five watts, a hundred and ten", "245 watts, 110"),
    ("seven and a half hours, didn't, ninety percent", "7.5 hours, did not, 90%"),
    ("uh, okay, two and one, four out of five", "OK. 2 and 1, 4/5"),
]


@pytest.mark.parametrize(("said", "written"), SAME)
def test_equal_speech_is_equal(said, written):
    assert word_errors(said, written)[0] == 0, (comparable_words(said), comparable_words(written))


@pytest.mark.parametrize(
    ("said", "heard", "errors"),
    [
        ("No drinks tonight.", "Drinks tonight.", 1),
        ("stress was four", "stress was for", 1),
        ("fifteen minutes", "50 minutes", 1),
        ("ten thirty", "10:13", 1),
        ("two glasses", "two glasses of wine", 2),
        ("", "thank you", 2),
    ],
)
def test_a_wrong_word_is_an_error(said, heard, errors):
    assert word_errors(said, heard)[0] == errors


def test_alignment_takes_the_shortest_path():
    assert list(align("abcd", "abxd")) == [("a", "a"), ("b", "b"), ("c", "x"), ("d", "d")]
    assert list(align("ab", "b")) == [("a", None), ("b", "b")]
    assert list(align("", "b")) == [(None, "b")]


def test_key_words_are_counted_on_both_sides():
    right, n, misses = key_words_right(
        "No alcohol. Two coffees at ten thirty.", "Alcohol. Two coffees at 10:13."
    )
    assert (right, n) == (2, 4) and misses == [("no", None), ("1030", "1013")]
    right, n, misses = key_words_right("I slept well.", "I slept well, no.")
    assert (right, n) == (0, 1) and misses == [(None, "no")]
