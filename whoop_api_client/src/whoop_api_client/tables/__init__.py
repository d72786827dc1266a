"""The tables of nights and days, derived from the record."""

from whoop_api_client.tables.rebuild import derive, rebuild
from whoop_api_client.tables.refresh import refresh

__all__ = ["derive", "rebuild", "refresh"]
