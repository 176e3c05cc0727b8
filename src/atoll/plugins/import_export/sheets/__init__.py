"""Tables in files: spreadsheets and CSV, read and written row by row."""

from atoll.plugins.import_export.sheets.base import FORMATS, Layout, RowReader, RowWriter
from atoll.plugins.import_export.sheets.opening import create, inspect, open_rows

__all__ = ["FORMATS", "Layout", "RowReader", "RowWriter", "create", "inspect", "open_rows"]
