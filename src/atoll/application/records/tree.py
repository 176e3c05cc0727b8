"""Tree collections: a list as a tree of its roots, and no node below itself (http-api.md 3.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from atoll.application.collections.model import Collection
from atoll.application.collections.relations import Relation
from atoll.application.context import Page
from atoll.application.records.filter import Caller
from atoll.application.records.reader import Params, Record, RecordReader
from atoll.application.records.unit_of_work import UnitOfWork
from atoll.errors import BadRequest

_DEEPEST = 1_000


async def tree_page(
    reader: RecordReader,
    collection: Collection,
    parent: Relation,
    params: Params,
    caller: Caller,
) -> list[Record] | Page:
    """One page of roots, each with its descendants in `children`.

    With a filter: the nodes that match, and those above them. `meta` counts roots. One query for each level.
    """
    shown = {name: params[name] for name in ("fields", "except", "appends", "sort") if name in params}
    if shown.get("fields"):
        fields = shown["fields"]
        listed = fields.split(",") if isinstance(fields, str) else list(fields)
        shown["fields"] = [*listed, parent.target_key, parent.foreign_key]
    kept: set[Any] | None = None
    if params.get("filter"):
        found = await reader.find(collection, params["filter"], caller)
        kept = await _with_ancestors(reader, collection, parent, found, caller)
    roots: dict[str, Any] = {parent.foreign_key: None}
    if kept is not None:
        roots = {"$and": [roots, {parent.target_key: {"$in": sorted(kept)}}]}
    paging = {name: params[name] for name in ("page", "pageSize", "paginate") if name in params}
    page = await reader.page(collection, {**shown, **paging, "filter": roots}, caller)
    level = page.rows if isinstance(page, Page) else page
    top = list(level)
    children = collection.relation_of("children")
    name = children.name if children is not None else "children"
    seen = {node[parent.target_key] for node in level}
    while level:
        condition = {parent.foreign_key: {"$in": [node[parent.target_key] for node in level]}}
        below = {**shown, "filter": condition, "paginate": False}
        found_below = await reader.page(collection, below, caller)
        nodes = found_below.rows if isinstance(found_below, Page) else found_below
        by_key = {node[parent.target_key]: node for node in level}
        level = []
        for node in nodes:
            key = node[parent.target_key]
            if key in seen or (kept is not None and key not in kept):
                continue
            seen.add(key)
            by_key[node[parent.foreign_key]].setdefault(name, []).append(node)
            level.append(node)
    _number(top, name, "")
    return page


async def refuse_circle(
    reader: RecordReader, collection: Collection, moved: Iterable[Record], begun: UnitOfWork
) -> None:
    """Raises BadRequest when a node is now below itself."""
    parent = collection.relation_of("parent")
    if parent is None:
        return
    for node in moved:
        key, above = node[parent.target_key], node[parent.foreign_key]
        for _ in range(_DEEPEST):
            if above is None:
                break
            if above == key:
                raise BadRequest("A node cannot be put below itself or one of its descendants")
            rows = await reader.find(
                collection, {parent.target_key: above}, begun.caller.unlimited(), connection=begun.connection
            )
            above = rows[0][parent.foreign_key] if rows else None


async def _with_ancestors(
    reader: RecordReader, collection: Collection, parent: Relation, found: list[Record], caller: Caller
) -> set[Any]:
    kept = {node[parent.target_key] for node in found}
    above = {node[parent.foreign_key] for node in found} - kept - {None}
    while above:
        rows = await reader.find(collection, {parent.target_key: {"$in": sorted(above)}}, caller)
        kept |= {node[parent.target_key] for node in rows}
        above = {node[parent.foreign_key] for node in rows} - kept - {None}
    return kept


def _number(nodes: list[Record], name: str, path: str) -> None:
    """Gives each node its place: "0", "0.children.1"."""
    for index, node in enumerate(nodes):
        node["__index"] = f"{path}{index}"
        if name in node:
            _number(node[name], name, f"{path}{index}.{name}.")
