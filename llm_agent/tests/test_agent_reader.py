"""The trained readers: sides before kinds, in the note without what is other text, bound to their network."""

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
from llm_agent.reader import MODEL, Reader, read_reader, shipped_in_note, shipped_reader
from llm_agent.reading import INSERTED_SHARE, Readers, read_in_note, shipped_readers, verdicts_of
from llm_agent.sentences import read_words

KINDS = ("daily life", "others", "plan", "message", "body", "heart", "night", "relief")
WEEK = dict.fromkeys(HORIZONS, BASE)
WIDTH = len(KINDS) + 1
"""The states of these tests are the kinds' log-probabilities themselves, and whether it is other text."""


def head(**more) -> Reader:
    strengths = np.zeros((3, WIDTH))
    strengths[2, KINDS.index("heart")] = 1.0
    thin = np.zeros((2, 1)), np.zeros((1, 2))
    about = {"model_sha256": "ab", "kinds": KINDS, "tuned": dict.fromkeys(MATRICES, thin),
             "inserted_weights": np.zeros(WIDTH), "inserted_bias": -1000.0} | more  # fmt: skip
    return Reader(
        weights=np.eye(len(KINDS), WIDTH), bias=np.zeros(len(KINDS)), strength_weights=strengths,
        strength_bias=np.array([0.0, 0.1, 0.0]), **about,
    )  # fmt: skip


def state(other=0.0, **probabilities) -> np.ndarray:
    rest = (1 - sum(probabilities.values())) / (len(KINDS) - len(probabilities))
    return np.array([*(np.log(probabilities.get(kind.replace(" ", "_"), rest)) for kind in KINDS), other])


READERS = Readers(head(digest="ef"), head(inserted_weights=20 * np.eye(WIDTH)[-1], inserted_bias=-10.0, digest="cd"))


class StateModel:
    """States by what a text contains; in a note, other text is what stands behind a colon of the sentence before."""

    model_id = "stated"

    def __init__(self, states, swayed=None):
        self.known, self.swayed, self.read, self.read_in_note = states, swayed or {}, [], []

    def states(self, texts):
        self.read += texts
        return np.array([self._state(text) for text in texts]).reshape(-1, WIDTH)

    def states_in_note(self, parts):
        self.read_in_note.append(list(parts))
        found = [next((s for word, s in self.swayed.items() if word in " ".join(parts)), None) for _ in parts]
        found = [self._state(text) if s is None else s.copy() for s, text in zip(found, parts, strict=True)]
        for i in range(1, len(parts)):
            found[i][-1] = ":" in parts[i - 1]
        return np.array(found).reshape(-1, WIDTH)

    def _state(self, text):
        return next(s for word, s in self.known.items() if word in text).copy()


def ask(states, journal, swayed=None):
    model = StateModel(states, swayed)
    return ask_agent(summary_of(()), WEEK, journal, model, style="read", readers=READERS), model


def verdicts_alone(reader, states, message_odds):
    inserted = reader.inserted(states, INSERTED_SHARE)
    return verdicts_of(reader.kinds, reader.probabilities(states), inserted, reader.strengths(states), message_odds)


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
    (verdict,) = verdicts_alone(head(), np.array([state(**probabilities)]), [1.0])
    assert verdict.about == about
    assert verdict.sure == pytest.approx(sure, abs=0.03)


def test_words_that_sound_like_an_address_need_more_to_move_the_night():
    given = np.array([state(relief=0.8, message=0.1)])
    plain, suspect = (verdicts_alone(head(), given, [odds])[0] for odds in (1.0, 50.0))
    assert plain.about == "relief, clearly" and suspect.about == "message"


def test_what_may_be_other_text_moves_nothing():
    """The state itself is a strain; the third head looks at one number of it."""
    given = np.array([state(body=0.9)])
    watched = np.zeros(WIDTH)
    watched[KINDS.index("body")] = 1.0
    told = [head(inserted_weights=watched, inserted_bias=bias) for bias in (-4.0, 1.0, 6.0)]
    verdicts = [verdicts_alone(one, given, [1.0])[0] for one in told]
    assert [v.about for v in verdicts] == ["body, clearly", "body, clearly", "others"]
    assert verdicts[0].sure > verdicts[1].sure and verdicts[2].sure > 0.9
    odds = INSERTED_SHARE / (1 - INSERTED_SHARE) * np.exp(np.log(0.9) + 1.0)
    assert told[1].inserted(given, INSERTED_SHARE)[0] == pytest.approx(odds / (1 + odds))


def test_the_strength_has_a_head_of_its_own():
    far = np.zeros((1, WIDTH))
    far[0, KINDS.index("heart")] = 20.0
    assert verdicts_alone(head(), far, [1.0])[0].about == "heart, a lot"


def test_each_sentence_is_read_alone_and_in_its_note_and_what_moves_is_quoted():
    answer, model = ask(
        {"jab": state(body=0.95), "gate": state(daily_life=0.95)},
        ["Had my flu jab after lunch. Repaired the garden gate."],
    )
    assert len(model.read) == 2 and not any("jab" in text and "gate" in text for text in model.read)
    assert model.read_in_note == [model.read]
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


def test_each_note_is_read_by_itself_with_its_quotation_marks():
    states = {"film": state(daily_life=0.95), "slept": state(body=0.95), "gate": state(daily_life=0.95)}
    note = '"The film was long. I had not slept in nights." Repaired the gate.'
    answer, model = ask(states, ["Repaired the gate at noon.", note])
    assert model.read_in_note == [
        ["Repaired the gate at noon."],
        ['"The film was long."', '"I had not slept in nights."', "Repaired the gate."],
    ]
    assert answer.shifts_ms[1] < 0, "its neighbour is no label"


def test_what_is_other_text_is_taken_out_and_the_rest_is_read_again_without_it():
    states = {"film": state(daily_life=0.95), "slept": state(body=0.95), "gate": state(daily_life=0.95)}
    framed, model = ask(states, ["From the film: a voice. I had not slept in nights. Repaired the gate."])
    assert not any(framed.shifts_ms.values()) and not framed.levers
    assert [len(parts) for parts in model.read_in_note] == [3, 2] and "slept" not in " ".join(model.read_in_note[1])
    alone, model = ask(states, ["I had not slept in nights. From the film: a voice. Repaired the gate."])
    assert alone.shifts_ms[1] < 0 and len(model.read_in_note) == 2
    behind, _ = ask(states, ["From the film: a voice. The film went on. I had not slept in nights."])
    assert behind.shifts_ms[1] < 0, "what was taken out leaves its frame, and that is the next one's neighbour"


def test_what_is_recognised_as_other_text_sways_nothing_beside_it():
    """The words in its company would turn every verdict; read again, the evening is the one without them."""
    states = {"film": state(daily_life=0.95), "spell": state(relief=0.95), "slept": state(body=0.95)}
    plain, _ = ask(states, ["I had not slept in nights. From the film: a voice."])
    swayed, model = ask(
        states, ["I had not slept in nights. From the film: a voice. The spell made all well."],
        {"spell": state(relief=0.99)},
    )  # fmt: skip
    assert swayed.shifts_ms == plain.shifts_ms and len(model.read_in_note) == 2


def test_a_note_of_other_text_alone_moves_nothing():
    every = head(inserted_weights=np.zeros(WIDTH), inserted_bias=10.0)
    kinds, other = read_in_note(every, StateModel({"slept": state(body=0.95)}), ["I had not slept.", "Nor slept he."])
    assert kinds.shape == (2, len(KINDS)) and (other > 0.5).all()


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
    assert verdicts_alone(again, given, [1.0, 1.0])[1].about == "plan"
    assert again.kinds == KINDS and len(again.digest) == 8
    assert again.probabilities(given) == pytest.approx(head().probabilities(given), abs=1e-3)
    assert again.inserted(given, 0.5) == pytest.approx(head().inserted(given, 0.5), abs=1e-3)


def test_a_note_gives_a_sentence_as_many_neighbours_as_there_is_room_for():
    parts = [[k] * 30 for k in range(10, 19)]
    first, last, ids, spans = note_around(parts, 4)
    assert (first, last) == (2, 5) and len(ids) <= LONGEST_NOTE and ids[0] == 0
    assert [set(ids[a : b - 1]) for a, b in spans] == [{12}, {13}, {14}, {15}]
    assert note_around(parts, 0)[:2] == (0, 3) and note_around(parts, 8)[:2] == (5, 8)
    assert note_around([[7] * 400], 0)[3] == [(1, LONGEST_NOTE)]


@pytest.mark.parametrize("reader", [shipped_reader, shipped_in_note])
def test_the_shipped_readers_fit_the_default_model(reader):
    """Other weights need new fits: benchmarks/agent/fit_reader.py --write, fit_in_note.py --write."""
    files = {file.name: file.sha256 for file in manifest_of(MODEL).files}
    assert reader().model_sha256 == combined_sha256(files) and reader().kinds == KINDS
    assert reader().weights.shape == (8, 768) and set(reader().tuned) == set(MATRICES)
    assert len(reader().digest) == 8 and reader().digest in shipped_readers().label


@pytest.fixture(scope="module")
def folder():
    """The network's weights, where they have been fetched."""
    cache_dir = load_settings({}).cache_dir
    try:
        return resolve(MODEL, cache_dir=cache_dir).path
    except ModelError:
        pytest.skip(f"{MODEL} is not in {cache_dir}; fetch it with: hrv models fetch reader")


def read(folder, *notes):
    """Kinds by sentence, of an evening's notes."""
    asked = read_words(notes, in_prompt=False).asked
    verdicts = shipped_readers().verdicts(shipped_readers().encoder(folder), asked)
    return {sentence.text: verdicts[sentence.id].about.partition(", ")[0] for sentence in asked}


def test_the_shipped_readers_read_plain_matters_right(folder):
    """Each a note of its own: the same whatever is read beside it."""
    told = {
        "Grandad died this morning.": "heart", "I have been sick since noon.": "body",
        "The biopsy came back benign.": "relief", "Took the bins out.": "daily life",
    }  # fmt: skip
    assert read(folder, *told) == read(folder, *list(told)[::-1]) == told
    assert shipped_readers().verdicts(StateModel({}), ()) == {}


def test_the_company_tells_what_is_other_text(folder):
    """The same words twice: in a note that has them from elsewhere, and in one of the writer's own."""
    fairy_tale = read(folder, 'Read to the twins. "The king had not slept in nine nights." "His heart was breaking."')
    assert not {"body", "heart", "night", "relief"} & set(fairy_tale.values())
    own = read(folder, "The vet rang at four. She is gone. I have not slept and my heart is breaking.")
    assert own["She is gone."] == "heart"


def test_the_company_tells_what_a_sentence_is_about(folder):
    text = "It is not what we hoped."
    assert read(folder, f"The surgeon sat down opposite us. {text}")[text] == "heart"
    assert read(folder, f"The cake came out flat. {text} We ate it with cream.")[text] == "daily life"


def test_a_text_of_any_length_is_read(folder):
    encoder = shipped_readers().encoder(folder)
    texts = ["", "word " * 3000, "🧑\u200d🚒" * 60]
    assert np.isfinite(encoder.states(texts)).all() and np.isfinite(encoder.states_in_note(texts)).all()
    assert encoder.states([]).shape == encoder.states_in_note([]).shape == (0, 768)


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
