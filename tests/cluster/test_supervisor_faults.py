"""Supervisor and environments while Redis fails, empties, lies, and processes vanish."""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import Any, Self

import pytest

from atoll.cluster.redis import RedisConnection
from atoll.errors import AppNotReady, EnvironmentNameTaken, EnvironmentUnavailable
from atoll.supervisor.command.redis import RedisCommands
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.presence.lease import LeaseKeeper
from atoll.supervisor.routing import Forward, Unavailable
from atoll.supervisor.worker import Environment
from atoll.testing.supervisor_scene import LEASE_SECONDS, PATIENCE, Scene, scene

from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[None, b"s" * 32], ids=["key-pairs", "shared-key"])
def shared_key(request: pytest.FixtureRequest) -> bytes | None:
    """Both ways of protecting messages."""
    key: bytes | None = request.param
    return key


class Watcher:
    """Notes every environment that was ever seen offline."""

    def __init__(self, made: Scene) -> None:
        self._made = made
        self.offline: list[str] = []
        self._end = made.supervisor.directory.follow(self._look)

    def _look(self, _uid: str | None, environment: str | None) -> None:
        if environment is not None and not self._made.available(environment):
            self.offline.append(environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def connect(made: Scene) -> RedisConnection:
    """The scene's Redis and namespace; closed with the scene."""
    connection = made.ways().connection
    assert connection is not None
    return connection


async def crash(made: Scene, environment: Environment) -> None:
    """Ends an environment as SIGKILL would: no goodbye, nothing stopped in order."""
    await environment._tasks.cancel_all()
    announcement: Any = environment._announcer._announcement
    keeper: LeaseKeeper = announcement._keeper
    await keeper.stop()
    await made._open.pop(environment).close()


async def test_flushall_heals_by_itself(
    tmp_path: Path, redis: RedisProcess, shared_key: bytes | None
) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=redis.url, shared_key=shared_key) as s:
        one = await s.running_app("env_a")
        both = await s.running_app("env_a", "env_b")
        happened = list(s.world.happened)
        with Watcher(s) as watcher:
            for _ in range(3):
                redis.command("FLUSHALL")
                assert isinstance(s.router.route(one, None), Forward)
                await s.supervisor.stop_app(both)
                await s.reaches(both, "stopped")
                await s.supervisor.start_app(both)
                await s.reaches(both, "running")
        assert watcher.offline == []
        assert [what for what in s.world.happened[len(happened) :] if one in what] == []
        assert s.world.count(f"env_a start {both}") == 4
        presence = s.ways().presence
        deadline = time.monotonic() + PATIENCE
        while True:
            snapshot = await presence.snapshot()
            pulls = [await presence.pull(name, "") for name in ("env_a", "env_b")]
            if len(snapshot.rows) == 3 and [len(pull.models or {}) for pull in pulls] == [2, 1]:
                break
            assert time.monotonic() < deadline, (snapshot.rows.keys(), pulls)
            await asyncio.sleep(0.05)


async def test_redis_comes_back_empty(tmp_path: Path, own_redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=own_redis.url) as s:
        name = await s.running_app("env_a")
        with Watcher(s) as watcher:
            await asyncio.to_thread(own_redis.restart, keep=False)
            await s.until(lambda: s.supervisor.presence_reachable)
            other = await s.running_app("env_a")
            await s.supervisor.stop_app(name)
            await s.reaches(name, "stopped")
        assert watcher.offline == []
        assert s.world.count(f"env_a start {other}") == 1
        assert s.world.count(f"env_a start {name}") == 1


async def test_while_redis_is_away_apps_stay_reachable_and_changes_wait(
    tmp_path: Path, own_redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", redis_url=own_redis.url) as s:
        name = await s.running_app("env_a")
        other = await s.running_app("env_a")
        with Watcher(s) as watcher:
            await asyncio.to_thread(own_redis.stop)
            await s.until(lambda: not s.supervisor.presence_reachable)
            row = await s.supervisor.stop_app(other)
            assert row["desired"] == "stopped"
            away_until = time.monotonic() + 2 * LEASE_SECONDS
            while time.monotonic() < away_until:
                assert isinstance(s.router.route(name, None), Forward)
                assert s.status(name) == "running"
                await asyncio.sleep(0.1)
            assert s.world.count(f"env_a stop {name}") == 0
            await asyncio.to_thread(own_redis.start)
            await s.reaches(other, "stopped")
            await s.until(lambda: s.supervisor.presence_reachable)
            await asyncio.sleep(LEASE_SECONDS)
            assert s.status(name) == "running"
        assert watcher.offline == []
        assert s.world.count(f"env_a start {name}") == 1


async def test_nothing_secret_can_be_read_in_redis(
    tmp_path: Path, redis: RedisProcess, shared_key: bytes | None
) -> None:
    words = {name: f"{name}-{secrets.token_hex(8)}" for name in ("database", "token", "account")}
    async with scene(tmp_path, "env_a", redis_url=redis.url, shared_key=shared_key) as s:
        await s.supervisor.create_app(
            {
                "name": "shop",
                "environments": ["env_a"],
                "options": {
                    "dbConnType": "new_connection",
                    "database": {"host": "db", "password": words["database"]},
                    "authManager": {"jwt": {"secret": words["token"]}},
                    "admin": {"username": "ann", "password": words["account"]},
                },
            }
        )
        await s.reaches("shop", "running")
        admin = s.world.admins["shop"]
        assert admin is not None
        assert admin.password == words["account"]
        connection = connect(s)
        dump = await everything(connection.client)
        assert b"shop" in dump
        for word in words.values():
            assert word.encode() not in dump
            assert word.encode().hex().encode() not in dump
        record = s.supervisor.directory.app("shop")
        assert record is not None
        assert record.secret.encode() not in dump
    files = read_all(tmp_path)
    for word in words.values():
        assert word.encode() not in files


def read_all(folder: Path) -> bytes:
    """All files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def everything(client: Any) -> bytes:
    """All that lies in Redis, as one text."""
    parts = []
    async for key in client.scan_iter(count=1000):
        kind = await client.type(key)
        if kind == b"string":
            value = await client.get(key)
        elif kind == b"hash":
            value = await client.hgetall(key)
        elif kind == b"stream":
            value = await client.xrange(key)
        else:
            value = await client.zrange(key, 0, -1)
        parts += [key, repr(value).encode()]
    return b"\n".join(parts)


async def test_a_vanished_environment_is_noticed_and_its_apps_return(
    tmp_path: Path, redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        stopped = await s.running_app("env_a")
        await s.supervisor.stop_app(stopped)
        await s.reaches(stopped, "stopped")
        await crash(s, s.environments["env_a"])
        began = time.monotonic()
        await s.until(lambda: not s.available("env_a"))
        assert time.monotonic() - began < LEASE_SECONDS + 5
        assert s.status(name) == "unknown"
        route = s.router.route(name, None)
        assert isinstance(route, Unavailable)
        assert isinstance(route.error, EnvironmentUnavailable)
        await s.environment("env_a")
        await s.reaches(name, "running")
        assert s.status(stopped) == "stopped"
        assert s.world.count(f"env_a start {stopped}") == 1


async def test_a_goodbye_is_seen_at_once(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        began = time.monotonic()
        await s.stop(s.environments["env_a"])
        await s.until(lambda: not s.available("env_a"))
        assert time.monotonic() - began < LEASE_SECONDS
        assert s.status(name) == "unknown"


async def test_a_blocked_loop_is_not_death(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        lags = []
        with Watcher(s) as watcher:
            time.sleep(3 * LEASE_SECONDS)  # noqa: ASYNC251 - blocking the loop is the fault
            _, sightings = await s.ways().presence.sightings()
            lags = [each.lag for each in sightings]
            assert all(each.alive for each in sightings)
            await s.supervisor.stop_app(name)
            await s.reaches(name, "stopped")
        assert watcher.offline == []
        assert max(lags) > LEASE_SECONDS


async def test_the_lease_outlives_its_thread(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        announcement: Any = s.environments["env_a"]._announcer._announcement
        keeper: LeaseKeeper = announcement._keeper
        first = keeper._thread
        assert first is not None
        keeper._ended.set()
        await asyncio.to_thread(first.join)
        keeper._ended.clear()
        deadline = time.monotonic() + PATIENCE
        while (thread := keeper._thread) is None or not thread.is_alive():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        with Watcher(s) as watcher:
            await asyncio.sleep(2 * LEASE_SECONDS)
        assert watcher.offline == []
        assert keeper.restarts == 1


async def test_two_environments_of_one_name_are_not_mixed(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        stranger = s.new_environment("env_a", url="http://elsewhere.test:80")
        with pytest.raises(EnvironmentNameTaken) as refused:
            await stranger.start()
        assert "http://elsewhere.test:80" in refused.value.message
        assert "http://env_a.test:80" in refused.value.message
        view = s.supervisor.directory.environments["env_a"]
        assert [each.card.url for each in view.instances] == ["http://env_a.test:80"]
        assert s.status(name) == "running"


async def test_another_supervisor_is_refused(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        await s.stop(s.supervisor)
        impostor = s.supervisor = s.new_supervisor(KeyPair.generate())
        await impostor.start()
        await s.until(lambda: s.available("env_a"))
        await impostor.stop_app(name)

        def refused() -> bool:
            row = impostor.get_app(name)
            receipts = row["operation"]["receipts"] if row is not None else {}
            return any(
                (each["reason"] or {}).get("code") == "SUPERVISOR_KEY_CHANGED" for each in receipts.values()
            )

        await s.until(refused)
        assert s.world.count(f"env_a stop {name}") == 0

        def shown() -> bool:
            row = impostor.get_environment("env_a")
            return (
                row is not None and row["reason"] is not None and "supervisor.key" in row["reason"]["message"]
            )

        await s.until(shown)


async def test_an_environment_with_another_key_is_refused_until_it_is_forgotten(
    tmp_path: Path, redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        await s.stop(s.environments["env_a"])
        changed = s.new_environment("env_a", keys=KeyPair.generate())
        await changed.start()

        def refused() -> bool:
            row = s.supervisor.get_environment("env_a")
            return row is not None and (row["reason"] or {}).get("code") == "ENVIRONMENT_KEY_CHANGED"

        await s.until(refused)
        assert not s.available("env_a")
        assert s.status(name) == "unknown"
        await s.supervisor.forget_environment("env_a")
        await s.reaches(name, "running")


async def test_forged_and_repeated_messages_change_nothing(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        record = s.supervisor.directory.app(name)
        assert record is not None
        connection = connect(s)
        stream = connection.key("command", "to", "env_a")
        entries = await connection.client.xrange(stream)
        for _, fields in entries:  # all commands so far once more, also under new ids
            await connection.client.xadd(stream, fields)
            await connection.client.xadd(stream, fields | {b"id": secrets.token_hex(12).encode()})
        await connection.client.xadd(stream, {"id": "x", "m": b"garbage", "d": "0"})
        # The row of env_a, claimed to be env_b's, and rubbish.
        a, b = s.environments["env_a"], s.environments["env_b"]
        rows = connection.key("presence", "rows", f"env_a|{a.instance}")
        row = await connection.client.hget(rows, record.uid)
        forged = connection.key("presence", "rows", f"env_b|{b.instance}")
        await connection.client.hset(forged, record.uid, row)
        await connection.client.hset(forged, "rubbish", b"rubbish")
        await s.supervisor._watch._whole()
        await s.supervisor.stop_app(name)
        await s.reaches(name, "stopped")
        assert s.world.count(f"env_a start {name}") == 1
        assert s.world.count(f"env_a stop {name}") == 1
        assert [each.environment for each in s.supervisor.directory.rows(record.uid)] == ["env_a"]


async def test_a_command_whose_answer_was_lost_takes_effect_once(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        connection = connect(s)
        await s.supervisor.restart_app(name)
        await s.until(lambda: s.world.count(f"env_a start {name}") == 2 and s.status(name) == "running")
        stream = connection.key("command", "to", "env_a")
        entries = await connection.client.xrange(stream)
        await connection.client.flushdb()
        commands = RedisCommands(connection)
        for _, fields in entries:
            await connection.client.xadd(stream, fields)
        request = entries[-1][1][b"id"].decode()
        receipt = None
        deadline = time.monotonic() + PATIENCE
        while (receipt is None or not receipt.final) and time.monotonic() < deadline:
            receipt = await commands.wait("env_a", request, 1.0)
            await asyncio.sleep(0.02)
        assert receipt is not None
        assert receipt.state == "applied"
        assert s.world.count(f"env_a start {name}") == 2


async def test_a_command_nobody_takes_expires(tmp_path: Path, redis: RedisProcess) -> None:
    async with scene(tmp_path, "env_a", redis_url=redis.url) as s:
        name = await s.running_app("env_a")
        await s.stop(s.supervisor)
        s.command_seconds = 1.0
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        await crash(s, s.environments["env_a"])
        await s.supervisor.stop_app(name)

        def expired() -> bool:
            row = s.supervisor.get_app(name)
            return row is not None and row["operation"]["receipts"].get("env_a", {}).get("state") == "expired"

        await s.until(expired)
        await s.environment("env_a")
        await s.reaches(name, "stopped")


async def test_an_environment_starts_its_apps_while_redis_is_away(
    tmp_path: Path, own_redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", redis_url=own_redis.url) as s:
        name = await s.running_app("env_a")
        record = s.supervisor.directory.app(name)
        assert record is not None
        saved = tmp_path / "env_a" / "models" / f"{record.uid}.model"
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(saved.exists):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        await s.stop(s.environments["env_a"])
        await asyncio.to_thread(own_redis.stop)
        again = s.new_environment("env_a")
        await again.start()

        def runs() -> bool:
            app = again.app(name)
            return app is not None and app.runtime is not None

        assert await again.changes.until(runs, PATIENCE)
        await asyncio.to_thread(own_redis.start)
        await s.reaches(name, "running")
        assert s.world.count(f"env_a start {name}") == 2


async def test_a_supervisor_restarts_among_a_hundred_running_apps(
    tmp_path: Path, redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", "env_b", redis_url=redis.url) as s:
        names = await asyncio.gather(*(s.running_app("env_a" if i % 2 else "env_b") for i in range(100)))
        happened = list(s.world.happened)
        await s.stop(s.supervisor)
        began = time.monotonic()
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        await s.until(lambda: all(s.status(name) == "running" for name in names))
        assert time.monotonic() - began < 10
        assert s.world.happened == happened
        stopped = await s.supervisor.stop_app(names[0])
        assert stopped["desired"] == "stopped"
        await s.reaches(names[0], "stopped")
        route = s.router.route(names[0], None)
        assert isinstance(route, Unavailable)
        assert isinstance(route.error, AppNotReady)


async def test_a_supervisor_that_starts_without_redis_keeps_the_last_known_routes(
    tmp_path: Path, own_redis: RedisProcess
) -> None:
    async with scene(tmp_path, "env_a", redis_url=own_redis.url) as s:
        name = await s.running_app("env_a")
        await s.stop(s.supervisor)
        s.supervisor = s.new_supervisor()  # the first look of a Supervisor is kept
        await s.supervisor.start()
        await s.reaches(name, "running")
        await s.stop(s.supervisor)
        await asyncio.to_thread(own_redis.stop)
        s.supervisor = s.new_supervisor()
        await s.supervisor.start()
        assert not s.supervisor.presence_reachable
        route = s.router.route(name, None)
        assert isinstance(route, Forward)
        assert route.targets[0].environment == "env_a"
        with Watcher(s) as watcher:
            await asyncio.to_thread(own_redis.start)
            await s.until(lambda: s.supervisor.presence_reachable)
            await asyncio.sleep(2 * LEASE_SECONDS)
        assert watcher.offline == []
        assert s.status(name) == "running"
