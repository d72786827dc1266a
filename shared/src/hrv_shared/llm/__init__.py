"""The LLM port: one small interface, JSON on a schema, several adapters."""

from hrv_shared.llm.errors import BadReply, ChatError, ChatTimeout, ModelUnavailable
from hrv_shared.llm.factory import open_chat_model
from hrv_shared.llm.fake import FakeChatModel
from hrv_shared.llm.port import ChatModel, ChatReply, Message
from hrv_shared.llm.sampling import draw_samples

__all__ = [
    "BadReply",
    "ChatError",
    "ChatModel",
    "ChatReply",
    "ChatTimeout",
    "FakeChatModel",
    "Message",
    "ModelUnavailable",
    "draw_samples",
    "open_chat_model",
]
