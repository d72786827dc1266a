"""Any server with the OpenAI chat interface: Ollama, llama-server, LM Studio, vLLM.

A prompt holds a person's journal, so only servers on this machine are spoken to unless ``allow_remote`` is set.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from hrv_shared.llm.errors import BadReply, ChatTimeout, ModelUnavailable
from hrv_shared.llm.port import ChatReply, Message
from hrv_shared.llm.reply import checked_reply

__all__ = ["OpenAICompatibleChatModel", "is_loopback"]

LARGEST_ANSWER_BYTES = 4_000_000
HINTS = {
    400: "it may not know response_format json_schema, or the prompt is longer than its context",
    401: "set HRV_LLM_API_KEY",
    403: "set HRV_LLM_API_KEY",
    404: "check the address (it normally ends in /v1) and the model's name (HRV_LLM_MODEL)",
    429: "it is busy; try again later",
}


class OpenAICompatibleChatModel:
    """One model behind a chat endpoint.

    Parameters
    ----------
    base_url : str
        For example ``http://127.0.0.1:11434/v1`` (Ollama); ``/v1`` is added to an address without a path.
    model : str, optional
        The server's name of the model; when left out, the server must have exactly one.
    api_key : str, optional
    allow_remote : bool
        Permit a server that is not on this machine: the journal's text then leaves it.
    timeout_s : float, s
        Limit of one call.

    Raises
    ------
    ModelUnavailable
        The address is malformed, or not on this machine and ``allow_remote`` is not set.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        allow_remote: bool = False,
        timeout_s: float = 180.0,
    ) -> None:
        local = is_loopback(base_url)
        if not local and not allow_remote:
            raise ModelUnavailable(
                "The address of the language model is not on this machine; expected one like "
                "http://127.0.0.1:11434/v1. The prompt holds your journal: to send it elsewhere on purpose, set "
                "HRV_LLM_ALLOW_REMOTE=true."
            )
        self._timeout_s = timeout_s
        self._model = model
        self._client = httpx.Client(
            base_url=_with_path(base_url),
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=timeout_s,
            follow_redirects=False,  # a redirect could lead off this machine
            trust_env=not local,  # nor may a proxy of the environment see a local call
        )

    @property
    def model_id(self) -> str:
        if self._model is None:
            self._model = self._only_model()
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
        """Ask once, without retries; see ``ChatModel.complete``.

        Raises
        ------
        ModelUnavailable, BadReply, ChatTimeout
        """
        started = time.monotonic()
        body = {
            "model": self.model_id,
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": False,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
        }
        answer = self._ask("POST", "chat/completions", body)
        try:
            choice = answer["choices"][0]
            text, finish_reason = choice["message"]["content"], choice.get("finish_reason")
            usage = answer.get("usage") or {}
            prompt_tokens = int(usage.get("prompt_tokens") or 0)
            completion_tokens = int(usage.get("completion_tokens") or 0)
            if text is not None and not isinstance(text, str):
                raise TypeError("content is no text")
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise BadReply(
                f"The server's answer has not the form of a chat completion ({type(error).__name__}). "
                "Check that the address is that of an OpenAI-compatible server."
            ) from None
        return checked_reply(
            text,
            schema=schema,
            model_id=self.model_id,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            seconds=time.monotonic() - started,
            finish_reason=finish_reason,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _only_model(self) -> str:
        listed = self._ask("GET", "models", None)
        try:
            names = [str(entry["id"]) for entry in listed["data"]]
        except (KeyError, TypeError):
            names = []
        if len(names) != 1:
            raise ModelUnavailable(
                f"The server has {len(names)} models ({', '.join(names[:8])}); name one with HRV_LLM_MODEL."
            )
        return names[0]

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """One request with a limit on its whole duration; errors never repeat the server's text (it may be ours)."""
        deadline = time.monotonic() + self._timeout_s
        content = bytearray()
        try:
            with self._client.stream(method, path, json=body) as response:
                status = response.status_code
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER_BYTES:
                        raise BadReply(f"The server's answer is larger than {LARGEST_ANSWER_BYTES} bytes.")
                    if time.monotonic() > deadline:
                        raise ChatTimeout(self._too_slow())
        except httpx.TimeoutException:
            raise ChatTimeout(self._too_slow()) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelUnavailable(
                f"The language model's server at {self._client.base_url} can't be reached "
                f"({type(error).__name__}). Start it, or mend HRV_LLM_BASE_URL."
            ) from None
        if status != 200:
            raise ModelUnavailable(
                f"The language model's server answered {status}: {HINTS.get(status, 'see its own log')}."
            )
        try:
            return json.loads(content)
        except ValueError:
            raise BadReply("The server's answer is not JSON; is it an OpenAI-compatible server?") from None

    def _too_slow(self) -> str:
        return (
            f"The language model's server gave no complete answer within {self._timeout_s:g} s. "
            "Choose a smaller model, or see whether the server is busy."
        )


def is_loopback(url: str) -> bool:
    """True when ``url`` names this machine itself: localhost, 127.0.0.0/8 or ::1.

    Raises
    ------
    ModelUnavailable
        Not an http(s) address, or one with a user name or password in it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        raise ModelUnavailable(
            "HRV_LLM_BASE_URL is not usable: expected an address like http://127.0.0.1:11434/v1, without a user name."
        )
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _with_path(base_url: str) -> str:
    address = base_url.rstrip("/")
    return address if urlsplit(address).path else f"{address}/v1"
