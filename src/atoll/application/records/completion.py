"""Values that records get from others: counters of sequences, formulas, and the one true value of a radio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import case, update
from sqlalchemy.dialects import postgresql, sqlite

from atoll.application.collections.model import Collection
from atoll.application.fields.boolean import RadioField
from atoll.application.fields.datetime import stored
from atoll.application.fields.formula import FormulaField
from atoll.application.fields.sequence import Counter, SequenceField
from atoll.application.records.unit_of_work import Record, UnitOfWork
from atoll.database.drivers.base import Database


class Completion:
    """What is written beside the values that clients give; always part of the record's own transaction."""

    def __init__(self, database: Database, sequences: Collection) -> None:
        self._database = database
        self._sequences = sequences

    async def counted(
        self, unit: UnitOfWork, collection: Collection, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The values of sequences of a new record."""
        values: dict[str, Any] = {}
        now = datetime.now(UTC)
        for field in collection.fields.values():
            if not isinstance(field, SequenceField):
                continue
            own = field.parse(given[field.name], collection.kind) if given.get(field.name) else None
            if field.inputable and own:
                values[field.name] = own
                for counter in field.counters:
                    number = (field.numbers_in(own) or {}).get(counter.key)
                    if number is not None:
                        await self._behind(unit, collection, field, counter, number, now)
                continue
            numbers = {
                counter.key: await self._next(unit, collection, field, counter, now)
                for counter in field.counters
            }
            values[field.name] = field.text(numbers, now)
        return values

    async def _next(
        self, unit: UnitOfWork, collection: Collection, field: SequenceField, counter: Counter, now: datetime
    ) -> int:
        """The counter's next number; others wait for it until the transaction ends."""
        table = self._sequences.table
        begun = counter.begun(now)
        anew = table.c.current >= counter.largest
        if begun is not None:
            anew = anew | (table.c.lastGeneratedAt < stored(begun, collection.kind))
        statement = self._insert(collection, field, counter, counter.start, now)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.collection, table.c.field, table.c.key],
            set_={
                "current": case((anew, counter.start), else_=table.c.current + 1),
                "lastGeneratedAt": stored(now, collection.kind),
            },
        ).returning(table.c.current)
        found = await self._database.run(statement, connection=unit.connection)
        return int(found.rows[0][0])

    async def _behind(
        self,
        unit: UnitOfWork,
        collection: Collection,
        field: SequenceField,
        counter: Counter,
        number: int,
        now: datetime,
    ) -> None:
        """The counter goes on behind a number that somebody gave."""
        table = self._sequences.table
        statement = self._insert(collection, field, counter, number, now)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.collection, table.c.field, table.c.key],
            set_={"current": case((table.c.current < number, number), else_=table.c.current)},
        )
        await self._database.run(statement, connection=unit.connection)

    def _insert(
        self, collection: Collection, field: SequenceField, counter: Counter, number: int, now: datetime
    ) -> Any:
        make = postgresql.insert if collection.kind == "postgres" else sqlite.insert
        return make(self._sequences.table).values(
            collection=collection.name,
            field=field.name,
            key=counter.key,
            current=number,
            lastGeneratedAt=stored(now, collection.kind),
        )

    def worked_out(self, collection: Collection, row: Record) -> Record:
        """The formulas of a new row, from its driver values."""
        values = _values(collection, row, driver=True)
        return {
            field.name: field.worked_out(values, collection.kind)
            for field in collection.fields.values()
            if isinstance(field, FormulaField)
        }

    def outdated(self, collection: Collection, changed: Sequence[str], record: Record) -> Record:
        """The formulas that must be written anew after a change, as driver values."""
        values = _values(collection, record, driver=False)
        anew: Record = {}
        for field in collection.fields.values():
            if isinstance(field, FormulaField) and field.formula.fields.intersection(changed):
                anew[field.name] = field.worked_out(values, collection.kind)
        return anew

    async def only_one(self, unit: UnitOfWork, collection: Collection, record: Record) -> None:
        """Where a radio is true in a record it is false in all others."""
        table, key = collection.table, collection.key
        for field in collection.fields.values():
            if key is None or not isinstance(field, RadioField) or record.get(field.name) is not True:
                continue
            others = table.c[field.name] == field.parse(True, collection.kind)
            own = key.operand(record[key.name], collection.kind)
            statement = (
                update(table)
                .values({field.name: field.parse(False, collection.kind)})
                .where(others, table.c[key.name] != own)
            )
            changed = await self._database.run(statement, connection=unit.connection)
            if changed.rowcount:
                unit.changed(collection, "updated", [], keys=())


def _values(collection: Collection, row: Record, *, driver: bool) -> dict[str, Any]:
    """A record's values as formulas take them: numbers, texts, booleans."""
    values: dict[str, Any] = {}
    for name, value in row.items():
        field = collection.fields.get(name)
        if field is None or value is None:
            continue
        decode = field.decoder(collection.kind) if driver else None
        value = decode(value) if decode is not None else value
        if field.category == "number" and isinstance(value, (int, str)):
            value = float(value)
        if isinstance(value, (float, str, bool)):
            values[name] = value
    return values
