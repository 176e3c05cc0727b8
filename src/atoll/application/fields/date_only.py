"""Calendar days."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Field


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
