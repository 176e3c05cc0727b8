"""The server's end of a client connection: one request after the other, each to where its app is.

This is the only file that touches uvicorn's inside (pinned: 0.54). It keeps uvicorn's parser set-up, ASGI
cycle and WebSocket hand-over, and replaces what lies between: when a head is complete the switchboard is
asked, and the request is served here (ASGI), held (the app is starting) or handed to the access proxy, which
writes the answer straight to this connection.

Requests of one connection are served strictly in turn, whatever their targets; what a client sends ahead is
read only a little.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from atoll.errors import AtollError, BadRequest, HeadTooLarge, RequestTimedOut
from atoll.gateway.decision import DECISION, Decision, affinity_header, ordered_targets
from atoll.gateway.edge import Edge
from atoll.gateway.incoming import Incoming, without_upgrade
from atoll.gateway.resolver import Kind, split_target
from atoll.supervisor.proxy_exchange import Order
from atoll.supervisor.proxy_head import NOTABLE, Notable, Origin, note
from atoll.supervisor.proxy_identity import PROOF_HEADER, Hop
from atoll.supervisor.proxy_pool import keep_alive
from atoll.supervisor.proxy_tunnel import TunnelEnd, join
from atoll.supervisor.proxy_upstream import Upstream
from atoll.supervisor.routing import Forward, Starting, Target, Unavailable

log = logging.getLogger(__name__)
BODY_AHEAD = 65_536
COPIED = 32_768  # below this, copying pieces together costs less than handing them to the system one by one


class GatewayProtocol(HttpToolsProtocol):
    """One client connection. Implements `proxy_exchange.Client` for the request that is being served."""

    # uvicorn's attributes nearly fill what Python finds fast in an object's dictionary: ours lie beside it.
    __slots__ = (
        "closing",
        "deadline",
        "edge",
        "head_size",
        "hop",
        "idle",
        "in_head",
        "notable",
        "origin",
        "parsing",
        "sealed",
        "serving",
        "tunnel",
        "unsent",
        "waiting",
        "write_deadline",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        edge: Edge,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.edge = edge
        self.parsing: Incoming | None = None  # the request whose bytes are coming in
        self.serving: Incoming | None = None  # the request whose answer is due
        self.waiting: deque[Incoming] = deque()
        self.closing = False  # the server stops: this connection ends after the present answer
        self.sealed = False  # nothing more is read from this connection
        self.in_head = False
        self.head_size = 0
        self.idle = False  # between two requests, none of which has begun
        self.deadline = math.inf
        self.write_deadline = math.inf
        self.unsent = 0
        self.notable: Notable = {}
        self.tunnel: TunnelEnd | None = None
        self.origin = Origin(b"", trusted=False, scheme=b"http")
        self.hop: Hop | None = None  # what the other end has proven, once it asked who we are

    # --- connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self.transport = cast("asyncio.Transport", transport)
        self.flow = FlowControl(self.transport)
        self.server = get_local_addr(self.transport)
        self.client = get_remote_addr(self.transport)
        self.scheme = "https" if is_ssl(self.transport) else "http"
        peer = self.client[0] if self.client else ""
        trusted = self.edge.switchboard.trusted.trusts(peer)
        self.origin = Origin(peer.encode("ascii"), trusted, self.scheme.encode("ascii"))
        if len(self.connections) >= self.edge.limits.connections:
            self.edge.turned_away += 1
            self.sealed = True
            self.transport.write(self.edge.full_answer)
            self.transport.close()
            return
        self.connections.add(self)
        self.deadline = self.loop.time() + self.edge.limits.head

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        serving, self.serving = self.serving, None
        self.waiting.clear()
        self.deadline = self.write_deadline = math.inf
        if serving is not None:
            if serving.held is not None:
                serving.held.cancel()
            if serving.exchange is not None:
                serving.exchange.cancel()
                serving.exchange = None  # see Incoming
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Ends the connection when the request being served is answered, at once when there is none."""
        self.closing = True
        if self.serving is None:
            self._close()
        elif self.serving.cycle is not None:
            self.serving.cycle.keep_alive = False

    def _close(self) -> None:
        """Ends the connection once everything given to it is written."""
        self.edge.proxy.outbox.flush()
        self.transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self.transport.abort()

    # --- reading

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.sealed:
            return
        while True:
            if self.parsing is None:
                if not self.in_head:
                    self.in_head = True
                    self.head_size = 0
                self.head_size += len(data)
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._upgrade_asked(data[upgrade.args[0] :])
                if not data:
                    return
                continue
            except httptools.HttpParserError as error:
                self._nonsense(error)
                return
            if not self.in_head:
                return
            if self.deadline == math.inf or self.idle:
                self.idle = False
                self.deadline = self.loop.time() + self.edge.limits.head
            if self.head_size > self.edge.limits.head_size:
                self._refuse_and_close(
                    HeadTooLarge("The head of the request is too long. Send less in headers and address.")
                )
            return

    def on_message_begin(self) -> None:
        """See httptools."""
        self.url = b""
        self.headers = []
        self.notable = {}
        self.in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        parsing = self.parsing
        if parsing is None:
            name = name.lower()
            self.headers.append((name, value))
            if name in NOTABLE:
                note(self.notable, name, value)
        else:
            parsing.trailers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self.sealed:
            return
        self.in_head = False
        parser = self.parser
        incoming = Incoming(
            parser.get_method(),
            self.url,
            self.headers,
            self.notable,
            modern=parser.get_http_version() != "1.0",
            keep_alive=parser.should_keep_alive(),
        )
        self.parsing = incoming
        if parser.should_upgrade():
            return  # the rest is in _upgrade_asked, once the parser has let go
        self.idle = False
        if incoming.has_body:
            self.deadline = self.loop.time() + self.edge.limits.body
        self._enqueue(incoming)

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        incoming = self.parsing
        if incoming is None or incoming.answered:
            return
        if incoming.exchange is not None:
            incoming.exchange.body(body)
        elif incoming.cycle is not None:
            incoming.cycle.body += body
            if len(incoming.cycle.body) > BODY_AHEAD:
                self.flow.pause_reading()
            incoming.cycle.message_event.set()
        else:
            incoming.body += body
            if len(incoming.body) > BODY_AHEAD:
                self.flow.pause_reading()
        self.deadline = self.loop.time() + self.edge.limits.body

    def on_message_complete(self) -> None:
        """See httptools."""
        incoming = self.parsing
        if incoming is None or self.parser.should_upgrade():
            return
        self.parsing = None
        self.deadline = math.inf
        incoming.complete = True
        if not incoming.keep_alive:
            self.sealed = True
        if incoming.exchange is not None:
            incoming.exchange.finish(incoming.trailers)
        elif incoming.cycle is not None:
            incoming.cycle.more_body = False
            incoming.cycle.message_event.set()
        if incoming.answered:
            self._idle()

    def _upgrade_asked(self, rest: bytes) -> bytes:
        """A request with an upgrade is in: starts it. Returns bytes that are to be read on as HTTP."""
        incoming = self.parsing
        if incoming is None:
            return b""
        if not incoming.websocket and incoming.method != b"CONNECT":
            # Any other protocol: the offer is not taken up, the request is a usual one.
            self.parsing = None
            self.parser = httptools.HttpRequestParser(self)
            self.in_head, self.head_size = True, 0
            return without_upgrade(incoming) + rest
        self.parsing = None
        incoming.complete = True
        incoming.rest = rest
        incoming.keep_alive = False
        self._seal()
        self._enqueue(incoming)
        return b""

    def _nonsense(self, error: Exception) -> None:
        if isinstance(error.__context__, Exception) and not isinstance(error.__context__, AtollError):
            log.error("a request could not be handled", exc_info=error.__context__)
        serving = self.serving
        if serving is not None and (serving is self.parsing or serving.started):
            self._close()  # in the middle of something: an answer would be taken for its answer
        else:
            self._refuse_and_close(BadRequest("This is not a valid HTTP request."))

    def _refuse_and_close(self, error: AtollError) -> None:
        """Answers what is no complete request, after everything that is still due."""
        incoming = Incoming(b"GET", b"/", [], {b"host": b""}, modern=True, keep_alive=False)
        incoming.complete = True
        incoming.error = error
        self._seal()
        self._enqueue(incoming)

    def _seal(self) -> None:
        """Reads nothing more; what was read is still served."""
        self.sealed = True
        self.parsing = None
        self.in_head = False
        self.deadline = math.inf
        self.flow.pause_reading()

    # --- serving in turn

    def _enqueue(self, incoming: Incoming) -> None:
        if self.serving is None:
            self._begin(incoming)
        else:
            self.waiting.append(incoming)
            self.flow.pause_reading()

    def _begin(self, incoming: Incoming) -> None:
        self.serving = incoming
        try:
            path, query, authority = split_target(incoming.target)
            error = incoming.fault()
        except AtollError as problem:
            path, query, authority, error = b"/", b"", None, problem
            incoming.target = path
        proven = self.hop is not None and self.hop.proven(incoming.notable.get(PROOF_HEADER))
        trusted = proven or self.origin.trusted
        decision = self.edge.switchboard.decide(
            path, query, incoming.notable, authority or b"", trusted=trusted
        )
        decision.proven = proven
        if error is not None:
            incoming.websocket = False
            incoming.keep_alive = False  # where the next request would begin is anybody's guess
            decision.route = Unavailable(decision.resolved.app, error)
        if authority is not None or not incoming.target.startswith(b"/"):
            incoming.target = path + (b"?" + query if query else b"")
        self._dispatch(incoming, decision)

    def _dispatch(self, incoming: Incoming, decision: Decision) -> None:
        route = decision.route
        if isinstance(route, Forward):
            self._forward(incoming, decision, route)
        elif isinstance(route, Starting) and not incoming.websocket:
            incoming.held = self.loop.create_task(self._hold(incoming, decision, route))
        else:
            self._serve(incoming, decision)

    async def _hold(self, incoming: Incoming, decision: Decision, starting: Starting) -> None:
        """Keeps the request until the app answers, failed, or the limit has passed."""
        limit = self.edge.limits.hold_page if decision.resolved.kind is Kind.PAGE else self.edge.limits.hold
        outcome: Starting | Unavailable | Any
        try:
            outcome = await starting.wait(limit)
        except AtollError as error:
            outcome = Unavailable(starting.app, error, 1.0)
        incoming.held = None
        if self.serving is incoming:
            decision.route = outcome
            self._dispatch(incoming, decision)

    # --- served here

    def _serve(self, incoming: Incoming, decision: Decision) -> None:
        if incoming.websocket and decision.resolved.kind is not Kind.SOCKET:
            if not isinstance(decision.route, Unavailable):
                decision.route = Unavailable(decision.resolved.app, BadRequest("WebSockets are at /ws only."))
            incoming.websocket = False
        if incoming.websocket:
            self._serve_websocket(incoming, decision)
            return
        if decision.resolved.kind is Kind.IDENTITY and self.edge.signer is not None:
            self.hop = self.hop or Hop(self.edge.signer)
            decision.challenge = self.hop.challenge()
        path, _, query = incoming.target.partition(b"?")
        scope: Any = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1" if incoming.modern else "1.0",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "headers": incoming.headers,
            "state": self.app_state.copy(),
            "method": incoming.method.decode("ascii"),
            "path": path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            DECISION: decision,
        }
        cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=incoming.expects_continue,
            keep_alive=incoming.modern
            and incoming.keep_alive
            and not self.closing
            and not self.edge.draining,
            on_response=self.on_response_complete,
        )
        if incoming.complete or incoming.body:
            cycle.message_event.set()
        cycle.body += incoming.body
        cycle.more_body = not incoming.complete
        incoming.body.clear()
        incoming.cycle = self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def _serve_websocket(self, incoming: Incoming, decision: Decision) -> None:
        self.serving = None
        self.app_state = {DECISION: decision}  # how uvicorn's WebSocket hands it to the ASGI app
        self.url = incoming.target
        self.scope = cast("Any", {"method": incoming.method.decode("ascii"), "headers": incoming.headers})
        self.flow.resume_reading()
        self.handle_websocket_upgrade()
        if incoming.rest:
            cast("asyncio.Protocol", self.transport.get_protocol()).data_received(incoming.rest)

    def on_response_complete(self) -> None:
        """The ASGI app has answered."""
        self.server_state.total_requests += 1
        cycle = self.cycle
        self._answered(keep_alive=cycle.keep_alive)

    # --- forwarded

    def _forward(self, incoming: Incoming, decision: Decision, forward: Forward) -> None:
        targets, added = forward.targets, None
        if len(targets) > 1 and not forward.pinned:
            targets, added = self._with_affinity(incoming, forward)
        incoming.decision = decision
        order = Order(
            forward.app,
            forward.app.encode("ascii"),
            incoming,
            self._origin_of(incoming, decision) if decision.trusted else self.origin,
            targets,
            decision.resolved.base.encode("ascii"),
            decision.request_id,
            added,
        )
        exchange = self.edge.proxy.forward(order, self)
        if exchange is None or self.serving is not incoming:
            return
        incoming.exchange = exchange
        if incoming.body:
            exchange.body(bytes(incoming.body))
            incoming.body.clear()
        if incoming.complete:
            exchange.finish(incoming.trailers)

    def _origin_of(self, incoming: Incoming, decision: Decision) -> Origin:
        """Where a request that came through trusted proxies began."""
        peer, scheme = self.origin.peer, self.origin.scheme
        client = self.edge.switchboard.trusted.client(
            peer.decode("ascii"), incoming.headers, proven=decision.proven
        )
        return Origin(peer, True, scheme, client.encode("ascii"))

    def _with_affinity(
        self, incoming: Incoming, forward: Forward
    ) -> tuple[tuple[Target, ...], Callable[[Target], bytes]]:
        """The targets as the client's cookie orders them, and the cookie for whoever answers."""
        targets, wanted = ordered_targets(forward, incoming.notable)
        secure = self.origin.scheme == b"https"

        def added(target: Target) -> bytes:
            return (
                b"" if target.environment == wanted else affinity_header(forward.app, target, secure=secure)
            )

        return targets, added

    def write(self, pieces: list[bytes]) -> None:
        """See proxy_exchange.Client."""
        if self.serving is not None:
            self.serving.started = True
        last = pieces[-1]
        outbox = self.edge.proxy.outbox
        if len(last) < COPIED:
            outbox.write(self.transport, b"".join(pieces))
            return
        outbox.flush()
        if len(pieces) == 1:
            self.transport.write(last)
        else:
            self.transport.writelines([b"".join(pieces[:-1]), last])

    def hold_body(self) -> None:
        """See proxy_exchange.Client."""
        self.flow.pause_reading()

    def resume_body(self) -> None:
        """See proxy_exchange.Client."""
        if not self.waiting:
            self.flow.resume_reading()

    def keeps_alive(self) -> bool:
        """See proxy_exchange.Client."""
        serving = self.serving
        return (
            serving is not None
            and serving.keep_alive
            and serving.modern
            and not self.closing
            and not self.edge.draining
        )

    def answered(self, *, keep_alive: bool) -> None:
        """See proxy_exchange.Client."""
        self.server_state.total_requests += 1
        if not keep_alive:
            self._close()
        self._answered(keep_alive=keep_alive)

    def refuse(self, error: AtollError, retry_after: float | None) -> None:
        """See proxy_exchange.Client."""
        incoming = self.serving
        if incoming is None or incoming.decision is None:
            return
        if error.detail:
            log.warning(error.message, extra={"code": error.code, "detail": error.detail})
        incoming.exchange = None
        incoming.decision.route = Unavailable(incoming.decision.resolved.app, error, retry_after)
        self._serve(incoming, incoming.decision)

    def cut(self) -> None:
        """See proxy_exchange.Client."""
        if self.serving is not None:
            self.serving.exchange = None  # see Incoming
        self.serving = None
        self._close()

    def upgraded(self, upstream: Upstream, rest: bytes) -> None:
        """See proxy_exchange.Client."""
        incoming, self.serving = self.serving, None
        if incoming is None or incoming.exchange is None:
            upstream.drop()
            return
        exchange, incoming.exchange = incoming.exchange, None  # see Incoming
        self.edge.proxy.outbox.flush()
        self.connections.discard(self)
        keep_alive(self.transport)

        def ended() -> None:
            self.connections.discard(cast("Any", near))
            exchange.socket_ended()

        near: TunnelEnd = join(
            self.transport, upstream.transport, from_client=incoming.rest, from_upstream=rest, on_end=ended
        )
        self.connections.add(cast("Any", near))
        self.tunnel = near

    def end_socket(self, code: int) -> None:
        """See proxy_exchange.Client."""
        if self.tunnel is not None:
            self.tunnel.shutdown(code)

    # --- between requests

    def _answered(self, *, keep_alive: bool) -> None:
        incoming, self.serving = self.serving, None
        if incoming is not None:
            incoming.answered = True
            incoming.exchange = None  # see Incoming
        if not keep_alive or self.transport.is_closing():
            self.sealed = True
            self.waiting.clear()
            return
        if self.waiting:
            self._begin(self.waiting.popleft())
            return
        self.flow.resume_reading()
        if incoming is None or incoming.complete:
            self._idle()

    def _idle(self) -> None:
        if self.serving is None and not self.waiting and not self.in_head:
            if self.closing or self.sealed:
                self._close()
            self.idle = True
            self.deadline = self.loop.time() + self.edge.limits.idle

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.pause_writing()
        self.unsent = self.transport.get_write_buffer_size()
        self.write_deadline = self.loop.time() + self.edge.limits.send
        if self.serving is not None and self.serving.exchange is not None:
            self.serving.exchange.pause()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.resume_writing()
        self.write_deadline = math.inf
        if self.serving is not None and self.serving.exchange is not None:
            self.serving.exchange.resume()

    def check(self, now: float) -> None:
        """Ends the connection when the client is too slow. Called about twice a second."""
        if now > self.write_deadline:
            unsent = self.transport.get_write_buffer_size()
            if unsent >= self.unsent:
                self.abort()
                return
            self.unsent, self.write_deadline = unsent, now + self.edge.limits.send
        if now <= self.deadline or self.flow.read_paused:
            return
        if self.in_head and self.head_size:
            self._refuse_and_close(RequestTimedOut("The request did not arrive in time. Send it again."))
        elif self.parsing is None:
            self._close()
        else:
            self._body_too_slow(self.parsing)

    def _body_too_slow(self, incoming: Incoming) -> None:
        exchange = incoming.exchange
        if exchange is None or incoming.started or self.serving is not incoming:
            self.abort()
            return
        exchange.cancel()
        incoming.keep_alive = False
        self._seal()
        self.refuse(RequestTimedOut("The body of the request did not arrive in time. Send it again."), None)
