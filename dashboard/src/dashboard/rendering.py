"""Templates and static files: everything escaped, compressed once, nothing from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from dashboard import words
from dashboard.desk import Desk

__all__ = ["Pages", "static_file"]

HERE = Path(__file__).parent
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
VIEWS = (
    ("today", "/", "Today", "Today"), ("speak", "/speak", "Speak", "Speak"),
    ("tonight", "/tonight", "Tonight", "Tonight"), ("track", "/track", "Track record", "Record"),
    ("moves", "/moves", "What moves you", "Effects"), ("options", "/settings", "Settings", "Settings"),
)  # fmt: skip


class Pages:
    """Turns a view's data into a page, a part of one, or JSON."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        self._templates.filters |= {
            "day": words.short_day, "local": words.local_words, "clock": words.clock_words, "weekday": words.day_words,
            "ms": lambda value: "–" if value is None else f"{value:.0f}",
            "tenth": lambda value: "–" if value is None else f"{value:.1f}",
            "signed": lambda value: "–" if value is None else f"{value:+.1f}".replace("-", "−"),
            "pct": lambda value: "–" if value is None else f"{value:.0f} %",
            "size": _size_words,
        }  # fmt: skip
        self._templates.globals |= {"views": VIEWS, "static": static_address}

    def page(self, request: Request, template: str, data: dict[str, Any], status: int = 200) -> HTMLResponse:
        """A whole page."""
        desk = self._desk
        context = {
            "data": data, "view": template.removesuffix(".html"), "is_demo": desk.is_demo, "has_demo": desk.has_demo,
            "shows_demo": desk.shows_demo, "running": desk.jobs.running(), "on_phone": on_phone(request),
        }  # fmt: skip
        return HTMLResponse(self._templates.get_template(template).render(context), status)

    def part(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any
    ) -> HTMLResponse:
        """A part of a page, for htmx."""
        return HTMLResponse(
            self._templates.get_template(f"parts/{template}").render(context), status, headers
        )

    def answer(self, request: Request, data: dict[str, Any], template: str, **context: Any) -> Response:
        """JSON for programs; the same as a part of the page when htmx asks."""
        if request.headers.get("hx-request") == "true":
            return self.part(template, data=data, **context)
        return JSONResponse(data)


def on_phone(request: Request) -> bool:
    """Whether the request came in by the door to the wearer's network."""
    return request.scope.get("hrv_scheme") == "https"


def static_file(name: str, accepts_gzip: bool) -> Response | None:
    """A file of ``static``, None when there is none of that name."""
    held = _static().get(name)
    if held is None:
        return None
    plain, packed, kind, _ = held
    headers = {"vary": "accept-encoding", "cache-control": "private, max-age=31536000, immutable"}
    if accepts_gzip:
        return Response(packed, media_type=kind, headers=headers | {"content-encoding": "gzip"})
    return Response(plain, media_type=kind, headers=headers)


def static_address(name: str) -> str:
    """Its address with a digest of its bytes, so that it may be kept for ever."""
    return f"/static/{name}?{_static()[name][3]}"


@cache
def _static() -> dict[str, tuple[bytes, bytes, str, str]]:
    folder = HERE / "static"
    files = {}
    for path in folder.rglob("*"):
        if path.suffix in TYPES:
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()[:12]
            packed = gzip.compress(data, 9, mtime=0)
            files[str(path.relative_to(folder))] = (data, packed, TYPES[path.suffix], digest)
    return files


def _size_words(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 else f"{size_bytes / 1e3:.0f} kB"
