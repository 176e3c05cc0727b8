"""The deployment of the documents, from the first sign-in to the last delete, with deaths in between."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from atoll.testing.client import Account, AtollClient, CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import eventually

from .conftest import Say

pytestmark = pytest.mark.anyio

JWT_SECRET = "jwt-secret-of-the-crm-app-0123456789abcdef"
ADMIN = Account("boss", "password-of-the-new-boss", "boss@example.com")
DEFAULT_LEASE = 10.0
FIELDS = [
    {"name": "title", "type": "string", "interface": "input"},
    {"name": "amount", "type": "double", "interface": "number"},
    {"name": "done", "type": "boolean", "interface": "checkbox"},
]


@pytest.fixture(scope="module")
async def crm(deployment: Deployment) -> AsyncIterator[AtollClient]:
    """An app on env_a, signed in as its own first account."""
    options = {
        "authManager": {"jwt": {"secret": JWT_SECRET}},
        "admin": {"username": ADMIN.username, "password": ADMIN.password, "email": ADMIN.email},
    }
    await deployment.client.create_app("crm", ["env_a"], options=options)
    async with deployment.client.other("crm") as app:
        await app.sign_in(ADMIN)
        yield app


async def test_both_environments_announce_themselves(deployment: Deployment) -> None:
    rows = await deployment.client.environments()
    assert set(rows) == {"env_a", "env_b"}
    for name, row in rows.items():
        assert row["url"] == deployment.workers[name].url
        assert row["proxyUrl"] == deployment.workers[name].url
        assert row["available"] is True
        assert row["appVersion"]
        assert row["lastHeartbeatAt"]


async def test_app_is_created_on_one_environment(deployment: Deployment, crm: AtollClient) -> None:
    row = await deployment.client.app_row("crm")
    assert row is not None
    assert row["environments"] == ["env_a"]
    assert row["status"] == "running"
    assert "crm" in await deployment.app_databases()


async def test_records_through_the_supervisor(crm: AtollClient) -> None:
    await crm.call("collections:create", {"name": "deals", "title": "Deals", "fields": FIELDS})
    for number in range(5):
        await crm.call("deals:create", {"title": f"Deal {number}", "amount": number * 1.5, "done": False})
    page = await crm.envelope("deals:list", filter={"amount": {"$gt": 2}}, sort="-amount", pageSize=2, page=1)
    assert [row["title"] for row in page["data"]] == ["Deal 4", "Deal 3"]
    assert page["meta"]["count"] == 3
    key = page["data"][0]["id"]
    await crm.call("deals:update", {"done": True}, filterByTk=key)
    assert (await crm.call("deals:get", filterByTk=key))["done"] is True
    assert await crm.call("deals:destroy", filterByTk=key) == 1
    assert await crm.call("deals:get", filterByTk=key) is None


async def test_same_records_directly_at_the_worker(deployment: Deployment, crm: AtollClient) -> None:
    headers = {"Authorization": crm.http.headers["Authorization"]}
    url = deployment.workers["env_a"].url
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as worker:
        by_path = await worker.get("/api/__app/crm/users:list")
        by_header = await worker.get("/api/users:list", headers={"X-App": "crm"})
        by_query = await worker.get("/api/users:list", params={"__appName": "crm"})
        own = await worker.get("/api/users:list")
    names = [[row["username"] for row in answer.json()["data"]] for answer in (by_path, by_header, by_query)]
    assert names == [[ADMIN.username]] * 3
    assert own.status_code == 401, "the main app of the worker must not believe an app's token"


async def test_app_page_is_reached_through_the_supervisor(deployment: Deployment, crm: AtollClient) -> None:
    page = await deployment.client.visit("crm")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert '"app":"crm"' in page.text.replace(" ", "")


async def test_environments_see_where_people_come_from(deployment: Deployment, crm: AtollClient) -> None:
    """F52: no setting names the Supervisor to the environments; wrong passwords count per visitor there."""

    async def sign_in(url: str, address: str, password: str, **headers: str) -> int:
        transport = httpx.AsyncHTTPTransport(local_address=address)
        values = {"account": ADMIN.username, "password": password}
        async with httpx.AsyncClient(base_url=url, transport=transport, timeout=30) as visitor:
            answer = await visitor.post("/api/__app/crm/auth:signIn", json=values, headers=headers)
            return answer.status_code

    entry, direct = deployment.supervisor.url, deployment.workers["env_a"].url
    for _ in range(10):
        assert await sign_in(entry, "127.0.0.2", "wrong") == 401
    assert await sign_in(entry, "127.0.0.2", ADMIN.password) == 429
    assert await sign_in(entry, "127.0.0.3", ADMIN.password) == 200, "another visitor is not punished"
    assert await sign_in(direct, "127.0.0.2", ADMIN.password) == 429, "the same visitor at the other door"
    forged = {"X-Forwarded-For": "127.0.0.4", "X-Real-IP": "127.0.0.4", "X-Atoll-Proof": "AAAA"}
    for url in (entry, direct):
        assert await sign_in(url, "127.0.0.2", ADMIN.password, **forged) == 429, "a stranger is not believed"
    logs = Path(deployment.workers["env_a"].environment["STORAGE_PATH"]) / "logs"

    async def told() -> str:
        lines = "".join(file.read_text() for file in logs.rglob("*request*") if file.is_file())
        return lines if '"client":"127.0.0.3"' in lines else ""

    lines = await eventually(told, within=10, what="the request log names visitors")
    assert "127.0.0.4" not in lines


async def test_requests_of_visitors_are_counted(deployment: Deployment, crm: AtollClient) -> None:
    for _ in range(5):
        await crm.call("deals:list")
    assert (await crm.send("nothing:list")).status_code == 404

    async def counted() -> dict[str, Any] | None:
        row = await deployment.client.app_row("crm")
        return row["traffic"] if row is not None and row["traffic"]["requests"] >= 6 else None

    traffic = await eventually(counted, within=20, what="the Supervisor shows what env_a counted")
    assert traffic is not None
    assert traffic["errors"] == 0
    assert traffic["p95"] > 0
    assert traffic["environments"]["env_a"]["requests"] == traffic["requests"]
    assert sum(traffic["series"]["requests"]) == traffic["requests"]


async def test_unknown_and_stopped_apps_have_their_own_codes(deployment: Deployment) -> None:
    unknown = await deployment.client.ask("nobody")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "APP_NOT_FOUND")
    await deployment.client.create_app("resting", ["env_b"])
    await deployment.client.call("applications:stop/resting")
    await deployment.client.wait_status("resting", "stopped")
    stopped = await deployment.client.ask("resting")
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (503, "APP_STOPPED")
    async with deployment.worker("env_b") as worker:
        direct = await worker.ask("resting")
    assert (direct.status_code, direct.json()["error"]["code"]) == (503, "APP_STOPPED")
    await deployment.client.remove_app("resting", removeDatabase="true")
    gone = await deployment.client.ask("resting")
    assert gone.status_code == 404


async def test_app_on_both_environments_has_one_database(deployment: Deployment) -> None:
    row = await deployment.client.create_app("shared", ["env_a", "env_b"])
    assert set(row["environments"]) == {"env_a", "env_b"}
    first = deployment.client.other("shared", environment="env_a")
    second = deployment.client.other("shared", environment="env_b")
    async with first, second:
        await first.sign_in(deployment.account)
        await second.sign_in(deployment.account)
        await first.call("collections:create", {"name": "notes", "fields": FIELDS})
        await first.call("notes:create", {"title": "from a"})

        async def seen() -> bool:
            try:
                return [row["title"] for row in await second.call("notes:list")] == ["from a"]
            except CallFailed as error:
                assert error.status == 404, error
                return False

        await eventually(seen, within=5, what="env_b sees the collection made in env_a")
    assert (await deployment.app_databases()) & {"shared"}


async def test_killed_worker_is_offline_within_its_lease(
    deployment: Deployment, crm: AtollClient, say: Say
) -> None:
    worker = deployment.workers["env_a"]
    await worker.kill()
    began = time.monotonic()
    at_once = await deployment.client.ask("crm")
    assert at_once.status_code == 503
    await deployment.client.wait_environments({"env_a": False, "env_b": True}, within=DEFAULT_LEASE + 5)
    say(f"SIGKILL env_a: offline after {time.monotonic() - began:.1f} s (bound {DEFAULT_LEASE + 5:g} s)")
    refused = await deployment.client.ask("crm")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "ENVIRONMENT_UNAVAILABLE")
    survivor = await deployment.client.ask("shared")
    assert survivor.status_code == 200, "the app on both environments must answer from the other"


async def test_restarted_worker_brings_everything_back(
    deployment: Deployment, crm: AtollClient, say: Say
) -> None:
    began = time.monotonic()
    await deployment.workers["env_a"].start()
    await deployment.client.wait_environments({"env_a": True, "env_b": True})
    await deployment.client.wait_status("crm", "running")
    await deployment.client.wait_status("shared", "running")
    say(f"restart of env_a: both its apps run after {time.monotonic() - began:.1f} s")
    assert len(await crm.call("deals:list")) == 4


async def test_flushed_redis_heals(deployment: Deployment, crm: AtollClient, say: Say) -> None:
    client = deployment.client
    before = await client.environments()
    await deployment.flush_redis()
    began = time.monotonic()
    assert (await client.ask("crm")).status_code == 200
    await client.wait_environments({"env_a": True, "env_b": True})
    await client.wait_status("crm", "running")
    await client.create_app("afterwards", ["env_b"])
    say(f"FLUSHALL: environments, statuses and commands work again after {time.monotonic() - began:.1f} s")
    await client.remove_app("afterwards", removeDatabase="true")
    assert set(await client.environments()) == set(before)


async def test_no_secret_lies_in_redis(deployment: Deployment, crm: AtollClient, say: Say) -> None:
    await deployment.client.create_app("secretive", ["env_a", "env_b"], wait=None)
    content: dict[str, str] = {}

    async def running() -> bool:
        content.update(await deployment.redis_content())
        row = await deployment.client.app_row("secretive")
        return row is not None and row["status"] == "running"

    await eventually(running, within=30, what="the app runs while Redis is read again and again")
    assert deployment.postgres is not None
    secrets = (JWT_SECRET, ADMIN.password, deployment.account.password, deployment.postgres.password)
    assert content
    for key, value in content.items():
        for secret in secrets:
            assert secret not in value, key
            assert secret not in key
    say(f"searched {len(content)} Redis keys for {len(secrets)} secrets: none found")
    await deployment.client.remove_app("secretive", removeDatabase="true")


async def test_logs_hold_no_secret(deployment: Deployment) -> None:
    assert deployment.postgres is not None
    for server in deployment.servers:
        for secret in (JWT_SECRET, ADMIN.password, deployment.account.password, deployment.postgres.password):
            assert secret not in server.log(), server.name


async def test_stop_and_delete_leave_nothing(deployment: Deployment, crm: AtollClient) -> None:
    client = deployment.client
    for name in ("crm", "shared"):
        await client.call(f"applications:stop/{name}")
        await client.wait_status(name, "stopped")
        await client.remove_app(name, removeDatabase="true")
        assert (await client.ask(name)).status_code == 404
    assert await deployment.app_databases() == set()
    leftovers = [key for key in await deployment.redis_content() if "crm" in key or "shared" in key]
    assert leftovers == []
