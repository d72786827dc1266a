"""The Tonight page: the models that were issued with, kept warm, asked what a changed evening would go with."""

from __future__ import annotations

from datetime import time
from typing import Any

from dashboard.desk import Desk
from dashboard.errors import BadRequest
from dashboard.rooms import verb
from hrv_shared.errors import HrvError

__all__ = ["CONTROLS", "ask", "gather_tonight"]

CONTROLS: tuple[dict[str, Any], ...] = (
    {"name": "alcohol", "label": "Drinks", "unit": "drinks", "min": 0, "max": 8, "step": 0.5, "usual": 0},
    {"name": "strain", "label": "Strain of the day", "unit": "of 21", "min": 0, "max": 21, "step": 0.5, "usual": 10},
    {"name": "training_h", "label": "Training", "unit": "hours", "min": 0, "max": 4, "step": 0.25, "usual": 0},
    {"name": "caffeine", "label": "Caffeine", "unit": "cups", "min": 0, "max": 8, "step": 1, "usual": 0},
    {"name": "stress", "label": "Stress", "unit": "of 10", "min": 0, "max": 10, "step": 1, "usual": 4},
)  # fmt: skip
SWITCHES: tuple[dict[str, str], ...] = (
    {"name": "late_meal", "label": "Late meal"},
    {"name": "sick", "label": "Feeling sick"},
    {"name": "travel", "label": "Travelling"},
)
DOSES = frozenset(c["name"] for c in (*CONTROLS, *SWITCHES)) - {"strain"}


def gather_tonight(desk: Desk) -> dict[str, Any]:
    """The controls with what is so now, and the forecast as it stands; or why nothing can be asked."""
    try:
        return desk.kept("tonight", lambda: _gathered(desk))
    except HrvError as error:
        return {
            "trouble": {"code": error.code, "message": str(error)}, "controls": CONTROLS, "switches": SWITCHES,
        }  # fmt: skip


def _gathered(desk: Desk) -> dict[str, Any]:
    answer = ask(desk, {})
    evening = answer["issue"]["slot"] == "evening"
    known = _known_now(desk, evening)
    shown = [
        control | {"value": known.get(control["name"], control["usual"]), "known": control["name"] in known}
        for control in CONTROLS
        if evening or control["name"] != "strain"
    ]
    switches = [switch | {"on": bool(known.get(switch["name"]))} for switch in SWITCHES]
    usual = _usual_bedtime(desk)
    return {
        "trouble": None,
        "answer": answer,
        "controls": shown,
        "switches": switches,
        "usual_bedtime": usual,
    }


def ask(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """What the same models say when the facts are as ``said``; facts that are so already change nothing."""
    change = verb("model_training", "Change")(
        doses={name: _amount(name, said[name]) for name in sorted(DOSES & said.keys())},
        strain_0_21=_amount("strain", said["strain"]) if said.get("strain") is not None else None,
        bedtime=_clock(said["bedtime"]) if said.get("bedtime") else None,
    )
    unknown = said.keys() - DOSES - {"strain", "bedtime"}
    if unknown:
        raise BadRequest(
            f"Expected {', '.join(sorted(DOSES))}, strain or bedtime, got {sorted(unknown)[0][:30]!r}."
        )
    standing = desk.what_if()
    return plain(standing.ask(change, with_parts=False))


def plain(value: Any) -> Any:
    """Without numpy's types."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value.item() if hasattr(value, "item") else value


def _known_now(desk: Desk, evening: bool) -> dict[str, float]:
    """What the issued forecast took the facts to be: asked by amounts that nobody tells, and what they were before."""
    unlike = dict.fromkeys(sorted(DOSES), 0.125)
    change = verb("model_training", "Change")(doses=unlike, strain_0_21=0.0125 if evening else None)
    told = {
        f["name"]: f["before"]
        for f in desk.what_if().ask(change, with_parts=False)["facts"]
        if f["before"] is not None
    }
    known = {name: round(float(value), 2) for name, value in told.items() if name in DOSES}
    if "strain_0_21" in told:
        known["strain"] = round(float(told["strain_0_21"]) * 2) / 2
    return known


def _usual_bedtime(desk: Desk) -> str | None:
    """The wearer's usual hour of falling asleep, HH:MM."""
    standing, change = desk.what_if(), verb("model_training", "Change")
    for hour in (23, 2, 20):  # the scenario refuses what lies more than three hours from the usual
        try:
            return standing.ask(change(bedtime=time(hour)), with_parts=False)["scenarios"][0]["usual"]
        except HrvError:
            continue
    return None


def _amount(name: str, value: Any) -> float:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        return float(value)
    raise BadRequest(f"Expected a number for {name}, got {type(value).__name__}.")


def _clock(value: Any) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise BadRequest(f"Expected a bedtime such as 23:30, got {str(value)[:20]!r}.") from None
