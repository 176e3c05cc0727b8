"""Bodies in both directions: framing, back-pressure, first byte at once, constant memory (F49)."""

from __future__ import annotations

import asyncio
import hashlib

import psutil
import pytest
from proxy_kit import (
    Request,
    StaticRouter,
    client,
    describe,
    eventually,
    forward,
    gateway,
    head,
    upstream,
)

pytestmark = pytest.mark.anyio
MEGABYTE = 1 << 20


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def test_chunked_answer_with_trailers() -> None:
    async def handler(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            b"5\r\nhello\r\n3;ext=1\r\n wo\r\n0\r\nX-Sum: 8\r\nConnection: x\r\n\r\n"
        )

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        for _ in range(2):
            await user.send(head("GET", "/api/x", X_App="crm"))
            answer = await user.reader.readuntil(b"\r\n\r\n")
            assert b"transfer-encoding: chunked" in answer
            body = await user.reader.readuntil(b"X-Sum: 8\r\n\r\n")
            assert body.startswith(b"5\r\nhello\r\n3\r\n wo\r\n0\r\n")
        assert env.connections == 1


async def test_request_trailers_and_chunks_reach_the_upstream() -> None:
    trailers = []

    async def handler(request: Request) -> None:
        body = await request.body()
        trailers.append(request.trailers)
        await request.answer(body)

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("POST", "/api/x", X_App="crm", Transfer_Encoding="chunked"))
        for piece in ("3\r\nabc\r\n", "2\r\nd", "e\r\n", "0\r\nX-Sum: 5\r\nX-App: shop\r\n\r\n"):
            await user.send(piece)
        assert (await user.answer("POST")).body == b"abcde"
        assert trailers == [b"x-sum: 5\r\n"]


async def test_answer_that_ends_with_the_connection() -> None:
    async def handler(request: Request) -> None:
        await request.send(b"HTTP/1.1 200 OK\r\n\r\nall there is")
        request.writer.close()

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        for _ in range(2):
            answer = await user.get("/api/__app/crm/x")
            assert answer.body == b"all there is"
            assert answer.header("transfer-encoding") == "chunked"
        assert env.connections == 2


async def test_head_204_and_304_have_no_body_and_keep_both_connections() -> None:
    async def handler(request: Request) -> None:
        if b"204" in request.target:
            await request.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif b"304" in request.target:
            await request.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\nETag: x\r\n\r\n")
        elif b"chunked" in request.target:
            await request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        else:
            await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        assert (await user.get("/api/__app/crm/204")).status == 204
        answer = await user.get("/api/__app/crm/304")
        assert (answer.status, answer.header("etag")) == (304, "x")
        answer = await user.ask(head("HEAD", "/api/__app/crm/x"))
        assert (answer.status, answer.header("content-length"), answer.body) == (200, "10", b"")
        assert (await user.ask(head("HEAD", "/api/__app/crm/chunked"))).status == 200
        assert (await user.get("/api/__app/crm/204")).status == 204
        assert env.connections == 1


async def test_continue_is_asked_of_the_upstream_and_early_hints_pass() -> None:
    async def handler(request: Request) -> None:
        await request.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        assert request.header("expect") == "100-continue"
        await request.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await describe(request)

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("POST", "/api/x", X_App="crm", Content_Length="2", Expect="100-continue"))
        assert (await user.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 103")
        assert (await user.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        await user.send("ab")
        assert (await user.answer("POST")).json["body"] == "ab"


async def test_old_client_gets_no_chunks_and_no_early_answers() -> None:
    async def handler(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await request.send(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send("GET /api/__app/crm/x HTTP/1.0\r\n\r\n")
        whole = await user.closed()
        assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
        assert whole.endswith(b"\r\n\r\nabc")


async def test_first_event_of_a_stream_arrives_before_the_second_is_made() -> None:
    more = asyncio.Event()

    async def handler(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        await request.send(b"9\r\ndata: 1\n\n\r\n")
        await more.wait()
        await request.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("GET", "/api/x", X_App="crm"))
        async with asyncio.timeout(4):
            await user.reader.readuntil(b"data: 1\n\n")
        more.set()
        await user.reader.readuntil(b"data: 2\n\n")


async def test_body_is_passed_on_while_it_comes() -> None:
    first = asyncio.Event()

    async def handler(request: Request) -> None:
        assert await request.reader.readexactly(3) == b"abc"
        first.set()
        assert await request.reader.readexactly(3) == b"def"
        await request.answer(b"ok")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("POST", "/api/x", X_App="crm", Content_Length="6") + "abc")
        await asyncio.wait_for(first.wait(), 4)
        await user.send("def")
        assert (await user.answer("POST")).body == b"ok"


@pytest.mark.parametrize("size", [64, pytest.param(1024, marks=pytest.mark.slow)])
async def test_large_upload_and_download_in_constant_memory(size: int) -> None:
    block = bytes(range(256)) * 4096  # 1 MB
    received = hashlib.sha256()

    async def handler(request: Request) -> None:
        if request.raw.startswith(b"GET"):
            await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size * MEGABYTE))
            for _ in range(size):
                await request.send(block)
            return
        left = size * MEGABYTE
        while left:
            data = await request.reader.read(MEGABYTE)
            received.update(data)
            left -= len(data)
        await request.answer(b"ok")

    expected = hashlib.sha256()
    for _ in range(size):
        expected.update(block)
    process = psutil.Process()
    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        before = process.memory_info().rss
        await user.send(head("POST", "/api/x", X_App="crm", Content_Length=str(size * MEGABYTE)))
        for _ in range(size):
            await user.send(block)
        assert (await user.answer("POST")).body == b"ok"
        assert received.digest() == expected.digest()
        await user.send(head("GET", "/api/x", X_App="crm"))
        await user.reader.readuntil(b"\r\n\r\n")
        got, left = hashlib.sha256(), size * MEGABYTE
        while left:
            data = await user.reader.read(MEGABYTE)
            got.update(data)
            left -= len(data)
        assert got.digest() == expected.digest()
        assert process.memory_info().rss - before < 32 * MEGABYTE


async def test_a_client_that_does_not_read_stops_the_upstream() -> None:
    sent = 0

    async def handler(request: Request) -> None:
        nonlocal sent
        await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MEGABYTE))
        for _ in range(256):
            await request.send(bytes(MEGABYTE))
            sent += 1

    async with upstream(handler) as env, gateway(StaticRouter(forward("crm", env))) as running:
        async with client(running) as user:
            user.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await user.send(head("GET", "/api/x", X_App="crm"))
            await eventually(lambda: sent > 0, "the first piece")
            last = -1
            while last != sent:  # until nothing moves any more
                last = sent
                await asyncio.sleep(0.3)
            assert sent < 64
        await eventually(lambda: env.open == 0, "the upstream connection ends with the client's")


async def test_an_upstream_that_does_not_read_stops_the_client() -> None:
    go = asyncio.Event()

    async def handler(request: Request) -> None:
        request.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await go.wait()
        request.writer.transport.resume_reading()  # type: ignore[attr-defined]
        left = 64 * MEGABYTE
        while left:
            left -= len(await request.reader.read(MEGABYTE))
        await request.answer(b"ok")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("POST", "/api/x", X_App="crm", Content_Length=str(64 * MEGABYTE)))
        written = 0

        async def upload() -> None:
            nonlocal written
            for _ in range(64):
                await user.send(bytes(MEGABYTE))
                written += 1

        task = asyncio.create_task(upload())
        last = -1
        while last != written:
            last = written
            await asyncio.sleep(0.3)
        assert written < 48
        go.set()
        await task
        assert (await user.answer("POST")).body == b"ok"


async def test_answer_before_the_body_is_complete() -> None:
    async def handler(request: Request) -> None:
        await request.answer(b"too much", "413 Content Too Large")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await user.send(head("POST", "/api/x", X_App="crm", Content_Length="10") + "abc")
        assert (await user.answer("POST")).status == 413
        await eventually(lambda: env.open == 0, "an upstream connection with half a request is not kept")
        await user.send("defghij")
        env.handler = describe
        assert (await user.get("/api/__app/crm/next")).json["line"].startswith("GET /api/__app/crm/next")


async def test_an_offer_to_upgrade_to_something_else_is_not_taken_up() -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        answer = await user.ask(
            head("POST", "/api/x", X_App="crm", Content_Length="5", Connection="Upgrade, HTTP2-Settings",
                 Upgrade="h2c", HTTP2_Settings="x") + "hello"
        )  # fmt: skip
        assert answer.json["body"] == "hello"
        names = [name for name, _ in answer.json["headers"]]
        assert "upgrade" not in names
        assert "connection" not in names
        assert (await user.get("/api/__app/crm/2")).status == 200
