"""What an app offers to its plugins: a cache and locks that all its instances share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from atoll.application.app import Application, Plugin
from atoll.cluster.cache import MemoryCache
from atoll.cluster.lock import MemoryLock
from atoll.database.drivers import Database

from .conftest import ROOT, make_app

pytestmark = pytest.mark.anyio


class Prices(Plugin):
    """Asks a slow source once for all instances, and works one at a time."""

    name = "prices"

    def __init__(self, asked: list[str], working: list[str]) -> None:
        self.asked = asked
        self.working = working
        self.seen: list[int] = []

    @override
    async def install(self, app: Application) -> None:
        pass

    @override
    async def load(self, app: Application) -> None:
        pass

    @override
    async def start(self, app: Application) -> None:
        cache, locks = app.cache.scope(self.name), app.locks.scope(self.name)

        async def ask() -> int:
            self.asked.append(app.name)
            await asyncio.sleep(0.05)
            return 42

        async def work() -> int:
            assert not self.working, "another instance is at it"
            self.working.append(app.name)
            price = await cache.wrap("price", ask, 60)
            self.working.clear()
            return int(price)

        self.seen.append(await locks.run_exclusive("work", work))
        self.seen.append(await cache.wrap("price", ask, 60))

    @override
    async def stop(self, app: Application) -> None:
        pass


async def test_plugins_share_cache_and_locks_among_instances(database: Database, tmp_path: Path) -> None:
    cache, locks = MemoryCache(100), MemoryLock()
    asked: list[str] = []
    working: list[str] = []
    plugins = [Prices(asked, working) for _ in range(3)]
    apps = [
        make_app(database, tmp_path, cache=cache.scope("main"), locks=locks.scope("main"), plugins=[plugin])
        for plugin in plugins
    ]
    await apps[0].install(ROOT)
    await asyncio.gather(*(app.start() for app in apps))
    assert asked == ["main"]
    assert [plugin.seen for plugin in plugins] == [[42, 42]] * 3
    for app in apps:
        await app.stop()
