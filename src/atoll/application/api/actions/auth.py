"""`auth` and `authenticators` (http-api.md 6.4, 6.5)."""

from __future__ import annotations

import re
import secrets
from typing import Any

from atoll.application.api.actions.person import in_person, me
from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.actions.settings import create_setting, destroy_setting, update_setting
from atoll.application.api.resources import LOGGED_IN, PUBLIC, ResourceRegistry
from atoll.application.auth.users import USERNAME
from atoll.application.context import NOTHING, Context, CurrentUser
from atoll.application.records.reader import selection
from atoll.errors import BadRequest, Forbidden, SignInFailed

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WRONG = {
    "en-US": "The username/email or password is incorrect, please re-enter",
    "zh-CN": "用户名/邮箱或密码有误，请重新输入",
}


def define(resources: ResourceRegistry) -> None:
    """Adds both resources."""
    resources.define(
        "auth",
        {
            "signIn": sign_in,
            "signUp": sign_up,
            "signOut": sign_out,
            "check": check,
            "changePassword": change_password,
            "listSessions": list_sessions,
            "endSession": end_session,
            "endOtherSessions": end_other_sessions,
        },
        access={
            "signIn": PUBLIC,
            "signUp": PUBLIC,
            "signOut": LOGGED_IN,
            "check": LOGGED_IN,
            "changePassword": LOGGED_IN,
            "listSessions": LOGGED_IN,
            "endSession": LOGGED_IN,
            "endOtherSessions": LOGGED_IN,
        },
    )
    resources.define(
        "authenticators",
        {
            "publicList": public_list,
            "check": public_list,
            "listTypes": list_types,
            "list": GENERIC["list"],
            "get": GENERIC["get"],
            "create": create_authenticator,
            "update": update_authenticator,
            "destroy": destroy_authenticator,
        },
        access={"publicList": PUBLIC, "check": PUBLIC},
        snippet="pm.auth.authenticators",
    )


def _body(ctx: Context) -> dict[str, Any]:
    return ctx.values if isinstance(ctx.values, dict) else {}


def _wrong(ctx: Context) -> SignInFailed:
    return SignInFailed(_WRONG.get(ctx.locale, _WRONG["en-US"]))


async def sign_in(ctx: Context) -> Any:
    """A token and its user; the refusal is the same for an unknown account and a wrong password."""
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
    await ctx.app.throttle.succeeded(account, ctx.client)
    user = await ctx.app.accounts.user(user_id)
    if user is None:
        raise _wrong(ctx)
    return await begin_session(ctx, user)


async def begin_session(ctx: Context, user: CurrentUser) -> dict[str, Any]:
    """What a client gets whose user has proved who they are: user and token, and cookies."""
    agent = ctx.headers.get("user-agent", "")
    token = await ctx.app.sessions.begin(user.id, agent=agent, address=ctx.client)
    _set_cookies(ctx, token, user)
    return {"user": user.record, "token": token}


def _set_cookies(ctx: Context, token: str, user: CurrentUser) -> None:
    name = ctx.app.name
    _cookie(ctx, f"nb_auth_token_{name}", token, http_only=True)
    _cookie(ctx, f"nb_authenticator_{name}", "basic")
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
    """Makes an account with the default role, when the authenticator allows it."""
    body = _body(ctx)
    settings = await ctx.app.accounts.settings()
    name = ctx.headers.get("x-authenticator")
    enabled = [each for each in settings.authenticators if each["enabled"]]
    chosen = next((each for each in enabled if each["name"] == name), enabled[0] if enabled else None)
    public = ((chosen or {}).get("options") or {}).get("public") or {}
    if public.get("allowSignUp") is not True:
        raise Forbidden("Sign-up is not allowed. Ask an administrator for an account.")
    username, email, password = body.get("username"), body.get("email"), body.get("password")
    if not (isinstance(username, str) and USERNAME.fullmatch(username)):
        raise BadRequest("Please enter a valid username: 1 to 50 characters, none of @ < > \" ' /")
    if email is not None and not (isinstance(email, str) and _EMAIL.fullmatch(email)):
        raise BadRequest("Please enter a valid email")
    if not isinstance(password, str) or not password:
        raise BadRequest("Please enter a password")
    if password != body.get("confirm_password"):
        raise BadRequest("The passwords do not match")
    given = {"username": username, "email": email, "nickname": body.get("nickname"), "password": password}
    await ctx.app.users.create({key: value for key, value in given.items() if value is not None}, caller(ctx))
    return NOTHING


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


async def list_sessions(ctx: Context) -> Any:
    """Where the caller is signed in."""
    return await ctx.app.open_sessions.of(in_person(ctx).id, ctx.claims.token_id)


async def end_session(ctx: Context) -> Any:
    """Ends the caller's session `id`."""
    user, session = in_person(ctx), _body(ctx).get("id")
    if not isinstance(session, str) or not session:
        raise BadRequest("`id` is required: one of auth:listSessions")
    await ctx.app.open_sessions.end_one(user.id, session)
    return NOTHING


async def end_other_sessions(ctx: Context) -> Any:
    """Ends all of the caller's sessions but this one; answers how many."""
    return await ctx.app.open_sessions.end_others(in_person(ctx).id, ctx.claims.token_id)


# -- authenticators --------------------------------------------------------------------------------------


async def public_list(ctx: Context) -> Any:
    """The ways to sign in, with their public options only."""
    settings = await ctx.app.accounts.settings()
    return [
        {
            "name": each["name"],
            "authType": each["authType"],
            "authTypeTitle": "Password",
            "title": each["title"],
            "options": (each["options"] or {}).get("public") or {},
        }
        for each in sorted(settings.authenticators, key=lambda each: each["sort"] or 0)
        if each["enabled"]
    ]


async def list_types(ctx: Context) -> Any:
    """The kinds of authenticators there are."""
    return [{"name": "Email/Password", "title": "Password"}]


async def create_authenticator(ctx: Context) -> Any:
    """A further authenticator."""
    if _body(ctx).get("authType") != "Email/Password":
        raise BadRequest("`authType` must be 'Email/Password'")
    return await create_setting(ctx, "authenticators")


async def update_authenticator(ctx: Context) -> Any:
    """Changes one; at least one stays enabled."""
    body = _body(ctx)
    if body.get("enabled") is False:
        await _keep_one(ctx)
    return await update_setting(ctx, "authenticators", ctx.params)


async def destroy_authenticator(ctx: Context) -> Any:
    """Removes some; at least one enabled stays."""
    await _keep_one(ctx)
    return await destroy_setting(ctx, "authenticators")


async def _keep_one(ctx: Context) -> None:
    settings = await ctx.app.accounts.settings()
    collection = ctx.app.collections.system["authenticators"]
    affected = await ctx.app.records.find(collection, selection(collection, ctx.params), caller(ctx))
    gone = {row["id"] for row in affected}
    if not any(each["enabled"] and each["id"] not in gone for each in settings.authenticators):
        raise BadRequest("At least one authenticator must stay enabled")
