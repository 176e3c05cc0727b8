"""Reading and writing the records of any collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.events import Events, RecordsChanged
from atoll.application.fields.base import MISSING
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.fields.snowflake_id import SnowflakeIdField, SnowflakeIds
from atoll.application.records.filter import Caller, is_empty
from atoll.application.records.parameters import names
from atoll.application.records.reader import Params, Record, RecordReader, bound_values, selection
from atoll.application.records.validation import check_rules
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, NotNullViolation, UniqueViolation, ValidationFailed

__all__ = ["Params", "Record", "RecordEngine"]


class RecordEngine(RecordReader):
    """The generic actions, for all collections of one app."""

    def __init__(
        self, database: Database, collections: CollectionStore, events: Events, ids: SnowflakeIds
    ) -> None:
        super().__init__(database, collections)
        self._events = events
        self._ids = ids

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
            await self._written(connection, collection, "created", created, caller)
            return created
        return await self.create_one(collection, values, caller, params, connection=connection)

    async def create_one(
        self,
        collection: Collection,
        values: Any,
        caller: Caller,
        params: Params | None = None,
        *,
        connection: Connection | None = None,
    ) -> Record:
        """Creates one record."""
        record = await self._insert(connection or self._database, collection, values, caller, params or {})
        await self._written(connection, collection, "created", [record], caller)
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

    def check(self, collection: Collection, values: Any, caller: Caller, *, changing: bool = False) -> None:
        """Raises what `create` (or `update`, when `changing`) would raise before it asks the database."""
        row = self._changed_row if changing else self._new_row
        row(collection, _object(values), caller)

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
        condition, operands = self._condition(collection, raw_filter, caller, only_own=only_own, key=key)
        row = self._changed_row(collection, given, caller)
        bound = bound_values(operands)
        if not row:
            return await self.find(collection, selection(collection, params), caller, only_own=only_own)
        plan = self._plans.get(
            ("update", collection, tuple(row), condition),
            lambda: self._planner.update(collection, tuple(row), condition),
        )
        bound.update({f"v_{name}": value for name, value in row.items()})
        try:
            rows = await (connection or self._database).fetch_all(
                plan.statement.sql, plan.statement.bind(bound)
            )
        except (UniqueViolation, NotNullViolation) as error:
            raise self._explained(collection, error) from None
        records = plan.records(rows)
        if collection.key is not None and len(records) > 1:
            name = collection.key.name
            records.sort(key=lambda record: record[name])
        if records:
            await self._written(connection, collection, "updated", records, caller)
        return records

    def _changed_row(self, collection: Collection, given: Mapping[str, Any], caller: Caller) -> Record:
        kind = collection.kind
        row: Record = {}
        problems: list[str] = []
        for name, value in given.items():
            field = collection.fields.get(name)
            if (
                field is None
                or field.primary_key
                or name in ("createdAt", "updatedAt", "createdById", "updatedById")
            ):
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
        bound, database = bound_values(values), connection or self._database
        if key is MISSING or collection.target_key is None:
            # By a filter alone it may be any number: their keys are not brought here.
            plan = self._plans.get(
                ("delete", collection, condition), lambda: self._planner.delete(collection, condition)
            )
            count, gone = await database.execute(plan.sql, plan.bind(bound)), []
        else:
            keyed = self._plans.get(
                ("delete keys", collection, condition),
                lambda: self._planner.delete_keys(collection, condition),
            )
            gone = keyed.records(await database.fetch_all(keyed.statement.sql, keyed.statement.bind(bound)))
            count = len(gone)
        if count and connection is None:
            keys = tuple(record[collection.target_key] for record in gone if collection.target_key)
            await self.announce(collection, "destroyed", [], keys=keys, origin=caller.origin)
        return count

    async def first_or_create(
        self, collection: Collection, params: Params, values: Any, caller: Caller
    ) -> Record:
        """The first record that has the given `filterKeys`, else a new one."""
        condition = _key_filter(params, values)
        found = await self.get(collection, {"filter": condition}, caller) if condition else None
        return found or await self.create_one(collection, values, caller, params)

    async def update_or_create(
        self, collection: Collection, params: Params, values: Any, caller: Caller
    ) -> Record | list[Record]:
        """Changes the records that have the given `filterKeys` (a list), else creates one (an object)."""
        condition = _key_filter(params, values)
        found = await self.get(collection, {"filter": condition}, caller) if condition else None
        if found is None:
            return await self.create_one(collection, values, caller, params)
        key = {"filterByTk": found[collection.target_key]} if collection.target_key else {"filter": condition}
        return await self.update(collection, {**params, "filter": None, **key}, values, caller)

    async def announce(
        self,
        collection: Collection,
        kind: str,
        records: Sequence[Record],
        *,
        keys: Sequence[Any] | None = None,
        origin: str = "",
    ) -> None:
        """Tells that a change is committed: who writes with a `connection` calls it after the commit.

        Args:
            keys: of the changed records; taken from `records` when None.
            origin: what the client that asked for the change calls itself.
        """
        self._counts.written(collection.name)
        if not len(self._events.records):
            return
        name = collection.target_key
        if keys is None:
            keys = [record[name] for record in records if name in record]
        await self._events.records.emit(
            RecordsChanged(collection.name, kind, tuple(records), tuple(keys), origin)
        )

    async def _written(
        self,
        connection: Connection | None,
        collection: Collection,
        kind: str,
        records: Sequence[Record],
        caller: Caller,
    ) -> None:
        if connection is None:
            await self.announce(collection, kind, records, origin=caller.origin)

    def _explained(self, collection: Collection, error: UniqueViolation | NotNullViolation) -> BadRequest:
        columns = error.columns if isinstance(error, UniqueViolation) else (error.column,)
        titles = [
            collection.fields[name].title if name in collection.fields else name for name in columns if name
        ]
        what = ", ".join(titles) or collection.title
        return ValidationFailed(
            [f"{what} {'already exists' if isinstance(error, UniqueViolation) else 'cannot be null'}"]
        )


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


def _key_filter(params: Params, values: Any) -> dict[str, Any] | None:
    """The filter that finds the record; None when a value is missing, for that identifies nothing."""
    keys = names(params.get("filterKeys"))
    if not keys:
        raise BadRequest("`filterKeys` is required: the fields that identify the record")
    given = _object(values)
    return None if any(given.get(key) is None for key in keys) else {key: given[key] for key in keys}
