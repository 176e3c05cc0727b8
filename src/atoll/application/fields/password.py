"""Hashed secrets."""

from __future__ import annotations

from typing import Any, ClassVar

from atoll.application.fields.base import DatabaseKind
from atoll.application.fields.string import StringField


class PasswordField(StringField):
    """`password`: holds a hash that is made before the record is saved; never read from a client as it is."""

    types: ClassVar[tuple[str, ...]] = ("password",)

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """The hash as it is."""
        if not isinstance(value, str):
            raise self.refuse("***", "a text")
        return value
