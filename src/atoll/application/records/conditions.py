"""From conditions to SQL: values stay parameters, relations become joins.

A filter sees each record together with one linked record of every relation it names, or with nothing where
there is none: all its conditions on one relation speak of the same linked record (http-api.md 4.1). That is a
LEFT JOIN. Where a record may have several linked ones, the joins go into an EXISTS, so that rows stay single.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from atoll.application.collections.model import Collection, Lookup
from atoll.application.collections.relations import Relation
from atoll.application.records.operators import Condition
from atoll.errors import BadRequest

Path = tuple[str, ...]


class Joins:
    """The tables that one statement needs beside its first one: one for each relation path."""

    def __init__(self, collection: Collection, lookup: Lookup, root: FromClause) -> None:
        self._lookup = lookup
        self._places: dict[Path, tuple[Collection, FromClause]] = {(): (collection, root)}
        self.source: FromClause = root

    def __len__(self) -> int:
        return len(self._places) - 1

    def place(self, path: Path) -> tuple[Collection, FromClause]:
        """Collection and table at the end of a path of relations; joins what is not joined yet."""
        found = self._places.get(path)
        if found is None:
            collection, table = self.place(path[:-1])
            relation = collection.relations[path[-1]]
            target = existing(self._lookup, relation.target)
            other = target.table.alias()
            on: ColumnElement[bool]
            if relation.through is not None:
                between = existing(self._lookup, relation.through).table.alias()
                link = between.c[relation.foreign_key] == table.c[relation.source_key]
                self.source = self.source.outerjoin(between, link)
                on = between.c[relation.other_key] == other.c[relation.target_key]
            else:
                on = linked(relation, table, other, collection.kind)
            self.source = self.source.outerjoin(other, on)
            found = self._places[path] = (target, other)
        return found


def existing(lookup: Lookup, name: str) -> Collection:
    """The collection of that name; raises BadRequest."""
    found = lookup(name)
    if found is None:
        raise BadRequest(f"Collection {name!r} does not exist")
    return found


def linked(relation: Relation, here: FromClause, there: FromClause, kind: str) -> ColumnElement[bool]:
    """Whether rows of two tables are linked by a relation that has no table between."""
    if relation.kind == "belongsTo":
        return here.c[relation.foreign_key] == there.c[relation.target_key]
    if relation.kind == "belongsToArray":
        key = cast(there.c[relation.target_key], Text)
        if kind == "postgres":
            return func.jsonb_exists(here.c[relation.foreign_key], key)
        items = func.json_each(here.c[relation.foreign_key]).table_valued("value").alias("keys")
        return select(items.c.value).where(cast(items.c.value, Text) == key).exists()
    return there.c[relation.foreign_key] == here.c[relation.source_key]


def crosses_to_many(collection: Collection, condition: Condition, lookup: Lookup) -> bool:
    """Whether a condition follows a relation by which one record may have several others."""
    if condition[0] == "related":
        relation = collection.relations[condition[1]]
        if relation.to_many or relation.kind == "hasOne":
            return True
        return crosses_to_many(existing(lookup, relation.target), condition[2], lookup)
    return any(crosses_to_many(collection, part, lookup) for part in condition[1:] if isinstance(part, tuple))


def follows_relation(condition: Condition) -> bool:
    """Whether a condition looks at other collections."""
    return condition[0] in ("related", "linked") or any(
        follows_relation(part) for part in condition[1:] if isinstance(part, tuple)
    )


def restrict(
    collection: Collection, statement: Select[Any], condition: Condition | None, lookup: Lookup, joins: Joins
) -> Select[Any]:
    """The SELECT from `joins` with the condition; its joins to one record are added there."""
    if condition is not None:
        if crosses_to_many(collection, condition, lookup):
            statement = statement.where(among(collection, condition, lookup))
        else:
            statement = statement.where(ConditionBuilder(lookup, joins).build(condition))
    return statement.select_from(joins.source)


def among(collection: Collection, condition: Condition, lookup: Lookup) -> ColumnElement[bool]:
    """The condition as an expression on the collection's own table, with no join outside of it."""
    if not follows_relation(condition):
        return ConditionBuilder(lookup, Joins(collection, lookup, collection.table)).build(condition)
    keys = [field.name for field in collection.fields.values() if field.primary_key]
    if not keys:
        raise BadRequest(f"Collection {collection.name!r} has no primary key; filter its own fields only")
    inner = collection.table.alias()
    joins = Joins(collection, lookup, inner)
    where = ConditionBuilder(lookup, joins).build(condition)
    if len(keys) == 1:
        found = select(inner.c[keys[0]]).select_from(joins.source).where(where)
        return collection.table.c[keys[0]].in_(found)
    same = [inner.c[key] == collection.table.c[key] for key in keys]
    return select(literal_column("1")).select_from(joins.source).where(and_(*same, where)).exists()


class ConditionBuilder:
    """Builds SQL for one condition; its values become the parameters `p0`, `p1`, ... in order."""

    def __init__(self, lookup: Lookup, joins: Joins) -> None:
        self._lookup = lookup
        self._joins = joins
        self._names: Iterator[str] = (f"p{index}" for index in range(1_000_000))

    def build(self, condition: Condition, path: Path = ()) -> ColumnElement[bool]:
        """The SQL expression for the record at the end of a path of relations."""
        verb = condition[0]
        if verb in ("and", "or"):
            parts = [self.build(part, path) for part in condition[1:]]
            return and_(*parts) if verb == "and" else or_(*parts)
        if verb == "not":
            return not_(self.build(condition[1], path))
        if verb in ("never", "always"):
            return false() if verb == "never" else true()
        if verb == "related":
            return self.build(condition[2], (*path, condition[1]))
        collection, table = self._joins.place(path)
        if verb == "linked":
            return self._linked(table, condition)
        return self._plain(collection, table, condition)

    def _linked(self, table: FromClause, condition: Condition) -> ColumnElement[bool]:
        _, column, through, foreign_key, other_key = condition
        between = existing(self._lookup, through).table.alias()
        value = bindparam(next(self._names), type_=between.c[foreign_key].type)
        keys = select(between.c[other_key]).where(between.c[foreign_key] == value)
        return table.c[column].in_(keys)

    def _plain(self, collection: Collection, table: FromClause, condition: Condition) -> ColumnElement[bool]:
        verb, column = condition[0], table.c[condition[1]]
        if verb == "null":
            return column.is_(None)
        if verb == "notnull":
            return column.is_not(None)
        if verb == "column":
            other = collection.fields.get(condition[2])
            if other is None or other.hidden:
                raise BadRequest(f"Unknown field {condition[2]!r} in the filter for {collection.name!r}")
            return column == table.c[condition[2]]
        if verb == "size0":
            return self._size(collection, column) == 0
        if verb in ("any", "same"):
            return self._lists(collection, verb, column)
        if verb == "pattern":
            return self._pattern(collection, column, condition[2])
        if verb in ("in", "notin"):
            values = bindparam(next(self._names), type_=column.type, expanding=True)
            return column.in_(values) if verb == "in" else column.not_in(values)
        if verb in ("like", "notlike"):
            pattern = bindparam(next(self._names), type_=Text())
            text = cast(column, Text)
            return (text.ilike if verb == "like" else text.not_ilike)(pattern, escape="\\")
        first = bindparam(next(self._names), type_=column.type)
        if verb in ("between", "notbetween"):
            between = column.between(first, bindparam(next(self._names), type_=column.type))
            return between if verb == "between" else not_(between)
        comparisons: dict[str, Callable[[], ColumnElement[bool]]] = {
            "eq": lambda: column == first,
            "ne": lambda: column != first,
            "gt": lambda: column > first,
            "gte": lambda: column >= first,
            "lt": lambda: column < first,
            "lte": lambda: column <= first,
        }
        if collection.fields[condition[1]].category in ("json", "array") and collection.kind == "postgres":
            return cast(column, Text) == bindparam(first.key, type_=Text())
        return comparisons[verb]()

    def _size(self, collection: Collection, column: ColumnElement[Any]) -> ColumnElement[Any]:
        if collection.kind == "postgres":
            return func.jsonb_array_length(column)
        return func.json_array_length(column)

    def _lists(self, collection: Collection, verb: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
        if collection.kind == "postgres":
            if verb == "same":
                return cast(column, JSONB) == bindparam(next(self._names), type_=column.type)
            # `?|` compares with the strings of the list
            keys = bindparam(next(self._names), type_=ARRAY(Text()))
            return func.jsonb_exists_any(column, keys)
        if verb == "same":
            return column == bindparam(next(self._names), type_=column.type)
        values = bindparam(next(self._names), type_=Text(), expanding=True)
        items = func.json_each(column).table_valued("value").alias("items")
        return select(items.c.value).where(cast(items.c.value, Text).in_(values)).exists()

    def _pattern(self, collection: Collection, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        text = cast(column, Text)
        pattern: Any = bindparam(next(self._names), type_=Text())
        negative = name.startswith("not")
        base = name.removeprefix("not")
        if base.endswith("regexp"):
            operator_text = {"regexp": "~", "iregexp": "~*"}[base]
            found: ColumnElement[bool] = text.bool_op(operator_text)(pattern)
        elif base == "ilike":
            found = text.ilike(pattern)
        elif collection.kind == "sqlite":
            found = text.bool_op("GLOB")(_glob(pattern))
        else:
            found = text.like(pattern)
        return not_(found) if negative else found


def _glob(pattern: Any) -> Any:
    """A LIKE pattern for GLOB, which unlike SQLite's LIKE looks at the case."""
    for old, new in (("[", "[[]"), ("*", "[*]"), ("?", "[?]"), ("%", "*"), ("_", "?")):
        pattern = func.replace(pattern, old, new)
    return pattern
