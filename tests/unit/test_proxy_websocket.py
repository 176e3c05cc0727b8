"""WebSockets through the proxy behave as on a direct connection (F45, F50)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy_kit import (
    Request,
    Running,
    StaticRouter,
    client,
    eventually,
    forward,
    gateway,
    head,
    upstream,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from atoll.supervisor.proxy_tunnel import FrameBoundary

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def echo(request: Request) -> None:
    """A WebSocket server: echoes, answers "close 4001" with that code, picks the last subprotocol offered."""
    server = ServerProtocol(
        select_subprotocol=lambda protocol, offers: offers[-1] if offers else None,
        logger=logging.getLogger("test.upstream"),
        max_size=None,
    )
    server.receive_data(request.raw)
    handshake = server.events_received()[0]
    assert isinstance(handshake, Handshake)
    server.send_response(server.accept(handshake))
    await request.send(b"".join(server.data_to_send()))
    while received := await request.reader.read(65536):
        server.receive_data(received)
        for event in server.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                data = bytes(event.data)
                if data.startswith(b"close "):
                    server.send_close(int(data[6:]), "as asked")
                elif event.opcode is Opcode.TEXT:
                    server.send_text(data)
                else:
                    server.send_binary(data)
        await request.send(b"".join(server.data_to_send()))
        if server.close_expected():
            break
    request.writer.close()


@asynccontextmanager
async def socket(running: Running, app: str = "crm", **options: object) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{running.port}/ws?__appName={app}", **options) as found:  # type: ignore[arg-type]
        yield found


async def test_messages_of_all_sizes_and_pings() -> None:
    async with (
        upstream(echo) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        socket(running, max_size=None, compression=None) as ws,
    ):
        for size in (0, 1, 125, 126, 65535, 65536, 3_000_000):
            await ws.send("x" * size)
            assert await ws.recv() == "x" * size
            await ws.send(bytes(size))
            assert await ws.recv() == bytes(size)
        await asyncio.wait_for(await ws.ping(), 4)


async def test_subprotocol_is_the_upstreams_choice_among_all_offers() -> None:
    async with upstream(echo) as env, gateway(StaticRouter(forward("crm", env))) as running:
        async with socket(running, subprotocols=["a", "b", "c"]) as ws:
            assert ws.subprotocol == "c"
        assert env.requests[0].header("sec-websocket-protocol") == "a, b, c"
        assert env.requests[0].target == b"/ws?__appName=crm"
        assert env.requests[0].header("x-app") == "crm"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4001])
async def test_close_codes_pass_in_both_directions(code: int) -> None:
    async with upstream(echo) as env, gateway(StaticRouter(forward("crm", env))) as running:
        async with socket(running) as ws:
            await ws.send(f"close {code}")
            with pytest.raises(ConnectionClosed) as found:
                await ws.recv()
            assert found.value.rcvd is not None
            assert (found.value.rcvd.code, found.value.rcvd.reason) == (code, "as asked")
        async with socket(running) as ws:
            await ws.close(code)
            assert ws.close_code == code
        await eventually(lambda: env.open == 0, "the upstream's connections end")
        await eventually(lambda: running.proxy.load.busy("crm") == 0, "they no longer count")


@pytest.mark.parametrize("status", [403, 404, 502])
async def test_refusal_by_the_upstream_is_passed_on(status: int) -> None:
    async def refuse(request: Request) -> None:
        await request.answer(b"no", f"{status} No")

    async with upstream(refuse) as env, gateway(StaticRouter(forward("crm", env))) as running:
        with pytest.raises(InvalidStatus) as found:
            async with socket(running):
                pass
        assert found.value.response.status_code == status
        assert found.value.response.body == b"no"


async def test_an_upstream_that_vanishes_ends_the_socket() -> None:
    async with (
        upstream(echo) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        socket(running) as ws,
    ):
        await ws.send("x")
        assert await ws.recv() == "x"
        await env.stop()
        with pytest.raises(ConnectionClosed):
            await ws.recv()


async def test_sockets_of_one_app_survive_what_happens_to_another_and_end_with_their_own() -> None:
    """F45."""
    async with upstream(echo, "env_a") as a, upstream(echo, "env_b") as b:
        router = StaticRouter({**forward("one", a), **forward("two", b)})
        async with gateway(router) as running, socket(running, "one") as one, socket(running, "two") as two:
            router.routes.update(forward("three", b))
            del router.routes["two"]
            with pytest.raises(ConnectionClosed) as found:
                await asyncio.wait_for(two.recv(), 4)
            assert found.value.rcvd is not None
            assert found.value.rcvd.code == 1001
            await one.send("still here")
            assert await one.recv() == "still here"


async def test_stopping_the_server_says_goodbye_to_sockets() -> None:
    """F60: with a close code, not by cutting the line."""
    async with (
        upstream(echo) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        socket(running) as ws,
    ):
        await ws.send("x")
        await ws.recv()
        stopping = asyncio.create_task(running.server.stop(0))
        with pytest.raises(ConnectionClosed) as found:
            await ws.recv()
        assert found.value.rcvd is not None
        assert found.value.rcvd.code == 1012
        await stopping


async def test_half_close_reaches_the_other_side_which_may_still_send() -> None:
    async def last_words(request: Request) -> None:
        await request.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        heard = await request.reader.read()
        await request.send(b"you said " + heard)
        request.writer.close()

    upgrade = head("GET", "/ws", X_App="crm", Connection="Upgrade", Upgrade="websocket")
    async with (
        upstream(last_words) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        assert (await user.ask(upgrade)).status == 101
        await user.send("goodbye")
        user.writer.write_eof()
        assert await user.closed() == b"you said goodbye"


async def test_back_pressure_through_the_tunnel() -> None:
    sent = 0

    async def flood(request: Request) -> None:
        nonlocal sent
        await request.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        for _ in range(128):
            await request.send(bytes(1 << 20))
            sent += 1

    upgrade = head("GET", "/ws", X_App="crm", Connection="Upgrade", Upgrade="websocket")
    async with (
        upstream(flood) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        user.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await user.send(upgrade)
        await eventually(lambda: sent > 0, "the flood begins")
        last = -1
        while last != sent:
            last = sent
            await asyncio.sleep(0.3)
        assert sent < 64


@pytest.mark.parametrize(
    "raw",
    [
        head("POST", "/ws", X_App="crm", Connection="Upgrade", Upgrade="websocket", Content_Length="5")
        + "hello",
        head("GET", "/ws", X_App="crm", Connection="Upgrade", Upgrade="websocket", Content_Length="5")
        + "hello",
    ],
)
async def test_upgrade_with_a_body_is_refused(raw: str) -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        assert (await user.ask(raw, "POST")).status == 400
        assert await user.closed() == b""
        assert env.requests == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300) | st.sampled_from([65535, 65536]), st.booleans()), max_size=4),
    st.lists(st.integers(1, 20) | st.just(5000), min_size=2, max_size=10),
)
def test_frame_boundaries_are_found_however_bytes_are_cut(
    frames: list[tuple[int, bool]], cuts: list[int]
) -> None:
    boundary = FrameBoundary()
    for size, mask in frames:
        data = Frame(Opcode.BINARY, bytes(size)).serialize(mask=mask)
        at, turn = 0, 0
        while at < len(data):
            assert boundary.reached == (at == 0)
            step = cuts[turn % len(cuts)]
            boundary.feed(data[at : at + step])
            at, turn = at + step, turn + 1
        assert boundary.reached
