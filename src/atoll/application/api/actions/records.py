"""The generic actions of collections."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from atoll.application.collections.model import Collection
from atoll.application.context import Context, Handler
from atoll.application.records.filter import Caller
from atoll.application.records.tree import tree_page
from atoll.errors import Forbidden, NotFound, NotSupported


def caller(ctx: Context) -> Caller:
    """Whose request it is, for the record engine."""
    return Caller(ctx.timezone, ctx.user, ctx.role, ctx.headers.get("x-client-id", "")[:64])


def _collection(ctx: Context) -> Collection:
    found = ctx.app.collections.get(ctx.resource)
    if found is None:
        raise NotFound(f"Collection {ctx.resource!r} does not exist")
    return found


async def list_records(ctx: Context) -> Any:
    """One page of records, or all of them; of a tree its roots for `tree=true`."""
    collection = _collection(ctx)
    parent = collection.relation_of("parent") if ctx.params.get("tree") in ("true", True) else None
    if parent is not None:
        return await tree_page(
            ctx.app.records, collection, parent, ctx.params, caller(ctx), only_own=ctx.only_own
        )
    return await ctx.app.records.page(collection, ctx.params, caller(ctx), only_own=ctx.only_own)


async def get_record(ctx: Context) -> Any:
    """One record or null."""
    return await ctx.app.records.get(_collection(ctx), ctx.params, caller(ctx), only_own=ctx.only_own)


async def create_record(ctx: Context) -> Any:
    """The new record, or the new records."""
    return await ctx.app.records.create(_collection(ctx), ctx.values, caller(ctx), ctx.params)


async def update_record(ctx: Context) -> Any:
    """The changed records."""
    return await ctx.app.records.update(
        _collection(ctx), ctx.params, ctx.values, caller(ctx), only_own=ctx.only_own
    )


async def destroy_record(ctx: Context) -> Any:
    """How many records are gone."""
    collection = _collection(ctx)
    count = await ctx.app.records.destroy(collection, ctx.params, caller(ctx), only_own=ctx.only_own)
    if not count and ctx.only_own and "filterByTk" in ctx.params:
        raise Forbidden("No permissions")
    return count


async def first_or_create(ctx: Context) -> Any:
    """The record that was there or the new one."""
    return await ctx.app.records.first_or_create(_collection(ctx), ctx.params, ctx.values, caller(ctx))


async def update_or_create(ctx: Context) -> Any:
    """The changed records (a list) or the new one (an object)."""
    return await ctx.app.records.update_or_create(_collection(ctx), ctx.params, ctx.values, caller(ctx))


async def not_yet(ctx: Context) -> Any:
    """Actions that the wire format has and this version does not."""
    raise NotSupported(f"The action {ctx.action!r} on records is not supported by this version")


GENERIC: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "list": list_records,
        "get": get_record,
        "create": create_record,
        "update": update_record,
        "destroy": destroy_record,
        "firstOrCreate": first_or_create,
        "updateOrCreate": update_or_create,
        "query": not_yet,
        "move": not_yet,
    }
)
