"""The port: what the rooms know of a language model, whichever adapter stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

__all__ = ["ChatModel", "ChatReply", "Message"]


class Message(TypedDict):
    """One turn. Put everything static first (system, examples), so that its prefix can be cached."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ChatReply:
    """A checked answer.

    Attributes
    ----------
    text : str
        The answer as it came.
    parsed : Any
        The same as JSON, valid on the schema of the call.
    model_id : str
        What answered, for the record of the run; never a path of this machine.
    prompt_tokens, completion_tokens : int
    seconds : float, s
        Wall time of the call, without loading the model.
    """

    text: str
    parsed: Any
    model_id: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers with JSON on a schema, within a time limit set when it was opened."""

    @property
    def model_id(self) -> str: ...

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any],
        max_tokens: int = 320,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> ChatReply:
        """Answer the last message with JSON that is valid on ``schema``.

        Raises
        ------
        ModelUnavailable, BadReply, ChatTimeout
        """
        ...

    def close(self) -> None:
        """Free the model; calling it twice does no harm."""
        ...
