"""JSON documents and lists."""

from __future__ import annotations

from typing import Any

import msgspec

from atoll.application.fields.base import DatabaseKind, Decoder, Field


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


class JsonField(Field):
    """`json`: any JSON value, kept as it was written; `jsonb` lets PostgreSQL normalise it."""

    types = ("json", "jsonb")
    category = "json"

    def column_type(self, kind: DatabaseKind) -> str:
        """JSON or JSONB; text in SQLite."""
        if kind == "sqlite":
            return "TEXT"
        return "JSONB" if self.type == "jsonb" or self.options.get("jsonb") is True else "JSON"

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """The JSON text."""
        return msgspec.json.encode(value).decode().replace("\\u0000", "\\\\0")

    def decoder(self, kind: DatabaseKind) -> Decoder:
        """The stored text goes out as it is, it is not parsed again."""
        return _raw


class ArrayField(JsonField):
    """`array` and `set`: a list, sorted as text when saved; a set drops duplicates."""

    types = ("array", "set")
    category = "array"

    def column_type(self, kind: DatabaseKind) -> str:
        """JSONB; text in SQLite."""
        return "TEXT" if kind == "sqlite" else "JSONB"

    def items(self, value: Any) -> list[Any]:
        """The list in its stored order."""
        if isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except msgspec.DecodeError:
                raise self.refuse(value, "a list") from None
        if not isinstance(value, list):
            raise self.refuse(value, "a list")
        items = sorted(value, key=_sort_key)
        if self.type == "set":
            items = [item for index, item in enumerate(items) if item not in items[:index]]
        return items

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """The JSON text of the sorted list."""
        return super().parse(self.items(value), kind)


def _sort_key(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, list):
        return ",".join(_sort_key(item) for item in value)
    return msgspec.json.encode(value).decode()
