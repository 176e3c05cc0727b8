"""How one server starts and stops: installing once, draining, refusing wrong settings."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path

import anyio
import httpx
import pytest

from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.processes import ServerProcess, closing, eventually

from .conftest import Say
from .postgres import database

pytestmark = pytest.mark.anyio

ACCOUNT = Account()
ROOT = {"INIT_ROOT_PASSWORD": ACCOUNT.password}
BAD_SETTINGS = 78


async def test_starts_without_any_setting(tmp_path: Path, say: Say) -> None:
    server = ServerProcess("plain", tmp_path, {})
    began = time.monotonic()
    async with closing(server):
        server.spawn()
        await server.until_healthy()
        say(f"first start on SQLite: healthy after {time.monotonic() - began:.2f} s")
        await server.until_ready()
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            assert (await http.get("/api/__health_check")).text == "ok"
            info = (await http.get("/api/app:getInfo")).json()["data"]
            assert info["name"] == "main"
            assert info["database"]["dialect"] == "sqlite"
            guess = await http.post("/api/auth:signIn", json={"account": "admin", "password": "admin123"})
            assert guess.status_code == 401, "there must be no known default password"
        printed = _generated_password(server.log())
        async with AtollClient(server.url) as client:
            await client.sign_in(Account("admin", printed))
        assert await server.stop() == 0
        began = time.monotonic()
        server.spawn()
        await server.until_healthy()
        say(f"second start: healthy after {time.monotonic() - began:.2f} s")
        assert server.log().count(printed) == 1, "the generated password is printed once"


async def test_many_instances_install_once(tmp_path: Path, postgres: PostgresAddress, say: Say) -> None:
    async with database(postgres, "install_once") as variables:
        shared = {**variables, **ROOT, "STORAGE_PATH": str(tmp_path / "storage")}
        servers = [ServerProcess(f"instance{number}", tmp_path, shared) for number in range(4)]
        async with closing(*servers):
            for server in servers:
                server.spawn()
            async with anyio.create_task_group() as group:
                for server in servers:
                    group.start_soon(server.until_ready)
            tokens = []
            for server in servers:
                async with AtollClient(server.url) as client:
                    tokens.append(await client.sign_in(ACCOUNT))
                    assert len(await client.call("users:list")) == 1
            for server in servers:
                headers = {"Authorization": f"Bearer {tokens[0]}"}
                async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
                    assert (await http.get(f"{server.url}/api/auth:check")).status_code == 200
    say("4 instances at once on one empty PostgreSQL database: one account, one key, all ready")


async def test_many_instances_install_once_on_sqlite(tmp_path: Path) -> None:
    shared = {**ROOT, "STORAGE_PATH": str(tmp_path / "storage")}
    servers = [ServerProcess(f"instance{number}", tmp_path, shared) for number in range(3)]
    async with closing(*servers):
        for server in servers:
            server.spawn()
        for server in servers:
            await server.until_ready()
            async with AtollClient(server.url) as client:
                await client.sign_in(ACCOUNT)
                assert len(await client.call("users:list")) == 1


class HalfSent:
    """A sign-in whose body is only half there: a request in flight for as long as a test wants."""

    def __init__(self, server: ServerProcess) -> None:
        self.port = server.port
        self.body = json.dumps({"account": ACCOUNT.username, "password": ACCOUNT.password}).encode()

    async def begin(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            "POST /api/auth:signIn HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + self.body[:10])
        await self.writer.drain()

    async def finish(self) -> bytes:
        self.writer.write(self.body[10:])
        await self.writer.drain()
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        self.writer.close()
        return answer

    def abandon(self) -> None:
        self.writer.transport.abort()


async def test_term_drains_and_exits_cleanly(tmp_path: Path, say: Say) -> None:
    async with ServerProcess("draining", tmp_path, ROOT) as server:
        request = HalfSent(server)
        await request.begin()
        await _accepted(server)
        server.signal(signal.SIGTERM)
        await eventually(lambda: _refuses(server), within=10, what="the server takes no new work")
        assert server.running, "a request in flight must be waited for"
        answer = await request.finish()
        assert answer.startswith(b"HTTP/1.1 200"), answer
        began = time.monotonic()
        assert await server.until_ended() == 0
        say(
            "SIGTERM with a request in flight: answered 200,"
            f" ended {time.monotonic() - began:.2f} s later, code 0"
        )


async def test_second_term_is_quick(tmp_path: Path, say: Say) -> None:
    async with ServerProcess("impatient", tmp_path, {**ROOT, "SHUTDOWN_SECONDS": "600"}) as server:
        request = HalfSent(server)
        await request.begin()
        await _accepted(server)
        server.signal(signal.SIGTERM)
        await eventually(lambda: _refuses(server), within=10, what="the server takes no new work")
        assert server.running
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        code = await server.until_ended(within=20)
        request.abandon()
        say(f"second SIGTERM: ended after {time.monotonic() - began:.2f} s, code {code}")


async def test_drain_has_a_limit(tmp_path: Path, say: Say) -> None:
    async with ServerProcess("bounded", tmp_path, {**ROOT, "SHUTDOWN_SECONDS": "1"}) as server:
        request = HalfSent(server)
        await request.begin()
        await _accepted(server)
        began = time.monotonic()
        assert await server.stop(within=20) == 0
        request.abandon()
        say(f"drain limit 1 s with a request that never ends: ended after {time.monotonic() - began:.2f} s")


WRONG = {
    "word": ({"APP_MODE": "boss"}, ["APP_MODE=boss"]),
    "number": ({"APP_PORT": "eighty"}, ["APP_PORT=eighty"]),
    "one slash": ({"REDIS_URL": "redis:/localhost:6379"}, ["REDIS_URL="]),
    "worker without a name": (
        {"APP_MODE": "worker", "REDIS_URL": "redis://localhost:1", "ENVIRONMENT_URL": "http://x:1"},
        ["ENVIRONMENT_NAME="],
    ),
    "adapter without address": (
        {"APP_MODE": "supervisor"},
        ["APP_SUPERVISOR_REDIS_URL=", "APP_COMMAND_REDIS_URL="],
    ),
    "several at once": (
        {"APP_PORT": "0", "TZ": "Mars/Base", "DB_DIALECT": "oracle"},
        ["APP_PORT", "TZ", "DB_DIALECT"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_wrong_settings_stop_the_start(case: str, tmp_path: Path) -> None:
    variables, expected = WRONG[case]
    server = ServerProcess("refused", tmp_path, variables, port=13000 if "APP_PORT" in variables else None)
    async with closing(server):
        server.spawn()
        assert await server.until_ended() == BAD_SETTINGS
    lines = [line for line in server.log().splitlines() if "expected" in line]
    assert len(lines) == len(expected), server.log()
    for start in expected:
        assert any(start in line for line in lines), lines
    assert "Traceback" not in server.log()
    assert not (tmp_path / "storage").exists(), "a refused start must not leave files"


async def test_misspelled_variable_of_the_documents_works_with_a_warning(tmp_path: Path) -> None:
    server = ServerProcess("warned", tmp_path, {**ROOT, "APP_COMMAND_ADPATER": "local"})
    async with server:
        assert "APP_COMMAND_ADPATER" in server.log()


async def test_taken_port_is_said_plainly(tmp_path: Path) -> None:
    async with ServerProcess("first", tmp_path / "one", ROOT) as first:
        second = ServerProcess("second", tmp_path / "two", ROOT, port=first.port)
        async with closing(second):
            second.spawn()
            assert await second.until_ended() != 0
        assert str(first.port) in second.log()
        assert "Traceback" not in second.log()


async def _accepted(server: ServerProcess) -> None:
    """Waits until the server has the half-sent request in hand: two connections, ours and the probe's."""

    async def answered() -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(server.url + "/api/__health_check")).status_code == 200

    await eventually(answered, within=5, what="the server answers beside the open request")


async def _refuses(server: ServerProcess) -> bool:
    """Whether new requests are turned away: not ready, or nobody listens any more."""
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            return (await http.get(server.url + "/api/__ready")).status_code == 503
    except httpx.TransportError:
        return True


def _generated_password(log: str) -> str:
    """The word after "password" in the line that announces the first account."""
    for line in log.splitlines():
        if "password" in line.lower():
            text = json.loads(line).get("password", line) if line.startswith("{") else line
            return str(text).replace(":", " ").split()[-1].strip("\"'.,")
    raise AssertionError(f"no generated password in the log\n{log}")
