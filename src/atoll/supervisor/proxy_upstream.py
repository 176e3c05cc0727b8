"""One connection to an environment: writes request bytes, reads answers as far as their framing needs."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

import httptools

from atoll.supervisor.proxy_head import ANSWER_NOTABLE, AnswerHead, Header

if TYPE_CHECKING:
    from atoll.supervisor.proxy_pool import Pool

HEAD_LIMIT = 131_072


class Reply(ABC):
    """Who takes the answer that comes in on an upstream connection, in this order: informational heads, one
    final head, body pieces, the end; or `broken` at any time."""

    __slots__ = ()
    bodyless: bool
    """Whether the answer has no body whatever its head says (HEAD)."""
    upgradable: bool
    """Whether 101 is an expected answer."""

    @abstractmethod
    def informational(self, head: AnswerHead) -> None:
        """A 1xx answer other than 101."""

    @abstractmethod
    def head(self, head: AnswerHead) -> None:
        """The final head."""

    @abstractmethod
    def piece(self, data: bytes) -> None:
        """A piece of the body."""

    @abstractmethod
    def flush(self) -> None:
        """All that arrived together has been handed over."""

    @abstractmethod
    def end(self, trailers: list[Header], *, reusable: bool) -> None:
        """The answer is complete; nothing follows."""

    @abstractmethod
    def upgraded(self, rest: bytes) -> None:
        """After a head of status 101: from now on the connection carries bytes of another protocol."""

    @abstractmethod
    def broken(self, error: Exception | None) -> None:
        """The connection ended or spoke nonsense before the answer was complete."""

    @abstractmethod
    def upstream_full(self) -> None:
        """The upstream does not take more at the moment."""

    @abstractmethod
    def upstream_ready(self) -> None:
        """The upstream takes more again."""


class Upstream(asyncio.Protocol):
    """A connection of a pool; serves one `Reply` at a time."""

    __slots__ = (
        "_chunked",
        "_done",
        "_framed",
        "_head_bytes",
        "_in_body",
        "_lines",
        "_notable",
        "_parser",
        "_reason",
        "_reply",
        "_stays",
        "_trailers",
        "heard",
        "idle_since",
        "pool",
        "proof",
        "served",
        "transport",
    )

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.transport = cast("asyncio.Transport", None)
        self.proof = b""  # header line that shows the environment who sends requests on this connection
        self.served = 0  # answers completed on this connection
        self.heard = False  # whether any byte of the present answer came
        self.idle_since = math.inf
        self._reply: Reply | None = None
        self._parser: Any = None
        self._lines: list[bytes] = []
        self._notable: list[Header] = []
        self._trailers: list[Header] = []
        self._reason = b""
        self._in_body = self._chunked = self._stays = False
        self._framed = True
        self._head_bytes = 0
        self._done = False

    # --- used by the owner of the present exchange

    def begin(self, reply: Reply) -> None:
        """Makes `reply` the receiver of the next answer."""
        self._reply = reply
        self.heard = self._done = False
        self._head_bytes = 0
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)

    def drop(self) -> None:
        """Ends the connection at once; nobody hears from it again."""
        self._reply = None
        self.pool.forget(self)
        if self.transport is not None:
            self.transport.abort()

    def release(self) -> None:
        """Gives the connection back after a complete exchange."""
        self._reply = None
        self.served += 1
        self.pool.put(self)

    # --- connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        reply = self._reply
        if reply is None:  # bytes nobody asked for: this connection cannot be trusted any more
            self.drop()
            return
        self.heard = True
        if not self._in_body:
            self._head_bytes += len(data)
        clean = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._reply = None
            self.pool.forget(self)
            reply.upgraded(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            clean = False
            if not self._done:
                self._fail(ValueError(f"the answer is not valid HTTP: {error.__context__ or error}"))
                return
        if not self._in_body and self._head_bytes > HEAD_LIMIT:
            self._fail(ValueError("the head of the answer is too long"))
        elif self._done:
            self._complete(reply, clean=clean)
        else:
            reply.flush()

    def eof_received(self) -> None:
        """See asyncio.Protocol."""
        reply = self._reply
        if reply is not None and self._in_body and not self._framed:
            self._reply = None
            self.pool.forget(self)
            reply.end([], reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        reply, self._reply = self._reply, None
        self.pool.forget(self)
        self._parser = None
        if reply is not None:
            reply.broken(exc)

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._reply is not None:
            self._reply.upstream_full()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self._reply is not None:
            self._reply.upstream_ready()

    def _fail(self, error: Exception) -> None:
        reply, self._reply = self._reply, None
        self.pool.forget(self)
        self.transport.abort()
        if reply is not None:
            reply.broken(error)

    # --- parser

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._done:
            raise ValueError("more than one answer")
        self._lines = []
        self._notable = []
        self._reason = b""
        self._in_body = self._framed = self._chunked = False

    def on_status(self, status: bytes) -> None:
        """See httptools."""
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        if self._in_body:
            self._trailers.append((name, value))
            return
        lower = name.lower()
        if lower not in ANSWER_NOTABLE:
            self._lines += (name, b": ", value, b"\r\n")
            if lower == b"content-length":
                self._framed = True
            return
        self._notable.append((lower, value))
        if lower == b"transfer-encoding":
            if value.strip().lower() != b"chunked":
                raise ValueError("unknown transfer coding")
            self._framed = self._chunked = True

    def on_headers_complete(self) -> None:
        """See httptools."""
        reply = self._reply
        if reply is None or self._done:
            raise ValueError("an answer nobody asked for")
        status = self._parser.get_status_code()
        self._in_body = True
        self._stays = self._parser.should_keep_alive()  # the parser forgets it with the last byte
        if reply.bodyless or status < 200 or status in (204, 304):
            self._framed, self._chunked = True, False
        head = AnswerHead(status, self._reason, self._lines, self._notable, self._framed, self._chunked)
        if status >= 200:
            reply.head(head)
            self._done = reply.bodyless
        elif status != 101:
            reply.informational(head)
        elif not reply.upgradable or not self._parser.should_upgrade():
            raise ValueError("the protocol was switched without being asked")
        else:
            reply.head(head)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        if self._reply is None or self._done:
            raise ValueError("a body where none belongs")
        self._reply.piece(body)

    def on_message_complete(self) -> None:
        """See httptools."""
        if self._parser.get_status_code() >= 200:
            self._done = True

    def _complete(self, reply: Reply, *, clean: bool) -> None:
        self._reply = None
        trailers, self._trailers = self._trailers, []
        reusable = clean and self._framed and self._stays
        if reply.bodyless:  # this parser still waits for the body that the head announced
            self._parser = None
        reply.end(trailers, reusable=reusable)
