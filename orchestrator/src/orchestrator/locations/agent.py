"""The room's own code location."""

from orchestrator.agent import assets
from orchestrator.locations import location

defs = location(assets)
