"""The scale benchmark in words."""

from __future__ import annotations

from typing import Any

__all__ = ["render"]

COLUMNS = (
    "members",
    "refused",
    "forecasts",
    "series/CPU-s",
    "forecasts/CPU-s",
    "wall s",
    "CPU s",
    "work CPU s",
    "peak MB",
)
DEAREST = 5


def render(result: dict[str, Any]) -> str:
    """A table of sizes, the anchors beside it and where the time goes."""
    names = list(result["forecasters"])
    lines = [
        f"Engine {result['engine']}, {result['workers']} worker(s); {result['nights']} nights a member, "
        f"{result['windows']} origin(s), {result['slot']}; {len(names)} forecasters ({', '.join(names)}) and their "
        "combination.",
        _row(COLUMNS),
        *(_row(_cells(size)) for size in result["sizes"]),
    ]
    light, arima = result["anchors"]["ten_light_models"], result["anchors"]["auto_arima"]
    lines += [
        f"A series is {result['forecasts_a_series']} forecasts (ten models, seven windows). Anchors: ten light models "
        f"{light['series_per_cpu_second']:g} series = {light['forecasts_per_cpu_second']:,.0f} forecasts a CPU-second; "
        f"AutoARIMA alone {arima['series_per_cpu_second']:g} series of seven = "
        f"{arima['forecasts_per_cpu_second']:.1f} forecasts."
    ]
    largest = max(result["sizes"], key=lambda size: size["members"])
    parts = list(largest["cpu_ms_per_member"].items())[:DEAREST]
    lines.append("Dearest, CPU ms a member: " + ", ".join(f"{part} {ms:.1f}" for part, ms in parts) + ".")
    kept = sum(size["buckets_kept"] for size in result["sizes"])
    if kept:
        lines.append(f"{kept} bucket(s) stood from an earlier run; wall seconds are of this run only.")
    lines += [
        f"Digest of all quantiles, {s['members']} member(s): {s['digest'][:16]}" for s in result["sizes"]
    ]
    return "\n".join(lines)


def _cells(size: dict[str, Any]) -> tuple[str, ...]:
    peak = "unknown" if size["peak_mb"] is None else f"{size['peak_mb']:.0f}"
    return (
        f"{size['members']:,}", f"{size['refused']}", f"{size['forecasts']:,}",
        f"{size['series_per_cpu_second']:.2f}", f"{size['forecasts_per_cpu_second']:.1f}", f"{size['wall_s']:.1f}",
        f"{size['cpu_s']:.1f}", f"{size['work_cpu_s']:.1f}", peak,
    )  # fmt: skip


def _row(cells: tuple[str, ...]) -> str:
    return "  ".join(f"{cell:>{len(name)}}" for cell, name in zip(cells, COLUMNS, strict=True))
