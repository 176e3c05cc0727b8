"""The parameters of list and get: in which order, which page (http-api.md 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from atoll.application.collections.model import Collection, Lookup
from atoll.application.records.rights import EVERYTHING, Rights, refused, shown
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


Order = tuple[tuple[tuple[str, ...], bool], ...]
"""Paths to fields, each with "descending"."""


def sorting(
    collection: Collection, sort: tuple[str, ...], lookup: Lookup, rights: Rights = EVERYTHING
) -> Order:
    """What a list is sorted by; the record key comes last so that the order is always the same."""
    order: list[tuple[tuple[str, ...], bool]] = []
    for part in sort:
        name, descending = (part[1:], True) if part.startswith("-") else (part, False)
        order.append((_sort_path(collection, name, lookup, rights), descending))
    keys = (
        [collection.key.name]
        if collection.key
        else [f.name for f in collection.fields.values() if f.primary_key]
    )
    if not keys and collection.target_key is not None:
        keys = [collection.target_key]
    order.extend(((key,), False) for key in keys if all((key,) != path for path, _ in order))
    return tuple(order)


def _sort_path(collection: Collection, name: str, lookup: Lookup, rights: Rights) -> tuple[str, ...]:
    path = tuple(name.split("."))
    place: Collection | None = collection
    for step in path[:-1]:
        _check_shown(place, step, rights)
        relation = place.relations.get(step) if place is not None else None
        if relation is None:
            raise BadRequest(f"Unknown field {name!r} in `sort` for {collection.name!r}")
        if relation.kind != "belongsTo":
            raise BadRequest(
                f"{name!r} in `sort`: {step!r} may lead to several records; sort by a belongsTo only"
            )
        place = lookup(relation.target)
    _check_shown(place, path[-1], rights)
    field = place.fields.get(path[-1]) if place is not None else None
    if field is None or field.hidden:
        raise BadRequest(f"Unknown field {name!r} in `sort` for {collection.name!r}")
    return path


def _check_shown(collection: Collection | None, name: str, rights: Rights) -> None:
    """The order of records tells about values that are not shown."""
    readable = shown(collection, rights.on(collection, "view")) if collection is not None else None
    if readable is not None and name not in readable:
        raise refused()


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
