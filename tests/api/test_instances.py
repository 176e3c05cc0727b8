"""F26, F43: several instances of one app never answer with what somebody was told is changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from atoll.application.app import Application
from atoll.application.instances import agreement
from atoll.application.instances.membership import Membership
from atoll.cluster.pubsub import MemoryPubSub, PubSub
from atoll.database.drivers import Database

from .conftest import ROOT, Api, client_of, make_app

pytestmark = pytest.mark.anyio
BOOKS = {"name": "books", "fields": [{"name": "title", "type": "string"}]}


@asynccontextmanager
async def instances(
    database: Database, folder: Path, syncs: list[PubSub]
) -> AsyncIterator[list[tuple[Application, Api]]]:
    """One app, as many instances as ways of sending messages; each with its root's client."""
    async with AsyncExitStack() as stack:
        made: list[tuple[Application, Api]] = []
        for sync in syncs:
            app = make_app(database, folder, sync)
            if not made:
                await app.install(ROOT)
            await app.start()
            stack.push_async_callback(app.stop)
            api = await stack.enter_async_context(client_of(app))
            made.append((app, await api.sign_in("nocobase", "admin123")))
        yield made


def heard(count: int) -> list[PubSub]:
    bus = MemoryPubSub()
    return [bus.scope("app") for _ in range(count)]


def deaf(count: int) -> list[PubSub]:
    """Instances none of whose messages arrive."""
    return [MemoryPubSub() for _ in range(count)]


@pytest.mark.parametrize("syncs", [heard, deaf])
async def test_a_change_is_known_everywhere_when_it_is_answered(
    database: Database, tmp_path: Path, syncs: Callable[[int], list[PubSub]]
) -> None:
    """Nobody waits, looks again or hears of it twice: the very next request, elsewhere, finds it."""
    async with instances(database, tmp_path, syncs(3)) as ((_, one), (_, two), (_, three)):
        for api in (one, two, three):
            await api.data("roles:check")
            assert (await api.call("books:list")).status_code == 404
        await one.data("collections:create", BOOKS)
        for api in (two, three):
            assert (await api.call("books:list")).status_code == 200
        await two.data("collections/books/fields:create", {"name": "pages", "type": "integer"})
        assert (await three.data("books:create", {"title": "a", "pages": 3}))["pages"] == 3
        made = await three.data("users:create", {"username": "ann", "password": "annann", "roles": []})
        await one.data("roles:create", {"name": "clerk", "strategy": {"actions": ["view"]}})
        await two.data(f"users/{made['id']}/roles:add", ["clerk"])
        ann = Api(three.client, (await one.sign_in("ann", "annann")).token)
        assert (await ann.data("roles:check"))["strategy"]["actions"] == ["view"]
        assert await ann.data("books:list") != []
        await one.data("roles:update", {"strategy": {"actions": []}}, filterByTk="clerk")
        assert (await ann.call("books:list")).status_code == 403
        await one.data("systemSettings:update", {"title": "New"}, filterByTk=1)
        assert (await two.data("systemSettings:get"))["title"] == "New"
        ann_elsewhere = Api(one.client, ann.token)
        await ann_elsewhere.call("auth:signOut", {})
        assert (await ann.call("auth:check")).json()["errors"][0]["code"] == "BLOCKED_TOKEN"
        await one.data("collections:destroy", {}, filterByTk="books")
        assert (await two.call("books:list")).status_code == 404


async def test_a_change_waits_for_those_who_answer_and_no_longer(database: Database, tmp_path: Path) -> None:
    async with instances(database, tmp_path, heard(2)) as ((_, one), (two, api)):
        await one.data("collections:create", BOOKS)
        assert two.agreement._acknowledged == {}
        assert await _rows(database) == [0, 0]
        await api.data("roles:check")


async def test_an_instance_that_is_gone_delays_two_changes_and_is_forgotten(
    database: Database, tmp_path: Path
) -> None:
    async with instances(database, tmp_path, heard(1)) as ((app, one),):
        await Membership(database, "killed", ()).register()
        for rows in ([0, 1], [0]):
            began = time.monotonic()
            await one.data("systemSettings:update", {"title": "x"}, filterByTk=1)
            assert time.monotonic() - began >= agreement.LEASE_SECONDS
            assert await _rows(database) == rows
        waited: list[float] = []
        original = app.agreement._wait

        async def wait(*args: Any) -> Any:
            late = await original(*args)
            waited.append(len(late))
            return late

        app.agreement._wait = wait  # type: ignore[method-assign, assignment]
        await one.data("systemSettings:update", {"title": "y"}, filterByTk=1)
        assert waited == [0]


async def test_an_instance_that_was_given_up_looks_before_it_serves_and_comes_back(
    database: Database, tmp_path: Path
) -> None:
    async with instances(database, tmp_path, heard(2)) as ((_, one), (two, api)):
        await api.data("roles:check")
        subscription = two._subscription
        assert subscription is not None
        await subscription.close()
        for title in ("a", "b"):
            await one.data("systemSettings:update", {"title": title}, filterByTk=1)
        assert len(await _rows(database)) == 1
        assert (await api.data("systemSettings:get"))["title"] == "b"
        assert len(await _rows(database)) == 2


async def test_a_warm_request_asks_for_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests without rows of their own, for two leases: two looks per second, whatever the rate."""
    async with instances(database, tmp_path, heard(1)) as ((app, one),):
        looks = _counted(monkeypatch, app)
        await one.data("roles:check")
        began, requests, queries = time.monotonic(), 0, _statements(monkeypatch, database)
        before = len(looks)
        while time.monotonic() - began < 2 * agreement.LEASE_SECONDS:
            await one.data("roles:check")
            requests += 1
        assert requests > 10
        assert 1 <= len(looks) - before <= 5
        # The outbox and the schedule ask beside the requests; one look may have begun before counting did.
        own = [sql for sql in queries if "revisions" in sql]
        others = [sql for sql in queries if "revisions" not in sql]
        assert len(own) <= len(looks) - before + 1
        assert len(others) < requests / 2


def _counted(monkeypatch: pytest.MonkeyPatch, app: Application) -> list[float]:
    looks: list[float] = []
    original = app._membership.look

    async def look() -> Any:
        looks.append(time.monotonic())
        return await original()

    monkeypatch.setattr(app._membership, "look", look)
    return looks


def _statements(monkeypatch: pytest.MonkeyPatch, database: Database) -> list[str]:
    seen: list[str] = []

    def watch(name: str) -> None:
        original: Callable[..., Awaitable[Any]] = getattr(database, name)

        async def call(sql: str, *args: Any) -> Any:
            seen.append(sql)
            return await original(sql, *args)

        monkeypatch.setattr(database, name, call)

    for name in ("fetch_all", "fetch_one", "execute"):
        watch(name)
    return seen


async def test_changes_at_once_on_all_instances_end_alike(database: Database, tmp_path: Path) -> None:
    async with instances(database, tmp_path, heard(3)) as apps:
        names = [f"c{number}" for number in range(9)]
        await asyncio.gather(
            *(
                apps[number % 3][1].data("collections:create", {"name": name})
                for number, name in enumerate(names)
            )
        )
        for app, api in apps:
            await api.data("roles:check")
            assert sorted(app.collections.own()) == ["attachments", *names]


async def test_without_its_database_an_instance_says_so_until_it_is_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atoll.errors import DatabaseUnavailable

    async with instances(database, tmp_path, heard(1)) as ((app, one),):
        await one.data("roles:check")

        async def away() -> Any:
            raise DatabaseUnavailable("away")

        with monkeypatch.context() as patch:
            patch.setattr(app._membership, "look", away)
            await asyncio.sleep(agreement.LEASE_SECONDS)
            refused = await one.call("roles:check")
            assert (refused.status_code, refused.json()["errors"][0]["code"]) == (503, "INSTANCE_NOT_CURRENT")
            assert int(refused.headers["retry-after"]) > 0
        assert (await one.call("roles:check")).status_code == 200


async def _rows(database: Database) -> list[int]:
    table = f'"{database.schema}"."appInstances"' if database.schema else '"appInstances"'
    return sorted(int(row[0]) for row in await database.fetch_all(f"SELECT fenced FROM {table}"))
