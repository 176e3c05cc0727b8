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
from atoll.application.fields.cells import Cell
from atoll.application.records.reader import Record
from atoll.errors import BadRequest, NotSupported

MOST_COLUMNS: Final = 1_000
_AUTOMATIC: Final = ("createdAt", "updatedAt", "createdById", "updatedById")


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of an export.

    Attributes:
        field, relation: what a record must be read with.
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
        relation = None
        owner = collection
        if len(path) > 1 or path[0] in collection.relations:
            relation, owner = path[0], _target(store, collection, path)
        field = owner.fields.get(path[-1])
        if field is None or field.hidden or field.type == "password":
            raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
        found.append(
            ExportColumn(title or field.title, path[0], relation, _reading(relation, field, zone, raw=raw))
        )
    return found


def _target(store: CollectionStore, collection: Collection, path: Sequence[str]) -> Collection:
    """The collection at the end of a relation path; only one step to one record is possible so far."""
    relation = collection.relations.get(path[0])
    target = store.get(relation.target) if relation is not None else None
    if relation is None or target is None:
        raise BadRequest(f"Unknown column {'.'.join(path)!r} for {collection.name!r}")
    if len(path) != 2 or relation.through is not None:
        raise NotSupported(
            f"The column {'.'.join(path)!r} is a relation that this version cannot export; leave it out"
        )
    return target


def _reading(relation: str | None, field: Field, zone: tzinfo, *, raw: bool) -> Callable[[Record], Cell]:
    def read(record: Record) -> Cell:
        row = record if relation is None else record.get(relation)
        value = row.get(field.name) if row is not None else None
        if value is None:
            return None
        if raw:
            return value if isinstance(value, (str, int, float)) else msgspec.json.encode(value).decode()
        return field.to_cell(value, zone)

    return read


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
