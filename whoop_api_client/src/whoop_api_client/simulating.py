"""`hrv simulate`: which accounts the simulator serves, what goes wrong with them, and what to do next."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, emit, say

__all__ = ["instant", "simulate"]


def simulate(
    members: Annotated[
        int, typer.Option(min=1, max=200, help="How many made-up members; seeds SEED, SEED+1, …")
    ] = 1,
    nights: Annotated[int, typer.Option(help="How many nights of history each has.")] = 240,
    seed: Annotated[int, typer.Option(help="Who the first made-up member is.")] = 0,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Serve this recorded account instead (a whoop.csv, or a folder; may be repeated)."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(help="The simulator's present, ISO 8601; default: now (recorded data: its end)."),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(min=0, help="Simulated seconds a real second; 0: the clock stands (recorded data: 0)."),
    ] = None,
    ahead: Annotated[
        int, typer.Option(min=1, max=400, help="Nights to come, held back until their time.")
    ] = 8,
    today: Annotated[
        str | None,
        typer.Option(help='The made-up members\' behaviours today, JSON: {"alcohol_drinks": 2, …}.'),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="measured (as in real accounts), calm (nothing goes wrong) or rough.")
    ] = "measured",
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A switch out of --options; may be repeated."),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[,NAME=VALUE…]",
            help="Trouble from the start, e.g. rate_limited,share=0.5,for_s=3600; may be repeated.",
        ),
    ] = None,
    webhook: Annotated[
        list[str] | None,
        typer.Option(help="Send signed webhooks to this address of this machine; may be repeated."),
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Show a consent page instead of saying yes at once.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8722,
    options: Annotated[
        bool, typer.Option("--options", help="List every switch and every kind of fault, and stop.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a simulated WHOOP (API v2 and OAuth 2.0) as an HTTP server on this machine, until it is stopped.

    Works with any WHOOP client whose addresses can be set; needs no account. With --json the first line on stdout is
    one object: addresses, the app's id and secret, the members. While it runs, /_sim/… sets its clock, adds faults,
    edits records and tells the truth behind the made-up nights. All of it: docs/simulator.md.
    """
    if options:
        _list_options(as_json)
        return
    with _stopped_by_signals():
        from whoop_api_client.simulator import read_settings, serve

        given: dict[str, Any] = {"auto_approve": False} if ask else {}
        if webhook:
            given["webhook_urls"] = tuple(webhook)
        # a recording ends: its clock stands still, so that its last, open cycle does not grow with each pull
        speed = pace if pace is not None else 0.0 if data else None
        if speed is not None:
            given |= {"clock_runs": speed > 0} | ({"pace": speed} if speed > 0 else {})
        settings = read_settings(switches or (), preset, faults or (), **given)
        present = instant(now)
        if data:
            worlds = _recorded(data, present)
        else:
            worlds = _made_up(members, nights, seed, present, ahead, _behaviours(today), settings.happenings)
        serve(worlds, settings.config, port=port, announce=_announcer(as_json))


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM both end the command in order, with exit code 0."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
    say("Simulator stopped.")


def _made_up(
    members: int, nights: int, seed: int, present: datetime | None, ahead: int, today: Any, happenings: Any
) -> list:
    from hrv_shared.clock import system_clock
    from whoop_api_client.simulator import make_member

    now = present or system_clock()
    return [
        make_member(
            seed + k, now=now, n_nights=nights, future_nights=ahead, today=today, happenings=happenings
        )
        for k in range(members)
    ]


def _recorded(paths: list[Path], present: datetime | None) -> list:
    from dataclasses import replace

    from whoop_api_client.simulator import load_account

    worlds = [load_account(path, position) for position, path in enumerate(paths)]
    return [replace(world, default_now=present) for world in worlds] if present else worlds


def _list_options(as_json: bool) -> None:
    from whoop_api_client.simulator import FAULT_KINDS, PRESETS, known_options

    listed = known_options()
    result = {
        "options": [
            {"name": o.name, "group": o.group, "type": o.kind, "default": o.default, "doc": o.doc}
            for o in listed.values()
        ],
        "presets": PRESETS,
        "faults": FAULT_KINDS,
    }
    lines, group = [], ""
    for option in listed.values():
        if option.group != group:
            group = option.group
            lines += ["", f"{group} (--set NAME=VALUE)"]
        default = "as drawn" if option.default is None else _said(option.default)
        lines.append(f"  {option.name:27} {option.doc} [{default}]")
    lines += ["", "faults (--fault KIND[,count=N | for_s=S][,share=P][,path_contains=TEXT][,seconds=S])"]
    lines += [f"  {kind:27} {doc}" for kind, doc in FAULT_KINDS.items()]
    emit(result, "\n".join(lines[1:]), as_json)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(f"{item:g}" for item in value) or "none" if isinstance(value, tuple) else str(value)


def _announcer(as_json: bool) -> Callable[[dict[str, Any]], None]:
    def announce(ready: dict[str, Any]) -> None:
        people = ", ".join(f"{member['user_id']}" for member in ready["members"][:5])
        more = f" and {len(ready['members']) - 5} more" if len(ready["members"]) > 5 else ""
        text = "\n".join(
            [
                f"A simulated WHOOP listens on {ready['base_url']}; it is {ready['now']} there. Stop with Ctrl-C.",
                f"Members: {people}{more}. Clock, faults, edits and the truth: {ready['base_url']}/_sim/…",
                "In another terminal:",
                f"  export HRV_WHOOP_API_BASE={ready['api_base']}",
                f"  export HRV_WHOOP_AUTH_BASE={ready['auth_base']}",
                f"  export HRV_WHOOP_CLIENT_ID={ready['client_id']}",
                f"  export HRV_WHOOP_CLIENT_SECRET={ready['client_secret']}",
                "  export HRV_HOME=$(mktemp -d)   # keep it apart from your own data",
                "  hrv connect --auto && hrv pull",
            ]
        )
        emit(ready, text, as_json)

    return announce


def _behaviours(text: str | None) -> dict[str, Any] | None:
    try:
        told = json.loads(text) if text else None
    except json.JSONDecodeError:
        told = text
    if told is not None and not isinstance(told, dict):
        raise typer.BadParameter(f"expected a JSON object of behaviours, got {text!r}")
    return told


def instant(text: str | None) -> datetime | None:
    """Read an instant given on the command line."""
    from hrv_shared.daytime import parse_instant

    try:
        return parse_instant(text) if text else None
    except ValueError:
        example = datetime(2026, 3, 1, 12, tzinfo=UTC).isoformat()
        raise typer.BadParameter(f"expected an instant such as {example}, got {text!r}") from None
