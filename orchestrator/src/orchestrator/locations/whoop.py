"""The room's own code location."""

from orchestrator.locations import location
from orchestrator.whoop import assets, checks

defs = location(assets, checks.CHECKS)
