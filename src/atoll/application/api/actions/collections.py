"""`collections` and `collections.fields` (http-api.md 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.application.api.actions.records import GENERIC, caller, with_body
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.auth.accounts import plain
from atoll.application.collections.metadata import flatten
from atoll.application.context import Context, Page
from atoll.application.records.filter import is_empty
from atoll.application.records.parameters import names
from atoll.errors import BadRequest

_SNIPPET = "pm.data-source-manager.data-source-main"
Row = dict[str, Any]


def define(resources: ResourceRegistry) -> None:
    """Adds both resources."""
    resources.define(
        "collections",
        {
            "list": list_collections,
            "listMeta": list_meta,
            "get": get_collection,
            "create": create_collection,
            "update": update_collection,
            "destroy": destroy_collections,
            "setFields": set_fields,
            "move": move_collection,
        },
        access={"list": LOGGED_IN, "listMeta": LOGGED_IN},
        snippet=_SNIPPET,
    )
    resources.define(
        "collections.fields",
        {
            "list": list_fields,
            "get": get_field,
            "create": create_field,
            "update": update_field,
            "destroy": destroy_field,
            "move": move_field,
        },
        snippet=_SNIPPET,
    )
    actions = ("list", "get", "create", "update", "destroy", "move", "firstOrCreate", "updateOrCreate")
    resources.define(
        "collectionCategories",
        {name: GENERIC[name] for name in actions},
        access={"list": LOGGED_IN},
        snippet=_SNIPPET,
    )


def _values(ctx: Context) -> Mapping[str, Any]:
    if ctx.values is None:
        return {}
    if not isinstance(ctx.values, dict):
        raise BadRequest("The body must be a JSON object")
    return ctx.values


def _key(ctx: Context) -> str:
    key = ctx.params.get("filterByTk")
    if not isinstance(key, str):
        raise BadRequest("`filterByTk` is required: the name")
    return key


async def _rows(ctx: Context, table: str, params: Mapping[str, Any]) -> tuple[list[Row], Row | None]:
    """Metadata rows for the client's list parameters; `fields` and `except` apply to the flattened row."""
    system = ctx.app.collections.system[table]
    kept = {key: value for key, value in params.items() if key not in ("fields", "except", "appends")}
    kept.setdefault("sort", "sort")
    result = await ctx.app.records.page(system, kept, caller(ctx))
    rows = [flatten(plain(row)) for row in (result.rows if isinstance(result, Page) else result)]
    wanted, unwanted = names(params.get("fields")), names(params.get("except"))
    if wanted:
        rows = [{name: value for name, value in row.items() if name in wanted} for row in rows]
    if unwanted:
        rows = [{name: value for name, value in row.items() if name not in unwanted} for row in rows]
    return rows, result.meta if isinstance(result, Page) else None


async def _with_fields(ctx: Context, rows: list[Row]) -> list[Row]:
    known = [row["name"] for row in rows if "name" in row]
    condition = {"collectionName": {"$in": known}}
    fields, _ = await _rows(ctx, "fields", {"paginate": False, "filter": condition})
    by_collection: dict[str, list[Row]] = {}
    for field in fields:
        by_collection.setdefault(field["collectionName"], []).append(field)
    return [{**row, "fields": by_collection.get(row.get("name", ""), [])} for row in rows]


async def _appended(ctx: Context, rows: list[Row]) -> list[Row]:
    """The rows with what the request appends."""
    wanted = names(ctx.params.get("appends"))
    if "fields" in wanted:
        rows = await _with_fields(ctx, rows)
    if "category" in wanted:
        rows = await _with_categories(ctx, rows)
    return rows


async def _with_categories(ctx: Context, rows: list[Row]) -> list[Row]:
    known = {"name": {"$in": [row["name"] for row in rows if "name" in row]}}
    params = {"paginate": False, "fields": ["name"], "appends": ["category"], "filter": known}
    found = await ctx.app.records.page(ctx.app.collections.system["collections"], params, caller(ctx))
    by_name = {row["name"]: row["category"] for row in (found.rows if isinstance(found, Page) else found)}
    return [{**row, "category": by_name.get(row.get("name"), [])} for row in rows]


async def list_collections(ctx: Context) -> Any:
    """All collections, with their fields when appended."""
    rows, meta = await _rows(ctx, "collections", ctx.params)
    rows = await _appended(ctx, rows)
    return rows if meta is None else Page(rows, meta)


async def list_meta(ctx: Context) -> Any:
    """All collections with all fields, for any signed-in user."""
    rows, _ = await _rows(ctx, "collections", {"paginate": False})
    return await _with_fields(ctx, rows)


async def get_collection(ctx: Context) -> Any:
    """One collection or null."""
    condition = ctx.params.get("filter") or {}
    if "filterByTk" in ctx.params:
        condition = {"$and": [condition, {"name": _key(ctx)}]}
    kept = {key: value for key, value in ctx.params.items() if key in ("fields", "except")}
    rows, _ = await _rows(ctx, "collections", {**kept, "paginate": False, "filter": condition})
    if not rows:
        return None
    return (await _appended(ctx, rows[:1]))[0]


async def create_collection(ctx: Context) -> Any:
    """Makes the table at once; usable when the answer is there."""
    return await ctx.app.collections.create(_values(ctx))


async def update_collection(ctx: Context) -> Any:
    """Merges options; a list with the changed collection, empty when there is none."""
    key = _key(ctx)
    row = await ctx.app.collections.update(key, _values(ctx))
    return [] if row is None else [row]


async def destroy_collections(ctx: Context) -> Any:
    """Drops the tables; answers how many there were."""
    key = ctx.params.get("filterByTk")
    wanted = [key] if isinstance(key, str) else key
    if wanted is None and not is_empty(ctx.params.get("filter")):
        rows, _ = await _rows(ctx, "collections", {"paginate": False, "filter": ctx.params["filter"]})
        wanted = [row["name"] for row in rows]
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise BadRequest("To destroy collections, `filterByTk` or `filter` is required")
    return await ctx.app.collections.destroy(wanted)


def _move(ctx: Context) -> tuple[str, str, bool]:
    """What is moved, where to, and whether behind it."""
    params = with_body(ctx)
    name, target = params.get("sourceId", ctx.params.get("filterByTk")), params.get("targetId")
    if not isinstance(name, str) or not isinstance(target, str):
        raise BadRequest("`sourceId` and `targetId` are required: names")
    return name, target, params.get("method") == "insertAfter"


async def move_collection(ctx: Context) -> Any:
    """Gives a collection another place in the list."""
    name, target, after = _move(ctx)
    await ctx.app.collections.move(name, target, after=after)
    return "ok"


async def move_field(ctx: Context) -> Any:
    """Gives a field another place among those of its collection."""
    name, target, after = _move(ctx)
    await ctx.app.collections.move_field(_source(ctx), name, target, after=after)
    return "ok"


async def set_fields(ctx: Context) -> Any:
    """Makes the fields exactly those listed: creates, changes and removes; each change stands for itself."""
    name, fields = _key(ctx), _values(ctx).get("fields")
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        raise BadRequest("`fields` must be a list of field descriptions")
    before = {row["name"] for row in (await _rows(ctx, "fields", _of(name)))[0]}
    wanted = {field.get("name") for field in fields}
    for gone in sorted(before - wanted):
        await ctx.app.collections.destroy_field(name, gone)
    for field in fields:
        if field.get("name") in before:
            await ctx.app.collections.update_field(name, field["name"], field)
        else:
            await ctx.app.collections.create_field(name, field)
    return (await _rows(ctx, "fields", _of(name)))[0]


# -- fields ----------------------------------------------------------------------------------------------


def _of(collection: str) -> dict[str, Any]:
    return {"paginate": False, "filter": {"collectionName": collection}}


def _source(ctx: Context) -> str:
    return ctx.source_id or ""


async def list_fields(ctx: Context) -> Any:
    """The fields of a collection."""
    condition = {"$and": [{"collectionName": _source(ctx)}, ctx.params.get("filter") or {}]}
    rows, meta = await _rows(ctx, "fields", {**ctx.params, "filter": condition})
    return rows if meta is None else Page(rows, meta)


async def get_field(ctx: Context) -> Any:
    """One field or null."""
    condition = {"$and": [{"collectionName": _source(ctx)}, {"name": _key(ctx)}]}
    rows, _ = await _rows(ctx, "fields", {"paginate": False, "filter": condition})
    return rows[0] if rows else None


async def create_field(ctx: Context) -> Any:
    """Adds the column at once."""
    return await ctx.app.collections.create_field(_source(ctx), _values(ctx))


async def update_field(ctx: Context) -> Any:
    """Merges options; a list with the changed field, empty when there is none."""
    row = await ctx.app.collections.update_field(_source(ctx), _key(ctx), _values(ctx))
    return [] if row is None else [row]


async def destroy_field(ctx: Context) -> Any:
    """Drops the column; `true` also when there was none."""
    await ctx.app.collections.destroy_field(_source(ctx), _key(ctx))
    return True
