"""`apiKeys` (http-api.md 6.14): everybody sees and ends their own."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.person import in_person
from atoll.application.api.actions.records import caller
from atoll.application.api.resources import ResourceRegistry
from atoll.application.context import Context


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    actions = {"list": list_keys, "create": create_key, "destroy": destroy_keys}
    resources.define("apiKeys", actions, snippet="pm.api-keys.configuration")


async def list_keys(ctx: Context) -> Any:
    """One page of the caller's keys; `tokenEnd` are the last four characters of the token."""
    return await ctx.app.api_keys.page(ctx.params, caller(ctx))


async def create_key(ctx: Context) -> Any:
    """The token of the new key, which is never shown again."""
    owner = in_person(ctx)
    values = ctx.values if isinstance(ctx.values, dict) else {}
    return {"token": await ctx.app.api_keys.create(owner, values, caller(ctx))}


async def destroy_keys(ctx: Context) -> Any:
    """How many keys are gone."""
    _ = in_person(ctx)
    return await ctx.app.api_keys.destroy(ctx.params, caller(ctx))
