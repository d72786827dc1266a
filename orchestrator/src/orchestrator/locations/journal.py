"""The room's own code location."""

from orchestrator.journal import assets
from orchestrator.locations import location

defs = location(assets)
