"""API keys: bound to one role of their owner, and worth nothing the moment they are destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.auth import tokens
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database

from .conftest import ROOT, SECRET, Api, client_of, make_app

pytestmark = pytest.mark.anyio


async def new_key(api: Api, role: str = "member", **values: Any) -> Api:
    given = {"name": "ci", "role": {"name": role}, "expiresIn": "30d", **values}
    return Api(api.client, (await api.data("apiKeys:create", given))["token"])


async def status(api: Api, action: str = "auth:check", values: Any = None) -> int:
    return (await api.call(action, values)).status_code


async def test_a_key_acts_as_its_role_whatever_the_client_says(root: Api) -> None:
    key = await new_key(root)
    assert (await key.data("roles:check"))["role"] == "member"
    foreign = await key.call("roles:check", headers={"X-Role": "root"})
    assert foreign.json()["data"]["role"] == "member"
    assert await status(key, "users:list") == 403
    assert tokens.read(SECRET, "main", key.token or "").role == "member"
    assert "x-new-token" not in (await key.call("auth:check")).headers


async def test_a_key_is_shown_once(root: Api) -> None:
    key = await new_key(root, expiresIn="never")
    listed = await root.call("apiKeys:list", appends="role")
    assert key.token is not None
    assert key.token not in listed.text
    [row] = listed.json()["data"]
    assert (row["name"], row["role"]["name"], row["expiresAt"]) == ("ci", "member", None)
    assert key.token.endswith(row["tokenEnd"])
    assert "tokenId" not in row
    assert (await root.call("apiKeys:list", filter='{"tokenId":"x"}')).status_code == 400


async def test_what_a_key_must_not_do(root: Api) -> None:
    """Else a key bound to a small role could give itself a larger one."""
    key = await new_key(root, "root")
    for action, values in (
        ("apiKeys:create", {"name": "x", "role": "root", "expiresIn": "1d"}),
        ("apiKeys:destroy?filterByTk=1", {}),
        ("auth:changePassword", {"oldPassword": "admin123", "newPassword": "x", "confirmPassword": "x"}),
        ("auth:signOut", {}),
        ("auth:listSessions", None),
        ("auth:endOtherSessions", {}),
        ("users:updateProfile", {"email": "mine@example.com"}),
    ):
        assert await status(key, action, values) == 403, action
    assert await status(key) == 200


async def test_wrong_values_make_no_key(root: Api) -> None:
    for values in (
        {"name": ""},
        {"name": "x" * 101},
        {"role": {"name": "nobody"}},
        {"role": None},
        {"expiresIn": "soon"},
        {"expiresIn": "0d"},
        {"expiresIn": None},
    ):
        given = {"name": "ci", "role": {"name": "member"}, "expiresIn": "1d", **values}
        assert (await root.call("apiKeys:create", given)).status_code == 400, values
    assert await root.data("apiKeys:list") == []
    await root.data("users:create", {"username": "kim", "password": "kim-12345", "roles": ["admin"]})
    kim = await root.sign_in("kim", "kim-12345")
    assert await status(kim, "apiKeys:create", {"name": "x", "role": "root", "expiresIn": "1d"}) == 400


async def test_keys_of_others_are_out_of_reach(root: Api) -> None:
    key = await new_key(root)
    [row] = await root.data("apiKeys:list")
    await root.data("users:create", {"username": "kim", "password": "kim-12345", "roles": ["admin"]})
    kim = await root.sign_in("kim", "kim-12345")
    assert await kim.data("apiKeys:list") == []
    assert await kim.data("apiKeys:destroy", {}, filterByTk=row["id"]) == 0
    assert await status(kim, "apiKeys:destroy", {}) == 400
    assert await status(key) == 200


async def test_a_destroyed_key_is_refused_on_every_instance_at_once(
    database: Database, tmp_path: Path
) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    await two.start()
    async with client_of(one) as first, client_of(two) as second:
        root = await first.sign_in("nocobase", "admin123")
        key, kept = await new_key(root), await new_key(root, name="kept")
        elsewhere = Api(second.client, key.token)
        assert await status(elsewhere) == 200
        assert await root.data("apiKeys:destroy", {}, filter='{"name":"ci"}') == 1
        assert await status(key) == 401
        assert (await elsewhere.call("auth:check")).json()["errors"][0]["code"] == "BLOCKED_TOKEN"
        assert await status(Api(second.client, kept.token)) == 200
    await one.stop()
    await two.stop()


async def test_a_key_ends_with_its_role_and_its_owner(root: Api) -> None:
    await root.data("roles:create", {"name": "ops", "snippets": ["pm.api-keys.configuration"]})
    made = await root.data("users:create", {"username": "kim", "password": "kim-12345", "roles": ["ops"]})
    kim = await root.sign_in("kim", "kim-12345")
    key = await new_key(kim, "ops")
    assert await status(key) == 200
    await root.data("users:update", {"roles": ["member"]}, filterByTk=made["id"])
    assert (await key.call("auth:check")).json()["errors"][0]["code"] == "ROLE_NOT_FOUND_FOR_USER"
    await root.data("users:update", {"roles": ["ops"]}, filterByTk=made["id"])
    assert await status(key) == 200
    await root.data("roles:destroy", {}, filterByTk="ops")
    await root.data("roles:create", {"name": "ops"})
    await root.data("users:update", {"roles": ["ops"]}, filterByTk=made["id"])
    assert await status(key) == 401, "a role of the same name is another role"
    again = await new_key(root)
    await root.data("users:destroy", {}, filterByTk=made["id"])
    assert await status(again) == 200


async def test_the_last_use_is_known(app: Application, root: Api) -> None:
    key = await new_key(root)
    [row] = await root.data("apiKeys:list")
    assert row["lastUsedAt"] is None
    assert await status(key) == 200
    await app.last_use.write()
    [row] = await root.data("apiKeys:list")
    assert row["lastUsedAt"] is not None
