"""`simulate` as a command: which account the simulator serves, and what it tells people to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hrv_shared.cli import emit, say


def simulate(
    *, data: Path | None, port: int, seed: int, nights: int, now: datetime, now_is_given: bool,
    today: dict[str, Any] | None = None, as_json: bool,
) -> None:  # fmt: skip
    """Serve a recorded person (`data`) or a synthetic member until interrupted.

    Parameters
    ----------
    now : datetime, aware
        The simulator's present. A recorded person keeps the end of the data as present unless `now_is_given`.
    today : dict, optional
        A synthetic member's behaviours of the running day; they move the coming nights.
    """
    from whoop_api_client.simulator import SimulatorConfig, load_person, make_member, serve

    if data is not None:
        world = load_person(data)
        if now_is_given:
            world = replace(world, default_now=now)
    else:
        world = make_member(seed, now=now, n_nights=nights, today=today)
    # a recording ends: its clock stands still, so that its last, open cycle does not grow with each pull
    config = SimulatorConfig(clock_runs=data is None)
    try:
        serve(world, config, port=port, announce=_announcer(as_json))
    except KeyboardInterrupt:
        say("Simulator stopped.")


def _announcer(as_json: bool) -> Callable[[dict[str, Any]], None]:
    def announce(ready: dict[str, Any]) -> None:
        text = "\n".join(
            [
                f"A simulated WHOOP listens on {ready['base_url']}; it is {ready['now']} there. Stop with Ctrl-C.",
                "In another terminal:",
                f"  export HRV_WHOOP_API_BASE={ready['api_base']}",
                f"  export HRV_WHOOP_AUTH_BASE={ready['auth_base']}",
                f"  export HRV_WHOOP_CLIENT_ID={ready['client_id']}",
                f"  export HRV_WHOOP_CLIENT_SECRET={ready['client_secret']}",
                "  export HRV_HOME=$(mktemp -d)   # keep it apart from your own data",
                "  hrv connect --auto && hrv pull",
            ]
        )
        emit(ready, text, as_json)

    return announce
