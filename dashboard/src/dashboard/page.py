"""The page: one address for people (/), one for programs (/api/today)."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.gate import Gate
from dashboard.today import gather_today
from hrv_shared.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["create_app"]

HERE = Path(__file__).parent


def create_app(settings: Settings, *, port: int) -> FastAPI:
    """The application, behind its gate.

    Parameters
    ----------
    port : int
        The port that it is served on; part of the only ``Host`` that it answers.
    """
    from fastapi import FastAPI
    from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    app = FastAPI(title="hrv", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    pages.filters["day"] = _day
    template = pages.get_template("today.html")

    @app.get("/", response_class=HTMLResponse)
    def today() -> HTMLResponse:
        seen = gather_today(settings)
        return HTMLResponse(template.render(today=seen), status_code=200 if seen.card else 404)

    @app.get("/api/today")
    def api_today() -> JSONResponse:
        seen = gather_today(settings)
        if seen.card is None:
            return JSONResponse(
                {"error": {"code": seen.trouble_code, "message": seen.trouble}}, status_code=404
            )
        return JSONResponse(seen.card)

    @app.get("/static/page.css")
    def style() -> FileResponse:
        return FileResponse(HERE / "static" / "page.css", media_type="text/css")

    app.add_middleware(Gate, port=port)
    return app


def _day(text: str) -> str:
    """``2026-07-01`` as ``Wed 1 Jul``, whatever the locale."""
    day = date.fromisoformat(text)
    weekday = "Mon Tue Wed Thu Fri Sat Sun".split()[day.weekday()]
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[day.month - 1]
    return f"{weekday} {day.day} {month}"
