"""`authenticators` (http-api.md 6.5)."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.actions.settings import create_setting, destroy_setting, update_setting
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.auth import authenticators
from atoll.application.context import Context
from atoll.application.records.reader import selection
from atoll.errors import BadRequest

_TITLES = {authenticators.PASSWORD: "Password"}


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
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


async def public_list(ctx: Context) -> Any:
    """The ways to sign in, with their public options only.

    Of a password authenticator these also tell `signupForm` (`{"field", "show", "required"}`, where people
    may sign up) and `enableResetPassword` (whether a mail can bring a new password).
    """
    settings = await ctx.app.accounts.settings()
    return [
        {
            "name": each["name"],
            "authType": each["authType"],
            "authTypeTitle": _TITLES.get(each["authType"], each["authType"]),
            "title": each["title"],
            "options": _shown(ctx, each),
        }
        for each in authenticators.in_order(settings)
    ]


def _shown(ctx: Context, authenticator: Any) -> dict[str, Any]:
    public = authenticators.public_options(authenticator)
    if authenticator["authType"] != authenticators.PASSWORD:
        return public
    resets = ctx.app.password_resets.possible and authenticators.may_reset(authenticator)
    shown = {**public, "enableResetPassword": resets}
    if public.get("allowSignUp") is True:
        form = authenticators.sign_up_form(authenticator)
        shown["signupForm"] = [{"field": each.name, "show": True, "required": each.required} for each in form]
    return shown


async def list_types(ctx: Context) -> Any:
    """The kinds of authenticators there are."""
    return [{"name": name, "title": title} for name, title in _TITLES.items()]


def _checked(ctx: Context) -> dict[str, Any]:
    """The request's values; raises BadRequest for options that would not work."""
    values = ctx.values if isinstance(ctx.values, dict) else {}
    options = values.get("options")
    if options is not None and not isinstance(options, dict):
        raise BadRequest("`options` is an object")
    public = (options or {}).get("public")
    if public is not None and not isinstance(public, dict):
        raise BadRequest("`options.public` is an object")
    if public and public.get("signupForm") is not None:
        _ = authenticators.read_form(public["signupForm"])
    return values


async def create_authenticator(ctx: Context) -> Any:
    """A further authenticator."""
    if _checked(ctx).get("authType") not in _TITLES:
        raise BadRequest(f"`authType` is one of {', '.join(_TITLES)}")
    return await create_setting(ctx, "authenticators")


async def update_authenticator(ctx: Context) -> Any:
    """Changes one; at least one stays enabled, and its kind stays what it is."""
    values = _checked(ctx)
    if "authType" in values:
        ctx.values = {key: value for key, value in values.items() if key != "authType"}
    if values.get("enabled") is False:
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
