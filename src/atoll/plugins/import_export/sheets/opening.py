"""Which format a file has, and its reader or writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from atoll.application.fields.cells import Cell, empty
from atoll.errors import BadRequest
from atoll.plugins.import_export.sheets.base import EXPORT_FORMATS, Layout, RowReader, RowWriter
from atoll.plugins.import_export.sheets.csv import CsvReader, CsvWriter, detect
from atoll.plugins.import_export.sheets.json import JsonWriter
from atoll.plugins.import_export.sheets.xlsx import XlsxReader, XlsxWriter

_SAMPLES: Final = 5
_LOOKED_AT: Final = 50
_WRITERS: Final[Mapping[str, type[CsvWriter | JsonWriter | XlsxWriter]]] = MappingProxyType(
    {"csv": CsvWriter, "json": JsonWriter, "xlsx": XlsxWriter}
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What stands at the beginning of a file: its layout, titles and first rows."""

    layout: Layout
    titles: list[Cell]
    samples: list[list[Cell]]


def create(path: Path, kind: str) -> RowWriter:
    """Begins a file."""
    writer = _WRITERS.get(kind)
    if writer is None:
        raise BadRequest(f"The format {kind!r} is not one of {', '.join(EXPORT_FORMATS)}")
    return writer(path)


def open_rows(path: Path, layout: Layout) -> RowReader:
    """Opens a file that `inspect` has looked at."""
    return XlsxReader(path, layout) if layout.format == "xlsx" else CsvReader(path, layout)


def recognise(path: Path) -> Layout:
    """The layout by the file's content; its name is not asked."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return Layout("xlsx")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadRequest("This is an old or protected spreadsheet; save it as .xlsx without a password")
    return detect(path)


def inspect(path: Path, given: Mapping[str, object]) -> Inspection:
    """Looks at the beginning of a file.

    Args:
        given: what the person chose instead of what is recognised: `sheet`, `encoding`, `delimiter`,
            `headerRow`.
    """
    layout = recognise(path)
    layout = replace(
        layout,
        sheet=str(given.get("sheet") or layout.sheet),
        encoding=str(given.get("encoding") or layout.encoding),
        delimiter=str(given.get("delimiter") or layout.delimiter),
    )
    with open_rows(path, layout) as reader:
        if isinstance(reader, XlsxReader):
            layout = replace(layout, sheets=reader.sheets, sheet=layout.sheet or reader.sheets[0])
        first = list(islice(reader.rows(), _LOOKED_AT))
    header = given.get("headerRow")
    if header is not None and (not isinstance(header, int) or isinstance(header, bool) or header < 1):
        raise BadRequest("`headerRow` must be a whole number from 1")
    number = header or next((n for n, row in enumerate(first, 1) if not all(map(empty, row))), 0)
    if not number or number > len(first):
        raise BadRequest("The file has no rows" if header is None else "The file has no such header row")
    rows = [row for row in first[number:] if not all(map(empty, row))]
    return Inspection(replace(layout, header_row=number), first[number - 1], rows[:_SAMPLES])
