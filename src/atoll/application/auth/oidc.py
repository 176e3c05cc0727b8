"""Signing in at an OpenID provider: authorization code with PKCE, state and nonce.

What a sign-in needs to be finished travels with the browser as a ticket that only this app can read, so that
any instance can finish it and nothing is kept of those that are given up. The ticket also binds the answer
of the provider to the browser that asked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt
import msgspec

from atoll.application.vault import Vault
from atoll.errors import BadRequest, SecretUnreadable, SignInFailed, SignInProviderUnavailable

CALLBACK = "/signin/callback"
_TICKET = "a sign-in at a provider"
_TICKET_SECONDS = 600
_TIMEOUT = 10.0
_LEEWAY = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, as an authenticator describes it.

    Args:
        name: of the authenticator.
        issuer: the provider's address; its configuration lies below it.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str
    scope: str = "openid profile email"


class _Ticket(msgspec.Struct, array_like=True):
    provider: str
    state: str
    nonce: str
    verifier: str
    redirect: str
    until: float


class OidcSignIn:
    """Begins and finishes sign-ins at providers."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def begin(self, provider: Provider, redirect: str) -> dict[str, str]:
        """Where the browser goes, and what it brings back.

        Args:
            redirect: where the provider sends the browser afterwards, as it is registered there.

        Returns:
            `{"url", "state", "ticket"}`.

        Raises:
            BadRequest: `redirect` is no address of this kind.
            SignInProviderUnavailable: the provider does not answer as one.
        """
        parts = urlsplit(redirect)
        if parts.scheme not in ("http", "https") or not parts.netloc or not parts.path.endswith(CALLBACK):
            raise BadRequest(f"`redirectUri` is an address that ends with {CALLBACK}")
        configuration = await _configuration(provider)
        verifier = secrets.token_urlsafe(48)
        until = time.time() + _TICKET_SECONDS
        ticket = _Ticket(
            provider.name, secrets.token_urlsafe(24), secrets.token_urlsafe(24), verifier, redirect, until
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect,
            "scope": provider.scope,
            "state": ticket.state,
            "nonce": ticket.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        at = configuration["authorization_endpoint"]
        sealed = self._vault.seal(msgspec.json.encode(ticket).decode(), _TICKET)
        return {
            "url": f"{at}{'&' if '?' in at else '?'}{urlencode(query)}",
            "state": ticket.state,
            "ticket": sealed,
        }

    def provider_of(self, sealed: str) -> str:
        """The authenticator that a ticket was made for; raises SignInFailed for one of another app."""
        return self._open(sealed).provider

    async def finish(self, provider: Provider, sealed: str, state: str, code: str) -> Mapping[str, Any]:
        """The checked claims of who signed in; `sub` and `iss` are there.

        Raises:
            SignInFailed: the ticket, the state or what the provider answers is not right.
            SignInProviderUnavailable: the provider does not answer as one.
        """
        ticket = self._open(sealed)
        same = hmac.compare_digest(ticket.state.encode(), state.encode())
        if ticket.provider != provider.name or not same or ticket.until < time.time():
            raise _refused("the ticket does not fit the answer, or is too old")
        configuration = await _configuration(provider)
        token = await _exchange(provider, configuration, ticket, code)
        keys = await _get(configuration["jwks_uri"])
        claims = _read(token, keys, provider)
        if not hmac.compare_digest(str(claims.get("nonce") or "").encode(), ticket.nonce.encode()):
            raise _refused("the nonce is another one")
        return claims

    def _open(self, sealed: str) -> _Ticket:
        try:
            return msgspec.json.decode(self._vault.open(sealed, _TICKET), type=_Ticket)
        except (SecretUnreadable, msgspec.DecodeError):
            raise _refused("no ticket of this app") from None


async def _exchange(provider: Provider, configuration: Mapping[str, Any], ticket: _Ticket, code: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": ticket.redirect,
        "code_verifier": ticket.verifier,
    }
    methods = configuration.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    basic = "client_secret_basic" in methods
    if not basic:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    auth = httpx.BasicAuth(provider.client_id, provider.client_secret) if basic else None
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, auth=auth) as client:
            answer = await client.post(configuration["token_endpoint"], data=form)
    except httpx.HTTPError as error:
        raise _away(provider.issuer, error) from error
    if answer.status_code >= 500:
        raise _away(provider.issuer, f"status {answer.status_code}")
    try:
        token = answer.json()["id_token"]
    except (ValueError, KeyError, TypeError):
        raise _refused(f"no id_token, status {answer.status_code}") from None
    return str(token)


def _read(token: str, keys: Mapping[str, Any], provider: Provider) -> Mapping[str, Any]:
    """The claims of an ID token, once its signature, issuer, audience and time are right."""
    try:
        header = jwt.get_unverified_header(token)
        known = jwt.PyJWKSet.from_dict(dict(keys)).keys
        signing = [each for each in known if each.public_key_use in (None, "sig")]
        key = next(each for each in signing if header.get("kid") in (None, each.key_id))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=_ALGORITHMS,
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, StopIteration, ValueError, TypeError) as error:
        raise _refused(f"the ID token is not right: {error}") from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != provider.client_id:
        raise _refused("the ID token is for somebody else")
    return claims


async def _configuration(provider: Provider) -> Mapping[str, Any]:
    found = await _get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if found.get("issuer") != provider.issuer or not all(isinstance(found.get(name), str) for name in needed):
        raise SignInProviderUnavailable(
            "The sign-in provider's configuration does not fit. An administrator should check the issuer",
            detail=f"{provider.issuer} says it is {found.get('issuer')}",
        )
    return found


async def _get(address: str) -> Mapping[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            found = (await client.get(address)).raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _away(address, error) from error
    if not isinstance(found, dict):
        raise _away(address, "no object")
    return found


def _away(address: str, why: object) -> SignInProviderUnavailable:
    return SignInProviderUnavailable(
        "The sign-in provider cannot be reached now. Try again, or sign in another way",
        detail=f"{address}: {why}",
    )


def _refused(why: str) -> SignInFailed:
    return SignInFailed("The sign-in did not work. Please begin again", detail=why)
