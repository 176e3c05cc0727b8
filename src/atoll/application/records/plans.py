"""Compiled queries: SQL text, binder and row decoders of one request shape, kept until crowded out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
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

from atoll.application.collections.model import Collection, Lookup
from atoll.application.collections.relations import Relation
from atoll.application.fields.base import Decoder, Field
from atoll.application.records.conditions import Joins, among, existing, restrict
from atoll.application.records.operators import Condition
from atoll.application.records.ordering import next_number, sort_fields
from atoll.application.records.parameters import Order
from atoll.application.records.projection import Projection, joining
from atoll.database.drivers.base import Database
from atoll.database.statement import CompiledStatement
from atoll.errors import BadRequest, InvalidValue

P = TypeVar("P")
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
        name = ""
        try:
            for name, decode in self.decoders:
                for record in records:
                    value = record[name]
                    if value is not None:
                        record[name] = decode(value)
        except (AttributeError, TypeError, ValueError) as error:  # of a view or statement: what is declared
            raise InvalidValue(
                f"A value of {name!r} is none of its field's type: declare the field as its column is",
                detail=repr(error),
            ) from error
        return records


@dataclass(frozen=True, slots=True)
class LinkedPlan:
    """A statement that gives records linked to others; its parameter `keys` is the list of their keys.

    Attributes:
        match: the field that values of `keys` are values of.
        between: what follows the record's columns in a row: the columns of the table between.
    """

    rows: RowPlan
    match: Field
    between: RowPlan | None = None


class Planner:
    """Describes queries with SQLAlchemy and compiles them for one database."""

    def __init__(self, database: Database, lookup: Lookup) -> None:
        self._database = database
        self._lookup = lookup

    def select(
        self,
        collection: Collection,
        wanted: Projection,
        condition: Condition | None,
        order: Order,
        *,
        paged: bool,
    ) -> RowPlan:
        """SELECT with all values bound; `limit` and `offset` are parameters when paged."""
        names = joining(collection, wanted)
        table = collection.table
        joins = Joins(collection, self._lookup, table)
        statement: Select[Any] = select(*(table.c[name] for name in names))
        for path, descending in order:
            place, there = joins.place(path[:-1])
            column: ColumnElement[Any] = there.c[path[-1]]
            may_be_null = len(path) > 1 or place.fields[path[-1]].allow_null
            column = column.desc() if descending else column.asc()
            statement = statement.order_by(column.nulls_last() if may_be_null else column)
        statement = restrict(collection, statement, condition, self._lookup, joins)
        if paged:
            statement = statement.limit(bindparam("limit", type_=BigInteger()))
            statement = statement.offset(bindparam("offset", type_=BigInteger()))
        return self._rows(collection, names, statement)

    def keys(self, collection: Collection, condition: Condition | None, names: tuple[str, ...]) -> RowPlan:
        """SELECT of some columns of the records that match, locked against changes until the commit."""
        _refuse_read_only(collection)
        statement = select(*(collection.table.c[name] for name in names))
        if condition is not None:
            statement = statement.where(among(collection, condition, self._lookup))
        return self._rows(collection, names, statement.with_for_update())

    def linked(
        self,
        target: Collection,
        relation: Relation,
        wanted: Projection,
        also: tuple[str, ...],
        condition: Condition | None = None,
    ) -> LinkedPlan:
        """SELECT of the records that a relation leads to, from the keys of those it comes from."""
        table = target.table
        first = [target.key.name] if target.key is not None else []
        if relation.through is None:
            match = relation.target_key if relation.holds_key else relation.foreign_key
            names = joining(target, wanted, (match, *also))
            statement = select(*(table.c[name] for name in names)).where(_among_keys(table, match))
            if condition is not None:
                statement = statement.where(among(target, condition, self._lookup))
            statement = statement.order_by(*(table.c[name].asc() for name in first))
            return LinkedPlan(self._rows(target, names, statement), target.fields[match])
        between = existing(self._lookup, relation.through)
        names = joining(target, wanted, (relation.target_key, *also))
        on = between.table.c[relation.other_key] == table.c[relation.target_key]
        statement = (
            select(*(table.c[name] for name in names), *(between.table.c[name] for name in between.visible))
            .select_from(table.join(between.table, on))
            .where(_among_keys(between.table, relation.foreign_key))
            .order_by(*(table.c[name].asc() for name in first))
        )
        if condition is not None:
            statement = statement.where(among(target, condition, self._lookup))
        rows = self._rows(target, names, statement)
        return LinkedPlan(
            rows,
            between.fields[relation.foreign_key],
            RowPlan(rows.statement, between.visible, self._decoders(between, between.visible)),
        )

    def count(self, collection: Collection, condition: Condition | None) -> CompiledStatement:
        """SELECT count(*)."""
        joins = Joins(collection, self._lookup, collection.table)
        counted = select(func.count())
        return self._database.compile(restrict(collection, counted, condition, self._lookup, joins))

    def insert(self, collection: Collection, columns: tuple[str, ...]) -> RowPlan:
        """INSERT … RETURNING the record; parameters are `v_<column>`."""
        _refuse_read_only(collection)
        values: dict[str, Any] = {
            name: bindparam(f"v_{name}", type_=collection.table.c[name].type) for name in columns
        }
        for field in sort_fields(collection):
            if field.name not in columns:
                values[field.name] = next_number(collection, field)
        if not values and collection.key is not None:
            values = {collection.key.name: null() if collection.kind == "sqlite" else text("DEFAULT")}
        statement = insert(collection.table).values(values)
        returning = [collection.table.c[name] for name in collection.visible]
        return self._rows(collection, collection.visible, statement.returning(*returning))

    def update(
        self, collection: Collection, columns: tuple[str, ...], condition: Condition | None
    ) -> RowPlan:
        """UPDATE … RETURNING the records; parameters are `v_<column>` and the condition's."""
        _refuse_read_only(collection)
        table = collection.table
        values = {name: bindparam(f"v_{name}", type_=table.c[name].type) for name in columns}
        statement = update(table).values(values)
        if condition is not None:
            statement = statement.where(among(collection, condition, self._lookup))
        returning = [table.c[name] for name in collection.visible]
        return self._rows(collection, collection.visible, statement.returning(*returning))

    def delete(self, collection: Collection, condition: Condition) -> CompiledStatement:
        """DELETE."""
        _refuse_read_only(collection)
        return self._database.compile(
            delete(collection.table).where(among(collection, condition, self._lookup))
        )

    def delete_keys(self, collection: Collection, condition: Condition) -> RowPlan:
        """DELETE … RETURNING the values of the target key."""
        _refuse_read_only(collection)
        name = collection.target_key or ""
        statement = delete(collection.table).where(among(collection, condition, self._lookup))
        return self._rows(collection, (name,), statement.returning(collection.table.c[name]))

    def _rows(self, collection: Collection, names: tuple[str, ...], statement: Any) -> RowPlan:
        return RowPlan(self._database.compile(statement), names, self._decoders(collection, names))

    def _decoders(self, collection: Collection, names: Sequence[str]) -> tuple[tuple[str, Decoder], ...]:
        return tuple(
            (name, decode)
            for name in names
            if (decode := collection.fields[name].decoder(collection.kind)) is not None
        )


def _refuse_read_only(collection: Collection) -> None:
    if collection.read_only:
        raise BadRequest(f"{collection.title!r} is a query or a view: its records can only be read")


def _among_keys(table: FromClause, column: str) -> ColumnElement[bool]:
    return table.c[column].in_(bindparam("keys", type_=table.c[column].type, expanding=True))


def bound_values(values: Sequence[Any]) -> dict[str, Any]:
    """The parameters `p0`, `p1`, ... of a condition."""
    return {f"p{index}": value for index, value in enumerate(values)}
