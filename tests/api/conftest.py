"""An installed, running app on each database, and clients for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from atoll.application.app import Application, RootAccount
from atoll.cluster.cache import MemoryCache
from atoll.cluster.lock import MemoryLock
from atoll.cluster.pubsub import MemoryPubSub, PubSub
from atoll.cluster.worker_id import MemoryWorkerIds
from atoll.database.drivers import Database
from atoll.plugins.async_tasks import AsyncTasks
from atoll.plugins.bulk_records import BulkRecords
from atoll.plugins.files import Files
from atoll.plugins.import_export import ImportExport
from atoll.testing.ids import ids

SECRET = b"0123456789abcdef0123456789abcdef"
# Apps of one test may share a database: each has a number of its own.
NUMBERS = MemoryWorkerIds(bits=10, lease_seconds=600)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ROOT = RootAccount("nocobase", "root@example.com", "Super Admin", password_hash=CHEAP.hash("admin123"))


def make_app(database: Database, storage: Path, sync: PubSub | None = None, **more: Any) -> Application:
    plugins = [
        AsyncTasks(concurrency=3, keep_days=7),
        ImportExport(export_limit=2000, file_limit=8 << 20),
        BulkRecords(),
        Files(),
    ]
    settings: dict[str, Any] = {
        "name": "main",
        "secret": SECRET,
        "ids": ids(NUMBERS),
        "plugins": plugins,
        "cache": MemoryCache(100),
        "locks": MemoryLock(),
        **more,
    }
    return Application(database=database, storage=storage, sync=sync or MemoryPubSub(), **settings)


class Api:
    """Calls actions of one app as one person."""

    def __init__(self, client: httpx.AsyncClient, token: str | None = None) -> None:
        self.client = client
        self.token = token

    async def call(
        self,
        action: str,
        values: Any = None,
        *,
        method: str | None = None,
        headers: Any = None,
        **params: Any,
    ) -> httpx.Response:
        """`GET` without values, else `POST`."""
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return await self.client.request(
            method or ("GET" if values is None else "POST"),
            f"/api/{action}",
            json=values,
            params=params or None,
            headers={**given, **(headers or {})},
        )

    async def data(self, action: str, values: Any = None, **params: Any) -> Any:
        """The `data` of a successful call."""
        response = await self.call(action, values, **params)
        assert response.status_code == 200, response.text
        return response.json().get("data")

    async def sign_in(self, account: str, password: str) -> Api:
        """The same client as somebody else."""
        answer = await self.data("auth:signIn", {"account": account, "password": password})
        return Api(self.client, answer["token"])


@asynccontextmanager
async def client_of(app: Application, *, address: str = "127.0.0.1") -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
        yield Api(client)


@pytest.fixture
async def app(database: Database, tmp_path: Path) -> AsyncIterator[Application]:
    running = make_app(database, tmp_path)
    await running.install(ROOT)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def anonymous(app: Application) -> AsyncIterator[Api]:
    async with client_of(app) as api:
        yield api


@pytest.fixture
async def root(anonymous: Api) -> Api:
    return await anonymous.sign_in("nocobase", "admin123")


async def until(act: Callable[[], Awaitable[Any]], done: Callable[[Any], bool]) -> None:
    """Repeats `act` until its result is as wanted; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not done(await act()):  # noqa: ASYNC110 - the condition is behind an API
            await asyncio.sleep(0.01)
