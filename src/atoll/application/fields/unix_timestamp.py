"""Instants that are stored as a number."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, in_zone, moment_format, properties, wall_time
from atoll.application.fields.integer import as_whole
from atoll.application.fields.moments import iso_text, parse_moment
from atoll.errors import InvalidValue

_LATEST = 253_402_300_799


class UnixTimestampField(Field):
    """`unixTimestamp`: seconds (or milliseconds, option `accuracy`) since 1970; goes out as ISO text."""

    types: ClassVar[tuple[str, ...]] = ("unixTimestamp",)
    category = "number"

    @property
    def per_second(self) -> int:
        """How many of the stored units are a second: 1 or 1000."""
        accuracy = self.options.get("accuracy") or properties(self.options).get("accuracy")
        return 1000 if accuracy == "millisecond" else 1

    def column_type(self, kind: DatabaseKind) -> str:
        """BIGINT everywhere."""
        return "BIGINT"

    def parse(self, value: Any, kind: DatabaseKind) -> int:
        """A number as it is, or the instant of a text."""
        if isinstance(value, str) and not value.lstrip("-").isdigit():
            try:
                return int(parse_moment(value)[0].timestamp() * self.per_second)
            except ValueError:
                raise self.refuse(value, "a point in time") from None
        number = as_whole(self, value, 2**63 - 1)
        if abs(number) > _LATEST * self.per_second:
            raise InvalidValue(f"{self.title}: {number} is beyond the year 9999; is the unit right?")
        return number

    def decoder(self, kind: DatabaseKind) -> Decoder:
        """ISO text with milliseconds."""
        per_second = self.per_second
        return lambda value: iso_text(datetime.fromtimestamp(value / per_second, UTC))

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """As the field's format says, in the zone."""
        return parse_moment(value)[0].astimezone(zone).strftime(moment_format(self.options))

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A wall clock time in the zone; whole numbers above the days of spreadsheets as they are."""
        wall = wall_time(cell, moment_format(self.options))
        if wall is not None:
            return in_zone(wall, zone)
        return cell if isinstance(cell, (int, float)) else str(cell)
