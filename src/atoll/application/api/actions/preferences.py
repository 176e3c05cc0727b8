"""`userPreferences`: what the signed-in person chose for the screens, on every device."""

from __future__ import annotations

from typing import Any

from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import Context
from atoll.errors import BadRequest, Unauthenticated


def define(resources: ResourceRegistry) -> None:
    """Adds the resource; everybody reads and writes only their own."""
    resources.define(
        "userPreferences",
        {"list": list_preferences, "set": set_preference},
        access={"list": LOGGED_IN, "set": LOGGED_IN},
    )


def _me(ctx: Context) -> int:
    if ctx.user is None:
        raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
    return ctx.user.id


async def list_preferences(ctx: Context) -> Any:
    """All of them: a list of `{"key", "value"}`."""
    found = await ctx.app.preferences.all(_me(ctx))
    return [{"key": key, "value": value} for key, value in found.items()]


async def set_preference(ctx: Context) -> Any:
    """Keeps `{"key", "value"}`; a value of null goes back to the default."""
    body = ctx.values if isinstance(ctx.values, dict) else {}
    key = body.get("key")
    if not isinstance(key, str) or "value" not in body:
        raise BadRequest("`key` (a text) and `value` are required")
    await ctx.app.preferences.set(_me(ctx), key, body["value"])
    return {"key": key, "value": body["value"]}
