"""Who is asking, for actions about the caller."""

from __future__ import annotations

from atoll.application.context import Context, CurrentUser
from atoll.errors import Forbidden, Unauthenticated


def me(ctx: Context) -> CurrentUser:
    """The signed-in user; raises Unauthenticated."""
    if ctx.user is None:
        raise Unauthenticated("Unauthenticated. Please sign in to continue.", code="EMPTY_TOKEN")
    return ctx.user


def in_person(ctx: Context) -> CurrentUser:
    """The signed-in user, when a session asks and no API key: what a key may do must not outgrow its role.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: an API key asks.
    """
    user = me(ctx)
    if ctx.claims is None or not ctx.claims.temporary:
        raise Forbidden("An API key cannot do this. Sign in with your account")
    return user
