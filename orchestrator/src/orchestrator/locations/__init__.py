"""Code locations of a deployment: one a room, each in a code server of its own, and the house of many members."""

from types import ModuleType

import dagster as dg

from orchestrator.runner import RoomRunner

__all__ = ["location"]


def location(assets: ModuleType, checks: list | None = None) -> dg.Definitions:
    """A room's assets and checks alone; what they rest on in other rooms is there as an external asset."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules([assets]), asset_checks=checks or [], resources={"rooms": RoomRunner()},
        executor=dg.in_process_executor,
    )  # fmt: skip
