"""`auth`: signing in, up and out, and the own password (http-api.md 6.4)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from atoll.application.api.actions.person import in_person, me
from atoll.application.api.actions.records import caller
from atoll.application.api.resources import LOGGED_IN, PUBLIC, ResourceRegistry
from atoll.application.auth import authenticators
from atoll.application.auth.users import USERNAME
from atoll.application.context import NOTHING, Context, CurrentUser
from atoll.errors import BadRequest, Forbidden, SignInFailed

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "username": USERNAME,
        "email": EMAIL,
        "nickname": re.compile(r"[^\x00-\x1f]{1,255}"),
        "phone": re.compile(r"[0-9+()./ -]{3,40}"),
    }
)
_HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {"username": ": 1 to 50 characters, none of @ < > \" ' /"}
)
_WRONG = {
    "en-US": "The username/email or password is incorrect, please re-enter",
    "zh-CN": "用户名/邮箱或密码有误，请重新输入",
}


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "auth",
        {
            "signIn": sign_in,
            "signUp": sign_up,
            "signOut": sign_out,
            "check": check,
            "changePassword": change_password,
        },
        access={
            "signIn": PUBLIC,
            "signUp": PUBLIC,
            "signOut": LOGGED_IN,
            "check": LOGGED_IN,
            "changePassword": LOGGED_IN,
        },
    )


def _body(ctx: Context) -> dict[str, Any]:
    return ctx.values if isinstance(ctx.values, dict) else {}


def _wrong(ctx: Context) -> SignInFailed:
    return SignInFailed(_WRONG.get(ctx.locale, _WRONG["en-US"]))


async def sign_in(ctx: Context) -> Any:
    """A token and its user; the refusal is the same for an unknown account and a wrong password.

    Whoever has a second factor gives its `code` with the password; without it the refusal says so.
    """
    body = _body(ctx)
    account = body.get("account") or body.get("email")
    if not account:
        raise BadRequest("Please fill in your username or email")
    password = body.get("password")
    if not isinstance(account, str) or not isinstance(password, str) or not password:
        raise _wrong(ctx)
    await ctx.app.throttle.begin(account, ctx.client)
    user_id, stored = await ctx.app.users.credentials(account, by_email=not body.get("account"))
    if not await ctx.app.passwords.matches(stored, password) or user_id is None:
        raise _wrong(ctx)
    code = body.get("code")
    await ctx.app.second_factors.check(user_id, code if isinstance(code, str) else None)
    await ctx.app.throttle.succeeded(account, ctx.client)
    user = await ctx.app.accounts.user(user_id)
    if user is None:
        raise _wrong(ctx)
    chosen = authenticators.chosen(await ctx.app.accounts.settings(), ctx.headers.get("x-authenticator"))
    return await begin_session(ctx, user, chosen["name"] if chosen else "basic")


async def begin_session(ctx: Context, user: CurrentUser, authenticator: str) -> dict[str, Any]:
    """What a client gets whose user has proved who they are: user and token, and cookies."""
    agent = ctx.headers.get("user-agent", "")
    token = await ctx.app.sessions.begin(user.id, agent=agent, address=ctx.client)
    _set_cookies(ctx, token, user, authenticator)
    return {"user": user.record, "token": token}


def _set_cookies(ctx: Context, token: str, user: CurrentUser, authenticator: str) -> None:
    name = ctx.app.name
    _cookie(ctx, f"nb_auth_token_{name}", token, http_only=True)
    _cookie(ctx, f"nb_authenticator_{name}", authenticator)
    _cookie(ctx, f"nb_csrf_token_{name}", secrets.token_urlsafe(24))
    _cookie(ctx, f"nb_role_{name}", user.roles[0] if user.roles else "")


def _cookie(ctx: Context, name: str, value: str, *, http_only: bool = False) -> None:
    secure = "; secure" if ctx.headers.get("x-forwarded-proto") == "https" else ""
    ctx.set_header(
        "set-cookie", f"{name}={value}; path=/; samesite=lax{'; httponly' if http_only else ''}{secure}"
    )


def _clear_cookies(ctx: Context) -> None:
    for kind in ("auth_token", "authenticator", "csrf_token", "role"):
        ctx.set_header("set-cookie", f"nb_{kind}_{ctx.app.name}=; path=/; max-age=0; samesite=lax")


async def sign_up(ctx: Context) -> Any:
    """Makes an account with the default role and the values of the form, when the authenticator allows it."""
    body, settings = _body(ctx), await ctx.app.accounts.settings()
    chosen = authenticators.chosen(settings, ctx.headers.get("x-authenticator"))
    if chosen is None or authenticators.public_options(chosen).get("allowSignUp") is not True:
        raise Forbidden("Sign-up is not allowed. Ask an administrator for an account.")
    given = _form_values(authenticators.sign_up_form(chosen), body)
    password = body.get("password")
    if not isinstance(password, str) or not password:
        raise BadRequest("Please enter a password")
    if password != body.get("confirm_password"):
        raise BadRequest("The passwords do not match")
    await ctx.app.users.create({**given, "password": password}, caller(ctx))
    return NOTHING


def _form_values(form: list[authenticators.FormField], body: Mapping[str, Any]) -> dict[str, str]:
    """What a form holds of the fields it shows; raises BadRequest for what is missing or malformed."""
    given: dict[str, str] = {}
    for field in form:
        value = body.get(field.name)
        if value is None or value == "":
            if field.required:
                raise BadRequest(f"Please enter a valid {field.name}{_HINTS.get(field.name, '')}")
        elif not (isinstance(value, str) and _FORMS[field.name].fullmatch(value)):
            raise BadRequest(f"Please enter a valid {field.name}{_HINTS.get(field.name, '')}")
        else:
            given[field.name] = value
    return given


async def sign_out(ctx: Context) -> Any:
    """Ends the session: its token is worth nothing from now on, on every instance."""
    _ = in_person(ctx)
    if ctx.token is not None:
        await ctx.app.sessions.end(ctx.token, ctx.claims)
    _clear_cookies(ctx)
    return NOTHING


async def check(ctx: Context) -> Any:
    """The signed-in user."""
    user = me(ctx)
    settings = await ctx.app.accounts.settings()
    known = [settings.roles[name] for name in user.roles if name in settings.roles]
    return {**user.record, "roles": [{"name": role.name, "title": role.title} for role in known]}


async def change_password(ctx: Context) -> Any:
    """Sets a new password; every session that began before it ends."""
    settings = await ctx.app.accounts.settings()
    if settings.system.get("enableChangePassword") is False:
        raise Forbidden("Changing the password is switched off in the system settings")
    body, user = _body(ctx), in_person(ctx)
    old, new = body.get("oldPassword"), body.get("newPassword")
    if not isinstance(new, str) or not new:
        raise BadRequest("Please enter a new password")
    if new != body.get("confirmPassword"):
        raise BadRequest("The passwords do not match")
    if not isinstance(old, str):
        raise SignInFailed("The old password is incorrect")
    account = f"#{user.id}"
    await ctx.app.throttle.begin(account, ctx.client)
    if not await ctx.app.passwords.matches(await ctx.app.users.password_of(user.id), old):
        raise SignInFailed("The old password is incorrect")
    await ctx.app.throttle.succeeded(account, ctx.client)
    changed = await ctx.app.users.update({"filterByTk": user.id}, {"password": new}, caller(ctx))
    return changed[0] if changed else None
