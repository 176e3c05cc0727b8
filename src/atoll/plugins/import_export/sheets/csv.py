"""CSV: what people get from other programs, in whatever encoding and with whatever delimiter."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from atoll.application.fields.cells import Cell, shown
from atoll.errors import BadRequest
from atoll.plugins.import_export.sheets.base import Layout, RowReader, RowWriter, Value, as_cell

_SAMPLE: Final = 256 * 1024
_DELIMITERS: Final = (",", ";", "\t", "|")
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS: Final = ("utf-8-sig", "utf-8", "utf-16", "gb18030", "cp1252")
# A spreadsheet program runs what begins like this. Negative and signed numbers are harmless.
_FORMULA: Final = re.compile(r"^(?:[=@\t\r]|[+-](?![\d.,\s]*%?$))")
_GUARDED: Final = re.compile(r"^'(?=[=@\t\r+-])")


def detect(path: Path) -> Layout:
    """Encoding and delimiter of a file, judged by its beginning."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    encoding = _encoding(sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    return Layout("csv", encoding=encoding, delimiter=_delimiter(text))


def _encoding(sample: bytes) -> str:
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(sample)
        except UnicodeDecodeError:
            continue
        return name
    return "cp1252"


def _delimiter(text: str) -> str:
    """The one that splits most rows into the same number of cells, more than one."""
    lines = text.splitlines(keepends=True)[:50]

    def agreement(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return (0, 0)
        usual = max(set(widths), key=widths.count, default=0)
        return (widths.count(usual), usual) if usual > 1 else (0, 0)

    best = max(_DELIMITERS, key=agreement)
    return best if agreement(best) > (0, 0) else ","


class CsvReader(RowReader):
    """Reads text; every cell is text."""

    def __init__(self, path: Path, layout: Layout) -> None:
        if layout.encoding not in ENCODINGS:
            raise BadRequest(f"The encoding {layout.encoding!r} is not one of {', '.join(ENCODINGS)}")
        if len(layout.delimiter) != 1 or layout.delimiter in '"\r\n':
            raise BadRequest("The delimiter must be one character")
        self._layout = layout
        self._path = path
        self._file = path.open(encoding=layout.encoding, newline="")

    def estimate(self) -> int | None:
        """The number of lines."""
        with self._path.open("rb") as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))

    def rows(self) -> Iterator[list[Cell]]:
        """See the base class."""
        number = 0
        try:
            for row in csv.reader(self._file, delimiter=self._layout.delimiter):
                number += 1
                yield [_GUARDED.sub("", cell) for cell in row]
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"The file is not {self._layout.encoding} after row {number}; choose another encoding",
                detail=str(error),
            ) from None
        except csv.Error as error:
            raise BadRequest(f"Row {number + 1} cannot be read: {error}") from None

    def close(self) -> None:
        """See the base class."""
        self._file.close()


class CsvWriter(RowWriter):
    """Writes UTF-8 with the mark by which spreadsheet programs recognise it.

    Texts that such a program would run as a formula get a `'` in front, which the reader takes away again.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)

    def write(self, rows: Sequence[Sequence[Value]]) -> None:
        """See the base class."""
        self._writer.writerows([_text(cell) for cell in row] for row in rows)

    def close(self) -> None:
        """See the base class."""
        self._file.close()

    def discard(self) -> None:
        """See the base class."""
        self._file.close()


def _text(value: Value) -> str:
    cell = as_cell(value)
    text = shown(cell)
    return f"'{text}" if isinstance(cell, str) and _FORMULA.match(text) else text
