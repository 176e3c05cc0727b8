"""Generated keys: UUIDs, short ids and unique names."""

from __future__ import annotations

import re
import secrets
import string
from typing import Any, ClassVar
from uuid import UUID, uuid4

from atoll.application.fields.base import DatabaseKind, Decoder, Field
from atoll.application.fields.string import StringField
from atoll.errors import BadRequest

_LOWER = string.ascii_lowercase + string.digits
_NANO = string.ascii_letters + string.digits + "_-"
_UID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


def random_name(prefix: str = "", size: int = 11, alphabet: str = _LOWER) -> str:
    """`prefix` and `size` random characters."""
    return prefix + "".join(secrets.choice(alphabet) for _ in range(size))


class UuidField(Field):
    """`uuid`: filled with a random one unless `autoFill` is false."""

    types: ClassVar[tuple[str, ...]] = ("uuid",)
    category = "uuid"

    def column_type(self, kind: DatabaseKind) -> str:
        """UUID; text in SQLite."""
        return "UUID" if kind == "postgres" else "CHAR(36)"

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A UUID in any of its usual forms."""
        try:
            number = UUID(value) if isinstance(value, str) else None
        except ValueError:
            number = None
        if number is None:
            raise self.refuse(value, "a UUID")
        return number if kind == "postgres" else str(number)

    def initial(self, kind: DatabaseKind) -> Any:
        """A random UUID."""
        if self.options.get("autoFill") is False:
            return super().initial(kind)
        number = uuid4()
        return number if kind == "postgres" else str(number)

    def decoder(self, kind: DatabaseKind) -> Decoder | None:
        """The usual text; the PostgreSQL driver gives an object."""
        return str if kind == "postgres" else None


class UidField(StringField):
    """`uid`: letters, digits, `_` and `-`; filled with `prefix` and eleven random characters."""

    types: ClassVar[tuple[str, ...]] = ("uid",)

    def parse(self, value: Any, kind: DatabaseKind) -> Any:
        """A name of the allowed form."""
        text = super().parse(value, kind)
        if not isinstance(text, str) or not _UID.fullmatch(text):
            raise self.refuse(value, "a name of letters, digits, _ and -")
        return text

    def initial(self, kind: DatabaseKind) -> Any:
        """A random name."""
        return random_name(str(self.options.get("prefix") or ""))


class NanoidField(StringField):
    """`nanoid`: filled with `size` (12) random characters of `customAlphabet`."""

    types: ClassVar[tuple[str, ...]] = ("nanoid",)

    def check_options(self) -> None:
        """`size` fits the column, and the alphabet has characters to choose from."""
        size, alphabet = self.options.get("size"), self.options.get("customAlphabet")
        if size is not None and not (type(size) is int and 1 <= size <= self.length):
            raise BadRequest(f"{self.name}: size must be a whole number from 1 to {self.length}")
        if alphabet and not (isinstance(alphabet, str) and len(set(alphabet)) > 1):
            raise BadRequest(f"{self.name}: customAlphabet must be a text with several characters")
        super().check_options()

    def initial(self, kind: DatabaseKind) -> Any:
        """A random id, unless `autoFill` is false."""
        if self.options.get("autoFill") is False:
            return super().initial(kind)
        return random_name(
            size=int(self.options.get("size") or 12),
            alphabet=str(self.options.get("customAlphabet") or _NANO),
        )
