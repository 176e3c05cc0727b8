"""One request as it comes in on a connection, before and while it is served."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from atoll.errors import AtollError, BadRequest
from atoll.supervisor.proxy_head import Header

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from atoll.gateway.decision import Decision
    from atoll.supervisor.proxy_exchange import Exchange


class Incoming:
    """A request: its head, what of its body was read but not yet taken, and who serves it.

    Args:
        url: the request target as it came.
        headers: with lower-case names.
        modern: False for HTTP/1.0.
        keep_alive: whether the client wants to use the connection further.
    """

    __slots__ = (
        "answered",
        "body",
        "chunked",
        "complete",
        "cycle",
        "decision",
        "error",
        "exchange",
        "expects_continue",
        "headers",
        "held",
        "keep_alive",
        "length",
        "method",
        "modern",
        "rest",
        "started",
        "trailers",
        "url",
        "websocket",
    )

    def __init__(
        self, method: bytes, url: bytes, headers: list[Header], *, modern: bool, keep_alive: bool
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.modern = modern
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.trailers: list[Header] = []
        self.rest = b""  # what came after the head of an upgrade
        self.complete = self.answered = self.started = False
        self.expects_continue = self.websocket = self.chunked = False
        self.length: int | None = None
        self.error: AtollError | None = None
        self.decision: Decision | None = None
        self.cycle: RequestResponseCycle | None = None
        self.exchange: Exchange | None = None
        self.held: asyncio.Task[None] | None = None
        for name, value in headers:
            if name == b"content-length":
                self.length = int(value)
            elif name == b"transfer-encoding":
                self.chunked = True
                if value.strip().lower() != b"chunked":
                    self.error = BadRequest("Only the transfer coding chunked is understood.")
            elif name == b"upgrade":
                self.websocket = value.strip().lower() == b"websocket"
            elif name == b"expect":
                self.expects_continue = modern and value.lower() == b"100-continue"

    def fault(self) -> AtollError | None:
        """What is wrong with the head in itself, None when nothing is."""
        if self.method == b"CONNECT":
            return BadRequest("This server is not a forward proxy.")
        if self.websocket and (self.method != b"GET" or self.chunked or self.length or not self.modern):
            return BadRequest("A WebSocket starts with a GET request without a body.")
        if self.modern and not any(name == b"host" for name, _ in self.headers):
            return BadRequest("The request has no Host header.")
        return None


def without_upgrade(incoming: Incoming) -> bytes:
    """The head of a request whose offer to upgrade is not taken up, as if the offer had not been made."""
    lines = [incoming.method, b" ", incoming.url, b" HTTP/1.1\r\n" if incoming.modern else b" HTTP/1.0\r\n"]
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
