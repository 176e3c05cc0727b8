"""`desktopRoutes`, `mobileRoutes` and which roles see them (http-api.md A.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.collections.model import Collection
from atoll.application.context import NOTHING, Context, Handler, Page, Role
from atoll.application.records.reader import Record
from atoll.application.records.tree import tree_page
from atoll.application.records.unit_of_work import UnitOfWork
from atoll.errors import BadRequest, NotFound


@dataclass(frozen=True, slots=True)
class Menu:
    """A resource of menu entries, the collection between it and the roles, and that one's column for it."""

    resource: str
    between: str
    key: str


_MENUS = (
    Menu("desktopRoutes", "rolesDesktopRoutes", "desktopRouteId"),
    Menu("mobileRoutes", "rolesMobileRoutes", "mobileRouteId"),
)
_CHANGES = ("list", "get", "update", "destroy", "move", "firstOrCreate")


def define(resources: ResourceRegistry) -> None:
    """Adds the resources; everybody lists what their roles may see, changes need `ui.*`."""
    for menu in _MENUS:
        seeing = {"listAccessible": _listing(menu), "getAccessible": _getting(menu)}
        resources.define(menu.resource, seeing, access=dict.fromkeys(seeing, LOGGED_IN))
        making = {"create": _creating(menu), "updateOrCreate": _updating_or_creating(menu)}
        resources.define(
            menu.resource,
            {**{name: GENERIC[name] for name in _CHANGES}, **making},
            snippet=f"ui.{menu.resource}",
        )
        links = {"list": _entries_of_role(menu), "add": _linking(menu, "add")}
        links |= {"set": _linking(menu, "set"), "remove": _linking(menu, "remove")}
        resources.define(f"roles.{menu.resource}", links, snippet="pm.acl.roles")


def _entries(ctx: Context, menu: Menu) -> Collection:
    return ctx.app.collections.system[menu.resource]


async def _visible_to(ctx: Context) -> dict[str, Any]:
    """The filter of the entries that the caller's roles may see; root sees all."""
    rights = (await ctx.app.accounts.settings()).rights(ctx.role or "", ctx.user)
    return {} if rights.unlimited else {"roles.name": {"$in": [role.name for role in rights.roles]}}


async def _accessible(ctx: Context, menu: Menu, condition: Mapping[str, Any]) -> list[Record]:
    entries, params = _entries(ctx, menu), dict(ctx.params)
    params |= {"filter": condition, "paginate": False}
    params.setdefault("sort", "sort")
    parent = entries.relation_of("parent") if params.get("tree") in ("true", True) else None
    if parent is None:
        found = await ctx.app.records.page(entries, params, caller(ctx))
    else:
        found = await tree_page(ctx.app.records, entries, parent, params, caller(ctx))
    return found.rows if isinstance(found, Page) else found


def _listing(menu: Menu) -> Handler:
    async def list_accessible(ctx: Context) -> Any:
        """The entries that the caller may see, as a tree for `tree=true` (with those above them)."""
        mine = await _visible_to(ctx)
        return await _accessible(ctx, menu, {"$and": [mine, ctx.params.get("filter") or {}]})

    return list_accessible


def _getting(menu: Menu) -> Handler:
    async def get_accessible(ctx: Context) -> Any:
        """One entry that the caller may see, or null; with what is appended."""
        mine = await _visible_to(ctx)
        params = {**ctx.params, "filter": {"$and": [mine, ctx.params.get("filter") or {}]}}
        return await ctx.app.records.get(_entries(ctx, menu), params, caller(ctx))

    return get_accessible


# -- new entries -----------------------------------------------------------------------------------------


def _creating(menu: Menu) -> Handler:
    async def create_entry(ctx: Context) -> Any:
        """A new entry, with its `children`; roles that get new entries by themselves see it at once."""
        given = ctx.values if isinstance(ctx.values, list) else [ctx.values]
        roles = (await ctx.app.accounts.settings()).roles.values()
        seeing = [role.name for role in roles if role.allow_new_menu]
        async with ctx.app.records.work(caller(ctx), ctx.params) as unit:
            made = [await _make(ctx, menu, unit, values, {}, seeing) for values in given]
        return made if isinstance(ctx.values, list) else made[0]

    return create_entry


async def _make(
    ctx: Context, menu: Menu, unit: UnitOfWork, values: Any, place: Mapping[str, Any], seeing: list[str]
) -> Record:
    """One entry and those below it."""
    if values is not None and not isinstance(values, Mapping):
        raise BadRequest("The values of a record are an object")
    given = {**(values or {}), **place}
    below = given.pop("children", None) or []
    if not isinstance(below, list):
        raise BadRequest("`children` is a list of entries")
    record = await ctx.app.records.associations.create(unit, _entries(ctx, menu), given)
    for role in seeing:
        await _link(ctx, menu, unit, role, [record["id"]])
    if below:
        inside = {"parentId": record["id"]}
        record["children"] = [await _make(ctx, menu, unit, each, inside, seeing) for each in below]
    return record


def _updating_or_creating(menu: Menu) -> Handler:
    create = _creating(menu)

    async def update_or_create_entry(ctx: Context) -> Any:
        """Changes the entries that have the given `filterKeys` (a list), else creates one (an object)."""
        entries, records = _entries(ctx, menu), ctx.app.records
        condition = records.key_filter(ctx.params, ctx.values)
        found = await records.get(entries, {"filter": condition}, caller(ctx)) if condition else None
        if found is None:
            return await create(ctx)
        return await records.update(
            entries, {**ctx.params, "filter": None, "filterByTk": found["id"]}, ctx.values, caller(ctx)
        )

    return update_or_create_entry


# -- what a role sees ------------------------------------------------------------------------------------


async def _role(ctx: Context) -> Role:
    found = (await ctx.app.accounts.settings()).roles.get(ctx.source_id or "")
    if found is None:
        raise NotFound(f"There is no role {ctx.source_id!r}")
    return found


def _entries_of_role(menu: Menu) -> Handler:
    async def list_entries(ctx: Context) -> Any:
        """The entries that a role may see."""
        role = await _role(ctx)
        condition = {"$and": [{"roles.name": role.name}, ctx.params.get("filter") or {}]}
        return await ctx.app.records.page(
            _entries(ctx, menu), {**ctx.params, "filter": condition}, caller(ctx)
        )

    return list_entries


def _linking(menu: Menu, verb: str) -> Handler:
    async def change_entries(ctx: Context) -> Any:
        """Lets a role see entries, exactly these entries, or not see them any more."""
        role, keys = (await _role(ctx)).name, _keys(ctx)
        async with ctx.app.records.work(caller(ctx), {}) as unit:
            if verb in ("remove", "set"):
                await _unlink(ctx, menu, unit, role, keys if verb == "remove" else None)
            if verb in ("add", "set"):
                await _link(ctx, menu, unit, role, keys)
        return NOTHING

    return change_entries


def _keys(ctx: Context) -> list[Any]:
    """The keys in the query or the body; objects count by their id."""
    given = ctx.params.get("filterByTk", ctx.params.get("filterByTks", ctx.values))
    items = given if isinstance(given, list) else [] if given is None else [given]
    keys = [item.get("id") if isinstance(item, dict) else item for item in items]
    if any(key is None or isinstance(key, (list, bool)) for key in keys):
        raise BadRequest("Name the entries: a list of their ids")
    return keys


async def _link(ctx: Context, menu: Menu, unit: UnitOfWork, role: str, keys: list[Any]) -> None:
    records, between = ctx.app.records, ctx.app.collections.system[menu.between]
    free = unit.caller.unlimited()
    params = {"filter": {"id": {"$in": keys}}, "fields": ["id"], "paginate": False}
    there = await records.page(_entries(ctx, menu), params, free, connection=unit.connection)
    known = {row["id"] for row in (there.rows if isinstance(there, Page) else there)}
    linked = await records.find(between, {"roleName": role}, free, connection=unit.connection)
    for key in sorted(known - {row[menu.key] for row in linked}):
        await records.create_one(between, {menu.key: key, "roleName": role}, free, connection=unit.connection)


async def _unlink(ctx: Context, menu: Menu, unit: UnitOfWork, role: str, keys: list[Any] | None) -> None:
    condition: dict[str, Any] = {"roleName": role}
    if keys is not None:
        condition[menu.key] = {"$in": keys}
    await ctx.app.records.destroy(
        ctx.app.collections.system[menu.between],
        {"filter": condition},
        unit.caller.unlimited(),
        connection=unit.connection,
    )
