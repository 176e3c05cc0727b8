"""The parameters of list and get: which columns, in which order, which page (http-api.md 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atoll.application.collections.model import Collection
from atoll.errors import BadRequest, InvalidValue

_LEADING_NUMBER = re.compile(r"\s*[+-]?\d+")
DEFAULT_PAGE_SIZE = 20
_LARGEST = 2**53


def names(value: Any) -> tuple[str, ...]:
    """A comma list or an array of names."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return tuple(value.split(","))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(name for item in value for name in item.split(","))
    raise BadRequest("Expected a list of field names")


@dataclass(frozen=True, slots=True)
class Projection:
    """What a row of the answer has: `columns` in their order, and relations to append."""

    columns: tuple[str, ...]
    appends: tuple[str, ...]


def projection(
    collection: Collection, fields: tuple[str, ...], excluded: tuple[str, ...], appends: tuple[str, ...]
) -> Projection:
    """Resolves `fields`, `except` and `appends`; unknown names are refused in `fields` only."""
    columns: tuple[str, ...] = collection.visible
    related = [name.split(".")[0].split("(")[0] for name in appends]
    if fields:
        plain = []
        for name in fields:
            first = name.split(".")[0]
            if first in collection.relations:
                related.append(first)
            elif name in collection.fields:
                plain.append(name)
            else:
                raise BadRequest(f"Unknown field {name!r} in `fields` for {collection.name!r}")
        columns = tuple(name for name in collection.visible if name in plain)
    if excluded:
        columns = tuple(name for name in columns if name not in excluded)
    wanted = tuple(dict.fromkeys(name for name in related if name and name not in excluded))
    return Projection(columns, wanted)


def sorting(collection: Collection, sort: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    """Field names with "descending"; the record key comes last so that the order is always the same."""
    order = []
    for part in sort:
        name, descending = (part[1:], True) if part.startswith("-") else (part, False)
        field = collection.fields.get(name)
        if field is None or field.hidden:
            raise BadRequest(f"Unknown field {name!r} in `sort` for {collection.name!r}")
        order.append((name, descending))
    keys = (
        [collection.key.name]
        if collection.key
        else [f.name for f in collection.fields.values() if f.primary_key]
    )
    order.extend((key, False) for key in keys if all(key != name for name, _ in order))
    return tuple(order)


def _number(value: Any, name: str, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, int):
        return value
    match = _LEADING_NUMBER.match(value) if isinstance(value, str) else None
    if not match:
        raise InvalidValue(f"`{name}` must be a whole number")
    return int(match[0])


def paging(params: Mapping[str, Any]) -> tuple[int, int] | None:
    """Page and page size; None for `paginate=false`."""
    if params.get("paginate") in ("false", False):
        return None
    page = _number(params.get("page"), "page", 1)
    size = _number(params.get("pageSize"), "pageSize", DEFAULT_PAGE_SIZE)
    if page < 1:
        raise InvalidValue("`page` starts at 1")
    if size < 0:
        raise InvalidValue("`pageSize` must not be negative")
    if page * size > _LARGEST:
        raise InvalidValue("`page` is too large")
    return page, size
