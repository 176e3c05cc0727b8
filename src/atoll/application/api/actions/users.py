"""`users` and `roles` (http-api.md 6.7, 6.8, 6.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from atoll.application.acl import ACTIONS, ALIASES, ROLE_MODES, RoleRights, refused
from atoll.application.api.actions.person import in_person, me
from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.actions.settings import changed_settings, update_setting
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import NOTHING, Context
from atoll.application.records.filter import is_empty
from atoll.application.records.reader import selection
from atoll.database.drivers.base import Connection
from atoll.errors import BadRequest, Unauthenticated

_BUILT_IN = frozenset({"root", "admin", "member"})


def define(resources: ResourceRegistry) -> None:
    """Adds both resources."""
    resources.define(
        "users",
        {
            "list": list_users,
            "get": get_user,
            "create": create_user,
            "update": update_user,
            "destroy": destroy_user,
            "updateProfile": update_profile,
            "updateLang": update_lang,
            "setDefaultRole": set_default_role,
            "signOutEverywhere": sign_out_everywhere,
            "removeSecondFactor": remove_second_factor,
        },
        access={"updateProfile": LOGGED_IN, "updateLang": LOGGED_IN, "setDefaultRole": LOGGED_IN},
        snippet="pm.users",
    )
    resources.define(
        "roles",
        {
            "check": check_role,
            "list": GENERIC["list"],
            "get": GENERIC["get"],
            "create": create_role,
            "update": update_role,
            "destroy": destroy_role,
            "setSystemRoleMode": set_system_role_mode,
        },
        access={"check": LOGGED_IN},
        snippet="pm.acl.roles",
    )


async def list_users(ctx: Context) -> Any:
    """One page of users."""
    return await ctx.app.users.page(ctx.params, caller(ctx))


async def get_user(ctx: Context) -> Any:
    """One user or null."""
    return await ctx.app.users.get(ctx.params, caller(ctx))


async def create_user(ctx: Context) -> Any:
    """The new user."""
    return await ctx.app.users.create(ctx.values, caller(ctx))


async def update_user(ctx: Context) -> Any:
    """The changed users; their connections start anew with their new rights."""
    return await ctx.app.users.update(ctx.params, ctx.values, caller(ctx))


async def destroy_user(ctx: Context) -> Any:
    """How many users are gone."""
    return await ctx.app.users.destroy(ctx.params, caller(ctx))


def _body(ctx: Context) -> dict[str, Any]:
    return ctx.values if isinstance(ctx.values, dict) else {}


async def _update_me(ctx: Context, names: tuple[str, ...]) -> Any:
    given = {name: value for name, value in _body(ctx).items() if name in names}
    changed = await ctx.app.users.update({"filterByTk": me(ctx).id}, given, caller(ctx))
    return changed[0] if changed else None


async def update_profile(ctx: Context) -> Any:
    """Changes the caller's own name and addresses."""
    in_person(ctx)
    if (await ctx.app.accounts.settings()).system.get("enableEditProfile") is False:
        raise refused()
    return await _update_me(ctx, ("nickname", "username", "email", "phone"))


async def update_lang(ctx: Context) -> Any:
    """Changes the caller's language."""
    await _update_me(ctx, ("appLang",))
    return NOTHING


async def set_default_role(ctx: Context) -> Any:
    """Chooses which of the caller's roles is taken when none is named."""
    name = _body(ctx).get("roleName")
    if not isinstance(name, str):
        raise BadRequest("`roleName` is required")
    await ctx.app.users.set_default_role(me(ctx).id, name)
    return "ok"


async def sign_out_everywhere(ctx: Context) -> Any:
    """Ends all sessions of the users chosen by `filterByTk` or `filter`; answers how many sessions."""
    if "filterByTk" not in ctx.params and is_empty(ctx.params.get("filter")):
        raise BadRequest("`filterByTk` or `filter` is required: whose sessions are to end")
    users = ctx.app.collections.system["users"]
    found = await ctx.app.records.find(users, selection(users, ctx.params), caller(ctx))
    return sum([await ctx.app.open_sessions.end_all(each["id"]) for each in found])


async def remove_second_factor(ctx: Context) -> Any:
    """Takes the second factor from the chosen users; their password alone signs them in again."""
    _ = in_person(ctx)
    return await ctx.app.users.remove_second_factor(ctx.params, caller(ctx))


# -- roles -----------------------------------------------------------------------------------------------


async def check_role(ctx: Context) -> Any:
    """What the current role may do; for all roles at once what any of them may."""
    settings = await ctx.app.accounts.settings()
    if ctx.user is None:
        raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
    rights = settings.rights(ctx.role or "", ctx.user)
    roles = rights.roles
    configured = {name for role in roles for name in role.resources}
    return {
        "role": ctx.role,
        "roleMode": settings.system.get("roleMode") or "default",
        "strategy": {"actions": list(dict.fromkeys(action for role in roles for action in role.actions))},
        "actions": _rules(ctx, rights, configured),
        "snippets": sorted({snippet for role in roles for snippet in role.snippets}),
        "resources": sorted(configured),
        "roles": [role.name for role in roles],
        "availableActions": list(ACTIONS),
        "actionAlias": dict(ALIASES),
        "allowAll": rights.unlimited,
        "allowConfigure": any(role.allow_configure is True for role in roles),
        "allowMenuItemIds": [],
        "allowAnonymous": "anonymous" in settings.roles,
        "uiButtonSchemasBlacklist": [],
    }


def _rules(ctx: Context, rights: RoleRights, configured: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`orders:view` to its fields and filter, for the collections that have rules of their own."""
    rules: dict[str, dict[str, Any]] = {}
    for name in sorted(configured):
        collection = ctx.app.collections.get(name)
        for action in ACTIONS if collection is not None else ():
            right = rights.on(collection, action) if collection is not None else None
            if right is None:
                continue
            rule: dict[str, Any] = {}
            if right.fields is not None:
                rule["whitelist" if action in ("create", "update") else "fields"] = sorted(right.fields)
            if right.scope is not None:
                rule["filter"] = dict(right.scope)
            rules[f"{name}:{action}"] = rule
    return rules


async def set_system_role_mode(ctx: Context) -> Any:
    """Whether people act with one role or with all of theirs."""
    mode = _body(ctx).get("roleMode")
    if mode not in ROLE_MODES:
        raise BadRequest(f"`roleMode` is one of {', '.join(ROLE_MODES)}")
    ctx.values = {"roleMode": mode}
    await update_setting(ctx, "systemSettings", {"forceUpdate": True})
    return "ok"


async def create_role(ctx: Context) -> Any:
    """A new role; making it the default takes that from the one before."""
    roles = ctx.app.collections.system["roles"]
    async with changed_settings(ctx, roles, "created") as change:
        tx = change.connection
        created = await ctx.app.records.create(roles, ctx.values, caller(ctx), ctx.params, connection=tx)
        await _one_default(ctx, created["name"] if isinstance(created, dict) else None, tx)
        change.records = created
    return created


async def update_role(ctx: Context) -> Any:
    """The changed roles."""
    roles = ctx.app.collections.system["roles"]
    async with changed_settings(ctx, roles, "updated") as change:
        tx = change.connection
        changed = await ctx.app.records.update(roles, ctx.params, ctx.values, caller(ctx), connection=tx)
        await _one_default(ctx, changed[0]["name"] if changed else None, tx)
        change.records = changed
    return changed


async def destroy_role(ctx: Context) -> Any:
    """How many roles are gone; the built-in ones stay."""
    roles = ctx.app.collections.system["roles"]
    async with changed_settings(ctx, roles, "destroyed") as change:
        tx = change.connection
        found = await ctx.app.records.find(roles, selection(roles, ctx.params), caller(ctx), connection=tx)
        names = [row["name"] for row in found]
        if _BUILT_IN.intersection(names):
            raise refused()
        count = await ctx.app.records.destroy(roles, ctx.params, caller(ctx), connection=tx)
        for name in names:
            await ctx.app.users.unlink_role(name, tx)
            await ctx.app.role_rules.forget_role(name, tx)
            await ctx.app.api_keys.forget_role(name, tx)
        change.tell(expired=True)
    return count


async def _one_default(ctx: Context, name: str | None, connection: Connection) -> None:
    if name is None or _body(ctx).get("default") is not True:
        return
    roles = ctx.app.collections.system["roles"]
    others = {"filter": {"default": True, "name": {"$ne": name}}}
    await ctx.app.records.update(roles, others, {"default": False}, caller(ctx), connection=connection)
