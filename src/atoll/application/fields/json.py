"""JSON documents and lists."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

import msgspec

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell, choice_of, choices, label_of, parts, shown


def _text(value: Any) -> str:
    """JSON text without NUL characters, which PostgreSQL refuses."""
    text = msgspec.json.encode(value).decode()
    return msgspec.json.encode(_without_nul(value)).decode() if "\\u0000" in text else text


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\\0")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return value


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


class JsonField(Field):
    """`json`: any JSON value, kept as it was written; `jsonb` lets PostgreSQL normalise it."""

    types: ClassVar[tuple[str, ...]] = ("json", "jsonb")
    category = "json"

    def column_type(self, kind: DatabaseKind) -> str:
        """JSON or JSONB; text in SQLite."""
        if kind == "sqlite":
            return "TEXT"
        return "JSONB" if self.type == "jsonb" or self.options.get("jsonb") is True else "JSON"

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """The JSON text."""
        return _text(value)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """SQLite's text goes out as it is, unparsed; the PostgreSQL driver gives Python values."""
        return _raw if kind == "sqlite" else None

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """JSON text."""
        return msgspec.json.encode(value).decode()

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """The value of a JSON text."""
        if not isinstance(cell, str):
            return cell if isinstance(cell, (bool, int, float)) else shown(cell)
        try:
            return msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            raise self.refuse(cell, "JSON") from None


class ArrayField(Field):
    """`array` and `set`: a list, sorted as text when saved; a set drops duplicates, keys become text."""

    types: ClassVar[tuple[str, ...]] = ("array", "set")
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
        if self.options.get("isForeignKey") is True:
            value = [item if isinstance(item, str) else _sort_key(item) for item in value]
        items = sorted(value, key=_sort_key)
        if self.type == "set":
            items = [item for index, item in enumerate(items) if item not in items[:index]]
        return items

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """The JSON text of the sorted list."""
        return _text(self.items(value))

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """As for JSON."""
        return _raw if kind == "sqlite" else None

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """The labels of choices or the items, with commas; JSON text when an item would not survive that."""
        items = msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            labels = [label_of(self.options, item) for item in items]
            if all(parts(label) == [label] for label in labels):
                return ", ".join(labels)
        return msgspec.json.encode(items).decode()

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """A list with commas, of choices or of texts, or JSON text."""
        text = shown(cell).strip()
        if text.startswith("["):
            return self.items(text)
        if not choices(self.options):
            return parts(text)
        found = []
        for part in parts(text):
            value = choice_of(self.options, part)
            if value is None:
                raise self.refuse(part, "one of the choices")
            found.append(value)
        return found


def _sort_key(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "[object Object]"
    if isinstance(value, list):
        return ",".join(_sort_key(item) for item in value)
    return msgspec.json.encode(value).decode()
