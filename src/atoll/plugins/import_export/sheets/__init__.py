"""Tables in files: spreadsheets and CSV, read and written row by row."""

from atoll.plugins.import_export.sheets.base import EXPORT_FORMATS, FORMATS, Layout, RowReader, RowWriter
from atoll.plugins.import_export.sheets.opening import create, inspect, open_rows

__all__ = ["EXPORT_FORMATS", "FORMATS", "Layout", "RowReader", "RowWriter", "create", "inspect", "open_rows"]
