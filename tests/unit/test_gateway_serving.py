"""What the server answers itself: health, pages, assets, local apps, errors, held requests, its own end."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from proxy_kit import (
    KeySigner,
    Request,
    StaticRouter,
    client,
    eventually,
    forward,
    gateway,
    head,
    local_app,
    upstream,
)
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from atoll.errors import AppNotFound, AppNotReady, AtollError, DatabaseUnavailable, PortTaken
from atoll.gateway.edge import EdgeLimits
from atoll.gateway.server import HttpServer
from atoll.gateway.static import BuiltUi
from atoll.supervisor.identity import KeyPair, PublicKey, identity_proof
from atoll.supervisor.routing import Forward, Local, Starting, Unavailable
from atoll.web import UserInterface

pytestmark = pytest.mark.anyio
PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


def here(*apps: str) -> StaticRouter:
    return StaticRouter({app: Local(local_app, app) for app in apps})


@pytest.fixture
def ui(tmp_path: Path) -> BuiltUi:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-abc.js").write_text("console.log(1)")
    (tmp_path / "assets" / "index-abc.js.br").write_bytes(b"br variant")
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(b"gz variant")
    (tmp_path / "assets" / "index-abc.js.map").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    index = (
        '<!doctype html><head><script type="application/json" id="boot">{"app":"dev"}</script>'
        '<script type="module" src="./assets/index-abc.js"></script></head><body></body>'
    )
    return BuiltUi(UserInterface(build="b1", index=index, assets=tmp_path / "assets"))


# --- the server's own paths


async def test_liveness_readiness_and_draining() -> None:
    problem: str | None = None

    async def database() -> str | None:
        return problem

    async def redis() -> str | None:
        raise DatabaseUnavailable("Redis is away.")

    async with gateway(StaticRouter(), checks={"database": database}) as running, client(running) as user:
        answer = await user.get("/api/__ready")
        assert (answer.status, answer.json) == (
            200,
            {"status": "ready", "checks": {"database": {"ok": True}}},
        )
        problem = "not reachable"
        answer = await user.get("/api/__ready")
        assert answer.status == 503
        assert answer.json["checks"]["database"] == {"ok": False, "message": "not reachable"}
        answer = await user.get("/api/__health_check")
        assert (answer.status, answer.body, answer.header("content-type")) == (
            200,
            b"ok",
            "text/plain; charset=utf-8",
        )
        problem = None
        running.readiness.draining = True
        answer = await user.get("/api/__ready")
        assert (answer.status, answer.json["status"]) == (503, "draining")
    async with gateway(StaticRouter(), checks={"redis": redis}) as running, client(running) as user:
        assert (await user.get("/api/__ready")).json["checks"]["redis"]["message"] == "Redis is away."


async def test_health_of_one_app_follows_its_state() -> None:
    router = here("crm")
    router.routes["shop"] = Unavailable("shop", AppNotReady("stopped", code="APP_STOPPED"))
    async with gateway(router) as running, client(running) as user:
        assert (await user.get("/api/__app/crm/__health_check")).body == b"ok"
        answer = await user.get("/api/__app/shop/__health_check")
        assert (answer.status, answer.code) == (503, "APP_STOPPED")


async def test_an_instance_without_requests_answers_only_about_its_health(ui: BuiltUi) -> None:
    router = here("main", "crm")
    async with (
        upstream() as behind,
        gateway(router, ui=ui, serves_requests=False) as running,
        client(running) as user,
    ):
        router.routes.update(forward("elsewhere", behind))
        for path in ("/api/__health_check", "/api/__app/crm/__health_check", "/api/__ready"):
            assert (await user.get(path)).status == 200
        for path in ("/api/users:list", "/api/__app/crm/posts:list", "/api/__app/elsewhere/posts:list"):
            answer = await user.get(path)
            assert (answer.status, answer.code) == (503, "REQUESTS_NOT_SERVED")
        for path in ("/", "/apps/crm/admin", "/assets/index-abc.js"):
            answer = await user.get(path, accept=PAGE)
            assert answer.status == 503
            assert b"index-abc" not in answer.body
        with pytest.raises(InvalidStatus) as found:
            async with connect(f"ws://127.0.0.1:{running.port}/ws?__appName=crm"):
                pass
        assert found.value.response.status_code == 503
        assert behind.requests == []


async def test_identity_is_signed_and_belongs_to_environments_only() -> None:
    keys = KeyPair.generate()
    async with gateway(here("main"), signer=KeySigner("env_a", keys)) as running, client(running) as user:
        answer = (await user.get("/api/__identity?nonce=0123456789abcdef", X_App="crm")).json
        proof = identity_proof("0123456789abcdef", "env_a", answer["instance"], answer["challenge"])
        assert answer["environment"] == "env_a"
        assert PublicKey(keys.public).verify(proof, base64.b64decode(answer["signature"]))
        for query in (
            "",
            "?nonce=short",
            "?nonce=" + "a" * 300,
            "?nonce=0123456789abcdef&nonce=0123456789abcdef",
        ):
            assert (await user.get("/api/__identity" + query)).status == 400
    async with gateway(here("main")) as running, client(running) as user:
        assert (await user.get("/api/__identity?nonce=0123456789abcdef")).status == 404


# --- local apps


async def test_local_app_sees_its_own_path_and_the_true_client() -> None:
    async with (
        gateway(here("crm", "main"), trusted=["127.0.0.1", "10.0.0.0/8"]) as running,
        client(running) as user,
    ):
        answer = await user.get(
            "/api/__app/crm/a%2Fb%20c?x=%20", X_Forwarded_For="6.6.6.6, 7.7.7.7, 10.1.1.1",
            X_Forwarded_Proto="https",
            X_App="main", X_Environment="env", Proxy_Authorization="x", X_Request_Id="given-1",
        )  # fmt: skip
        seen = answer.json
        assert (seen["path"], seen["raw_path"], seen["query"]) == ("/api/a/b c", "/api/a%2Fb%20c", "x=%20")
        assert (seen["client"], seen["scheme"]) == ("7.7.7.7", "https")
        names = [name for name, _ in seen["headers"]]
        assert "x-forwarded-for" not in names
        assert "x-app" not in names
        assert ["x-request-id", "given-1"] in seen["headers"]
        assert answer.header("x-request-id") == "given-1"


async def test_local_app_is_not_told_lies_by_strangers() -> None:
    async with gateway(here("main")) as running, client(running) as user:
        answer = await user.get(
            "/api/x",
            X_Forwarded_For="6.6.6.6",
            X_Forwarded_Proto="https",
            X_Request_Id="mine",
            X_Forwarded_Host="evil",
        )
        assert (answer.json["client"], answer.json["scheme"]) == ("127.0.0.1", "http")
        assert "evil" not in str(answer.json["headers"])
        assert answer.header("x-request-id") not in (None, "mine")


async def test_local_post_and_local_websocket() -> None:
    async with gateway(here("crm")) as running, client(running) as user:
        answer = await user.ask(head("POST", "/api/x", X_App="crm", Content_Length="200000") + "a" * 200_000)
        assert len(answer.json["body"]) == 200_000
        async with connect(f"ws://127.0.0.1:{running.port}/ws?__appName=crm") as socket:
            await socket.send("hello")
            assert await socket.recv() == "/ws hello from 127.0.0.1"
        assert running.proxy.load.busy("crm") == 0


async def test_local_and_forwarded_requests_in_one_pipeline() -> None:
    async with upstream() as env:
        router = here("crm")
        router.routes.update(forward("shop", env))
        async with gateway(router) as running, client(running) as user:
            body = head("POST", "/api/1", X_App="crm", Content_Length="3") + "abc"
            await user.send(
                body + head("GET", "/api/2", X_App="shop") + body + head("GET", "/api/4", X_App="none")
            )
            assert (await user.answer("POST")).json["body"] == "abc"
            assert (await user.answer()).json["line"] == "GET /api/2 HTTP/1.1"
            assert (await user.answer("POST")).json["body"] == "abc"
            assert (await user.answer()).status == 404


# --- hosts


async def test_custom_domain_by_exact_host() -> None:
    """F54."""
    router = here("crm", "main")
    router.hosts["crm.example.com"] = "crm"
    async with upstream() as env:
        router.routes.update(forward("crm", env))
        async with gateway(router) as running, client(running) as user:
            for host in ("crm.example.com", "CRM.Example.com", "crm.example.com:8080", "crm.example.com."):
                answer = await user.get("/api/x", Host=host)
                assert ["x-app", "crm"] in answer.json["headers"]
                assert ["host", host] in answer.json["headers"]
            for host in ("x.crm.example.com", "crm.example.com.evil.test", "127.0.0.1", "[::1]:80"):
                assert "raw_path" in (await user.get("/api/x", Host=host)).json
            answer = await user.get("/api/x", X_Forwarded_Host="crm.example.com")
            assert "raw_path" in answer.json


async def test_unknown_hosts_are_404_when_the_known_ones_are_listed() -> None:
    router = here("crm", "main")
    router.hosts["crm.example.com"] = "crm"
    async with gateway(router, hosts=["entry.test"]) as running, client(running) as user:
        assert (await user.get("/api/x", Host="ENTRY.test:1")).status == 200
        assert (await user.get("/api/x", Host="crm.example.com")).status == 200
        answer = await user.get("/api/x", Host="other.test")
        assert (answer.status, answer.code) == (404, "HOST_UNKNOWN")


# --- the UI


def boot_of(page: bytes) -> dict[str, str]:
    found = re.search(rb'<script type="application/json" id="boot" nonce="[^"]+">(.*?)</script>', page)
    assert found is not None
    data: dict[str, str] = json.loads(found[1])
    return data


async def test_page_carries_boot_data_and_policy(ui: BuiltUi) -> None:
    async with gateway(here("crm", "main"), ui=ui) as running, client(running) as user:
        answer = await user.get("/apps/crm/admin/x?y=1", Accept=PAGE)
        assert answer.status == 200
        assert boot_of(answer.body) == {
            "app": "crm", "basePath": "/apps/crm", "api": "/api/__app/crm/", "ws": "/ws?__appName=crm",
            "build": "b1", "lang": "en-US", "title": "crm",
        }  # fmt: skip
        assert b'src="/_ui/b1/assets/index-abc.js"' in answer.body
        assert answer.header("cache-control") == "no-cache"
        nonce = re.search(rb'nonce="([^"]+)"', answer.body)
        assert nonce is not None
        assert f"'nonce-{nonce[1].decode()}'" in str(answer.header("content-security-policy"))
        for path in ("/", "/signin", "/admin/anything"):
            boot = boot_of((await user.get(path)).body)
            assert (boot["app"], boot["basePath"], boot["api"], boot["ws"]) == ("main", "", "/api/", "/ws")
        assert (await user.ask(head("HEAD", "/signin"))).body == b""
        assert (await user.ask(head("POST", "/signin"))).status == 405
        assert (await user.get("/favicon.ico")).status == 404


async def test_assets_are_immutable_and_precompressed(ui: BuiltUi) -> None:
    async with gateway(here("main"), ui=ui) as running, client(running) as user:
        answer = await user.get("/_ui/b1/assets/index-abc.js")
        assert (answer.body, answer.header("content-encoding")) == (b"console.log(1)", None)
        assert answer.header("cache-control") == "public, max-age=31536000, immutable"
        assert answer.header("content-type") == "text/javascript; charset=utf-8"
        etag = str(answer.header("etag"))
        for accepted, coding, body in (
            ("gzip, deflate, br", "br", b"br variant"),
            ("gzip", "gzip", b"gz variant"),
            ("br;q=0, gzip", "gzip", b"gz variant"),
        ):
            answer = await user.get("/_ui/b1/assets/index-abc.js", Accept_Encoding=accepted)
            assert (answer.header("content-encoding"), answer.body) == (coding, body)
        assert (await user.get("/_ui/b1/assets/index-abc.js", If_None_Match=etag)).status == 304
        assert (await user.get("/_ui/older/assets/index-abc.js")).status == 200
        for path in (
            "assets/other.js", "assets/../secret.txt", "secret.txt", "assets/%2e%2e/secret.txt", "assets/",
            "assets/index-abc.js.map", "assets/index-abc.js.br",
        ):  # fmt: skip
            assert (await user.get("/_ui/b1/" + path)).status == 404


# --- apps that do not run


def stopped(code: str, app: str = "crm", error: AtollError | None = None) -> Unavailable:
    retry = None if code in ("APP_STOPPED", "APP_NOT_FOUND") else 2.0
    return Unavailable(app, error or AppNotReady(f"application {app}: {code} <b>", code=code), retry)


@pytest.mark.parametrize(
    ("code", "status", "retry", "refreshes", "home"),
    [
        ("APP_PREPARING", 503, "2", True, False),
        ("APP_STOPPED", 503, None, False, True),
        ("APP_ERROR", 503, "2", True, False),
        ("ENVIRONMENT_UNAVAILABLE", 503, "2", True, False),
    ],
)
async def test_reasons_as_json_and_as_a_page(
    code: str, status: int, retry: str | None, refreshes: bool, home: bool
) -> None:
    router = StaticRouter({"crm": stopped(code)})
    async with gateway(router) as running, client(running) as user:
        answer = await user.get("/api/__app/crm/x", Accept="application/json")
        assert (answer.status, answer.header("retry-after")) == (status, retry)
        assert answer.json["error"] == {
            "code": code, "status": status, "maintaining": True, "message": f"application crm: {code} <b>",
        }  # fmt: skip
        assert answer.header("x-request-id")
        answer = await user.get("/apps/crm/admin", Accept=PAGE)
        assert (answer.status, answer.header("retry-after")) == (status, retry)
        page = answer.body.decode()
        assert 'lang="en-US"' in page
        assert code in page
        assert "<b>" not in page
        assert "<script" not in page
        assert ('http-equiv="refresh"' in page) == refreshes
        assert ('href="/"' in page) == home
        answer = await user.get("/apps/crm/admin", Accept=PAGE, Accept_Language="fr, zh-CN;q=0.8")
        assert 'lang="zh-CN"' in answer.body.decode()


async def test_the_ui_itself_shows_why_a_known_app_does_not_run(ui: BuiltUi) -> None:
    router = StaticRouter({"crm": stopped("APP_STOPPED")})
    async with gateway(router, ui=ui) as running, client(running) as user:
        answer = await user.get("/apps/crm/admin", Accept=PAGE)
        assert (answer.status, answer.header("cache-control")) == (503, "no-store")
        boot: Any = boot_of(answer.body)
        assert (boot["app"], boot["basePath"], boot["maintenance"]["code"]) == (
            "crm",
            "/apps/crm",
            "APP_STOPPED",
        )
        answer = await user.get("/apps/none/admin", Accept=PAGE)
        assert answer.status == 404
        assert b"Nothing here" in answer.body
        assert (await user.get("/api/__app/crm/x", Accept="application/json")).code == "APP_STOPPED"


async def test_unknown_app_as_a_page() -> None:
    async with gateway(StaticRouter()) as running, client(running) as user:
        answer = await user.get("/apps/none/admin", Accept=PAGE)
        assert answer.status == 404
        assert b"Nothing here" in answer.body
        assert answer.header("retry-after") is None


class Slow:
    """An app that starts when told to."""

    def __init__(self, outcome: Local | Forward | Unavailable) -> None:
        self.outcome = outcome
        self.ready = asyncio.Event()
        self.waiting = 0
        self.route = Starting("crm", self.wait)

    async def wait(self, seconds: float) -> Local | Forward | Unavailable:
        self.waiting += 1
        try:
            await asyncio.wait_for(self.ready.wait(), seconds)
        except TimeoutError:
            return stopped("APP_INITIALIZING")
        return self.outcome


@pytest.mark.parametrize("where", ["local", "forwarded"])
async def test_requests_are_held_until_the_app_runs_and_no_body_is_lost(where: str) -> None:
    """F57."""
    async with upstream() as env:
        slow = Slow(Local(local_app, "crm") if where == "local" else Forward("crm", (env.target,)))
        router = StaticRouter({"crm": slow.route})
        async with gateway(router) as running, client(running) as user, client(running) as large:
            await user.send(head("GET", "/api/__app/crm/x"))
            size = 500_000
            await large.send(head("POST", "/api/__app/crm/x", Content_Length=str(size)))
            upload = asyncio.create_task(large.send("a" * size))
            await eventually(lambda: slow.waiting == 2, "both wait")
            slow.ready.set()
            assert (await user.answer()).status == 200
            await upload
            assert len((await large.answer("POST")).json["body"]) == size


async def test_start_that_takes_too_long_or_fails() -> None:
    """F57: 503 with code and Retry-After for APIs, the waiting page for people; never a plain 502."""
    slow = Slow(stopped("APP_ERROR", error=AppNotReady("the database is away", code="APP_ERROR")))
    router = StaticRouter({"crm": slow.route})
    limits = EdgeLimits(hold=0.2, hold_page=0.1)
    async with gateway(router, limits=limits) as running, client(running) as user:
        answer = await user.ask(head("POST", "/api/__app/crm/x", Content_Length="3") + "abc")
        assert (answer.status, answer.code, answer.header("retry-after")) == (503, "APP_INITIALIZING", "2")
        answer = await user.get("/apps/crm/admin", Accept=PAGE)
        assert answer.status == 503
        assert b"is starting" in answer.body
        assert b"http-equiv" in answer.body
        slow.ready.set()
        answer = await user.get("/api/__app/crm/x")
        assert (answer.status, answer.code) == (503, "APP_ERROR")


async def test_a_held_client_that_leaves_is_forgotten() -> None:
    slow = Slow(Local(local_app, "crm"))
    async with gateway(StaticRouter({"crm": slow.route})) as running:
        async with client(running) as user:
            await user.send(head("GET", "/api/__app/crm/x"))
            await eventually(lambda: slow.waiting == 1, "it waits")
        await eventually(lambda: running.server.connections == 0, "it is gone")


async def test_websocket_to_a_starting_app_hears_of_it_and_is_sent_back() -> None:
    """F57."""
    slow = Slow(Local(local_app, "crm"))
    async with (
        gateway(StaticRouter({"crm": slow.route})) as running,
        connect(f"ws://127.0.0.1:{running.port}/ws?__appName=crm") as socket,
    ):
        message = json.loads(await socket.recv())
        assert message["type"] == "maintaining"
        assert message["payload"]["code"] == "APP_STARTING"
        assert message["payload"]["maintaining"] is True
        slow.ready.set()
        message = json.loads(await socket.recv())
        assert (message["payload"]["code"], message["payload"]["maintaining"]) == ("APP_RUNNING", False)
        with pytest.raises(ConnectionClosed) as found:
            await socket.recv()
        assert found.value.rcvd is not None
        assert found.value.rcvd.code == 1012


@pytest.mark.parametrize(("code", "app"), [("APP_STOPPED", "crm"), ("APP_NOT_FOUND", "none")])
async def test_websocket_to_an_app_that_will_not_run(code: str, app: str) -> None:
    async with (
        gateway(StaticRouter({"crm": stopped("APP_STOPPED")})) as running,
        connect(f"ws://127.0.0.1:{running.port}/ws?__appName={app}") as socket,
    ):
        assert json.loads(await socket.recv())["payload"]["code"] == code
        with pytest.raises(ConnectionClosed) as found:
            await socket.recv()
        assert found.value.rcvd is not None
        assert found.value.rcvd.code == 1013


async def test_websocket_follows_changes_of_state() -> None:
    router = StaticRouter({"crm": stopped("ENVIRONMENT_UNAVAILABLE")})
    async with (
        gateway(router) as running,
        connect(f"ws://127.0.0.1:{running.port}/ws?__appName=crm") as socket,
    ):
        assert json.loads(await socket.recv())["payload"]["code"] == "ENVIRONMENT_UNAVAILABLE"
        router.routes["crm"] = stopped("APP_PREPARING")
        assert json.loads(await socket.recv())["payload"]["code"] == "APP_PREPARING"
        router.routes["crm"] = Local(local_app, "crm")
        assert json.loads(await socket.recv())["payload"]["code"] == "APP_RUNNING"


async def test_an_app_that_fails_while_it_is_being_looked_up_is_an_error_not_a_hang() -> None:
    class Broken(StaticRouter):
        def route(self, app: str, environment: str | None) -> Unavailable:
            raise AppNotFound("gone meanwhile")

    async with gateway(Broken()) as running, client(running) as user:
        answer = await user.get("/api/__app/crm/x")
        assert (answer.status, answer.code) == (404, "APP_NOT_FOUND")


# --- listening and stopping


async def test_a_port_in_use_is_said_so() -> None:
    async with gateway(StaticRouter()) as running:
        other = HttpServer(
            host="127.0.0.1",
            port=running.port,
            edge=running.edge,
            gateway=running.gateway,
            readiness=running.readiness,
        )
        with pytest.raises(PortTaken, match=f"Port {running.port} is in use"):
            other.bind()


async def test_stop_finishes_what_is_under_way_and_takes_nothing_new() -> None:
    """F60."""
    go = asyncio.Event()

    async def handler(request: Request) -> None:
        await go.wait()
        await request.answer(b"done")

    async def local(scope: Any, receive: Any, send: Any) -> None:
        await go.wait()
        await local_app(scope, receive, send)

    async with upstream(handler) as env:
        router = StaticRouter({**forward("crm", env), "main": Local(local, "main")})
        async with (
            gateway(router) as running,
            client(running) as near,
            client(running) as far,
            client(running) as idle,
        ):
            assert (await idle.get("/api/__health_check")).body == b"ok"
            await far.send(head("GET", "/api/__app/crm/x"))
            await near.send(head("GET", "/api/x"))
            await eventually(lambda: len(env.requests) == 1, "one is under way")
            stopping = asyncio.create_task(running.server.stop(10))
            assert await idle.closed() == b""
            assert running.readiness.draining
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", running.port)
            go.set()
            for user in (far, near):
                answer = await user.answer()
                assert (answer.status, answer.header("connection")) == (200, "close")
            await asyncio.wait_for(stopping, 4)
            assert running.server.connections == 0


async def test_stop_has_a_limit_and_a_second_stop_is_quick() -> None:
    """F60: an event stream that never ends."""

    async def endless(request: Request) -> None:
        await request.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await request.reader.read()

    async with upstream(endless) as env:
        for grace, again in ((0.2, False), (60.0, True)):
            async with gateway(StaticRouter(forward("crm", env))) as running, client(running) as user:
                await user.send(head("GET", "/api/__app/crm/x"))
                await user.reader.readuntil(b"1\r\na\r\n")
                stopping = asyncio.create_task(running.server.stop(grace))
                if again:
                    await eventually(lambda: running.readiness.draining, "the stop has begun")
                    await running.server.stop(grace)
                await asyncio.wait_for(stopping, 4)
                assert not (await user.closed()).endswith(b"0\r\n\r\n")
