"""The room's own code location."""

from orchestrator.locations import location
from orchestrator.models import assets

defs = location(assets)
