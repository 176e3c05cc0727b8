"""Reading the records of any collection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.context import Page
from atoll.application.fields.base import MISSING, DatabaseKind, Field
from atoll.application.records.aggregate import Aggregation
from atoll.application.records.appends import AppendLoader
from atoll.application.records.conditions import follows_relation
from atoll.application.records.counts import Counts
from atoll.application.records.filter import Caller, read_filter, read_scope
from atoll.application.records.operators import Condition
from atoll.application.records.parameters import names, paging, sorting
from atoll.application.records.plans import PlanCache, Planner, RowPlan, bound_values
from atoll.application.records.projection import Projection, projection
from atoll.application.records.rights import Rights
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest

Record = dict[str, Any]
Params = Mapping[str, Any]
Within = tuple[Condition, list[Any]]
"""A condition with its values that restricts everything beside the client's filter."""


class RecordReader:
    """`list` and `get` for all collections of one app.

    Records are given in their JSON form. The caller's rights become part of each query: its scope of the
    conditions, its fields of the columns. With `connection` the work is part of a transaction.
    """

    def __init__(self, database: Database, collections: CollectionStore) -> None:
        self._database = database
        self._collections = collections
        self._plans = PlanCache()
        self._planner = Planner(database, collections.get)
        self._appends = AppendLoader(self._plans, self._planner, collections.get)
        self._counts = Counts()

    def forget_plans(self) -> None:
        """Drops compiled queries and totals, after collections changed."""
        self._plans.clear()
        self._counts.clear()

    def forget_totals(self, collections: Iterable[str]) -> None:
        """Drops kept totals, after another instance has written."""
        for name in collections:
            self._counts.written(name)

    async def page(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        action: str = "view",
        within: Within | None = None,
        connection: Connection | None = None,
    ) -> list[Record] | Page:
        """The records of one page with `meta`, or all matching ones for `paginate=false`."""
        database = connection or self._database
        page = paging(params)
        condition, values = self._condition(
            collection, params.get("filter"), caller, action=action, within=within
        )
        shape = (
            collection, condition, _key(params.get("fields")), _key(params.get("except")),
            _key(params.get("appends")), _key(params.get("sort")), page is None, caller.rights, action,
        )  # fmt: skip
        plan, wanted = self._plans.get(
            ("list", *shape),
            lambda: self._list_plan(collection, params, condition, page, caller.rights, action),
        )
        bound = bound_values(values)
        if page is None:
            rows = await database.fetch_all(plan.statement.sql, plan.statement.bind(bound))
            return await self._appends.add(database, collection, plan.records(rows), wanted, caller)
        number, size = page
        simple = collection.flag("simplePaginate")
        bound["limit"], bound["offset"] = size + 1 if simple else size, (number - 1) * size
        rows = await database.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        if simple:
            records = await self._appends.add(database, collection, plan.records(rows[:size]), wanted, caller)
            return Page(records, {"hasNext": len(rows) > size, "page": number, "pageSize": size})
        records = await self._appends.add(database, collection, plan.records(rows), wanted, caller)
        if 0 < len(rows) < size or (number == 1 and size and not rows):
            count = (number - 1) * size + len(rows)  # the last page tells the total
        else:
            count = await self._count(collection, condition, bound)
        total = -(-count // size) if size else None
        return Page(records, {"count": count, "page": number, "pageSize": size, "totalPage": total})

    def _list_plan(
        self,
        collection: Collection,
        params: Params,
        condition: Condition | None,
        page: tuple[int, int] | None,
        rights: Rights,
        action: str,
    ) -> tuple[RowPlan, Projection]:
        chosen = (names(params.get(each)) for each in ("fields", "except", "appends"))
        wanted = projection(collection, self._collections.get, *chosen, rights=rights, action=action)
        order = sorting(collection, names(params.get("sort")), self._collections.get, rights)
        return self._planner.select(collection, wanted, condition, order, paged=page is not None), wanted

    async def _count(
        self, collection: Collection, condition: Condition | None, bound: Mapping[str, Any]
    ) -> int:
        plan = self._plans.get(
            ("count", collection, condition), lambda: self._planner.count(collection, condition)
        )
        args = plan.bind(bound)

        async def ask() -> int:
            row = await self._database.fetch_one(plan.sql, args)
            return int(row[0]) if row else 0

        if condition is not None and follows_relation(condition):
            return await ask()
        values = tuple(tuple(arg) if isinstance(arg, list) else arg for arg in args)
        return await self._counts.get(collection.name, (condition, values), ask)

    async def find(
        self,
        collection: Collection,
        condition: Mapping[str, Any] | None,
        caller: Caller,
        *,
        action: str = "view",
        within: Within | None = None,
        connection: Connection | None = None,
    ) -> list[Record]:
        """All records that match a filter."""
        params = {"paginate": False, "filter": condition}
        found = await self.page(
            collection, params, caller, action=action, within=within, connection=connection
        )
        return found.rows if isinstance(found, Page) else found

    async def scan(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        action: str = "view",
        after: Record | None = None,
        size: int = 1_000,
    ) -> AsyncIterator[list[Record]]:
        """All matching records in batches, whatever their number; memory holds one batch.

        Each batch is a query of its own that begins behind the last record of the one before. So a record
        that is there all the time comes exactly once, while others are written.

        Args:
            params: `filter`, `sort`, `fields` and `appends` as for a list.
            after: begins behind this record; it has the fields of `sort` and the keys.
            size: records in a batch.
        """
        order = []
        for path, descending in sorting(
            collection, names(params.get("sort")), self._collections.get, caller.rights
        ):
            if len(path) > 1 or collection.fields[path[0]].category in ("json", "array"):
                name = ".".join(path)
                raise BadRequest(f"Records cannot be gone through in the order of {name!r}; sort by another")
            order.append((path[0], descending))
        fields = names(params.get("fields"))
        if fields:
            params = {**params, "fields": [*fields, *(name for name, _ in order if name not in fields)]}
        condition, values = self._condition(collection, params.get("filter"), caller, action=action)
        has_key = any(collection.fields[name].primary_key for name, _ in order)
        last = after
        while True:
            parts, bound = ([condition] if condition is not None else []), list(values)
            if last is not None:
                parts.append(_behind(collection, order, last, bound))
            where = parts[0] if len(parts) == 1 else ("and", *parts) if parts else None
            rows, wanted = await self._batch(
                collection, params, where, bound, size if has_key else None, caller, action
            )
            if rows:
                yield await self._appends.add(self._database, collection, rows, wanted, caller)
            if not has_key or len(rows) < size:
                return
            last = rows[-1]

    async def _batch(
        self,
        collection: Collection,
        params: Params,
        condition: Condition | None,
        values: Sequence[Any],
        size: int | None,
        caller: Caller,
        action: str,
    ) -> tuple[list[Record], Projection]:
        page = None if size is None else (1, size)
        shape = (
            collection, condition, _key(params.get("fields")), None,
            _key(params.get("appends")), _key(params.get("sort")), page is None, caller.rights, action,
        )  # fmt: skip
        plan, wanted = self._plans.get(
            ("list", *shape),
            lambda: self._list_plan(collection, params, condition, page, caller.rights, action),
        )
        bound = bound_values(values)
        if size is not None:
            bound["limit"], bound["offset"] = size, 0
        rows = await self._database.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        return plan.records(rows), wanted

    def check_filter(self, collection: Collection, raw: Any, caller: Caller) -> None:
        """Raises BadRequest when a filter makes no sense for a collection."""
        read_filter(collection, raw, caller, self._collections.get)

    async def count(
        self, collection: Collection, raw_filter: Any, caller: Caller, *, action: str = "view"
    ) -> int:
        """How many records match."""
        condition, values = self._condition(collection, raw_filter, caller, action=action)
        return await self._count(collection, condition, bound_values(values))

    async def aggregate(
        self, collection: Collection, body: Mapping[str, Any], caller: Caller
    ) -> list[Record]:
        """Sums, counts and groups.

        Args:
            body: `measures`, `dimensions`, `filter`, `having`, `orders`, `limit`, `offset`.
        """
        question = Aggregation(collection, body, self._collections.get, caller.rights, caller.zone)
        condition, values = self._condition(collection, body.get("filter"), caller)
        statement = self._database.compile(question.statement(condition))
        rows = await self._database.fetch_all(statement.sql, statement.bind(bound_values(values)))
        return question.rows(rows)

    async def get(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        action: str = "view",
        within: Within | None = None,
        connection: Connection | None = None,
    ) -> Record | None:
        """The record with the key `filterByTk`, else the first that matches `filter`, else None."""
        condition, values = self._condition(
            collection,
            params.get("filter"),
            caller,
            action=action,
            within=within,
            key=params.get("filterByTk", MISSING),
        )
        shape = (
            collection, condition, _key(params.get("fields")), _key(params.get("except")),
            _key(params.get("appends")), _key(params.get("sort")), False, caller.rights, action,
        )  # fmt: skip
        plan, wanted = self._plans.get(
            ("list", *shape),
            lambda: self._list_plan(collection, params, condition, (1, 1), caller.rights, action),
        )
        bound = bound_values(values)
        bound["limit"], bound["offset"] = 1, 0
        database = connection or self._database
        row = await database.fetch_one(plan.statement.sql, plan.statement.bind(bound))
        if row is None:
            return None
        return (await self._appends.add(database, collection, plan.records([row]), wanted, caller))[0]

    # -- parts -----------------------------------------------------------------------------------------

    def _condition(
        self,
        collection: Collection,
        raw: Any,
        caller: Caller,
        *,
        action: str = "view",
        within: Within | None = None,
        key: Any = MISSING,
    ) -> tuple[Condition | None, list[Any]]:
        parts: list[Condition] = []
        values: list[Any] = []
        if key is not MISSING:
            parts.append(self._key_condition(collection, key, values))
        scope = caller.rights.need(collection, action).scope
        if scope is not None:
            condition, found = read_scope(collection, scope, caller, self._collections.get)
            if condition is not None:
                parts.append(condition)
                values += found
        if within is not None:
            parts.append(within[0])
            values += within[1]
        if raw is not None:
            condition, found = read_filter(collection, raw, caller, self._collections.get)
            if condition is not None:
                parts.append(condition)
                values += found
        if not parts:
            return None, values
        return (parts[0] if len(parts) == 1 else ("and", *parts)), values

    def _key_condition(self, collection: Collection, key: Any, values: list[Any]) -> Condition:
        if isinstance(key, Mapping):
            conditions: list[Condition] = []
            for name, value in key.items():
                field = self._key_field(collection, name)
                conditions.append(("eq", name))
                values.append(field.operand(value, collection.kind))
            if not conditions:
                raise BadRequest("`filterByTk` is empty")
            return conditions[0] if len(conditions) == 1 else ("and", *conditions)
        if collection.target_key is None:
            raise BadRequest(f"Collection {collection.name!r} has no record key; use `filter`")
        field = self._key_field(collection, collection.target_key)
        if isinstance(key, list):
            values.append([field.operand(item, collection.kind) for item in key])
            return ("in", field.name)
        if key is None:
            raise BadRequest("`filterByTk` is empty")
        values.append(field.operand(key, collection.kind))
        return ("eq", field.name)

    def _key_field(self, collection: Collection, name: str) -> Field:
        field = collection.fields.get(name)
        if field is None or field.hidden:
            raise BadRequest(f"Unknown field {name!r} in `filterByTk`")
        return field


def _behind(
    collection: Collection, order: Sequence[tuple[str, bool]], last: Record, values: list[Any]
) -> Condition:
    """What the records behind `last` fulfil; rows without a value come last in either direction."""
    ways: list[Condition] = []
    for index, (name, descending) in enumerate(order):
        field, value = collection.fields[name], last[name]
        if value is None:
            continue
        steps: list[Condition] = []
        for before, _ in order[:index]:
            steps.append(("null" if last[before] is None else "eq", before))
            if last[before] is not None:
                values.append(_operand(collection.fields[before], last[before], collection.kind))
        values.append(_operand(field, value, collection.kind))
        beyond: Condition = ("lt" if descending else "gt", name)
        steps.append(("or", beyond, ("null", name)) if field.allow_null else beyond)
        ways.append(steps[0] if len(steps) == 1 else ("and", *steps))
    return ways[0] if len(ways) == 1 else ("or", *ways)


def _operand(field: Field, value: Any, kind: DatabaseKind) -> Any:
    """A value of a record for a comparison; days are still objects there."""
    return field.operand(value.isoformat() if isinstance(value, date) else value, kind)


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def selection(collection: Collection, params: Params) -> dict[str, Any]:
    """`filter` and `filterByTk` together as one filter."""
    parts: list[Any] = [params["filter"]] if params.get("filter") else []
    if "filterByTk" in params and collection.target_key is not None:
        parts.append({collection.target_key: params["filterByTk"]})
    return {"$and": parts}
