"""`auth:beginOidc` and `auth:finishOidc`: signing in at an OpenID provider."""

from __future__ import annotations

from typing import Any

from atoll.application.api.actions.auth import begin_session
from atoll.application.api.resources import PUBLIC, ResourceRegistry
from atoll.application.auth import authenticators
from atoll.application.auth.oidc import Provider
from atoll.application.context import Context
from atoll.errors import BadRequest, SignInFailed


def define(resources: ResourceRegistry) -> None:
    """Adds the actions."""
    actions = {"beginOidc": begin, "finishOidc": finish}
    resources.define("auth", actions, access=dict.fromkeys(actions, PUBLIC))


def _text(ctx: Context, name: str) -> str:
    value = ctx.values.get(name) if isinstance(ctx.values, dict) else None
    if not isinstance(value, str) or not value:
        raise BadRequest(f"`{name}` is required")
    return value


async def _provider(ctx: Context, name: str) -> tuple[Provider, bool, bool]:
    """The enabled provider of that name; whether accounts are found by e-mail there, and made."""
    settings = await ctx.app.accounts.settings()
    found = authenticators.chosen(settings, name, authenticators.OIDC)
    if found is None or found["name"] != name:
        raise BadRequest("There is no such way to sign in. Reload the page")
    options = (found["options"] or {}).get("oidc") or {}
    secret = ctx.app.vault.open(options["clientSecret"], authenticators.secret_of(name))
    provider = Provider(name, options["issuer"], options["clientId"], secret)
    sign_up = authenticators.public_options(found).get("allowSignUp") is True
    return provider, options.get("linkByEmail") is True, sign_up


async def begin(ctx: Context) -> Any:
    """Where the browser goes (`url`), and what it keeps until it is back (`state`, `ticket`)."""
    provider, *_ = await _provider(ctx, _text(ctx, "authenticator"))
    return await ctx.app.oidc.begin(provider, _text(ctx, "redirectUri"))


async def finish(ctx: Context) -> Any:
    """A token and its user, for the `code` and `state` that the provider sent the browser back with."""
    ticket = _text(ctx, "ticket")
    provider, by_email, sign_up = await _provider(ctx, ctx.app.oidc.provider_of(ticket))
    claims = await ctx.app.oidc.finish(provider, ticket, _text(ctx, "state"), _text(ctx, "code"))
    user_id = await ctx.app.identities.user_for(provider.name, claims, by_email=by_email, sign_up=sign_up)
    user = await ctx.app.accounts.user(user_id)
    if user is None:
        raise SignInFailed("The sign-in did not work. Please begin again")
    return await begin_session(ctx, user, provider.name)
