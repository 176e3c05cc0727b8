"""What the proxy does when upstreams refuse, lie, die or dawdle, and when clients leave or crawl."""

from __future__ import annotations

import asyncio
import resource

import psutil
import pytest
from proxy_kit import (
    Client,
    Handler,
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

from atoll.gateway.edge import EdgeLimits
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.proxy_limits import ProxyLimits
from atoll.supervisor.routing import Address, Forward, Identity, Target

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def nobody(name: str = "env_x") -> Target:
    """A target whose port refuses connections."""
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return Target(name, Address("http", "127.0.0.1", port), Identity(KeyPair.generate().public, "x"))


async def after_one_answer(user: Client) -> None:
    """Leaves one kept connection to the upstream behind."""
    assert (await user.get("/api/__app/crm/first")).status == 200


async def test_an_address_taken_over_by_another_environment_is_never_used() -> None:
    """F46: the process at the address signs with another key, or says another name."""
    async with upstream(name="env_a") as imposter, upstream(name="env_b") as renamed:
        stale = Target("env_a", imposter.target.address, Identity(KeyPair.generate().public, "env_a-1"))
        wrong_name = Target("env_a", renamed.target.address, renamed.target.identity)
        router = StaticRouter({"crm": Forward("crm", (stale,)), "shop": Forward("shop", (wrong_name,))})
        async with gateway(router) as running, client(running) as user:
            for app in ("crm", "shop"):
                answer = await user.get(f"/api/__app/{app}/x")
                assert (answer.status, answer.code) == (503, "ENVIRONMENT_UNAVAILABLE")
                assert answer.header("retry-after") == "1"
        assert imposter.requests == renamed.requests == []
        assert [name for name, failure in router.reports if failure is not None] == ["env_a", "env_a"]


async def test_a_restarted_upstream_at_the_same_port_is_proven_again() -> None:
    """F46: a kept connection ends with its process; the next one is checked before it is used."""
    async with upstream() as env:
        router = StaticRouter(forward("crm", env))
        async with gateway(router) as running, client(running) as user:
            await after_one_answer(user)
            await env.stop()
            env.keys = KeyPair.generate()
            await env.start(env.port)
            answer = await user.get("/api/__app/crm/second")
            assert (answer.status, answer.code) == (503, "ENVIRONMENT_UNAVAILABLE")
            assert len(env.requests) == 1


async def test_something_that_cannot_prove_itself_is_not_used() -> None:
    async with (
        upstream(proves=False) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        assert (await user.get("/api/__app/crm/x")).code == "ENVIRONMENT_UNAVAILABLE"


async def test_refused_connections_are_retried_elsewhere_if_that_is_safe() -> None:
    """F58."""
    async with upstream(name="env_b") as env:
        gone = await nobody("env_a")
        router = StaticRouter({"crm": Forward("crm", (gone, env.target))})
        async with gateway(router) as running, client(running) as user:
            for method in ("GET", "DELETE"):
                assert (await user.ask(head(method, "/api/x", X_App="crm"))).status == 200
            answer = await user.ask(head("PUT", "/api/x", X_App="crm", Content_Length="2") + "ab")
            assert answer.json["body"] == "ab"
            answer = await user.ask(head("POST", "/api/x", X_App="crm", Content_Length="2") + "ab")
            assert (answer.status, answer.code) == (503, "ENVIRONMENT_UNAVAILABLE")
            assert (await user.ask(head("POST", "/api/x", X_App="crm"))).status == 200
        assert ("env_a", None) not in router.reports
        assert ("env_b", None) in router.reports


async def test_an_environment_asked_for_by_name_is_not_replaced_by_another() -> None:
    async with upstream(name="env_b") as env:
        router = StaticRouter({"crm": Forward("crm", (await nobody("env_a"), env.target))})
        async with gateway(router) as running, client(running) as user:
            assert (await user.get("/api/__app/crm/x?__env=env_a")).code == "ENVIRONMENT_UNAVAILABLE"
            assert (await user.get("/api/__app/crm/x?__env=env_b")).status == 200
            assert (await user.get("/api/__app/crm/x", X_Environment="env_b")).header("set-cookie") is None


async def test_a_kept_connection_that_ended_is_replaced_for_idempotent_requests_only() -> None:
    """F58: whether the upstream took a POST before it closed cannot be known, so it is not sent again."""

    async def once(request: Request) -> None:
        if request.target.endswith(b"first"):
            await request.answer()
        else:
            request.writer.transport.abort()

    for method, body, replayed in (
        ("GET", "", True),
        ("PUT", "ab", True),
        ("POST", "ab", False),
        ("POST", "", False),
    ):
        async with (
            upstream(once) as env,
            gateway(StaticRouter(forward("crm", env))) as running,
            client(running) as user,
        ):
            await after_one_answer(user)
            answer = await user.ask(head(method, "/api/x", X_App="crm", Content_Length=str(len(body))) + body)
            assert (answer.status, answer.code) == (503, "UPSTREAM_CLOSED")
            assert len(env.requests) == (3 if replayed else 2)


async def test_idempotent_request_succeeds_when_the_upstream_had_just_closed() -> None:
    closing = 0

    async def handler(request: Request) -> None:
        nonlocal closing
        if request.target.endswith(b"second") and closing == 0:
            closing += 1
            request.writer.transport.abort()
            return
        await describe(request)

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        await after_one_answer(user)
        answer = await user.ask(head("PUT", "/api/__app/crm/second", Content_Length="3") + "abc")
        assert answer.json["body"] == "abc"


async def test_an_answer_that_breaks_off_breaks_off_for_the_client() -> None:
    async def handler(request: Request) -> None:
        kind = request.target.rpartition(b"/")[2]
        framing = b"Content-Length: 10" if kind == b"length" else b"Transfer-Encoding: chunked"
        await request.send(
            b"HTTP/1.1 200 OK\r\n"
            + framing
            + b"\r\n\r\n"
            + (b"abc" if kind == b"length" else b"3\r\nabc\r\n")
        )
        request.writer.transport.abort() if kind == b"reset" else request.writer.close()

    async with upstream(handler) as env, gateway(StaticRouter(forward("crm", env))) as running:
        for kind in ("length", "chunks", "reset"):
            async with client(running) as user:
                await user.send(head("GET", f"/api/__app/crm/{kind}"))
                whole = await user.closed()
                assert b"abc" in whole
                assert not whole.endswith(b"0\r\n\r\n")
        assert len(env.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n",
    ],
)
async def test_nonsense_from_the_upstream_is_502_with_a_code(answer: bytes) -> None:
    async def handler(request: Request) -> None:
        await request.send(answer)
        await request.reader.read()

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        found = await user.get("/api/__app/crm/x")
        assert (found.status, found.code) == (502, "UPSTREAM_ANSWER_INVALID")
        await eventually(lambda: env.open == 0, "the connection is not kept")


async def test_more_than_one_answer_never_reaches_the_next_request() -> None:
    async def handler(request: Request) -> None:
        await request.answer(b"mine")
        await request.answer(b"stray")

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env))) as running,
        client(running) as user,
    ):
        for _ in range(3):
            assert (await user.get("/api/__app/crm/x")).body == b"mine"


async def test_separate_limits_for_first_byte_and_for_silence() -> None:
    """F59."""

    async def handler(request: Request) -> None:
        if request.target.endswith(b"stuck"):
            await request.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        await request.reader.read()

    limits = ProxyLimits(first_byte=0.2, idle=0.2)
    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward("crm", env)), proxy_limits=limits) as running,
    ):
        async with client(running) as user:
            answer = await user.get("/api/__app/crm/silent")
            assert (answer.status, answer.code) == (504, "UPSTREAM_TIMED_OUT")
            await user.send(head("GET", "/api/__app/crm/stuck"))
            assert (await user.closed()).endswith(b"abc")
        await eventually(lambda: env.open == 0, "connections of given-up requests end")


async def test_an_upstream_that_accepts_and_says_nothing_is_given_up() -> None:
    stuck: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda r, w: stuck.append(w), "127.0.0.1", 0)
    target = Target(
        "env_a", Address("http", "127.0.0.1", server.sockets[0].getsockname()[1]), Identity("x", "x")
    )
    router = StaticRouter({"crm": Forward("crm", (target,))})
    async with gateway(router, proxy_limits=ProxyLimits(connect=0.2)) as running, client(running) as user:
        assert (await user.get("/api/__app/crm/x")).code == "ENVIRONMENT_UNAVAILABLE"
    for writer in stuck:
        writer.close()
    server.close()


@pytest.mark.parametrize("moment", ["before the head", "in the upload", "in the stream", "while connecting"])
async def test_a_client_that_leaves_ends_the_work_upstream(moment: str) -> None:
    """F47."""
    reached = asyncio.Event()

    async def handler(request: Request) -> None:
        if moment == "in the stream":
            await request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        reached.set()
        await request.reader.read()

    async with (
        upstream(handler, proves=moment != "while connecting") as env,
        gateway(StaticRouter(forward("crm", env))) as running,
    ):
        async with client(running) as user:
            body = "abc" if moment == "in the upload" else ""
            length = "9" if body else "0"
            await user.send(head("POST", "/api/x", X_App="crm", Content_Length=length) + body)
            await asyncio.wait_for(reached.wait(), 4)
            if moment == "in the stream":
                await user.reader.readuntil(b"1\r\na\r\n")
        await eventually(lambda: env.open == 0, "the upstream hears of it")
        await eventually(lambda: running.proxy.running == 0, "nothing is left running")
        assert running.proxy.connections() == 0
        assert running.proxy.load.busy("crm") == 0


async def test_churn_leaves_nothing_behind() -> None:
    """F47, F48: clients that leave before the head, in the head, in a stream and in an upload, many times.

    Files and tasks are as many as before, but for the connections that the pool keeps.
    """

    async def handler(request: Request) -> None:
        if request.target.endswith(b"/silent"):
            await request.reader.read()  # until the connection ends
            return
        await request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            await asyncio.sleep(0)
            await request.send(b"1\r\na\r\n")
        await request.send(b"0\r\n\r\n")

    async def visit(port: int, number: int) -> None:
        async with client(port) as user:
            match number % 5:
                case 0:
                    await user.send("GET /api/__app/crm/x HTTP/1.1\r\nHos")
                case 1:
                    await user.send(head("GET", "/api/__app/crm/silent"))
                    await eventually(lambda: running.proxy.running > 0, "it is on its way")
                case 2:
                    await user.send(head("GET", "/api/__app/crm/x"))
                    await user.reader.readuntil(b"\r\n\r\n")
                case 3:
                    await user.send(head("POST", "/api/__app/crm/x", Content_Length="9") + "abc")
                case _:
                    await user.send(head("GET", "/api/__app/crm/x"))
                    await user.answer()

    async with upstream(handler) as env, gateway(StaticRouter(forward("crm", env))) as running:
        process = psutil.Process()
        seen: list[tuple[int, int]] = []
        for _ in range(25):
            await asyncio.gather(*(visit(running.port, number) for number in range(40)))
            await eventually(lambda: running.server.connections == 0, "clients are gone")
            await eventually(lambda: running.proxy.running == 0, "requests are gone")
            await eventually(lambda: env.open == running.proxy.connections(), "the upstream has heard of it")
            kept = running.proxy.connections()  # both ends of each are in this process
            seen.append((process.num_fds() - 2 * kept, len(asyncio.all_tasks()) - env.open))
        assert running.proxy.load.busy("crm") == 0
        files, tasks = seen[1]
        assert seen[-1][0] <= files + 2, seen
        assert seen[-1][1] <= tasks, seen
        assert not [c for c in process.net_connections("tcp") if c.status == "CLOSE_WAIT"]


async def test_one_app_at_its_limit_does_not_stop_the_others() -> None:
    """F59."""
    go = asyncio.Event()

    async def slow(request: Request) -> None:
        await go.wait()
        await request.answer()

    async with upstream(slow, "env_a") as busy, upstream(name="env_b") as free:
        router = StaticRouter({**forward("crm", busy), **forward("shop", free)})
        async with (
            gateway(router, proxy_limits=ProxyLimits(per_app=2)) as running,
            client(running) as one,
            client(running) as two,
            client(running) as three,
        ):
            for user in (one, two):
                await user.send(head("GET", "/api/__app/crm/x"))
            await eventually(lambda: len(busy.requests) == 2, "two at work")
            answer = await three.get("/api/__app/crm/x")
            assert (answer.status, answer.code) == (503, "APP_OVERLOADED")
            assert answer.header("retry-after") == "1"
            assert (await three.get("/api/__app/shop/x")).status == 200
            go.set()
            for user in (one, two):
                assert (await user.answer()).status == 200
            assert (await three.get("/api/__app/crm/x")).status == 200


async def test_slow_heads_slow_bodies_and_idle_connections_are_ended() -> None:
    """F59: slowloris in its three forms; a quick client beside them is served."""
    limits = EdgeLimits(head=0.3, body=0.3, idle=0.3)
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("crm", env)), limits=limits) as running,
        client(running) as silent,
        client(running) as crawling,
        client(running) as stalled,
        client(running) as idle,
    ):
        await crawling.send("GET /api/__app/crm/x HTTP/1.1\r\nHost: a\r\nX: ")
        await stalled.send(head("POST", "/api/x", X_App="crm", Content_Length="9") + "abc")
        assert (await idle.get("/api/__app/crm/x")).status == 200
        assert await silent.closed() == b""
        answer = await crawling.answer()
        assert (answer.status, answer.code) == (408, "REQUEST_TIMED_OUT")
        answer = await stalled.answer()
        assert (answer.status, answer.code) == (408, "REQUEST_TIMED_OUT")
        assert await idle.closed() == b""
        assert await crawling.closed() == await stalled.closed() == b""


async def test_a_client_that_takes_nothing_is_ended_and_others_are_served() -> None:
    """F59: the slow reader; what it does not take is not collected here."""

    async def endless(request: Request) -> None:
        if request.target.endswith(b"/quick"):
            await request.answer(b"here")
            return
        await request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await request.send(b"10000\r\n" + b"a" * 0x10000 + b"\r\n")

    limits = EdgeLimits(send=0.3)
    async with (
        upstream(endless) as env,
        gateway(StaticRouter(forward("crm", env)), limits=limits) as running,
        client(running) as lazy,
        client(running) as quick,
    ):
        await lazy.send(head("GET", "/api/__app/crm/endless"))
        await eventually(lambda: running.proxy.running == 1, "it is being answered")
        assert (await quick.get("/api/__app/crm/quick")).body == b"here"
        await eventually(lambda: running.proxy.running == 0, "the lazy one is ended")
        await eventually(lambda: env.open == running.proxy.connections(), "the upstream hears of it")
        assert (await quick.get("/api/__app/crm/quick")).body == b"here"


async def test_head_without_end_is_refused() -> None:
    async with gateway(StaticRouter()) as running, client(running) as user:
        await user.send("GET /api/x HTTP/1.1\r\nHost: a\r\n")
        for _ in range(40):
            await user.send("X-Filler: " + "a" * 2000 + "\r\n")
        answer = await user.answer()
        assert (answer.status, answer.code) == (431, "REQUEST_HEAD_TOO_LARGE")


async def test_connections_above_the_cap_are_told_so() -> None:
    limits = EdgeLimits(connections=3)
    async with gateway(StaticRouter(), limits=limits) as running:
        async with client(running) as a, client(running) as b, client(running) as c:
            for user in (a, b, c):
                assert (await user.get("/api/__health_check")).body == b"ok"
            async with client(running) as d:
                answer = await d.answer()
                assert (answer.status, answer.code) == (503, "SERVER_FULL")
            assert (await a.get("/api/__health_check")).body == b"ok"
        await eventually(lambda: running.server.connections == 0, "they are gone")
        async with client(running) as e:
            assert (await e.get("/api/__health_check")).body == b"ok"


@pytest.mark.slow
async def test_thousands_of_idle_sockets_harm_nobody() -> None:
    """F59: 10,000, or as many as may be open: both ends are in this process."""
    limits = EdgeLimits(head=120, idle=120)
    async with upstream() as env, gateway(StaticRouter(forward("crm", env)), limits=limits) as running:
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        number = min(10_000, running.edge.limits.connections, (most - 300) // 2) - 50
        assert number > 400, "too few open files are allowed to say anything"
        idle = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(number)]
        await eventually(lambda: running.server.connections == number, "all are open")
        async with client(running) as user:
            for _ in range(20):
                assert (await user.get("/api/__app/crm/x")).status == 200
        for _, writer in idle:
            writer.close()
        await eventually(lambda: running.server.connections == 0, "they are gone")


async def test_long_polling_stays_with_its_environment_and_moves_once_when_that_dies() -> None:
    """F56: each environment knows only the clients that asked it before, as servers of long polls do."""
    known: dict[str, set[str]] = {"env_a": set(), "env_b": set()}

    def polling(name: str) -> Handler:
        async def handler(request: Request) -> None:
            if request.target.endswith(b"/hello"):
                known[name].add("me")
                await request.answer(b"welcome")
            elif "me" not in known[name]:
                await request.answer(b"who are you?", status="400 Bad Request")
            elif request.target.endswith(b"/wait"):
                await request.reader.read()  # nothing to tell
            else:
                await request.answer(b"news")

        return handler

    async with upstream(polling("env_a"), "env_a") as a, upstream(polling("env_b"), "env_b") as b:
        router = StaticRouter({"crm": Forward("crm", (a.target, b.target))})
        async with gateway(router) as running:
            moves: list[str] = []

            async def ask(path: str) -> int:
                """As a browser does: on a connection of its own, with the newest cookie."""
                async with client(running) as user:
                    given = {"Cookie": f"atoll_env_crm={moves[-1]}"} if moves else {}
                    answer = await user.get(f"/api/__app/crm/{path}", **given)
                    moves.extend(line.split(";")[0].partition("=")[2] for line in answer.values("set-cookie"))
                    return answer.status

            assert await ask("hello") == 200
            first = moves[0]
            home, other = (a, b) if first == "env_a" else (b, a)
            router.routes["crm"] = Forward("crm", (other.target, home.target))  # without the cookie
            for _ in range(5):
                assert await ask("news") == 200
            assert moves == [first], "asked by its cookie, and told only once"
            waiting = asyncio.create_task(ask("wait"))
            await eventually(lambda: home.requests[-1].target.endswith(b"/wait"), "the poll is under way")
            await home.stop()
            assert await waiting in (400, 502), (
                "the poll that was under way ends with an error or on the other"
            )
            assert await ask("hello") == 200
            for _ in range(5):
                assert await ask("news") == 200
            assert moves == [first, other.name], "moved once, and stays"


async def test_affinity_keeps_a_browser_on_one_environment_and_fails_over_once() -> None:
    """F56."""
    async with upstream(name="env_a") as a, upstream(name="env_b") as b:
        router = StaticRouter({"crm": Forward("crm", (a.target, b.target))})
        async with gateway(router) as running, client(running) as user:
            answer = await user.get("/api/__app/crm/x")
            assert answer.values("set-cookie") == ["atoll_env_crm=env_a; Path=/; HttpOnly; SameSite=Lax"]
            answer = await user.get("/api/__app/crm/x", Cookie="atoll_env_crm=env_b; other=1")
            assert answer.header("set-cookie") is None
            assert b.requests[0].header("cookie") == "other=1"
            await b.stop()
            answer = await user.get("/api/__app/crm/x", Cookie="atoll_env_crm=env_b")
            assert answer.status == 200
            assert answer.values("set-cookie") == ["atoll_env_crm=env_a; Path=/; HttpOnly; SameSite=Lax"]


async def test_routes_change_under_a_connection_that_is_kept() -> None:
    """F45: what changes for one app does not touch requests of others on the same connection."""
    async with upstream(name="env_a") as a, upstream(name="env_b") as b:
        router = StaticRouter({**forward("one", a), **forward("two", a)})
        async with gateway(router) as running, client(running) as user:
            assert (await user.get("/api/__app/one/x")).status == 200
            router.routes.update(forward("two", b))
            assert (await user.get("/api/__app/two/x")).status == 200
            del router.routes["two"]
            assert (await user.get("/api/__app/two/x")).code == "APP_NOT_FOUND"
            assert (await user.get("/api/__app/one/x")).status == 200
            assert len(b.requests) == 1
