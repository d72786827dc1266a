"""Text that somebody else wrote, made safe to print: no control character reaches the terminal as one."""

from __future__ import annotations

import re

__all__ = ["json_printable", "printable"]

_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line end, DEL, C1 (0x9b begins an escape sequence as ESC [ does)
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # direction, line ends, invisible
    "\ud800-\udfff"  # half a pair: cannot be written as UTF-8
    "\U000e0000-\U000e007f"  # invisible tags
)
_FOUND = re.compile(f"[{_UNSAFE}]")


def printable(text: str) -> str:
    """The text with every such character as its escape (``\\x1b``, ``\\u202e``): seen, not obeyed."""
    return _FOUND.sub(lambda m: m.group().encode("unicode_escape").decode("ascii"), text)


def json_printable(text: str) -> str:
    """The same for JSON: escapes that mean the same data."""
    return _FOUND.sub(_json_escape, text)


def _json_escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k]:02x}{units[k + 1]:02x}" for k in range(0, len(units), 2))
