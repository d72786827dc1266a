"""A scripted model for tests: answers what it was given, keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hrv_shared.llm.errors import ModelUnavailable
from hrv_shared.llm.port import ChatReply, Message
from hrv_shared.llm.reply import checked_reply

__all__ = ["FakeCall", "FakeChatModel"]


@dataclass(frozen=True)
class FakeCall:
    """One call as it was made."""

    messages: tuple[Message, ...]
    schema: dict[str, Any]
    max_tokens: int
    temperature: float
    seed: int


class FakeChatModel:
    """Answers with the scripted replies in turn: text, an object (sent as JSON), or an exception to raise.

    Answers go through the same check as real ones, so a script can't pass what a model could not.
    """

    def __init__(self, replies: Iterable[str | dict[str, Any] | Exception], model_id: str = "fake") -> None:
        self._replies = list(replies)
        self._model_id = model_id
        self.calls: list[FakeCall] = []

    @property
    def model_id(self) -> str:
        return self._model_id

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any],
        max_tokens: int = 320,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> ChatReply:
        """Give the next scripted reply; ``ModelUnavailable`` when the script is at its end."""
        self.calls.append(FakeCall(tuple(messages), schema, max_tokens, temperature, seed))
        if not self._replies:
            raise ModelUnavailable(
                f"the script of {self._model_id} is at its end after {len(self.calls) - 1} calls"
            )
        reply = self._replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        text = reply if isinstance(reply, str) else json.dumps(reply)
        return checked_reply(
            text,
            schema=schema,
            model_id=self._model_id,
            prompt_tokens=sum(len(message["content"].split()) for message in messages),
            completion_tokens=len(text.split()),
            seconds=0.0,
            finish_reason="stop",
        )

    def close(self) -> None:
        """Nothing to free."""
