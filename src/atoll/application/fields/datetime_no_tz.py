"""Wall clock times without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, moment_format, wall_time
from atoll.application.fields.moments import parse_moment


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class DateTimeNoTzField(Field):
    """`datetimeNoTz`: `YYYY-MM-DD HH:mm:ss`; a trailing `Z` is dropped, an offset is converted to UTC."""

    types: ClassVar[tuple[str, ...]] = ("datetimeNoTz",)
    category = "wall"

    def column_type(self, kind: DatabaseKind) -> str:
        """TIMESTAMP; text in SQLite."""
        return "TIMESTAMP(0)" if kind == "postgres" else "TEXT"

    def stored(self, moment: datetime, kind: DatabaseKind) -> Any:
        """The driver's form."""
        moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment if kind == "postgres" else _text(moment)

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A wall clock time."""
        if not isinstance(value, str):
            raise self.refuse(value, "a date and time")
        try:
            return self.stored(parse_moment(value)[0].replace(microsecond=0), kind)
        except ValueError:
            raise self.refuse(value, "a date and time") from None

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """Text to the second."""
        return _text if kind == "postgres" else None

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """As the field's format says."""
        return datetime.fromisoformat(value).strftime(moment_format(self.options))

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A wall clock time, whatever the zone."""
        wall = wall_time(cell, moment_format(self.options))
        return str(cell) if wall is None else _text(wall)
