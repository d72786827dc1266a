"""The jobs: what runs together. Coarse steps, one process; a forecast's job is of one wake day."""

from __future__ import annotations

import dagster as dg

__all__ = ["JOBS", "backfill", "collect", "day", "evening", "morning", "weekly_training"]

_COLLECT = dg.AssetSelection.assets("connection", "records", "tables", "transcripts", "facts")
_ISSUE = dg.AssetSelection.assets(
    "outcomes", "replayed_forecasts", "scores", "model_forecasts", "daily_summary", "agent_forecast", "final_forecast",
    "card",
)  # fmt: skip
_REVIEW = dg.AssetSelection.assets("review")
_TRAIN = dg.AssetSelection.assets("models")
_REPORTS = dg.AssetSelection.assets("weekly_report", "reliability_report")


def _job(name: str, selection: dg.AssetSelection, description: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        name, selection=selection, description=description, executor_def=dg.in_process_executor
    )


collect = _job("collect", _COLLECT, "Pull from WHOOP, take in the inbox.")
morning = _job(
    "morning",
    _COLLECT | _ISSUE | _REVIEW,
    "Score what came true, look back on it, issue the morning's forecast.",
)
evening = _job("evening", _COLLECT | _ISSUE, "The day and its journal are in: issue the evening's forecast.")
day = _job("day", _TRAIN | _ISSUE | _REVIEW, "What `hrv daily` runs after `collect`: the forecast of now.")
weekly_training = _job(
    "weekly_training",
    _TRAIN | _REPORTS | dg.AssetSelection.assets("outcomes", "replayed_forecasts", "scores"),
    "Train what is a week old, replay, write the week's reports.",
)
weekly_reports = _job("weekly_reports", _REPORTS, "The week's reports alone.")
backfill = _job("backfill", dg.AssetSelection.assets("replayed_range"), "The replay book of a range of days.")

JOBS = [collect, morning, evening, day, weekly_training, weekly_reports, backfill]
