"""The few pages that people see: no script, no style, nothing from elsewhere."""

from __future__ import annotations

from html import escape

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

__all__ = ["index", "page"]

_HEAD = "<!doctype html><html lang=en><meta charset=utf-8>"


def page(title: str, html: str, status: int) -> HTMLResponse:
    return HTMLResponse(f"{_HEAD}<title>{title}</title><h1>{title}</h1><p>{html}", status)


def index(app: FastAPI, token_file: str) -> HTMLResponse:
    """Every route of the service and what it does."""
    rows = "".join(
        f"<tr><td>{method.upper()}<td><code>{escape(path)}</code><td>{escape(verb.get('description', ''))}"
        for path, verbs in sorted(app.openapi()["paths"].items())
        for method, verb in verbs.items()
    )
    note = (
        "All but the pages need the header <code>X-HRV-Token</code>; "
        f"the token is in <code>{escape(token_file)}</code>."
        "<p>For programs: <a href=/openapi.json>/openapi.json</a>"
    )
    return page("WHOOP client", f"{note}<table>{rows}</table>", 200)
