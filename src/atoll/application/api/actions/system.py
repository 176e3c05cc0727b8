"""`app`, `systemSettings`, `tokenControlConfig` (http-api.md A.1, A.2, 6.2)."""

from __future__ import annotations

from typing import Any

from atoll import __version__, images
from atoll.application.api.actions.records import GENERIC
from atoll.application.api.actions.settings import update_setting
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.auth.accounts import DEFAULT_POLICY
from atoll.application.auth.durations import seconds
from atoll.application.context import NOTHING, Context
from atoll.errors import BadRequest


def define(resources: ResourceRegistry) -> None:
    """Adds the resources."""
    resources.define(
        "app",
        {
            "getInfo": get_info,
            "getLang": get_lang,
            "clearCache": reread,
            "refresh": reread,
            "restart": reread,
        },
        access={"getInfo": PUBLIC, "getLang": PUBLIC},
        snippet="app",
    )
    resources.define(
        "systemSettings",
        {"get": get_settings, "put": update_settings, "update": update_settings},
        access={"get": PUBLIC},
        snippet="pm.system-settings.system-settings",
    )
    resources.define(
        "tokenControlConfig",
        {"list": GENERIC["list"], "get": GENERIC["get"], "update": update_policy},
        snippet="pm.security.token-control-config",
    )
    resources.define("schedule", {"list": list_jobs}, snippet="pm.schedule")


async def get_info(ctx: Context) -> Any:
    """Name, version, language and kind of database."""
    system = (await ctx.app.accounts.settings()).system
    return {
        "database": {"dialect": ctx.app.database.kind},
        "version": __version__,
        "lang": system.get("appLang") or "en-US",
        "name": ctx.app.name,
        "title": system.get("title"),
        "theme": "default",
    }


async def get_lang(ctx: Context) -> Any:
    """The language that is spoken with the caller: the one asked for if it is enabled, else the app's."""
    system = (await ctx.app.accounts.settings()).system
    enabled = system.get("enabledLanguages") or ["en-US"]
    lang = ctx.locale if ctx.locale in enabled else system.get("appLang") or enabled[0]
    return {"lang": lang, "resources": {"client": {}}}


async def reread(ctx: Context) -> Any:
    """All instances of the app read anew what they keep in memory. Nothing is interrupted."""
    await ctx.app.agreement.reload_everywhere()
    return NOTHING


async def get_settings(ctx: Context) -> Any:
    """The system settings."""
    return dict((await ctx.app.accounts.settings()).system)


async def update_settings(ctx: Context) -> Any:
    """Changes the system settings; there is one row. `options.logo` is a small picture."""
    options = ctx.values.get("options") if isinstance(ctx.values, dict) else None
    if isinstance(options, dict) and options.get("logo") is not None:
        try:
            _ = images.read(str(options["logo"]))
        except ValueError as error:
            raise BadRequest(f"`options.logo`: {error}") from error
    return await update_setting(ctx, "systemSettings", {"filterByTk": 1})


async def update_policy(ctx: Context) -> Any:
    """Changes how long tokens and sessions live."""
    config = ctx.values.get("config") if isinstance(ctx.values, dict) else None
    if not isinstance(config, dict):
        raise BadRequest("`config` must be an object")
    for name in DEFAULT_POLICY:
        if name in config:
            seconds(config[name])
    return await update_setting(ctx, "tokenControlConfig", ctx.params)


async def list_jobs(ctx: Context) -> Any:
    """Scheduled jobs with their next time and their last ticks."""
    return await ctx.app.schedule.overview()
