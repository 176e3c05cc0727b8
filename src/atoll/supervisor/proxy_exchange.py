"""One forwarded request: from the client's head to the last byte of the answer, streamed both ways."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from atoll.errors import (
    AtollError,
    EnvironmentUnavailable,
    UpstreamAnswerInvalid,
    UpstreamClosed,
    UpstreamTimedOut,
)
from atoll.supervisor.proxy_head import (
    IDEMPOTENT,
    AnswerHead,
    Header,
    Origin,
    RequestHead,
    answer_bytes,
    request_bytes,
    trailer_bytes,
)
from atoll.supervisor.proxy_limits import ProxyLimits
from atoll.supervisor.proxy_outbox import Outbox
from atoll.supervisor.proxy_pool import Pool
from atoll.supervisor.proxy_upstream import Reply, Upstream
from atoll.supervisor.routing import Target


class Client(Protocol):
    """The client's side of an exchange, as far as the proxy needs it. All calls come from the event loop."""

    def write(self, pieces: list[bytes]) -> None:
        """Sends bytes of the answer."""

    def hold_body(self) -> None:
        """Asks for no more of the body for now."""

    def resume_body(self) -> None:
        """Asks for more of the body."""

    def keeps_alive(self) -> bool:
        """Whether the client's connection may serve another request after this one."""

    def answered(self, *, keep_alive: bool) -> None:
        """The answer was written completely."""

    def refuse(self, error: AtollError, retry_after: float | None) -> None:
        """There is no answer, and none of it was written: the client is to get `error`."""

    def cut(self) -> None:
        """The answer broke off: the connection must end so that the client notices."""

    def end_socket(self, code: int) -> None:
        """Ends the socket that came out of the upgrade, with a WebSocket close code."""

    def upgraded(self, upstream: Upstream, rest: bytes) -> None:
        """The head of a 101 answer was written; from now on bytes flow freely. `rest` came after the head."""


class Order(Struct):
    """A request to be forwarded.

    Args:
        app, name: the app's name as text and as bytes.
        targets: who may serve it, in order of preference.
        prefix: path below which the browser sees the app, for X-Forwarded-Prefix.
        added: header lines for the answer (each with CRLF) for the target that serves it.
    """

    app: str
    name: bytes
    head: RequestHead
    origin: Origin
    targets: tuple[Target, ...]
    prefix: bytes
    request_id: bytes
    added: Callable[[Target], bytes] | None


class Exchange(Reply):
    """Moves one request and its answer. Made by `AccessProxy.forward`.

    What may be tried again: nothing of the request was sent (the connection was refused or its other end was
    not who it should be) and the request is idempotent or has no body; or an idempotent request met a kept
    connection that had ended meanwhile. Once, on another connection. Anything else is answered with an error
    and never sent twice.
    """

    __slots__ = (
        "_body",
        "_body_size",
        "_chunk_answer",
        "_client",
        "_close_after",
        "_connection",
        "_head_written",
        "_idempotent",
        "_is_socket",
        "_limits",
        "_loop",
        "_on_end",
        "_order",
        "_out",
        "_outbox",
        "_over",
        "_paused",
        "_pools",
        "_request_done",
        "_task",
        "_trailers",
        "_tries",
        "bodyless",
        "deadline",
        "upgradable",
    )

    def __init__(
        self,
        order: Order,
        client: Client,
        pools: Callable[[Target], Pool],
        limits: ProxyLimits,
        on_end: Callable[[Exchange], None],
        loop: asyncio.AbstractEventLoop,
        outbox: Outbox,
    ) -> None:
        self.bodyless = order.head.method == b"HEAD"
        self.upgradable = order.head.websocket
        self._idempotent = order.head.method in IDEMPOTENT
        self.deadline = math.inf
        self._order = order
        self._client = client
        self._pools = pools
        self._limits = limits
        self._on_end = on_end
        self._loop = loop
        self._outbox = outbox
        self._connection: Upstream | None = None
        self._task: asyncio.Task[None] | None = None
        self._body: list[bytes] | None = []  # what can still be sent again; None when it was let go
        self._body_size = 0
        self._trailers: list[Header] = []
        self._request_done = not order.head.has_body
        self._tries = 0
        self._out: list[bytes] = []
        self._is_socket = False
        self._head_written = self._chunk_answer = self._close_after = self._over = self._paused = False

    @property
    def app(self) -> str:
        """The app the request is for."""
        return self._order.app

    def start(self) -> None:
        """Sends the head on a kept connection at once, otherwise as soon as one is open."""
        connection = self._pools(self._order.targets[0]).take()
        if connection is None:
            self._open()
        else:
            self._send_on(connection)

    # --- from the client

    def body(self, data: bytes) -> None:
        """A piece of the request's body."""
        if self._over:
            return
        self._body_size += len(data)
        connection = self._connection
        if connection is not None:
            connection.transport.write(self._encoded(data))
            self.deadline = self._loop.time() + self._limits.first_byte
        if self._body is not None:
            self._body.append(data)
            if self._body_size > self._limits.replay:
                if connection is None:
                    self._client.hold_body()
                else:
                    self._body = None

    def finish(self, trailers: list[Header]) -> None:
        """The request's body is complete."""
        if self._over or self._request_done:
            return
        self._request_done = True
        self._trailers = trailers
        if self._connection is not None and self._order.head.chunked:
            self._connection.transport.write(trailer_bytes(trailers))

    def cancel(self) -> None:
        """The client is gone: the upstream hears of it by the end of its connection."""
        if not self._over:
            self._leave()

    def pause(self) -> None:
        """The client does not take more of the answer at the moment."""
        self._paused = True
        self.deadline = math.inf
        if self._connection is not None and not self._connection.transport.is_closing():
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        """The client takes more of the answer again."""
        self._paused = False
        self.deadline = self._loop.time() + self._limits.idle
        if self._connection is not None and not self._connection.transport.is_closing():
            self._connection.transport.resume_reading()

    def expired(self) -> None:
        """`deadline` has passed."""
        if self._over:
            return
        self._fail(
            UpstreamTimedOut(
                "The app took too long to answer. It may still be at work; look before you try again.",
                detail=f"{self._order.app} at {self._order.targets[0].address}",
            )
        )

    # --- from the upstream

    def informational(self, head: AnswerHead) -> None:
        """Passes 1xx answers on to clients who know them."""
        if self._order.head.modern:
            self._out += answer_bytes(head, app=self._order.name, added=b"")

    def head(self, head: AnswerHead) -> None:
        """Writes the head with the framing this client understands."""
        order = self._order
        self._head_written = True
        added = b"x-request-id: " + order.request_id + b"\r\n"
        connection = self._connection
        if order.added is not None and connection is not None:
            added += order.added(connection.pool.target)
        if head.status == 101:
            added += b"connection: Upgrade\r\nupgrade: websocket\r\n"
        else:
            keep_alive = self._client.keeps_alive()
            if head.chunked or not head.framed:
                if order.head.modern:
                    self._chunk_answer = True
                    added += b"transfer-encoding: chunked\r\n"
                else:
                    keep_alive = False
            if not keep_alive:
                self._close_after = True
                added += b"connection: close\r\n"
        self._out += answer_bytes(head, app=order.name, added=added)

    def piece(self, data: bytes) -> None:
        """Passes a piece of the body on."""
        if self._chunk_answer:
            self._out.extend((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            self._out.append(data)

    def flush(self) -> None:
        """Writes what came together in one go."""
        out = self._out
        if out:
            self._out = []
            self._client.write(out)
            if not self._paused:
                self.deadline = self._loop.time() + self._limits.idle

    def end(self, trailers: list[Header], *, reusable: bool) -> None:
        """The answer is complete: the connection goes back, the client goes on."""
        if self._chunk_answer:
            self._out.append(trailer_bytes(trailers))
        connection, self._connection = self._connection, None
        self._over = True
        if self._out:
            self._client.write(self._out)
        if connection is not None:
            if self._paused and not connection.transport.is_closing():
                connection.transport.resume_reading()
            if reusable and self._request_done:
                connection.release()
            else:
                connection.drop()
        self._on_end(self)
        self._client.answered(keep_alive=not self._close_after)

    def upgraded(self, rest: bytes) -> None:
        """The upstream switched to WebSocket: hands both ends over. The exchange counts until they end."""
        connection, self._connection = self._connection, None
        self.deadline = math.inf
        self._over = self._is_socket = True
        self.flush()
        if connection is not None:
            self._client.upgraded(connection, rest)

    def broken(self, error: Exception | None) -> None:
        """The connection ended before the answer was complete."""
        connection, self._connection = self._connection, None
        if connection is None or self._over:
            return
        kept_one_was_stale = connection.served > 0 and not connection.heard
        if kept_one_was_stale and self._idempotent and self._body is not None and self._tries < 2:
            self._open(connection.pool.target)
            return
        where = f"{self._order.app} at {connection.pool.target.address}: {error!r}"
        if isinstance(error, ValueError):
            self._fail(
                UpstreamAnswerInvalid(
                    "The app's environment gave an answer that is not HTTP. See the log of that environment.",
                    detail=where,
                )
            )
        else:
            self._fail(
                UpstreamClosed(
                    "The app's environment closed the connection before it answered. "
                    "The request may have been carried out; look before repeating it.",
                    detail=where,
                )
            )

    @property
    def is_socket(self) -> bool:
        """Whether the exchange has become a WebSocket."""
        return self._is_socket

    def end_socket(self, code: int) -> None:
        """Ends the WebSocket this exchange has become."""
        self._client.end_socket(code)

    def socket_ended(self) -> None:
        """The socket that came out of this exchange has ended."""
        self._on_end(self)

    def upstream_full(self) -> None:
        """Slows the client down."""
        self._client.hold_body()

    def upstream_ready(self) -> None:
        """Lets the client go on."""
        self._client.resume_body()

    # --- inside

    def _encoded(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._order.head.chunked else data

    def _send_on(self, connection: Upstream) -> None:
        order = self._order
        self._tries += 1
        self._connection = connection
        connection.begin(self)
        data = request_bytes(
            order.head,
            order.origin,
            app=order.name,
            prefix=order.prefix,
            base=connection.pool.base,
            request_id=order.request_id,
            proof=connection.proof,
        )
        if self._body:
            data = b"".join((data, *map(self._encoded, self._body)))
        if self._body_size > self._limits.replay or not self._idempotent:
            self._body = None
        if self._request_done and order.head.chunked:
            data += trailer_bytes(self._trailers)
        if order.head.has_body:
            connection.transport.write(data)
        else:
            self._outbox.write(connection.transport, data)
        self.deadline = self._loop.time() + self._limits.first_byte
        if self._paused:
            connection.transport.pause_reading()
        if not self._request_done:
            self._client.resume_body()

    def _open(self, stale: Target | None = None) -> None:
        self._task = self._loop.create_task(self._connect(stale))

    async def _connect(self, stale: Target | None) -> None:
        """Opens a connection to one of the targets and sends the request on it.

        Args:
            stale: the target whose kept connection had just ended; it is tried last, and anew.
        """
        order = self._order
        targets = list(order.targets)
        if stale is not None:
            targets = [target for target in targets if target != stale] + [stale]
        may_repeat = self._idempotent or not order.head.has_body
        failure = EnvironmentUnavailable("No environment serves this app at the moment. Try again.")
        for target in targets[: 2 if may_repeat else 1]:
            try:
                connection = self._pools(target).take() if stale is None else None
                if connection is None:
                    connection = await self._pools(target).connect()
            except EnvironmentUnavailable as error:
                failure = error
                continue
            if self._over:
                connection.release()
            else:
                self._send_on(connection)
            return
        if not self._over:
            self._fail(failure)

    def _fail(self, error: AtollError) -> None:
        written = self._head_written
        self._leave()
        if written:
            self._client.cut()
        else:
            self._client.refuse(error, 1.0)

    def _leave(self) -> None:
        """Ends the exchange on the upstream's side."""
        self._over = True
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.drop()
        task, self._task = self._task, None
        if task is not None and not task.done() and task is not asyncio.current_task():
            task.cancel()
        self._on_end(self)
