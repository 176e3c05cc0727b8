"""Whole numbers."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, plain_number
from atoll.errors import InvalidValue

_WHOLE = re.compile(r"\s*[+-]?\d{1,30}\s*")
SAFE_INTEGER = 2**53 - 1


def as_whole(field: Field, value: Any, limit: int) -> int:
    """A whole number within ±limit, also from text or a float without fraction."""
    if isinstance(value, bool):
        raise field.refuse(value, "a whole number")
    if (isinstance(value, str) and _WHOLE.fullmatch(value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        value = int(value)
    if not isinstance(value, int):
        raise field.refuse(value, "a whole number")
    if not -limit - 1 <= value <= limit:
        raise InvalidValue(f"{field.title}: {value} is out of range")
    return value


def safe_number(value: int) -> int | str:
    """A number when JavaScript can hold it exactly, else its text."""
    return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else str(value)


class IntegerField(Field):
    """`integer`: 32 bits."""

    types: ClassVar[tuple[str, ...]] = ("integer",)
    category = "number"

    def column_type(self, kind: DatabaseKind) -> str:
        """INTEGER everywhere."""
        return "INTEGER"

    def parse(self, value: Any, kind: DatabaseKind) -> int:
        """A whole number of 32 bits."""
        return as_whole(self, value, 2**31 - 1)

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A number, also with grouping."""
        return plain_number(cell)


class BigIntField(Field):
    """`bigInt`: 64 bits; delivered as text above 2^53-1. `autoIncrement`: the database numbers."""

    types: ClassVar[tuple[str, ...]] = ("bigInt",)
    category = "number"

    def column_type(self, kind: DatabaseKind) -> str:
        """BIGINT everywhere; how the rows are numbered is up to the DDL."""
        return "BIGINT"

    def parse(self, value: Any, kind: DatabaseKind) -> int:
        """A whole number of 64 bits."""
        return as_whole(self, value, 2**63 - 1)

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """The number, whatever its size."""
        return int(value)

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A number, also with grouping."""
        return plain_number(cell)

    def decoder(self, kind: DatabaseKind) -> Decoder:
        """Text above what a JSON number can hold exactly."""
        return safe_number
