"""Options and the opening of the store that several of the room's commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hrv_shared.settings import Settings
    from hrv_shared.store import Store

__all__ = ["AsOfOption", "SlotOption", "open_store"]

SlotOption = Annotated[
    str | None, typer.Option("--slot", help="morning or evening; default: what the clock says.")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="An earlier instant (ISO 8601), replayed.")]


def open_store() -> tuple[Settings, Store]:
    """The settings in force and their store."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store

    settings = load_settings()
    return settings, Store.open(settings)
