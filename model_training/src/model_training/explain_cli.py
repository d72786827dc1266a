"""The commands ``explain`` and ``what-if``; ``register`` puts them on the room's app."""

from __future__ import annotations

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hrv_shared.cli import JsonOption, MemberOption, emit
from hrv_shared.constants import SLOTS

__all__ = ["register"]

SlotOption = Annotated[
    str | None, typer.Option("--slot", help="morning or evening; default: the one issued last.")
]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("explain")(explain)
    app.command("what-if")(ask)


def explain(
    member: MemberOption = None,
    slot: SlotOption = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Also draw it into this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """What the last forecast is made of: the usual level and parts in ms that sum to its median."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from model_training.explanation.latest import explain_latest

    slot = _known_slot(slot)
    settings = load_settings()
    result = explain_latest(Store.open(settings), member or settings.member_id, slot)
    if svg is not None:
        from model_training.explanation.waterfall import draw_explanation

        result["svg"] = str(draw_explanation(result, svg))
    emit(result, _explain_text(result), as_json)


def ask(
    member: MemberOption = None,
    slot: SlotOption = None,
    alcohol: Annotated[float | None, typer.Option(help="Drinks tonight; 0 = none.")] = None,
    sick: Annotated[bool | None, typer.Option("--sick/--no-sick", help="Feeling sick.")] = None,
    strain: Annotated[float | None, typer.Option(help="The day's strain, 0-21 (evening).")] = None,
    rest_day: Annotated[bool, typer.Option("--rest-day", help="No training today.")] = False,
    late_workout: Annotated[
        bool | None,
        typer.Option(
            "--late-workout/--no-late-workout", help="The last training ends after 19:00 (evening)."
        ),
    ] = None,
    bedtime: Annotated[str | None, typer.Option(help="HH:MM; a scenario apart, no model uses it.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="behaviour=amount, such as caffeine=4; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What the same models would say if one fact were another. An association, not a promise."""
    from hrv_shared.settings import load_settings
    from hrv_shared.store import Store
    from model_training.explanation.changed_facts import Change
    from model_training.explanation.latest import what_if_latest

    slot = _known_slot(slot)
    doses = dict(_dose(text) for text in set_ or [])
    for name, amount in (("alcohol", alcohol), ("sick", None if sick is None else float(sick))):
        if amount is not None:
            doses[name] = amount
    change = Change(doses, strain, rest_day, late_workout, _clock(bedtime))
    if change == Change():
        raise typer.BadParameter("expected a fact to change, got none: such as --alcohol 2")
    settings = load_settings()
    result = what_if_latest(Store.open(settings), member or settings.member_id, change, slot)
    emit(result, _what_if_text(result), as_json)


def _known_slot(slot: str | None) -> str | None:
    if slot is not None and slot not in SLOTS:
        raise typer.BadParameter(f"expected one of {', '.join(SLOTS)}, got {slot!r}")
    return slot


def _dose(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        return name.strip(), float(amount)
    except ValueError:
        raise typer.BadParameter(f"expected behaviour=amount, such as caffeine=4, got {text!r}") from None


def _clock(text: str | None) -> time | None:
    if text is None:
        return None
    if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", text):
        raise typer.BadParameter(f"expected a bedtime such as 23:30, got {text!r}")
    hour, minute = text.split(":")
    return time(int(hour), int(minute))


def _explain_text(result: dict[str, Any]) -> str:
    from model_training.explanation.split import rounded

    issue, labels = result["issue"], result["labels"]
    lines = [f"{issue['origin_day']} {issue['slot']}, {result['forecaster']}: the median in parts, ms"]
    first = result["nights"][0]
    parts = rounded({"base": first["base_ms"]} | first["parts_ms"])
    lines.append(f"\nTomorrow, {first['target_day']}")
    lines.append(f"  {parts.pop('base'):7.1f}  {labels['base']} (median of the last 60 nights)")
    for group, ms in sorted(parts.items(), key=lambda item: -abs(item[1])):
        if ms:
            lines.append(f"  {ms:+7.1f}  {labels[group]}")
    lines.append(f"  {round(first['median_ms'], 1):7.1f}  median")
    if len(result["nights"]) > 1:
        groups = [
            g
            for g in labels
            if g != "base" and any(abs(n["parts_ms"].get(g, 0)) >= 0.05 for n in result["nights"])
        ]
        lines += ["\nThe week", "  " + " ".join(f"{n['target_day'][5:]:>7}" for n in result["nights"])]
        table = [rounded({"base": n["base_ms"]} | n["parts_ms"]) for n in result["nights"]]
        lines.append("  " + " ".join(f"{row['base']:7.1f}" for row in table) + f"  {labels['base']}")
        lines += [
            "  " + " ".join(f"{row.get(g, 0.0):+7.1f}" for row in table) + f"  {labels[g]}" for g in groups
        ]
        lines.append("  " + " ".join(f"{n['median_ms']:7.1f}" for n in result["nights"]) + "  median")
    if result["not_taken_apart"]:
        told = ", ".join(result["not_taken_apart"])
        lines.append(f"\nKnow nights alone, or don't say what they use (counted as recent nights): {told}.")
    return "\n".join(lines)


def _what_if_text(result: dict[str, Any]) -> str:
    lines = []
    for fact in result["facts"]:
        was = "not said" if fact["before"] is None else f"{fact['before']:g}"
        lines.append(f"{fact['name'].replace('_', ' ')}: {was} -> {fact['after']:g}")
    for night in result["nights"]:
        before, after = night["before_ms"], night["after_ms"]
        lines.append(
            f"{night['target_day']}  {before['median']:6.1f} -> {after['median']:6.1f} ms  "
            f"({night['shift_ms']:+.1f} ms, {night['shift_pct']:+.1f} %)  80 %: {after['low']:.0f}-{after['high']:.0f}"
        )
    lines.append(result["note"])
    for scenario in result["scenarios"]:
        lines.append(
            f"Bedtime {scenario['hours_later']:+.1f} h from the usual {scenario['usual']}: "
            f"{scenario['shift_ms']:+.1f} ms ({scenario['low_ms']:+.1f} … {scenario['high_ms']:+.1f}). "
            f"{scenario['note']}"
        )
    lines += [f"{name} is left out: {why}" for name, why in result["left_out"].items()]
    return "\n".join(lines)
