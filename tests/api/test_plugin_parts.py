"""What an app offers to its plugins: a cache, locks and messages that all its instances share."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from atoll.application.app import Application, Plugin
from atoll.cluster.cache import MemoryCache
from atoll.cluster.lock import MemoryLock
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database
from atoll.testing.conformance.pubsub import Heard

from .conftest import ROOT, make_app

pytestmark = pytest.mark.anyio


class Prices(Plugin):
    """Asks a slow source once for all instances, and works one at a time."""

    name = "prices"

    def __init__(self, asked: list[str], working: list[str]) -> None:
        self.asked = asked
        self.working = working
        self.seen: list[int] = []
        self.heard = Heard()

    @override
    async def install(self, app: Application) -> None:
        pass

    @override
    async def load(self, app: Application) -> None:
        pass

    @override
    async def start(self, app: Application) -> None:
        self.subscription = await app.pubsub.subscribe(self.name, self.heard)
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

    async def change(self, app: Application) -> None:
        """Tells the other instances when the change is committed."""
        async with app.pubsub.after(app.database.transaction()) as (_, announce):
            announce(self.name, b"changed")

    @override
    async def stop(self, app: Application) -> None:
        await self.subscription.close()


async def test_plugins_share_cache_and_locks_among_instances(database: Database, tmp_path: Path) -> None:
    cache, locks, bus = MemoryCache(100), MemoryLock(), MemoryPubSub()
    asked: list[str] = []
    working: list[str] = []
    plugins = [Prices(asked, working) for _ in range(3)]
    shared = {"cache": cache.scope("main"), "locks": locks.scope("main")}
    apps = [make_app(database, tmp_path, bus.scope("main"), plugins=[plugin], **shared) for plugin in plugins]
    await apps[0].install(ROOT)
    await asyncio.gather(*(app.start() for app in apps))
    assert asked == ["main"]
    assert [plugin.seen for plugin in plugins] == [[42, 42]] * 3
    await plugins[0].change(apps[0])
    for plugin in plugins[1:]:
        await plugin.heard.count(1)
    assert [plugin.heard.messages for plugin in plugins] == [[], [b"changed"], [b"changed"]]
    for app in apps:
        await app.stop()
