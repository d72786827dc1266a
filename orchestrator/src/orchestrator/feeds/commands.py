"""``hrv export forecasts``."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit
from hrv_shared.constants import PRODUCT
from hrv_shared.settings import load_settings
from hrv_shared.store import Store, write_bytes_atomic
from orchestrator.errors import ExportFailed

__all__ = ["export_app"]

export_app = app_for(
    "export", "Forecasts as files for other programs, with a pseudonym in place of the member."
)
EVERYBODY = "all"


class Form(StrEnum):
    """How forecasts are written."""

    CSV = "csv"
    HUBVERSE = "hubverse"
    ICS = "ics"


class Book(StrEnum):
    """Which forecasts."""

    LIVE = "live"
    REPLAY = "replay"


@export_app.callback()
def export() -> None:
    """Forecasts as files for other programs, with a pseudonym in place of the member."""


@export_app.command()
def forecasts(
    out: Annotated[Path, typer.Option(help="The file; for hubverse the folder of the hub.")],
    form: Annotated[
        Form, typer.Option("--format", help="csv, hubverse (model-output files), ics (a calendar).")
    ] = Form.CSV,
    book: Annotated[Book, typer.Option(help="Which book of the ledger.")] = Book.LIVE,
    forecaster: Annotated[str, typer.Option(help="Whose forecasts; all for everybody's.")] = PRODUCT,
    since: Annotated[
        str | None, typer.Option(help="Only of origin days from this one on (YYYY-MM-DD).")
    ] = None,
    numbers: Annotated[bool, typer.Option("--numbers", help="In a calendar: median and band too.")] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write forecasts of the ledger to a file, or into a hub's folder."""
    from orchestrator.feeds.calendar import calendar_of
    from orchestrator.feeds.hubverse import write_hubverse
    from orchestrator.feeds.pseudonym import load_salt
    from orchestrator.feeds.rows import forecast_rows, wide_rows

    settings = load_settings()
    store, salt = Store.open(settings), load_salt(settings.config_dir)
    if form is Form.ICS and forecaster == EVERYBODY:
        raise ExportFailed(
            "Expected one forecaster for a calendar: a night has one event. Leave --forecaster out."
        )
    asked = {"book": book.value, "member_id": member, "since": _day_of(since)}
    rows = forecast_rows(store, salt, forecaster=None if forecaster == EVERYBODY else forecaster, **asked)
    written = [out]
    if form is Form.HUBVERSE:
        written = write_hubverse(rows, out)
    elif form is Form.CSV:
        _write(out, wide_rows(rows).write_csv(datetime_format="%Y-%m-%dT%H:%M:%SZ").encode())
    else:
        try:
            usual = forecast_rows(store, salt, forecaster="last_28", **asked)
        except ExportFailed:
            usual = rows.clear()
        _write(out, calendar_of(rows, usual, numbers=numbers))
    emit(
        {"format": form.value, "rows": len(rows), "files": [str(path) for path in written]},
        f"{len(rows)} forecasts in {len(written)} file{'' if len(written) == 1 else 's'}: {out}", as_json,
    )  # fmt: skip


def _write(out: Path, data: bytes) -> None:
    try:
        write_bytes_atomic(out, data)
    except OSError as error:
        raise ExportFailed(
            f"{out} can't be written ({error.strerror or error}). Give another --out."
        ) from None


def _day_of(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise ExportFailed(f"Expected --since like 2026-03-01, got {text!r}.") from None
