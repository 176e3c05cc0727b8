"""Orders that people make by hand: the numbers of new records, and `move` (http-api.md 3.11).

Only the order of the numbers means something: they may have gaps, and a record on top of all has the number
0. Records are numbered and moved one by one: in PostgreSQL under a lock that ends with the transaction,
in SQLite because there is one writer. Numbers that are equal or missing, which writes past the API can leave
behind, are put right by the next move among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    and_,
    bindparam,
    cast,
    func,
    select,
    true,
    update,
)

from atoll.application.collections.model import Collection
from atoll.application.fields.sort import SortField
from atoll.application.records.unit_of_work import Record, UnitOfWork
from atoll.database.drivers.base import Connection, Database
from atoll.database.drivers.postgres import advisory_number
from atoll.errors import BadRequest


def sort_fields(collection: Collection) -> list[SortField]:
    """The collection's fields of that type."""
    return [field for field in collection.fields.values() if isinstance(field, SortField)]


async def hold_order(connection: Connection, collection: Collection, schema: str | None) -> None:
    """Nobody else numbers or moves records of this collection before the transaction ends."""
    if collection.kind == "postgres":
        number = advisory_number(schema, f"order:{collection.table_name}")
        await connection.fetch_one("SELECT pg_advisory_xact_lock($1)", (number,))


def next_number(collection: Collection, field: SortField) -> ScalarSelect[Any]:
    """The number of a new record, for an INSERT whose scope value is the parameter `v_<scope>`."""
    table = collection.table.alias()
    number = select(func.coalesce(func.max(table.c[field.name]), 0) + 1)
    scope = _scope(collection, field)
    if scope is not None:
        kind = collection.table.c[scope].type
        value = cast(bindparam(f"v_{scope}", type_=kind), kind)  # PostgreSQL would guess two types for it
        number = number.where(table.c[scope].is_not_distinct_from(value))
    return number.scalar_subquery()


def _scope(collection: Collection, field: SortField) -> str | None:
    return field.scope_key if field.scope_key in collection.fields else None


class Ordering:
    """Moves records within one order, or into another one."""

    def __init__(
        self, database: Database, collection: Collection, field: SortField, unit: UnitOfWork
    ) -> None:
        self._database = database
        self._collection = collection
        self._field = field
        self._unit = unit
        self._scope = _scope(collection, field)

    async def to(self, source: Record, target: Record, *, after: bool) -> None:
        """Takes the place of another record, or the one behind it; its order too, when that is another."""
        source, target = await self._numbered(source), await self._numbered(target)
        name = self._field.name
        here, there = self._order_of(source), self._order_of(target)
        place, old = int(target[name]), int(source[name])
        if here != there:
            place += after
            await self._shift(there, 1, first=place)
            await self._put(source, place, there)
        elif old < place:
            await self._shift(here, -1, first=old + 1, last=place)
            await self._put(source, place)
        elif old > place:
            place += after
            await self._shift(here, 1, first=place, last=old - 1)
            await self._put(source, place)

    async def into(self, source: Record, scope: Mapping[str, Any], *, first: bool) -> None:
        """Goes to the end, or the beginning, of another order."""
        if self._scope is None or set(scope) != {self._scope}:
            raise BadRequest(
                f"`targetScope` must name the scope of {self._field.name!r}: "
                + (f"{{{self._scope!r}: value}}" if self._scope else "it has none, there is one order only")
            )
        there = {self._scope: scope[self._scope]}
        table = self._collection.table
        edge = func.min(table.c[self._field.name]) if first else func.max(table.c[self._field.name]) + 1
        found = await self._database.run(
            select(func.coalesce(edge, 1)).where(self._in(there)), connection=self._unit.connection
        )
        place = int(found.rows[0][0])
        if first:
            await self._shift(there, 1, first=place)
        await self._put(source, place, there)

    async def to_top(self, source: Record) -> None:
        """Stands before all others."""
        await self._put(source, 0)

    # -- parts -----------------------------------------------------------------------------------------

    def _order_of(self, record: Record) -> dict[str, Any]:
        return {} if self._scope is None else {self._scope: record[self._scope]}

    def _in(self, order: Mapping[str, Any]) -> ColumnElement[bool]:
        if not order or self._scope is None:
            return true()
        value = self._driver_value(self._scope, order[self._scope])
        column = self._collection.table.c[self._scope]
        return column.is_(None) if value is None else column == bindparam("scope", value, type_=column.type)

    def _driver_value(self, name: str, value: Any) -> Any:
        field = self._collection.fields[name]
        return None if value is None else field.operand(value, self._collection.kind)

    def _itself(self, record: Record) -> ColumnElement[bool]:
        table = self._collection.table
        keys = [field for field in self._collection.fields.values() if field.primary_key]
        return and_(
            *(
                table.c[key.name]
                == bindparam(
                    f"key_{key.name}",
                    self._driver_value(key.name, record[key.name]),
                    type_=table.c[key.name].type,
                )
                for key in keys
            )
        )

    async def _put(self, record: Record, place: int, order: Mapping[str, Any] | None = None) -> None:
        table = self._collection.table
        values: dict[str, Any] = {self._field.name: place}
        for name, value in (order or {}).items():
            values[name] = self._driver_value(name, value)
        bound = {
            name: bindparam(f"v_{name}", each, type_=table.c[name].type) for name, each in values.items()
        }
        await self._run(update(table).values(bound).where(self._itself(record)))

    async def _shift(
        self, order: Mapping[str, Any], step: int, *, first: int, last: int | None = None
    ) -> None:
        column = self._collection.table.c[self._field.name]
        where = [self._in(order), column >= bindparam("first", first, type_=column.type)]
        if last is not None:
            where.append(column <= bindparam("last", last, type_=column.type))
        await self._run(
            update(self._collection.table).values({self._field.name: column + step}).where(*where)
        )

    async def _numbered(self, record: Record) -> Record:
        """The record with its number, after numbers that are equal or missing were put right."""
        table, name = self._collection.table, self._field.name
        order = self._order_of(record)
        counts = select(func.count(), func.count(table.c[name].distinct())).where(self._in(order))
        rows = (await self._database.run(counts, connection=self._unit.connection)).rows
        if rows[0][0] != rows[0][1]:
            await self._renumber(order)
        found = await self._database.run(
            select(table.c[name]).where(self._itself(record)), connection=self._unit.connection
        )
        return {**record, name: found.rows[0][0]}

    async def _renumber(self, order: Mapping[str, Any]) -> None:
        table, name = self._collection.table, self._field.name
        keys = [field.name for field in self._collection.fields.values() if field.primary_key]
        places = numbered_rows(table, name, keys, self._in(order))
        same = [table.c[key] == places.c[key] for key in keys]
        await self._run(update(table).values({name: places.c.place}).where(*same))

    async def _run(self, statement: Any) -> None:
        await self._database.run(statement, connection=self._unit.connection)


def numbered_rows(table: FromClause, name: str, keys: list[str], where: ColumnElement[bool]) -> FromClause:
    """The keys of rows with the place that each has by its number, then by its key."""
    row_number = func.row_number().over(
        order_by=[table.c[name].nulls_last(), *(table.c[key] for key in keys)]
    )
    return select(*(table.c[key] for key in keys), row_number.label("place")).where(where).subquery("places")
