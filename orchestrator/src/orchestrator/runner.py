"""The resource by which an asset runs a room's command, and by which sensors and checks look into the store."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from hrv_shared.cli import say
from hrv_shared.issue import ISSUE_VARIABLE
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store
from orchestrator.errors import StepFailed
from orchestrator.metadata import metadata_of
from orchestrator.rooms import quiet_environment, room_command

__all__ = ["ISSUE_TAG", "MEMBER_TAG", "Answer", "RoomRunner"]

ISSUE_TAG = "hrv/issue"
MEMBER_TAG = "hrv/member"
"""Tags of a run: what it was started for and for whom; every step gets both."""

_NO_SUCH_COMMAND = "No such command"


@dataclass(frozen=True)
class Answer:
    """What a room said: its JSON answer and text, or why it failed."""

    seconds: float
    result: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    failed: str = ""

    def materialize(self, key: str | None = None, **more: Any) -> dg.MaterializeResult:
        """As a materialisation: numbers, the report as Markdown, plots."""
        if self.failed:
            metadata: dict[str, Any] = {"failed": self.failed, "seconds": self.seconds}
        else:
            metadata = metadata_of(self.result, self.text, self.seconds)
        return dg.MaterializeResult(asset_key=key, metadata=metadata | more)


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

    def settings(self) -> Settings:
        """The settings that the rooms will see."""
        return load_settings({**os.environ, **self.environment})

    def store(self) -> Store:
        """The store that the rooms write to."""
        return Store.open(self.settings())

    def run(
        self,
        context: dg.AssetExecutionContext,
        room: str,
        *arguments: str,
        soft: bool = False,
        ahead: bool = False,
    ) -> Answer:
        """Run one command for the run's member and issue.

        Parameters
        ----------
        soft : bool
            A failure is reported and the steps behind it go on with what the store holds: for what reaches outside.
        ahead : bool
            A command that the room does not have (yet) is reported, not an error.

        Raises
        ------
        StepFailed
            The command failed and the step is not soft; the message is the room's own.
        """
        say(f"▸ {context.op_execution_context.op.name.replace('_', ' ')}")
        started = time.monotonic()
        with dg.open_pipes_session(
            context=context,
            context_injector=dg.PipesEnvContextInjector(),
            message_reader=dg.PipesTempFileMessageReader(),
        ) as session:
            finished = subprocess.run(
                room_command(room, *arguments),
                env={**self._environment(context), **session.get_bootstrap_env_vars()},
                stdin=subprocess.DEVNULL,
                check=False,
            )
        told: dict[str, Any] = {}
        for message in session.get_custom_messages():
            told |= message
        seconds = round(time.monotonic() - started, 2)
        if finished.returncode == 0 and "result" in told:
            answer = Answer(seconds, told["result"], told.get("text") or "")
            say(f"  {seconds:5.1f} s  {next(iter(answer.text.splitlines()), '').strip()}")
            return answer
        error = (
            told.get("error", {}).get("message")
            or f"{room} {' '.join(arguments)} ended with code {finished.returncode}."
        )
        if ahead and _NO_SUCH_COMMAND in error:
            error = f"The room {room} has no {arguments[0]!r} in this version; the run goes on without."
        elif not soft:
            raise StepFailed(error)
        say(f"  {seconds:5.1f} s  ! {error}")
        return Answer(seconds, failed=error)

    def _environment(self, context: dg.AssetExecutionContext) -> dict[str, str]:
        environment = {**quiet_environment(), **self.environment}
        tags = context.run.tags
        for tag, variable in ((MEMBER_TAG, "HRV_MEMBER_ID"), (ISSUE_TAG, ISSUE_VARIABLE)):
            if tag in tags:
                environment[variable] = tags[tag]
        return environment
