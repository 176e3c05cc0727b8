"""`authenticators` (http-api.md 6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from atoll.application.api.actions.records import GENERIC, caller
from atoll.application.api.actions.settings import create_setting, destroy_setting, update_setting
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.auth import authenticators
from atoll.application.auth.accounts import plain
from atoll.application.context import Context, Page
from atoll.application.records.reader import selection
from atoll.errors import BadRequest

_TITLES = {authenticators.PASSWORD: "Password", authenticators.OIDC: "OpenID Connect"}


def define(resources: ResourceRegistry) -> None:
    """Adds the resource."""
    resources.define(
        "authenticators",
        {
            "publicList": public_list,
            "check": public_list,
            "listTypes": list_types,
            "list": list_authenticators,
            "get": get_authenticator,
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


async def list_authenticators(ctx: Context) -> Any:
    """One page of them; secrets are masked."""
    return _masked(await GENERIC["list"](ctx))


async def get_authenticator(ctx: Context) -> Any:
    """One of them; its secret is masked."""
    return _masked(await GENERIC["get"](ctx))


async def create_authenticator(ctx: Context) -> Any:
    """A further authenticator. A name is needed where secrets are sealed for it, and made else."""
    values = _checked(ctx)
    kind, name = values.get("authType"), values.get("name")
    if kind not in _TITLES:
        raise BadRequest(f"`authType` is one of {', '.join(_TITLES)}")
    if kind == authenticators.OIDC:
        if not isinstance(name, str) or not name:
            raise BadRequest("`name` is required")
        _seal(ctx, values, {"name": name, "authType": kind, "options": None})
    return _masked(await create_setting(ctx, "authenticators"))


async def update_authenticator(ctx: Context) -> Any:
    """Changes one; at least one stays enabled, its kind and name stay what they are.

    A client secret that is masked or left out stays as it was.
    """
    values = {key: value for key, value in _checked(ctx).items() if key not in ("authType", "name")}
    ctx.values = values
    if values.get("options") is not None:
        affected = await _affected(ctx)
        if any(plain(row)["authType"] == authenticators.OIDC for row in affected):
            if len(affected) > 1:
                raise BadRequest("Change the options of one OpenID provider at a time")
            _seal(ctx, values, plain(affected[0]))
    if values.get("enabled") is False:
        await _keep_one(ctx)
    return _masked(await update_setting(ctx, "authenticators", ctx.params))


async def destroy_authenticator(ctx: Context) -> Any:
    """Removes some, and who is who there; at least one enabled stays."""
    await _keep_one(ctx)
    names = [row["name"] for row in await _affected(ctx)]
    count = await destroy_setting(ctx, "authenticators")
    async with ctx.app.database.transaction() as tx:
        await ctx.app.identities.forget_authenticators(names, tx)
    return count


def _seal(ctx: Context, values: dict[str, Any], present: Mapping[str, Any]) -> None:
    """Checks the options of an OpenID provider and encrypts its client secret."""
    given = (values.get("options") or {}).get("oidc")
    kept = (present["options"] or {}).get("oidc") or {}
    if not isinstance(given, dict):
        raise BadRequest("`options.oidc` is an object with issuer, clientId and clientSecret")
    issuer, client_id = given.get("issuer"), given.get("clientId")
    if not isinstance(issuer, str) or urlsplit(issuer).scheme not in ("http", "https"):
        raise BadRequest("`issuer` is the address of the provider, such as https://login.example.com")
    if not isinstance(client_id, str) or not client_id:
        raise BadRequest("`clientId` is required")
    secret = given.get("clientSecret")
    if secret in (None, "", authenticators.MASK):
        sealed = kept.get("clientSecret")
        if sealed is not None and issuer != kept.get("issuer"):
            raise BadRequest("Enter the client secret again: it would be sent to another provider")
    elif isinstance(secret, str):
        sealed = ctx.app.vault.seal(secret, authenticators.secret_of(present["name"]))
    else:
        sealed = None
    if sealed is None:
        raise BadRequest("`clientSecret` is required")
    oidc = {
        "issuer": issuer,
        "clientId": client_id,
        "clientSecret": sealed,
        "linkByEmail": given.get("linkByEmail") is True,
    }
    values["options"] = {**values["options"], "oidc": oidc}
    ctx.values = values


def _masked(answer: Any) -> Any:
    if isinstance(answer, Page):
        return Page(_masked(answer.rows), answer.meta)
    if isinstance(answer, list):
        return [_masked(each) for each in answer]
    if not isinstance(answer, Mapping):
        return answer
    record = plain(answer)
    options = record.get("options")
    if not isinstance(options, dict) or not isinstance(options.get("oidc"), dict):
        return record
    oidc = {**options["oidc"], "clientSecret": authenticators.MASK}
    return {**record, "options": {**options, "oidc": oidc}}


async def _affected(ctx: Context) -> list[Any]:
    collection = ctx.app.collections.system["authenticators"]
    return await ctx.app.records.find(collection, selection(collection, ctx.params), caller(ctx))


async def _keep_one(ctx: Context) -> None:
    settings = await ctx.app.accounts.settings()
    gone = {row["id"] for row in await _affected(ctx)}
    if not any(each["enabled"] and each["id"] not in gone for each in settings.authenticators):
        raise BadRequest("At least one authenticator must stay enabled")
