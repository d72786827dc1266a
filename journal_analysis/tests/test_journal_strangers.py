"""A stranger's story has no facts; no journal is taken for one."""

import json
import tomllib
from pathlib import Path

import pytest

from journal_analysis.reading import read_facts
from journal_analysis.strangers import is_strangers_story

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks" / "journal"
OTHER_STORIES = (
    "Anna drank her third coffee and looked out at the rain. He had promised to come at nine. She lit a cigarette.",
    "The old woman coughed all night. Her grandson gave her honey and tea, and towards four she slept at last.",
    "They ran until they could run no more. Marek threw up behind a hedge; Josef laughed and drank from his flask.",
    "The queen took to her bed at eight with a fever of thirty nine, and her physicians gave her wine and opium.",
    "The researchers gave sixty volunteers two hundred milligrams of caffeine before bed and measured their sleep.",
    "He never touched alcohol again, they say. His brother did, six whiskies a night, and he outlived them both.",
    "Stay tuned. After the break: eight cups of coffee a day, a marathon every weekend, and a sauna in the garden.",
    "Captain Brandt flew the night mail to Lisbon. He ate nothing after noon and slept two hours in his chair.",
    "Once upon a time a giant ate three cows for supper, drank a barrel of beer and fell asleep under a pine.",
    "The Sea Wolf, chapter four. The captain had six glasses of rum. He slept two hours and had a fever by noon.",
    "The patient reported a sore throat and chills. She had taken ibuprofen twice. Her stress was high, she said.",
)
NOTES_WITHOUT_I = (
    "Two beers with Tom, he had three. No gym. Stress 3. Asleep by eleven hopefully.",
    "The kids were sick all day, they both had a fever. Coffee at eight and at ten. No training. One glass of wine.",
    "Ran 10k with the club, she set the pace, hard. Magnesium at nine. Dinner at seven. No alcohol.",
    "Prime minister on telly all night; switched it off at ten. Four teas. 40 min on the turbo, easy. No beer.",
    "Captain of the team today, five-a-side for an hour, brutal. Three pints afterwards, last at ten. Kebab at eleven.",
    "Two beers at nine. Coffee at ten. Run, 5k. Dad rang. It's back, they found it in his liver. He wept.",
    "On chapter nine of the paperback, the vicar is poisoned. Three teas, no beer, bed at ten.",
    "No coffee. No beer. Yoga 30 min. Mum called, her cough is better. Bed at ten.",
)


def stories():
    return tomllib.loads((BENCHMARKS / "stories.toml").read_text(encoding="utf-8"))["stories"]


@pytest.mark.parametrize("story", [*stories(), *OTHER_STORIES])
def test_a_story_has_no_facts(story):
    assert is_strangers_story(story)
    assert read_facts(story, None).facts == ()


@pytest.mark.parametrize("note", NOTES_WITHOUT_I)
def test_a_note_without_a_first_person_is_a_note(note):
    assert not is_strangers_story(note)
    assert len(read_facts(note, None).facts) >= 3


def test_no_labelled_note_is_taken_for_a_story():
    files = sorted(BENCHMARKS.glob("typed/*.json"))
    notes = [case["text"] for file in files for case in json.loads(file.read_text(encoding="utf-8"))]
    assert len(notes) >= 300
    taken = [note for note in notes if is_strangers_story(note)]
    # one writer tells the own day as a fairy tale, in the third person; that is beyond what can be known
    assert [note[:32] for note in taken] == ["Once upon a time a man promised "]
