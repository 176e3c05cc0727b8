"""Times of day."""

from __future__ import annotations

from datetime import time
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field


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
