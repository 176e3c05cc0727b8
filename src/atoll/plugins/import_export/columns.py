"""Which column of a file is which field: paths such as `["title"]` or `["createdBy", "nickname"]`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import msgspec

from atoll.application.collections.model import Collection
from atoll.application.collections.store import CollectionStore
from atoll.application.fields.base import Field
from atoll.application.fields.cells import Cell, shown
from atoll.application.records.reader import Record
from atoll.errors import BadRequest, NotSupported

MOST_COLUMNS: Final = 1_000
_AUTOMATIC: Final = ("createdAt", "updatedAt", "createdById", "updatedById")


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of an export.

    Attributes:
        field, relation: what a record must be read with; the relation may be a path.
        read: takes the cell out of a record.
    """

    title: str
    field: str
    relation: str | None
    read: Callable[[Record], Cell]


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """One column of an import: the field that its cells are written to."""

    title: str
    field: Field


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
        found.append(ExportColumn(title or field.title, path[0], relation, read))
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
) -> Callable[[Record], Cell]:
    def cell(value: Any) -> Cell:
        if raw:
            return value if isinstance(value, (str, int, float)) else msgspec.json.encode(value).decode()
        return field.to_cell(value, zone)

    def read(record: Record) -> Cell:
        records = [record]
        for name in relations:
            records = [linked for each in records for linked in _as_list(each.get(name))]
        cells = [cell(each[field.name]) for each in records if each.get(field.name) is not None]
        if to_many:
            return ", ".join(map(shown, cells)) or None
        return cells[0] if cells else None

    return read


def _as_list(linked: Any) -> list[Record]:
    if linked is None:
        return []
    return linked if isinstance(linked, list) else [linked]


def import_columns(collection: Collection, given: Any) -> list[ImportColumn]:
    """Resolves the columns of an import; each field is written once, and not those the server fills."""
    found: list[ImportColumn] = []
    for path, title in _listed(given):
        found.append(ImportColumn(title, importable(collection, path)))
    names = [column.field.name for column in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRequest(f"Two columns are meant for the same field: {', '.join(twice)}")
    return found


def importable(collection: Collection, path: Sequence[str]) -> Field:
    """The field of a path; raises BadRequest when it cannot be written by an import."""
    if path[0] in collection.relations or len(path) > 1:
        raise NotSupported(
            f"The column {'.'.join(path)!r} is a relation; relations cannot be imported by this version. "
            "Leave the column out."
        )
    field = collection.fields.get(path[0])
    if field is None or field.hidden:
        raise BadRequest(f"Unknown column {path[0]!r} for {collection.name!r}")
    if field.type == "password" or field.name in _AUTOMATIC:
        raise BadRequest(f"The field {field.title!r} cannot be imported; leave the column out")
    return field


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
