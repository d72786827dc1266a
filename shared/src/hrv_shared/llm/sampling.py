"""Several answers to one prompt, whichever adapter: at once where it can, else one call after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hrv_shared.llm.errors import BadReply
from hrv_shared.llm.port import ChatModel, ChatReply, Message

__all__ = ["draw_samples"]


def draw_samples(
    model: ChatModel,
    messages: Sequence[Message],
    *,
    schema: dict[str, Any],
    samples: int,
    max_tokens: int = 320,
    temperature: float = 0.7,
    seed: int = 0,
) -> list[ChatReply | BadReply]:
    """Draw ``samples`` answers; one that is not valid is an error value, so that it does not take the others along.

    Raises
    ------
    ModelUnavailable, ChatTimeout
        Nothing could be asked, or not in time.
    """
    native = getattr(model, "sample", None)
    if native is not None:
        return native(
            messages, schema=schema, samples=samples, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
    replies: list[ChatReply | BadReply] = []
    for k in range(samples):
        try:
            replies.append(
                model.complete(
                    messages, schema=schema, max_tokens=max_tokens, temperature=temperature, seed=seed + k
                )
            )
        except BadReply as error:
            replies.append(error)
    return replies
