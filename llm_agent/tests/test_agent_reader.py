"""The trained reader: sides before kinds, one sentence at a time, bound to its network."""

from __future__ import annotations

import numpy as np
import pytest

from agent_summary import BASE, summary_of
from hrv_shared.constants import HORIZONS, MEDIAN_INDEX
from hrv_shared.models import ModelError, manifest_of, resolve
from hrv_shared.models.cache import combined_sha256
from hrv_shared.settings import load_settings
from llm_agent.answer import CONTESTED_SPREAD, UNSURE_SHARE, ask_agent
from llm_agent.encoder import LONGEST_NOTE, MATRICES, Encoder, note_around
from llm_agent.other_text import OTHER_FROM, OtherText, read_other_text, shipped_other_text
from llm_agent.reader import INSERTED_SHARE, MODEL, Reader, read_reader, shipped_reader

KINDS = ("daily life", "others", "plan", "message", "body", "heart", "night", "relief")
WEEK = dict.fromkeys(HORIZONS, BASE)
WIDTH = len(KINDS)
"""The states of these tests are the kinds' log-probabilities themselves."""


def head(**more) -> Reader:
    strengths = np.zeros((3, WIDTH))
    strengths[2, KINDS.index("heart")] = 1.0
    thin = np.zeros((2, 1)), np.zeros((1, 2))
    about = {"model_sha256": "ab", "kinds": KINDS, "tuned": dict.fromkeys(MATRICES, thin),
             "inserted_weights": np.zeros(WIDTH), "inserted_bias": -1000.0} | more  # fmt: skip
    return Reader(
        weights=np.eye(WIDTH), bias=np.zeros(WIDTH), strength_weights=strengths,
        strength_bias=np.array([0.0, 0.1, 0.0]), **about,
    )  # fmt: skip


def state(**probabilities) -> np.ndarray:
    rest = (1 - sum(probabilities.values())) / (WIDTH - len(probabilities))
    return np.log([probabilities.get(kind.replace(" ", "_"), rest) for kind in KINDS])


class StateModel:
    """States by what a text contains."""

    model_id = "stated"

    def __init__(self, states):
        self.known, self.read, self.read_in_note = states, [], []

    def states(self, texts):
        self.read += texts
        found = [next(s for word, s in self.known.items() if word in text) for text in texts]
        return np.array(found).reshape(-1, WIDTH)

    def states_in_note(self, parts, at):
        """The first number: whether the sentence before has a colon."""
        self.read_in_note.append((list(parts), list(at)))
        return np.array([[float(i > 0 and ":" in parts[i - 1]), *np.zeros(WIDTH - 1)] for i in at])


LABELLED = OtherText({}, np.array([8.0, *np.zeros(WIDTH - 1)]), -4.0, digest="cd")
"""Takes for other text what stands behind a colon of the sentence before."""


def ask(states, journal, reader=None):
    model = StateModel(states)
    answer = ask_agent(
        summary_of(()), WEEK, journal, model, style="read", reader=reader or head(), other_text=LABELLED
    )
    return answer, model


@pytest.mark.parametrize(
    ("probabilities", "about", "sure"),
    [
        ({"body": 0.9}, "body, clearly", 0.93),
        ({"body": 0.4, "night": 0.36, "daily_life": 0.2}, "body, clearly", 0.77),  # two kinds, one side
        ({"relief": 0.4, "body": 0.45}, "daily life", 0.09),  # no side has half
        ({"body": 0.5}, "daily life", 0.28),  # nor is half enough
        ({"message": 0.4, "body": 0.38}, "message", 0.51),
        ({"relief": 0.71, "body": 0.2}, "relief, clearly", 0.77),  # 0.71 of odds that are raised
    ],
)
def test_a_side_needs_more_than_half_of_the_probability(probabilities, about, sure):
    (verdict,) = head().verdicts(np.array([state(**probabilities)]), [1.0])
    assert verdict.about == about
    assert verdict.sure == pytest.approx(sure, abs=0.03)


def test_words_that_sound_like_an_address_need_more_to_move_the_night():
    given = np.array([state(relief=0.8, message=0.1)])
    plain, suspect = head().verdicts(given, [1.0])[0], head().verdicts(given, [50.0])[0]
    assert plain.about == "relief, clearly" and suspect.about == "message"


def test_what_may_be_other_text_moves_nothing():
    """The state itself is a strain; the third head looks at one number of it."""
    given = np.array([state(body=0.9)])
    watched = np.zeros(WIDTH)
    watched[KINDS.index("body")] = 1.0
    told = [head(inserted_weights=watched, inserted_bias=bias) for bias in (-4.0, 1.0, 6.0)]
    verdicts = [one.verdicts(given, [1.0])[0] for one in told]
    assert [v.about for v in verdicts] == ["body, clearly", "body, clearly", "others"]
    assert verdicts[0].sure > verdicts[1].sure and verdicts[2].sure > 0.9
    odds = INSERTED_SHARE / (1 - INSERTED_SHARE) * np.exp(np.log(0.9) + 1.0)
    assert told[1].inserted(given)[0] == pytest.approx(odds / (1 + odds))


def test_the_strength_has_a_head_of_its_own():
    far = np.zeros((1, WIDTH))
    far[0, KINDS.index("heart")] = 20.0
    assert head().verdicts(far, [1.0])[0].about == "heart, a lot"


def test_each_sentence_is_read_alone_and_what_moves_is_quoted():
    answer, model = ask(
        {"jab": state(body=0.95), "gate": state(daily_life=0.95)},
        ["Had my flu jab after lunch. Repaired the garden gate."],
    )
    assert len(model.read) == 2 and not any("jab" in text and "gate" in text for text in model.read)
    assert answer.shifts_ms[1] == pytest.approx(-0.07 * BASE[MEDIAN_INDEX], abs=0.01)
    assert "flu jab" in answer.rationale and "not sure" not in answer.rationale
    assert answer.prompt_digest.startswith("read-") and len(answer.samples) == 1 and answer.valid


def test_an_evening_tells_one_matter_its_surest_sentence_says_which_way():
    states = {"died": state(heart=0.95), "cry": state(heart=0.9), "peace": state(relief=0.7)}
    answer, _ = ask(states, ["Grandad died this morning. I can not stop crying. It was peace in the end."])
    (lever,) = answer.levers
    assert lever["behaviour"] == "heart" and lever["taken_ms"] == pytest.approx(
        -0.07 * BASE[MEDIAN_INDEX], abs=0.01
    )
    assert "not sure" in answer.rationale, "the sentences point both ways"
    elaborated, _ = ask(states, ["Grandad died this morning. I can not stop crying."])
    assert elaborated.shifts_ms == answer.shifts_ms and "not sure" not in elaborated.rationale
    assert elaborated.spread[1] < answer.spread[1]
    turned, _ = ask(
        states | {"peace": state(relief=0.98)}, ["Grandad died this morning. It was peace in the end."]
    )
    assert turned.shifts_ms[1] > 0


def test_what_moves_is_read_once_more_with_its_neighbours():
    """Only what moves, in its own note, with the quotation marks that it stood in."""
    states = {"film": state(daily_life=0.95), "slept": state(body=0.95), "gate": state(daily_life=0.95)}
    note = '"The film was long. I had not slept in nights." Repaired the gate.'
    answer, model = ask(states, ["Repaired the gate at noon.", note])
    ((parts, at),) = model.read_in_note
    assert parts == ['"The film was long."', '"I had not slept in nights."', "Repaired the gate."] and at == [1]
    assert answer.shifts_ms[1] < 0, "its neighbour is no label"


def test_a_neighbour_can_only_take_a_move_away():
    states = {"film": state(daily_life=0.95), "slept": state(body=0.95), "gate": state(daily_life=0.95)}
    framed, _ = ask(states, ["From the film: a voice. I had not slept in nights. Repaired the gate."])
    assert not any(framed.shifts_ms.values()) and not framed.levers
    alone, model = ask(states, ["I had not slept in nights. From the film: a voice. Repaired the gate."])
    assert alone.shifts_ms[1] < 0 and model.read_in_note[0][1] == [0]
    still, model = ask(states, ["Repaired the gate. From the film: a voice."])
    assert not model.read_in_note and not any(still.shifts_ms.values())


def test_a_sentence_that_is_no_account_of_the_day_moves_nothing():
    answer, _ = ask({"jab": state(message=0.9)}, ["Had my flu jab after lunch, at least on paper."])
    assert not any(answer.shifts_ms.values()) and not answer.levers


def test_doubt_takes_less_and_widens_the_band():
    sure, _ = ask({"jab": state(body=0.95)}, ["Had my flu jab after lunch."])
    unsure, _ = ask({"jab": state(body=0.68)}, ["Had my flu jab after lunch."])
    assert unsure.shifts_ms[1] == pytest.approx(UNSURE_SHARE * sure.shifts_ms[1], abs=0.01)
    assert sure.spread[1] < unsure.spread[1] <= CONTESTED_SPREAD * sure.spread[1]
    assert "not sure" in unsure.rationale


def test_an_evening_without_words_asks_nobody():
    answer, model = ask({}, [])
    assert not model.read and not any(answer.shifts_ms.values())


def test_a_reader_is_the_same_after_a_round_trip(tmp_path):
    head().save(tmp_path / "a.reader")
    head().save(tmp_path / "b.reader")
    data = (tmp_path / "a.reader").read_bytes()
    assert data == (tmp_path / "b.reader").read_bytes()
    again, given = read_reader(data), np.array([state(body=0.7), state(plan=0.6)])
    assert again.verdicts(given, [1.0, 1.0])[1].about == "plan" and again.kinds == KINDS and len(again.digest) == 8
    assert again.probabilities(given) == pytest.approx(head().probabilities(given), abs=1e-3)
    assert again.inserted(given) == pytest.approx(head().inserted(given), abs=1e-3)


def test_other_text_is_the_same_after_a_round_trip(tmp_path):
    thin = dict.fromkeys(MATRICES, (np.zeros((2, 1)), np.zeros((1, 2))))
    made = OtherText(thin, np.array([1.0, -2.0]), 0.5)
    made.save(tmp_path / "a")
    again = read_other_text((tmp_path / "a").read_bytes())
    states = np.array([[0.0, 0.0], [3.0, 1.0], [-900.0, 900.0]])
    assert again.probabilities(states) == pytest.approx([1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-1.5)), 0.0])
    assert set(again.tuned) == set(MATRICES) and len(again.digest) == 8


def test_a_note_gives_a_sentence_as_many_neighbours_as_there_is_room_for():
    parts = [[k] * 30 for k in range(10, 19)]
    first, last, ids, spans = note_around(parts, 4)
    assert (first, last) == (2, 5) and len(ids) <= LONGEST_NOTE and ids[0] == 0
    assert [set(ids[a : b - 1]) for a, b in spans] == [{12}, {13}, {14}, {15}]
    assert note_around(parts, 0)[:2] == (0, 3) and note_around(parts, 8)[:2] == (5, 8)
    assert note_around([[7] * 400], 0)[3] == [(1, LONGEST_NOTE)]


def test_the_shipped_reader_fits_the_default_model():
    """Other weights need a new fit: benchmarks/agent/fit_reader.py --write."""
    reader = shipped_reader()
    files = {file.name: file.sha256 for file in manifest_of(MODEL).files}
    assert reader.model_sha256 == combined_sha256(files) and reader.kinds == KINDS
    assert reader.weights.shape == (8, 768) and set(reader.tuned) == set(MATRICES)
    assert reader.label.startswith("read-") and len(reader.digest) == 8
    other = shipped_other_text()
    assert other.weights.shape == (768,) and set(other.tuned) == set(MATRICES) and len(other.digest) == 8


@pytest.fixture(scope="module")
def folder():
    """The network's weights, where they have been fetched."""
    cache_dir = load_settings({}).cache_dir
    try:
        return resolve(MODEL, cache_dir=cache_dir).path
    except ModelError:
        pytest.skip(f"{MODEL} is not in {cache_dir}; fetch it with: hrv models fetch reader")


def test_the_shipped_reader_reads_plain_matters_right(folder):
    """Each alone: the same whatever is read beside it."""
    reader = shipped_reader()
    told = {
        "Grandad died this morning.": "heart", "I have been sick since noon.": "body",
        "The biopsy came back benign.": "relief", "Took the bins out.": "daily life",
    }  # fmt: skip
    encoder = reader.encoder(folder)
    states = encoder.states(list(told))
    said = [verdict.about.partition(", ")[0] for verdict in reader.verdicts(states, np.ones(len(told)))]
    assert said == list(told.values())
    assert np.array_equal(encoder.states(list(told)[::-1])[::-1], states)


def test_the_company_tells_what_is_other_text(folder):
    """The same words twice: in a note that has them from elsewhere, and in one of the writer's own."""
    other, encoder = shipped_other_text(), shipped_reader().encoder(folder)
    notes = {
        True: ["Read to the twins.", '"The king had not slept in nine nights."', '"His heart was breaking."'],
        False: ["The vet rang at four.", "She is gone.", "I have not slept and my heart is breaking."],
    }
    for is_other, parts in notes.items():
        chances = other.probabilities(encoder.states_in_note(parts, [1, 2]))
        assert ((chances > OTHER_FROM) == is_other).all(), chances
    again = encoder.states_in_note(notes[True], [2])
    assert np.array_equal(again, encoder.states_in_note(notes[True], [1, 2])[1:])


def test_a_text_of_any_length_is_read(folder):
    encoder = shipped_reader().encoder(folder)
    texts = ["", "word " * 3000, "🧑\u200d🚒" * 60]
    assert np.isfinite(encoder.states(texts)).all() and np.isfinite(encoder.states_in_note(texts, [0, 1, 2])).all()
    assert encoder.states([]).shape == encoder.states_in_note(texts, []).shape == (0, 768)


def test_the_network_is_the_published_one(folder):
    """Its states without what was tuned, as transformers 5.24 gives them (MPNetModel, mean over the tokens)."""
    first = "The cat sleeps on the warm roof."
    second = (
        "Nine ships left the harbour in a storm, "
        "and eight of them came back before the month was over, said the old pilot."
    )
    states = Encoder(folder).states([first, second])
    assert states[0, :6] == pytest.approx([-0.12911, 0.05141, -0.00571, -0.03661, 0.15005, 0.03027], abs=2e-5)
    assert states[1, :6] == pytest.approx([-0.12154, 0.05971, -0.03235, -0.09492, 0.09324, -0.1268], abs=2e-5)
    assert np.linalg.norm(states, axis=1) == pytest.approx([3.07220, 2.59656], abs=2e-5)
