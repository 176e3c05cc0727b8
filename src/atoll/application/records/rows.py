"""Writing rows of one collection: values are checked and completed here, relations are not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.fields.base import MISSING
from atoll.application.fields.datetime import stored
from atoll.application.fields.moments import now_ms
from atoll.application.fields.snowflake_id import SnowflakeIdField, SnowflakeIds
from atoll.application.fields.sort import SortField
from atoll.application.records.completion import Completion
from atoll.application.records.filter import Caller
from atoll.application.records.operators import Condition
from atoll.application.records.ordering import hold_order
from atoll.application.records.plans import PlanCache, Planner, bound_values
from atoll.application.records.unit_of_work import Record, UnitOfWork
from atoll.application.records.validation import check_rules
from atoll.errors import BadRequest, NotNullViolation, UniqueViolation, ValidationFailed

_AUTOMATIC = frozenset({"createdAt", "updatedAt", "createdById", "updatedById"})


class RowWriter:
    """INSERT, UPDATE and DELETE through compiled plans."""

    def __init__(
        self,
        plans: PlanCache,
        planner: Planner,
        ids: SnowflakeIds,
        completion: Completion,
        schema: str | None = None,
    ) -> None:
        self._plans = plans
        self._planner = planner
        self._ids = ids
        self._completion = completion
        self._schema = schema

    async def insert(
        self,
        unit: UnitOfWork,
        collection: Collection,
        given: Mapping[str, Any],
        links: Mapping[str, Any] | None = None,
    ) -> Record:
        """One new row.

        Args:
            given: values as clients send them.
            links: driver values of foreign keys, which win over `given`.
        """
        if collection.counted:
            await hold_order(unit.connection, collection, self._schema)
            links = {**await self._completion.counted(unit, collection, given), **(links or {})}
        row = self.new_row(collection, given, unit.caller, links)
        if collection.completed:
            row |= self._completion.worked_out(collection, row)
        plan = self._plans.get(
            ("insert", collection, tuple(row)), lambda: self._planner.insert(collection, tuple(row))
        )
        bound = {f"v_{name}": value for name, value in row.items()}
        try:
            rows = await unit.connection.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        except (UniqueViolation, NotNullViolation) as error:
            raise _explained(collection, error) from None
        record = plan.records(rows)[0]
        if collection.completed:
            await self._completion.only_one(unit, collection, record)
        unit.changed(collection, "created", [record])
        return record

    async def update(
        self,
        unit: UnitOfWork,
        collection: Collection,
        row: Mapping[str, Any],
        condition: Condition | None,
        values: Sequence[Any],
    ) -> list[Record]:
        """Writes driver values into all rows that match; answers them as they are afterwards."""
        plan = self._plans.get(
            ("update", collection, tuple(row), condition),
            lambda: self._planner.update(collection, tuple(row), condition),
        )
        bound = bound_values(values)
        bound.update({f"v_{name}": value for name, value in row.items()})
        try:
            rows = await unit.connection.fetch_all(plan.statement.sql, plan.statement.bind(bound))
        except (UniqueViolation, NotNullViolation) as error:
            raise _explained(collection, error) from None
        records = plan.records(rows)
        if collection.completed:
            records = [await self._complete(unit, collection, tuple(row), each) for each in records]
        if collection.key is not None and len(records) > 1:
            name = collection.key.name
            records.sort(key=lambda record: record[name])
        if records:
            unit.changed(collection, "updated", records)
        return records

    async def _complete(
        self, unit: UnitOfWork, collection: Collection, changed: tuple[str, ...], record: Record
    ) -> Record:
        """A changed record after what follows from the change."""
        anew = self._completion.outdated(collection, changed, record)
        key = collection.key
        if anew and key is not None:
            columns, condition = tuple(anew), ("eq", key.name)
            plan = self._plans.get(
                ("update", collection, columns, condition),
                lambda: self._planner.update(collection, columns, condition),
            )
            bound = bound_values([key.operand(record[key.name], collection.kind)])
            bound.update({f"v_{name}": value for name, value in anew.items()})
            rows = await unit.connection.fetch_all(plan.statement.sql, plan.statement.bind(bound))
            record = plan.records(rows)[0] if rows else record
        await self._completion.only_one(unit, collection, record)
        return record

    async def delete(
        self,
        unit: UnitOfWork,
        collection: Collection,
        condition: Condition,
        values: Sequence[Any],
        *,
        keyed: bool = True,
    ) -> int:
        """Removes all rows that match; answers how many.

        Args:
            keyed: whether others are told the keys of what is gone.
        """
        if not keyed or collection.target_key is None:
            plan = self._plans.get(
                ("delete", collection, condition), lambda: self._planner.delete(collection, condition)
            )
            count = await unit.connection.execute(plan.sql, plan.bind(bound_values(values)))
            if count:
                unit.changed(collection, "destroyed", [], keys=())
            return count
        name = collection.target_key
        rows = self._plans.get(
            ("delete keys", collection, condition), lambda: self._planner.delete_keys(collection, condition)
        )
        found = await unit.connection.fetch_all(rows.statement.sql, rows.statement.bind(bound_values(values)))
        if found:
            gone = rows.records(found)
            unit.changed(collection, "destroyed", [], keys=[record[name] for record in gone])
        return len(found)

    async def keys(
        self,
        unit: UnitOfWork,
        collection: Collection,
        condition: Condition | None,
        values: Sequence[Any],
        names: tuple[str, ...],
    ) -> list[Record]:
        """Some columns of all rows that match, which nobody else changes before the commit."""
        plan = self._plans.get(
            ("keys", collection, condition, names),
            lambda: self._planner.keys(collection, condition, names),
        )
        rows = await unit.connection.fetch_all(plan.statement.sql, plan.statement.bind(bound_values(values)))
        return plan.records(rows)

    def changed_row(self, collection: Collection, given: Mapping[str, Any], caller: Caller) -> Record:
        """The driver values of a change; empty when it changes nothing."""
        kind = collection.kind
        row: Record = {}
        problems: list[str] = []
        for name, value in given.items():
            field = collection.fields.get(name)
            if field is None or field.primary_key or field.read_only or name in _AUTOMATIC:
                continue
            parsed = None if value is None else field.parse(value, kind)
            if "validation" in field.options:
                problems += check_rules(collection, field, value)
            if parsed is None and not field.allow_null:
                problems.append(f"{field.title} cannot be null")
            row[name] = parsed
        if problems:
            raise ValidationFailed(problems)
        return self.touched(collection, row, caller)

    def touched(self, collection: Collection, row: Record, caller: Caller) -> Record:
        """The same driver values with who changed them and when, if there are any."""
        if row and collection.flag("updatedAt"):
            row["updatedAt"] = stored(now_ms(), collection.kind)
        if row and "updatedBy" in collection.relations and caller.user is not None:
            row["updatedById"] = caller.user.id
        return row

    def new_row(
        self,
        collection: Collection,
        given: Mapping[str, Any],
        caller: Caller,
        links: Mapping[str, Any] | None = None,
    ) -> Record:
        """The driver values of a new record; raises ValidationFailed. For `links` see `insert`."""
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
            value = MISSING if field.read_only else given.get(name, MISSING)
            if (value is MISSING or value is None) and isinstance(field, SortField):
                continue  # the statement finds the number
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
            if links and name in links:
                parsed = links[name]
            if "validation" in field.options:
                problems += check_rules(collection, field, None if value is MISSING else value)
            if parsed is None and not field.allow_null:
                problems.append(f"{field.title} cannot be null")
            row[name] = parsed
        if problems:
            raise ValidationFailed(problems)
        return row


def _explained(collection: Collection, error: UniqueViolation | NotNullViolation) -> BadRequest:
    columns = error.columns if isinstance(error, UniqueViolation) else (error.column,)
    titles = [
        collection.fields[name].title if name in collection.fields else name for name in columns if name
    ]
    what = ", ".join(titles) or collection.title
    return ValidationFailed(
        [f"{what} {'already exists' if isinstance(error, UniqueViolation) else 'cannot be null'}"]
    )
