"""F44: a Supervisor that starts while its store, presence or both are away sends visitors on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from proxy_kit import Upstream, client, gateway, upstream

from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect
from atoll.errors import AppNotReady, DatabaseUnavailable
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.last_known import Kept
from atoll.supervisor.router import AppRouter
from atoll.supervisor.routing import Forward, Starting, Unavailable
from atoll.supervisor.sealing import sealer
from atoll.supervisor.store.database import DatabaseStore
from atoll.supervisor.supervisor import Supervisor
from atoll.testing.processes import free_port
from atoll.testing.supervisor_scene import Scene, Ways, scene

pytestmark = pytest.mark.anyio


def file(s: Scene) -> Path:
    return s.folder / "supervisor" / "last_known.state"


async def kept(s: Scene, *names: str) -> Kept:
    """Waits until exactly these apps, and a running row for each, are on disk."""
    async with asyncio.timeout(20):
        while True:
            found = msgspec.msgpack.decode(file(s).read_bytes(), type=Kept) if file(s).exists() else Kept()
            rows = {uid for each in found.instances for uid in each.rows}
            known = {record.uid for record in found.apps}
            if {record.name for record in found.apps} == set(names) and known <= rows:
                return found
            await asyncio.sleep(0.05)


async def environment(s: Scene, server: Upstream, keys: KeyPair | None = None) -> None:
    """env_a, whose address is that of a test's own server."""
    made = s.environments["env_a"] = s.new_environment(
        "env_a", url=f"http://127.0.0.1:{server.port}", keys=keys or server.keys
    )
    await made.start()


@asynccontextmanager
async def successor(s: Scene, *away: str) -> AsyncIterator[tuple[Supervisor, AppRouter]]:
    """The Supervisor's next process, after `recall`; what is away is so for it alone."""
    nowhere = connect(
        DatabaseConfig(
            "postgres", host="127.0.0.1", port=free_port(), database="gone", user="nobody", password="none"
        )
    )
    ways = Ways.redis(f"redis://127.0.0.1:{free_port()}/0", s.namespace) if "redis" in away else s.ways()
    supervisor = Supervisor(
        store=DatabaseStore(nowhere, b"k" * 32) if "store" in away else s.store,
        presence=ways.presence,
        commands=ways.commands,
        sealer=sealer(s.keys, None),
        storage=s.folder / "supervisor",
    )
    router = AppRouter(supervisor=supervisor)
    await nowhere.open()
    try:
        await supervisor.recall()
        yield supervisor, router
    finally:
        await supervisor.stop()
        await ways.close()
        await nowhere.close()


async def wait_for(router: AppRouter, name: str) -> object:
    """What a visitor gets who waits for the app."""
    route = router.route(name, None)
    assert isinstance(route, Starting)
    return await route.wait(20)


@pytest.mark.parametrize("away", [("store",), ("redis",), ("store", "redis")], ids="-".join)
async def test_visitors_find_running_apps_by_the_last_known_routes(
    tmp_path: Path, redis_url: str, away: tuple[str, ...]
) -> None:
    async with upstream() as server, scene(tmp_path, redis_url=redis_url) as s:
        await environment(s, server)
        await s.until(lambda: s.available("env_a"))
        name = await s.running_app("env_a")
        await kept(s, name)
        await s.stop(s.supervisor)
        async with (
            successor(s, *away) as (supervisor, router),
            gateway(router) as front,
            client(front) as user,
        ):
            for _ in range(2):
                assert (await user.get(f"/api/__app/{name}/x")).status == 200
            route = router.route("nobody", None)
            assert isinstance(route, Starting)
            denied = await route.wait(0.05)
            assert isinstance(denied, Unavailable)
            assert isinstance(denied.error, AppNotReady), "it cannot know that there is no such app"
            if "store" in away:
                with pytest.raises(DatabaseUnavailable):
                    await supervisor.start()
                assert (await user.get(f"/apps/{name}/")).status == 200
        assert len(server.requests) >= 2


async def test_an_environment_that_moves_while_the_store_is_away_is_followed(
    tmp_path: Path, redis_url: str
) -> None:
    async with upstream() as old, scene(tmp_path, redis_url=redis_url) as s:
        await environment(s, old)
        await s.until(lambda: s.available("env_a"))
        name = await s.running_app("env_a")
        await kept(s, name)
        await s.stop(s.supervisor)
        async with successor(s, "store") as (supervisor, router), upstream(keys=old.keys) as new:
            await s.stop(s.environments["env_a"])
            await environment(s, new)

            def moved() -> bool:
                route = router.route(name, None)
                return isinstance(route, Forward) and route.targets[0].address.port == new.port

            assert await supervisor.directory.changes.until(moved, 20)


async def test_another_key_is_not_believed_while_the_store_is_away(tmp_path: Path, redis_url: str) -> None:
    async with upstream() as mine, upstream() as strange, scene(tmp_path, redis_url=redis_url) as s:
        await environment(s, mine)
        await s.until(lambda: s.available("env_a"))
        name = await s.running_app("env_a")
        await kept(s, name)
        await s.stop(s.supervisor)
        async with successor(s, "store") as (supervisor, router):
            await s.stop(s.environments["env_a"])
            await environment(s, strange)

            def refused() -> bool:
                view = supervisor.directory.environments["env_a"]
                return view.reason is not None and not view.available

            assert await supervisor.directory.changes.until(refused, 20)
            route = router.route(name, None)
            assert isinstance(route, Unavailable), route


async def test_it_becomes_whole_when_the_store_is_there(tmp_path: Path, redis_url: str) -> None:
    """What was removed or changed meanwhile is as the store says, and nothing is made from half a record."""
    async with upstream() as server, scene(tmp_path, redis_url=redis_url) as s:
        await environment(s, server)
        await s.until(lambda: s.available("env_a"))
        stays, goes = await s.running_app("env_a"), await s.running_app("env_a")
        sleeps = "sleeper"
        await s.supervisor.create_app({"name": sleeps, "environments": ["env_a"], "start": False})
        await s.reaches(sleeps, "initialized")
        await kept(s, stays, goes, sleeps)
        before = {record.uid: record for record in await s.store.apps()}
        saved = file(s).read_bytes()
        assert await s.supervisor.remove_app(goes)
        await s.until(lambda: all(record.name != goes for record in s.supervisor.directory.records))
        await s.stop(s.supervisor)
        file(s).write_bytes(saved)  # as if it had died before it could keep that
        for record in before.values():
            assert record.secret.encode() not in saved
        async with successor(s) as (supervisor, router):
            assert {record.version for record in supervisor.directory.records} == {0}
            early = asyncio.create_task(wait_for(router, sleeps))  # a visit before the store was read
            await asyncio.sleep(0.3)  # time in which nothing may happen
            assert [record.desired for record in await s.store.apps() if record.name == sleeps] == ["ready"]
            await supervisor.start()
            now = {record.uid: record for record in supervisor.directory.records}
            assert {record.name for record in now.values()} == {stays, sleeps}
            assert isinstance(await early, Forward)
            assert all(record.secret == before[uid].secret for uid, record in now.items())
            assert isinstance(router.route(stays, None), Forward)
            assert isinstance(router.route(goes, None), Unavailable)
            await supervisor.restart_app(stays)
            assert await supervisor.directory.changes.until(
                lambda: not isinstance(router.route(stays, None), Starting), 20
            )
            hosted = s.environments["env_a"].app(stays)
            assert hosted is not None
            assert hosted.model.secret == before[hosted.model.uid].secret


async def test_damaged_files_are_told_and_nothing_more(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path, redis_url=redis_url) as s:
        await s.stop(s.supervisor)
        file(s).parent.mkdir(exist_ok=True)
        file(s).write_bytes(b"\x93nonsense")
        async with successor(s, "store") as (supervisor, router):
            assert supervisor.directory.records == []
            assert isinstance(router.route("crm", None), Starting)
        assert "cannot be read" in caplog.text
