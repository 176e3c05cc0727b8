"""CLUSTER_MODE: several processes on one address, killed, replaced and stopped while requests come in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from atoll.cluster.redis import RedisConnection
from atoll.cluster.worker_id import RedisWorkerIds
from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from .conftest import Say
from .load import CLIENTS, NOTES, TRACE, makers, seen, under_load
from .postgres import database
from .redis_process import RedisProcess

pytestmark = pytest.mark.anyio

ACCOUNT = Account()
CHILD_FAILED, BAD_SETTINGS = 12, 78


@contextlib.asynccontextmanager
async def processes(
    number: int, folder: Path, redis: RedisProcess, postgres: PostgresAddress | None, **more: str
) -> AsyncIterator[tuple[ServerProcess, str]]:
    """A running server of so many processes with a collection, and the token of a person."""
    async with contextlib.AsyncExitStack() as stack:
        variables = (
            {} if postgres is None else await stack.enter_async_context(database(postgres, "processes"))
        )
        variables |= {"REDIS_URL": redis.url, "CLUSTER_MODE": str(number)}
        variables |= {"INIT_ROOT_PASSWORD": ACCOUNT.password, **more}
        server = ServerProcess("several", folder, variables)
        await stack.enter_async_context(closing(server))
        await server.start()
        await all_ready(server, number)
        async with AtollClient(server.url) as client:
            token = await client.sign_in(ACCOUNT)
            await client.call("collections:create", NOTES)
        yield server, token


def children(server: ServerProcess) -> set[int]:
    return {child.pid for child in psutil.Process(server.pid).children()}


def open_connections(pid: int, port: int) -> int:
    found = psutil.Process(pid).net_connections("tcp")
    return sum(1 for each in found if each.status == psutil.CONN_ESTABLISHED and each.laddr.port == port)


async def all_ready(server: ServerProcess, number: int) -> None:
    async def ready() -> bool:
        return server.log().count('"server ready"') >= number

    await eventually(ready, within=30, what=f"{number} processes are ready")


async def test_four_processes_share_the_work_and_no_id_comes_twice(
    tmp_path: Path, own_redis: RedisProcess, postgres: PostgresAddress, say: Say
) -> None:
    async with processes(4, tmp_path, own_redis, postgres) as (server, token):
        async with under_load(server.url, token, create=True) as load:
            await seen(load, 1000)
        assert set(load.answers) == {"200"}
        assert len(set(load.ids)) == len(load.ids)
        made = makers(load.ids)
        assert len(made) >= 2, "one process took all connections"
        say(f"4 processes, {CLIENTS} connections: {len(load.ids)} ids, none twice; by worker id {dict(made)}")
        async with AtollClient(server.url) as client:
            client.http.headers["Authorization"] = f"Bearer {token}"
            assert (await client.envelope("notes:list"))["meta"]["count"] == len(load.ids)
        await server.stop()
    logs = tmp_path / "storage" / "logs" / "main"
    text = "".join(file.read_text() for file in logs.glob("request_*.log"))
    requests = [json.loads(line) for line in text.splitlines()]
    created = [line for line in requests if line["path"] == "/api/notes:create"]
    assert len(created) == load.count, "one whole line for each request, whichever process answered"
    assert {line["trace"] for line in created} == {TRACE}
    assert len({line["instance"] for line in created}) >= 2
    assert len({line["reqId"] for line in requests}) == len(requests)
    everything = text + server.log() + "".join(file.read_text() for file in logs.glob("system_*.log"))
    assert token not in everything
    assert ACCOUNT.password not in everything
    say(f"their request log: {len(requests)} lines of {CLIENTS} connections in shared files, all whole")


async def test_connections_are_shared_evenly(tmp_path: Path, own_redis: RedisProcess, say: Say) -> None:
    async with processes(4, tmp_path, own_redis, None) as (server, _), contextlib.AsyncExitStack() as stack:
        for _ in range(40):
            http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
            assert (await http.get(f"{server.url}/api/__health_check")).status_code == 200
        counts = sorted(open_connections(pid, server.port) for pid in children(server))
        say(f"40 connections on 4 processes: {counts}")
        assert sum(counts) == 40
        assert counts[0] >= 2, "a process that is not busy gets its part"
        assert counts[-1] <= 20


async def test_a_killed_process_costs_only_its_own_requests(
    tmp_path: Path, own_redis: RedisProcess, postgres: PostgresAddress, say: Say
) -> None:
    async with processes(3, tmp_path, own_redis, postgres) as (server, token):
        before = children(server)
        async with under_load(server.url, token, create=False) as load:
            await seen(load, 200)
            victim = max(before, key=lambda pid: open_connections(pid, server.port))
            began = time.monotonic()
            psutil.Process(victim).kill()

            async def replaced() -> bool:
                return victim not in children(server) and len(children(server)) == 3

            await eventually(replaced, within=20, what="another process in its place")
            await all_ready(server, 4)
            took = time.monotonic() - began
            await seen(load, 200)
        assert set(load.answers) == {"200"}
        assert load.broken <= CLIENTS, "only what was under way on the killed process may break"
        say(
            f"SIGKILL of 1 of 3 under load: {load.count} answers, all 200; {load.broken} connections"
            f" broke and their reading was repeated; another one was ready after {took:.1f} s"
        )


async def test_replacing_all_processes_fails_no_request(
    tmp_path: Path, own_redis: RedisProcess, postgres: PostgresAddress, say: Say
) -> None:
    """Writing, which nobody repeats: a refused or broken connection ends the load with its error."""
    async with processes(2, tmp_path, own_redis, postgres) as (server, token):
        before = children(server)
        async with under_load(server.url, token, create=True) as load:
            await seen(load, 200)
            began = time.monotonic()
            server.signal(signal.SIGHUP)

            async def rolled() -> bool:
                return "all processes were replaced" in server.log()

            await eventually(rolled, within=60, what="all processes are replaced")
            took = time.monotonic() - began
            await seen(load, 200)
        assert not before & children(server)
        assert len(children(server)) == 2
        assert set(load.answers) == {"200"}
        assert len(set(load.ids)) == len(load.ids)
        say(
            f"SIGHUP with {CLIENTS} writing clients on 2 processes: both replaced in {took:.1f} s, "
            f"{load.count} requests, all 200, no id twice"
        )


async def test_several_processes_on_one_sqlite_file(
    tmp_path: Path, own_redis: RedisProcess, say: Say
) -> None:
    async with processes(2, tmp_path, own_redis, None) as (server, token):
        began = time.monotonic()
        async with under_load(server.url, token, create=True) as load:
            await seen(load, 500)
        rate = load.count / (time.monotonic() - began)
        assert set(load.answers) == {"200"}
        assert len(set(load.ids)) == len(load.ids)
        say(f"2 processes on one SQLite file: {load.count} records by {makers(load.ids)}, {rate:.0f}/s")


async def test_a_failed_replacement_leaves_the_old_ones(tmp_path: Path, own_redis: RedisProcess) -> None:
    settings = tmp_path / "settings.env"
    settings.write_text("LOGGER_LEVEL=info\n")
    async with processes(2, tmp_path, own_redis, None, APP_ENV_PATH=str(settings)) as (server, token):
        before = children(server)
        settings.write_text("LOGGER_LEVEL=loud\n")
        server.signal(signal.SIGHUP)

        async def said() -> bool:
            return "the new process failed; the old ones stay" in server.log()

        await eventually(said, within=30, what="the failure is said")
        assert children(server) == before
        async with under_load(server.url, token, create=False) as load:
            await seen(load, 20)
        assert set(load.answers) == {"200"}


async def test_term_waits_for_what_is_under_way_and_tells_sockets(
    tmp_path: Path, own_redis: RedisProcess
) -> None:
    async with processes(2, tmp_path, own_redis, None) as (server, token):
        url = f"ws://127.0.0.1:{server.port}/ws?token={token}"
        async with websockets.connect(url, proxy=None) as socket:
            begun = await half_sent(server, token)
            server.signal(signal.SIGTERM)
            await eventually(lambda: refused(server), within=10, what="nobody listens any more")
            assert server.running
            assert b" 200 " in await begun.finish()
            with pytest.raises(ConnectionClosed) as ended:
                async with asyncio.timeout(20):
                    while True:
                        await socket.recv()
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code in (1001, 1012)
        assert await server.until_ended() == 0


async def test_a_second_term_is_quick(tmp_path: Path, own_redis: RedisProcess, say: Say) -> None:
    async with processes(2, tmp_path, own_redis, None, SHUTDOWN_SECONDS="600") as (server, token):
        begun = await half_sent(server, token)
        server.signal(signal.SIGTERM)
        await eventually(lambda: refused(server), within=10, what="nobody listens any more")
        assert server.running
        again = time.monotonic()
        server.signal(signal.SIGTERM)
        assert await server.until_ended(within=20) == 0
        say(f"second SIGTERM: 2 processes ended after {time.monotonic() - again:.2f} s")
        begun.writer.transport.abort()


async def test_processes_do_not_outlive_their_parent(tmp_path: Path, own_redis: RedisProcess) -> None:
    async with processes(2, tmp_path, own_redis, None) as (server, _):
        orphans = [psutil.Process(pid) for pid in children(server)]
        await server.kill()

        async def gone() -> bool:
            return not any(orphan.is_running() for orphan in orphans)

        await eventually(gone, within=30, what="the processes have ended")


async def test_a_start_that_cannot_succeed_ends_with_its_code(
    tmp_path: Path, own_redis: RedisProcess
) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "db").write_text("not a folder")
    server = ServerProcess("refused", tmp_path, {"REDIS_URL": own_redis.url, "CLUSTER_MODE": "2"})
    async with closing(server):
        server.spawn()
        assert await server.until_ended() == 1
    assert "STORAGE_UNUSABLE" in server.log()
    assert "before all processes were ready" in server.log()


async def test_a_crash_loop_ends_with_an_error(tmp_path: Path, own_redis: RedisProcess, say: Say) -> None:
    """What every process needs is gone after a good start."""
    settings = tmp_path / "settings.env"
    settings.write_text("LOGGER_LEVEL=info\n")
    async with processes(2, tmp_path, own_redis, None, APP_ENV_PATH=str(settings)) as (server, _):
        settings.write_text("LOGGER_LEVEL=loud\n")
        began = time.monotonic()
        for pid in children(server):
            psutil.Process(pid).kill()
        assert await server.until_ended(within=90) == BAD_SETTINGS
        say(f"crash loop: given up after {time.monotonic() - began:.0f} s")
    assert "no other is ready" in server.log()


async def test_without_a_free_worker_id_the_start_is_refused(
    tmp_path: Path, own_redis: RedisProcess, anyio_backend: str
) -> None:
    connection = RedisConnection(own_redis.url, "atoll")
    numbers = RedisWorkerIds(connection)
    leases = [await numbers.acquire() for _ in range(32)]
    short = {"REDIS_URL": own_redis.url, "WORKER_ID_LEASE_SECONDS": "2"}
    server = ServerProcess("late", tmp_path, short)
    async with closing(server):
        server.spawn()
        assert await server.until_ended() == 1
        assert "NO_WORKER_ID_FREE" in server.log()
        assert "WORKER_ID_BITS=6" in server.log()
        await leases[0].release(0)
        await server.start()
    await connection.close()


async def test_a_start_without_redis_goes_on_and_gets_a_worker_id_later(
    tmp_path: Path, own_redis: RedisProcess, anyio_backend: str
) -> None:
    """Reading works meanwhile; what needs an id of its own is refused with 503."""
    shared = {"REDIS_URL": own_redis.url, "INIT_ROOT_PASSWORD": ACCOUNT.password}
    async with ServerProcess("patient", tmp_path, shared) as server, AtollClient(server.url) as client:
        await client.sign_in(ACCOUNT)
        await client.call("collections:create", NOTES)
        await server.stop()
        own_redis.stop()
        server.spawn()

        async def refused() -> bool:
            answer = await client.send("notes:create", {"s": "x"})
            return answer.status_code == 503 and "WORKER_ID_LOST" in answer.text

        async def made() -> bool:
            return (await client.send("notes:create", {"s": "x"})).status_code == 200

        await server.until_healthy()
        await eventually(refused, within=30, what="no id is made without a worker id")
        assert await client.call("notes:list") == []
        own_redis.start()
        await eventually(made, within=30, what="a worker id once Redis is there")
        await server.until_ready()


async def test_a_storage_folder_in_use_is_refused(tmp_path: Path, own_redis: RedisProcess) -> None:
    """F73, with processes: a Supervisor that was given the folder of another server."""
    shared = {"REDIS_URL": own_redis.url, "STORAGE_PATH": str(tmp_path / "storage")}
    async with ServerProcess("first", tmp_path, shared):
        second = ServerProcess("second", tmp_path, {**shared, "APP_MODE": "supervisor"})
        async with closing(second):
            second.spawn()
            assert await second.until_ended() == 1
        assert "STORAGE_OWNED" in second.log()
        assert "STORAGE_PATH of its own" in second.log()


async def test_one_line_names_what_several_processes_need(tmp_path: Path) -> None:
    server = ServerProcess("alone", tmp_path, {"CLUSTER_MODE": "2"})
    async with closing(server):
        server.spawn()
        assert await server.until_ended() == BAD_SETTINGS
    (line,) = [line for line in server.log().splitlines() if "error" in line]
    assert "REDIS_URL=redis://host:6379" in line


@dataclass
class HalfSent:
    """A request whose body is only half there."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def finish(self) -> bytes:
        self.writer.write(b'"x"}')
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        self.writer.close()
        return answer


async def half_sent(server: ServerProcess, token: str) -> HalfSent:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /api/notes:create HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    writer.write(head.encode())
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)  # it asks for the body: it has the request
    writer.write(b'{"s":')
    await writer.drain()
    return HalfSent(reader, writer)


async def refused(server: ServerProcess) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False
