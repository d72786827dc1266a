"""Pictures of a benchmark run: skill by night and forecaster, skill by person, is the band honest, the ladder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hrv_shared.constants import HORIZONS, PRODUCT

__all__ = ["draw"]

SHOWN = (PRODUCT, "state_space", "ridge", "trees", "fracast", "ewma_8", "lightgbm_mlforecast", "best_auto")


def draw(result: dict[str, Any], folder: Path) -> list[Path]:
    """Draw every picture into ``folder`` as SVG; those without data are left out."""
    drawn = [
        _skills(result, folder),
        _people(result, folder),
        _calibration(result, folder),
        _ladder(result, folder),
    ]
    return [path for path in drawn if path is not None]


def _skills(result: dict[str, Any], folder: Path) -> Path | None:
    rows = [r for r in result["rows"] if r["reference"] == "last_28" and r["horizon"] != "3-7"]
    figure, axes = _figure(2, 4.2, "CRPS skill against the last 28 nights")
    for axis, slot in zip(axes, ("evening", "morning"), strict=True):
        for name in SHOWN:
            own = {r["horizon"]: r for r in rows if r["slot"] == slot and r["forecaster"] == name}
            if not own:
                continue
            nights = sorted(own)
            skill = [own[h]["skill_pct"] for h in nights]
            (line,) = axis.plot(
                nights, skill, marker="o", label=name, linewidth=2.5 if name == PRODUCT else 1
            )
            if name == PRODUCT:
                low, high = ([own[h][end] for h in nights] for end in ("ci_low", "ci_high"))
                axis.fill_between(nights, low, high, color=line.get_color(), alpha=0.15)
        axis.axhline(0, color="grey", linewidth=1)
        axis.set(title=slot, xlabel="night", ylabel="skill, %", ylim=(-20, None))
    axes[0].legend(fontsize="small")
    return _save(figure, folder / "skill_by_night.svg")


def _people(result: dict[str, Any], folder: Path) -> Path | None:
    rows = [r for r in result["people"] if r["slot"] == "evening" and r["reference"] == "last_28"]
    if not rows:
        return None
    figure, (axis,) = _figure(1, 3.6, "Night 1, evening: skill against the last 28 nights, one bar a person")
    skills = sorted(r["skill_pct"] for r in rows)
    axis.bar(range(len(skills)), skills, color=["tab:blue" if s > 0 else "tab:orange" for s in skills])
    axis.axhline(0, color="grey", linewidth=1)
    axis.set(xlabel="people, sorted", ylabel="skill, %", xticks=[])
    return _save(figure, folder / "skill_by_person.svg")


def _calibration(result: dict[str, Any], folder: Path) -> Path | None:
    rows = [r for r in result["calibration"] if r["group"] == "all" and r["slot"] == "evening"]
    if not rows:
        return None
    figure, (left, right) = _figure(2, 3.6, f"{PRODUCT}, evening")
    tenths = np.array(rows[0]["pit_tenths"])
    left.bar(np.arange(10) / 10, tenths, width=0.1, align="edge", edgecolor="white")
    left.axhline(tenths.sum() / 10, color="grey", linestyle="--", linewidth=1)
    left.set(title=f"PIT of night 1, n = {tenths.sum()}", xlabel="PIT (flat = honest)")
    for mass in (50, 80, 95):
        (line,) = right.plot(HORIZONS, [r[f"coverage_{mass}"] for r in rows], marker="o")
        right.axhline(mass, color=line.get_color(), linestyle="--", linewidth=1)
    right.set(title="inside the 50, 80, 95 % band", xlabel="night", ylabel="%", ylim=(30, 100))
    return _save(figure, folder / "calibration.svg")


def _ladder(result: dict[str, Any], folder: Path) -> Path | None:
    rows = [r for r in result["ladder"] if "vs_last_28_skill_pct" in r]
    if not rows:
        return None
    figure, (axis,) = _figure(
        1, 3.4, "What each kind of knowledge adds: night 1, evening, skill against the last 28 nights"
    )
    skill = np.array([r["vs_last_28_skill_pct"] for r in rows])
    ends = np.array([[r["vs_last_28_ci_low"], r["vs_last_28_ci_high"]] for r in rows])
    axis.errorbar([r["rung"] for r in rows], skill, yerr=np.abs(ends.T - skill), marker="o", capsize=4)
    axis.axhline(0, color="grey", linewidth=1)
    axis.set(ylabel="skill, %")
    return _save(figure, folder / "ladder.svg")


def _figure(panels: int, height: float, title: str) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, height), layout="constrained")
    figure.suptitle(title)
    return figure, list(np.atleast_1d(figure.subplots(1, panels)))


def _save(figure: Any, path: Path) -> Path:
    import matplotlib as mpl

    with mpl.rc_context({"svg.hashsalt": path.stem, "svg.fonttype": "none"}):
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
    return path
