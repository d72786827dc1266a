"""What a request brings: one JSON object, or one uploaded file."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from dashboard.errors import BadRequest, NotOnThePhone
from dashboard.rendering import on_phone

__all__ = ["json_object", "only_here", "uploaded"]


async def json_object(request: Request) -> dict[str, Any]:
    """The body as one JSON object.

    Raises
    ------
    BadRequest
        It is something else.
    """
    try:
        said = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        raise BadRequest("Expected one JSON object as the body.") from None
    if not isinstance(said, dict):
        raise BadRequest("Expected one JSON object as the body.")
    return said


async def uploaded(request: Request) -> tuple[bytes, str, dict[str, str]]:
    """The one file of a multipart body, its content type, and the plain fields beside it.

    Raises
    ------
    BadRequest
        There is no file, or more than one.
    """
    async with request.form(max_files=1, max_fields=4) as form:
        files = [value for value in form.values() if not isinstance(value, str)]
        if len(files) != 1:
            raise BadRequest("Expected one file.")
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        return await files[0].read(), files[0].content_type or "", fields


def only_here(request: Request) -> None:
    """Refuse what only the computer itself may do.

    Raises
    ------
    NotOnThePhone
    """
    if on_phone(request):
        raise NotOnThePhone("This can be done on the computer only, not from the phone.")
