"""Run the whole graph once, without a daemon, and say each step as it ends."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrv_shared.cli import say
from hrv_shared.store import Store, write_bytes_atomic
from orchestrator.errors import StepFailed

__all__ = ["DailyRun", "run_graph"]

_INSTANCE = b"""# made by hrv; nothing is reported to anybody
telemetry:
  enabled: false
"""
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Each step says its own line; Dagster keeps its full log in the store."""


@dataclass
class DailyRun:
    """How the run went, step by step."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    card: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> list[str]:
        """Steps that reach outside and failed; the run went on with what the store holds."""
        return [step["step"] for step in self.steps if step.get("failed")]

    def describe(self) -> dict[str, Any]:
        """The run as JSON values."""
        return {"seconds": self.seconds, "steps": self.steps, "failed": self.failed}


def run_graph(
    home: Path, *, environment: dict[str, str] | None = None, connection: list[str] | None = None
) -> DailyRun:
    """Materialise every asset in order, in this process, tracked in ``<home>/dagster``.

    Raises
    ------
    StepFailed
        A step inside the house failed; what came before it is in the store, and the next run carries on.
    """
    import dagster as dg

    from orchestrator.definitions import defs
    from orchestrator.runner import RoomRunner

    warnings.simplefilter("ignore", dg.PreviewWarning)  # Pipes sessions: stable in use, "preview" in name
    rooms = RoomRunner(
        environment={"HRV_HOME": str(home), **(environment or {})}, connection=connection or ["status"]
    )
    began = time.monotonic()
    with dg.DagsterInstance.from_config(str(dagster_home(home))) as instance:
        result = defs.resolve_job_def("daily").execute_in_process(
            instance=instance, resources={"rooms": rooms}, raise_on_error=False, run_config=_QUIET
        )
    run = DailyRun(seconds=round(time.monotonic() - began, 1))
    for event in result.all_events:
        if event.is_step_failure:
            raise StepFailed(f"{event.step_key.replace('_', ' ')}: {_cause(event.step_failure_data.error)}")
        if event.is_step_materialization:
            values = {k: v.value for k, v in event.step_materialization_data.materialization.metadata.items()}
            if event.step_key == "card":
                run.card = values.get("text", "")
            run.steps.append(
                {"step": event.step_key, **{k: values[k] for k in ("seconds", "failed") if k in values}}
            )
    say(f"  {run.seconds:5.1f} s  in all\n")
    return run


def dagster_home(home: Path) -> Path:
    """Dagster's own folder in the store, with its telemetry off."""
    folder = Store(home).folder("dagster")
    config = folder / "dagster.yaml"
    if not config.exists():
        write_bytes_atomic(config, _INSTANCE)
    return folder


def _cause(error: Any) -> str:
    while error.cause is not None:
        error = error.cause
    return error.message.split("StepFailed: ", 1)[-1].strip()
