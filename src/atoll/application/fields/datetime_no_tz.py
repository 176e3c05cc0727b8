"""Wall clock times without a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
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
