"""A raw upstream, a raw client and a real server between them, for the tests of gateway and proxy."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import h11

from atoll.errors import AppNotFound
from atoll.gateway.asgi import Gateway
from atoll.gateway.decision import Switchboard
from atoll.gateway.edge import Edge, EdgeLimits
from atoll.gateway.readiness import Check, Readiness
from atoll.gateway.server import HttpServer
from atoll.gateway.static import BuiltUi
from atoll.supervisor.access_proxy import AccessProxy
from atoll.supervisor.identity import KeyPair, PublicKey
from atoll.supervisor.proxy_identity import Prover, Signer, identity_answer
from atoll.supervisor.proxy_limits import AppLoad, ProxyLimits
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import (
    Address,
    Forward,
    Identity,
    Route,
    Router,
    Target,
    Unavailable,
    normal_host,
)
from atoll.supervisor.traffic import Traffic

PATIENCE = 4.0


async def eventually(reached: Callable[[], bool], what: str) -> None:
    """Polls until `reached()`; fails after a deadline."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not reached():
        assert asyncio.get_running_loop().time() < end, f"never happened: {what}"
        await asyncio.sleep(0.01)


class KeySigner(Signer):
    """Signs with a key pair."""

    def __init__(self, environment: str, keys: KeyPair, supervisor: KeyPair | None = None) -> None:
        self.environment = environment
        self.instance = f"{environment}-1"
        self.keys = keys
        self.supervisor = supervisor
        self.asked: list[bytes] = []

    def sign(self, data: bytes) -> bytes:
        return self.keys.sign(data)

    def believes(self, data: bytes, proof: bytes) -> bool:
        self.asked.append(data)
        return self.supervisor is not None and PublicKey(self.supervisor.public).verify(data, proof)


class KeyProver(Prover):
    """Proves with a key pair."""

    def __init__(self, keys: KeyPair) -> None:
        self.keys = keys

    def prove(self, data: bytes) -> bytes:
        return self.keys.sign(data)


@dataclass
class Request:
    """A request as the upstream saw it; `raw` is the head, byte for byte."""

    raw: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def line(self) -> bytes:
        return self.raw.split(b"\r\n", 1)[0]

    @property
    def target(self) -> bytes:
        return self.line.split(b" ")[1]

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.raw.decode("latin-1").split("\r\n")[1:]
        pairs = [line.split(":", 1) for line in lines if line]
        return [(name.strip().lower(), value.strip()) for name, value in pairs]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        found = self.values(name)
        return found[0] if found else None

    async def body(self) -> bytes:
        if self.header("transfer-encoding"):
            return b"".join([piece async for piece in self.chunks()])
        return await self.reader.readexactly(int(self.header("content-length") or 0))

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readline(), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readline()
        self.trailers = b""
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            self.trailers += line

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"", status: str = "200 OK", headers: Sequence[str] = ()) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        await self.send(
            "\r\n".join(lines).encode("latin-1")
            + b"\r\n\r\n"
            + (b"" if self.raw.startswith(b"HEAD ") else body)
        )


Handler = Callable[[Request], Awaitable[None]]


async def describe(request: Request) -> None:
    """Answers what arrived."""
    body = await request.body()
    seen = {
        "line": request.line.decode("latin-1"),
        "headers": request.headers,
        "body": body.decode("latin-1"),
    }
    await request.answer(json.dumps(seen).encode(), headers=["Content-Type: application/json"])


@dataclass
class Upstream:
    """A server on a socket whose answers a test writes byte for byte. It proves its identity by itself."""

    name: str = "env_a"
    handler: Handler = describe
    keys: KeyPair = field(default_factory=KeyPair.generate)
    proves: bool = True
    connections: int = 0
    open: int = 0
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    async def start(self, port: int = 0) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def target(self) -> Target:
        return Target(
            self.name, Address("http", "127.0.0.1", self.port), Identity(self.keys.public, f"{self.name}-1")
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        self.open += 1
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                request = Request(raw, reader, writer)
                if request.target.startswith(b"/api/__identity?") and self.proves:
                    nonce = parse_qs(request.target.decode().partition("?")[2])["nonce"][0]
                    await request.answer(
                        json.dumps(
                            identity_answer(KeySigner(self.name, self.keys), nonce, "no proof wanted")
                        ).encode()
                    )
                    continue
                self.requests.append(request)
                await self.handler(request)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()


@asynccontextmanager
async def upstream(
    handler: Handler = describe, name: str = "env_a", **options: Any
) -> AsyncIterator[Upstream]:
    server = Upstream(name, handler, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


class StaticRouter(Router):
    """Routes a test sets by hand."""

    def __init__(
        self, routes: Mapping[str, Route] | None = None, hosts: Mapping[str, str] | None = None
    ) -> None:
        self.routes = dict(routes or {})
        self.hosts = dict(hosts or {})
        self.reports: list[tuple[str, Exception | None]] = []
        self.asked: list[tuple[str, str | None]] = []

    def route(self, app: str, environment: str | None) -> Route:
        self.asked.append((app, environment))
        found = self.routes.get(app)
        if found is None:
            return Unavailable(app, AppNotFound(f"There is no app {app}."))
        if isinstance(found, Forward) and environment is not None:
            chosen = tuple(target for target in found.targets if target.environment == environment)
            return Forward(app, chosen, pinned=True)
        return found

    def app_by_host(self, host: str) -> str | None:
        return self.hosts.get(normal_host(host))

    def report(self, target: Target, failure: Exception | None) -> None:
        self.reports.append((target.environment, failure))


async def body_of(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body = b""
    while True:
        message = await receive()
        assert message["type"] == "http.request", message
        body += bytes(message["body"])
        if not message["more_body"]:
            return body


async def local_app(scope: Any, receive: Any, send: Any) -> None:
    """Tells what it sees."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send(
                {
                    "type": "websocket.send",
                    "text": f"{scope['path']} {message['text']} from {scope['client'][0]}",
                }
            )
        return
    seen = {
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode(),
        "query": scope["query_string"].decode(),
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        "body": (await body_of(receive)).decode(),
    }
    data = json.dumps(seen).encode()
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(data))]}
    )
    await send({"type": "http.response.body", "body": data})


@dataclass
class Running:
    server: HttpServer
    proxy: AccessProxy
    router: Any
    edge: Edge
    gateway: Gateway
    readiness: Readiness

    @property
    def port(self) -> int:
        return self.server.port


@asynccontextmanager
async def gateway(
    router: Router,
    *,
    limits: EdgeLimits | None = None,
    proxy_limits: ProxyLimits | None = None,
    trusted: Sequence[str] = (),
    hosts: Sequence[str] = (),
    signer: Signer | None = None,
    prover: Prover | None = None,
    traffic: Traffic | None = None,
    ui: BuiltUi | None = None,
    checks: Mapping[str, Check] | None = None,
    serves_requests: bool = True,
) -> AsyncIterator[Running]:
    """A real server on a free port."""
    switchboard = Switchboard(router, TrustedProxies(trusted), hosts, serves_requests=serves_requests)
    proxy_limits = proxy_limits or ProxyLimits()
    load = AppLoad(proxy_limits.per_app)
    proxy = AccessProxy(router, proxy_limits, load, prover)
    readiness = Readiness(checks or {})
    edge = Edge(switchboard, proxy, limits or EdgeLimits(), signer)
    app = Gateway(switchboard, load=load, readiness=readiness, ui=ui, signer=signer, traffic=traffic)
    server = HttpServer(host="127.0.0.1", port=0, edge=edge, gateway=app, readiness=readiness)
    server.bind()
    await server.start()
    try:
        yield Running(server, proxy, router, edge, app, readiness)
    finally:
        await server.stop(0)


@dataclass
class Answer:
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes
    informational: list[int]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def header(self, name: str) -> str | None:
        found = self.values(name)
        return found[0] if found else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Client:
    """A connection that sends what it is told, byte for byte, and reads answers by h11."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes | str) -> None:
        self.writer.write(data.encode("latin-1") if isinstance(data, str) else data)
        await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        """The next answer; what follows it stays unread."""
        async with asyncio.timeout(PATIENCE):
            return await self._answer(method)

    async def _answer(self, method: str) -> Answer:
        parser = h11.Connection(h11.CLIENT)
        offer = [("connection", "upgrade"), ("upgrade", "websocket")] if method == "GET" else []
        parser.send(h11.Request(method=method, target="/", headers=[("host", "x"), *offer]))
        parser.send(h11.EndOfMessage())
        informational: list[int] = []
        head: Any = None
        body = b""
        left = 0
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                # byte by byte where the end is unknown, so that nothing of the next answer is swallowed
                data = await self.reader.read(max(1, left))
                left -= len(data) if left else 0
                parser.receive_data(data)
            elif isinstance(event, h11.InformationalResponse):
                informational.append(event.status_code)
                if event.status_code == 101:
                    head = event
                    break
            elif isinstance(event, h11.Response):
                head = event
                left = int(dict(event.headers).get(b"content-length", 0)) if method != "HEAD" else 0
                left = 0 if event.status_code in (204, 304) else left
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
        headers = [(name.decode().lower(), value.decode("latin-1")) for name, value in head.headers]
        return Answer(head.status_code, head.reason.decode(), headers, body, informational)

    async def ask(self, request: bytes | str, method: str | None = None) -> Answer:
        await self.send(request)
        text = request if isinstance(request, str) else request.decode("latin-1")
        return await self.answer(method or text.split(" ", 1)[0])

    async def get(self, target: str, **headers: str) -> Answer:
        return await self.ask(head("GET", target, **headers))

    async def closed(self) -> bytes:
        """What still comes until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


def head(method: str, target: str, **headers: str) -> str:
    """A request head; underscores in names become dashes."""
    lines = [f"{method} {target} HTTP/1.1"]
    given = {re.sub("_", "-", name): value for name, value in headers.items()}
    given.setdefault("Host", "entry.test")
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in given.items())]) + "\r\n\r\n"


@asynccontextmanager
async def client(running: Running | int) -> AsyncIterator[Client]:
    port = running if isinstance(running, int) else running.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


def forward(app: str, *servers: Upstream) -> dict[str, Route]:
    return {app: Forward(app, tuple(server.target for server in servers))}
