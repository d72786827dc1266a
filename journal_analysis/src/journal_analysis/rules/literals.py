"""Letters that a text must hold for a pattern to match at all: two hundred behaviours are ruled out in a moment."""

from __future__ import annotations

import re

__all__ = ["literals_of"]

_SHORTEST = 3
_QUANTIFIER = re.compile(r"[?*+]\??|\{\d*,?\d*\}\??")


def literals_of(pattern: str) -> tuple[str, ...]:
    """Strings of which every match of ``pattern`` holds one; empty where that can't be told.

    Understands the syntax of the data files: literals, escapes, classes, groups, look-arounds and quantifiers.
    """
    found: list[str] = []
    for alternative in _alternatives(pattern):
        runs, groups = _parts(alternative)
        longest = max(runs, key=len, default="")
        if len(longest) >= _SHORTEST:
            found.append(longest)
            continue
        inner = [literals_of(group) for group in groups]
        best = max((i for i in inner if i), key=lambda i: min(len(text) for text in i), default=())
        if not best:
            return ()
        found.extend(best)
    return tuple(dict.fromkeys(found))


def _alternatives(pattern: str) -> list[str]:
    parts, depth, start, at = [], 0, 0, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 2
            continue
        if char == "[":
            at = _class_end(pattern, at)
            continue
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
        at += 1
    return [*parts, pattern[start:]]


def _parts(alternative: str) -> tuple[list[str], list[str]]:
    """Runs of letters that must be there, and the insides of the groups that must be."""
    runs, groups, run, at = [], [], "", 0
    while at < len(alternative):
        char, literal, group = alternative[at], "", ""
        if char == "\\":
            escaped = alternative[at + 1]
            literal = "" if escaped.isalnum() else escaped
            at += 2
        elif char == "[":
            at = _class_end(alternative, at)
        elif char == "(":
            end = _group_end(alternative, at)
            group = _inside(alternative[at + 1 : end - 1])
            at = end
        else:
            literal = "" if char in ".^$" else char
            at += 1
        quantifier = _QUANTIFIER.match(alternative, at)
        needed = quantifier is None or quantifier.group()[0] == "+"
        at = quantifier.end() if quantifier else at
        if group and needed:
            groups.append(group)
        if literal and needed:
            run += literal
        if not literal or quantifier:
            runs.append(run)
            run = ""
    return [*runs, run], groups


def _inside(group: str) -> str:
    """What a group consumes; nothing for a look-around."""
    if group.startswith(("?=", "?!", "?<=", "?<!")):
        return ""
    named = re.match(r"\?P<\w+>|\?:", group)
    return group[named.end() :] if named else group


def _group_end(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
            continue
        if pattern[at] == "[":
            at = _class_end(pattern, at)
            continue
        depth += (pattern[at] == "(") - (pattern[at] == ")")
        at += 1
        if depth == 0:
            return at
    return at


def _class_end(pattern: str, at: int) -> int:
    end = at + 2
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1
