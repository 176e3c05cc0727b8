"""Records into files and files into records."""

from atoll.plugins.import_export.plugin import ImportExport

__all__ = ["ImportExport"]
