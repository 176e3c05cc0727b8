"""`themeConfig` and the theme that people choose for themselves (http-api.md A.5)."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.resources import LOGGED_IN, PUBLIC, ResourceRegistry
from atoll.application.context import NOTHING, Context
from atoll.application.records.reader import selection
from atoll.errors import BadRequest, Unauthenticated

_ACTIONS = ("list", "get", "create")


def define(resources: ResourceRegistry) -> None:
    """Adds the resource; pages need the list before anybody has signed in."""
    resources.define(
        "themeConfig",
        {**{name: GENERIC[name] for name in _ACTIONS}, "update": update_themes, "destroy": destroy_themes},
        access={"list": PUBLIC},
        snippet="pm.theme-editor.themeConfig",
    )
    resources.define("users", {"updateTheme": update_theme}, access={"updateTheme": LOGGED_IN})


async def update_themes(ctx: Context) -> Any:
    """The changed themes; a theme that becomes the default takes that from the one before."""
    themes, records, who = ctx.app.collections.system["themeConfig"], ctx.app.records, caller(ctx)
    values = ctx.values if isinstance(ctx.values, dict) else {}
    kept = {name: value for name, value in values.items() if name not in ("uid", "isBuiltIn")}
    async with records.work(who, ctx.params) as unit:
        changed = await records.update(themes, ctx.params, kept, who, connection=unit.connection)
        if kept.get("default") is True and changed:
            others = {"filter": {"default": True, "id": {"$ne": changed[0]["id"]}}}
            await records.update(themes, others, {"default": False}, who, connection=unit.connection)
        unit.changed(themes, "updated", changed)
    return changed


async def destroy_themes(ctx: Context) -> Any:
    """How many themes are gone; the built-in ones and the default one stay."""
    themes = ctx.app.collections.system["themeConfig"]
    chosen = await ctx.app.records.find(themes, selection(themes, ctx.params), caller(ctx))
    if any(theme["isBuiltIn"] or theme["default"] for theme in chosen):
        raise BadRequest("Themes that are built in, and the default one, cannot be destroyed")
    return await ctx.app.records.destroy(themes, ctx.params, caller(ctx))


async def update_theme(ctx: Context) -> Any:
    """The caller's own theme: `{"themeId": id}`; null is the app's default again."""
    if ctx.user is None:
        raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
    values = ctx.values if isinstance(ctx.values, dict) else {}
    chosen = values.get("themeId")
    if "themeId" not in values:
        raise BadRequest("`themeId` is required: the id of a theme, or null")
    if chosen is not None:
        themes = ctx.app.collections.system["themeConfig"]
        if await ctx.app.records.get(themes, {"filterByTk": chosen}, caller(ctx)) is None:
            raise BadRequest(f"There is no theme {chosen!r}")
    settings = {**(ctx.user.record.get("systemSettings") or {}), "themeId": chosen}
    await ctx.app.users.update({"filterByTk": ctx.user.id}, {"systemSettings": settings}, caller(ctx))
    return NOTHING
