"""The contract of a field type.

A field type knows five forms of a value: what a client sends (JSON), what the driver takes, what the driver
gives back, what the client gets, and what stands in a cell of a spreadsheet. It is constructed from the
field's stored options and never changes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, ClassVar, Final, Literal

import msgspec

from atoll.application.fields.cells import Cell, shown
from atoll.errors import InvalidValue

DatabaseKind = Literal["sqlite", "postgres"]
Decoder = Callable[[Any], Any]
Category = Literal["text", "number", "boolean", "instant", "wall", "day", "time", "json", "array", "uuid"]

_TEMPLATE = re.compile(r"""\{\{\s*t\(\s*["'](.+?)["'].*\)\s*\}\}""")

MISSING: Final = object()
"""Stands for "the key is not there", which is not the same as null."""


class Field(ABC):
    """One column of a collection.

    Args:
        name: the field's name in the API, also the column's name.
        options: all stored options of the field (`type`, `allowNull`, `unique`, `defaultValue`, ...).
    """

    types: ClassVar[tuple[str, ...]] = ()
    category: ClassVar[Category]
    """Which filter operators make sense and how operands are read."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.options = options
        self.primary_key = options.get("primaryKey") is True
        self.auto_increment = options.get("autoIncrement") is True
        self.allow_null = options.get("allowNull") is not False and not self.primary_key
        self.unique = options.get("unique") is True and not self.primary_key
        self.indexed = options.get("index") is True and not self.primary_key
        self.hidden = options.get("hidden") is True
        self.read_only = False
        """Whether what clients send for it is left out."""

    @property
    def type(self) -> str:
        """The type's name as stored."""
        return str(self.options["type"])

    @property
    def title(self) -> str:
        """What people call the field: the UI title, else the name."""
        schema = self.options.get("uiSchema")
        title = schema.get("title") if isinstance(schema, Mapping) else None
        if not isinstance(title, str) or not title:
            return self.name
        template = _TEMPLATE.fullmatch(title)
        return template[1] if template else title

    @abstractmethod
    def column_type(self, kind: DatabaseKind) -> str:
        """The column's type in DDL."""

    @abstractmethod
    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """Turns a client's non-null value into what the driver takes; raises InvalidValue."""

    def operand(self, value: Any, kind: DatabaseKind) -> Any:
        """Turns a filter's non-null operand into what the driver takes; raises InvalidValue."""
        return self.parse(value, kind)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """Turns a non-null driver value into its JSON form; None when it already is."""
        return None

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """Turns a non-null JSON value into what a spreadsheet shows; points in time in `zone`."""
        if isinstance(value, (str, int, float)):
            return str(value) if isinstance(value, bool) else value
        return msgspec.json.encode(value).decode()

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """Turns a cell that is not empty into a value as a client sends it; raises InvalidValue.

        Wall clock times are in `zone`. None means that the cell says "no value".
        """
        return cell if isinstance(cell, (bool, int, float)) else shown(cell)

    def initial(self, kind: DatabaseKind) -> Any:
        """The driver value of a new record that has no key for this field."""
        default = self.options.get("defaultValue")
        return None if default is None else self.parse(default, kind)

    def check_options(self) -> None:
        """Raises BadRequest when the options make no sense; called before a field is created or changed."""
        self.initial("sqlite")

    def refuse(self, value: Any, expected: str) -> InvalidValue:
        """The error for a value that does not fit."""
        shown = repr(value)
        if len(shown) > 60:
            shown = shown[:57] + "..."
        return InvalidValue(f"{self.title}: {shown} is not {expected}")
