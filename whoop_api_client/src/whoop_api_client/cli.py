"""The room's commands. Heavy imports happen inside the command that needs them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, app_for, emit, progress, say
from whoop_api_client.simulating import instant, simulate

app = app_for("whoop_api_client", "WHOOP: connect, pull, import an export, simulate, serve.")


@app.command()
def connect(
    paste: Annotated[
        bool, typer.Option("--paste", help="Paste the browser's final address by hand.")
    ] = False,
    auto: Annotated[
        bool, typer.Option("--auto", help="Follow the redirects (a simulator on this machine).")
    ] = False,
    secrets_file: Annotated[
        Path | None, typer.Option(help="File with client_id = … and client_secret = … (TOML or KEY=value).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Allow this program to read your WHOOP data."""
    from hrv_shared.settings import load_settings
    from whoop_api_client import connecting
    from whoop_api_client.app_secrets import ask_for_app, read_secrets_file

    settings = load_settings()
    identity = read_secrets_file(secrets_file) if secrets_file else ask_for_app(settings)
    way = "follow" if auto else "paste" if paste else "listen"
    result = connecting.connect(
        settings,
        way,
        client_id=identity.client_id,
        client_secret=identity.client_secret,
        show=_open,
        ask=_ask,
    )
    missing = f"\nNot granted: {', '.join(result['missing_scope'])}." if result["missing_scope"] else ""
    emit(result, f"Connected. The tokens are in {result['tokens_in']}.{missing}\nNext: hrv pull", as_json)


@app.command()
def disconnect(as_json: JsonOption = False) -> None:
    """Withdraw the access at WHOOP and forget the tokens; your records stay."""
    from hrv_shared.settings import load_settings
    from whoop_api_client import connecting

    result = connecting.disconnect(load_settings())
    if not result["was_connected"]:
        text = "There was no connection to WHOOP."
    elif result["revoked"]:
        text = "Disconnected: WHOOP has withdrawn the access, the tokens here are gone. Your records stay."
    else:
        text = f"Disconnected: the tokens here are gone. {result['note']}"
    emit(result, text, as_json)


@app.command()
def pull(
    day: Annotated[str | None, typer.Option(help="Only this wake day, YYYY-MM-DD, and show it.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read the whole history again.")] = False,
    if_connected: Annotated[
        bool, typer.Option("--if-connected", help="Without a login, read nothing and say so.")
    ] = False,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read what is new at WHOOP (everything, the first time) and rebuild the tables."""
    from hrv_shared.settings import load_settings
    from whoop_api_client import connecting, pulling
    from whoop_api_client.day import summary_text
    from whoop_api_client.pull_progress import PullProgress

    settings = load_settings()
    wanted = _day(day) if day else None
    if if_connected and not connecting.describe_connection(settings, member)["connected"]:
        emit({"skipped": "not connected"}, "Not connected to WHOOP; what is in the record stands.", as_json)
        return
    with progress("Reading WHOOP") as advance:
        watch = PullProgress(datetime.now(UTC))

        def on_page(kind: str, count: int, back_to: datetime | None) -> None:
            advance(watch.page(kind, count, back_to), watch.text())

        result = pulling.pull(
            settings, member_id=member, day=wanted, full=full, on_page=on_page, on_first=watch.begins
        )
    text = summary_text(result["day"]) if wanted else _pull_text(result)
    for warning in result["warnings"]:
        say(f"Note: {warning}")
    if result["quarantined_count"]:
        first = result["quarantined"][0]
        say(
            f"Note: {result['quarantined_count']} records were not written; the first: {first['kind']} {first['key']}, "
            f"{first['reason']}. The next pull reads recent ones again; hrv pull --full reads all."
        )
    emit(result, text, as_json)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="WHOOP's export: the ZIP, its unpacked folder, or one CSV.")],
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            help="A journal question, or a behaviour, whose answers are not to be recorded. Repeatable; kept."
        ),
    ] = None,
    let_in: Annotated[
        list[str] | None,
        typer.Option(help="Take that back, or let a private one become facts. Repeatable; kept."),
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import WHOOP's data export and rebuild the tables."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from whoop_api_client.export import import_export
    from whoop_api_client.tables import rebuild

    settings = load_settings()
    store = Store.open(settings)
    member_id = member or settings.member_id
    with progress("Importing") as advance:
        report = import_export(
            store,
            path,
            member_id,
            leave_out=leave_out or (),
            let_in=let_in or (),
            on_progress=lambda *_: advance(1),
        )
    tables = rebuild(store, member_id)
    emit(report.to_dict() | {"tables": tables}, f"{report.text()}\n{_table_text(tables)}", as_json)


app.command()(simulate)


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(min=1, max=65535, help="Port on 127.0.0.1 and ::1; the redirect address must name it."),
    ] = 8721,
    webhook_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port for webhooks, if HRV_WHOOP_WEBHOOK_HOST is set. Default: --port plus 2.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve programs on this machine: connect, pull, import, status, gaps, tables, webhooks.

    Only this machine can reach it. All but the start page needs the header X-HRV-Token, with the token that is
    written to service-token in the config folder at each start. GET / lists every route, /openapi.json describes them.
    Webhooks are off unless HRV_WHOOP_WEBHOOK_HOST names your tunnel. Ctrl-C stops it; what it has done is kept.
    """
    from hrv_shared.settings import load_settings
    from whoop_api_client import service

    settings = load_settings()
    ready = service.announcement(settings, port, webhook_port)
    text = f"Serving {ready['address']}; the token is in {ready['token_file']}. Stop with Ctrl-C."
    if ready["webhook_address"]:
        text += f"\nWebhooks come in at {ready['webhook_address']}: point the tunnel there, and only there."
    service.serve(settings, port, webhook_port, ready=lambda: emit(ready, text, as_json))
    say("Stopped.")


@app.command()
def status(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """The connection and what the store holds; asks nobody."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from whoop_api_client.connecting import describe_connection
    from whoop_api_client.holdings import holdings
    from whoop_api_client.pulling import last_pull_at

    settings = load_settings()
    store = Store.open(settings)
    member_id = member or settings.member_id
    connection = describe_connection(settings, member_id)
    result = {
        "member_id": member_id,
        "connection": connection,
        "last_pull_at": last_pull_at(store, settings, member_id),
        "holdings": holdings(store, member_id),
    }
    lost = "ended by WHOOP; hrv connect" if connection["lost_at"] else "not connected; hrv connect"
    state = "connected" if connection["connected"] else lost
    pulled = result["last_pull_at"]
    lines = [f"WHOOP: {state}; last pull: {f'{pulled:%Y-%m-%d %H:%M} UTC' if pulled else 'never'}"]
    lines += [f"{name:12}{count:>7}" for name, count in result["holdings"].items()]
    emit(result, "\n".join(lines), as_json)


@app.command()
def rebuild(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Make the tables anew from the record; the same record gives the same bytes."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from whoop_api_client import tables

    rows = tables.rebuild(Store.open(load_settings()), member)
    emit({"tables": rows}, _table_text(rows), as_json)


@app.command()
def gaps(
    member: MemberOption = None,
    since: Annotated[str | None, typer.Option(help="From this day on, YYYY-MM-DD.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Days without usable HRV, why, and what is being done about it.

    Why: missing, pending, unscorable, calibrating, no_sleep, invalid, vanished.
    """
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from whoop_api_client.connecting import describe_connection
    from whoop_api_client.holdings import days_without_hrv, runs_text

    settings = load_settings()
    store = Store.open(settings)
    found = days_without_hrv(
        store.read_table("days"), member or settings.member_id, _day(since) if since else None,
        today=store.clock().date(), connected=describe_connection(settings, member)["connected"],
    )  # fmt: skip
    emit(found, runs_text(found), as_json)


@app.command()
def why(
    day: Annotated[str, typer.Argument(help="Wake day, YYYY-MM-DD.")],
    quantity: Annotated[
        str, typer.Argument(help="hrv, rhr, strain, deep_min …: a column of the table days.")
    ],
    as_of: Annotated[
        str | None, typer.Option(help="As known at this instant, ISO 8601; default: now.")
    ] = None,
    member: MemberOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where a value came from: record, revision, payload; what it replaced; why there is none."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from whoop_api_client.why import why as explain
    from whoop_api_client.why import why_text

    settings = load_settings()
    record = Store.open(settings).record
    found = explain(record, member or settings.member_id, _day(day), quantity, instant(as_of))
    plain = found | {"vintages": [asdict(vintage) for vintage in found["vintages"]]}
    emit(plain, why_text(found), as_json)


@app.command()
def bench(
    nights: Annotated[int, typer.Option(min=30, max=5000, help="Nights of the made-up account.")] = 1826,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Measure so often; the median counts.")] = 3,
    seed: Annotated[int, typer.Option(help="Which made-up account.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Measure back-fill, daily pull and import of five years against a simulator on this machine."""
    from whoop_api_client import bench as benchmark

    with progress("Measuring"):
        found = benchmark.measure(nights=nights, seed=seed, rounds=rounds)
    emit(found, benchmark.table_text(found), as_json)


def _open(address: str) -> None:
    import webbrowser

    say(f"Open this address and say yes (waiting five minutes):\n{address}")
    webbrowser.open(address)


def _ask(address: str) -> str:
    say(
        f"Open this address anywhere and say yes:\n{address}\nThen paste the address at which the browser ended"
    )
    return typer.prompt("Final address", err=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"expected a day such as 2026-03-01, got {text!r}") from None


def _pull_text(result: dict[str, Any]) -> str:
    written = (
        ", ".join(f"{count} {kind}" for kind, count in result["written"].items() if count) or "nothing new"
    )
    read = sum(result["received"].values())
    gone = f"; {len(result['vanished'])} no longer at WHOOP" if result["vanished"] else ""
    return f"Read {read} records, wrote {written}{gone}.\n{_table_text(result['tables'])}"


def _table_text(tables: dict[str, int]) -> str:
    return "Tables: " + ", ".join(f"{name} {rows}" for name, rows in tables.items())
