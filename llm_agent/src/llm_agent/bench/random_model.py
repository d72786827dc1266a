"""A model that chooses at random: the floor that a language model has to rise above."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from hrv_shared.llm import ChatReply, Message, ModelUnavailable
from hrv_shared.llm.reply import checked_reply

__all__ = ["RANDOM", "RandomModel"]

RANDOM = "random"


class RandomModel:
    """Valid answers without any sense, repeatable by prompt and seed; for schemas of choices only."""

    model_id = RANDOM

    def complete(
        self, messages: Sequence[Message], *, schema: dict[str, Any], seed: int = 0, **_how: Any
    ) -> ChatReply:
        """One choice for each key.

        Raises
        ------
        ModelUnavailable
            The schema asks for more than choices.
        """
        drawn = random.Random(json.dumps([list(messages), seed]))
        try:
            chosen = {key: drawn.choice(rule["enum"]) for key, rule in schema["properties"].items()}
        except KeyError:
            raise ModelUnavailable(
                "The random model answers choices only; expected --style choice, got a freer schema."
            ) from None
        return checked_reply(
            json.dumps(chosen), schema=schema, model_id=RANDOM, seconds=0.0, finish_reason="stop",
            prompt_tokens=sum(len(message["content"].split()) for message in messages), completion_tokens=len(chosen),
        )  # fmt: skip

    def close(self) -> None:
        """Nothing to free."""
