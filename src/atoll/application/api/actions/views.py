"""`views`: saved views of lists, the own ones and those that are shared with everybody."""

from __future__ import annotations

from typing import Any

from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import Context
from atoll.errors import BadRequest, Unauthenticated

_CONFIGURE = "ui.views"


def define(resources: ResourceRegistry) -> None:
    """Adds the resource; private views of others do not exist for anybody else."""
    actions = {"list": list_views, "create": create_view, "update": update_view, "destroy": destroy_view}
    resources.define("views", actions, access=dict.fromkeys(actions, LOGGED_IN))


def _me(ctx: Context) -> int:
    if ctx.user is None:
        raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
    return ctx.user.id


async def _may_configure(ctx: Context) -> bool:
    settings = await ctx.app.accounts.settings()
    return settings.rights(ctx.role or "", ctx.user).may_use(_CONFIGURE)


def _key(ctx: Context) -> str:
    key = ctx.params.get("filterByTk")
    if not isinstance(key, str) or not key:
        raise BadRequest("`filterByTk` is required: the id of a view")
    return key


def _values(ctx: Context) -> dict[str, Any]:
    return ctx.values if isinstance(ctx.values, dict) else {}


async def list_views(ctx: Context) -> Any:
    """The views of the list `blockId`, each with `editable`: whether the caller may change it."""
    me, block = _me(ctx), ctx.params.get("blockId")
    if not isinstance(block, str) or not block:
        raise BadRequest("`blockId` is required: the name of a list")
    may = await _may_configure(ctx)
    found = await ctx.app.views.of_list(me, block)
    return [{**view, "editable": may or view["ownerId"] == me} for view in found]


async def create_view(ctx: Context) -> Any:
    """Saves a view that belongs to the caller."""
    return {**await ctx.app.views.create(_me(ctx), _values(ctx)), "editable": True}


async def update_view(ctx: Context) -> Any:
    """Changes what the body gives of a view."""
    may = await _may_configure(ctx)
    view = await ctx.app.views.update(_me(ctx), _key(ctx), _values(ctx), any_shared=may)
    return {**view, "editable": True}


async def destroy_view(ctx: Context) -> Any:
    """Removes a view."""
    await ctx.app.views.destroy(_me(ctx), _key(ctx), any_shared=await _may_configure(ctx))
    return 1
