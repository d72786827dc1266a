"""Change ``<HRV_HOME>/hrv.toml`` for the wearer: a page or a command writes what they chose, checked before."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hrv_shared.errors import ConfigurationError
from hrv_shared.settings import load_settings
from hrv_shared.store import write_bytes_atomic

__all__ = ["change_settings"]


def change_settings(home: Path, changes: Mapping[str, str | int | float | bool | None]) -> Path:
    """Write settings; None takes one out of the file, so that its default counts again.

    Comments of the file are lost: it is written anew.

    Raises
    ------
    ConfigurationError
        An unknown setting or a value that it does not take; the file is left as it was.
    """
    path = home / "hrv.toml"
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML ({error}). Mend or remove it.") from None
    new = {name: value for name, value in {**held, **changes}.items() if value is not None}
    load_settings({}, home=home, **{name: value for name, value in new.items() if name != "home"})
    lines = [f"{name} = {_toml(value)}" for name, value in sorted(new.items())]
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes_atomic(path, ("\n".join(lines) + "\n").encode() if lines else b"")
    return path


def _toml(value: Any) -> str:
    """A plain value as TOML; JSON's strings are TOML's basic strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")
    raise ConfigurationError(f"Expected a text, a number, true or false, got {type(value).__name__}.")
