"""Sign-in tokens: HS256 JWTs that belong to one app (http-api.md 6.1)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import uuid4

import jwt

from atoll.errors import Unauthenticated

INVALID = "Your session is not valid. Please sign in again."


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says. Times: `issued_at`, `expires_at` in seconds, `signed_in_at` in ms."""

    user_id: int
    issued_at: int
    expires_at: int
    token_id: str | None
    signed_in_at: int
    temporary: bool
    role: str | None


def issue(
    secret: bytes,
    app: str,
    user_id: int,
    *,
    lifetime: float = 3600.0,
    token_id: str | None = None,
    signed_in_at: int | None = None,
    role: str | None = None,
) -> str:
    """A token for one user of one app.

    Args:
        secret: the app's own secret.
        app: the app's name; the token's audience, no other app accepts it.
        lifetime: seconds until it expires.
        token_id: `jti`; a new one when None.
        signed_in_at: milliseconds since 1970; now when None.
        role: binds the token to one role (API keys); such tokens are never renewed.
    """
    now = time.time()
    claims: dict[str, object] = {
        "userId": user_id,
        "aud": app,
        "iat": int(now),
        "exp": int(now + lifetime),
        "jti": token_id or str(uuid4()),
    }
    if role is None:
        claims["temp"] = True
        claims["signInTime"] = int(now * 1000) if signed_in_at is None else signed_in_at
    else:
        claims["roleName"] = role
    return jwt.encode(claims, secret, algorithm="HS256")


def read(secret: bytes, app: str, token: str) -> Claims:
    """The claims of a token of this app; raises Unauthenticated INVALID_TOKEN. Expiry is not judged here."""
    try:
        payload = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=app,
            options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud"]},
        )
        return Claims(
            user_id=int(payload["userId"]),
            issued_at=int(payload["iat"]),
            expires_at=int(payload["exp"]),
            token_id=payload.get("jti"),
            signed_in_at=int(payload.get("signInTime") or payload["iat"] * 1000),
            temporary=payload.get("temp") is True,
            role=payload.get("roleName"),
        )
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        raise Unauthenticated(INVALID, code="INVALID_TOKEN") from None
