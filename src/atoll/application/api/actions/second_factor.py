"""`auth:…SecondFactor…`: the caller's codes of an authenticator app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from atoll.application.api.actions.person import in_person
from atoll.application.api.resources import LOGGED_IN, ResourceRegistry
from atoll.application.context import NOTHING, Context


def define(resources: ResourceRegistry) -> None:
    """Adds the actions."""
    actions = {
        "secondFactor": second_factor,
        "beginSecondFactor": begin,
        "confirmSecondFactor": confirm,
        "renewRecoveryCodes": renew_codes,
        "removeSecondFactor": remove,
    }
    resources.define("auth", actions, access=dict.fromkeys(actions, LOGGED_IN))


async def second_factor(ctx: Context) -> Any:
    """Whether the caller has one, and how many recovery codes are left."""
    return await ctx.app.second_factors.of(in_person(ctx).id)


async def begin(ctx: Context) -> Any:
    """A new secret as text, address and picture; nothing changes before it is confirmed."""
    user = in_person(ctx)
    settings = await ctx.app.accounts.settings()
    issuer = str(settings.system.get("title") or ctx.app.name).replace(":", " ")
    account = str(user.username or user.record.get("email") or user.id).replace(":", " ")
    return await ctx.app.second_factors.begin(user.id, account, issuer)


async def confirm(ctx: Context) -> Any:
    """Switches it on with a first `code`; answers `{"recoveryCodes"}`."""
    codes = await _guarded(ctx, lambda me, code: ctx.app.second_factors.confirm(me, code))
    return {"recoveryCodes": codes}


async def renew_codes(ctx: Context) -> Any:
    """New recovery codes for a `code`; the old ones are worth nothing any more."""
    codes = await _guarded(ctx, lambda me, code: ctx.app.second_factors.renew_codes(me, code))
    return {"recoveryCodes": codes}


async def remove(ctx: Context) -> Any:
    """Switches it off for a `code`."""
    await _guarded(ctx, lambda me, code: ctx.app.second_factors.remove(me, code))
    return NOTHING


async def _guarded(ctx: Context, act: Callable[[int, str], Awaitable[Any]]) -> Any:
    """Calls `act` with the caller's id and the given code; guesses are counted."""
    me = in_person(ctx).id
    code = ctx.values.get("code") if isinstance(ctx.values, dict) else None
    await ctx.app.throttle.begin(f"code:{me}", ctx.client)
    answer = await act(me, code if isinstance(code, str) else "")
    await ctx.app.throttle.succeeded(f"code:{me}", ctx.client)
    return answer
