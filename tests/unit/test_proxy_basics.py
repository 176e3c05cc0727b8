"""Forwarding, seen from both ends: a raw client, the real server, a raw upstream."""

from __future__ import annotations

import asyncio
import gc

import pytest
from proxy_kit import Request, StaticRouter, client, eventually, forward, gateway, head, upstream

from atoll.gateway.incoming import Incoming
from atoll.supervisor.proxy_exchange import Exchange

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def test_get_is_forwarded_with_headers_and_answer() -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        answer = await user.get("/api/__app/crm/posts:list?a=1", Accept="application/json")
        assert answer.status == 200
        assert answer.header("content-type") == "application/json"
        assert answer.header("x-request-id")
        assert answer.json["line"] == "GET /api/__app/crm/posts:list?a=1 HTTP/1.1"
        seen = dict(answer.json["headers"])
        assert seen["x-app"] == "crm"
        assert seen["host"] == seen["x-forwarded-host"] == "entry.test"
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert seen["x-forwarded-proto"] == "http"
        assert seen["x-request-id"] == answer.header("x-request-id")


async def test_post_with_length_and_with_chunks() -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        answer = await user.ask(head("POST", "/api/x", X_App="crm", Content_Length="5") + "hello")
        assert answer.json["body"] == "hello"
        answer = await user.ask(
            head("POST", "/api/x", X_App="crm", Transfer_Encoding="chunked")
            + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert answer.json["body"] == "abcde"
        assert env.connections == 1


async def test_websocket_becomes_a_tunnel() -> None:
    async def echo(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Accept: x\r\n\r\nhello"
        )
        while data := await request.reader.read(100):
            await request.send(data.upper())

    upgrade = head(
        "GET", "/ws?__appName=crm", Connection="Upgrade", Upgrade="websocket", Sec_WebSocket_Key="x",
        Sec_WebSocket_Version="13", Sec_WebSocket_Protocol="a, b",
    )  # fmt: skip
    async with (
        upstream(echo) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        answer = await user.ask(upgrade)
        assert answer.status == 101
        assert answer.header("sec-websocket-protocol") == "b"
        assert env.requests[0].header("sec-websocket-protocol") == "a, b"
        assert await user.reader.readexactly(5) == b"hello"
        await user.send(b"early")
        assert await user.reader.readexactly(5) == b"EARLY"
        user.writer.write_eof()
        assert await user.closed() == b""


async def test_two_apps_in_turn_on_one_connection_and_pipelined() -> None:
    async def slow(request: Request) -> None:
        await asyncio.sleep(0)
        await request.answer(b"slow " + request.target)

    async def quick(request: Request) -> None:
        await request.answer(b"quick " + request.target)

    async with upstream(slow, "env_a") as a, upstream(quick, "env_b") as b:
        router = StaticRouter({**forward("one", a), **forward("two", b)})
        async with gateway(router) as running, client(running) as user:
            await user.send(
                head("GET", "/api/__app/one/1") + head("GET", "/api/__app/two/2")
                + head("GET", "/api/__health_check")
                + head("GET", "/api/__app/one/3", Connection="close")
            )  # fmt: skip
            bodies = [(await user.answer()).body for _ in range(4)]
            assert bodies == [
                b"slow /api/__app/one/1",
                b"quick /api/__app/two/2",
                b"ok",
                b"slow /api/__app/one/3",
            ]
            assert await user.closed() == b""


async def test_unknown_app_is_404_with_its_code() -> None:
    async with gateway(StaticRouter()) as running, client(running) as user:
        answer = await user.get("/api/__app/nothing/x")
        assert (answer.status, answer.code) == (404, "APP_NOT_FOUND")


def remains() -> int:
    """How many requests and exchanges are in memory."""
    return sum(isinstance(entry, Incoming | Exchange) for entry in gc.get_objects())


async def test_an_answered_request_is_gone_without_the_garbage_collector() -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        gc.collect()
        before = remains()
        gc.disable()
        try:
            for _ in range(20):
                await user.get("/api/__app/crm/posts:list")
                await user.ask(head("POST", "/api/x", X_App="crm", Content_Length="5") + "hello")
            await eventually(lambda: remains() == before, "answered requests leave the memory")
        finally:
            gc.enable()


async def test_requests_that_failed_leave_the_memory() -> None:
    async def silent(request: Request) -> None:
        await asyncio.sleep(60)

    async def torn(request: Request) -> None:
        await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        request.writer.transport.abort()

    async with upstream(silent, "env_a") as a, upstream(torn, "env_b") as b, upstream(name="env_c") as c:
        router = StaticRouter({**forward("late", a), **forward("torn", b), **forward("away", c)})
        await c.stop()
        async with gateway(router) as running:
            gc.collect()
            before = remains()
            for _ in range(5):
                async with client(running) as user:
                    assert (await user.get("/api/__app/away/x")).status == 503
                async with client(running) as user:
                    await user.send(head("GET", "/api/__app/torn/x"))
                    await user.reader.read()
                async with client(running) as user:
                    await user.send(head("GET", "/api/__app/late/x"))
                    await eventually(lambda: running.proxy.running == 1, "the request is under way")
            router.reports.clear()  # the errors in it know where they were raised
            await eventually(lambda: gc.collect() >= 0 and remains() == before, "nothing of them is left")
