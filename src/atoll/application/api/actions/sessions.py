"""`auth:…Session…`: where the caller is signed in."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.person import in_person
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import NOTHING, Context
from atoll.errors import BadRequest


def define(resources: ResourceRegistry) -> None:
    """Adds the actions."""
    actions = {
        "listSessions": list_sessions,
        "endSession": end_session,
        "endOtherSessions": end_other_sessions,
    }
    resources.define("auth", actions, access=dict.fromkeys(actions, LOGGED_IN))


async def list_sessions(ctx: Context) -> Any:
    """Where the caller is signed in."""
    return await ctx.app.open_sessions.of(in_person(ctx).id, ctx.claims.token_id)


async def end_session(ctx: Context) -> Any:
    """Ends the caller's session `id`."""
    user = in_person(ctx)
    session = ctx.values.get("id") if isinstance(ctx.values, dict) else None
    if not isinstance(session, str) or not session:
        raise BadRequest("`id` is required: one of auth:listSessions")
    await ctx.app.open_sessions.end_one(user.id, session)
    return NOTHING


async def end_other_sessions(ctx: Context) -> Any:
    """Ends all of the caller's sessions but this one; answers how many."""
    return await ctx.app.open_sessions.end_others(in_person(ctx).id, ctx.claims.token_id)
