"""The collections of one app in memory, and the way to change them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from atoll.application.collections.ddl import Ddl
from atoll.application.collections.metadata import Metadata, Row
from atoll.application.collections.model import Collection
from atoll.application.collections.names import check_collection_name
from atoll.application.collections.schema_change import (
    FLAGS,
    SchemaChange,
    Surroundings,
    new_row,
    prepared,
    refuse_twins,
)
from atoll.application.collections.system import system_collections
from atoll.application.fields.uuid import random_name
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Database
from atoll.errors import BadRequest, Conflict, NotSupported, UniqueViolation

REVISION = "collections"
# Kinds of collections that are refused: a plain table in their place would be no such thing.
_LATER = {"sql": "are a query", "view": "read a view", "inherits": "inherit others"}


class CollectionStore:
    """The collections of one app. Reading is from memory; changes are one transaction of metadata and DDL.

    Args:
        reserved: names that resources other than collections have.
        agreement: all instances know a change when the call that made it returns.
    """

    def __init__(
        self, database: Database, reserved: Callable[[], frozenset[str]], agreement: Agreement
    ) -> None:
        self._kind = database.kind
        self._prefix = database.table_prefix
        self._ddl = Ddl(database.kind, database.schema)
        self.system: Mapping[str, Collection] = system_collections(database.kind, self._prefix)
        self._metadata = Metadata(database, self.system)
        self._reserved = reserved
        self._agreement = agreement
        self._own: dict[str, Collection] = {}
        self._reading = asyncio.Lock()

    def get(self, name: str) -> Collection | None:
        """The collection of that name."""
        return self._own.get(name) or self.system.get(name)

    def own(self) -> Mapping[str, Collection]:
        """The collections people made, and those of plugins that are used like them (`ruled`)."""
        return self._own

    def define(self, collection: Collection) -> None:
        """Adds a collection of a plugin, whose table is there; it hides one of its name that people made."""
        self.system = MappingProxyType({**self.system, collection.name: collection})
        self._own.pop(collection.name, None)
        if collection.ruled:
            self._own[collection.name] = collection

    # -- reading ---------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Reads all metadata into memory."""
        async with self._reading:
            rows, fields = await self._metadata.read()
            self._own = {
                row["name"]: self._build(row, fields.get(row["name"], []))
                for row in rows
                if row["name"] not in self.system
            }
            self._own |= {name: each for name, each in self.system.items() if each.ruled}

    async def reload(self, name: str) -> None:
        """Reads one collection again; it leaves memory when it is gone."""
        async with self._reading:
            rows, fields = await self._metadata.read(name)
            if name in self.system:
                return
            if rows:
                self._own[name] = self._build(rows[0], fields.get(name, []))
            else:
                self._own.pop(name, None)

    def _build(self, row: Row, fields: list[Row]) -> Collection:
        return Collection(row["name"], row, fields, kind=self._kind, prefix=self._prefix)

    # -- collections -----------------------------------------------------------------------------------

    async def create(self, values: Mapping[str, Any]) -> Row:
        """Creates table and metadata; answers the stored row with its `fields`."""
        given = dict(values)
        fields = given.pop("fields", None) or []
        name = check_collection_name(
            given.get("name") or random_name("t_"), self._prefix, self._reserved() | frozenset(self.system)
        )
        given["name"] = name
        for option, what in _LATER.items():
            if given.get(option) or given.get("template") == option:
                raise NotSupported(f"This version has no collections that {what} (`{option}`) yet")
        if not isinstance(fields, list):
            raise BadRequest("`fields` must be a list of field descriptions")
        declared = [prepared(field) for field in fields]
        refuse_twins([field["name"] for field in declared])
        if self.get(name) is not None:
            raise Conflict(f"Collection named {name} already exists")
        try:
            async with self._change() as change:
                await self._refuse_twin(change, name)
                return await change.create(new_row(given, declared), declared)
        except UniqueViolation:
            raise Conflict(f"Collection named {name} already exists") from None

    async def update(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Merges options; the name stays. None when there is no such collection."""
        changes = {
            key: value for key, value in values.items() if key not in ("key", "name", "fields", "autoGenId")
        }
        for flag in FLAGS:
            collection = self.get(name)
            if flag in changes and collection is not None and bool(changes[flag]) != collection.flag(flag):
                raise BadRequest(
                    f"Collection {name!r}: add or remove the field {flag!r} instead of the option"
                )
        async with self._change() as change:
            return await change.change(name, changes)

    async def destroy(self, names: Sequence[str]) -> int:
        """Drops tables and metadata; answers how many there were."""
        count = 0
        for name in names:
            if name in self.system:
                raise BadRequest(f"Collection {name!r} belongs to the system and cannot be destroyed")
            collection = self._own.get(name)
            if collection is None:
                continue
            async with self._change() as change:
                await change.drop(collection)
            count += 1
        return count

    # -- fields ----------------------------------------------------------------------------------------

    async def create_field(self, collection_name: str, values: Mapping[str, Any]) -> Row:
        """Adds a field and its metadata; a relation brings its keys along."""
        field = prepared(values)
        async with self._change() as change:
            return await change.add_field(collection_name, field)

    async def update_field(self, collection_name: str, name: str, values: Mapping[str, Any]) -> Row | None:
        """Merges a field's options; its type and name stay. None when there is no such field."""
        changes = {
            key: value for key, value in values.items() if key not in ("key", "name", "collectionName")
        }
        async with self._change() as change:
            return await change.change_field(collection_name, name, changes)

    async def destroy_field(self, collection_name: str, name: str) -> bool:
        """Drops the column and its metadata; False when there was no such field."""
        async with self._change() as change:
            return await change.remove_field(collection_name, name)

    # -- parts -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[SchemaChange]:
        """One change. Schema changes of all instances are one by one."""
        async with self._agreement.change(REVISION) as agreed:
            around = Surroundings(self._metadata, self._ddl, self._own, self.system, self._build)
            change = SchemaChange(agreed.connection, around)
            yield change
            agreed.tell(names=change.names)

    async def _refuse_twin(self, change: SchemaChange, name: str) -> None:
        """Names that differ in case only would be one table on some databases."""
        for other in (*await self._metadata.names(change.connection), *self.system):
            if other != name and other.lower() == name.lower():
                raise BadRequest(
                    f"Collection name {name!r} differs from {other!r} in case only: choose another one"
                )
