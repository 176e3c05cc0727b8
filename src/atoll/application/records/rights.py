"""What somebody may do with records, as the record engine needs it: rules become part of the query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from atoll.application.collections.model import Collection
from atoll.application.context import Right
from atoll.errors import Forbidden

FULL: Final = Right()
# Whoever may see some fields of a record may know which record it is, and whose and how old.
_ALWAYS: Final = frozenset({"createdAt", "updatedAt", "createdById"})
# Who made or changed a record is told, as far as the rights on users go.
_PEOPLE: Final = frozenset({"createdBy", "updatedBy"})
_MAKERS: Final = frozenset({"createdById", "updatedById"}) | _PEOPLE


class Rights(ABC):
    """The rights of one caller. The same object as long as they do not change: plans are kept by it."""

    unlimited: bool = False
    """Whether `on` always gives everything."""

    @abstractmethod
    def on(self, collection: Collection, action: str) -> Right | None:
        """The right to `view`, `create`, `update`, `destroy`, `export` or `importXlsx`; None: not allowed."""

    def need(self, collection: Collection, action: str) -> Right:
        """The same; raises Forbidden instead of None."""
        found = self.on(collection, action)
        if found is None:
            raise refused()
        return found


class _Everything(Rights):
    unlimited = True

    def on(self, collection: Collection, action: str) -> Right | None:
        """Always."""
        return FULL


EVERYTHING: Final[Rights] = _Everything()
"""For what the server does by itself, and for people whose action was allowed as a whole."""


def refused() -> Forbidden:
    """The one refusal; it does not tell what exists."""
    return Forbidden("No permissions")


def shown(collection: Collection, right: Right | None) -> frozenset[str] | None:
    """The names a caller may read, filter and sort by; None: all. Without the right it is the key alone."""
    if right is not None and right.fields is None:
        return None
    keys = {field.name for field in collection.fields.values() if field.primary_key}
    if right is None or right.fields is None:
        return frozenset(keys)
    return right.fields | keys | _ALWAYS | _PEOPLE


def writable(rights: Rights, right: Right, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that may be written; others are left out, as clients expect.

    Who made a record is not for people to say: scopes rest on it.
    """
    if rights.unlimited:
        return values
    return {
        name: value
        for name, value in values.items()
        if name not in _MAKERS and (right.fields is None or name in right.fields)
    }


def echo(collection: Collection, rights: Rights, right: Right, record: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record is answered to somebody who has written it: what may be seen, or was written."""
    readable = shown(collection, rights.on(collection, "view"))
    if readable is None:
        return dict(record)
    seen = readable | (right.fields or frozenset())
    return {name: value for name, value in record.items() if name in seen}
