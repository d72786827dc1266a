"""What every room's command line shares: one way to answer, to fail and to show progress.

A command computes a dict, then calls ``emit``: words for people, or with ``--json`` exactly one object on stdout.
Progress and messages go to stderr. Under Dagster both travel to the asset that started the command (Pipes).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hrv_shared.constants import MEMBER_ID_FORM
from hrv_shared.errors import HrvError
from hrv_shared.printable import json_printable, printable

__all__ = [
    "JsonOption", "JsonOutOption", "MemberOption", "app_for", "emit", "emit_rows", "json_default", "progress", "run",
    "say",
]  # fmt: skip

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
JsonOutOption = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="[OUT]",
        help="Write the rows as a JSON array to OUT; alone or with -: one object to stdout.",
    ),
]
"""Of a benchmark; its ``__main__`` passes the arguments through `json_default`."""


def _known_form(member_id: str | None) -> str | None:
    """Refuse what could not be a ``member_id`` in the settings either: it becomes part of file names."""
    if member_id is not None and not re.fullmatch(MEMBER_ID_FORM, member_id):
        raise typer.BadParameter(
            f"expected a member id of letters, digits and _.- (at most 64), got {member_id!r}"
        )
    return member_id


MemberOption = Annotated[
    str | None,
    typer.Option("--member", callback=_known_form, help="Whose data; default: the setting member_id."),
]

EXIT_CODE = 2

_UsageError = typer.BadParameter.__mro__[2]
"""The base of typer's own complaints (``ClickException``), which it does not export by name."""


class BadUsage(HrvError):
    """An option or argument that the command does not take."""


def app_for(name: str, help_text: str) -> typer.Typer:
    """A room's typer app, plain and quick to start."""
    return typer.Typer(
        name=name, help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def emit(result: dict[str, Any], text: str, as_json: bool) -> None:
    """Answer a command: ``text`` for people, ``result`` for programs; under Dagster both go to the asset."""
    if under_dagster():
        _tell_dagster({"result": json.loads(json.dumps(result, default=_plain)), "text": text})
    elif as_json:
        answer = json.dumps(result, default=_plain, ensure_ascii=False, allow_nan=False)
        sys.stdout.write(json_printable(answer) + "\n")
    elif text:
        sys.stdout.write(printable(text.rstrip("\n")) + "\n")
    sys.stdout.flush()


def emit_rows(result: dict[str, Any], text: str, json_out: str | None) -> None:
    """Answer a benchmark: ``result["rows"]`` as a JSON array to the file that ``--json`` names, else as `emit`."""
    if json_out not in (None, "-"):
        rows = json.dumps(result["rows"], indent=1, default=_plain) + "\n"
        Path(str(json_out)).write_text(rows, encoding="utf-8")
        say(f"Written: {json_out}")
    emit(result, text, json_out == "-")


def json_default(arguments: list[str]) -> list[str]:
    """``--json`` without a value means stdout, as in every other command."""
    told: list[str] = []
    for k, argument in enumerate(arguments):
        told.append(argument)
        if argument == "--json" and (
            k + 1 == len(arguments) or (arguments[k + 1].startswith("-") and arguments[k + 1] != "-")
        ):
            told.append("-")
    return told


def run(app: Callable[..., Any]) -> None:
    """Run a room's app; an error becomes one sentence (or ``{"error": …}`` with ``--json``) and exit code 2."""
    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=False)
    except HrvError as error:
        fail(error, as_json=as_json)
    except _UsageError as error:
        if not (as_json or under_dagster()):
            error.show()
            raise SystemExit(EXIT_CODE) from None
        fail(BadUsage(f"{error.format_message()} Ask the command for --help."), as_json=True)
    except (KeyboardInterrupt, typer.Abort):
        say("stopped; what was done so far is kept")
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def fail(error: HrvError, *, as_json: bool) -> NoReturn:
    """Say what went wrong and leave with exit code 2."""
    answer = {"error": {"code": error.code, "message": str(error)}}
    if under_dagster():
        _tell_dagster(answer)
    elif as_json:
        sys.stdout.write(json_printable(json.dumps(answer, ensure_ascii=False)) + "\n")
        sys.stdout.flush()
    else:
        say(f"hrv: {error}")
    raise SystemExit(EXIT_CODE)


def say(message: str) -> None:
    """A message for the person at the terminal (stderr)."""
    sys.stderr.write(printable(message) + "\n")
    sys.stderr.flush()


@contextmanager
def progress(label: str, total: float | None = None) -> Iterator[Callable[..., None]]:
    """Show progress on stderr: a bar in a terminal, nothing but the label elsewhere.

    Yields ``advance(amount, note)``; the note, such as the rate, stands behind the bar.
    """
    if not sys.stderr.isatty():
        say(f"{label} …")
        yield lambda _amount=1.0, _note="": None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, note="")
        yield lambda amount=1.0, note="": bar.update(task, advance=amount, note=note)


def under_dagster() -> bool:
    """Whether an asset of the orchestrator started this process (Dagster Pipes)."""
    return "DAGSTER_PIPES_CONTEXT" in os.environ


def _tell_dagster(message: dict[str, Any]) -> None:
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        pipes.report_custom_message(message)


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")
