"""Rules of roles for single collections, and the scopes they use (http-api.md 6.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.application.acl import ALIASES
from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.actions.settings import (
    changed_settings,
    create_setting,
    destroy_setting,
    update_setting,
)
from atoll.application.api.resources import ResourceRegistry
from atoll.application.auth.role_rules import RESOURCES, SCOPES
from atoll.application.context import Context, Page
from atoll.application.records.filter import is_empty
from atoll.errors import BadRequest, NotFound

_SNIPPET = "pm.acl.roles"
_RULES = ("roles.dataSourceResources", "roles.resources")
_SCOPES = (SCOPES, "rolesResourcesScopes", "dataSources.rolesResourcesScopes")
_COLLECTIONS = ("roles.dataSourcesCollections", "roles.collections")
_BUILT_IN = ("all", "own")
# What the permission screens may offer; `type` says whether an action needs a record that is there.
_AVAILABLE = (
    ("create", "Add new", True, True),
    ("view", "View", False, True),
    ("update", "Edit", False, True),
    ("destroy", "Delete", False, False),
    ("export", "Export", False, True),
    ("importXlsx", "Import", True, True),
    ("trigger", "Trigger", False, False),
    ("triggerNew", "Trigger on new data", True, False),
)
_MORE_ALIASES: Mapping[str, tuple[str, ...]] = {
    "create": ("create",),
    "destroy": ("destroy",),
    "export": ("export", "exportAttachments"),
}


def define(resources: ResourceRegistry) -> None:
    """Adds the resources."""
    rules = {"list": list_rules, "get": get_rules, "create": create_rules, "update": update_rules}
    for name in _RULES:
        resources.define(name, rules, snippet=_SNIPPET)
    scopes = {"list": list_scopes, "get": get_scope, "create": create_scope}
    scopes |= {"update": update_scope, "destroy": destroy_scope}
    for name in _SCOPES:
        resources.define(name, scopes, snippet=_SNIPPET)
    for name in _COLLECTIONS:
        resources.define(name, {"list": list_collections}, snippet=_SNIPPET)
    resources.define("dataSources.roles", {"get": get_strategy, "update": update_strategy}, snippet=_SNIPPET)
    resources.define("availableActions", {"list": list_available}, snippet=_SNIPPET)


# -- rules -----------------------------------------------------------------------------------------------


async def _role(ctx: Context) -> str:
    name = ctx.source_id or ""
    if name not in (await ctx.app.accounts.settings()).roles:
        raise NotFound(f"There is no role {name!r}")
    return name


def _values(ctx: Context) -> Mapping[str, Any]:
    if not isinstance(ctx.values, Mapping):
        raise BadRequest("The body must be a JSON object")
    return ctx.values


async def list_rules(ctx: Context) -> Any:
    """The collections that a role has rules for."""
    return await ctx.app.role_rules.list(await _role(ctx), ctx.params, caller(ctx))


async def get_rules(ctx: Context) -> Any:
    """The rules for one collection or null."""
    return await ctx.app.role_rules.get(await _role(ctx), ctx.params, caller(ctx))


async def create_rules(ctx: Context) -> Any:
    """Rules for one more collection."""
    role, values = await _role(ctx), _values(ctx)
    async with changed_settings(ctx, ctx.app.collections.system[RESOURCES], "created") as change:
        made = await ctx.app.role_rules.create(role, values, caller(ctx), change.connection)
        change.records = made
    return made


async def update_rules(ctx: Context) -> Any:
    """The changed rules."""
    role, values = await _role(ctx), _values(ctx)
    async with changed_settings(ctx, ctx.app.collections.system[RESOURCES], "updated") as change:
        changed = await ctx.app.role_rules.update(role, ctx.params, values, caller(ctx), change.connection)
        change.records = changed
    return changed


async def list_collections(ctx: Context) -> Any:
    """All collections, each with whether a role has rules for it."""
    role = await _role(ctx)
    condition = dict(ctx.params.get("filter") or {})
    condition.pop("dataSourceKey", None)
    names = condition.pop("name", None)
    rules = await ctx.app.role_rules.list(role, {"paginate": False}, caller(ctx))
    known = {row["name"]: row for row in rules}
    chosen = {names} if isinstance(names, str) else None
    own = ctx.app.collections.own()
    rows = []
    for name in [*sorted(each for each in own if not own[each].options.get("hidden")), "roles", "users"]:
        collection = ctx.app.collections.get(name)
        if collection is None or (chosen is not None and name in own and name not in chosen):
            continue
        row = known.get(name)
        rows.append(
            {
                "type": "collection",
                "name": name,
                "collectionName": name,
                "title": collection.title,
                "roleName": role,
                "usingConfig": "resourceAction" if row and row["usingActionsConfig"] else "strategy",
                "exists": row is not None,
            }
        )
    return Page(rows, {"count": len(rows), "page": 1, "pageSize": 20, "totalPage": 1})


async def list_available(ctx: Context) -> Any:
    """The actions that rules can be made for."""
    rows = []
    for name, title, new, fields in _AVAILABLE:
        row: dict[str, Any] = {
            "name": name,
            "displayName": f'{{{{t("{title}")}}}}',
            "type": "new-data" if new else "old-data",
        }
        aliases = _MORE_ALIASES.get(name) or tuple(alias for alias, of in ALIASES.items() if of == name)
        if name == "update":
            aliases = ("update", "move")
        if name == "view":
            aliases = ("get", "list", "query")
        if aliases:
            row["aliases"] = list(aliases)
        if new:
            row["onNewRecord"] = True
        if fields:
            row["allowConfigureFields"] = True
        rows.append(row)
    return rows


# -- the strategy, as the client of several data sources sees it ------------------------------------------


def _strategy(ctx: Context, role: Mapping[str, Any]) -> dict[str, Any]:
    return {"roleName": role["name"], "dataSourceKey": ctx.source_id, "strategy": role["strategy"]}


def _main(ctx: Context) -> None:
    if ctx.source_id != "main":
        raise NotFound(f"There is no data source {ctx.source_id!r}")


async def get_strategy(ctx: Context) -> Any:
    """What a role may do with all collections that have no rules of their own."""
    _main(ctx)
    role = await ctx.app.records.get(ctx.app.collections.system["roles"], ctx.params, caller(ctx))
    return None if role is None else _strategy(ctx, role)


async def update_strategy(ctx: Context) -> Any:
    """Changes it."""
    _main(ctx)
    ctx.values = {"strategy": _values(ctx).get("strategy")}
    changed = await update_setting(ctx, "roles", {"filterByTk": ctx.params.get("filterByTk")})
    return _strategy(ctx, changed[0]) if changed else None


# -- scopes ----------------------------------------------------------------------------------------------


def _as_scopes(ctx: Context) -> Context:
    ctx.resource = SCOPES
    return ctx


async def list_scopes(ctx: Context) -> Any:
    """Scopes that people made, and the built-in ones `all` and `own`."""
    return await GENERIC["list"](_as_scopes(ctx))


async def get_scope(ctx: Context) -> Any:
    """One scope or null."""
    return await GENERIC["get"](_as_scopes(ctx))


async def create_scope(ctx: Context) -> Any:
    """A new scope."""
    _check_scope(ctx, _values(ctx))
    return await create_setting(ctx, SCOPES)


async def update_scope(ctx: Context) -> Any:
    """The changed scopes; the built-in ones stay as they are."""
    _check_scope(ctx, _values(ctx))
    await _refuse_built_in(ctx)
    return await update_setting(ctx, SCOPES, ctx.params)


async def destroy_scope(ctx: Context) -> Any:
    """How many scopes are gone; one that a rule uses is refused."""
    await _refuse_built_in(ctx)
    return await destroy_setting(ctx, SCOPES)


def _check_scope(ctx: Context, values: Mapping[str, Any]) -> None:
    """A scope must be a filter of its collection: a mistake would show when somebody is locked out."""
    scope, name = values.get("scope"), values.get("resourceName")
    if scope is None:
        return
    if not isinstance(scope, Mapping):
        raise BadRequest("`scope` is a filter: an object")
    collection = ctx.app.collections.get(name) if isinstance(name, str) else None
    if collection is not None:
        ctx.app.records.check_filter(collection, scope, caller(ctx))


async def _refuse_built_in(ctx: Context) -> None:
    scopes = ctx.app.collections.system[SCOPES]
    chosen: dict[str, Any] = {
        name: ctx.params[name] for name in ("filter", "filterByTk") if name in ctx.params
    }
    if is_empty(chosen.get("filter")) and "filterByTk" not in chosen:
        return  # the action itself refuses that
    found = await ctx.app.records.page(scopes, {"paginate": False, "filter": _both(chosen)}, caller(ctx))
    rows = found.rows if isinstance(found, Page) else found
    if any(row["key"] in _BUILT_IN for row in rows):
        raise BadRequest("The scopes of all and of own records are built in and stay as they are")


def _both(chosen: Mapping[str, Any]) -> dict[str, Any]:
    parts = [chosen["filter"]] if chosen.get("filter") else []
    if "filterByTk" in chosen:
        parts.append({"id": chosen["filterByTk"]})
    return {"$and": parts}
