"""The room's commands: serve, status."""

from __future__ import annotations

from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, app_for, emit, say

app = app_for("dashboard", "The local web page.")

PortOption = Annotated[int, typer.Option("--port", help="Port on loopback; 0 takes any free one.")]


@app.command()
def serve(
    port: PortOption = 8720,
    demo: Annotated[
        bool, typer.Option("--demo", help="Show the demo member (made first, if need be).")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Only print the address of the page that is served already.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve the page to this machine until interrupted (Ctrl-C); prints the address to open, which carries the key."""
    from dashboard import serving
    from dashboard.desk import Desk
    from dashboard.session import TOKEN_FILE, Sessions, leave_token
    from hrv_shared.errors import ConfigurationError
    from hrv_shared.settings import load_settings

    settings = load_settings()
    if link:
        path = settings.config_dir / TOKEN_FILE
        if not path.exists() or not serving.is_serving(port):
            raise ConfigurationError(f"No page is served on port {port}. Start it: hrv dashboard")
        url = f"http://localhost:{port}/enter/{path.read_text().strip()}"
        emit({"url": url}, url, as_json)
        return
    listeners = serving.open_port(port)
    own_port = listeners[0].getsockname()[1]
    sessions = Sessions(own_port)
    desk = Desk(settings, sessions, show_demo=demo)
    if demo and not desk.has_demo:
        _make_demo(desk)
    leave_token(settings.config_dir, sessions.token)
    url = f"http://localhost:{own_port}/enter/{sessions.token}"
    told = {
        "url": url,
        "address": f"http://localhost:{own_port}/",
        "home": str(desk.settings.home),
        "demo": desk.is_demo,
    }
    emit(told, f"The page: {url}  (Ctrl-C ends it)", as_json)
    try:
        serving.serve(desk, listeners)
    except KeyboardInterrupt:
        say("The page is closed.")


@app.command()
def status(port: PortOption = 8720, as_json: JsonOption = False) -> None:
    """Whether the page is served, and whether it has a card to show."""
    from dashboard.desk import Desk
    from dashboard.serving import is_serving
    from dashboard.session import Sessions
    from dashboard.today import today
    from hrv_shared.settings import load_settings

    desk = Desk(load_settings(), Sessions(port))
    seen = today(desk)
    card = seen["card"] or {}
    trouble = (seen["trouble"] or {}).get("message")
    result = {
        "url": f"http://localhost:{port}/",
        "serving": is_serving(port),
        "home": str(desk.settings.home),
        "has_card": seen["card"] is not None,
        "headline": card.get("headline"),
        "sentence": seen.get("sentence"),
        "trouble": trouble,
    }
    where = f"{result['url']} is {'served' if result['serving'] else 'not served; start it: hrv dashboard'}"
    emit(result, f"{where}\n{card.get('headline') or trouble}", as_json)


def _make_demo(desk) -> None:
    """Make the demo's store first: some minutes, once."""
    import subprocess

    from dashboard.errors import DashboardError
    from dashboard.rooms import environment_of, room_command

    command = room_command("orchestrator", "demo", "--json")
    done = subprocess.run(command, env=environment_of(desk.own), stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise DashboardError("The demo could not be made; its words stand above. Try: hrv demo")
