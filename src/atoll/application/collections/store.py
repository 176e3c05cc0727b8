"""Collections and fields as rows: reading the metadata and changing it together with the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from atoll.application.collections.ddl import Ddl
from atoll.application.collections.model import Collection
from atoll.application.collections.names import check_collection_name, check_field_name
from atoll.application.collections.system import system_collections
from atoll.application.fields import RELATION_TYPES
from atoll.application.fields.uuid import random_name
from atoll.application.instances.agreement import Agreement
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, Conflict, UniqueViolation

Row = dict[str, Any]
COLLECTION_COLUMNS = ("key", "name", "title", "inherit", "hidden", "description", "sort")
FIELD_COLUMNS = (
    "key", "name", "type", "interface", "description", "collectionName", "parentKey", "reverseKey", "sort",
)  # fmt: skip
REVISION = "collections"
_FLAGS = ("createdAt", "updatedAt", "createdBy", "updatedBy")


def flatten(row: Row) -> Row:
    """A metadata row as the API shows it: its `options` at the top level."""
    options = row.pop("options", None)
    if isinstance(options, (str, bytes, msgspec.Raw)):
        options = msgspec.json.decode(options)
    return {**(options or {}), **row}


def split(values: Mapping[str, Any], columns: Sequence[str]) -> tuple[Row, Row]:
    """The other way: what are columns, and what goes into `options`."""
    return (
        {name: value for name, value in values.items() if name in columns},
        {name: value for name, value in values.items() if name not in columns and name != "options"},
    )


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
        self.system = system_collections(database.kind, self._prefix)
        self._reserved = reserved
        self._agreement = agreement
        self._own: dict[str, Collection] = {}
        self._reading = asyncio.Lock()

    def get(self, name: str) -> Collection | None:
        """The collection of that name."""
        return self._own.get(name) or self.system.get(name)

    def own(self) -> Mapping[str, Collection]:
        """The collections people made."""
        return self._own

    # -- reading ---------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Reads all metadata into memory."""
        async with self._reading:
            rows, fields = await self._read(self._database, None)
            self._own = {
                row["name"]: self._build(row, fields.get(row["name"], []))
                for row in rows
                if row["name"] not in self.system
            }

    async def reload(self, name: str) -> None:
        """Reads one collection again; it leaves memory when it is gone."""
        async with self._reading:
            rows, fields = await self._read(self._database, name)
            if rows and name not in self.system:
                self._own[name] = self._build(rows[0], fields.get(name, []))
            else:
                self._own.pop(name, None)

    async def _read(self, connection: Connection, name: str | None) -> tuple[list[Row], dict[str, list[Row]]]:
        collections, fields = self.system["collections"].table, self.system["fields"].table
        rows_of = select(collections).order_by(collections.c.sort)
        fields_of = select(fields).order_by(fields.c.sort)
        if name is not None:
            rows_of = rows_of.where(collections.c.name == name)
            fields_of = fields_of.where(fields.c.collectionName == name)
        rows = (await self._database.run(rows_of, connection=connection)).dicts()
        by_collection: dict[str, list[Row]] = {}
        for row in (await self._database.run(fields_of, connection=connection)).dicts():
            by_collection.setdefault(row["collectionName"], []).append(flatten(row))
        return [flatten(row) for row in rows], by_collection

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
        declared = [self._prepared(field) for field in _listed(fields)]
        names = [field["name"] for field in declared]
        for flag in _FLAGS:
            given[flag] = given.get(flag) is True or flag in names
        _refuse_twins(names)
        row = {
            "title": None,
            "inherit": False,
            "hidden": False,
            "description": None,
            **given,
            "key": random_name(),
        }
        collection = self._build(row, declared)
        for field in collection.fields.values():
            field.check_options()
        row["filterTargetKey"] = collection.target_key
        if self.get(name) is not None:
            raise Conflict(f"Collection named {name} already exists")
        try:
            async with self._transaction(name) as tx:
                await self._refuse_twin(tx, name)
                stored = await self._insert(tx, row, declared)
                await self._apply(tx, self._ddl.create(collection))
        except UniqueViolation:
            raise Conflict(f"Collection named {name} already exists") from None
        return stored

    async def update(self, name: str, values: Mapping[str, Any]) -> Row | None:
        """Merges options; the name stays. None when there is no such collection."""
        changes = {
            key: value for key, value in values.items() if key not in ("key", "name", "fields", "autoGenId")
        }
        for flag in _FLAGS:
            collection = self.get(name)
            if flag in changes and collection is not None and bool(changes[flag]) != collection.flag(flag):
                raise BadRequest(
                    f"Collection {name!r}: add or remove the field {flag!r} instead of the option"
                )
        async with self._transaction(name) as tx:
            rows, fields = await self._read(tx, name)
            if not rows:
                return None
            row = {**rows[0], **changes}
            _ = self._build(row, fields.get(name, []))  # refuses what cannot be
            await self._write(tx, "collections", row, COLLECTION_COLUMNS)
        return row

    async def destroy(self, names: Sequence[str]) -> int:
        """Drops tables and metadata; answers how many there were."""
        count = 0
        for name in names:
            if name in self.system:
                raise BadRequest(f"Collection {name!r} belongs to the system and cannot be destroyed")
            collection = self._own.get(name)
            if collection is None:
                continue
            async with self._transaction(name) as tx:
                for table, column in (("fields", "collectionName"), ("collections", "name")):
                    columns = self.system[table].table
                    await self._database.run(delete(columns).where(columns.c[column] == name), connection=tx)
                await self._apply(tx, self._ddl.drop(collection))
            count += 1
        return count

    # -- fields ----------------------------------------------------------------------------------------

    async def create_field(self, collection_name: str, values: Mapping[str, Any]) -> Row:
        """Adds a column and its metadata."""
        field = self._prepared(values)
        async with self._transaction(collection_name) as tx:
            row, fields = await self._present(tx, collection_name)
            if any(old["name"] == field["name"] for old in fields):
                raise BadRequest(f"Field {field['name']!r} already exists in collection {collection_name!r}")
            old = self._build(row, fields)
            if field["name"] not in old.fields:
                _refuse_twins([*old.fields, field["name"]])
            if field["name"] in _FLAGS:
                row = {**row, field["name"]: True}
                await self._write(tx, "collections", row, COLLECTION_COLUMNS)
            field = {**field, "sort": max((each.get("sort") or 0 for each in fields), default=0) + 1}
            new = self._build(row, [*fields, field])
            for name, added in new.fields.items():
                added.check_options()
                if name not in old.fields:
                    await self._apply(tx, self._ddl.add_field(new, added))
            if field["name"] in old.fields and field["name"] in new.fields:
                self._same_column(old, new, field["name"])
            return await self._insert_field(tx, collection_name, field)

    async def update_field(self, collection_name: str, name: str, values: Mapping[str, Any]) -> Row | None:
        """Merges a field's options; its type and name stay. None when there is no such field."""
        changes = {
            key: value for key, value in values.items() if key not in ("key", "name", "collectionName")
        }
        async with self._transaction(collection_name) as tx:
            row, fields = await self._present(tx, collection_name)
            before = next((field for field in fields if field["name"] == name), None)
            if before is None:
                return None
            after = {**before, **changes}
            old = self._build(row, fields)
            new = self._build(row, [after if field is before else field for field in fields])
            if name in new.fields:
                self._same_column(old, new, name)
                new.fields[name].check_options()
                if new.fields[name].unique != old.fields[name].unique:
                    change = self._ddl.add_unique if new.fields[name].unique else self._ddl.drop_unique
                    await self._apply(tx, [change(new, new.fields[name])])
                if new.fields[name].allow_null != old.fields[name].allow_null:
                    await self._apply(tx, self._ddl.set_null(new, new.fields[name]))
            await self._write(tx, "fields", after, FIELD_COLUMNS)
        return after

    async def destroy_field(self, collection_name: str, name: str) -> bool:
        """Drops the column and its metadata; False when there was no such field."""
        async with self._transaction(collection_name) as tx:
            row, fields = await self._present(tx, collection_name)
            gone = next((field for field in fields if field["name"] == name), None)
            if gone is None:
                return False
            old = self._build(row, fields)
            if name in old.fields and old.fields[name].primary_key:
                raise BadRequest(f"Field {name!r} is the primary key and cannot be destroyed")
            if name in (row.get("filterTargetKey"), row.get("titleField")):
                raise BadRequest(
                    f"Field {name!r} is still used as title or record key of {collection_name!r}"
                )
            if name in _FLAGS:
                row = {**row, name: False}
                await self._write(tx, "collections", row, COLLECTION_COLUMNS)
            table = self.system["fields"].table
            await self._database.run(delete(table).where(table.c.key == gone["key"]), connection=tx)
            new = self._build(row, [field for field in fields if field is not gone])
            for column, field in old.fields.items():
                if column not in new.fields:
                    await self._apply(tx, self._ddl.drop_field(old, field))
        return True

    @asynccontextmanager
    async def _transaction(self, name: str) -> AsyncIterator[Connection]:
        """A change of one collection. Schema changes of all instances are one by one."""
        async with self._agreement.change(REVISION) as change:
            change.tell(names=[name])
            yield change.connection

    # -- parts -----------------------------------------------------------------------------------------

    def _prepared(self, values: Mapping[str, Any]) -> Row:
        if not isinstance(values, Mapping):
            raise BadRequest("A field is described by an object")
        name = values.get("name") or random_name("f_")
        if isinstance(name, str) and "." in name:
            raise BadRequest(f"Field name {name!r} is not allowed: use letters, digits, _ and - only")
        if not isinstance(values.get("type"), str):
            raise BadRequest(f"Field {name!r}: `type` is missing")
        return {**values, "name": check_field_name(name), "key": random_name()}

    def _same_column(self, old: Collection, new: Collection, name: str) -> None:
        before, after = old.fields[name], new.fields[name]
        if (
            before.column_type(self._kind) != after.column_type(self._kind)
            or before.primary_key != after.primary_key
        ):
            raise BadRequest(
                f"Field {name!r}: its column is {before.type!r} and cannot become {after.type!r}; "
                "create another field and move the values"
            )

    async def _present(self, tx: Connection, name: str) -> tuple[Row, list[Row]]:
        if name in self.system:
            raise BadRequest(f"Collection {name!r} belongs to the system; its fields cannot be changed")
        rows, fields = await self._read(tx, name)
        if not rows:
            raise BadRequest(f"Collection {name!r} does not exist")
        return rows[0], fields.get(name, [])

    async def _refuse_twin(self, tx: Connection, name: str) -> None:
        """Names that differ in case only would be one table on some databases."""
        table = self.system["collections"].table
        rows = (await self._database.run(select(table.c.name), connection=tx)).rows
        for other in (*(row[0] for row in rows), *self.system):
            if other != name and other.lower() == name.lower():
                raise BadRequest(
                    f"Collection name {name!r} differs from {other!r} in case only: choose another one"
                )

    async def _insert(self, tx: Connection, row: Row, fields: list[Row]) -> Row:
        table = self.system["collections"].table
        largest = await self._database.run(
            select(table.c.sort).order_by(table.c.sort.desc()).limit(1), connection=tx
        )
        row = {**row, "sort": (largest.rows[0][0] or 0) + 1 if largest.rows else 1}
        await self._write(tx, "collections", row, COLLECTION_COLUMNS, new=True)
        stored = [
            await self._insert_field(tx, row["name"], {**field, "sort": index})
            for index, field in enumerate(fields, start=1)
        ]
        return {**row, "fields": stored}

    async def _insert_field(self, tx: Connection, collection_name: str, field: Row) -> Row:
        row = {
            "interface": None, "description": None, "parentKey": None, "reverseKey": None,
            **field, "collectionName": collection_name,
        }  # fmt: skip
        await self._write(tx, "fields", row, FIELD_COLUMNS, new=True)
        return row

    async def _write(
        self, tx: Connection, table_name: str, row: Row, columns: Sequence[str], *, new: bool = False
    ) -> None:
        system = self.system[table_name]
        known, options = split(row, columns)
        values = {
            name: None if value is None else system.fields[name].parse(value, self._kind)
            for name, value in {**known, "options": options}.items()
        }
        statement: Any = insert(system.table).values(values)
        if not new:
            statement = update(system.table).where(system.table.c.key == row["key"]).values(values)
        await self._database.run(statement, connection=tx)

    async def _apply(self, tx: Connection, statements: Sequence[str]) -> None:
        for statement in statements:
            await tx.execute(statement)


def _listed(fields: Any) -> list[Mapping[str, Any]]:
    if not isinstance(fields, list):
        raise BadRequest("`fields` must be a list of field descriptions")
    return fields


def _refuse_twins(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin is not name or names.count(name) > 1:
            raise BadRequest(
                f"Field {name!r}: there is a field {twin!r} already; upper and lower case are the same"
            )


def is_relation(field: Mapping[str, Any]) -> bool:
    """Whether a stored field is a relation, which has no column of its own."""
    return field.get("type") in RELATION_TYPES
