"""The tables of nights and days, derived from the record."""

from whoop_api_client.tables.rebuild import derive, rebuild

__all__ = ["derive", "rebuild"]
