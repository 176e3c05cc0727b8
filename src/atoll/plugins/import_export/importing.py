"""Rows of a file into records: which cell is which value, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from typing import Any

from atoll.application.collections.relations import Relation
from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.cells import Cell, empty, parts, shown
from atoll.errors import AtollError, BadRequest
from atoll.plugins.import_export.columns import ImportColumn


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of the file, with its number there (from 1)."""

    number: int
    cells: Sequence[Cell]


Readings = tuple[tuple[Any, ...], ...]
"""What a cell may mean: keys of linked records, as clients send them; the first reading that fits counts."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A row as values of a record, or what is wrong with its cells: texts by field.

    Attributes:
        links: what the cells of relations say, by relation; `Links` finds the records.
    """

    row: SheetRow
    values: Mapping[str, Any]
    problems: Mapping[str, str]
    links: Mapping[str, Readings]

    def refusal(self) -> str:
        """All problems in one line."""
        return "; ".join(dict.fromkeys(self.problems.values()))


@dataclass(frozen=True, slots=True)
class Places:
    """The places of the columns in the file.

    Attributes:
        places: index in a row and column, for each field.
        clears: an empty cell means "no value"; else it leaves the field alone.
    """

    places: Sequence[tuple[int, ImportColumn]]
    zone: tzinfo
    kind: DatabaseKind
    clears: bool = False

    def parse(self, row: SheetRow) -> Parsed:
        """Turns cells into values as a client would send them."""
        values: dict[str, Any] = {}
        problems: dict[str, str] = {}
        links: dict[str, Readings] = {}
        for index, column in self.places:
            cell = row.cells[index] if index < len(row.cells) else None
            if empty(cell):
                if self.clears and column.relation is not None:
                    links[column.name] = ((),)
                elif self.clears:
                    values[column.name] = None
                continue
            try:
                if column.relation is not None:
                    links[column.name] = self._readings(column, column.relation, cell)
                else:
                    values[column.name] = self._value(column.field, cell)
            except AtollError as error:
                text = error.message
                problems[column.name] = text if column.relation is None else f"{column.title}: {text}"
        return Parsed(row, values, problems, links)

    def _value(self, field: Field, cell: Cell) -> Any:
        value = field.from_cell(cell, self.zone)
        if value is not None:
            field.parse(value, self.kind)
        return value

    def _readings(self, column: ImportColumn, relation: Relation, cell: Cell) -> Readings:
        text = shown(cell).strip()
        alone = text if isinstance(cell, str) else cell
        if not relation.to_many:
            return (self._keys(column.field, [alone]),)
        lines = text.splitlines()
        items = [line.strip() for line in lines if line.strip()] if len(lines) > 1 else parts(text)
        several = self._keys(column.field, items)
        if column.field.category != "text" or len(lines) > 1:
            return (several,)
        # A name may have a comma in it.
        return tuple(dict.fromkeys((self._keys(column.field, [text]), several)))

    def _keys(self, field: Field, cells: Sequence[Cell]) -> tuple[Any, ...]:
        keys = [self._value(field, cell) for cell in cells]
        return tuple(dict.fromkeys(key for key in keys if key is not None))


def find_header(
    rows: Iterator[list[Cell]], columns: Sequence[ImportColumn]
) -> tuple[int, list[tuple[int, ImportColumn]]]:
    """The first row that has all titles: its number, and where each column is. The rows above are used up."""
    wanted = {column.title: column for column in columns}
    for number, row in enumerate(rows, 1):
        titles = [shown(cell).strip() for cell in row]
        if all(title in titles for title in wanted):
            return number, [(titles.index(title), column) for title, column in wanted.items()]
    raise BadRequest(f"Headers not found. The file needs a row with the titles: {', '.join(wanted)}")


def numbered(rows: Iterator[list[Cell]], start: int) -> Iterator[SheetRow]:
    """The rows that have something in them, with their numbers."""
    for number, row in enumerate(rows, start):
        if not all(map(empty, row)):
            yield SheetRow(number, row)


def chunk(rows: Iterator[SheetRow], size: int) -> list[SheetRow]:
    """The next rows, at most `size`; blocks while the file is read."""
    return list(islice(rows, size))
