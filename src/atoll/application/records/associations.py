"""Links between records: through nested values (http-api.md 3.9) and through association resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from atoll.application.collections.model import Collection, Lookup
from atoll.application.collections.relations import Relation
from atoll.application.context import Right
from atoll.application.fields.base import Field
from atoll.application.records.conditions import existing
from atoll.application.records.operators import Condition
from atoll.application.records.reader import RecordReader
from atoll.application.records.rights import echo, writable
from atoll.application.records.rows import RowWriter
from atoll.application.records.unit_of_work import Record, UnitOfWork
from atoll.errors import BadRequest, InvalidValue

Given = Mapping[str, Any]
Link = tuple[Record, Given]
"""A linked record, and values for the row between (belongsToMany)."""


ADD, REMOVE = "$add", "$remove"
"""A relation to many takes `{"$add": […], "$remove": […]}` too: what others have linked meanwhile stays."""


class Associations:
    """Creates, changes and links records together with those they are related to."""

    def __init__(self, rows: RowWriter, reader: RecordReader, lookup: Lookup) -> None:
        self._rows = rows
        self._reader = reader
        self._lookup = lookup

    # -- whole records -----------------------------------------------------------------------------------

    async def create(
        self,
        unit: UnitOfWork,
        collection: Collection,
        given: Given,
        path: str = "",
        links: Given | None = None,
    ) -> Record:
        """A new record with all that its values say of others; answers it with those."""
        found, keys = await self._before(unit, collection, given, path)
        record = await self._rows.insert(unit, collection, given, {**keys, **(links or {})})
        record.update(found)
        await self._after(unit, collection, record, given, path, new=True)
        return record

    async def update(
        self, unit: UnitOfWork, collection: Collection, record: Record, given: Given, path: str = ""
    ) -> Record:
        """Changes one record and what its values say of others."""
        found, keys = await self._before(unit, collection, given, path)
        row = self._rows.changed_row(collection, given, unit.caller)
        if keys:
            row = self._rows.touched(collection, {**row, **keys}, unit.caller)
        if row:
            condition, values = self._itself(collection, record)
            changed = await self._rows.update(unit, collection, row, condition, values)
            record = changed[0] if changed else record
        record = {**record, **found}
        await self._after(unit, collection, record, given, path, new=False)
        return record

    async def _before(
        self, unit: UnitOfWork, collection: Collection, given: Given, path: str
    ) -> tuple[Record, Record]:
        """Relations whose key is a column here: the linked records, and the columns' driver values."""
        found: Record = {}
        keys: Record = {}
        for name, relation in _named(collection, given):
            if not relation.holds_key:
                continue
            target, value = existing(self._lookup, relation.target), given[name]
            if relation.kind == "belongsToArray":
                linked = await self._resolve(unit, target, relation, _many(name, value), path)
                found[name] = [_told(unit, target, record) for record, _ in linked]
                column = collection.fields[relation.foreign_key]
                items = [record[relation.target_key] for record, _ in linked]
                keys[relation.foreign_key] = column.parse(items, collection.kind)
                continue
            if value is None:
                found[name] = keys[relation.foreign_key] = None
                continue
            linked = await self._resolve(unit, target, relation, [_one(name, value)], path)
            if linked:
                record = linked[0][0]
                found[name] = _told(unit, target, record)
                keys[relation.foreign_key] = self._key_value(
                    collection, relation.foreign_key, record[relation.target_key]
                )
        return found, keys

    async def _after(
        self, unit: UnitOfWork, collection: Collection, record: Record, given: Given, path: str, *, new: bool
    ) -> None:
        """Relations whose key is elsewhere; the linked records are put into `record`."""
        for name, relation in _named(collection, given):
            if relation.holds_key:
                continue
            target, value = existing(self._lookup, relation.target), given[name]
            source = self._source(collection, relation, record[relation.source_key])
            links = None if relation.through else {relation.foreign_key: source}
            if relation.to_many and _is_difference(value):
                added = await self._resolve(unit, target, relation, _many(name, value.get(ADD)), path, links)
                removed = await self.find(unit, target, relation, _many(name, value.get(REMOVE)))
                await self.remove(unit, relation, source, target, removed)
                await self.add(unit, relation, source, target, added)
                continue
            items = _many(name, value if relation.to_many else _one(name, value))
            linked = await self._resolve(unit, target, relation, items, path, links)
            if relation.through is not None:
                await self._set_between(unit, relation, source, linked, new=new)
            else:
                await self._set_theirs(unit, target, relation, source, linked, new=new)
            records = [_told(unit, target, other) for other, _ in linked]
            record[name] = records if relation.to_many else next(iter(records), None)

    # -- linking -----------------------------------------------------------------------------------------

    async def find(
        self, unit: UnitOfWork, target: Collection, relation: Relation, items: Sequence[Any]
    ) -> list[Link]:
        """The records that keys (or objects with keys) mean, in that order; unknown ones are left out."""
        present = await self._present(unit, target, relation, items)
        found = ((present.get(_mark(self._key_of(target, relation, item))), item) for item in items)
        return [(record, _between(relation, item)) for record, item in found if record is not None]

    async def add(
        self, unit: UnitOfWork, relation: Relation, source: Any, target: Collection, linked: Sequence[Link]
    ) -> None:
        """Links more records to a source; those that are linked stay, with new values between if given."""
        if relation.through is None:
            await self._set_keys(unit, target, relation, source, linked)
            return
        through = existing(self._lookup, relation.through)
        present = await self.linked(unit, relation, source)
        for record, values in linked:
            other = self._key_value(through, relation.other_key, record[relation.target_key])
            if other not in present:
                present.add(other)
                links = {relation.foreign_key: source, relation.other_key: other}
                await self._rows.insert(unit, through, values, links)
            elif row := self._rows.changed_row(through, values, unit.caller):
                both: Condition = ("and", ("eq", relation.foreign_key), ("eq", relation.other_key))
                await self._rows.update(unit, through, row, both, [source, other])

    async def replace(
        self, unit: UnitOfWork, relation: Relation, source: Any, target: Collection, linked: Sequence[Link]
    ) -> None:
        """Links exactly these records to a source."""
        if relation.through is None:
            await self._set_theirs(unit, target, relation, source, linked, new=False)
        else:
            await self._set_between(unit, relation, source, linked, new=False)

    async def remove(
        self,
        unit: UnitOfWork,
        relation: Relation,
        source: Any,
        target: Collection,
        linked: Sequence[Link] | None,
    ) -> None:
        """Unlinks records (None: all) from a source; they stay."""
        if relation.through is not None:
            through = existing(self._lookup, relation.through)
            condition: Condition = ("eq", relation.foreign_key)
            values: list[Any] = [source]
            if linked is not None:
                keys = [
                    self._key_value(through, relation.other_key, r[relation.target_key]) for r, _ in linked
                ]
                condition, values = ("and", condition, ("in", relation.other_key)), [source, keys]
            await self._rows.delete(unit, through, condition, values)
            return
        condition, values = ("eq", relation.foreign_key), [source]
        if linked is not None:
            mine, keys = self._themselves(target, linked)
            condition, values = ("and", condition, mine), [source, *keys]
        row = self._rows.touched(target, {relation.foreign_key: None}, unit.caller)
        await self._rows.update(unit, target, row, condition, values)

    async def linked(self, unit: UnitOfWork, relation: Relation, source: Any) -> set[Any]:
        """The driver values of `other_key` in the rows between that belong to a source."""
        through = existing(self._lookup, relation.through or "")
        condition: Condition = ("eq", relation.foreign_key)
        rows = await self._rows.keys(unit, through, condition, [source], (relation.other_key,))
        keys = (row[relation.other_key] for row in rows)
        return {self._key_value(through, relation.other_key, key) for key in keys if key is not None}

    # -- parts -------------------------------------------------------------------------------------------

    async def _resolve(
        self,
        unit: UnitOfWork,
        target: Collection,
        relation: Relation,
        items: list[Any],
        path: str,
        links: Given | None = None,
    ) -> list[Link]:
        """The records that values mean: keys of existing ones, or objects that are new or to be changed.

        Args:
            links: foreign keys for new ones.
        """
        inner = f"{path}.{relation.name}" if path else relation.name
        present = await self._present(unit, target, relation, items)
        found: list[Link] = []
        for item in items:
            record = present.get(_mark(self._key_of(target, relation, item)))
            if isinstance(item, Mapping):
                values = {name: value for name, value in item.items() if name != relation.through}
                if record is None:
                    record = await self._made(unit, target, values, inner, links)
                elif inner in unit.nested:
                    record = await self._changed(unit, target, record, values, inner)
            if record is not None:
                found.append((record, _between(relation, item)))
        return found

    async def _made(
        self, unit: UnitOfWork, target: Collection, values: Given, path: str, links: Given | None
    ) -> Record | None:
        """A new linked record; None when the caller may not make one, but only link existing ones."""
        if target.system:
            raise BadRequest(f"Records of {target.name!r} are made by their own action; give the key of one")
        right = unit.caller.rights.on(target, "create")
        if right is None:
            return None
        return await self.create(unit, target, writable(unit.caller.rights, right, values), path, links)

    async def _changed(
        self, unit: UnitOfWork, target: Collection, record: Record, values: Given, path: str
    ) -> Record:
        """A linked record after its change; unchanged when the caller may not change it."""
        if target.system:
            raise BadRequest(f"Records of {target.name!r} are changed by their own action")
        right = unit.caller.rights.on(target, "update")
        if right is None:
            return record
        if right.scope is not None:
            key = target.target_key or ""
            mine = await self._reader.find(
                target, {key: record[key]}, unit.caller, action="update", connection=unit.connection
            )
            if not mine:
                return record
        return await self.update(unit, target, record, writable(unit.caller.rights, right, values), path)

    async def _present(
        self, unit: UnitOfWork, target: Collection, relation: Relation, items: Sequence[Any]
    ) -> dict[Any, Record]:
        by_field: dict[str, list[Any]] = {}
        for item in items:
            name, value = self._key_of(target, relation, item)
            if value is not None:
                by_field.setdefault(name, []).append(value)
        present: dict[Any, Record] = {}
        for name, values in by_field.items():
            rows = await self._reader.find(
                target, {name: {"$in": values}}, unit.caller.unlimited(), connection=unit.connection
            )
            present.update({_mark((name, row[name])): row for row in rows})
        return present

    def _key_of(self, target: Collection, relation: Relation, item: Any) -> tuple[str, Any]:
        """By which field, and by what value of it, an item names an existing record."""
        default = relation.target_key
        if not isinstance(item, Mapping):
            return default, item
        keys = [default, relation.target_key, *([target.key.name] if target.key else [])]
        return next(((key, item[key]) for key in keys if item.get(key) is not None), (default, None))

    async def _set_theirs(
        self,
        unit: UnitOfWork,
        target: Collection,
        relation: Relation,
        source: Any,
        linked: Sequence[Link],
        *,
        new: bool,
    ) -> None:
        if not new:
            condition: Condition = ("eq", relation.foreign_key)
            values: list[Any] = [source]
            if linked:
                mine, keys = self._themselves(target, linked)
                condition, values = ("and", condition, ("not", mine)), [source, *keys]
            row = self._rows.touched(target, {relation.foreign_key: None}, unit.caller)
            await self._rows.update(unit, target, row, condition, values)
        await self._set_keys(unit, target, relation, source, linked)

    async def _set_keys(
        self, unit: UnitOfWork, target: Collection, relation: Relation, source: Any, linked: Sequence[Link]
    ) -> None:
        name = relation.foreign_key
        stray = [
            (record, values)
            for record, values in linked
            if record[name] is None or self._key_value(target, name, record[name]) != source
        ]
        if not stray:
            return
        condition, values = self._themselves(target, stray)
        row = self._rows.touched(target, {name: source}, unit.caller)
        changed = await self._rows.update(unit, target, row, condition, values)
        after = {_mark(("", record[target.target_key or ""])): record for record in changed}
        for record, _ in stray:
            record.update(after.get(_mark(("", record[target.target_key or ""])), {}))

    async def _set_between(
        self, unit: UnitOfWork, relation: Relation, source: Any, linked: Sequence[Link], *, new: bool
    ) -> None:
        through = existing(self._lookup, relation.through or "")
        if not new:
            keys = {self._key_value(through, relation.other_key, r[relation.target_key]) for r, _ in linked}
            if gone := sorted(await self.linked(unit, relation, source) - keys):
                both: Condition = ("and", ("eq", relation.foreign_key), ("in", relation.other_key))
                await self._rows.delete(unit, through, both, [source, gone])
        await self.add(unit, relation, source, existing(self._lookup, relation.target), linked)

    def _source(self, collection: Collection, relation: Relation, value: Any) -> Any:
        """The driver value of a foreign key that means a source; raises BadRequest when it has no key."""
        if value is None:
            raise BadRequest(
                f"The record has no {relation.source_key!r}, by which {relation.name!r} is linked: set it"
            )
        return collection.fields[relation.source_key].operand(value, collection.kind)

    def _key_value(self, collection: Collection, name: str, value: Any) -> Any:
        return collection.fields[name].operand(value, collection.kind)

    def _itself(self, collection: Collection, record: Record) -> tuple[Condition, list[Any]]:
        keys = [field for field in collection.fields.values() if field.primary_key]
        if not keys:
            raise BadRequest(f"Collection {collection.name!r} has no primary key; its records have no links")
        parts: list[Condition] = [("eq", field.name) for field in keys]
        values = [field.operand(record[field.name], collection.kind) for field in keys]
        return (parts[0] if len(parts) == 1 else ("and", *parts)), values

    def _themselves(self, collection: Collection, linked: Sequence[Link]) -> tuple[Condition, list[Any]]:
        key: Field | None = collection.key
        if key is None:
            raise BadRequest(
                f"Collection {collection.name!r} has no single key; its records cannot be linked"
            )
        return ("in", key.name), [[key.operand(record[key.name], collection.kind) for record, _ in linked]]


def _named(collection: Collection, given: Given) -> list[tuple[str, Relation]]:
    return [(name, relation) for name, relation in collection.relations.items() if name in given]


def names_relation(collection: Collection, given: Given) -> bool:
    """Whether values say anything of other records."""
    return any(name in collection.relations for name in given)


def _told(unit: UnitOfWork, target: Collection, record: Record) -> Record:
    """What the caller is told of a linked record."""
    rights = unit.caller.rights
    return record if rights.unlimited else echo(target, rights, Right(fields=frozenset()), record)


def _one(name: str, value: Any) -> Any:
    if isinstance(value, list):
        raise BadRequest(f"{name!r} leads to one record: give its key or an object, not a list")
    return value


def _is_difference(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and value.keys() <= {ADD, REMOVE}


def _many(name: str, value: Any) -> list[Any]:
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list) for item in items):
        raise InvalidValue(f"{name!r} takes a list of keys or objects")
    return [item for item in items if item is not None]


def _between(relation: Relation, item: Any) -> Given:
    """The values of the row between that an item brings along."""
    values = item.get(relation.through) if isinstance(item, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def _mark(key: tuple[str, Any]) -> Any:
    """A key as it compares: clients send numbers as text."""
    name, value = key
    return name, value if isinstance(value, str) else msgspec.json.encode(value).decode()
