"""Reading and writing the records of any collection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.context import Page
from atoll.application.events import Events, RecordsChanged
from atoll.application.fields.base import MISSING, Field
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.fields.snowflake_id import SnowflakeIdField, SnowflakeIds
from atoll.application.records.filter import Caller, is_empty, read_filter
from atoll.application.records.operators import Condition
from atoll.application.records.parameters import names, paging, projection, sorting
from atoll.application.records.plans import PlanCache, Planner, RowPlan
from atoll.application.records.validation import check_rules
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, NotNullViolation, UniqueViolation, ValidationFailed

Record = dict[str, Any]
Params = Mapping[str, Any]


class RecordEngine:
    """The generic actions, for all collections of one app.

    Records are given and taken in their JSON form. Nothing here knows about rights: `only_own` is the caller's
    decision to restrict everything to records created by `caller.user`.
    """

    def __init__(self, database: Database, collections: CollectionStore, events: Events, ids: SnowflakeIds) -> None:
        self._database = database
        self._collections = collections
        self._events = events
        self._ids = ids
        self._plans = PlanCache()
        self._planner = Planner(database, collections.get)
        self._counting: dict[Any, asyncio.Task[int]] = {}

    def forget_plans(self) -> None:
        """Drops compiled queries, after collections changed."""
        self._plans.clear()

    # -- reading ---------------------------------------------------------------------------------------

    async def list(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        only_own: bool = False,
        connection: Connection | None = None,
    ) -> list[Record] | Page:
        """The records of one page with `meta`, or all matching ones for `paginate=false`."""
        database = connection or self._database
        page = paging(params)
        condition, values = self._condition(collection, params.get("filter"), caller, only_own=only_own)
        shape = (
            collection, condition, _key(params.get("fields")), _key(params.get("except")), _key(params.get("appends")),
            _key(params.get("sort")), page is None,
        )  # fmt: skip
        plan, wanted = self._plans.get(("list", *shape), lambda: self._list_plan(collection, params, condition, page))
        bound = {f"p{index}": value for index, value in enumerate(values)}
        if page is None:
            rows = await database.fetch_all(plan.statement.sql, plan.statement.bind(bound))
            return await self._appended(collection, plan.records(rows), wanted)
        number, size = page
        simple = collection.flag("simplePaginate")
        bound["limit"], bound["offset"] = size + 1 if simple else size, (number - 1) * size
        rows = await database.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        if simple:
            records = await self._appended(collection, plan.records(rows[:size]), wanted)
            return Page(records, {"hasNext": len(rows) > size, "page": number, "pageSize": size})
        records = await self._appended(collection, plan.records(rows), wanted)
        count = await self._count(collection, condition, bound)
        total = -(-count // size) if size else None
        return Page(records, {"count": count, "page": number, "pageSize": size, "totalPage": total})

    def _list_plan(
        self, collection: Collection, params: Params, condition: Condition | None, page: tuple[int, int] | None
    ) -> tuple[RowPlan, tuple[str, ...]]:
        wanted = projection(
            collection, names(params.get("fields")), names(params.get("except")), names(params.get("appends"))
        )
        order = sorting(collection, names(params.get("sort")))
        return self._planner.select(collection, wanted, condition, order, paged=page is not None), wanted.appends

    async def _count(self, collection: Collection, condition: Condition | None, bound: Mapping[str, Any]) -> int:
        plan = self._plans.get(
            ("count", collection, condition), lambda: self._planner.count(collection, condition)
        )
        row = await self._database.fetch_one(plan.sql, plan.bind(bound))
        return int(row[0]) if row else 0

    async def count(self, collection: Collection, raw_filter: Any, caller: Caller) -> int:
        """How many records match."""
        condition, values = self._condition(collection, raw_filter, caller)
        return await self._count(collection, condition, {f"p{index}": value for index, value in enumerate(values)})

    async def get(
        self, collection: Collection, params: Params, caller: Caller, *, only_own: bool = False
    ) -> Record | None:
        """The record with the key `filterByTk`, else the first that matches `filter`, else None."""
        condition, values = self._condition(
            collection, params.get("filter"), caller, only_own=only_own, key=params.get("filterByTk", MISSING)
        )
        shape = (
            collection, condition, _key(params.get("fields")), _key(params.get("except")), _key(params.get("appends")),
            _key(params.get("sort")), False,
        )  # fmt: skip
        plan, wanted = self._plans.get(("list", *shape), lambda: self._list_plan(collection, params, condition, (1, 1)))
        bound = {f"p{index}": value for index, value in enumerate(values)}
        bound["limit"], bound["offset"] = 1, 0
        row = await self._database.fetch_one(plan.statement.sql, plan.statement.bind(bound))
        if row is None:
            return None
        return (await self._appended(collection, plan.records([row]), wanted))[0]

    async def _appended(self, collection: Collection, records: list[Record], wanted: Sequence[str]) -> list[Record]:
        """Adds appended relations, one query each; names that are no relation are left out."""
        for name in wanted:
            relation = collection.relations.get(name)
            target = self._collections.get(relation.target) if relation else None
            if relation is None or target is None:
                continue
            keys = sorted({record[relation.foreign_key] for record in records if record[relation.foreign_key]})
            found: dict[Any, Record] = {}
            if keys:
                rows = await self.list(
                    target, {"paginate": False, "filter": {relation.target_key: {"$in": keys}}}, Caller()
                )
                found = {row[relation.target_key]: row for row in rows if isinstance(rows, list)}
            for record in records:
                record[name] = found.get(record[relation.foreign_key])
        return records

    # -- writing ---------------------------------------------------------------------------------------

    async def create(
        self,
        collection: Collection,
        values: Any,
        caller: Caller,
        params: Params | None = None,
        *,
        connection: Connection | None = None,
    ) -> Record | list[Record]:
        """Creates one record, or several in one transaction when `values` is a list."""
        if isinstance(values, list):
            async with (connection or self._database).transaction() as tx:
                created = [await self._insert(tx, collection, item, caller, params or {}) for item in values]
            await self._events.records.emit(RecordsChanged(collection.name, "created", tuple(created)))
            return created
        record = await self._insert(connection or self._database, collection, values, caller, params or {})
        await self._events.records.emit(RecordsChanged(collection.name, "created", (record,)))
        return record

    async def _insert(
        self, connection: Connection, collection: Collection, values: Any, caller: Caller, params: Params
    ) -> Record:
        given = _allowed(_object(values), params)
        row = self._new_row(collection, given, caller)
        plan = self._plans.get(
            ("insert", collection, tuple(row)), lambda: self._planner.insert(collection, tuple(row))
        )
        bound = {f"v_{name}": value for name, value in row.items()}
        try:
            rows = await connection.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        except (UniqueViolation, NotNullViolation) as error:
            raise self._explained(collection, error) from None
        return plan.records(rows)[0]

    def _new_row(self, collection: Collection, given: Mapping[str, Any], caller: Caller) -> Record:
        kind = collection.kind
        now = stored(now_ms(), kind)
        user_id = caller.user.id if caller.user is not None else None
        automatic = {
            "createdAt": now if collection.flag("createdAt") else None,
            "updatedAt": now if collection.flag("updatedAt") else None,
            "createdById": user_id if "createdBy" in collection.relations else None,
            "updatedById": user_id if "updatedBy" in collection.relations else None,
        }
        row: Record = {}
        problems: list[str] = []
        for name, field in collection.fields.items():
            value = given.get(name, MISSING)
            if value is MISSING:
                if field.auto_increment:
                    continue
                parsed = automatic.get(name)
                if parsed is None:
                    parsed = self._ids.next() if isinstance(field, SnowflakeIdField) else field.initial(kind)
            elif value is None and field.auto_increment:
                continue
            else:
                parsed = None if value is None else field.parse(value, kind)
            if "validation" in field.options:
                problems += check_rules(collection, field, None if value is MISSING else value)
            if parsed is None and not field.allow_null:
                problems.append(f"{field.title} cannot be null")
            row[name] = parsed
        if problems:
            raise ValidationFailed(problems)
        return row

    async def update(
        self,
        collection: Collection,
        params: Params,
        values: Any,
        caller: Caller,
        *,
        only_own: bool = False,
        connection: Connection | None = None,
    ) -> list[Record]:
        """Changes the records that match `filterByTk` and `filter`; answers them as they are afterwards."""
        key, raw_filter = params.get("filterByTk", MISSING), params.get("filter")
        if key is MISSING and is_empty(raw_filter) and params.get("forceUpdate") not in ("true", True):
            raise BadRequest("To update records, `filterByTk` or `filter` is required")
        given = _allowed(_object(values), params)
        condition, bound_values = self._condition(collection, raw_filter, caller, only_own=only_own, key=key)
        row = self._changed_row(collection, given, caller)
        bound = {f"p{index}": value for index, value in enumerate(bound_values)}
        if not row:
            found = await self.list(
                collection, {**params, "paginate": False, "filter": _both(collection, params)}, caller, only_own=only_own
            )
            return found if isinstance(found, list) else found.rows
        plan = self._plans.get(
            ("update", collection, tuple(row), condition),
            lambda: self._planner.update(collection, tuple(row), condition),
        )
        bound.update({f"v_{name}": value for name, value in row.items()})
        try:
            rows = await (connection or self._database).fetch_all(plan.statement.sql, plan.statement.bind(bound))
        except (UniqueViolation, NotNullViolation) as error:
            raise self._explained(collection, error) from None
        records = plan.records(rows)
        if collection.key is not None and len(records) > 1:
            name = collection.key.name
            records.sort(key=lambda record: record[name])
        if records:
            await self._events.records.emit(RecordsChanged(collection.name, "updated", tuple(records)))
        return records

    def _changed_row(self, collection: Collection, given: Mapping[str, Any], caller: Caller) -> Record:
        kind = collection.kind
        row: Record = {}
        problems: list[str] = []
        for name, value in given.items():
            field = collection.fields.get(name)
            if field is None or field.primary_key or name in ("createdAt", "updatedAt", "createdById", "updatedById"):
                continue
            parsed = None if value is None else field.parse(value, kind)
            if "validation" in field.options:
                problems += check_rules(collection, field, value)
            if parsed is None and not field.allow_null:
                problems.append(f"{field.title} cannot be null")
            row[name] = parsed
        if problems:
            raise ValidationFailed(problems)
        if row and collection.flag("updatedAt"):
            row["updatedAt"] = stored(now_ms(), kind)
        if row and "updatedBy" in collection.relations and caller.user is not None:
            row["updatedById"] = caller.user.id
        return row

    async def destroy(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        only_own: bool = False,
        connection: Connection | None = None,
    ) -> int:
        """Deletes the records that match `filterByTk` and `filter`; answers how many."""
        key, raw_filter = params.get("filterByTk", MISSING), params.get("filter")
        if key is MISSING and is_empty(raw_filter):
            raise BadRequest("To destroy records, `filterByTk` or `filter` is required")
        condition, values = self._condition(collection, raw_filter, caller, only_own=only_own, key=key)
        if condition is None:
            raise BadRequest("To destroy records, `filterByTk` or `filter` is required")
        plan = self._plans.get(("delete", collection, condition), lambda: self._planner.delete(collection, condition))
        bound = {f"p{index}": value for index, value in enumerate(values)}
        count = await (connection or self._database).execute(plan.sql, plan.bind(bound))
        if count:
            await self._events.records.emit(RecordsChanged(collection.name, "destroyed"))
        return count

    async def first_or_create(self, collection: Collection, params: Params, values: Any, caller: Caller) -> Record:
        """The first record that has the given `filterKeys`, else a new one."""
        found = await self.get(collection, {"filter": _key_filter(params, values)}, caller)
        created = found or await self.create(collection, values, caller, params)
        return created if isinstance(created, dict) else created[0]

    async def update_or_create(
        self, collection: Collection, params: Params, values: Any, caller: Caller
    ) -> Record | list[Record]:
        """Changes the records that have the given `filterKeys` (a list), else creates one (an object)."""
        condition = _key_filter(params, values)
        found = await self.get(collection, {"filter": condition}, caller)
        if found is None:
            return await self.create(collection, values, caller, params)
        key = {"filterByTk": found[collection.target_key]} if collection.target_key else {"filter": condition}
        return await self.update(collection, {**params, "filter": None, **key}, values, caller)

    # -- parts -----------------------------------------------------------------------------------------

    def _condition(
        self, collection: Collection, raw: Any, caller: Caller, *, only_own: bool = False, key: Any = MISSING
    ) -> tuple[Condition | None, list[Any]]:
        parts: list[Condition] = []
        values: list[Any] = []
        if key is not MISSING:
            parts.append(self._key_condition(collection, key, values))
        if only_own:
            parts.append(("eq", "createdById"))
            values.append(caller.user.id if caller.user is not None else -1)
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

    def _explained(self, collection: Collection, error: UniqueViolation | NotNullViolation) -> BadRequest:
        columns = error.columns if isinstance(error, UniqueViolation) else (error.column,)
        titles = [collection.fields[name].title if name in collection.fields else name for name in columns if name]
        what = ", ".join(titles) or collection.title
        return ValidationFailed([f"{what} {'already exists' if isinstance(error, UniqueViolation) else 'cannot be null'}"])


def _object(values: Any) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise BadRequest("The values of a record are an object")
    return values


def _allowed(values: Mapping[str, Any], params: Params) -> Mapping[str, Any]:
    """Applies `whitelist` and `blacklist`."""
    kept, dropped = params.get("whitelist"), params.get("blacklist")
    if kept is not None:
        allowed = {name.split(".")[0] for name in names(kept)}
        values = {name: value for name, value in values.items() if name in allowed}
    if dropped is not None:
        refused = set(names(dropped))
        values = {name: value for name, value in values.items() if name not in refused}
    return values


def _both(collection: Collection, params: Params) -> Mapping[str, Any]:
    parts: list[Any] = [params["filter"]] if params.get("filter") else []
    if "filterByTk" in params and collection.target_key:
        parts.append({collection.target_key: params["filterByTk"]})
    return {"$and": parts}


def _key_filter(params: Params, values: Any) -> dict[str, Any]:
    keys = names(params.get("filterKeys"))
    if not keys:
        raise BadRequest("`filterKeys` is required: the fields that identify the record")
    given = _object(values)
    return {key: given.get(key) for key in keys}


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
