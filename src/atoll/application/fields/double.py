"""Floating point numbers."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.cells import Cell, plain_number


class DoubleField(Field):
    """`double`, `float` and `real`: 64 bits in every database."""

    types: ClassVar[tuple[str, ...]] = ("double", "float", "real")
    category = "number"

    def column_type(self, kind: DatabaseKind) -> str:
        """DOUBLE PRECISION also for `real`: nothing is gained by losing digits."""
        return "DOUBLE PRECISION"

    def parse(self, value: Any, kind: DatabaseKind) -> float:
        """A finite number, also from text."""
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise self.refuse(value, "a number")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise self.refuse(value, "a number") from None
        if not math.isfinite(number):
            raise self.refuse(value, "a number")
        return number

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A number, also with grouping; of percentages also `12%`."""
        number = plain_number(cell)
        if isinstance(number, str) and number.endswith("%") and self.options.get("interface") == "percent":
            with suppress(ValueError):
                return round(float(number[:-1]) / 100, 12)
        return number
