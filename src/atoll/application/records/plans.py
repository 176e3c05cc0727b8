"""Compiled queries: SQL text, binder and row decoders of one request shape, kept until crowded out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    insert,
    null,
    select,
    text,
    update,
)

from atoll.application.collections.model import Collection
from atoll.application.fields.base import Decoder
from atoll.application.records.filter import ConditionBuilder, Lookup
from atoll.application.records.operators import Condition
from atoll.application.records.parameters import Projection
from atoll.database.drivers.base import Database
from atoll.database.statement import CompiledStatement

P = TypeVar("P")
Order = tuple[tuple[str, bool], ...]
_MOST = 512


class PlanCache:
    """Plans by shape; the least recently made ones go first when there are too many."""

    def __init__(self) -> None:
        self._plans: dict[Any, Any] = {}

    def get(self, key: Any, make: Callable[[], P]) -> P:
        """The plan for a shape; made when it is new."""
        plan = self._plans.get(key)
        if plan is None:
            plan = make()
            if len(self._plans) >= _MOST:
                for old in list(self._plans)[: _MOST // 4]:
                    del self._plans[old]
            self._plans[key] = plan
        return plan

    def clear(self) -> None:
        """Forgets all plans."""
        self._plans.clear()


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A statement that gives records."""

    statement: CompiledStatement
    names: tuple[str, ...]
    decoders: tuple[tuple[str, Decoder], ...]

    def records(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Driver rows as records in their JSON form."""
        names = self.names
        records = [dict(zip(names, row, strict=False)) for row in rows]
        for name, decode in self.decoders:
            for record in records:
                value = record[name]
                if value is not None:
                    record[name] = decode(value)
        return records


class Planner:
    """Describes queries with SQLAlchemy and compiles them for one database."""

    def __init__(self, database: Database, lookup: Lookup) -> None:
        self._database = database
        self._lookup = lookup

    def select(
        self,
        collection: Collection,
        projection: Projection,
        condition: Condition | None,
        order: Order,
        *,
        paged: bool,
    ) -> RowPlan:
        """SELECT with all values bound; `limit` and `offset` are parameters when paged."""
        names = self._with_keys(collection, projection)
        statement: Select[Any] = select(*(collection.table.c[name] for name in names))
        statement = self._where(collection, statement, condition)
        for name, descending in order:
            column: ColumnElement[Any] = collection.table.c[name]
            column = column.desc() if descending else column.asc()
            statement = statement.order_by(
                column.nulls_last() if collection.fields[name].allow_null else column
            )
        if paged:
            statement = statement.limit(bindparam("limit", type_=BigInteger()))
            statement = statement.offset(bindparam("offset", type_=BigInteger()))
        return self._rows(collection, names, statement)

    def count(self, collection: Collection, condition: Condition | None) -> CompiledStatement:
        """SELECT count(*)."""
        statement = select(func.count()).select_from(collection.table)
        return self._database.compile(self._where(collection, statement, condition))

    def insert(self, collection: Collection, columns: tuple[str, ...]) -> RowPlan:
        """INSERT … RETURNING the record; parameters are `v_<column>`."""
        values: dict[str, Any] = {
            name: bindparam(f"v_{name}", type_=collection.table.c[name].type) for name in columns
        }
        if not values and collection.key is not None:
            values = {collection.key.name: null() if collection.kind == "sqlite" else text("DEFAULT")}
        statement = insert(collection.table).values(values)
        returning = [collection.table.c[name] for name in collection.visible]
        return self._rows(collection, collection.visible, statement.returning(*returning))

    def update(
        self, collection: Collection, columns: tuple[str, ...], condition: Condition | None
    ) -> RowPlan:
        """UPDATE … RETURNING the records; parameters are `v_<column>` and the condition's."""
        table = collection.table
        values = {name: bindparam(f"v_{name}", type_=table.c[name].type) for name in columns}
        statement = update(table).values(values)
        if condition is not None:
            statement = statement.where(ConditionBuilder(self._lookup).build(collection, condition))
        returning = [table.c[name] for name in collection.visible]
        return self._rows(collection, collection.visible, statement.returning(*returning))

    def delete(self, collection: Collection, condition: Condition) -> CompiledStatement:
        """DELETE."""
        where = ConditionBuilder(self._lookup).build(collection, condition)
        return self._database.compile(delete(collection.table).where(where))

    def delete_keys(self, collection: Collection, condition: Condition) -> RowPlan:
        """DELETE … RETURNING the values of the target key."""
        name = collection.target_key or ""
        where = ConditionBuilder(self._lookup).build(collection, condition)
        statement = delete(collection.table).where(where).returning(collection.table.c[name])
        return self._rows(collection, (name,), statement)

    def _where(
        self, collection: Collection, statement: Select[Any], condition: Condition | None
    ) -> Select[Any]:
        if condition is None:
            return statement
        return statement.where(ConditionBuilder(self._lookup).build(collection, condition))

    def _with_keys(self, collection: Collection, projection: Projection) -> tuple[str, ...]:
        """The columns, and silently those that appended relations are joined by."""
        relations = [
            collection.relations[name] for name in projection.appends if name in collection.relations
        ]
        keys = [relation.foreign_key for relation in relations if relation.through is None]
        names = dict.fromkeys([*projection.columns, *keys])
        if not names and collection.fields:
            names = dict.fromkeys([next(iter(collection.fields))])
        return tuple(names)

    def _rows(self, collection: Collection, names: tuple[str, ...], statement: Any) -> RowPlan:
        decoders = tuple(
            (name, decode)
            for name in names
            if (decode := collection.fields[name].decoder(collection.kind)) is not None
        )
        return RowPlan(self._database.compile(statement), names, decoders)
