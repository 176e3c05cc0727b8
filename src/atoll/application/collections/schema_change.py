"""Changes of metadata and tables that belong together: one transaction, several collections if need be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atoll.application.collections.binding import STRUCTURE, Binding, bind, check_key, key_field
from atoll.application.collections.ddl import Ddl
from atoll.application.collections.file_template import FILE_FIELDS
from atoll.application.collections.metadata import Metadata, moved
from atoll.application.collections.model import Collection
from atoll.application.collections.names import check_field_name
from atoll.application.fields import RELATION_TYPES
from atoll.application.fields.uuid import random_name
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest

Row = dict[str, Any]
FLAGS = ("createdAt", "updatedAt", "createdBy", "updatedBy")


@dataclass(frozen=True)
class Surroundings:
    """What a change works with.

    Args:
        own: the collections people made, as they were before the change.
        build: makes the collection of its rows.
        probe: raises BadRequest when a collection that is only read has columns that are not there.
    """

    metadata: Metadata
    ddl: Ddl
    own: Mapping[str, Collection]
    system: Mapping[str, Collection]
    build: Callable[[Row, list[Row]], Collection]
    probe: Callable[[Connection, Collection], Awaitable[None]]


class SchemaChange:
    """One transaction of changes. After an error it must be undone as a whole."""

    def __init__(self, connection: Connection, around: Surroundings) -> None:
        self.connection = connection
        self._around = around
        self._changed: dict[str, Collection | None] = {}

    @property
    def names(self) -> list[str]:
        """The collections that are changed so far."""
        return list(self._changed)

    def find(self, name: str) -> Collection | None:
        """A collection as this transaction sees it."""
        if name in self._changed:
            return self._changed[name]
        return self._around.own.get(name) or self._around.system.get(name)

    # -- collections -----------------------------------------------------------------------------------

    async def create(self, row: Row, declared: Sequence[Row]) -> Row:
        """Makes table and metadata; answers the stored row with its `fields`."""
        name = row["name"]
        fields = [
            *declared,
            *_tree_fields(row, declared),
            *_file_fields(row, declared),
        ]
        plain = [field for field in fields if not is_bound(field)]
        here = self._around.build(row, plain)
        for column in self._awaited(name):
            if column["name"] in here.fields:
                check_key(here, column)
            else:
                plain.append(_possible(here, column))
        here = self._around.build(row, plain)
        bindings = []
        for field in (each for each in fields if is_bound(each)):
            binding = bind(here, field, lambda wanted: here if wanted == name else self.find(wanted))  # noqa: B023
            for column in binding.columns.pop(name, []):
                if column["name"] in here.fields:
                    check_key(here, column)
                else:
                    plain.append(prepared(_possible(here, column)))
                    here = self._around.build(row, plain)
            bindings.append(binding)
        relations = {binding.row["name"]: binding.row for binding in bindings}
        order = [relations.get(field["name"], field) for field in fields]
        order += [field for field in plain if field not in order]
        collection = self._around.build(row, order)
        refuse_twins([*collection.fields, *(name for name in collection.relations if name not in FLAGS)])
        for each in collection.fields.values():
            each.check_options()
        row = {**row, "filterTargetKey": collection.target_key}
        stored = await self._around.metadata.add_collection(self.connection, row)
        for index, field in enumerate(order, start=1):
            order[index - 1] = await self._around.metadata.add_field(
                self.connection, name, {**field, "sort": index}
            )
        await self._apply(self._around.ddl.create(collection))
        await self._around.probe(self.connection, collection)
        self._changed[name] = self._around.build(row, order)
        for binding in bindings:
            await self._bring(binding)
        return {**stored, "fields": order}

    async def change(self, name: str, changes: Mapping[str, Any]) -> Row | None:
        """Merges options of a collection; None when there is none."""
        rows, fields = await self._around.metadata.read(name, self.connection)
        if not rows:
            return None
        row = {**rows[0], **changes}
        self._changed[name] = changed = self._around.build(row, fields.get(name, []))
        await self._around.metadata.change_collection(self.connection, row)
        await self._around.probe(self.connection, changed)
        return row

    async def drop(self, collection: Collection) -> None:
        """Removes table and metadata, and the relations of others that lead to or over it."""
        for other in list(self._around.own.values()):
            for relation in other.relations.values():
                if collection.name in (relation.target, relation.through) and other.name != collection.name:
                    await self.remove_field(other.name, relation.name)
        await self._around.metadata.remove_collection(self.connection, collection.name)
        if collection.counted:
            await self._around.metadata.forget_counters(self.connection, collection.name)
        await self._apply(self._around.ddl.drop(collection))
        self._changed[collection.name] = None

    # -- fields ----------------------------------------------------------------------------------------

    async def add_field(self, name: str, field: Row) -> Row:
        """Adds a field, with its column or with what the relation needs."""
        row, fields = await self._present(name)
        if any(old["name"] == field["name"] for old in fields):
            raise BadRequest(f"Field {field['name']!r} already exists in collection {name!r}")
        old = self._around.build(row, fields)
        if field["name"] not in old.fields:
            refuse_twins([*old.fields, field["name"]])
        binding = bind(old, field, self.find) if is_bound(field) else None
        if binding is not None:
            field = binding.row
            for column in binding.columns.pop(name, []):
                await self._have_column(name, column)
            row, fields = await self._present(name)
            old = self._around.build(row, fields)
        elif field["name"] in FLAGS:
            row = {**row, field["name"]: True}
            await self._around.metadata.change_collection(self.connection, row)
        field = {**field, "sort": max((each.get("sort") or 0 for each in fields), default=0) + 1}
        new = self._around.build(row, [*fields, field])
        for column_name, added in new.fields.items():
            added.check_options()
            if column_name not in old.fields:
                await self._apply(self._around.ddl.add_field(new, added))
        if field["name"] in old.fields and field["name"] in new.fields:
            same_column(old, new, field["name"])
        await self._around.probe(self.connection, new)
        stored = await self._around.metadata.add_field(self.connection, name, field)
        self._changed[name] = new
        if binding is not None:
            await self._bring(binding)
        return stored

    async def change_field(self, name: str, field_name: str, changes: Mapping[str, Any]) -> Row | None:
        """Merges a field's options; None when there is none of that name."""
        row, fields = await self._present(name)
        before = next((field for field in fields if field["name"] == field_name), None)
        if before is None:
            return None
        after = {**before, **{key: value for key, value in changes.items() if key != "reverseField"}}
        if is_bound(before):
            _refuse_other_structure(before, after)
        old = self._around.build(row, fields)
        new = self._around.build(row, [after if field is before else field for field in fields])
        if field_name in new.fields:
            same_column(old, new, field_name)
            new.fields[field_name].check_options()
            await self._apply(self._around.ddl.change_field(old, new, field_name))
        await self._around.metadata.change_field(self.connection, after)
        self._changed[name] = new
        return after

    async def move_field(self, name: str, field_name: str, target: str, *, after: bool) -> None:
        """Gives a field another place; all of the collection are numbered anew."""
        row, fields = await self._present(name)
        by_name = {field["name"]: field for field in fields}
        order = moved(list(by_name), field_name, target, after=after)
        sorted_fields = [{**by_name[each], "sort": number} for number, each in enumerate(order, 1)]
        for field in sorted_fields:
            await self._around.metadata.change_field(self.connection, field)
        self._changed[name] = self._around.build(row, sorted_fields)

    async def remove_field(self, name: str, field_name: str) -> bool:
        """Removes a field and its column; a relation's keys stay. False when there was none of that name."""
        row, fields = await self._present(name)
        gone = next((field for field in fields if field["name"] == field_name), None)
        if gone is None:
            return False
        old = self._around.build(row, fields)
        if field_name in old.fields:
            self._refuse_used(old, field_name, row)
        if field_name in FLAGS:
            row = {**row, field_name: False}
            await self._around.metadata.change_collection(self.connection, row)
        await self._around.metadata.remove_field(self.connection, gone["key"])
        if old.counted:
            await self._around.metadata.forget_counters(self.connection, name, field_name)
        new = self._around.build(row, [field for field in fields if field is not gone])
        for column, field in old.fields.items():
            if column not in new.fields:
                await self._apply(self._around.ddl.drop_field(old, field))
        self._changed[name] = new
        return True

    # -- relations -------------------------------------------------------------------------------------

    async def _bring(self, binding: Binding) -> None:
        """Makes what a relation needs in other collections."""
        for name, columns in binding.columns.items():
            for column in columns:
                await self._have_column(name, column)
        if binding.through is not None:
            between = dict(binding.through)
            fields = [prepared(field) for field in between.pop("fields")]
            await self.create(new_row(between, fields), fields)
        if binding.reverse is not None:
            name, row = binding.reverse
            if self.find(name) is None:
                raise BadRequest(f"`reverseField` needs the collection {name!r}, which does not exist yet")
            await self.add_field(name, {**prepared(row), "reverseKey": binding.row["key"]})

    async def _have_column(self, name: str, column: Row) -> None:
        collection = self.find(name)
        if collection is None:
            return  # it gets the column when it is made
        if column["name"] in collection.fields:
            check_key(collection, column)
        else:
            await self.add_field(name, prepared(_possible(collection, column)))

    def _awaited(self, name: str) -> list[Row]:
        """The foreign keys that relations of other collections need in one that is about to be made."""
        found: dict[str, Row] = {}
        for other in self._around.own.values():
            for relation in other.relations.values():
                if relation.target == name and relation.kind in ("hasOne", "hasMany"):
                    found.setdefault(
                        relation.foreign_key, prepared(key_field(relation.foreign_key, other, relation))
                    )
        return list(found.values())

    def _refuse_used(self, collection: Collection, field_name: str, row: Row) -> None:
        if collection.fields[field_name].primary_key:
            raise BadRequest(f"Field {field_name!r} is the primary key and cannot be destroyed")
        if field_name in (row.get("filterTargetKey"), row.get("titleField")):
            raise BadRequest(
                f"Field {field_name!r} is still used as title or record key of {collection.name!r}"
            )
        for other in (self.find(each) for each in self._around.own):
            for relation in other.relations.values() if other is not None else ():
                if other is not None and field_name in relation.columns_in(collection.name, other.name):
                    raise BadRequest(
                        f"Field {field_name!r} is used by the relation {relation.name!r} of {other.name!r}: "
                        "destroy that one first"
                    )

    # -- parts -----------------------------------------------------------------------------------------

    async def _present(self, name: str) -> tuple[Row, list[Row]]:
        if name in self._around.system:
            raise BadRequest(f"Collection {name!r} belongs to the system; its fields cannot be changed")
        rows, fields = await self._around.metadata.read(name, self.connection)
        if not rows:
            raise BadRequest(f"Collection {name!r} does not exist")
        return rows[0], fields.get(name, [])

    async def _apply(self, statements: Sequence[str]) -> None:
        for statement in statements:
            await self.connection.execute(statement)


def _possible(collection: Collection, column: Row) -> Row:
    """The column; raises BadRequest when the collection cannot get one."""
    if collection.read_only:
        raise BadRequest(
            f"{collection.title!r} is a query or a view and gets no columns: "
            f"add {column['name']!r} to its statement and declare it"
        )
    return column


def is_bound(field: Mapping[str, Any]) -> bool:
    """Whether a field is a relation that needs columns elsewhere or here; who made a record is none."""
    return field.get("type") in RELATION_TYPES and field["name"] not in FLAGS


def prepared(values: Mapping[str, Any]) -> Row:
    """A field as people describe it, with a name and a key."""
    if not isinstance(values, Mapping):
        raise BadRequest("A field is described by an object")
    name = values.get("name") or random_name("f_")
    if isinstance(name, str) and "." in name:
        raise BadRequest(f"Field name {name!r} is not allowed: use letters, digits, _ and - only")
    if not isinstance(values.get("type"), str):
        raise BadRequest(f"Field {name!r}: `type` is missing")
    return {**values, "name": check_field_name(name), "key": random_name()}


def new_row(given: Mapping[str, Any], fields: Sequence[Row]) -> Row:
    """The row of a new collection."""
    names = [field["name"] for field in fields]
    flags = {flag: given.get(flag) is True or flag in names for flag in FLAGS}
    return {
        "title": None, "inherit": False, "hidden": False, "description": None,
        **given, **flags, "key": random_name(),
    }  # fmt: skip


def refuse_twins(names: Sequence[str]) -> None:
    """Raises BadRequest when two names are the same but for the case."""
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin is not name or names.count(name) > 1:
            raise BadRequest(
                f"Field {name!r}: there is a field {twin!r} already; upper and lower case are the same"
            )


def same_column(old: Collection, new: Collection, name: str) -> None:
    """Raises BadRequest when a field would need another column."""
    before, after = old.fields[name], new.fields[name]
    if new.read_only:
        return
    if before.column_type(old.kind) != after.column_type(new.kind) or before.primary_key != after.primary_key:
        raise BadRequest(
            f"Field {name!r}: its column is {before.type!r} and cannot become {after.type!r}; "
            "create another field and move the values"
        )


def _refuse_other_structure(before: Row, after: Row) -> None:
    for key in STRUCTURE:
        if after.get(key) != before.get(key):
            raise BadRequest(
                f"Field {before['name']!r}: `{key}` of a relation cannot change; destroy it and make another"
            )


def _tree_fields(row: Row, declared: Sequence[Row]) -> list[Row]:
    """The two relations of a tree collection, when they are not declared."""
    if not row.get("tree"):
        return []
    common = {"target": row["name"], "foreignKey": "parentId"}
    wanted = (
        {"name": "parent", "type": "belongsTo", "interface": "m2o", "treeParent": True, **common},
        {"name": "children", "type": "hasMany", "interface": "o2m", "treeChildren": True, **common},
    )
    there = {field["name"] for field in declared}
    return [prepared({**field, "onDelete": "CASCADE"}) for field in wanted if field["name"] not in there]


def _file_fields(row: Row, declared: Sequence[Row]) -> list[Row]:
    """What a collection of files must have, as far as it is not declared."""
    if row.get("template") != "file":
        return []
    there = {field["name"] for field in declared}
    return [prepared(field) for field in FILE_FIELDS if field["name"] not in there]
