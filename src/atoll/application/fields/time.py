"""Times of day."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell


def _text(value: time) -> str:
    return value.strftime("%H:%M:%S")


class TimeField(Field):
    """`time`: `HH:mm:ss`."""

    types: ClassVar[tuple[str, ...]] = ("time",)
    category = "time"

    def column_type(self, kind: DatabaseKind) -> str:
        """TIME; text in SQLite."""
        return "TIME(0)" if kind == "postgres" else "TEXT"

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A time of day."""
        if not isinstance(value, str) or ":" not in value:
            raise self.refuse(value, "a time (HH:mm:ss)")
        try:
            moment = time.fromisoformat(value.strip()).replace(microsecond=0, tzinfo=None)
        except ValueError:
            raise self.refuse(value, "a time (HH:mm:ss)") from None
        return moment if kind == "postgres" else _text(moment)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """Text to the second."""
        return _text if kind == "postgres" else None

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A time, or the fraction of a day that spreadsheets use."""
        if isinstance(cell, datetime):
            return _text(cell.time())
        if isinstance(cell, time):
            return _text(cell)
        if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 0 <= cell < 1:
            cell = timedelta(seconds=round(cell * 86_400))
        if isinstance(cell, timedelta):
            seconds = int(cell.total_seconds()) % 86_400
            return _text(time(seconds // 3600, seconds // 60 % 60, seconds % 60))
        return str(cell)
