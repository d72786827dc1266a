"""From a raw answer to a checked ``ChatReply``; shared by all adapters, so that none is laxer than the others."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from hrv_shared.llm.errors import BadReply
from hrv_shared.llm.json_schema import first_fault
from hrv_shared.llm.port import ChatReply

__all__ = ["checked_reply"]


def checked_reply(
    text: str | None,
    *,
    schema: dict[str, Any],
    model_id: str,
    prompt_tokens: int,
    completion_tokens: int,
    seconds: float,
    finish_reason: str | None,
) -> ChatReply:
    """Parse and check one answer.

    Parameters
    ----------
    finish_reason : str or None
        As the backend says it; ``length`` or ``max_tokens`` mean that the answer was cut off.

    Raises
    ------
    BadReply
        Empty, cut off, not JSON, or not on the schema. The message holds no text of the answer (it may quote a
        journal); the error's ``text`` does.
    """
    answer = text or ""
    if finish_reason in ("length", "max_tokens"):
        raise BadReply(
            f"The answer of {model_id} was cut off after {completion_tokens} tokens; expected complete JSON. "
            "Raise max_tokens or shorten what the schema asks for.",
            answer,
        )
    if not answer.strip():
        raise BadReply(
            f"{model_id} gave an empty answer; expected JSON on the schema. Try again or another model."
        )
    try:
        parsed = json.loads(answer, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadReply(
            f"The answer of {model_id} is not JSON ({type(error).__name__}); expected JSON on the schema. "
            "This backend may not constrain its output: try another one.",
            answer,
        ) from None
    if fault := first_fault(parsed, schema):
        raise BadReply(f"The answer of {model_id} is not on the schema: {fault}.", answer)
    return ChatReply(answer, parsed, model_id, prompt_tokens, completion_tokens, round(seconds, 3))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
