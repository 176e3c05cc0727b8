"""The table of what is stored where, and which record it belongs to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import ColumnElement, cast, delete, exists, insert, select, update

from atoll.application.collections.model import Collection
from atoll.database.drivers.base import Connection

if TYPE_CHECKING:
    from atoll.application.app import Application


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object in a storage. `record_key` is None until its record is there; `stored_at` in ms."""

    id: str
    storage_id: int
    key: str
    filename: str
    mimetype: str
    size: int
    collection: str
    record_key: str | None
    stored_at: int

    @property
    def modified(self) -> float:
        """Seconds since 1970."""
        return self.stored_at / 1000


class Objects:
    """Reads and writes the table.

    A row is there before its object and gone after it, so no object is ever unknown. A row whose record does
    not exist, after the time an upload may take, is an object to be removed.
    """

    def __init__(self, app: Application, collection: Collection) -> None:
        self._app = app
        self._database = app.database
        self._table = collection.table

    async def announce(
        self, storage_id: int, key: str, filename: str, mimetype: str, size: int, collection: str
    ) -> StoredObject:
        """Says that an object is about to be stored."""
        now = int(time.time() * 1000)
        made = StoredObject(str(uuid4()), storage_id, key, filename, mimetype, size, collection, None, now)
        await self._database.run(insert(self._table).values(_row(made)))
        return made

    async def belongs(self, made: StoredObject, record_key: Any, connection: Connection) -> None:
        """Says whose file it is, in the transaction that makes the record."""
        table = self._table
        await self._database.run(
            update(table).where(table.c.id == made.id).values(recordKey=str(record_key)),
            connection=connection,
        )

    async def of_record(self, collection: str, record_key: Any) -> StoredObject | None:
        """The object of a record."""
        table = self._table
        found = await self._read(
            select(table).where(table.c.collection == collection, table.c.recordKey == str(record_key))
        )
        return found[0] if found else None

    async def forget(self, gone: StoredObject) -> None:
        """The object is not there any more."""
        await self._database.run(delete(self._table).where(self._table.c.id == gone.id))

    async def in_storage(self, storage_id: int) -> bool:
        """Whether a storage has any."""
        table = self._table
        return bool(await self._read(select(table).where(table.c.storageId == storage_id).limit(1)))

    async def orphans(
        self, collection: str, record_keys: Sequence[Any] | None, begun_before: float, limit: int
    ) -> list[StoredObject]:
        """Objects of a collection whose record does not exist; all of them go with their collection.

        Args:
            record_keys: those of these records only; None: of all, and what was begun before `begun_before`
                (seconds since 1970) and never got a record.
        """
        table = self._table
        alone = self._alone(collection)
        if record_keys is not None:
            alone &= table.c.recordKey.in_([str(key) for key in record_keys])
        else:
            alone |= table.c.recordKey.is_(None) & (table.c.storedAt < int(begun_before * 1000))
        return await self._read(select(table).where(table.c.collection == collection, alone).limit(limit))

    def _alone(self, name: str) -> ColumnElement[bool]:
        there = self._table.c.recordKey
        collection = self._app.collections.own().get(name)
        if collection is None or collection.key is None:
            return there.is_not(None)
        column = collection.table.c[collection.key.name]
        # SQLite compares a number with the text of one; PostgreSQL wants to be told.
        key = cast(there, column.type) if collection.kind == "postgres" else there
        return there.is_not(None) & ~exists(select(column).where(column == key))

    async def collections(self) -> list[str]:
        """The names of collections that have objects."""
        column = self._table.c.collection
        return [row[0] for row in (await self._database.run(select(column).distinct())).rows]

    async def _read(self, statement: Any) -> list[StoredObject]:
        return [_read(row) for row in (await self._database.run(statement)).dicts()]


def _row(each: StoredObject) -> Mapping[str, Any]:
    return {
        "id": each.id,
        "storageId": each.storage_id,
        "key": each.key,
        "filename": each.filename,
        "mimetype": each.mimetype,
        "size": each.size,
        "collection": each.collection,
        "recordKey": each.record_key,
        "storedAt": each.stored_at,
    }


def _read(row: Mapping[str, Any]) -> StoredObject:
    return StoredObject(
        row["id"],
        row["storageId"],
        row["key"],
        row["filename"],
        row["mimetype"],
        row["size"],
        row["collection"],
        row["recordKey"],
        row["storedAt"],
    )
