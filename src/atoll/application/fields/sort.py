"""Places in an order that people make by hand."""

from __future__ import annotations

from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.integer import BigIntField
from atoll.errors import BadRequest


class SortField(BigIntField):
    """`sort`: the place of a record among those that have the same value in the field `scopeKey` (or all).

    A new record gets the largest number plus one, while no other is numbered (`records/ordering.py`). Numbers
    of destroyed records are not given to others, so there may be gaps: only the order means something.
    """

    types: ClassVar[tuple[str, ...]] = ("sort",)

    @property
    def scope_key(self) -> str | None:
        """The field whose values have an order each."""
        key = self.options.get("scopeKey")
        return key if isinstance(key, str) and key else None

    def initial(self, kind: DatabaseKind) -> Any:
        """None: the INSERT itself finds the number."""
        return None

    def check_options(self) -> None:
        """`scopeKey` is the name of a field."""
        key = self.options.get("scopeKey")
        if key is not None and not isinstance(key, str):
            raise BadRequest(f"{self.name}: scopeKey must be the name of a field")
