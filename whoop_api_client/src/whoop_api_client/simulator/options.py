"""Every switch of the simulator by name: what ``hrv simulate --set NAME=VALUE`` takes and ``--options`` lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from whoop_api_client.simulator.errors import BadOption
from whoop_api_client.simulator.faults import FAULT_KINDS, Fault
from whoop_api_client.simulator.happenings import Happenings
from whoop_api_client.simulator.presentation import Presentation
from whoop_api_client.simulator.simulator_config import SimulatorConfig
from whoop_api_client.simulator.webhook_plan import WebhookPlan

__all__ = ["PRESETS", "Option", "Settings", "known_options", "read_fault", "read_settings"]

_GROUPS = {
    "history": Happenings,
    "answers": Presentation,
    "service": SimulatorConfig,
    "webhooks": WebhookPlan,
}
PRESETS: dict[str, dict[str, Any]] = {
    "measured": {},
    "calm": {
        "late_share": 0.0, "revised_share": 0.0, "rescored_share": 0.0, "deleted_workout_share": 0.0, "nap_share": 0.0,
        "unscorable_share": 0.0, "missing_share": 0.0, "pause_days": 0, "dst": "none", "trip_hours": 0.0,
        "account_offset_on_history": False, "unknown_keys": False, "rate_per_minute": 0, "rate_per_day": 0,
    },
    "rough": {
        "late_share": 0.1, "revised_share": 0.2, "rescored_share": 0.05, "deleted_sleep_share": 0.02,
        "deleted_workout_share": 0.05, "nap_share": 0.2, "unscorable_share": 0.05, "missing_share": 0.1,
        "pause_days": 21, "trip_hours": -9.0, "trouble_ahead": True, "pending_score_s": 60.0, "revoke_family": True,
        "doubled_share": 0.1, "lost_share": 0.1, "early_s": 30.0,
    },
}  # fmt: skip
"""``measured``: the defaults; ``calm``: nothing goes wrong; ``rough``: more of everything than in life."""


@dataclass(frozen=True)
class Option:
    """One switch."""

    name: str
    group: str
    kind: str
    default: Any
    doc: str


@dataclass(frozen=True)
class Settings:
    """What all the switches together come to."""

    happenings: Happenings = Happenings()
    config: SimulatorConfig = SimulatorConfig()


def known_options() -> dict[str, Option]:
    """Every switch by name, in the order of the groups history, answers, service, webhooks."""
    return {
        field.name: Option(field.name, group, str(field.type), field.default, field.metadata["doc"])
        for group, kind in _GROUPS.items()
        for field in dataclasses.fields(kind)
        if "doc" in field.metadata
    }


def read_settings(
    assignments: Iterable[str] = (), preset: str = "measured", faults: Iterable[str] = (), **given: Any
) -> Settings:
    """Read ``NAME=VALUE`` texts on top of a preset; ``given`` values win over both.

    Raises
    ------
    BadOption
        No such preset, switch or fault, or a value that it does not take.
    """
    if preset not in PRESETS:
        raise BadOption(f"expected a preset out of {', '.join(PRESETS)}, got {preset!r}")
    values = dict(PRESETS[preset])
    for text in assignments:
        name, equals, value = text.partition("=")
        option = known_options().get(name.strip())
        if option is None or not equals:
            raise BadOption(
                f"expected NAME=VALUE with a name that `hrv simulate --options` lists, got {text!r}"
            )
        values[option.name] = _read(option.name, option.kind, value.strip())
    values |= given
    parts = {kind: _of(kind, values) for kind in _GROUPS.values()}
    config = replace(
        parts[SimulatorConfig],
        presentation=parts[Presentation],
        webhooks=parts[WebhookPlan],
        faults=tuple(read_fault(text) for text in faults),
    )
    return Settings(parts[Happenings], config)


def read_fault(text: str) -> Fault:
    """Read ``KIND[,NAME=VALUE…]``, such as ``rate_limited,share=0.5,for_s=3600``.

    Raises
    ------
    BadOption
        Not a fault.
    """
    kind, *rest = [part.strip() for part in text.split(",")]
    types = {field.name: str(field.type) for field in dataclasses.fields(Fault) if field.name != "kind"}
    values = {}
    for part in rest:
        name, equals, value = part.partition("=")
        if name not in types or not equals:
            raise BadOption(f"expected KIND[,NAME=VALUE…] with names out of {', '.join(types)}, got {text!r}")
        values[name] = _read(name, types[name], value)
    if kind not in FAULT_KINDS:
        raise BadOption(f"expected a fault out of {', '.join(FAULT_KINDS)}, got {kind!r}")
    try:
        return Fault(kind, **values)
    except ValueError as error:
        raise BadOption(f"{error} (in the fault {text!r})") from None


def _of(kind: type, values: Mapping[str, Any]) -> Any:
    names = {field.name for field in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})


_WORDS = {
    "true": True,
    "on": True,
    "yes": True,
    "1": True,
    "false": False,
    "off": False,
    "no": False,
    "0": False,
}


def _read(name: str, kind: str, text: str) -> Any:
    if "None" in kind and text.lower() in ("", "none", "null"):
        return None
    try:
        if "tuple" in kind:
            items = [item.strip() for item in text.split(",") if item.strip()]
            return tuple(float(item) for item in items) if "float" in kind else tuple(items)
        if kind.startswith("bool"):
            return _WORDS[text.lower()]
        if kind.startswith("int"):
            return int(text)
        return float(text) if kind.startswith("float") else text
    except (KeyError, ValueError):
        raise BadOption(f"expected {kind} for {name}, got {text!r}") from None
