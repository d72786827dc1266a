"""The embedded model: llama.cpp in this process, through xllamacpp.

Its server object also opens an HTTP port on the loopback address (it can't be switched off). A random key that
nobody knows is set for it, so that no other program of this machine can read the slots or use the model.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from hrv_shared.llm.errors import BadReply, ChatError, ChatTimeout, ModelUnavailable
from hrv_shared.llm.port import ChatReply, Message
from hrv_shared.llm.reply import checked_reply
from hrv_shared.models.cache import hash_file

__all__ = ["EmbeddedChatModel"]

BATCH_TOKENS = 128
"""Prompt tokens read between two looks at the clock: about 2 s on two quiet cores, and no slower than 512."""

NOTHING = {"type": "object", "properties": {}, "additionalProperties": False}

READ_FILES = 2
"""Readings of static prompts that are kept on disk; older ones go (about 30 kB a token)."""

MOST_SAMPLES = 8
"""Answers drawn side by side from one reading of the prompt; they share the window's room."""


class EmbeddedChatModel:
    """A GGUF file, loaded when it is first asked and asked many times, one call after the other.

    Parameters
    ----------
    model_path : Path
        The GGUF file, as the model resolver gives it.
    model_id : str, optional
        Name for the record of a run; by default the file's stem.
    threads : int
        Threads of llama.cpp. Not more than there are free cores: two threads that share one core collapse.
    n_ctx : int, tokens
        Room for prompt and answer together.
    cache_prompt : bool
        Reuse the last call's common prefix: saves about a third of the time, and makes temperature 0 differ a
        little from run to run. False for back-tests, where two runs must be equal.
    timeout_s : float, s
        Limit of one call.
    derived_dir : Path, optional
        Where readings of prompts are kept.

    Raises
    ------
    ModelUnavailable
        xllamacpp is not installed, or there is no such file. One that can't be loaded is refused by the first call.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        model_id: str | None = None,
        threads: int = 2,
        n_ctx: int = 4096,
        cache_prompt: bool = True,
        timeout_s: float = 180.0,
        derived_dir: Path | None = None,
    ) -> None:
        self._path = path = Path(model_path)
        self._model_id = model_id or path.stem
        self._cache_prompt = cache_prompt
        self._timeout_s = timeout_s
        self._one_call = threading.Lock()
        self._was_asked = self._closed = False
        self._threads, self._n_ctx, self._derived_dir = threads, n_ctx, derived_dir
        _check(path)
        self._key = secrets.token_urlsafe(32)
        headers = {"Authorization": f"Bearer {self._key}"}
        self._port = httpx.Client(headers=headers, timeout=timeout_s, trust_env=False)
        self._build = f"{path.resolve()} {path.stat().st_size} {n_ctx}"
        self._server: Any = None

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
        """Answer with JSON on ``schema``; the grammar made from it leaves the model no other choice.

        Raises
        ------
        ModelUnavailable
            The prompt is longer than the context, or the schema can't be made into a grammar.
        BadReply
            The answer was cut off at ``max_tokens``.
        ChatTimeout
            Not done in time; the call is cancelled, the model stays usable.
        """
        (reply,) = self.sample(
            messages, schema=schema, samples=1, max_tokens=max_tokens, temperature=temperature, seed=seed
        )
        if isinstance(reply, BadReply):
            raise reply
        return reply

    def sample(
        self,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any],
        samples: int,
        max_tokens: int = 320,
        temperature: float = 0.7,
        seed: int = 0,
    ) -> list[ChatReply | BadReply]:
        """Draw several answers from one reading of the prompt: each further one costs its own tokens only.

        Returns
        -------
        list [samples] of ChatReply, or BadReply for an answer that was cut off
            ``seconds`` and ``prompt_tokens`` are those of the whole call, ``completion_tokens`` the mean of an answer.

        Raises
        ------
        ModelUnavailable, ChatTimeout
            See ``complete``.
        """
        return self._ask(
            messages, schema, samples=samples, max_tokens=max_tokens, temperature=temperature, seed=seed, more={}
        )

    def _ask(
        self,
        messages: Sequence[Message],
        schema: dict[str, Any],
        *,
        samples: int,
        max_tokens: int,
        temperature: float,
        seed: int,
        more: dict[str, Any],
    ) -> list[ChatReply | BadReply]:
        started = time.monotonic()
        if not 1 <= samples <= MOST_SAMPLES:
            raise ModelUnavailable(f"Expected 1 to {MOST_SAMPLES} samples of one prompt, got {samples}.")
        self._begin_call()
        try:
            self._have_loaded()
        except BaseException:
            self._one_call.release()
            raise
        loaded = time.monotonic()
        request = {
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "n": samples,
            "cache_prompt": self._cache_prompt,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
            # streamed with progress, because each chunk is a chance to cancel
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
            **more,
        }
        call = _Call(self._server, request, self._one_call, samples)
        call.start()
        self._was_asked = True
        try:
            in_time = call.finished.wait(max(0.0, self._timeout_s - (time.monotonic() - started)))
        except BaseException:  # Ctrl-C: else the end of the program would wait for the whole answer
            call.cancelled = True
            raise
        if not in_time:
            call.cancelled = True
            raise ChatTimeout(self._too_slow())
        if call.error:
            raise ModelUnavailable(f"{self._model_id} refused the request: {call.error}")
        return [self._checked(call, k, schema, time.monotonic() - loaded) for k in range(samples)]

    def _begin_call(self) -> None:
        """Take the lock that holds calls apart."""
        if self._closed:
            raise ModelUnavailable(f"{self._model_id} was closed; open it again.")
        if not self._one_call.acquire(timeout=self._timeout_s):
            raise ChatTimeout(f"{self._model_id} was busy with another call for {self._timeout_s:g} s.")
        if self._closed:  # while this call waited
            self._one_call.release()
            raise ModelUnavailable(f"{self._model_id} was closed; open it again.")

    def _have_loaded(self) -> None:
        """Load the model when it is first asked: an evening without a question costs nothing."""
        if self._server is None:
            self._server = _load(self._path, self._model_id, self._threads, self._n_ctx, self._key, self._derived_dir)
            self._was_asked = False

    def _unload(self) -> None:
        if self._server is not None and not self._was_asked:
            # llama.cpp's loop may not run yet; stopped before it began, it never ends. A token proves that it runs.
            with suppress(httpx.HTTPError):
                self._port.post(f"{self._server.listening_address}/embedding", json={"content": "."})
        self._server = None

    def read_ahead(self, messages: Sequence[Message]) -> bool:
        """Read the static part of coming prompts now, or take the reading that an earlier process kept on disk.

        Reading two thousand tokens takes half a minute on two cores, loading their state a second. The file holds the
        given messages alone, never a question. Whatever goes wrong here only costs that time.

        Returns
        -------
        bool
            Whether an earlier reading was taken.
        """
        if self._derived_dir is None or self._closed:
            return False
        import xllamacpp

        told = json.dumps([xllamacpp.__version__, self._build, list(messages)])
        key = sha256(told.encode()).hexdigest()[:16]
        try:
            for file in self._derived_dir.glob(f"{key}-*.read"):
                if _is_whole(file) and self._slot("restore", file.name):
                    os.utime(file)
                    return True
                file.unlink()
            asked = [*messages, {"role": "user", "content": "."}]
            self._ask(asked, NOTHING, samples=1, max_tokens=1, temperature=0.0, seed=0, more={"id_slot": 0})
            if self._slot("save", f"{key}.part"):
                part = self._derived_dir / f"{key}.part"
                part.replace(self._derived_dir / f"{key}-{hash_file(part)[:16]}.read")
            kept = sorted(self._derived_dir.glob("*.read"), key=lambda f: f.stat().st_mtime, reverse=True)
            for old in (*kept[READ_FILES:], *self._derived_dir.glob("*.part")):
                old.unlink(missing_ok=True)
        except (httpx.HTTPError, OSError, ChatError):
            pass
        return False

    def _too_slow(self) -> str:
        return (
            f"{self._model_id} gave no complete answer within {self._timeout_s:g} s. Free the processor, lower "
            "HRV_THREADS to the number of free cores, or choose another model."
        )

    def _slot(self, action: str, name: str) -> bool:
        """Save or restore the first slot, over the server's own port: the library has no other door for it."""
        with self._one_call:
            if self._closed:
                return False
            self._have_loaded()
            address = f"{self._server.listening_address}/slots/0"
            answer = self._port.post(address, params={"action": action}, json={"filename": name})
        return answer.is_success

    def _checked(self, call: _Call, k: int, schema: dict[str, Any], seconds: float) -> ChatReply | BadReply:
        try:
            return checked_reply(
                "".join(call.pieces[k]),
                schema=schema,
                model_id=self._model_id,
                prompt_tokens=int(call.usage.get("prompt_tokens", 0)),
                completion_tokens=int(call.usage.get("completion_tokens", 0)),
                seconds=seconds,
                finish_reason=call.finish_reasons[k],
            )
        except BadReply as error:
            return error

    def close(self) -> None:
        """Free the model and its port; waits for a cancelled call to stop."""
        with self._one_call:
            self._unload()
            self._port.close()
            self._closed = True


class _Call(threading.Thread):
    """One request on a thread of its own, so that the caller's clock runs while llama.cpp computes.

    No daemon: at the end of the program Python waits for it, because llama.cpp must not be torn down while it runs.
    """

    def __init__(
        self, server: Any, request: dict[str, Any], until_done: threading.Lock, samples: int
    ) -> None:
        super().__init__(name="hrv-llm-call")
        self._server, self._request, self._until_done = server, request, until_done
        self.finished = threading.Event()
        self.cancelled = False
        self.pieces: list[list[str]] = [[] for _ in range(samples)]
        self.usage: dict[str, Any] = {}
        self.finish_reasons: list[str | None] = [None] * samples
        self.error: str | None = None

    def run(self) -> None:
        try:
            self._server.handle_chat_completions(self._request, self._take)
        except (ValueError, RuntimeError) as error:
            self.error = str(error)
        finally:
            del self._server  # the thread must not keep the model alive
            self._until_done.release()
            self.finished.set()

    def _take(self, chunk: dict[str, Any]) -> bool:
        """Keep one chunk; True tells llama.cpp to stop."""
        if "error" in chunk:
            self.error = str(chunk["error"].get("message", "unknown error"))
            return True
        for choice in chunk.get("choices", ()):
            k = int(choice.get("index", 0))
            self.pieces[k].append(choice.get("delta", {}).get("content") or "")
            self.finish_reasons[k] = choice.get("finish_reason") or self.finish_reasons[k]
        self.usage = chunk.get("usage") or self.usage
        return self.cancelled


def _is_whole(file: Path) -> bool:
    """Whether a reading is as it was written: llama.cpp ends the whole process over a damaged one."""
    return file.stem.endswith(hash_file(file)[:16])


def _check(path: Path) -> None:
    """Whether there is a file, and something to load it with."""
    if not path.is_file():
        raise ModelUnavailable(f"The model file {path} does not exist. Run `hrv models fetch llm`.")
    try:
        import xllamacpp  # noqa: F401
    except ImportError as error:
        raise ModelUnavailable(
            f"The embedded model needs xllamacpp ({error}). Install hrv-shared[llm], or choose another backend "
            "with HRV_LLM_BACKEND."
        ) from None


def _load(path: Path, model_id: str, threads: int, n_ctx: int, key: str, derived_dir: Path | None) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = model_id  # else answers carry the path
    params.n_ctx = n_ctx
    params.n_parallel = MOST_SAMPLES
    params.kv_unified = True  # samples of one prompt share its place in the window
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup = False
    params.verbosity = 0
    params.offline = True
    params.embedding = True  # for the token of ``_unload``
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
    params.cache_ram_mib = 0  # its default may keep 8 GB of old prompts
    params.api_keys = [key]
    if derived_dir is not None:
        derived_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        params.slot_save_path = f"{derived_dir}{os.sep}"
    params.hostnames = ["127.0.0.1"]
    params.ui = False
    params.endpoint_slots = False
    try:
        return xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:
        raise ModelUnavailable(
            f"{path} could not be loaded ({error}). Expected a GGUF language model that fits into memory. "
            "Run `hrv models fetch llm`, or mend HRV_LLM_MODEL_PATH."
        ) from None
