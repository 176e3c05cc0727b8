"""Points in time."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, in_zone, moment_format, wall_time
from atoll.application.fields.moments import iso_text, now_ms, parse_moment


def stored(moment: datetime, kind: DatabaseKind) -> datetime | str:
    """The driver's form: SQLite keeps the API's text, which sorts and compares as time does."""
    return iso_text(moment) if kind == "sqlite" else moment


class DateTimeField(Field):
    """`date`, `datetime`, `datetimeTz`: an instant with milliseconds, always delivered in UTC.

    `createdAt` and `updatedAt` are fields of this type which the server fills.
    """

    types: ClassVar[tuple[str, ...]] = ("date", "datetime", "datetimeTz")
    category = "instant"

    def column_type(self, kind: DatabaseKind) -> str:
        """TIMESTAMPTZ(3); text in SQLite."""
        return "TIMESTAMP(3) WITH TIME ZONE" if kind == "postgres" else "TEXT"

    def moment(self, value: Any) -> datetime:
        """The instant of a client's value: ISO text (local text counts as UTC) or milliseconds since 1970."""
        try:
            if isinstance(value, str):
                return parse_moment(value)[0]
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return datetime.fromtimestamp(value / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            raise self.refuse(value, "a date") from None
        raise self.refuse(value, "a date")

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """An instant."""
        return stored(self.moment(value), kind)

    def initial(self, kind: DatabaseKind) -> Any:
        """Now, when the field asks for it."""
        if self.options.get("defaultToCurrentTime") is True:
            return stored(now_ms(), kind)
        return super().initial(kind)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """ISO text with milliseconds."""
        return iso_text if kind == "postgres" else None

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """As the field's format says, in the zone."""
        return self.moment(value).astimezone(zone).strftime(moment_format(self.options))

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A wall clock time in the zone; a text with an offset means that offset."""
        wall = wall_time(cell, moment_format(self.options))
        return str(cell) if wall is None else in_zone(wall, zone)
