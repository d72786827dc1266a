"""The room's own code location."""

from orchestrator.intelligence import assets
from orchestrator.locations import location

defs = location(assets)
