"""What is due, done in this process without a daemon: pull, listen, then the forecast of now for each member."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hrv_shared.cli import say
from hrv_shared.errors import TooFewNights
from hrv_shared.issue import current_issue, issue_choice
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store
from orchestrator.due import due
from orchestrator.errors import StepFailed
from orchestrator.instance import PID_TAG, forget_old_runs, opened
from orchestrator.store_view import members_of, reports_are_due, view_of

__all__ = ["DailyRun", "run_graph", "run_job"]

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Each step says its own line; Dagster keeps its full log in the store."""


@dataclass
class DailyRun:
    """How it went, step by step."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    card: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> list[str]:
        """Steps that reach outside and failed; the run went on with what the store holds."""
        return [step["step"] for step in self.steps if step.get("failed")]

    def describe(self) -> dict[str, Any]:
        """The run as JSON values."""
        return {
            "seconds": self.seconds, "steps": self.steps, "failed": self.failed, "issues": self.issues,
            "warnings": self.warnings,
        }  # fmt: skip


def run_graph(
    home: Path,
    *,
    environment: dict[str, str] | None = None,
    connection: list[str] | None = None,
    only_due: bool = False,
    reports: bool = True,
) -> DailyRun:
    """Pull and listen, then make the forecast of now, in this process, tracked in ``<home>/dagster``.

    Parameters
    ----------
    only_due : bool
        Nothing beyond what `due` says; without it asking is reason enough, and what stands already stays.
    reports : bool
        The week's reports too, when the last ones are a week old.

    Raises
    ------
    StepFailed
        A step inside the house failed; what came before it is in the store, and the next run carries on.
    """
    from orchestrator.runner import ISSUE_TAG, MEMBER_TAG, RoomRunner

    added = {"HRV_HOME": str(home), **(environment or {})}
    rooms = RoomRunner(environment=added, connection=connection or ["status"])
    settings = load_settings({**os.environ, **added})
    began = time.monotonic()
    run = DailyRun()
    with opened(home) as instance:
        run_job(instance, "collect", rooms, run)
        for choice in _chosen(Store.open(settings), settings, only_due):
            tags = {MEMBER_TAG: choice["member_id"], "hrv/why": choice["why"]}
            if choice["book"] == "live":
                tags[ISSUE_TAG] = issue_choice(choice["slot"], choice["issue_day"])
            run.issues.append({k: str(v) for k, v in choice.items()})
            run_job(instance, "day", rooms, run, partition_key=choice["issue_day"].isoformat(), tags=tags)
            if reports and reports_are_due(home, choice["member_id"], choice["issue_day"]):
                _write_reports(instance, rooms, run, tags)
        forget_old_runs(instance)
    run.seconds = round(time.monotonic() - began, 1)
    say(f"  {run.seconds:5.1f} s  in all\n")
    return run


def _write_reports(instance: Any, rooms: Any, run: DailyRun, tags: dict[str, str]) -> None:
    """The week's reports; the forecast stands without them."""
    try:
        run_job(instance, "weekly_reports", rooms, run, tags=tags)
    except StepFailed as error:
        run.steps.append({"step": "weekly_reports", "failed": str(error)})
        say(f"  ! {error}")


def run_job(instance: Any, name: str, rooms: Any, run: DailyRun, **how: Any) -> None:
    """Execute one job in this process and add its steps to ``run``."""
    import dagster as dg

    from orchestrator.definitions import defs

    tags = {PID_TAG: str(os.getpid()), **how.pop("tags", {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # Pipes sessions: stable in use, "preview" in name
        result = defs.resolve_job_def(name).execute_in_process(
            instance=instance,
            resources={"rooms": rooms},
            raise_on_error=False,
            run_config=_QUIET,
            tags=tags,
            **how,
        )
    failures, blocked = [], []
    for event in result.all_events:
        if event.is_step_failure:
            if "Interrupt" in (event.step_failure_data.error.cls_name or ""):
                raise KeyboardInterrupt
            failures.append(f"{event.step_key.replace('_', ' ')}: {_cause(event.step_failure_data.error)}")
        elif event.is_step_materialization:
            _note_step(event, run)
    for check in result.get_asset_check_evaluations():
        _note_check(check, run, blocked)
    if blocked or failures:
        raise StepFailed("; ".join(blocked) or failures[0])


def _chosen(store: Store, settings: Settings, only_due: bool) -> list[dict[str, Any]]:
    """For whom a forecast is made now, and of which day."""
    view = view_of(store, settings)
    wanted = {item.member_id: item for item in due(view, store.clock())}
    chosen = []
    for member in members_of(store, settings):
        item = wanted.get(member)
        if item is None and only_due:
            continue
        try:
            issue = current_issue(store, member, asked="" if item is None else item.choice)
        except TooFewNights as error:
            if not settings.all_members:
                raise
            say(f"! {error}")
            continue
        why = "asked for" if item is None else item.why
        chosen.append(
            {
                "member_id": member,
                "slot": issue.slot,
                "issue_day": issue.origin_day,
                "book": issue.book,
                "why": why,
            }
        )
    return chosen


def _note_step(event: Any, run: DailyRun) -> None:
    values = {k: v.value for k, v in event.step_materialization_data.materialization.metadata.items()}
    if event.step_key == "card":
        run.card = f"{run.card}\n\n{values.get('text', '')}".strip()
    if "seconds" in values:  # the step's own; a second asset of the same step has none
        run.steps.append(
            {"step": event.step_key, **{k: values[k] for k in ("seconds", "failed") if k in values}}
        )


def _note_check(check: Any, run: DailyRun, blocked: list[str]) -> None:
    import dagster as dg

    if check.passed or check.asset_check_key.name == "login":
        return
    mend = check.metadata.get("mend")
    words = "; ".join([check.description or check.asset_check_key.name, *([mend.value] if mend else [])])
    if check.severity == dg.AssetCheckSeverity.ERROR:
        blocked.append(words)
    elif words not in run.warnings:
        run.warnings.append(words)
        say(f"  note: {words}")


def _cause(error: Any) -> str:
    while error.cause is not None:
        error = error.cause
    return error.message.split("StepFailed: ", 1)[-1].strip()
