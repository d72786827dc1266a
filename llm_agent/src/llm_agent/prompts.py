"""The prompts are files: each with a name, a version and a digest; a change of either opens a new score segment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

__all__ = ["Prompt", "data_json", "load_prompt", "prompt_names"]


@dataclass(frozen=True)
class Prompt:
    """One prompt file: instructions and worked examples.

    Attributes
    ----------
    name : str
        ``choice`` (for small models) or ``free``.
    version : str
    digest : str
        First 8 digits of the sha256 of the file.
    content : dict
        ``system`` and ``examples``, as the file has them.
    """

    name: str
    version: str
    digest: str
    content: dict[str, Any]

    @property
    def label(self) -> str:
        """``choice-2.0-1a2b3c4d``."""
        return f"{self.name}-{self.version}-{self.digest}"


def load_prompt(name: str) -> Prompt:
    """Read ``data/prompts/<name>.json``."""
    raw = _text(f"prompts/{name}.json")
    content = json.loads(raw)
    return Prompt(name, content["version"], sha256(raw.encode()).hexdigest()[:8], content)


def prompt_names() -> list[str]:
    """All prompts of the package."""
    return sorted(
        entry.name.removesuffix(".json") for entry in files("llm_agent").joinpath("data/prompts").iterdir()
    )


def data_json(name: str) -> Any:
    """A JSON file of the package's data."""
    return json.loads(_text(name))


@cache
def _text(name: str) -> str:
    return files("llm_agent").joinpath("data").joinpath(name).read_text(encoding="utf-8")
