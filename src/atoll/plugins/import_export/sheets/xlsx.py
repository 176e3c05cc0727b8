"""Spreadsheets (xlsx), through openpyxl's modes that keep one row in memory."""

from __future__ import annotations

import mmap
import tempfile
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from atoll.application.fields.cells import Cell
from atoll.errors import BadRequest
from atoll.plugins.import_export.sheets.base import Layout, RowReader, RowWriter, Value, as_cell

_EXACT_DIGITS: Final = 15
_LONGEST_TEXT: Final = 32_767
_MOST_ROWS: Final = 1_048_576
_UNPACKED_LIMIT: Final = 4 << 30
_DAMAGED: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, InvalidFileException, ParseError, KeyError, ValueError,
    TypeError, EOFError, OSError, DefusedXmlException,
)  # fmt: skip


class _StringsOnDisk(Sequence[str]):
    """The texts that the cells of a workbook share, in a temporary file: there may be a million of them."""

    def __init__(self, source: Any) -> None:
        self._ends = array("Q")
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        end = 0
        tag = f"{{{SHEET_MAIN_NS}}}si"
        root = None
        for event, node in iterparse(source, events=("start", "end")):
            if root is None:
                root = node
            elif event == "end" and node.tag == tag:
                text = str(cast("Any", Text).from_tree(node).content).encode("utf-8", "surrogatepass")
                root.clear()
                self._file.write(text)
                end += len(text)
                self._ends.append(end)
        self._file.flush()
        self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if end else None

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: Any) -> Any:
        start = self._ends[index - 1] if index else 0
        end = self._ends[index]
        if self._map is None or start == end:
            return ""
        return self._map[start:end].decode("utf-8", "surrogatepass")

    def close(self) -> None:
        if self._map is not None:
            self._map.close()
        self._file.close()


class _Reader(ExcelReader):
    """openpyxl's reader, but for the shared texts."""

    strings: _StringsOnDisk | None = None

    def read_strings(self) -> None:
        part = cast("Any", self.package).find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.strings = _StringsOnDisk(source)
            self.shared_strings = cast("Any", self.strings)


class XlsxReader(RowReader):
    """Reads one sheet; cells have the types the spreadsheet gives them."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._workbook: Workbook | None = None
        self._reader: _Reader | None = None
        self._file = path.open("rb")  # openpyxl looks at the name of what it opens itself
        try:
            _check_size(path)
            self._reader = _Reader(self._file, read_only=True, data_only=True, keep_links=False)
            self._reader.read()
            self._workbook = self._reader.wb
        except BadRequest:
            self.close()
            raise
        except _DAMAGED as error:
            self.close()
            raise BadRequest(
                "The file is no spreadsheet that can be read; save it as .xlsx without a password",
                detail=str(error),
            ) from None
        sheets = [each for each in self._workbook.worksheets if isinstance(each, ReadOnlyWorksheet)]
        self.sheets = tuple(sheet.title for sheet in sheets)
        chosen = [sheet for sheet in sheets if layout.sheet in ("", sheet.title)]
        if not chosen:
            self.close()
            raise BadRequest(f"There is no sheet {layout.sheet!r} in the file")
        self._sheet = chosen[0]
        self._rows = self._sheet.max_row
        # Some programs write a wrong size into the sheet; without it all rows are read.
        self._sheet.reset_dimensions()

    def estimate(self) -> int | None:
        """What the sheet says of itself."""
        return self._rows

    def rows(self) -> Iterator[list[Cell]]:
        """See the base class."""
        number = 0
        try:
            for row in self._sheet.iter_rows(values_only=True):
                number += 1
                yield list(cast("Any", row))
        except _DAMAGED as error:
            raise BadRequest(f"The file is damaged after row {number}", detail=str(error)) from None

    def close(self) -> None:
        """See the base class."""
        if self._workbook is not None:
            self._workbook.close()
        if self._reader is not None:
            self._reader.archive.close()
            if self._reader.strings is not None:
                self._reader.strings.close()
        self._file.close()


def _check_size(path: Path) -> None:
    """Refuses an archive that would unpack to more than any sheet people make."""
    with zipfile.ZipFile(path) as archive:
        if sum(item.file_size for item in archive.infolist()) > _UNPACKED_LIMIT:
            raise BadRequest("The spreadsheet is too large when unpacked; split it")


class XlsxWriter(RowWriter):
    """Writes one sheet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._workbook = Workbook(write_only=True)
        self._sheet: Any = self._workbook.create_sheet("Sheet1")
        self._count = 0
        self._closed = False

    def write(self, rows: Sequence[Sequence[Value]]) -> None:
        """See the base class; more rows than a sheet can have are refused."""
        self._count += len(rows)
        if self._count > _MOST_ROWS:
            raise BadRequest(f"A spreadsheet holds at most {_MOST_ROWS:,} rows; use CSV or a filter")
        for row in rows:
            self._sheet.append([self._written(cell) for cell in row])

    def _written(self, value: Value) -> Any:
        cell = as_cell(value)
        if isinstance(cell, str):
            text = ILLEGAL_CHARACTERS_RE.sub("", cell) if not cell.isprintable() else cell
            if len(text) > _LONGEST_TEXT:
                text = text[: _LONGEST_TEXT - 1] + "…"
            if text[:1] in ("=", "#"):
                return self._as_text(text)
            return text
        if isinstance(cell, bool):
            return cell
        if (isinstance(cell, (int, Decimal))) and not _exact(cell):
            return str(cell)
        return cell

    def _as_text(self, text: str) -> Any:
        """A text that must not be taken for a formula or an error."""
        cell: Any = WriteOnlyCell(self._sheet, value="")
        cell._value, cell.data_type = text, "s"  # noqa: SLF001 - the setter would look at the first character
        return cell

    def close(self) -> None:
        """See the base class."""
        self._closed = True
        self._workbook.save(self._path)

    def discard(self) -> None:
        """See the base class."""
        if not self._closed:
            self._closed = True
            self._workbook.save(self._path)  # the only way that removes openpyxl's own temporary file


def _exact(number: int | Decimal) -> bool:
    """Whether spreadsheet programs show and keep all digits of a number."""
    if isinstance(number, int):
        return abs(number) < 10**_EXACT_DIGITS
    return len(number.as_tuple().digits) <= _EXACT_DIGITS
