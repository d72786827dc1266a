"""When the last drink or coffee was: "the last one at half past nine", or the latest time beside a serving."""

from __future__ import annotations

import re
from functools import cache

from journal_analysis.behaviours import Behaviour, behaviours
from journal_analysis.clauses import Note
from journal_analysis.clocks import Clock, format_clock
from journal_analysis.phrases import phrase
from journal_analysis.rules.candidate import Candidate, is_denied

__all__ = ["read_last_time"]

_LAST = phrase("last_time", "last")
_STOPPED = phrase("last_time", "stopped")
_OTHER_TOPIC = phrase("last_time", "other_topic")
_MEAL_BESIDE = phrase("last_time", "meal_beside")
_JUST_BEFORE = phrase("last_time", "just_before")
_FILLER = phrase("last_time", "filler")
_EARLIER = phrase("last_time", "earlier")
_THAT_WAS = re.compile(
    r"[\s,:]*(?:and )?(?:(?:that|it|which) was|(?:1|both|the (?:first|last|second|later|other)(?: one| 1)?)(?: was)?)"
    r" (?:at|around|about)\b"
)
_BOUNDS = frozenset({"before", "after", "since", "by", "from", "past", "to", "towards", "toward"})
"""Words that make a clock time a bound and not the time of a drink ("2 coffees before 10")."""
_AFTER_LUNCH = "13:30"
_WITH_IT = re.compile(r"\b(?:with|after|before|over|and) (?:(?:a|an|the|my|some|our) )?(?:\w+ )?$")
"""What is eaten beside a drink does not end the talk of it: "a coffee with cake at four"."""
_WHEN = re.compile(
    r"[\s,]*(?:when|as|while|once) (?:i|we) (?:first |finally )?"
    r"(?:got|woke|came|was|were|arrived|landed|finished|sat|reached)"
    r"\b(?: (?:up|home|in|back|to|there|out|at the \w+)\b)*"
)
_EVENING = re.compile(
    r"\b(?:kick[- ]?off|(?:after|on the way home from) work|(?:after|before|on the way home from) the "
    r"(?:match|game|show|gig|concert|film|shift)|(?:this|in the) (?:afternoon|evening)|tonight|"
    r"after (?:dinner|supper|lunch|school))\b(?! out)"
)
_EVENING_FROM = 12
_BY_DAY = re.compile(r"\b(?:noon|midday|lunch\w*|brunch|afternoon)\b")
_AT_LAST = re.compile(r"\b(?:last|final|latest|stopped|finished|done|quit)\b")
_LATE_IN_THE_DAY = re.compile(
    r"\b(?:evening|tonight|at night|dinner|supper|pm|after work|match|afternoon|beers?|wine|pints?|cider)\b"
)
_FEW_WORDS = 4
_OPEN_BEFORE, _UNSURE = "06:30", 0.68
"""A bare "at six" may be the evening's; one of several times may not be the last: to be confirmed."""
_LAST_FROM = 16
"""The last drink "at half past one" was at night."""
_SEVERAL = re.compile(r"(?:[2-9]|1\d)\b|(?:[a-z]+ ){1,3}[2-9]\b")
_LAST_COFFEE_FROM = 8
"""The last of several coffees "at six" was not at six in the morning."""
_SAME_STORY = 220
_CLOCK_REACH = 45


def read_last_time(
    note: Note, behaviour: Behaviour, items: list[tuple[int, int]], everything: list[tuple[int, int]]
) -> Candidate | None:
    """The time of the last serving among ``items`` (canonical spans of one day), or None where none is said.

    ``everything`` are the servings of all days: "the last one" is said of the serving before it.
    A bare "at nine" of a coffee is the morning, a beer's "at one" is after noon: ``evening_from_hour`` says so.
    """
    said = Candidate(behaviour.options["last_time"], "time", *items[0], "", 0.0, unit="HH:MM")
    earliest = int(behaviour.options["evening_from_hour"])
    explicit = _explicit(note, behaviour, items, everything)
    if explicit:
        clock, start = explicit
        by_day = _BY_DAY.search(note.text, *note.sentence_of(start))
        from_hour = max(earliest, _LAST_FROM) if behaviour.name == "alcohol" and not by_day else earliest
        if len(items) > 1 or _SEVERAL.match(note.text, items[0][0]):
            from_hour = max(from_hour, _LAST_COFFEE_FROM)
        return _with(note, said, start, clock.end, clock.resolve(from_hour), "last one said", 0.9)
    timed = [(span, _clocks_beside(note, *span)) for span in items]
    beside = {c.start: c for _, clocks in timed for c in clocks}
    if not beside:
        return None
    clocks = [beside[at] for at in sorted(beside)]
    evening = _EVENING.search(note.text, *note.sentence_of(items[-1][0])) is not None
    times = _in_order(clocks, _EVENING_FROM if evening and len(clocks) == 1 else earliest)
    late = max(times, key=_night_order)
    if not timed[-1][1] and not _is_earlier(note, *timed[-1][0], late):
        return None
    end = clocks[times.index(late)].end
    start = min(items[0][0], clocks[times.index(late)].start)
    one = clocks[times.index(late)]
    several = len(clocks) > 1 and len(items) == 1
    open_time = one.ambiguous and (late < _OPEN_BEFORE or (late < "12:00" and _told_late(note, start)))
    sure = _UNSURE if several or open_time else 0.85
    return _with(note, said, start, max(end, items[0][1]), late, "latest time beside", sure)


def _told_late(note: Note, position: int) -> bool:
    """Whether the sentence has come to the evening before a bare "at eight", which then may be the evening's."""
    return _LATE_IN_THE_DAY.search(note.text, note.sentence_of(position)[0], position) is not None


def _in_order(clocks: list[Clock], earliest: int) -> list[str]:
    """Times as they are told one after the other: after "at nine" a bare "six" is the evening's."""
    times: list[str] = []
    for clock in clocks:
        time = clock.resolve(earliest)
        if times and clock.ambiguous and _night_order(time) < _night_order(times[-1]):
            other = format_clock(clock.minutes % 720 if time >= "12:00" else clock.minutes % 720 + 720)
            time = other if _night_order(other) > _night_order(times[-1]) else time
        times.append(time)
    return times


def _is_earlier(note: Note, start: int, end: int, time: str) -> bool:
    """Whether a serving without a time is said to be of an earlier part of the day than ``time``."""
    clause = note.clause_at(start)
    part = _EARLIER.search(note.text, clause.start, max(clause.end, end))
    return part is not None and (
        time >= _AFTER_LUNCH or part.group() not in ("lunch", "midday", "before lunch")
    )


def _explicit(
    note: Note, behaviour: Behaviour, items: list[tuple[int, int]], everything: list[tuple[int, int]]
) -> tuple[Clock, int] | None:
    found: list[tuple[bool, int, Clock, int]] = []
    for match in (*_LAST.finditer(note.text), *_STOPPED.finditer(note.text)):
        spoken_of = max((span for span in everything if span[0] < match.start()), default=min(everything))
        if note.clause_at(match.start()).others:
            continue
        near = spoken_of in items and abs(match.start() - spoken_of[1]) < _SAME_STORY
        if not near or _counted_before(note, *match.span()) != behaviour.name:
            continue
        until = min(note.sentence_of(match.start())[1], match.end() + _CLOCK_REACH)
        clock = next((c for c in note.clocks if match.end() <= c.start + 3 and c.start < until), None)
        clock = clock or _just_before(note, match.start())
        if clock and _is_near(_MEAL_BESIDE.sub("", note.text[match.end() : clock.start])):
            at_last = _AT_LAST.search(match.group()) is not None
            found.append((at_last, match.start(), clock, min(match.start(), clock.start)))
    first = next((f for f in found if f[0]), None)
    if found and first is None:  # "second 9:30, third 12:15"
        first = max(found, key=lambda f: f[1])
    return (first[2], first[3]) if first else None


def _just_before(note: Note, start: int) -> Clock | None:
    """A time right before the words: "half past eight the last one"."""
    return next(
        (c for c in note.clocks if c.end <= start <= c.end + 3 and "." not in note.text[c.end - 1 : start]),
        None,
    )


def _counted_before(note: Note, start: int, end: int) -> str:
    """Whose "last one": the counted behaviour named in the words themselves, else the one named last before."""
    best, place = "", -1
    for name, nouns in _nouns().items():
        if nouns.search(note.text[start:end]):
            return name
        last = max(
            (m.start() for m in nouns.finditer(note.text, max(0, start - 2 * _SAME_STORY), start)), default=-1
        )
        if last > place:
            best, place = name, last
    return best


def _clocks_beside(note: Note, start: int, end: int) -> list[Clock]:
    """Clock times of the serving: after it up to the next topic, or just before it ("at ten a coffee")."""
    first, last = _reach(note, start, end)
    after = [c for c in note.clocks if start <= c.start < last and c.lead not in _BOUNDS]
    before = [
        c
        for c in note.clocks
        if first <= c.start
        and c.end <= start < c.end + 26
        and c.lead not in _BOUNDS
        and not _is_of_a_meal(note, c)
        and _JUST_BEFORE.fullmatch(note.text[c.end : start])
    ]
    return after or before


def _is_of_a_meal(note: Note, clock: Clock) -> bool:
    """Whether a time closes what its clause says of a meal or training: "pizza 9:30pm, one seltzer"."""
    if not re.match(r"\s?[,.;)]", note.text[clock.end : clock.end + 2]):
        return False
    before = note.text[note.clause_at(clock.start).start : clock.start]
    meal = behaviours()["late_meal"].pattern("words").search(before)
    return meal is not None or _OTHER_TOPIC.search(before) is not None


def _reach(note: Note, start: int, end: int) -> tuple[int, int]:
    """The part of the sentence that speaks of the serving: its clause and those after it that hold but times, up to
    the next topic or the next counted thing."""
    first, last = note.sentence_of(start)
    clause = note.clause_at(max(start, end - 1))
    until = clause.end
    while until < last:
        following = note.clause_at(until)
        if not _is_times_only(note, until, following.end) and not (
            _THAT_WAS.match(note.text, until) or _WHEN.match(note.text, until)
        ):
            break
        until = following.end
    last = until
    plain = _MEAL_BESIDE.sub(lambda m: "_" * len(m.group()), note.text[first:last])
    plain = _WHEN.sub(lambda m: "_" * len(m.group()), plain)
    topic = _OTHER_TOPIC.search(plain, end - first)
    last = first + topic.start() if topic else last
    for dish in behaviours()["late_meal"].pattern("words").finditer(note.text, end, last):
        if not _WITH_IT.search(note.text, max(first, dish.start() - 20), dish.start()):
            last = dish.start()
            break
    for nouns in _nouns().values():
        following_noun = nouns.search(note.text, end + 1, last)
        if following_noun and not is_denied(note, *following_noun.span()):
            last = following_noun.start()
    return first, last


def _is_times_only(note: Note, start: int, end: int) -> bool:
    """Whether a clause says nothing but clock times and words like "the last one at"."""
    rest, position = "", start
    for clock in note.clocks:
        if start <= clock.start < end:
            rest += note.text[position : clock.start] + " "
            position = clock.end
    rest += note.text[position:end]
    return _is_filler(rest)


def _is_near(words: str) -> bool:
    """Whether a last one and its time have but little between them ("last at the airport 4:10")."""
    few = len(words.split()) <= _FEW_WORDS and not re.search(r"[.;]", words)
    return _is_filler(words) or (few and not _OTHER_TOPIC.search(words))


def _is_filler(words: str) -> bool:
    """Whether words say nothing of their own ("the last one at", "was around")."""
    return _FILLER.match(re.sub(r"[^\w' ]+|\b(?:am|pm|oclock)\b", " ", words)) is not None


@cache
def _nouns() -> dict[str, re.Pattern[str]]:
    """What is counted, by behaviour."""
    counted = [b for b in behaviours().values() if b.rule == "count"]
    keys = ("items", "generic", "loose_alone", "portion_only")
    return {
        b.name: re.compile(rf"\b(?:{'|'.join(b.options[key] for key in keys if b.options[key])})\b")
        for b in counted
    }


def _night_order(time: str) -> int:
    """Minutes since 04:00, so that one at night comes after eleven."""
    hour, minute = (int(part) for part in time.split(":"))
    return ((hour - 4) * 60 + minute) % 1440


def _with(
    note: Note, said: Candidate, start: int, end: int, time: str, rule: str, confidence: float
) -> Candidate:
    sure = confidence * (0.85 if note.clause_at(start).doubt else 1.0)
    return Candidate(said.behaviour, "time", start, end, rule, sure, unit=said.unit, clock_time=time)
