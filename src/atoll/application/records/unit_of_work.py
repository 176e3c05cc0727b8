"""One change with everything that hangs on it: done in one transaction, told to others after the commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.records.filter import Caller
from atoll.application.records.parameters import names
from atoll.database.drivers.base import Connection

Record = dict[str, Any]
Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What happened to records of a collection.

    Attributes:
        kind: "created", "updated" or "destroyed".
        records: as they are now.
        keys: which ones, when `records` do not tell.
    """

    collection: Collection
    kind: str
    records: Sequence[Record]
    keys: Sequence[Any] | None = None


@dataclass
class UnitOfWork:
    """What a change runs on and what it has changed so far.

    Attributes:
        nested: relation paths (`author.address`) whose linked records may be changed by nested values.
        changes: what was done, in its order.
    """

    connection: Connection
    caller: Caller
    nested: frozenset[str] = frozenset()
    changes: list[RecordChange] = field(default_factory=list)

    def changed(
        self,
        collection: Collection,
        kind: str,
        records: Sequence[Record],
        *,
        keys: Sequence[Any] | None = None,
    ) -> None:
        """Remembers what others have to be told."""
        self.changes.append(RecordChange(collection, kind, records, keys))


def unit(connection: Connection, caller: Caller, params: Params) -> UnitOfWork:
    """A new unit for the parameters of a request."""
    return UnitOfWork(connection, caller, frozenset(names(params.get("updateAssociationValues"))))
