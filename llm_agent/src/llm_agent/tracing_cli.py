"""``hrv agent traces`` and ``hrv agent prompts``: MLflow's view of the agent."""

from __future__ import annotations

from typing import Any

from hrv_shared.cli import JsonOption, MemberOption, emit, say
from hrv_shared.settings import load_settings
from hrv_shared.store import Store

__all__ = ["prompts", "traces", "traces_or_why_not"]


def traces(member: MemberOption = None, as_json: JsonOption = False) -> None:
    """Write each call of the language model as an MLflow trace, and attach what came true.

    Traces hold your journal's words; they stay in the store's mlflow.db.
    """
    from llm_agent.traces import write_traces

    settings = load_settings()
    done = write_traces(Store.open(settings), member or settings.member_id)
    emit(
        done,
        f"{done['written']} new traces, {done['scored']} scored, {done['waiting']} wait for their night.",
        as_json,
    )


def traces_or_why_not(store: Store, member_id: str) -> dict[str, Any]:
    """The same within the morning's review, which MLflow's troubles must not stop."""
    from llm_agent.traces import write_traces

    try:
        return write_traces(store, member_id)
    except Exception as error:  # a view of the record, written by a large library; the record itself is sound
        say(f"No traces this time ({type(error).__name__}); `hrv agent traces` tries again.")
        return {"failed": type(error).__name__}


def prompts(as_json: JsonOption = False) -> None:
    """Enter the prompt files into MLflow's registry; champion is the one in use."""
    from llm_agent.mlflow_prompts import prompt_files, register_prompts

    rows = register_prompts(Store.open(load_settings()), prompt_files())
    lines = [
        f"{row['family']} {row['version']} ({row['digest']}): registered as {row['registered']}, {row['alias']}"
        + (", new" if row["new"] else "")
        for row in rows
    ]
    emit({"prompts": rows}, "\n".join(lines), as_json)
