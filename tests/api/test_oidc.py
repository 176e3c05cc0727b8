"""Signing in at an OpenID provider, a real one that runs here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from atoll.application.app import Application
from atoll.application.auth.oidc import OidcSignIn, Provider
from atoll.database.drivers import Database
from atoll.errors import SignInFailed
from atoll.testing.oidc_provider import oidc_provider

from .conftest import Api

pytestmark = pytest.mark.anyio
REDIRECT = "http://app.test/signin/callback"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider() as running:
        yield running


async def offer(root: Api, issuer: str, *, sign_up: bool = True, **oidc: Any) -> None:
    given = {"issuer": issuer, "clientId": "atoll", "clientSecret": "s3cret", **oidc}
    options = {"public": {"allowSignUp": sign_up}, "oidc": given}
    values = {"name": "sso", "authType": "OIDC", "title": "Company", "enabled": True, "options": options}
    await root.data("authenticators:create", values)


async def at_provider(begun: dict[str, str], person: str, **claims: Any) -> tuple[str, str]:
    """What a browser does there; gives the code and state that it comes back with."""
    parts = urlsplit(begun["url"])
    async with httpx.AsyncClient() as browser:
        user = f"{parts.scheme}://{parts.netloc}/users/{person}"
        assert (await browser.put(user, json=claims)).is_success
        answer = await browser.post(begun["url"], data={"sub": person})
    assert answer.is_redirect, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    return back["code"][0], back["state"][0]


async def begin(api: Api) -> dict[str, str]:
    answer: dict[str, str] = await api.data(
        "auth:beginOidc", {"authenticator": "sso", "redirectUri": REDIRECT}
    )
    return answer


async def finish(api: Api, begun: dict[str, str], code: str, state: str) -> httpx.Response:
    return await api.call("auth:finishOidc", {"ticket": begun["ticket"], "code": code, "state": state})


async def sign_in(api: Api, person: str, **claims: Any) -> httpx.Response:
    begun = await begin(api)
    return await finish(api, begun, *await at_provider(begun, person, **claims))


async def test_a_stranger_gets_an_account_and_comes_back_to_it(
    anonymous: Api, root: Api, issuer: str
) -> None:
    await offer(root, issuer)
    claims = {"preferred_username": "kim", "name": "Kim", "email": "kim@example.com", "email_verified": True}
    first = (await sign_in(anonymous, "p1", **claims)).json()["data"]
    assert (first["user"]["username"], first["user"]["email"]) == ("kim", "kim@example.com")
    me = Api(anonymous.client, first["token"])
    assert [role["name"] for role in (await me.data("auth:check"))["roles"]] == ["member"]
    second = (await sign_in(anonymous, "p1", preferred_username="other")).json()["data"]
    assert second["user"]["id"] == first["user"]["id"]
    third = (await sign_in(anonymous, "p2", preferred_username="kim")).json()["data"]
    assert third["user"]["id"] != first["user"]["id"], "a user name of somebody else is not theirs"
    await root.data("users:destroy", {}, filterByTk=first["user"]["id"])
    again = (await sign_in(anonymous, "p1", preferred_username="kim")).json()["data"]
    assert again["user"]["id"] != first["user"]["id"]


async def test_only_who_has_an_account_comes_in_when_sign_up_is_closed(
    anonymous: Api, root: Api, issuer: str
) -> None:
    await offer(root, issuer, sign_up=False, linkByEmail=True)
    assert (await sign_in(anonymous, "q1", email="root@example.com", email_verified=False)).status_code == 403
    known = await sign_in(anonymous, "q2", email="Root@example.com", email_verified=True)
    assert known.json()["data"]["user"]["id"] == 1


async def test_addresses_find_nobody_unless_they_are_trusted(anonymous: Api, root: Api, issuer: str) -> None:
    await offer(root, issuer, sign_up=False)
    stranger = await sign_in(anonymous, "r1", email="root@example.com", email_verified=True)
    assert stranger.status_code == 403


async def test_what_is_sent_to_the_provider(anonymous: Api, root: Api, issuer: str, app: Application) -> None:
    await offer(root, issuer)
    begun = await begin(anonymous)
    query = {key: value[0] for key, value in parse_qs(urlsplit(begun["url"]).query).items()}
    assert query["redirect_uri"] == REDIRECT
    assert (query["client_id"], query["response_type"]) == ("atoll", "code")
    assert query["state"] == begun["state"]
    ticket = app.vault.open(begun["ticket"], "a sign-in at a provider")
    verifier = ticket.split('"')[7]
    digest = hashlib.sha256(verifier.encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert query["code_challenge_method"] == "S256"
    assert verifier not in begun["ticket"]
    for wrong in ("https://evil.example.com/", "javascript:alert(1)//signin/callback", "/signin/callback"):
        values = {"authenticator": "sso", "redirectUri": wrong}
        assert (await anonymous.call("auth:beginOidc", values)).status_code == 400, wrong


async def test_answers_that_belong_to_somebody_else_are_refused(
    anonymous: Api, root: Api, issuer: str
) -> None:
    await offer(root, issuer)
    mine, theirs = await begin(anonymous), await begin(anonymous)
    code, state = await at_provider(theirs, "s1")
    for ticket, given_state in ((mine["ticket"], state), (mine["ticket"], mine["state"]), ("x", state)):
        answer = await finish(anonymous, {**mine, "ticket": ticket}, code, given_state)
        assert answer.status_code == 401, answer.text
    assert (await finish(anonymous, theirs, "no-code", state)).status_code == 401
    code, state = await at_provider(theirs, "s1")
    assert (await finish(anonymous, theirs, code, state)).status_code == 200
    assert (await finish(anonymous, theirs, code, state)).status_code == 401, "a code is good once"


async def test_tokens_for_others_are_refused(app: Application, issuer: str) -> None:
    """The provider signs for whoever asks: a token for another client must not sign in here."""
    signing = OidcSignIn(app.vault)
    provider = Provider("sso", issuer, "atoll", "s3cret")
    begun = await signing.begin(provider, REDIRECT)
    code, state = await at_provider(begun, "t1")
    with pytest.raises(SignInFailed):
        await signing.finish(Provider("sso", issuer, "other", "s3cret"), begun["ticket"], state, code)


async def test_the_secret_of_the_client_stays_inside(
    app: Application, database: Database, anonymous: Api, root: Api, issuer: str
) -> None:
    await offer(root, issuer)
    for action, params in (("authenticators:list", {}), ("authenticators:get", {"filter": '{"name":"sso"}'})):
        assert "s3cret" not in (await root.call(action, **params)).text
    assert "s3cret" not in str(
        (await database.run(app.collections.system["authenticators"].table.select())).rows
    )
    found = await root.data("authenticators:get", filter='{"name":"sso"}')
    assert found["options"]["oidc"]["clientSecret"] == "••••"
    kept = {**found["options"], "oidc": {**found["options"]["oidc"], "clientId": "atoll"}}
    answer = await root.call("authenticators:update", {"options": kept}, filterByTk=found["id"])
    assert answer.status_code == 200
    assert "clientSecret" in answer.text
    assert (await sign_in(anonymous, "u1")).status_code == 200, "a masked secret stays as it was"
    moved = {**kept, "oidc": {**kept["oidc"], "issuer": "https://evil.example.com"}}
    assert (
        await root.call("authenticators:update", {"options": moved}, filterByTk=found["id"])
    ).status_code == 400
    shown = [each for each in await anonymous.data("authenticators:publicList") if each["name"] == "sso"]
    assert [each["options"] for each in shown] == [{"allowSignUp": True}]


async def test_a_provider_that_is_away(anonymous: Api, root: Api) -> None:
    await offer(root, "http://127.0.0.1:9")
    answer = await anonymous.call("auth:beginOidc", {"authenticator": "sso", "redirectUri": REDIRECT})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (502, "SIGN_IN_PROVIDER_UNAVAILABLE")
    unknown = await anonymous.call("auth:beginOidc", {"authenticator": "x", "redirectUri": REDIRECT})
    assert unknown.status_code == 400
