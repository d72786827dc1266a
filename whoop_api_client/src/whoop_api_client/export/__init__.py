"""WHOOP's data export (CSV files in a ZIP) into the record."""

from whoop_api_client.export.importer import import_export
from whoop_api_client.export.report import FileReport, ImportReport, RowError

__all__ = ["FileReport", "ImportReport", "RowError", "import_export"]
