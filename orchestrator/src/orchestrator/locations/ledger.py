"""The room's own code location."""

from orchestrator.ledger import assets, checks
from orchestrator.locations import location

defs = location(assets, checks.CHECKS)
