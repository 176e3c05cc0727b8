"""Which column of a file is which field: paths such as `["title"]` or `["createdBy", "nickname"]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import msgspec

from atoll.application.collections.model import Collection
from atoll.application.collections.relations import Relation
from atoll.application.collections.store import CollectionStore
from atoll.application.fields.base import Field
from atoll.application.fields.cells import shown
from atoll.application.records.reader import Record
from atoll.errors import BadRequest
from atoll.plugins.import_export.sheets.base import Value

MOST_COLUMNS: Final = 1_000
_AUTOMATIC: Final = ("createdAt", "updatedAt", "createdById", "updatedById")


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of an export.

    Attributes:
        path: names, with dots.
        field, relation: what a record must be read with; the relation may be a path.
        read: takes the value out of a record.
    """

    path: str
    title: str
    field: str
    relation: str | None
    read: Callable[[Record], Value]


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One column of an import.

    Attributes:
        field: what the cells are read as: the field they are written to, or the one of `target` by which they
            name records.
        relation, target: of a column that links records.
    """

    title: str
    field: Field
    relation: Relation | None = None
    target: Collection | None = None

    @property
    def name(self) -> str:
        """What is written: the name of a field or relation."""
        return self.field.name if self.relation is None else self.relation.name

    @property
    def written(self) -> frozenset[str]:
        """The names under which rights know it: a relation may be known by its column too."""
        relation = self.relation
        return frozenset({self.name, *((relation.foreign_key,) if relation and relation.holds_key else ())})


def export_columns(
    store: CollectionStore, collection: Collection, given: Any, zone: tzinfo, *, raw: bool = False
) -> list[ExportColumn]:
    """Resolves the columns of an export.

    Args:
        given: `[{"dataIndex": path, "title": ..., "defaultTitle": ...}]`.
        raw: values as the API gives them, not the labels and dates that people see.
    """
    found = []
    for path, title in _listed(given):
        owner, to_many = _target(store, collection, path)
        field = owner.fields.get(path[-1])
        if field is None or field.hidden or field.type == "password":
            raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
        relation = ".".join(path[:-1]) or None
        read = _reading(path[:-1], field, zone, raw=raw, to_many=to_many)
        found.append(ExportColumn(".".join(path), title or field.title, path[0], relation, read))
    return found


def _target(store: CollectionStore, collection: Collection, path: Sequence[str]) -> tuple[Collection, bool]:
    """The collection at the end of a path of relations, and whether several records may be there."""
    owner: Collection | None = collection
    to_many = False
    for name in path[:-1]:
        relation = owner.relations.get(name) if owner is not None else None
        owner = store.get(relation.target) if relation is not None else None
        if relation is None or owner is None:
            raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
        to_many = to_many or relation.to_many
    if owner is None or path[-1] in owner.relations:
        raise BadRequest(
            f"The column {'.'.join(path)!r} is a relation; say which of its fields: "
            f"{msgspec.json.encode([*path, '...']).decode()}"
        )
    return owner, to_many


def _reading(
    relations: Sequence[str], field: Field, zone: tzinfo, *, raw: bool, to_many: bool
) -> Callable[[Record], Value]:
    def read(record: Record) -> Value:
        records = [record]
        for name in relations:
            records = [linked for each in records for linked in _as_list(each.get(name))]
        values = [each[field.name] for each in records if each.get(field.name) is not None]
        if raw:
            return values if to_many else values[0] if values else None
        cells = [field.to_cell(value, zone) for value in values]
        if to_many:
            return ", ".join(map(shown, cells)) or None
        return cells[0] if cells else None

    return read


def _as_list(linked: Any) -> list[Record]:
    if linked is None:
        return []
    return linked if isinstance(linked, list) else [linked]


def import_columns(store: CollectionStore, collection: Collection, given: Any) -> list[ImportColumn]:
    """Resolves the columns of an import; each field is written once, and not those the server fills."""
    found = [importable(store, collection, path, title) for path, title in _listed(given)]
    refuse_doubles(found)
    return found


def refuse_doubles(columns: Sequence[ImportColumn]) -> None:
    """Raises BadRequest when two columns write the same; a relation and its foreign key are the same."""
    names = [name for column in columns for name in column.written]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRequest(f"Two columns are meant for the same field: {', '.join(twice)}")


def importable(
    store: CollectionStore, collection: Collection, path: Sequence[str], title: str = ""
) -> ImportColumn:
    """The column of a path; raises BadRequest when an import cannot write there.

    `["customer", "code"]` finds linked records by their code, `["customer"]` by what names them.
    """
    relation = collection.relations.get(path[0])
    if relation is not None:
        return _link(store, collection, relation, path, title)
    field = collection.fields.get(path[0]) if len(path) == 1 else None
    if field is None or field.hidden:
        raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
    if field.type == "password" or field.name in _AUTOMATIC:
        raise BadRequest(f"The field {field.title!r} cannot be imported; leave the column out")
    return ImportColumn(title or field.title, field)


def _link(
    store: CollectionStore, collection: Collection, relation: Relation, path: Sequence[str], title: str
) -> ImportColumn:
    target = store.get(relation.target)
    if relation.foreign_key in _AUTOMATIC:
        raise BadRequest(f"The field {relation.name!r} cannot be imported; leave the column out")
    name = path[1] if len(path) == 2 else _naming(target, relation) if len(path) == 1 else None
    field = target.fields.get(name) if target is not None and name is not None else None
    if target is None or field is None or field.hidden or field.type == "password":
        raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
    if not _identifies(target, relation, field):
        raise BadRequest(
            f"The column {'.'.join(path)!r} does not say which record is meant: name the title field of "
            f"{target.title!r}, or one whose values are unique"
        )
    return ImportColumn(title or relation.name, field, relation, target)


def _naming(target: Collection | None, relation: Relation) -> str:
    """The field by which people know the records of a target."""
    title = target.options.get("titleField") if target is not None else None
    return title if isinstance(title, str) and target and title in target.fields else relation.target_key


def _identifies(target: Collection, relation: Relation, field: Field) -> bool:
    """Whether records are found by this field: few can have the same value."""
    if field.unique or field.primary_key or field.name in (relation.target_key, _naming(target, relation)):
        return True
    # Without a title field it is any short text that names a record.
    return target.options.get("titleField") not in target.fields and field.type == "string"


def _listed(given: Any) -> list[tuple[list[str], str]]:
    if not isinstance(given, list) or not given:
        raise BadRequest("`columns` is required: a list of objects with `dataIndex`")
    if len(given) > MOST_COLUMNS:
        raise BadRequest(f"There are more than {MOST_COLUMNS} columns")
    found = []
    for item in given:
        path = item.get("dataIndex") if isinstance(item, Mapping) else None
        if isinstance(path, str):
            path = path.split(".")
        if not isinstance(path, list) or not path or not all(isinstance(part, str) for part in path):
            raise BadRequest("Each column needs a `dataIndex`: a list of names")
        title = item.get("title") or item.get("defaultTitle") or ""
        found.append((path, title if isinstance(title, str) else ""))
    return found
