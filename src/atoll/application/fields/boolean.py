"""True or false."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.cells import Cell

_WORDS = {
    "true": True, "t": True, "yes": True, "y": True, "on": True, "1": True,
    "false": False, "f": False, "no": False, "n": False, "off": False, "0": False,
}  # fmt: skip


class BooleanField(Field):
    """`boolean`: also takes 0, 1 and the usual words."""

    types: ClassVar[tuple[str, ...]] = ("boolean",)
    category = "boolean"

    def column_type(self, kind: DatabaseKind) -> str:
        """BOOLEAN; SQLite keeps 0 and 1."""
        return "BOOLEAN"

    def parse(self, value: Any, kind: DatabaseKind) -> bool | int:
        """True or false."""
        if isinstance(value, str):
            value = _WORDS.get(value.strip().lower(), value)
        elif type(value) is int and value in (0, 1):
            value = value == 1
        if not isinstance(value, bool):
            raise self.refuse(value, "true or false")
        return int(value) if kind == "sqlite" else value

    def operand(self, value: Any, kind: DatabaseKind) -> bool | int:
        """Filters do not take numbers."""
        if type(value) is int:
            raise self.refuse(value, "true or false")
        return self.parse(value, kind)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """SQLite gives 0 and 1."""
        return bool if kind == "sqlite" else None

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """The usual words, Chinese ones too; of numbers only 0 is false."""
        if isinstance(cell, (int, float)):
            return bool(cell)
        text = str(cell).strip().lower()
        return {"是": True, "否": False}.get(text, text)


class RadioField(BooleanField):
    """`radio`: true in one record of the collection at most; setting it there clears it elsewhere."""

    types: ClassVar[tuple[str, ...]] = ("radio",)
