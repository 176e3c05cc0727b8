"""Collections and fields as rows of their two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from atoll.application.collections.model import Collection
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest

Row = dict[str, Any]
COLLECTION_COLUMNS = ("key", "name", "title", "inherit", "hidden", "description", "sort")
FIELD_COLUMNS = (
    "key", "name", "type", "interface", "description", "collectionName", "parentKey", "reverseKey", "sort",
)  # fmt: skip


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


class Metadata:
    """Reads and writes the rows; knows nothing of what they mean."""

    def __init__(self, database: Database, system: Mapping[str, Collection]) -> None:
        self._database = database
        self._system = system
        self._collections = system["collections"].table
        self._fields = system["fields"].table

    async def read(
        self, name: str | None = None, connection: Connection | None = None
    ) -> tuple[list[Row], dict[str, list[Row]]]:
        """One collection or all of them, and their fields by collection; both in their order."""
        collections, fields = self._collections, self._fields
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

    async def names(self, connection: Connection) -> list[str]:
        """The names of all collections."""
        found = await self._database.run(select(self._collections.c.name), connection=connection)
        return [row[0] for row in found.rows]

    async def add_collection(self, connection: Connection, row: Row) -> Row:
        """Puts a collection at the end of the list; answers it as it is stored."""
        column = self._collections.c.sort
        largest = await self._database.run(
            select(column).order_by(column.desc()).limit(1), connection=connection
        )
        row = {**row, "sort": (largest.rows[0][0] or 0) + 1 if largest.rows else 1}
        await self._write(connection, "collections", row, COLLECTION_COLUMNS, new=True)
        return row

    async def add_field(self, connection: Connection, collection: str, field: Row) -> Row:
        """Adds a field with the `sort` it has; answers it as it is stored."""
        row = {
            "interface": None, "description": None, "parentKey": None, "reverseKey": None,
            **field, "collectionName": collection,
        }  # fmt: skip
        await self._write(connection, "fields", row, FIELD_COLUMNS, new=True)
        return row

    async def change_collection(self, connection: Connection, row: Row) -> None:
        """Writes a collection that is there."""
        await self._write(connection, "collections", row, COLLECTION_COLUMNS)

    async def change_field(self, connection: Connection, row: Row) -> None:
        """Writes a field that is there."""
        await self._write(connection, "fields", row, FIELD_COLUMNS)

    async def move_collection(self, connection: Connection, name: str, target: str, *, after: bool) -> None:
        """Numbers the collections anew, with one of them at (or behind) the place of another."""
        table = self._collections
        rows = await self._database.run(
            select(table.c.name).order_by(table.c.sort.nulls_last(), table.c.name), connection=connection
        )
        for number, each in enumerate(moved([row[0] for row in rows.rows], name, target, after=after), 1):
            place = update(table).where(table.c.name == each).values(sort=number)
            await self._database.run(place, connection=connection)

    async def remove_field(self, connection: Connection, key: str) -> None:
        """Deletes a field by its key."""
        table = self._fields
        await self._database.run(delete(table).where(table.c.key == key), connection=connection)

    async def remove_collection(self, connection: Connection, name: str) -> None:
        """Deletes a collection and its fields."""
        for column in (self._fields.c.collectionName, self._collections.c.name):
            await self._database.run(delete(column.table).where(column == name), connection=connection)

    async def forget_counters(
        self, connection: Connection, collection: str, field: str | None = None
    ) -> None:
        """Deletes the counters of sequences, so that the next field of that name begins anew."""
        table = self._system["sequences"].table
        gone = delete(table).where(table.c.collection == collection)
        await self._database.run(
            gone if field is None else gone.where(table.c.field == field), connection=connection
        )

    async def _write(
        self,
        connection: Connection,
        table_name: str,
        row: Row,
        columns: Sequence[str],
        *,
        new: bool = False,
    ) -> None:
        system = self._system[table_name]
        known, options = split(row, columns)
        values = {
            name: None if value is None else system.fields[name].parse(value, system.kind)
            for name, value in {**known, "options": options}.items()
        }
        statement: Any = insert(system.table).values(values)
        if not new:
            statement = update(system.table).where(system.table.c.key == row["key"]).values(values)
        await self._database.run(statement, connection=connection)


def moved(names: Sequence[str], name: str, target: str, *, after: bool) -> list[str]:
    """The names with one of them at the place that `target` has, or behind it; raises BadRequest."""
    for each in (name, target):
        if each not in names:
            raise BadRequest(f"{each!r} does not exist")
    if name == target:
        return list(names)
    rest = [each for each in names if each != name]
    behind = after or names.index(name) < names.index(target)
    rest.insert(rest.index(target) + behind, name)
    return rest
