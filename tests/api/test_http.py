"""The edges of the HTTP interface."""

from __future__ import annotations

from typing import Any

import pytest

from atoll.application.app import Application

from .conftest import Api

pytestmark = pytest.mark.anyio


async def test_unknown_things_are_plain_404(root: Api) -> None:
    for path in ("nope:list", "users:dance", "a/b/c/d/e", "", "a:b:c"):
        response = await root.call(path)
        assert (response.status_code, response.text) == (404, "Not Found")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"


async def test_bodies(app: Application, root: Api) -> None:
    headers = {"Authorization": f"Bearer {root.token}", "Content-Type": "application/json"}
    for body in (b"{", b"5", b"null", b'{"a":NaN}', b'{"j":{"__proto__":{}}}', b"\xff\xfe"):
        response = await root.client.post("/api/users:create", content=body, headers=headers)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "BAD_REQUEST"), body
    text = await root.client.post(
        "/api/users:create", content=b"<a/>", headers={**headers, "Content-Type": "text/xml"}
    )
    assert text.status_code == 400
    huge = b'{"nickname":"' + b"x" * 11_000_000 + b'"}'
    response = await root.client.post("/api/users:create", content=huge, headers=headers)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (413, "PAYLOAD_TOO_LARGE")

    async def chunks() -> Any:
        for _ in range(12):
            yield b"x" * 1_000_000

    response = await root.client.post("/api/users:create", content=chunks(), headers=headers)
    assert response.status_code == 413


async def test_unexpected_errors_tell_nothing(
    app: Application, root: Api, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(ctx: Any) -> Any:
        raise RuntimeError("the secret is swordfish")

    app.resources.define("broken", {"go": broken})
    response = await root.call("broken:go")
    assert response.status_code == 500
    assert "swordfish" not in response.text
    assert response.headers["x-request-id"] in response.json()["errors"][0]["message"]
    assert "the secret is swordfish" in caplog.text


async def test_cors_and_request_ids(anonymous: Api) -> None:
    foreign = await anonymous.call(
        "app:getInfo", headers={"Origin": "http://elsewhere.test", "X-Request-Id": "abc"}
    )
    assert foreign.headers["access-control-allow-origin"] == "http://elsewhere.test"
    assert foreign.headers["access-control-expose-headers"] == "content-disposition, etag, x-new-token"
    assert "access-control-allow-credentials" not in foreign.headers
    assert foreign.headers["x-request-id"] == "abc"
    own = await anonymous.call("app:getInfo", headers={"Origin": "http://app.test"})
    assert own.headers["access-control-allow-credentials"] == "true"
    asked = await anonymous.call(
        "users:list",
        method="OPTIONS",
        headers={"Origin": "http://x.test", "Access-Control-Request-Method": "POST"},
    )
    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]


async def test_head_has_headers_only(anonymous: Api) -> None:
    response = await anonymous.call("app:getInfo", method="HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 0


async def test_keys_in_paths_keep_their_slashes(root: Api) -> None:
    key = {"name": "code", "type": "string", "primaryKey": True}
    await root.data("collections:create", {"name": "codes", "autoGenId": False, "fields": [key]})
    await root.data("codes:create", {"code": "a/b:c"})
    assert await root.data("codes:get/a%2Fb%3Ac") == {"code": "a/b:c"}
    assert await root.data("codes/a%2Fb%3Ac") == {"code": "a/b:c"}


async def test_roles_of_a_request(root: Api) -> None:
    assert (await root.data("roles:check"))["role"] == "root"
    response = await root.call("roles:check", headers={"X-Role": "member"})
    assert (response.json()["data"]["role"], response.json()["data"]["allowAll"]) == ("member", False)
    assert (await root.call("users:list", headers={"X-Role": "member"})).status_code == 403
    response = await root.call("users:list", headers={"X-Role": "nope"})
    assert response.json()["errors"][0]["code"] == "ROLE_NOT_FOUND_FOR_USER"
