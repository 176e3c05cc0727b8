"""One request as it comes in on a connection, before and while it is served."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from atoll.errors import AtollError, BadRequest
from atoll.supervisor.proxy_head import Header, Notable, RequestHead

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from atoll.gateway.decision import Decision
    from atoll.supervisor.proxy_exchange import Exchange


class Incoming(RequestHead):
    """A request: its head, what of its body was read but not yet taken, and who serves it.

    Args:
        keep_alive: whether the client wants to use the connection further.

    Attributes:
        exchange: who forwards it. The exchange knows the request in turn, so whoever ends the exchange takes
            it from here: two objects that know each other stay until the garbage collector looks, and at
            thousands of requests a second its looking costs more than the proxy's work.
    """

    __slots__ = (
        "answered",
        "body",
        "complete",
        "cycle",
        "decision",
        "error",
        "exchange",
        "held",
        "keep_alive",
        "rest",
        "started",
        "trailers",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        headers: list[Header],
        notable: Notable,
        *,
        modern: bool,
        keep_alive: bool,
    ) -> None:
        super().__init__(method, target, headers, notable, modern=modern)
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.trailers: list[Header] = []
        self.rest = b""  # what came after the head of an upgrade
        self.complete = self.answered = self.started = False
        self.error: AtollError | None = None
        self.decision: Decision | None = None
        self.cycle: RequestResponseCycle | None = None
        self.exchange: Exchange | None = None
        self.held: asyncio.Task[None] | None = None

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a word before it sends the body."""
        return self.modern and self.notable.get(b"expect", b"").lower() == b"100-continue"

    def fault(self) -> AtollError | None:
        """What is wrong with the head in itself, None when nothing is."""
        if self.modern and b"host" not in self.notable:
            return BadRequest("The request has no Host header.")
        if self.method == b"CONNECT":
            return BadRequest("This server is not a forward proxy.")
        if self.chunked and self.notable[b"transfer-encoding"].strip().lower() != b"chunked":
            return BadRequest("Only the transfer coding chunked is understood.")
        if self.websocket and (self.method != b"GET" or self.has_body or not self.modern):
            return BadRequest("A WebSocket starts with a GET request without a body.")
        return self.error


def without_upgrade(incoming: Incoming) -> bytes:
    """The head of a request whose offer to upgrade is not taken up, as if the offer had not been made."""
    lines = [
        incoming.method,
        b" ",
        incoming.target,
        b" HTTP/1.1\r\n" if incoming.modern else b" HTTP/1.0\r\n",
    ]
    for name, value in incoming.headers:
        if name == b"connection":
            tokens = [token.strip() for token in value.split(b",")]
            value = b", ".join(
                token for token in tokens if token.lower() not in (b"upgrade", b"http2-settings")
            )
            if not value:
                continue
        elif name in (b"upgrade", b"http2-settings"):
            continue
        lines += [name, b": ", value, b"\r\n"]
    lines.append(b"\r\n")
    return b"".join(lines)
