"""Why an export could not be imported.

HrvError (hrv_shared)
└── ExportError
    ├── NotAnExport         nothing in the folder or ZIP has the header of a WHOOP export
    ├── UnsafeArchive       the ZIP is broken, too large, or points outside itself
    └── DamagedExport       a file was changed by another program, or lost columns

A single bad row is not an exception: it becomes a `RowError` of the report, and the good rows are kept.
"""

from __future__ import annotations

from hrv_shared.errors import HrvError

__all__ = ["DamagedExport", "ExportError", "NotAnExport", "UnsafeArchive"]


class ExportError(HrvError):
    """An import that wrote nothing."""


class NotAnExport(ExportError):
    """No file with the header of a WHOOP export."""


class UnsafeArchive(ExportError):
    """A ZIP that is broken, too large, or points outside itself."""


class DamagedExport(ExportError):
    """A file that a spreadsheet or another program has rewritten."""
