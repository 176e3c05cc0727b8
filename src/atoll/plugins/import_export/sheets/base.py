"""The contract of a file format.

Promised: rows are read and written one after another; memory does not grow with their number (measured for
200,000 rows). Rows come with the cells that are there; empty cells at the end may be missing. A reader gives
all rows, empty ones too, so that a row's number is its place in the file.

Not promised: formulas (their last result is read), formats, pictures, merged cells.

Errors: a damaged or foreign file is a BadRequest that says what is wrong, at opening or at the row where it
shows.

All calls block: use them in a thread. A reader or writer belongs to one thread at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from atoll.application.fields.cells import Cell

FORMATS: Final = ("xlsx", "csv")
"""What is read and written."""
EXPORT_FORMATS: Final = (*FORMATS, "json")
"""What is written."""
Value = Cell | list[Any] | dict[str, Any]
"""What a file that is no table can hold at a place."""


def as_cell(value: Value) -> Cell:
    """The value as a table holds it: lists and objects as JSON text."""
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else value


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read.

    Attributes:
        format: "xlsx" or "csv".
        sheet: name of the sheet (xlsx); "" is the first one.
        sheets: the sheets there are (xlsx).
        encoding, delimiter: of a CSV file.
        header_row: number of the row with the titles, from 1.
    """

    format: str
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    header_row: int = 1


class RowReader(ABC):
    """An opened file that is read."""

    @abstractmethod
    def estimate(self) -> int | None:
        """How many rows there probably are, found out quickly; None when that is not possible."""

    @abstractmethod
    def rows(self) -> Iterator[list[Cell]]:
        """The rows from the first one; to be called once."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the file; idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class RowWriter(ABC):
    """A file that is being written; it is complete after `close`."""

    @abstractmethod
    def write(self, rows: Sequence[Sequence[Value]]) -> None:
        """Appends rows; the first one has the titles. Tables take cells, JSON all values."""

    @abstractmethod
    def close(self) -> None:
        """Completes the file."""

    @abstractmethod
    def discard(self) -> None:
        """Lets go of an unfinished file, whose content is then worth nothing; idempotent."""
