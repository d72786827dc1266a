"""Plots of a backtest for MLflow: is the band honest (PIT, coverage), and how does the error grow with the night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from hrv_shared.constants import HORIZONS, SLOTS

__all__ = ["plot_calibration", "plot_crps_by_horizon"]

BINS = 10
BANDS = (50, 80, 95)


def plot_calibration(scored: pl.DataFrame, name: str, path: Path) -> Path:
    """PIT histogram a slot and coverage of the central bands a horizon, of one forecaster, as SVG."""
    from matplotlib.figure import Figure

    own = scored.filter(pl.col("forecaster") == name)
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for axis, slot in ((left, SLOTS[0]), (middle, SLOTS[1])):
        values = own.filter(pl.col("slot") == slot)["pit"].to_numpy()
        counts, edges = np.histogram(values, bins=BINS, range=(0, 1))
        axis.bar(edges[:-1], counts, width=1 / BINS, align="edge", edgecolor="white")
        axis.axhline(len(values) / BINS, color="black", linewidth=1, linestyle="--")
        axis.set(title=f"{slot}: PIT, n = {len(values)}", xlabel="PIT (flat = honest)", xlim=(0, 1))
    for band in BANDS:
        covered = dict(own.group_by("horizon").agg(pl.col(f"in_{band}").mean()).iter_rows())
        (line,) = right.plot(
            HORIZONS, [100 * covered.get(h, np.nan) for h in HORIZONS], marker="o", label=f"{band} %"
        )
        right.axhline(band, color=line.get_color(), linewidth=1, linestyle="--")
    right.set(title="inside the band, %", xlabel="night", ylim=(0, 102))
    right.legend(loc="lower left")
    figure.suptitle(name)
    return _save(figure, path)


def plot_crps_by_horizon(scored: pl.DataFrame, names: Sequence[str], path: Path) -> Path:
    """Mean CRPS a night and slot of several forecasters, on the nights that each spoke of, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    mean = scored.group_by("forecaster", "slot", "horizon").agg(pl.col("crps_ms").mean())
    values = {(f, s, h): crps for f, s, h, crps in mean.iter_rows()}
    for axis, slot in zip(figure.subplots(1, 2, sharey=True), SLOTS, strict=True):
        for name in names:
            axis.plot(
                HORIZONS, [values.get((name, slot, h), np.nan) for h in HORIZONS], marker="o", label=name
            )
        axis.set(title=slot, xlabel="night", ylabel="CRPS, ms")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    return _save(figure, path)


def _save(figure: object, path: Path) -> Path:
    """The same numbers give the same bytes."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": path.name}):
        figure.savefig(path, format="svg", metadata={"Date": None})
    return path
