"""Open a language model by the name of its backend."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from hrv_shared.llm.errors import ModelUnavailable
from hrv_shared.llm.port import ChatModel

__all__ = ["Backend", "open_chat_model"]

Backend = Literal["embedded", "openai", "anthropic", "none"]


def open_chat_model(
    backend: Backend,
    *,
    model_path: Path | None = None,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    allow_remote: bool = False,
    threads: int = 2,
    n_ctx: int = 4096,
    cache_prompt: bool = True,
    timeout_s: float = 180.0,
    derived_dir: Path | None = None,
) -> ChatModel:
    """Return a ready model; close it when done.

    Parameters
    ----------
    backend : str
        ``embedded`` (needs ``model_path``, see ``hrv_shared.models.resolve``), ``openai`` (needs ``base_url``),
        ``anthropic`` (needs ``model`` and ``api_key``), or ``none``.
    model : str, optional
        The model's name, for the backend or, with ``embedded``, for the record of a run.
    threads, n_ctx, cache_prompt, derived_dir
        Of the embedded model alone.
    timeout_s : float, s
        Limit of one call.

    Raises
    ------
    ModelUnavailable
        The backend is ``none`` or unknown, something it needs is not given, or the model can't be opened.
    """
    if backend == "embedded":
        from hrv_shared.llm.embedded import EmbeddedChatModel

        if model_path is None:
            raise ModelUnavailable("The embedded language model needs a file. Run `hrv models fetch llm`.")
        return EmbeddedChatModel(
            model_path,
            model_id=model,
            threads=threads,
            n_ctx=n_ctx,
            cache_prompt=cache_prompt,
            timeout_s=timeout_s,
            derived_dir=derived_dir,
        )
    if backend == "openai":
        from hrv_shared.llm.openai_compatible import OpenAICompatibleChatModel

        if not base_url:
            raise ModelUnavailable(
                "The backend openai needs HRV_LLM_BASE_URL, for example http://127.0.0.1:11434/v1."
            )
        return OpenAICompatibleChatModel(
            base_url, model=model, api_key=api_key, allow_remote=allow_remote, timeout_s=timeout_s
        )
    if backend == "anthropic":
        from hrv_shared.llm.anthropic import AnthropicChatModel

        return AnthropicChatModel(model=model or "", api_key=api_key or "", timeout_s=timeout_s)
    if backend == "none":
        raise ModelUnavailable(
            "No language model is chosen (HRV_LLM_BACKEND=none); set it to embedded to have one."
        )
    raise ModelUnavailable(f"There is no backend {backend!r}; expected embedded, openai, anthropic or none.")
