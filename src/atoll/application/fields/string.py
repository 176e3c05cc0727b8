"""Short text."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.cells import Cell, choice_of, choices, label_of, shown
from atoll.errors import BadRequest, InvalidValue


def as_text(field: Field, value: Any) -> str:
    """Text as it is; numbers and booleans by their JSON form. Anything else is refused."""
    if isinstance(value, str):
        return value.replace("\0", "\\0") if "\0" in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    raise field.refuse(value, "a text")


class StringField(Field):
    """`string`: up to `length` characters (255). Selects and other one-line inputs are strings too."""

    types: ClassVar[tuple[str, ...]] = ("string",)
    category = "text"

    @property
    def length(self) -> int:
        """The limit in characters; raises BadRequest when it is none that the databases accept."""
        length = self.options.get("length")
        if length is not None and not (type(length) is int and 1 <= length <= 10_485_760):
            raise BadRequest(f"{self.name}: length must be a whole number from 1 to 10485760")
        return length or 255

    def column_type(self, kind: DatabaseKind) -> str:
        """VARCHAR with its limit, which SQLite does not enforce, so `parse` does."""
        return f"VARCHAR({self.length})"

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """Text up to the limit; "" becomes null in a unique column, so that several rows may be empty."""
        text = as_text(self, value)
        if self.options.get("trim") is True:
            text = text.strip()
        if len(text) > self.length:
            raise InvalidValue(
                f"{self.title}: the text has {len(text)} characters, at most {self.length} are allowed"
            )
        return None if self.unique and not text else text

    def operand(self, value: Any, kind: DatabaseKind) -> Any:
        """Filters may compare with text of any length."""
        return as_text(self, value)

    def to_cell(self, value: Any, zone: tzinfo) -> Cell:
        """The label of a choice."""
        return label_of(self.options, value) if isinstance(value, str) else super().to_cell(value, zone)

    def from_cell(self, cell: Cell, zone: tzinfo) -> Any:
        """Text; of a select a label or a value."""
        text = shown(cell)
        if not choices(self.options):
            return text
        found = choice_of(self.options, text)
        if found is None:
            raise self.refuse(text, "one of the choices")
        return found
