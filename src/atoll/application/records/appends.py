"""Linked records: one query for each relation that is asked for, however many records there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from atoll.application.collections.model import Collection, Lookup
from atoll.application.collections.relations import Relation
from atoll.application.records.filter import Caller, read_scope
from atoll.application.records.plans import LinkedPlan, PlanCache, Planner, bound_values
from atoll.application.records.projection import Projection
from atoll.database.drivers.base import Connection

Record = dict[str, Any]
_AT_ONCE = 20_000  # values of one list parameter
_DEEPEST_TREE = 100


class AppendLoader:
    """Adds linked records to records that were read with the columns `joining` names."""

    def __init__(self, plans: PlanCache, planner: Planner, lookup: Lookup) -> None:
        self._plans = plans
        self._planner = planner
        self._lookup = lookup

    async def add(
        self,
        database: Connection,
        collection: Collection,
        records: list[Record],
        wanted: Projection,
        caller: Caller,
    ) -> list[Record]:
        """The same records, each with its linked ones; answers `records`."""
        for name, inner in wanted.appends:
            again = name in wanted.recursive
            await self._follow(database, collection, records, name, inner, caller, again=again)
        return records

    async def _follow(
        self,
        database: Connection,
        collection: Collection,
        records: list[Record],
        name: str,
        inner: Projection,
        caller: Caller,
        *,
        again: bool,
    ) -> None:
        relation = collection.relations[name]
        target = self._lookup(relation.target)
        if target is None:
            return
        for _ in range(_DEEPEST_TREE if again else 1):
            found = await self._linked(
                database, collection, target, relation, records, inner, caller, again=again
            )
            await self.add(database, target, found, inner, caller)
            if not found or target is not collection:
                return
            records = found

    async def _linked(
        self,
        database: Connection,
        collection: Collection,
        target: Collection,
        relation: Relation,
        records: list[Record],
        inner: Projection,
        caller: Caller,
        *,
        again: bool,
    ) -> list[Record]:
        """Reads what the records are linked to and puts it into them; answers it."""
        also = (relation.column,) if again else ()
        scope = caller.rights.need(target, "view").scope
        condition, bound = (None, []) if scope is None else read_scope(target, scope, caller, self._lookup)
        plan = self._plans.get(
            ("linked", collection, relation.name, inner, condition, again),
            lambda: self._planner.linked(target, relation, inner, also, condition),
        )
        keys = list(dict.fromkeys(_keys(records, relation)))
        rows: list[Any] = []
        for start in range(0, len(keys), _AT_ONCE):
            values = [plan.match.operand(key, target.kind) for key in keys[start : start + _AT_ONCE]]
            rows += await database.fetch_all(
                plan.rows.statement.sql, plan.rows.statement.bind({**bound_values(bound), "keys": values})
            )
        found = plan.rows.records(rows)
        if plan.between is not None:
            between = plan.between.records([row[len(plan.rows.names) :] for row in rows])
            for record, link in zip(found, between, strict=True):
                record[relation.through or ""] = link
        _distribute(records, relation, found, plan)
        return found


def _keys(records: Iterable[Record], relation: Relation) -> Iterable[Any]:
    for record in records:
        value = record[relation.column]
        if value is None:
            continue
        if relation.kind == "belongsToArray":
            yield from as_list(value)
        else:
            yield value


def as_list(value: Any) -> list[Any]:
    """The keys in a list column, which SQLite gives as undecoded JSON."""
    if not isinstance(value, list):
        value = msgspec.json.decode(value)
    return value if isinstance(value, list) else []


def _distribute(records: list[Record], relation: Relation, found: list[Record], plan: LinkedPlan) -> None:
    by_key: dict[Any, list[Record]] = {}
    link = _link_of(relation)
    for record in found:
        by_key.setdefault(link(record), []).append(record)
    for record in records:
        value = record[relation.column]
        if relation.kind == "belongsToArray":
            keys = as_list(value) if value is not None else []
            record[relation.name] = [by_key[key][0] for key in map(str, keys) if key in by_key]
        elif relation.to_many:
            record[relation.name] = by_key.get(value, [])
        else:
            record[relation.name] = next(iter(by_key.get(value, [])), None)


def _link_of(relation: Relation) -> Callable[[Record], Any]:
    """The value of a linked record that is the key of the record it is linked to."""
    if relation.through is not None:
        through = relation.through
        return lambda record: record[through][relation.foreign_key]
    if relation.kind == "belongsTo":
        return lambda record: record[relation.target_key]
    if relation.kind == "belongsToArray":
        return lambda record: str(record[relation.target_key])
    return lambda record: record[relation.foreign_key]
