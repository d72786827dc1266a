"""Anthropic's API, through its SDK: by explicit choice and with a key given by name, never found by chance.

Output is constrained by ``output_config.format``. The API knows no bounds on numbers and lengths, so the SDK turns
them into descriptions; the check of the answer still holds them. The API takes neither seed nor temperature any more:
two equal calls may answer differently, so this backend is not for back-tests.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from hrv_shared.llm.errors import BadReply, ChatTimeout, ModelUnavailable
from hrv_shared.llm.port import ChatReply, Message
from hrv_shared.llm.reply import checked_reply

__all__ = ["AnthropicChatModel"]

ADDRESS = "https://api.anthropic.com"


class AnthropicChatModel:
    """One of Anthropic's models; every call sends the prompt, journal text included, to Anthropic.

    Parameters
    ----------
    model : str
        The model's name in Anthropic's list.
    api_key : str
    timeout_s : float, s
        Limit of one call; there are no retries.
    base_url : str
        Another address of the same interface, for tests and gateways.

    Raises
    ------
    ModelUnavailable
        The SDK is not installed, or model or key are not given.
    """

    def __init__(
        self, *, model: str, api_key: str, timeout_s: float = 180.0, base_url: str = ADDRESS
    ) -> None:
        if not model or not api_key:
            raise ModelUnavailable(
                "The backend anthropic needs HRV_LLM_MODEL and HRV_LLM_API_KEY; one is not set."
            )
        try:
            import anthropic
        except ImportError as error:
            raise ModelUnavailable(
                f"The backend anthropic needs its SDK ({error}). Install hrv-shared[anthropic]."
            ) from None
        if not hasattr(anthropic, "transform_schema"):
            raise ModelUnavailable(
                f"The installed anthropic SDK {anthropic.__version__} is too old; expected 2.0 or later."
            )
        self._sdk = anthropic
        self._model = model
        self._timeout_s = timeout_s
        self._client = anthropic.Anthropic(
            api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=0
        )

    @property
    def model_id(self) -> str:
        return self._model

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any],
        max_tokens: int = 320,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> ChatReply:
        """Ask once; ``temperature`` and ``seed`` can't be sent, see above.

        Raises
        ------
        ModelUnavailable, BadReply, ChatTimeout
        """
        started = time.monotonic()
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        turns = [dict(message) for message in messages if message["role"] != "system"]
        output_format = {"type": "json_schema", "schema": self._sdk.transform_schema(schema)}
        try:
            answer = self._client.messages.create(
                model=self._model,
                max_tokens=max_tokens,
                messages=turns,
                output_config={"format": output_format},
                **({"system": system} if system else {}),
            )
        except self._sdk.APITimeoutError:
            raise ChatTimeout(
                f"Anthropic gave no answer within {self._timeout_s:g} s. Try again later."
            ) from None
        except self._sdk.APIStatusError as error:
            raise ModelUnavailable(
                f"Anthropic answered {error.status_code} ({type(error).__name__}). Check the key and the model's name."
            ) from None
        except self._sdk.AnthropicError as error:
            raise ModelUnavailable(
                f"Anthropic can't be reached ({type(error).__name__}). Check the network."
            ) from None
        if answer.stop_reason == "refusal":
            raise BadReply(f"{self._model} refused to answer this prompt.")
        return checked_reply(
            "".join(block.text for block in answer.content if block.type == "text"),
            schema=schema,
            model_id=answer.model,
            prompt_tokens=answer.usage.input_tokens,
            completion_tokens=answer.usage.output_tokens,
            seconds=time.monotonic() - started,
            finish_reason=answer.stop_reason,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
