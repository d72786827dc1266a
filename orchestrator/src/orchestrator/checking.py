"""Findings as Dagster's asset checks: the same words on its page as in `hrv doctor`."""

from collections.abc import Iterator

import dagster as dg

from orchestrator.findings import Finding
from orchestrator.inspection import Inspection
from orchestrator.runner import MEMBER_TAG, RoomRunner

__all__ = ["house_checks", "result_of"]


def house_checks(asset: str, names: dict[str, bool]) -> dg.AssetChecksDefinition:
    """One coarse step of checks on an asset.

    Parameters
    ----------
    names : dict
        Name of a finding -> whether a blocking one stops what comes behind the asset.
    """
    specs = [dg.AssetCheckSpec(_slug(name), asset=asset, blocking=blocks) for name, blocks in names.items()]

    @dg.multi_asset_check(name=f"{asset}_checks", specs=specs)
    def checks(context: dg.AssetCheckExecutionContext, rooms: RoomRunner) -> Iterator[dg.AssetCheckResult]:
        settings = rooms.settings()
        inspection = Inspection(rooms.store(), settings, context.run.tags.get(MEMBER_TAG))
        for found in inspection.find(names):
            yield result_of(found, asset)

    return checks


def result_of(found: Finding, asset: str) -> dg.AssetCheckResult:
    """One finding as a check's result."""
    severity = dg.AssetCheckSeverity.ERROR if found.level == "block" else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        asset_key=asset, check_name=_slug(found.what), passed=found.level == "ok", severity=severity,
        description=found.says, metadata={"mend": found.mend} if found.mend else {},
    )  # fmt: skip


def _slug(name: str) -> str:
    return name.replace(" ", "_")
