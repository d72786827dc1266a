"""Check a value against the part of JSON Schema that our prompts use.

A grammar makes a model keep to a schema, but not every backend has one, an answer can be cut off, and some backends
drop bounds. So every answer is checked here. A keyword that is not known here is refused rather than ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from hrv_shared.llm.errors import ModelUnavailable

__all__ = ["first_fault"]

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
ANNOTATIONS = frozenset({"$schema", "title", "description", "default", "examples"})


def first_fault(value: Any, schema: dict[str, Any]) -> str | None:
    """Return a sentence on the first place where ``value`` breaks ``schema``, or None.

    Parameters
    ----------
    value : Any
        A value as ``json.loads`` returns it.
    schema : dict
        Keywords: type, enum, const, anyOf, properties, required, additionalProperties (bool), items, minItems,
        maxItems, minLength, maxLength, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum.

    Raises
    ------
    ModelUnavailable
        The schema has a keyword that this check does not know, so that no answer could be trusted.
    """
    return next(_faults(value, schema, "answer"), None)


def _faults(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    unknown = set(schema) - KEYWORDS.keys() - ANNOTATIONS
    if unknown:
        raise ModelUnavailable(
            f"The schema of the request uses {', '.join(sorted(unknown))}, which hrv_shared.llm.json_schema does not "
            f"check; known are {', '.join(sorted(KEYWORDS))}."
        )
    for keyword, wanted in schema.items():
        if keyword in KEYWORDS:
            yield from KEYWORDS[keyword](value, wanted, schema, where)


def _type(value: Any, wanted: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(_is(value, name) for name in names):
        yield f"{where}: expected {' or '.join(names)}, got {type(value).__name__}"


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, TYPES[name]) or (
        name == "integer" and isinstance(value, float) and value.is_integer()
    )


def _enum(value: Any, wanted: list[Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    if not any(_equal(value, choice) for choice in wanted):
        yield f"{where}: {_shown(value)} is none of {wanted}"


def _const(value: Any, wanted: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    if not _equal(value, wanted):
        yield f"{where}: expected {wanted!r}, got {_shown(value)}"


def _equal(left: Any, right: Any) -> bool:
    """JSON equality: 1 equals 1.0, and true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _shown(value: Any) -> str:
    """Text of an answer may quote a journal, so a fault shows numbers and never text."""
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"a {type(value).__name__} of length {len(value)}"


def _any_of(value: Any, wanted: list[dict[str, Any]], schema: dict[str, Any], where: str) -> Iterator[str]:
    if not any(next(_faults(value, choice, where), None) is None for choice in wanted):
        yield f"{where}: fits none of the {len(wanted)} alternatives"


def _properties(value: Any, wanted: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in (name for name in wanted if name in value):
            yield from _faults(value[name], wanted[name], f"{where}.{name}")


def _required(value: Any, wanted: list[str], schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in wanted:
            if name not in value:
                yield f"{where}: {name!r} is missing"


def _additional(value: Any, wanted: bool, schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, dict) and wanted is False:
        extra = len(value.keys() - schema.get("properties", {}).keys())
        if extra:
            yield f"{where}: {extra} propert{'y' if extra == 1 else 'ies'} not asked for"


def _items(value: Any, wanted: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, wanted, f"{where}[{index}]")


def _pattern(value: Any, wanted: str, schema: dict[str, Any], where: str) -> Iterator[str]:
    if isinstance(value, str) and not re.search(wanted, value):
        yield f"{where}: does not match {wanted!r}"


def _bound(kinds: tuple[type, ...], measure: Any, holds: Any, words: str) -> Any:
    def check(value: Any, wanted: float, schema: dict[str, Any], where: str) -> Iterator[str]:
        if isinstance(value, kinds) and not isinstance(value, bool) and not holds(measure(value), wanted):
            yield f"{where}: expected {words} {wanted}, got {measure(value)}"

    return check


def _itself(value: float) -> float:
    return value


NUMBER = (int, float)
KEYWORDS: dict[str, Any] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "anyOf": _any_of,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "items": _items,
    "pattern": _pattern,
    "minItems": _bound((list,), len, lambda size, bound: size >= bound, "a length of at least"),
    "maxItems": _bound((list,), len, lambda size, bound: size <= bound, "a length of at most"),
    "minLength": _bound((str,), len, lambda size, bound: size >= bound, "a length of at least"),
    "maxLength": _bound((str,), len, lambda size, bound: size <= bound, "a length of at most"),
    "minimum": _bound(NUMBER, _itself, lambda number, bound: number >= bound, "at least"),
    "maximum": _bound(NUMBER, _itself, lambda number, bound: number <= bound, "at most"),
    "exclusiveMinimum": _bound(NUMBER, _itself, lambda number, bound: number > bound, "more than"),
    "exclusiveMaximum": _bound(NUMBER, _itself, lambda number, bound: number < bound, "less than"),
}
