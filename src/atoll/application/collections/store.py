"""The collections of one app in memory, and the way to change them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, insert, select

from atoll.application.collections.ddl import Ddl
from atoll.application.collections.introspection import Introspection
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
from atoll.application.collections.sql_source import read_select, read_trial
from atoll.application.collections.system import system_collections
from atoll.application.fields.uuid import random_name
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Connection, Database
from atoll.errors import (
    BadRequest,
    Conflict,
    DatabaseError,
    DatabaseUnavailable,
    NotSupported,
    UniqueViolation,
    UnknownColumn,
)

REVISION = "collections"
# Kinds of collections that are refused: a plain table in their place would be no such thing.
_LATER = {"inherits": "inherit others"}


class CollectionStore:
    """The collections of one app. Reading is from memory; changes are one transaction of metadata and DDL.

    Args:
        reserved: names that resources other than collections have.
        agreement: all instances know a change when the call that made it returns.
    """

    def __init__(
        self, database: Database, reserved: Callable[[], frozenset[str]], agreement: Agreement
    ) -> None:
        self._database = database
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
        source = partial(self.statement, row["sql"]) if row.get("sql") else None
        return Collection(row["name"], row, fields, kind=self._kind, prefix=self._prefix, source=source)

    def statement(self, sql: Any) -> str:
        """A statement of a SQL collection as it may run; raises BadRequest when it may not."""
        tables = [each.table_name for each in self._own.values() if not each.is_query]
        return read_select(sql, self._kind, tables, schema=self._database.schema)

    def trial(self, sql: Any) -> tuple[str, list[str]]:
        """A statement that somebody tries, and the names of its columns; raises BadRequest."""
        own = [each for each in self._own.values() if not each.is_query]
        tables = {each.table_name: list(each.fields) for each in own}
        return read_trial(sql, self._kind, tables, schema=self._database.schema)

    async def _probe(self, connection: Connection, collection: Collection) -> None:
        """Raises BadRequest when a statement or view does not have the collection's columns."""
        if not collection.read_only:
            return
        try:
            await self._database.run(select(*collection.table.c).limit(0), connection=connection)
        except UnknownColumn as error:
            raise BadRequest(
                f"{collection.title!r}: a table or column that it names does not exist", detail=error.detail
            ) from None
        except DatabaseUnavailable:
            raise
        except DatabaseError as error:
            raise BadRequest(
                f"{collection.title!r}: the database does not accept the statement", detail=error.detail
            ) from None

    async def _complete(self, given: dict[str, Any], fields: list[Any], connection: Connection) -> list[Any]:
        """The fields of a collection that is only read: without any declared, all that there are."""
        if given.get("view") is True or given.get("template") == "view":
            given["view"] = True
            name = given["viewName"] = given.get("viewName") or given["name"]
            introspection = Introspection(self._database)
            if name not in {view.name for view in await introspection.views(connection)}:
                raise BadRequest(f"There is no view {name!r} in the database: name one as `viewName`")
            return fields or await introspection.columns(name, connection)
        if given.get("template") == "sql" and not given.get("sql"):
            raise BadRequest("`sql` is required: a SELECT statement")
        if given.get("sql"):
            given["template"] = "sql"
            if not fields:
                raise BadRequest("`fields` is required: the columns of the statement")
        return fields

    # -- collections -----------------------------------------------------------------------------------

    async def create(self, values: Mapping[str, Any]) -> Row:
        """Creates table and metadata; answers the stored row with its `fields`."""
        given = dict(values)
        fields = given.pop("fields", None) or []
        categories = given.pop("category", None)
        name = check_collection_name(
            given.get("name") or random_name("t_"), self._prefix, self._reserved() | frozenset(self.system)
        )
        given["name"] = name
        for option, what in _LATER.items():
            if given.get(option) or given.get("template") == option:
                raise NotSupported(f"This version has no collections that {what} (`{option}`) yet")
        if not isinstance(fields, list):
            raise BadRequest("`fields` must be a list of field descriptions")
        if self.get(name) is not None:
            raise Conflict(f"Collection named {name} already exists")
        try:
            async with self._change() as change:
                await self._refuse_twin(change, name)
                fields = await self._complete(given, fields, change.connection)
                declared = [prepared(field) for field in fields]
                refuse_twins([field["name"] for field in declared])
                stored = await change.create(new_row(given, declared), declared)
                await self._categorize(change.connection, name, categories)
                return stored
        except UniqueViolation:
            raise Conflict(f"Collection named {name} already exists") from None

    async def update(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Merges options; the name stays. None when there is no such collection."""
        changes = {
            key: value
            for key, value in values.items()
            if key not in ("key", "name", "fields", "autoGenId", "category", "sort")
        }
        collection = self.get(name)
        if collection is not None and not collection.is_query:
            changes.pop("sql", None)
        for fixed in ("view", "viewName", "template"):
            if (
                collection is not None
                and fixed in changes
                and changes[fixed] != collection.options.get(fixed)
            ):
                raise BadRequest(f"Collection {name!r}: `{fixed}` cannot change; make another collection")
        if collection is not None and bool(changes.get("sortable", collection.flag("sortable"))) != (
            collection.flag("sortable")
        ):
            raise BadRequest(f"Collection {name!r}: add or destroy a field of the type `sort` instead")
        for flag in FLAGS:
            if flag in changes and collection is not None and bool(changes[flag]) != collection.flag(flag):
                raise BadRequest(
                    f"Collection {name!r}: add or remove the field {flag!r} instead of the option"
                )
        async with self._change() as change:
            if collection is not None:
                await self._categorize(change.connection, name, values.get("category"))
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
                await self._categorize(change.connection, name, [])
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

    async def move(self, name: str, target: str, *, after: bool) -> None:
        """Gives a collection another place in the list: that of `target`, or the one behind it."""
        async with self._change() as change:
            await self._metadata.move_collection(change.connection, name, target, after=after)

    async def move_field(self, collection_name: str, name: str, target: str, *, after: bool) -> None:
        """Gives a field another place among those of its collection."""
        async with self._change() as change:
            await change.move_field(collection_name, name, target, after=after)

    # -- parts -----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _change(self) -> AsyncIterator[SchemaChange]:
        """One change. Schema changes of all instances are one by one."""
        async with self._agreement.change(REVISION) as agreed:
            around = Surroundings(self._metadata, self._ddl, self._own, self.system, self._build, self._probe)
            change = SchemaChange(agreed.connection, around)
            yield change
            agreed.tell(names=change.names)

    async def _categorize(self, connection: Connection, name: str, given: Any) -> None:
        """Puts a collection into exactly these categories (ids, or objects with them); None: leaves it."""
        if given is None:
            return
        items = given if isinstance(given, list) else [given]
        ids = [item.get("id") if isinstance(item, Mapping) else item for item in items]
        between = self.system["collectionCategory"].table
        await self._database.run(
            delete(between).where(between.c.collectionName == name), connection=connection
        )
        categories = self.system["collectionCategories"]
        field = categories.fields["id"]
        for key in dict.fromkeys(field.operand(each, self._kind) for each in ids if each is not None):
            known = select(categories.table.c.id).where(categories.table.c.id == key)
            if not (await self._database.run(known, connection=connection)).rows:
                raise BadRequest(f"There is no category {key!r}")
            row = {"collectionName": name, "categoryId": key}
            await self._database.run(insert(between).values(row), connection=connection)

    async def _refuse_twin(self, change: SchemaChange, name: str) -> None:
        """Names that differ in case only would be one table on some databases."""
        for other in (*await self._metadata.names(change.connection), *self.system):
            if other != name and other.lower() == name.lower():
                raise BadRequest(
                    f"Collection name {name!r} differs from {other!r} in case only: choose another one"
                )
