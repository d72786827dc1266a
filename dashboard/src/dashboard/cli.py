"""The room's commands: serve, status."""

from __future__ import annotations

from typing import Annotated

import typer

from hrv_shared.cli import JsonOption, app_for, emit, say

app = app_for("dashboard", "The local web page.")

PortOption = Annotated[int, typer.Option("--port", help="Port on loopback; 0 takes any free one.")]


@app.command()
def serve(port: PortOption = 8720, as_json: JsonOption = False) -> None:
    """Serve the page to this machine until interrupted (Ctrl-C)."""
    from dashboard import serving
    from hrv_shared.settings import load_settings

    settings = load_settings()
    listener = serving.open_port(port)
    url = f"http://localhost:{listener.getsockname()[1]}/"
    emit({"url": url, "home": str(settings.home)}, f"Today: {url}  (Ctrl-C ends it)", as_json)
    try:
        serving.serve(settings, listener)
    except KeyboardInterrupt:
        say("The page is closed.")


@app.command()
def status(port: PortOption = 8720, as_json: JsonOption = False) -> None:
    """Whether the page is served, and whether it has a card to show."""
    from dashboard.serving import is_serving
    from dashboard.today import gather_today
    from hrv_shared.settings import load_settings

    settings = load_settings()
    seen = gather_today(settings)
    card = seen.card or {}
    result = {
        "url": f"http://localhost:{port}/",
        "serving": is_serving(port),
        "home": str(settings.home),
        "has_card": seen.card is not None,
        "headline": card.get("headline"),
        "figures": len(seen.figures),
        "trouble": seen.trouble or None,
    }
    where = f"{result['url']} is {'served' if result['serving'] else 'not served; start it: python -m dashboard serve'}"
    emit(result, f"{where}\n{card.get('headline') or seen.trouble}", as_json)
