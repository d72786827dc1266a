"""Errors of the LLM port.

HrvError
└── ChatError
    ├── ModelUnavailable   the model can't be opened or reached, or refuses the request
    ├── BadReply           an answer came, and it is not valid JSON on the schema
    └── ChatTimeout        no complete answer within the time allowed
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["BadReply", "ChatError", "ChatTimeout", "ModelUnavailable"]


class ChatError(HrvError):
    """Base of everything that can go wrong with a call of a language model."""


class ModelUnavailable(ChatError):
    """The model can't be opened or reached, or refuses the request."""


class BadReply(ChatError):
    """An answer came, and it is not valid JSON on the schema. ``text`` holds it, for the record of the call."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


class ChatTimeout(ChatError):
    """No complete answer within the time allowed."""
