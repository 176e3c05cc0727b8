"""The records that cells of relation columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from atoll.application.collections.relations import Relation
from atoll.application.fields.cells import shown as text_of
from atoll.application.records.filter import Caller
from atoll.application.records.reader import Params, Record
from atoll.application.records.rights import shown
from atoll.application.records.unit_of_work import UnitOfWork
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest, Forbidden
from atoll.plugins.import_export.columns import ImportColumn
from atoll.plugins.import_export.importing import Parsed, Readings
from atoll.plugins.import_export.plan import ImportPlan

if TYPE_CHECKING:
    from atoll.application.app import Application

Pending = Callable[[ImportColumn, Any], bool]
"""Whether a dry run would have created a record with this (comparable) value of the column's field."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A row whose links are found.

    Attributes:
        values: with the foreign keys that are columns of the record.
        others: linked records of the other relations, by name.
    """

    parsed: Parsed
    values: Mapping[str, Any]
    others: Mapping[str, Sequence[Record]]


@dataclass(slots=True)
class _Known:
    """What is known of one column's target: records by the comparable value of the column's field."""

    column: ImportColumn
    relation: Relation
    records: dict[Any, list[Record]] = field(default_factory=dict)


class Links:
    """Finds linked records for one chunk of rows: one query for each relation column, whatever its size.

    Only records that the caller may see are found. Raises Forbidden when it may see none of a target.
    """

    def __init__(self, app: Application, plan: ImportPlan, caller: Caller) -> None:
        self._app = app
        self._plan = plan
        self._caller = caller
        self._known = [
            _Known(column, column.relation) for _, column in plan.places.places if column.relation is not None
        ]
        for known in self._known:
            _need_view(caller, known.column)

    async def load(self, chunk: Sequence[Parsed], connection: Connection | None) -> None:
        """Reads the records that the rows may mean."""
        for known in self._known:
            name = known.relation.name
            keys = (key for row in chunk for reading in row.links.get(name, ()) for key in reading)
            wanted = list(dict.fromkeys(keys))
            known.records.clear()
            for record in await self._read(known, wanted, connection) if wanted else ():
                known.records.setdefault(self._comparable(known, record), []).append(record)

    async def _read(
        self, known: _Known, wanted: Sequence[Any], connection: Connection | None
    ) -> list[Record]:
        column, relation, records = known.column, known.relation, self._app.records
        target = column.target
        if target is None:
            return []
        params: Params = {
            "paginate": False,
            "filter": {column.field.name: {"$in": wanted}},
            "fields": [column.field.name, relation.target_key],
        }
        found = await records.page(target, params, self._caller, connection=connection)
        rows = found if isinstance(found, list) else found.rows
        if relation.holds_key or relation.through is not None or not rows:
            return rows
        # Their key to this side is changed: that takes the whole records.
        keys = [row[relation.target_key] for row in rows]
        everything = self._caller.unlimited()
        return await records.find(
            target, {relation.target_key: {"$in": keys}}, everything, connection=connection
        )

    def add(self, record: Record) -> None:
        """A record that exists from now on: rows below may link to it."""
        for known in self._known:
            name, target_key = known.column.field.name, known.relation.target_key
            in_own = known.relation.target == self._plan.collection.name
            if in_own and record.get(name) is not None and target_key in record:
                known.records.setdefault(self._comparable(known, record), []).append(record)

    def resolve(self, parsed: Parsed, pending: Pending | None = None) -> Linked:
        """Finds the links of one row; raises BadRequest with all that is not found."""
        values = dict(parsed.values)
        others: dict[str, Sequence[Record]] = {}
        problems: dict[str, str] = {}
        for known in self._known:
            relation = known.relation
            readings = parsed.links.get(relation.name)
            if readings is None:
                continue
            try:
                records = self._meant(known, readings, pending)
            except BadRequest as error:
                problems[relation.name] = error.message
                continue
            if not relation.holds_key:
                others[relation.name] = records
            elif relation.to_many:
                values[relation.foreign_key] = [record[relation.target_key] for record in records]
            elif records or not readings[0]:
                values[relation.foreign_key] = records[0][relation.target_key] if records else None
        if problems:
            bad = replace(parsed, problems={**parsed.problems, **problems})
            raise LinksUnknown(bad)
        return Linked(parsed, values, others)

    def _meant(self, known: _Known, readings: Readings, pending: Pending | None) -> list[Record]:
        column = known.column
        missing: list[str] = []
        for reading in readings:
            found, missing = [], []
            for key in reading:
                comparable = self._operand(known, key)
                records = known.records.get(comparable, ())
                if len(records) > 1:
                    what = f"{len(records)} records have {column.field.title} {text_of(key)!r}"
                    raise BadRequest(f"{column.title}: {what}; it must be clear which one is meant")
                if records:
                    found.append(records[0])
                elif pending is None or not pending(column, comparable):
                    missing.append(repr(text_of(key)))
            if not missing:
                return found
        target = column.target.title if column.target is not None else known.relation.target
        raise BadRequest(
            f"{column.title}: no record of {target} that you may see has {column.field.title} "
            + ", ".join(missing)
        )

    def _comparable(self, known: _Known, record: Record) -> Any:
        value = record[known.column.field.name]
        return self._operand(known, value)

    def _operand(self, known: _Known, value: Any) -> Any:
        kind = self._plan.collection.kind
        plain = value.isoformat() if hasattr(value, "isoformat") else value
        return known.column.field.operand(plain, kind)

    async def write(self, unit: UnitOfWork, record: Record, linked: Linked, *, new: bool) -> None:
        """Links the others to a record that is there; what was linked to it before is not any more."""
        collection, associations = self._plan.collection, self._app.records.associations
        for known in self._known:
            relation, target = known.relation, known.column.target
            records = linked.others.get(relation.name)
            if records is None or target is None or (new and not records):
                continue
            value = record.get(relation.source_key)
            if value is None:
                raise BadRequest(
                    f"{known.column.title}: the record has no {relation.source_key!r}, "
                    "by which others are linked to it"
                )
            source = collection.fields[relation.source_key].operand(value, collection.kind)
            links: list[tuple[Record, Mapping[str, Any]]] = [(each, {}) for each in records]
            if new:
                await associations.add(unit, relation, source, target, links)
            else:
                await associations.replace(unit, relation, source, target, links)


class LinksUnknown(BadRequest):
    """Cells of a row name records that are not there."""

    def __init__(self, parsed: Parsed) -> None:
        super().__init__(parsed.refusal())
        self.parsed = parsed


def _need_view(caller: Caller, column: ImportColumn) -> None:
    target, relation = column.target, column.relation
    if target is None or relation is None:
        return
    readable = shown(target, caller.rights.need(target, "view"))
    if readable is not None and not {column.field.name, relation.target_key} <= readable:
        raise Forbidden(f"You may not find records of {target.title} by {column.field.title}")
