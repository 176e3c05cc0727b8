"""The HTTP server of one process: listens, serves, and stops without losing what is under way."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import resource
import socket
from email.utils import formatdate
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from atoll.errors import PortTaken
from atoll.gateway.asgi import Gateway
from atoll.gateway.edge import Edge
from atoll.gateway.protocol import GatewayProtocol
from atoll.gateway.readiness import Readiness
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
TICK = 0.5
GOODBYE = 2.0
SPARE_FILES = 128


class HttpServer:
    """Serves a `Gateway` and an access proxy on one address. Signals are the caller's business.

    Args:
        host, port: where to listen; port 0 takes a free one (see `port` after `bind`).
        edge: what connections share.
        gateway: answers what is not forwarded.
        readiness: told when the server drains.
    """

    def __init__(
        self, *, host: str, port: int, edge: Edge, gateway: Gateway, readiness: Readiness, backlog: int = 2048
    ) -> None:
        self.host = host
        self.port = port
        self._edge = edge
        self._readiness = readiness
        self._backlog = backlog
        self._config = Config(
            cast("Any", gateway),
            http=GatewayProtocol,
            ws="websockets-sansio",
            loop="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            forwarded_allow_ips="",
            server_header=False,
            workers=1,
            ws_max_size=1 << 20,
        )
        self._state = ServerState()
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._tasks = BackgroundTasks("http server")
        self._stopping: asyncio.Event = asyncio.Event()
        self._hurry: asyncio.Event = asyncio.Event()

    def bind(self) -> None:
        """Takes the address, so that a port in use is known before anything else is started.

        Raises:
            PortTaken: the address is in use, not allowed, or not an address of this machine.
        """
        try:
            found = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        except OSError as error:
            raise PortTaken(
                f"{self.host!r} is no address of this machine. Set APP_HOST.", detail=str(error)
            ) from error
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listener = socket.socket(family, kind, protocol)
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if self.port == 0 and self._sockets:
                address = (address[0], self._sockets[0].getsockname()[1], *address[2:])
            try:
                listener.bind(address)
                listener.listen(self._backlog)
            except OSError as error:
                listener.close()
                if error.errno == errno.EADDRNOTAVAIL and self._sockets:
                    continue  # a name that stands for several addresses, not all of them ours
                self._close_sockets()
                raise PortTaken(_bind_text(self.host, self.port, error), detail=str(error)) from error
            self._sockets.append(listener)
        self.port = self._sockets[0].getsockname()[1]

    async def start(self) -> None:
        """Starts to serve; binds first if that was not done."""
        if not self._sockets:
            self.bind()
        self._config.load()
        self._limit_connections()
        await self._edge.proxy.start()
        loop = asyncio.get_running_loop()
        self._date()
        for listener in self._sockets:
            server = await loop.create_server(self._connection, sock=listener, backlog=self._backlog)
            self._servers.append(server)
        self._watch = self._tasks.keep_running("clients", self._tick)
        settle_memory()

    async def stop(self, grace: float) -> None:
        """Not ready, no new connections, `grace` seconds for what is under way, then goodbye to sockets.

        Called again while it runs, the waiting ends at once.
        """
        if self._stopping.is_set():
            self._hurry.set()
            return
        self._stopping.set()
        self._readiness.draining = self._edge.draining = True
        for server in self._servers:
            server.close()
        self._close_sockets()
        requests = [entry for entry in self._state.connections if isinstance(entry, GatewayProtocol)]
        for connection in requests:
            connection.shutdown()
        await self._until(lambda: not self._busy(), grace)
        for entry in tuple(self._state.connections):
            try:
                entry.shutdown()
            except Exception:  # of a library's half-open socket; the others must still hear of the stop
                log.exception("a connection could not be ended in an orderly way")
        await self._until(lambda: not self._state.connections, 0 if self._hurry.is_set() else GOODBYE)
        for entry in tuple(self._state.connections):
            cast("Any", entry).transport.abort()
        for task in tuple(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        await self._edge.proxy.close()
        await self._tasks.cancel_all()

    @property
    def connections(self) -> int:
        """Open client connections, WebSockets included."""
        return len(self._state.connections)

    def _connection(self) -> GatewayProtocol:
        return GatewayProtocol(self._config, self._state, {}, asyncio.get_running_loop(), edge=self._edge)

    def _busy(self) -> bool:
        return any(isinstance(entry, GatewayProtocol) for entry in self._state.connections)

    async def _until(self, reached: Any, seconds: float) -> None:
        """Waits until `reached()`, at most `seconds`, or until there is reason to hurry."""
        end = asyncio.get_running_loop().time() + seconds
        while not reached() and not self._hurry.is_set():
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), min(left, 0.05))

    def _limit_connections(self) -> None:
        """Asks for as many open files as needed, and keeps some in reserve for databases and upstreams."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return
        wanted = self._edge.limits.connections * 2
        if soft < wanted:
            soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        most = max(16, soft * 3 // 4 - SPARE_FILES)
        if self._edge.limits.connections > most:
            log.warning(
                "fewer connections than configured, as few files may be open", extra={"connections": most}
            )
            self._edge.lower_connections(most)

    async def _tick(self) -> None:
        self._date()
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._state.connections):
            if isinstance(connection, GatewayProtocol):
                connection.check(now)
        await asyncio.sleep(TICK)

    def _date(self) -> None:
        self._state.default_headers[:] = [(b"date", formatdate(usegmt=True).encode("ascii"))]

    def _close_sockets(self) -> None:
        for listener in self._sockets:
            listener.close()
        self._sockets.clear()


def settle_memory() -> None:
    """Takes what was made until now out of the garbage collector's rounds, and makes those rounds rarer.

    Code and start-up objects stay for the life of the process, and a request leaves no cycles behind. Without
    this, looking through all of them again and again took a quarter of the time of a busy proxy.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _bind_text(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop it, or set APP_PORT to another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} needs more rights than this user has. Set APP_PORT to a port above 1023."
    return f"{host}:{port} is no address of this machine. Set APP_HOST."
