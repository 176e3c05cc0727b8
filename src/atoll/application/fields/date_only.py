"""Calendar days."""

from __future__ import annotations

from datetime import date, tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.cells import Cell, moment_format, wall_time


class DateOnlyField(Field):
    """`dateOnly`: `YYYY-MM-DD`; of an instant the first ten characters count."""

    types: ClassVar[tuple[str, ...]] = ("dateOnly",)
    category = "day"

    def column_type(self, kind: DatabaseKind) -> str:
        """DATE; text in SQLite."""
        return "DATE" if kind == "postgres" else "TEXT"

    def stored(self, day: date, kind: DatabaseKind) -> Any:
        """The driver's form."""
        return day if kind == "postgres" else day.isoformat()

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A day."""
        if not isinstance(value, str):
            raise self.refuse(value, "a day (YYYY-MM-DD)")
        try:
            return self.stored(date.fromisoformat(value.strip()[:10]), kind)
        except ValueError:
            raise self.refuse(value, "a day (YYYY-MM-DD)") from None

    @property
    def _format(self) -> str:
        return moment_format(self.options).partition(" ")[0]

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """As the field's format says."""
        day = value if isinstance(value, date) else date.fromisoformat(value)
        return day.strftime(self._format)

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A day, a serial number, or a date in one of the usual forms."""
        day = wall_time(cell, self._format)
        return str(cell) if day is None else day.date().isoformat()
