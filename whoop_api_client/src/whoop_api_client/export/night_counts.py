"""How many nights an export holds, and how many of them had to be repaired."""

from __future__ import annotations

from datetime import datetime

from hrv_shared.daytime import parse_instant, wake_day
from hrv_shared.record import Record
from whoop_api_client.export.held import is_near
from whoop_api_client.export.nights import COPIED, NAP, NONE, OWN, OWN_WITHIN, SAME_INSTANT, whose_night
from whoop_api_client.export.report import ImportReport
from whoop_api_client.export.rows import ExportRow

__all__ = ["count_nights"]


def count_nights(report: ImportReport, rows: dict[str, list[ExportRow]], record: Record) -> None:
    """Fill in the report's nights: usable, overwritten by a nap and how far mended, copied, without sleep."""
    sleeps = rows.get("sleeps", [])
    naps = {row.start_at for row in sleeps if row.raw["Nap"] == "true"}
    mains = sorted(row.start_at for row in sleeps if row.raw["Nap"] != "true")
    api_recovered = _api_recovered(record, report.member_id)
    days = []
    for row in rows.get("cycles", []):
        whose = whose_night(row.cycle_start_at, row.start_at, naps)
        report.cycles += 1
        if whose == NAP:
            report.nap_overwritten += 1
            report.repaired_sleep += is_near(mains, row.cycle_start_at, OWN_WITHIN)
            report.repaired_hrv += is_near(api_recovered, row.cycle_start_at, SAME_INSTANT)
        report.night_copied += whose == COPIED
        report.no_sleep += whose == NONE
        if whose == OWN and row.raw["Heart rate variability (ms)"].strip():
            report.nights += 1
            days.append(wake_day(row.end_at, row.utc_offset_min).isoformat())
    report.first_night, report.last_night = min(days, default=None), max(days, default=None)


def _api_recovered(record: Record, member_id: str) -> list[datetime]:
    """Starts of the cycles whose recovery WHOOP's API has told."""
    recoveries = record.latest("recovery", member_id)
    return sorted(
        parse_instant(fact.payload["start"])
        for key, fact in record.latest("cycle", member_id).items()
        if key in recoveries and recoveries[key].payload.get("score_state") == "SCORED"
    )
