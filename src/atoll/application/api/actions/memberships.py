"""Who has which role: `users.roles`, `roles.users`, `users:listExcludeRole`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from atoll.application.api.actions.records import caller
from atoll.application.api.resources import ResourceRegistry
from atoll.application.context import NOTHING, Context, Handler
from atoll.application.records.operators import Condition
from atoll.errors import BadRequest

# The users who have a role, as a condition on users whose one value is the role's name.
_HOLDERS: Condition = ("linked", "id", "rolesUsers", "roleName", "userId")


def define(resources: ResourceRegistry) -> None:
    """Adds the association resources."""
    of_user = {"list": list_roles, "add": _change(_added), "remove": _change(_removed), "set": _change(_set)}
    resources.define("users.roles", of_user, snippet="pm.users")
    resources.define(
        "roles.users",
        {"list": list_members, "add": _change_members(_added), "remove": _change_members(_removed)},
        snippet="pm.acl.roles",
    )
    resources.define("users", {"listExcludeRole": list_others}, snippet="pm.users")


def _keys(ctx: Context) -> list[Any]:
    """The keys in the query or the body; objects count by their own key."""
    given = ctx.params.get("filterByTk", ctx.params.get("filterByTks", ctx.values))
    if given is None:
        return []
    items = given if isinstance(given, list) else [given]
    return [item.get("name", item.get("id")) if isinstance(item, dict) else item for item in items]


def _user_id(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdigit():
        return int(value)
    raise BadRequest(f"{value!r} is not the id of a user")


Change = Callable[[tuple[str, ...], Iterable[str]], list[str]]


def _added(before: tuple[str, ...], names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*before, *names]))


def _removed(before: tuple[str, ...], names: Iterable[str]) -> list[str]:
    gone = set(names)
    return [name for name in before if name not in gone]


def _set(before: tuple[str, ...], names: Iterable[str]) -> list[str]:
    return list(names)


async def _apply(ctx: Context, user_id: int, change: Change, names: Iterable[str]) -> None:
    before = await ctx.app.accounts.roles_of(user_id)
    await ctx.app.users.update({"filterByTk": user_id}, {"roles": change(before, names)}, caller(ctx))


def _change(change: Change) -> Handler:
    async def handler(ctx: Context) -> Any:
        await _apply(ctx, _user_id(ctx.source_id), change, [str(key) for key in _keys(ctx)])
        return NOTHING

    return handler


def _change_members(change: Change) -> Handler:
    async def handler(ctx: Context) -> Any:
        for key in _keys(ctx):
            await _apply(ctx, _user_id(key), change, [ctx.source_id or ""])
        return NOTHING

    return handler


async def list_roles(ctx: Context) -> Any:
    """The roles of a user."""
    mine = {"users": {"id": _user_id(ctx.source_id)}}
    params = {**ctx.params, "filter": {"$and": [mine, ctx.params.get("filter") or {}]}}
    return await ctx.app.records.page(ctx.app.collections.system["roles"], params, caller(ctx))


async def list_members(ctx: Context) -> Any:
    """The users who have a role."""
    return await ctx.app.users.page(ctx.params, caller(ctx), within=(_HOLDERS, [ctx.source_id or ""]))


async def list_others(ctx: Context) -> Any:
    """The users who do not have a role."""
    name = ctx.params.get("filterByTk", ctx.params.get("roleName"))
    if not isinstance(name, str):
        raise BadRequest("`roleName` is required")
    params = {key: value for key, value in ctx.params.items() if key != "filterByTk"}
    return await ctx.app.users.page(params, caller(ctx), within=(("not", _HOLDERS), [name]))
