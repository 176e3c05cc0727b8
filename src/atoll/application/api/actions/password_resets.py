"""`auth:lostPassword` and what follows from it (http-api.md 6.4)."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.auth import EMAIL
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.auth import authenticators
from atoll.application.context import NOTHING, Context
from atoll.errors import BadRequest, Forbidden, MailNotConfigured


def define(resources: ResourceRegistry) -> None:
    """Adds the actions."""
    actions = {
        "lostPassword": lost_password,
        "checkResetToken": check_reset_token,
        "resetPassword": reset_password,
    }
    resources.define("auth", actions, access=dict.fromkeys(actions, PUBLIC))


def _text(ctx: Context, name: str) -> str:
    value = ctx.values.get(name) if isinstance(ctx.values, dict) else None
    return value if isinstance(value, str) else ""


async def lost_password(ctx: Context) -> Any:
    """Mails a link for a new password; the answer is the same when there is no such account.

    The link leads to the address of the app that the settings give: one that a request brings could be
    anybody's.
    """
    settings, name = await ctx.app.accounts.settings(), ctx.headers.get("x-authenticator")
    chosen = authenticators.chosen(settings, name) if name else None
    if chosen is None:
        raise BadRequest("The header X-Authenticator is required: a way to sign in with a password")
    if not ctx.app.password_resets.possible:
        raise MailNotConfigured("This server sends no mail. Ask an administrator for a new password")
    if not authenticators.may_reset(chosen):
        raise Forbidden("Resetting the password is switched off. Ask an administrator for a new one")
    email = _text(ctx, "email")
    if not EMAIL.fullmatch(email):
        raise BadRequest("Please enter a valid email")
    await ctx.app.throttle.begin(f"mail:{email}", ctx.client)
    title = settings.system.get("title") or ctx.app.name
    ctx.app.password_resets.begin(email, title=str(title), locale=ctx.locale)
    return NOTHING


async def check_reset_token(ctx: Context) -> Any:
    """True; 401 when the link has been used or is too old."""
    await ctx.app.password_resets.check(_text(ctx, "resetToken"))
    return True


async def reset_password(ctx: Context) -> Any:
    """Sets the password that the link of a mail allows; all sessions of the account end."""
    await ctx.app.password_resets.finish(_text(ctx, "resetToken"), _text(ctx, "password"))
    return NOTHING
