"""Long text."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind, Field
from atoll.application.fields.cells import Cell, shown
from atoll.application.fields.string import as_text


class TextField(Field):
    """`text`: without a limit."""

    types: ClassVar[tuple[str, ...]] = (
        "text",
        "markdown",
        "vditor",
        "richText",
        "code",
        "url",
        "attachmentURL",
    )
    category = "text"

    def column_type(self, kind: DatabaseKind) -> str:
        """TEXT everywhere."""
        return "TEXT"

    def parse(self, value: Any, kind: DatabaseKind) -> str:
        """Text as it is."""
        text = as_text(self, value)
        return text.strip() if self.options.get("trim") is True else text

    def operand(self, value: Any, kind: DatabaseKind) -> str:
        """Untrimmed."""
        return as_text(self, value)

    def from_cell(self, cell: Cell, zone: tzinfo) -> str:
        """Text, numbers too."""
        return shown(cell)
