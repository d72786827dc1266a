"""Where a note names the behaviours of the rule "mention": words that are enough, and words that want a sign."""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.phrases import phrase
from journal_analysis.rules.literals import literals_of

__all__ = ["Sighting", "sightings_in"]

_OPTIONS = ("words", "weak", "dose_words")
_TAKEN = phrase("sighting", "taken")
_DONE = phrase("sighting", "done")
_FORM = phrase("sighting", "form")
_TALK = phrase("sighting", "talk")
_TALK_AFTER = phrase("sighting", "talk_after")
_ADVICE = phrase("sighting", "advice")
_SPEAKER = phrase("sighting", "speaker")
_TOPIC = phrase("sighting", "topic")
_THEIRS = phrase("sighting", "theirs")
_ELSEWHERE = phrase("sighting", "elsewhere")
_NEXT_TO = re.compile(r"\s*(?:,|and|,\s*and|\+|/|&|plus|or|then|with)\s*(?:my |the |a |some )*")
_ALONE = re.compile(r"[\s,;:.!(-]*$")
_ALONE_AFTER = re.compile(r"\s*(?:yes|done|taken|in|down|✔|✓|check|:|-|x ?\d|no\b|[,.;!)\n]|$)")
_BACK = 70


@dataclass(frozen=True)
class Sighting:
    """A behaviour named at canonical [start, end); ``needs_dose`` where only an amount beside it makes it a fact;
    ``number`` is the amount that the words themselves hold."""

    name: str
    start: int
    end: int
    needs_dose: bool = False
    number: float | None = None


_latest: tuple[weakref.ref[Note], dict[str, list[Sighting]]] | None = None


def sightings_in(note: Note) -> dict[str, list[Sighting]]:
    """Every sighting of a note by behaviour; worked out once for each note."""
    global _latest  # the two hundred calls for one note share one look at it
    known = _latest
    if known is None or known[0]() is not note:
        known = (weakref.ref(note), _look(note))
        _latest = known
    return known[1]


def _look(note: Note) -> dict[str, list[Sighting]]:
    plain: dict[str, list[Sighting]] = {}
    unsure: list[tuple[Behaviour, re.Match[str]]] = []
    for behaviour in behaviours().values():
        if behaviour.rule != "mention":
            continue
        options = [o for o in _OPTIONS if _may_match(behaviour.name, o, note.text)]
        if not options:
            continue
        barred = _barred(note, behaviour)
        for option in options:
            for match in behaviour.pattern(option).finditer(note.text):
                if any(a < match.end() and match.start() < b for a, b in barred):
                    continue
                if _is_talk(note, behaviour, match):
                    continue
                if option == "weak":
                    unsure.append((behaviour, match))
                else:
                    plain.setdefault(behaviour.name, []).append(
                        _sighting(behaviour, match, needs_dose=option == "dose_words")
                    )
    near = sorted((s.start, s.end) for found in plain.values() for s in found)
    for behaviour, match in unsure:
        spans = near + [m.span() for b, m in unsure if b is not behaviour]
        if _has_sign(note, behaviour, match, spans):
            plain.setdefault(behaviour.name, []).append(_sighting(behaviour, match, needs_dose=False))
    return {name: _without_doubles(found) for name, found in plain.items()}


@cache
def _needed(name: str, option: str) -> tuple[str, ...]:
    return literals_of(behaviours()[name].options[option])


def _may_match(name: str, option: str, text: str) -> bool:
    if not behaviours()[name].options.get(option):
        return False
    needed = _needed(name, option)
    return not needed or any(literal in text for literal in needed)


def _barred(note: Note, behaviour: Behaviour) -> list[tuple[int, int]]:
    """Spans of the same words meaning something else, or denying it by themselves."""
    spans = []
    for option in ("not_words", "no_words"):
        pattern = behaviour.pattern(option)
        spans += [m.span() for m in pattern.finditer(note.text)] if pattern else []
    veto = behaviour.pattern("veto")
    for match in veto.finditer(note.text) if veto else ():
        spans.append(note.sentence_of(match.start()))
    return spans


def _is_talk(note: Note, behaviour: Behaviour, match: re.Match[str]) -> bool:
    """Whether it is only spoken of: bought, recommended, read about, closed."""
    how = how_of(behaviour)
    first, last = note.sentence_of(match.start())
    sentence = note.text[max(first, match.start() - 2 * _BACK) : min(last, match.end() + 2 * _BACK)]
    if _ADVICE.search(sentence) and not _SPEAKER.search(sentence):
        return True
    if how != "said" and _TOPIC.search(note.text[max(first, match.start() - 2 * _BACK) : match.start()]):
        return True
    is_body = how == "taken" or behaviour.options.get("symptom")
    if is_body and _THEIRS.search(note.text[max(first, match.start() - _BACK) : match.start()]):
        return True
    if behaviour.options.get("symptom") and _ELSEWHERE.match(note.text, match.end()):
        return True
    if how not in ("taken", "done", "used"):
        return False
    clause = note.clause_at(match.start())
    before = note.text[max(clause.start, match.start() - _BACK) : match.start()]
    after = note.text[match.end() : clause.end]
    return _TALK.search(before) is not None or _TALK_AFTER.match(after) is not None


def how_of(behaviour: Behaviour) -> str:
    """``taken``, ``done``, ``used``, ``felt`` or ``said``: which signs are asked of its words."""
    return str(
        behaviour.options.get("how", "taken" if behaviour.unit in ("mg", "g", "mcg", "IU") else "said")
    )


def _has_sign(note: Note, behaviour: Behaviour, match: re.Match[str], near: list[tuple[int, int]]) -> bool:
    """Whether something shows that a word of two meanings has the right one here."""
    text = note.text
    context = behaviour.options.get("weak_context")
    if context:
        return re.search(rf"\b(?:{context})", text) is not None
    first, last = note.sentence_of(match.start())
    before, after = text[max(first, match.start() - _BACK) : match.start()], text[match.end() : last]
    verbs = _TAKEN if how_of(behaviour) == "taken" else _DONE
    if _FORM.match(after) or (not behaviour.options.get("dose_only") and verbs.search(before)):
        return True
    if behaviour.options.get("dose_only"):
        return False
    for start, end in near:
        low, high = (end, match.start()) if end <= match.start() else (match.end(), start)
        if 0 <= high - low < 12 and _NEXT_TO.fullmatch(text[low:high]):
            return True
    clause = note.clause_at(match.start())
    alone = _ALONE.match(text[clause.start : match.start()]) is not None
    return alone and _ALONE_AFTER.match(after) is not None


def _sighting(behaviour: Behaviour, match: re.Match[str], *, needs_dose: bool) -> Sighting:
    number = None
    for group, value in match.groupdict().items():
        if value:
            number = 1.0 if group.startswith("once") or group == "one" else float(value)
    return Sighting(behaviour.name, match.start(), match.end(), needs_dose, number)


def _without_doubles(found: list[Sighting]) -> list[Sighting]:
    """One sighting for each place; the one that needs no dose first, then the longer."""
    kept: list[Sighting] = []
    for sighting in sorted(found, key=lambda s: (s.needs_dose, s.start, s.start - s.end)):
        if not any(k.start < sighting.end and sighting.start < k.end for k in kept):
            kept.append(sighting)
    return sorted(kept, key=lambda s: s.start)
