"""Plots of the store, checked before they are set into the page.

The policy of the page stops scripts in any case; this keeps anything but a drawing from getting that far.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from dashboard.errors import UnsafeFigure

__all__ = ["checked_svg", "read_figures"]

DRAWN = frozenset("svg g defs path use rect line circle polyline polygon clipPath title desc".split())
OWN_SHEET = re.compile(r"<style>[^<]*</style>")
"""The sheet with which a plot follows light and dark when it is looked at alone; the page's policy lets in none."""
LARGEST_BYTES = 2_000_000
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}-[0-9]{4}-[0-9]{2}-[0-9]{2}-(?:morning|evening)-[a-z]+\.svg")


def read_figures(folder: Path, names: tuple[str, ...]) -> list[str]:
    """The SVG texts of ``names`` that exist in ``folder``.

    Raises
    ------
    UnsafeFigure
        A name that is no plot's, or a file that is more than a drawing.
    """
    texts = []
    for name in names:
        if not NAME.fullmatch(name):
            raise UnsafeFigure(
                f"Expected the name of a plot, got {name!r}. Write the summary anew: hrv daily"
            )
        path = folder / name
        if path.is_file():
            drawn = OWN_SHEET.sub("", path.read_text(encoding="utf-8"), count=1)
            texts.append(checked_svg(drawn, name))
    return texts


def checked_svg(text: str, name: str) -> str:
    """``text`` if it is nothing but a drawing.

    Raises
    ------
    UnsafeFigure
        Not XML, or with a script, a style, a handler, an outside link or an unknown element.
    """
    refused = UnsafeFigure(
        f"{name} holds more than a drawing and is not shown. Write the summary anew: hrv daily"
    )
    if len(text) > LARGEST_BYTES or "<!" in text or "<?" in text:
        raise refused
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise refused from None
    if _local(root.tag) != "svg":
        raise refused
    for element in root.iter():
        if _local(element.tag) not in DRAWN:
            raise refused
        for attribute, value in element.attrib.items():
            key, flat = _local(attribute).lower(), "".join(value.split()).lower()
            outside = (key == "href" and not flat.startswith("#")) or ("url(" in flat and "url(#" not in flat)
            if key.startswith("on") or key == "style" or "javascript:" in flat or outside:
                raise refused
    return text


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]
