"""A model that remembers: the same prompt under the same seed is asked once, over runs and between cases.

It stands before any adapter. An attacked evening whose briefing equals the clean one costs nothing, and a run that was
stopped carries on where it was. Only measuring uses it; the product asks its model.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.llm import BadReply, ChatModel, ChatReply, Message, draw_samples

__all__ = ["RememberingModel", "Usage"]


@dataclass
class Usage:
    """What the calls since the last `take` cost, as measured when each was first made."""

    calls: int = 0
    fresh: int = 0
    samples: int = 0
    seconds: float = 0.0


class RememberingModel:
    """Answers from a JSON-lines file where it can.

    Parameters
    ----------
    model : ChatModel
    path : Path or None
        The file; None: nothing outlives the process.
    forget : bool
        Begin with an empty file.
    """

    def __init__(self, model: ChatModel, path: Path | None, *, forget: bool = False) -> None:
        self._model, self._path = model, path
        self._known: dict[str, list[dict[str, Any]]] = {}
        self._usage = Usage()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if forget:
                path.unlink(missing_ok=True)
            elif path.exists():
                self._known = dict(_whole_lines(path))
                if not path.read_bytes().endswith(b"\n"):
                    with path.open("a", encoding="utf-8") as file:
                        file.write("\n")

    @property
    def model_id(self) -> str:
        """Of the model that answers."""
        return self._model.model_id

    def take(self) -> Usage:
        """The usage since the last call of this."""
        used, self._usage = self._usage, Usage()
        return used

    def complete(self, messages: Sequence[Message], **how: Any) -> ChatReply:
        """One answer; see ``ChatModel.complete``."""
        reply = self._answers("complete", messages, how)[0]
        if isinstance(reply, BadReply):
            raise reply
        return reply

    def sample(self, messages: Sequence[Message], *, samples: int, **how: Any) -> list[ChatReply | BadReply]:
        """Several answers; see ``draw_samples``."""
        return self._answers("sample", messages, how | {"samples": samples})

    def states(self, texts: Sequence[str]) -> np.ndarray:
        """The reader's states, see ``Encoder``; so fast that nothing of them is kept."""
        return self._counted(len(texts), lambda: self._model.states(texts))

    def states_in_note(self, parts: Sequence[str]) -> np.ndarray:
        """The same of sentences among their neighbours."""
        return self._counted(len(parts), lambda: self._model.states_in_note(parts))

    def _counted(self, n: int, read: Callable[[], np.ndarray]) -> np.ndarray:
        started = time.perf_counter()
        states = read()
        took = time.perf_counter() - started
        for _ in range(n):
            self._count(True, 1, took / n)
        return states

    def close(self) -> None:
        """Close the model behind."""
        self._model.close()

    def _answers(
        self, way: str, messages: Sequence[Message], how: dict[str, Any]
    ) -> list[ChatReply | BadReply]:
        asked = json.dumps([self.model_id, way, list(messages), how], sort_keys=True, ensure_ascii=True)
        key = sha256(asked.encode()).hexdigest()
        fresh = key not in self._known
        if fresh:
            self._keep(key, [_as_row(reply) for reply in self._ask(way, messages, how)])
        replies = [_as_reply(row) for row in self._known[key]]
        took = max((reply.seconds for reply in replies if isinstance(reply, ChatReply)), default=0.0)
        self._count(fresh, len(replies), took)
        return replies

    def _keep(self, key: str, rows: list[dict[str, Any]]) -> None:
        self._known[key] = rows
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, "replies": rows}) + "\n")

    def _count(self, fresh: bool, samples: int, seconds: float) -> None:
        self._usage.calls += 1
        self._usage.fresh += fresh
        self._usage.samples += samples
        self._usage.seconds += seconds

    def _ask(self, way: str, messages: Sequence[Message], how: dict[str, Any]) -> list[ChatReply | BadReply]:
        if way == "sample":
            return draw_samples(self._model, messages, **how)
        try:
            return [self._model.complete(messages, **how)]
        except BadReply as error:
            return [error]


def _whole_lines(path: Path):
    """The rows of a file whose last line may have been cut off by a kill."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
            yield row["key"], row["replies"]
        except (ValueError, KeyError):
            continue


def _as_row(reply: ChatReply | BadReply) -> dict[str, Any]:
    if isinstance(reply, BadReply):
        return {"bad": str(reply), "text": reply.text}
    return asdict(reply)


def _as_reply(row: dict[str, Any]) -> ChatReply | BadReply:
    return BadReply(row["bad"], row["text"]) if "bad" in row else ChatReply(**row)
