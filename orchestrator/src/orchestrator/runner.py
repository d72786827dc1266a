"""The resource by which an asset runs a room's command, and what comes back."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import dagster as dg

from hrv_shared.cli import say
from orchestrator.errors import StepFailed
from orchestrator.rooms import quiet_environment, room_command

__all__ = ["RoomRunner"]


class RoomRunner(dg.ConfigurableResource):
    """Runs rooms as Dagster Pipes subprocesses: their answer becomes the asset's metadata, their errors its failure.

    Attributes
    ----------
    environment : dict
        Extra environment variables for every room (the demo's home, the simulator's address).
    connection : list of str
        What the ``connection`` asset asks of the WHOOP room.
    """

    environment: dict[str, str] = {}
    connection: list[str] = ["status"]

    def run(
        self, context: dg.AssetExecutionContext, room: str, *arguments: str, soft: bool = False
    ) -> dg.MaterializeResult:
        """Run one command.

        Parameters
        ----------
        soft : bool
            A failure is reported and the steps behind it go on with what the store holds: for what reaches outside.

        Raises
        ------
        StepFailed
            The command failed and the step is not soft; the message is the room's own.
        """
        say(f"▸ {context.asset_key.to_user_string().replace('_', ' ')}")
        started = time.monotonic()
        with dg.open_pipes_session(
            context=context,
            context_injector=dg.PipesEnvContextInjector(),
            message_reader=dg.PipesTempFileMessageReader(),
        ) as session:
            finished = subprocess.run(
                room_command(room, *arguments),
                env={**quiet_environment(), **self.environment, **session.get_bootstrap_env_vars()},
                stdin=subprocess.DEVNULL,
                check=False,
            )
        answer: dict[str, Any] = {}
        for message in session.get_custom_messages():
            answer |= message
        seconds = round(time.monotonic() - started, 2)
        if finished.returncode == 0 and "result" in answer:
            say(f"  {seconds:5.1f} s  {_first_line(answer)}")
            return dg.MaterializeResult(metadata=_metadata(answer["result"], answer.get("text", ""), seconds))
        error = (
            answer.get("error", {}).get("message")
            or f"{room} {' '.join(arguments)} ended with code {finished.returncode}."
        )
        if not soft:
            raise StepFailed(error)
        say(f"  {seconds:5.1f} s  ! {error}")
        return dg.MaterializeResult(metadata={"failed": error, "seconds": seconds})


def _first_line(answer: dict[str, Any]) -> str:
    return next(iter((answer.get("text") or "").splitlines()), "").strip()


def _metadata(result: dict[str, Any], text: str, seconds: float) -> dict[str, Any]:
    metadata: dict[str, Any] = {"seconds": seconds, "text": text}
    if text:
        metadata["report"] = dg.MetadataValue.md(f"```\n{text}\n```")
    plain = {k: v for k, v in result.items() if isinstance(v, (bool, int, float, str)) and k not in metadata}
    rest = {k: v for k, v in result.items() if isinstance(v, (dict, list))}
    if rest and len(json.dumps(rest)) < 100_000:
        metadata["answer"] = dg.MetadataValue.json(rest)
    return metadata | plain
