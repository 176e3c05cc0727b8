"""`charts`: what figures and diagrams show (http-api.md A.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.application.api.actions.records import restricted
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import Context
from atoll.errors import BadRequest, Forbidden, NotFound, NotSupported

_SYSTEM = ("users", "roles")


def define(resources: ResourceRegistry) -> None:
    """Adds the resource; what is answered goes by the caller's rights on the collection."""
    actions = {"queryData": query_data, "query": old_query}
    resources.define("charts", actions, access=dict.fromkeys(actions, LOGGED_IN))


async def query_data(ctx: Context) -> Any:
    """Sums, counts and groups of a collection: a list of rows, always from the database."""
    if not isinstance(ctx.values, Mapping):
        raise BadRequest("The body must be a JSON object")
    if ctx.values.get("mode", "builder") != "builder":
        raise NotSupported("Charts are made of collections here: `mode` is `builder`")
    if ctx.values.get("dataSource", "main") != "main":
        raise NotFound(f"There is no data source {ctx.values['dataSource']!r}")
    name = ctx.values.get("collection")
    own = ctx.app.collections.own()
    collection = None
    if isinstance(name, str):
        collection = ctx.app.collections.system[name] if name in _SYSTEM else own.get(name)
    if collection is None:
        raise NotFound(f"Collection {name!r} does not exist")
    return await ctx.app.records.aggregate(collection, ctx.values, restricted(ctx))


async def old_query(ctx: Context) -> Any:
    """The name that this action had once."""
    raise Forbidden("`charts:query` is called `charts:queryData`")
