"""The generic actions of collections."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from atoll.application.collections.model import Collection
from atoll.application.context import Context, Handler, Page
from atoll.application.records.filter import Caller
from atoll.application.records.rights import refused
from atoll.application.records.tree import tree_page
from atoll.application.records.versions import expected, version
from atoll.errors import NotFound


def caller(ctx: Context) -> Caller:
    """Whose request it is, for the record engine."""
    return Caller(ctx.timezone, ctx.user, ctx.role, _client_id(ctx), variables=ctx.variables)


def restricted(ctx: Context) -> Caller:
    """The same with the rights of the person: for records that people made.

    Raises Forbidden in actions that are open to everybody: nobody's rights are known there.
    """
    if ctx.rights is None:
        raise refused()
    if ctx.rights.unlimited:
        return caller(ctx)
    return Caller(ctx.timezone, ctx.user, ctx.role, _client_id(ctx), ctx.rights, ctx.variables)


def _client_id(ctx: Context) -> str:
    return ctx.headers.get("x-client-id", "")[:64]


def _asking(ctx: Context, collection: Collection) -> Caller:
    """Actions of the system's own collections were allowed as a whole."""
    return restricted(ctx) if collection.ruled else caller(ctx)


def _collection(ctx: Context) -> Collection:
    found = ctx.app.collections.get(ctx.resource)
    if found is None:
        raise NotFound(f"Collection {ctx.resource!r} does not exist")
    return found


async def list_records(ctx: Context) -> Any:
    """One page of records, or all of them; of a tree its roots for `tree=true`."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    parent = collection.relation_of("parent") if ctx.params.get("tree") in ("true", True) else None
    if parent is not None:
        tree = await tree_page(ctx.app.records, collection, parent, ctx.params, who)
        if isinstance(tree, Page):
            add_versions(ctx, collection, who, tree)
        return tree
    found = await ctx.app.records.page(collection, ctx.params, who)
    if isinstance(found, Page):
        if wants_allowed_actions(ctx):
            found.meta["allowedActions"] = await allowed_actions(ctx, collection, who, found.rows)
        add_versions(ctx, collection, who, found)
    return found


async def get_record(ctx: Context) -> Any:
    """One record or null."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    found = await ctx.app.records.get(collection, ctx.params, who)
    tell_version(ctx, collection, who, found)
    if found is not None and wants_allowed_actions(ctx):
        return Page(found, {"allowedActions": await allowed_actions(ctx, collection, who, [found])})
    return found


async def create_record(ctx: Context) -> Any:
    """The new record, or the new records."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    made = await ctx.app.records.create(collection, ctx.values, who, ctx.params)
    tell_version(ctx, collection, who, made)
    return made


async def update_record(ctx: Context) -> Any:
    """The changed records; with `If-Match` only if the one is as the client saw it."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    changed = await ctx.app.records.update(collection, ctx.params, ctx.values, who, expected=seen(ctx))
    tell_version(ctx, collection, who, changed)
    return changed


async def destroy_record(ctx: Context) -> Any:
    """How many records are gone; a key that is out of reach is refused."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    count = await ctx.app.records.destroy(collection, ctx.params, who)
    if not count and "filterByTk" in ctx.params and who.rights.need(collection, "destroy").scope is not None:
        raise refused()
    return count


async def first_or_create(ctx: Context) -> Any:
    """The record that was there or the new one."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    return await ctx.app.records.first_or_create(collection, ctx.params, ctx.values, who)


async def update_or_create(ctx: Context) -> Any:
    """The changed records (a list) or the new one (an object)."""
    collection = _collection(ctx)
    who = _asking(ctx, collection)
    return await ctx.app.records.update_or_create(collection, ctx.params, ctx.values, who)


def seen(ctx: Context) -> frozenset[str] | None:
    """The versions that `If-Match` names; None when the client does not care."""
    header = ctx.headers.get("if-match")
    return None if header is None else expected(header)


def tell_version(ctx: Context, collection: Collection, who: Caller, answer: Any) -> None:
    """Sets `ETag` when the answer is one whole record, alone or in a list."""
    record = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    tag = version(collection, who.rights, record) if isinstance(record, dict) else None
    if tag is not None:
        ctx.set_header("etag", tag)


def add_versions(ctx: Context, collection: Collection, who: Caller, page: Page) -> None:
    """Puts `{key: entity tag}` of a page's records into `meta.etags`, for `X-With-ETags: true`.

    In a tree those of all that is below too.
    """
    key = collection.target_key
    if key is None or ctx.headers.get("x-with-etags", "").lower() != "true":
        return
    below = collection.relation_of("children")
    tags: dict[str, str] = {}
    left = list(page.rows)
    while left:
        record = left.pop()
        tag = version(collection, who.rights, record)
        if tag is not None:
            tags[str(record[key])] = tag
        left += (record.get(below.name) or []) if below is not None else []
    page.meta["etags"] = tags


async def move_record(ctx: Context) -> Any:
    """Gives a record another place; the parameters may come in the body too."""
    collection = _collection(ctx)
    await ctx.app.records.move(collection, with_body(ctx), _asking(ctx, collection))
    return "ok"


def with_body(ctx: Context) -> dict[str, Any]:
    """The parameters of the query and those of the body."""
    return {**(ctx.values if isinstance(ctx.values, dict) else {}), **ctx.params}


def wants_allowed_actions(ctx: Context) -> bool:
    """Whether the client asks what it may do with each record."""
    return ctx.headers.get("x-with-acl-meta", "").lower() == "true"


async def allowed_actions(
    ctx: Context, collection: Collection, who: Caller, records: list[Any]
) -> dict[str, list[Any]]:
    """The keys of those records that the caller may view, update and destroy."""
    key = collection.target_key or ""
    ids = [record[key] for record in records if key in record]
    allowed: dict[str, list[Any]] = {}
    for action in ("view", "update", "destroy"):
        right = who.rights.on(collection, action)
        if right is None or not ids:
            allowed[action] = []
        elif right.scope is None:
            allowed[action] = ids
        else:
            own = await ctx.app.records.find(collection, {key: {"$in": ids}}, who, action=action)
            mine = {record[key] for record in own}
            allowed[action] = [each for each in ids if each in mine]
    return allowed


async def query_records(ctx: Context) -> Any:
    """Sums, counts and groups (http-api.md 3.12)."""
    collection = _collection(ctx)
    return await ctx.app.records.aggregate(collection, with_body(ctx), _asking(ctx, collection))


GENERIC: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "list": list_records,
        "get": get_record,
        "create": create_record,
        "update": update_record,
        "destroy": destroy_record,
        "firstOrCreate": first_or_create,
        "updateOrCreate": update_or_create,
        "query": query_records,
        "move": move_record,
    }
)
