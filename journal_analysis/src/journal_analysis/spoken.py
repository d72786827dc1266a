"""Numbers as people say them: one canonical text with digits, and the way back to the words that were said.

``canonical("Two glasses, forty five minutes")`` reads ``2 glasses, 45 minutes``; `Canonical.quote` gives the original
words of any span of it, so that every fact can show what it rests on. Clock times and durations are `clocks`' work.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from journal_analysis.spelling import REWRITES, mended_word

__all__ = ["Canonical", "canonical"]

UNITS = {w: n for n, w in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)}  # fmt: skip
TENS = {w: 20 + 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
SLIPS = {
    "fourty": "forty",
    "fivety": "fifty",
    "ninty": "ninety",
    "forteen": "fourteen",
    "fiveteen": "fifteen",
}
PRONOUN_ONE = frozenset(
    "last this that no any each every another which second good bad rough big tough long little small hard easy "
    "the same next some final proper cheeky quick".split()
)
"""Words after which "one" stands for a thing and not for the number."""
_AFTER_THAT = re.compile(r"\b(?:after|before|besides|with) that $")
"""Before "one" the "that" is the event and the one a number: "after that one plum wine"."""

PHRASES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])"), stands_for)
    for pattern, stands_for in (
        (r"an? hour and an? half|an? half and an hour|(?:one|1|an?) and an? half hours?", "90 minutes"),
        (r"an? hour and an? quarter|an? hour and fifteen|(?:one|1) and an? quarter hours?", "75 minutes"),
        (r"half an? hour|an? half[- ]hour|half[- ]hour", "30 minutes"),
        (r"(?:an? )?(?:three|3)[- ]quarters? of an hour", "45 minutes"),
        (r"(?:an? )?quarter of an hour|an? quarter hour", "15 minutes"),
        (r"(?:half )?an? couple(?: more)?(?: of)?|couple(?: of)?|an? pair of|coupla|an? cpl(?: of)?", "2"),
        (r"(?<![a-z0-9] )hour and an? half", "90 minutes"),
        (
            r"(ten|eleven|twelve|one|two|three|four|five|six|seven|eight|nine)-(thirty|fifteen|forty)",
            r"\1 \2",
        ),
        (r"half an? lit(?:er|re)", "0.5 litres"),
        (r"half an? dozen", "6"),
        (
            r"an? (glass|beer|coffee|pint|drink|cup|can|bottle|whisky|espresso|tea|cocktail|wine) or (?:two|2)",
            r"1 or 2 \1",
        ),
        (r"an? dozen", "12"),
        (r"an? hundred", "100"),
        (r"an? thousand", "1000"),
        (r"twice", "2 times"),
        (r"thrice", "3 times"),
        (r"did not", "didn't"),
        (r"ill (?=(?:be|have|take|go|do|try|get|probably|just|see|skip|head|aim|stop)\b)", "i'll "),
        (r"do not", "don't"),
    )
)
"""Fixed phrases; each becomes what it stands for. ("an hour" is read after them, see `_HOUR`.)"""

_HOUR = re.compile(r"(?<![a-z])(?:an?|the) (?:(?:full|solid|good|whole|hard|easy) )?hour(?![a-z])")
_WORD = re.compile(r"(?<![a-zà-ÿ'])(?:2(?:moro|morrow|day|nite|night)|[a-z]+(?:'[a-z]+)?)(?![a-zà-ÿ'])")
_NAMES = "|".join([*UNITS, *TENS, *SLIPS])
_NUMBER = re.compile(rf"(?<![a-z'’])(?:{_NAMES})(?!(?!ish\b)[a-z])")
_HALF_DAYS = re.compile(r"(?<![\d.:I] )(?<![\d.:])\b(?:AM|PM)\b")
_DAY_NAMES = {"Sat": "Saturday", "Sun": "Sunday", "Wed": "Wednesday"}
_SHORT_DAYS = re.compile(
    r"\b(?:Sat|Sun|Wed)\b(?=\s?[:–—,.;)-]|\s(?:night|morning|evening|afternoon|so|then|and|race)\b|\s*$)"
    r"|(?<=\bon )(?:Sat|Sun|Wed)\b|(?<=\b(?:last|next|this) )(?:Sat|Sun|Wed)\b"
)
"""Short names of days that are words of their own too ("sat", "sun", "wed")."""
_DIGIT_GROUPS = re.compile(r"(?<![\d.,])(\d+) (hundred|thousand)(?![a-z])")
_HOURS_AND_HALF = re.compile(r"(?<![\d.])(\d+) (hours?|minutes?) and an? (half|quarter)(?![a-z])")
_FRACTION = re.compile(
    r"(?<![\d.])(\d+) (?:and (?:an? (half|quarter)|(?:1|3|one|three) (quarters?))|point (\d))(?![a-z\d])"
)


@dataclass(frozen=True)
class Canonical:
    """A text in lower case with its numbers as digits.

    ``starts[i]`` and ``ends[i]`` are the span in ``original`` of character ``i`` of ``text``.
    """

    original: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """The original words of the canonical span [start, end)."""
        if start >= end:
            return ""
        return self.original[self.starts[start] : self.ends[end - 1]].strip()


def canonical(original: str) -> Canonical:
    """Lower the case, mend spelling, write spoken numbers as digits, keeping the way back."""
    draft = Canonical(original, original, tuple(range(len(original))), tuple(range(1, len(original) + 1)))
    draft = _rewritten(draft, _NO_WORD, "~")
    draft = _rewritten(draft, _HALF_DAYS, lambda m: "morning" if m.group() == "AM" else "afternoon")
    draft = _rewritten(draft, _SHORT_DAYS, lambda m: _DAY_NAMES[m.group()])
    plain = "".join(c.lower() if len(c.lower()) == 1 else c for c in draft.text)
    for typographic, plain_one in (("’", "'"), ("‘", "'"), ("\u00a0", " "), ("\u202f", " ")):
        plain = plain.replace(typographic, plain_one)
    draft = replace(draft, text=plain)
    draft = _rewritten(draft, _WORD, lambda m: mended_word(m.group()))
    draft = _rewritten(draft, _FILLER, " ")
    for pattern, stands_for in PHRASES:
        draft = _rewritten(draft, pattern, stands_for)
    draft = _rewritten(draft, _HOUR, "1 hour")
    draft = _spliced(draft, _numbers(draft.text))
    draft = _rewritten(draft, _DIGIT_GROUPS, lambda m: str(int(m[1]) * (100 if m[2] == "hundred" else 1000)))
    draft = _rewritten(draft, _FRACTION, _with_fraction)
    draft = _rewritten(draft, _HOURS_AND_HALF, lambda m: f"{m[1]}.{5 if m[3] == 'half' else 25} {m[2]}")
    for pattern, stands_for in REWRITES:
        draft = _rewritten(draft, pattern, stands_for)
    return draft


def _rewritten(
    draft: Canonical, pattern: re.Pattern[str], stands_for: str | Callable[[re.Match[str]], str]
) -> Canonical:
    """Replace every match of a pattern."""
    spans = []
    for match in pattern.finditer(draft.text):
        new = match.expand(stands_for) if isinstance(stands_for, str) else stands_for(match)
        if new != match.group() and match.start() < match.end():
            spans.append((match.start(), match.end(), new))
    return _spliced(draft, spans)


def _spliced(draft: Canonical, spans: list[tuple[int, int, str]]) -> Canonical:
    """Put new words in place of spans; each new character points to all the words that it stands for."""
    if not spans:
        return draft
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for start, end, new in [*spans, (len(draft.text), len(draft.text), "")]:
        text += [draft.text[position:start], new]
        starts += draft.starts[position:start]
        ends += draft.ends[position:start]
        if new:
            starts += [draft.starts[start]] * len(new)
            ends += [draft.ends[end - 1]] * len(new)
        position = end
    return Canonical(draft.original, "".join(text), tuple(starts), tuple(ends))


def _with_fraction(match: re.Match[str]) -> str:
    whole, part, quarters, decimal = match.groups()
    if decimal:
        return f"{whole}.{decimal}"
    if quarters:
        return f"{whole}.{'75' if quarters.endswith('s') else '25'}"
    return f"{whole}.{'5' if part == 'half' else '25'}"


def _numbers(plain: str) -> list[tuple[int, int, str]]:
    """Every number in words: its span and its digits."""
    found, until = [], -1
    for match in _NUMBER.finditer(plain):
        if match.start() < until:
            continue
        if (
            match.group() == "one"
            and _previous_word(plain, match.start()) in PRONOUN_ONE
            and not _AFTER_THAT.search(plain, max(0, match.start() - 12), match.start())
        ):
            continue
        value, until = _number_at(plain, match.start())
        found.append((match.start(), until, value))
    return found


def _number_at(plain: str, position: int) -> tuple[str, int]:
    """A number in words that begins at ``position``: its digits and its end."""
    value, end = _below_hundred(plain, position)
    for name, size in (("hundred", 100), ("thousand", 1000)):
        after = _skip(plain, end)
        if not after or _word(plain, after) != name:
            continue
        value, end = value * size, after + len(name)
        tail = _skip(plain, end)
        if tail and _word(plain, tail) == "and":
            tail = _skip(plain, tail + 3)
        if tail and (_word(plain, tail) in UNITS or _word(plain, tail) in TENS):
            rest, rest_end = _below_hundred(plain, tail)
            if plain.startswith(" hundred", rest_end):
                rest, rest_end = rest * 100, rest_end + len(" hundred")
            value, end = value + rest, rest_end
    return str(value), end


def _below_hundred(plain: str, position: int) -> tuple[int, int]:
    word = _word(plain, position)
    end = position + len(word)
    word = SLIPS.get(word, word)
    if word in UNITS:
        return UNITS[word], end
    after = _skip(plain, end)
    unit = _word(plain, after) if after else ""
    if unit in UNITS and 1 <= UNITS[unit] <= 9:
        return TENS[word] + UNITS[unit], after + len(unit)
    return TENS[word], end


_NO_WORD = re.compile(r"\S{60,}|[ \t]{20,}")
"""What no person writes as a word; left whole it would make every search slow."""
_FILLER = re.compile(
    r"[ ]*,? +(?:u+m+|u+h+|e+r+m*)\b(?:,? (?:u+m+|u+h+|e+r+m*)\b)*,?(?= )"
    r"|, (?:well|what|you know|like|let me see|let's see),(?= )"
    r"|(?<![a-z])(?:u+m+|u+h+|e+r+m*),? +"
)
"""Sounds and words that only fill a pause; with the commas around them."""
_LETTERS = re.compile(r"[a-z]+?(?=ish\b|[^a-z]|$)")


def _word(plain: str, position: int) -> str:
    match = _LETTERS.match(plain, position)
    return match.group() if match else ""


def _skip(plain: str, position: int) -> int:
    """The place behind one blank or hyphen, or 0 where something else stands."""
    return position + 1 if position + 1 < len(plain) and plain[position] in " -" else 0


def _previous_word(plain: str, position: int) -> str:
    match = re.search(r"([a-z]+)[ -]$", plain[max(0, position - 20) : position])
    return match.group(1) if match else ""
