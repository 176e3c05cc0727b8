"""Reading and writing the records of any collection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.events import Events, RecordsChanged
from atoll.application.fields.base import MISSING
from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.application.fields.sort import SortField
from atoll.application.records.associations import Associations, names_relation
from atoll.application.records.completion import Completion
from atoll.application.records.filter import Caller, is_empty
from atoll.application.records.integrity import Integrity
from atoll.application.records.operators import Condition
from atoll.application.records.ordering import Ordering, hold_order
from atoll.application.records.parameters import names
from atoll.application.records.reader import Params, Record, RecordReader, Within
from atoll.application.records.rights import echo, writable
from atoll.application.records.rows import RowWriter
from atoll.application.records.tree import refuse_circle
from atoll.application.records.unit_of_work import UnitOfWork, unit
from atoll.application.records.versions import ANY, version
from atoll.database.drivers.base import Connection, Database
from atoll.errors import BadRequest, NotFound, RecordChanged

__all__ = ["Params", "Record", "RecordEngine"]


class RecordEngine(RecordReader):
    """The generic actions, for all collections of one app."""

    def __init__(
        self, database: Database, collections: CollectionStore, events: Events, ids: SnowflakeIds
    ) -> None:
        super().__init__(database, collections)
        self._events = events
        self._rows = RowWriter(
            self._plans,
            self._planner,
            ids,
            Completion(database, collections.system["sequences"]),
            database.schema,
        )
        everything = lambda: [*collections.own().values(), *collections.system.values()]  # noqa: E731
        self._integrity = Integrity(self._rows, self._plans, collections.get, everything)
        self.associations = Associations(self._rows, self, collections.get)

    @asynccontextmanager
    async def work(
        self, caller: Caller, params: Params, connection: Connection | None = None
    ) -> AsyncIterator[UnitOfWork]:
        """A transaction whose changes are announced after its commit (not when it is part of another's)."""
        async with (connection or self._database).transaction() as tx:
            begun = unit(tx, caller, params)
            yield begun
        if connection is None:
            await self._announce_all(begun)

    async def create(
        self,
        collection: Collection,
        values: Any,
        caller: Caller,
        params: Params | None = None,
        *,
        action: str = "create",
        connection: Connection | None = None,
    ) -> Record | list[Record]:
        """Creates one record, or several in one transaction when `values` is a list."""
        if isinstance(values, list):
            right = caller.rights.need(collection, action)
            given = [writable(caller.rights, right, _allowed(_object(item), params or {})) for item in values]
            async with self.work(caller, params or {}, connection) as begun:
                made = [await self.associations.create(begun, collection, item) for item in given]
            return [echo(collection, caller.rights, right, each) for each in made]
        return await self.create_one(collection, values, caller, params, action=action, connection=connection)

    async def create_one(
        self,
        collection: Collection,
        values: Any,
        caller: Caller,
        params: Params | None = None,
        *,
        action: str = "create",
        connection: Connection | None = None,
    ) -> Record:
        """Creates one record, with those that its values say of others."""
        right = caller.rights.need(collection, action)
        given = writable(caller.rights, right, _allowed(_object(values), params or {}))
        if collection.counted or collection.completed or names_relation(collection, given):
            async with self.work(caller, params or {}, connection) as begun:
                record = await self.associations.create(begun, collection, given)
            return echo(collection, caller.rights, right, record)
        begun = unit(connection or self._database, caller, {})
        record = await self._rows.insert(begun, collection, given)
        if connection is None:
            await self._announce_all(begun)
        return record if caller.rights.unlimited else echo(collection, caller.rights, right, record)

    def check(self, collection: Collection, values: Any, caller: Caller, *, changing: bool = False) -> None:
        """Raises what `create` (or `update`, when `changing`) would raise before it asks the database."""
        given = _object(values)
        if changing:
            self._rows.changed_row(collection, given, caller)
        else:
            self._rows.new_row(collection, given, caller)

    async def update(
        self,
        collection: Collection,
        params: Params,
        values: Any,
        caller: Caller,
        *,
        within: Within | None = None,
        expected: frozenset[str] | None = None,
        connection: Connection | None = None,
    ) -> list[Record]:
        """Changes the records that match `filterByTk` and `filter`; answers them as they are afterwards.

        Args:
            expected: versions that the one record may have (see `versions`); another one raises
                RecordChanged, none at all NotFound. None: whatever it is.
        """
        given = _allowed(_object(values), params)
        parent = collection.relation_of("parent")
        stepwise = parent is not None or collection.completed
        if expected is not None or stepwise or names_relation(collection, given):
            async with self.work(caller, params, connection) as begun:
                return await self.update_in(
                    begun, collection, params, values, within=within, expected=expected
                )
        begun = unit(connection or self._database, caller, {})
        records = await self.update_in(begun, collection, params, values, within=within)
        if connection is None:
            await self._announce_all(begun)
        return records

    async def update_in(
        self,
        begun: UnitOfWork,
        collection: Collection,
        params: Params,
        values: Any,
        *,
        within: Within | None = None,
        expected: frozenset[str] | None = None,
    ) -> list[Record]:
        """`update` as part of a unit of work, which the giver ends; with `expected` it is a transaction."""
        key, raw_filter = params.get("filterByTk", MISSING), params.get("filter")
        if key is MISSING and is_empty(raw_filter) and params.get("forceUpdate") not in ("true", True):
            raise BadRequest("To update records, `filterByTk` or `filter` is required")
        right = begun.caller.rights.need(collection, "update")
        given = writable(begun.caller.rights, right, _allowed(_object(values), params))
        condition, operands = self._condition(
            collection, raw_filter, begun.caller, action="update", within=within, key=key
        )
        row = self._rows.changed_row(collection, given, begun.caller)
        if expected is not None:
            await self._unchanged(begun, collection, condition, operands, expected)
        if row and not names_relation(collection, given):
            records = await self._rows.update(begun, collection, row, condition, operands)
            await refuse_circle(self, collection, records, begun)
        else:
            records = await self._rows.keys(begun, collection, condition, operands, collection.visible)
            if names_relation(collection, given):
                records = [await self.associations.update(begun, collection, each, given) for each in records]
                await refuse_circle(self, collection, records, begun)
        if begun.caller.rights.unlimited:
            return records
        return [echo(collection, begun.caller.rights, right, each) for each in records]

    async def _unchanged(
        self,
        begun: UnitOfWork,
        collection: Collection,
        condition: Condition | None,
        operands: Sequence[Any],
        expected: frozenset[str],
    ) -> None:
        """Raises unless one record matches and is as its client saw it; it stays so until the commit."""
        found = await self._rows.keys(begun, collection, condition, operands, collection.visible)
        if not found:
            raise NotFound("The record does not exist any more, or is out of your reach")
        if len(found) > 1:
            raise BadRequest("`If-Match` is about one record: name it with `filterByTk`")
        rights = begun.caller.rights
        present = version(collection, rights, found[0])
        if present not in expected and ANY not in expected:
            right = rights.need(collection, "update")
            raise RecordChanged(
                "The record was changed by somebody else in the meantime; compare before you save again",
                record=found[0] if rights.unlimited else echo(collection, rights, right, found[0]),
                version=present,
            )

    async def find_locked(
        self, begun: UnitOfWork, collection: Collection, name: str, value: Any, *, action: str | None = None
    ) -> Record | None:
        """The record whose field `name` has a value, kept from other writers until the commit.

        Args:
            action: what the caller must be allowed to do with it; None: that does not matter.
        """
        found = [collection.fields[name].operand(value, collection.kind)]
        caller = begun.caller if action is not None else begun.caller.unlimited()
        condition, values = self._condition(
            collection, None, caller, action=action or "view", within=(("eq", name), found)
        )
        rows = await self._rows.keys(begun, collection, condition, values, collection.visible)
        return rows[0] if rows else None

    async def destroy(
        self,
        collection: Collection,
        params: Params,
        caller: Caller,
        *,
        within: Within | None = None,
        connection: Connection | None = None,
    ) -> int:
        """Deletes the records that match `filterByTk` and `filter`; answers how many."""
        key, raw_filter = params.get("filterByTk", MISSING), params.get("filter")
        if key is MISSING and is_empty(raw_filter):
            raise BadRequest("To destroy records, `filterByTk` or `filter` is required")
        condition, values = self._condition(
            collection, raw_filter, caller, action="destroy", within=within, key=key
        )
        if condition is None:
            raise BadRequest("To destroy records, `filterByTk` or `filter` is required")
        if self._integrity.referenced(collection):
            async with self.work(caller, params, connection) as begun:
                return await self._integrity.destroy(begun, collection, condition, values)
        begun = unit(connection or self._database, caller, {})
        # By a filter alone it may be any number: their keys are not brought here.
        keyed = key is not MISSING
        count = await self._rows.delete(begun, collection, condition, values, keyed=keyed)
        if connection is None:
            await self._announce_all(begun)
        return count

    async def move(
        self, collection: Collection, params: Params, caller: Caller, *, within: Within | None = None
    ) -> None:
        """Gives a record another place in an order that people made (http-api.md 3.11).

        Args:
            params: `sourceId`; `targetId` or `targetScope` or `sticky`; `method`; `sortField` ("sort").
            within: what the moved record fulfils beside the caller's rights.
        """
        name = params.get("sortField") or "sort"
        field = collection.fields.get(name) if isinstance(name, str) else None
        if not isinstance(field, SortField):
            raise BadRequest(f"Collection {collection.title!r} has no field {name!r} of the type `sort`")
        async with self.work(caller, params) as begun:
            await hold_order(begun.connection, collection, self._database.schema)
            source = await self._placed(begun, collection, params.get("sourceId"), "sourceId", within)
            order = Ordering(self._database, collection, field, begun)
            if params.get("targetId") is not None:
                target = await self._placed(begun, collection, params["targetId"], "targetId", None)
                await order.to(source, target, after=params.get("method") == "insertAfter")
            elif isinstance(params.get("targetScope"), Mapping):
                first = params.get("method") == "prepend"
                await order.into(source, params["targetScope"], first=first)
            elif params.get("sticky") in ("true", True):
                await order.to_top(source)
            else:
                raise BadRequest("Where to? `targetId`, `targetScope` or `sticky` is required")
            begun.changed(collection, "updated", [], keys=[source[collection.target_key or ""]])

    async def _placed(
        self, begun: UnitOfWork, collection: Collection, key: Any, name: str, within: Within | None
    ) -> Record:
        """The record that is moved, or beside which it goes; that one may be anybody's."""
        if key is None:
            raise BadRequest(f"`{name}` is required: the key of a record")
        moved = name == "sourceId"
        caller = begun.caller if moved else begun.caller.unlimited()
        action = "update" if moved else "view"
        condition, values = self._condition(collection, None, caller, action=action, within=within, key=key)
        rows = await self._rows.keys(begun, collection, condition, values, tuple(collection.fields))
        if len(rows) != 1:
            raise NotFound(f"There is no record {key!r} in {collection.title!r}")
        return rows[0]

    async def first_or_create(
        self, collection: Collection, params: Params, values: Any, caller: Caller
    ) -> Record:
        """The first record that has the given `filterKeys`, else a new one."""
        condition = self.key_filter(params, values)
        found = await self.get(collection, {"filter": condition}, caller) if condition else None
        return found or await self.create_one(collection, values, caller, params)

    async def update_or_create(
        self, collection: Collection, params: Params, values: Any, caller: Caller
    ) -> Record | list[Record]:
        """Changes the records that have the given `filterKeys` (a list), else creates one (an object)."""
        condition = self.key_filter(params, values)
        found = await self.get(collection, {"filter": condition}, caller) if condition else None
        if found is None:
            return await self.create_one(collection, values, caller, params)
        key = {"filterByTk": found[collection.target_key]} if collection.target_key else {"filter": condition}
        return await self.update(collection, {**params, "filter": None, **key}, values, caller)

    def key_filter(self, params: Params, values: Any) -> dict[str, Any] | None:
        """The filter that finds the record; None when a value is missing, for that identifies nothing."""
        keys = names(params.get("filterKeys"))
        if not keys:
            raise BadRequest("`filterKeys` is required: the fields that identify the record")
        given = _object(values)
        return None if any(given.get(key) is None for key in keys) else {key: given[key] for key in keys}

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

    async def _announce_all(self, begun: UnitOfWork) -> None:
        for change in begun.changes:
            await self.announce(
                change.collection, change.kind, change.records, keys=change.keys, origin=begun.caller.origin
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
