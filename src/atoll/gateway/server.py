"""The HTTP server of one process: listens, serves, and stops without losing what is under way."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import socket
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.server import ServerState

from atoll.gateway import listeners
from atoll.gateway.asgi import Gateway
from atoll.gateway.edge import Edge
from atoll.gateway.protocol import GatewayProtocol
from atoll.gateway.readiness import Readiness
from atoll.gateway.shares import Shares
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
TICK = 0.5
GOODBYE = 2.0
LINGER = 0.5
GIVE_WAY = 0.002
TAKE_AGAIN = 1.0
SPARE_FILES = 128


@dataclass(frozen=True)
class Seat:
    """What a process shares with the others of its address.

    Args:
        place: its number, from 1.
        listeners: listening sockets.
    """

    place: int
    listeners: list[socket.socket]
    shares: Shares

    def note(self, connections: int) -> None:
        """Tells the others how many connections this process has."""
        self.shares.note(self.place, connections)

    def ahead(self) -> bool:
        """Whether this process has clearly more connections than another one."""
        return self.shares.ahead(self.place)


class HttpServer:
    """Serves a `Gateway` and an access proxy on one address. Signals are the caller's business.

    Args:
        host, port: where to listen; port 0 takes a free one (see `port` after `bind`).
        edge: what connections share.
        gateway: answers what is not forwarded.
        readiness: told when the server drains.
        seat: what it shares with other processes of its address; None listens alone on `host` and `port`.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        edge: Edge,
        gateway: Gateway,
        readiness: Readiness,
        seat: Seat | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self._edge = edge
        self._readiness = readiness
        self._seat = seat
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
        self._sockets = (
            list(self._seat.listeners) if self._seat is not None else listeners.listen(self.host, self.port)
        )
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
            if self._seat is not None:
                loop.add_reader(listener, self._take_one, listener, self._seat)
                continue
            server = await loop.create_server(self._connection, sock=listener, backlog=listeners.BACKLOG)
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
        if self._seat is not None:
            for listener in self._sockets:
                asyncio.get_running_loop().remove_reader(listener)
        listeners.close(self._sockets)
        for connection in self._requests():
            if connection.serving is not None:
                connection.shutdown()
        # Other instances go on: clients that are about to use an idle connection must not find it closed. It
        # is answered once more, with the word that it ends.
        await self._until(lambda: not self._busy(), min(LINGER, grace))
        for connection in self._requests():
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

    def _take_one(self, listener: socket.socket, seat: Seat) -> None:
        """Takes one connection, after a moment in which processes with fewer may take it.

        Event loops usually take all connections that wait: the process that wakes first has most of them.
        """
        seat.note(len(self._state.connections))
        if seat.ahead():
            self._pause(listener, seat, GIVE_WAY)
        else:
            self._accept(listener, seat)

    def _accept(self, listener: socket.socket, seat: Seat) -> None:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            log.error("connections cannot be taken for a second", extra={"reason": str(error)})
            self._pause(listener, seat, TAKE_AGAIN)
            return
        connection.setblocking(False)
        seat.note(len(self._state.connections) + 1)
        _ = self._tasks.spawn("connection", self._take_over(connection))

    def _pause(self, listener: socket.socket, seat: Seat, seconds: float) -> None:
        """Takes no connection for a while, then one that waits still."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)

        def go_on() -> None:
            if listener in self._sockets:
                loop.add_reader(listener, self._take_one, listener, seat)
                self._accept(listener, seat)

        loop.call_later(seconds, go_on)

    async def _take_over(self, connection: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, connection)
        except OSError:
            connection.close()  # the client was gone before it was served

    def _requests(self) -> list[GatewayProtocol]:
        return [entry for entry in self._state.connections if isinstance(entry, GatewayProtocol)]

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
        if self._seat is not None and not self._stopping.is_set():
            self._seat.note(len(self._state.connections))
        now = asyncio.get_running_loop().time()
        for connection in tuple(self._state.connections):
            if isinstance(connection, GatewayProtocol):
                connection.check(now)
        await asyncio.sleep(TICK)

    def _date(self) -> None:
        self._state.default_headers[:] = [(b"date", formatdate(usegmt=True).encode("ascii"))]


def settle_memory() -> None:
    """Takes what was made until now out of the garbage collector's rounds, and makes those rounds rarer.

    Code and start-up objects stay for the life of the process, and a request leaves no cycles behind. Without
    this, looking through all of them again and again took a quarter of the time of a busy proxy.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
