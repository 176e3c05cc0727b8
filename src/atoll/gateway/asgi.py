"""The ASGI app for everything this server answers itself: local apps, the UI, its own health, and errors."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import msgspec

from atoll.errors import (
    AppOverloaded,
    AtollError,
    BadRequest,
    NotFound,
    PageMethodNotAllowed,
    RequestsNotServed,
)
from atoll.gateway import pages, static
from atoll.gateway.decision import DECISION, Decision, Switchboard
from atoll.gateway.errors import error_json, error_payload, prefers_page, retry_header, starting
from atoll.gateway.readiness import Readiness
from atoll.gateway.request_log import RequestLog
from atoll.gateway.resolver import MAIN, Kind, Resolved, split_target
from atoll.gateway.websocket import WaitingSocket, refuse
from atoll.logs import REQUEST, RequestFields
from atoll.logs.context import trace_of
from atoll.supervisor.proxy_head import PLAIN, Header, dropped, notable_of
from atoll.supervisor.proxy_identity import NONCE_LIMIT, Signer, identity_answer
from atoll.supervisor.proxy_limits import AppLoad
from atoll.supervisor.routing import Forward, Local, Starting, Unavailable
from atoll.supervisor.traffic import Traffic

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

NO_STORE: Header = (b"cache-control", b"no-store")
# Hop-by-hop names are the server's business here, not the app's; these stay visible to it.
KEPT_FOR_APPS = frozenset({b"connection", b"upgrade", b"te", b"transfer-encoding"})
FILE_SUFFIXES = (
    ".js",
    ".mjs",
    ".css",
    ".map",
    ".json",
    ".png",
    ".svg",
    ".ico",
    ".webp",
    ".woff2",
    ".txt",
    ".xml",
)


@dataclass(frozen=True, slots=True)
class AppLabel:
    """How an app calls itself on pages."""

    title: str = ""
    lang: str = "en-US"


class Gateway:
    """Answers what is not forwarded. One per server.

    Args:
        ui: the built UI, None when this installation has none (pages are 404 then).
        readiness: for /api/__ready.
        signer: proves this environment's identity; None for a server that is no environment.
        traffic: counts what local apps answer; None counts nothing.
        label: title and language of an app, in memory.
        requests: gets a line for each answer.
        hold: how long a socket waits for a starting app before it looks again, in seconds.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        *,
        load: AppLoad,
        readiness: Readiness,
        ui: static.BuiltUi | None = None,
        signer: Signer | None = None,
        traffic: Traffic | None = None,
        label: Callable[[str], AppLabel] = lambda app: AppLabel(),
        requests: RequestLog | None = None,
        hold: float = 30.0,
    ) -> None:
        self._switchboard = switchboard
        self._load = load
        self._readiness = readiness
        self._ui = ui
        self._signer = signer
        self._traffic = traffic
        self._label = label
        self._requests = requests
        self._hold = hold

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: http and websocket."""
        if scope["type"] not in ("http", "websocket"):
            return
        decision = scope.pop(DECISION, None) or scope.get("state", {}).pop(DECISION, None)
        decision = decision or self._decide(scope)
        reply = _Reply(send, decision.request_id)
        fields = RequestFields(
            decision.resolved.app, decision.request_id.decode("latin-1"), trace_of(scope["headers"])
        )
        REQUEST.set(fields)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, reply, decision)
            return
        begun = time.perf_counter()
        try:
            await self._http(scope, receive, reply, decision)
        finally:
            if self._traffic is not None and reply.status and _counts(decision):
                self._traffic.note(fields.app, reply.began - begun, reply.status)
            if self._requests is not None:
                client = self._client(scope, decision)
                self._requests.answered(decision, scope, fields, reply.status, begun, client)

    # --- HTTP

    async def _http(self, scope: Scope, receive: Receive, send: Send, decision: Decision) -> None:
        resolved, route = decision.resolved, decision.route
        try:
            if isinstance(route, Local):
                await self._local(scope, receive, send, decision, route)
            elif isinstance(route, Unavailable):
                raise route.error
            elif isinstance(route, Starting):
                raise starting(route.app)
            elif isinstance(route, Forward):
                raise NotFound("This request can only be forwarded.")
            else:
                await self._own(scope, send, resolved, decision.challenge)
        except AtollError as error:
            retry = (
                route.retry_after if isinstance(route, Unavailable) else 1.0 if error.status >= 502 else None
            )
            await self._error(scope, send, resolved, error, retry)

    async def _own(self, scope: Scope, send: Send, resolved: Resolved, challenge: str) -> None:
        if resolved.kind is Kind.HEALTH:
            await answer(scope, send, 200, b"ok", [(b"content-type", b"text/plain; charset=utf-8"), NO_STORE])
        elif resolved.kind is Kind.READY:
            well, report = await self._readiness.report()
            await json_answer(scope, send, 200 if well else 503, report)
        elif resolved.kind is Kind.IDENTITY:
            await self._identity(scope, send, resolved, challenge)
        else:
            await self._asset(scope, send, resolved)

    async def _identity(self, scope: Scope, send: Send, resolved: Resolved, challenge: str) -> None:
        if self._signer is None:
            raise NotFound("This server is no environment.")
        nonces = parse_qs(resolved.query.decode("latin-1")).get("nonce", [])
        if len(nonces) != 1 or not 16 <= len(nonces[0]) <= NONCE_LIMIT:
            raise BadRequest(f"Give one nonce of 16 to {NONCE_LIMIT} characters.")
        await json_answer(scope, send, 200, identity_answer(self._signer, nonces[0], challenge))

    async def _local(
        self, scope: Scope, receive: Receive, send: Send, decision: Decision, route: Local
    ) -> None:
        resolved = decision.resolved
        if resolved.kind is Kind.HEALTH:
            await answer(scope, send, 200, b"ok", [(b"content-type", b"text/plain; charset=utf-8"), NO_STORE])
        elif resolved.kind is Kind.PAGE:
            await self._page(scope, send, resolved)
        else:
            if not self._load.enter(route.app):
                raise AppOverloaded(
                    f"App {route.app} has too many requests at the moment. Try again in a second."
                )
            try:
                await route.asgi(self._for_app(scope, decision), receive, send)
            finally:
                self._load.leave(route.app)

    def _for_app(self, scope: Scope, decision: Decision) -> Scope:
        """The scope as the app sees it: its own path, the true client, no forged forwarding headers."""
        headers: Sequence[Header] = scope["headers"]
        kept = [
            (name, value)
            for name, value in headers
            if name in PLAIN or name in KEPT_FOR_APPS or not dropped(name)
        ]
        changed: dict[str, Any] = {}
        if decision.trusted:
            changed["client"] = (self._client(scope, decision), 0)
            for name, value in headers:
                if name == b"x-forwarded-proto" and value in (b"http", b"https"):
                    secure = value == b"https"
                    changed["scheme"] = (
                        ("wss" if secure else "ws") if scope["type"] == "websocket" else value.decode()
                    )
                if name in (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-prefix"):
                    kept.append((name, value))
        kept.append((b"x-request-id", decision.request_id))
        path = decision.resolved.path
        return {
            **scope,
            **changed,
            "headers": kept,
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
        }

    def _client(self, scope: Scope, decision: Decision) -> str:
        """The address where the request began."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        if not decision.trusted:
            return peer
        return self._switchboard.trusted.client(peer, scope["headers"], proven=decision.proven)

    async def _page(self, scope: Scope, send: Send, resolved: Resolved) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise PageMethodNotAllowed("Pages can only be read.")
        if self._ui is None or resolved.path.decode("latin-1").lower().endswith(FILE_SUFFIXES):
            raise NotFound("There is no such file.")
        await self._app_page(scope, send, resolved, self._ui)

    async def _app_page(
        self,
        scope: Scope,
        send: Send,
        resolved: Resolved,
        ui: static.BuiltUi,
        error: AtollError | None = None,
        added: Sequence[Header] = (),
    ) -> None:
        """The UI's page with the boot data of the app; with `error` it shows why the app does not run."""
        label = self._label(resolved.app)
        main = resolved.app == MAIN
        boot: dict[str, object] = {
            "app": resolved.app,
            "basePath": resolved.base,
            "api": "/api/" if main else f"/api/__app/{resolved.app}/",
            "ws": "/ws" if main else f"/ws?__appName={resolved.app}",
            "lang": label.lang,
            "title": label.title or ("Atoll" if main else resolved.app),
        }
        if error is not None:
            boot["maintenance"] = error_payload(error)
        nonce = secrets.token_urlsafe(16)
        headers = [
            *added,
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", static.page_policy(nonce)),
            *static.SAFE,
        ]
        if error is None:
            headers.append((b"cache-control", b"no-cache"))
        await answer(scope, send, error.status if error else 200, ui.page(boot, nonce), headers)

    async def _asset(self, scope: Scope, send: Send, resolved: Resolved) -> None:
        found = self._ui.file(resolved.path.decode("latin-1")) if self._ui is not None else None
        if found is None:
            raise NotFound("There is no such file. The page may belong to another version; load it again.")
        if scope["method"] not in ("GET", "HEAD"):
            raise PageMethodNotAllowed("Files can only be read.")
        headers = dict(scope["headers"])
        content, coding = found.choose(headers.get(b"accept-encoding", b""))
        lines = [
            (b"cache-control", static.IMMUTABLE),
            (b"etag", found.etag),
            (b"vary", b"accept-encoding"),
            *static.SAFE,
        ]
        if found.etag in headers.get(b"if-none-match", b""):
            await answer(scope, send, 304, b"", lines)
            return
        lines.append((b"content-type", found.media_type))
        if coding:
            lines.append((b"content-encoding", coding))
        await answer(scope, send, 200, content, lines)

    async def _error(
        self, scope: Scope, send: Send, resolved: Resolved, error: AtollError, retry_after: float | None
    ) -> None:
        headers = [NO_STORE, *retry_header(retry_after)]
        refused = isinstance(error, RequestsNotServed)  # the UI's files too
        if self._ui is not None and error.status >= 500 and not refused and _is_page(scope, resolved):
            headers.append((b"vary", b"accept"))
            await self._app_page(scope, send, resolved, self._ui, error, headers)
            return
        if prefers_page(scope["headers"]) and resolved.kind is not Kind.ASSET:
            nonce = secrets.token_urlsafe(16)
            body = pages.state_page(
                error,
                app=resolved.app,
                title=self._label(resolved.app).title,
                lang=pages.language(scope["headers"]),
                nonce=nonce,
            )
            headers += [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-security-policy", pages.page_policy(nonce)),
                (b"vary", b"accept, accept-language"),
                *static.SAFE,
            ]
        else:
            body = error_json(error)
            headers.append((b"content-type", b"application/json; charset=utf-8"))
        await answer(scope, send, error.status, body, headers)

    # --- WebSocket

    async def _websocket(self, scope: Scope, receive: Receive, send: Send, decision: Decision) -> None:
        resolved, route = decision.resolved, decision.route
        if resolved.kind is not Kind.SOCKET or route is None or isinstance(route, Forward):
            await refuse(scope, receive, send, 404)
            return
        if isinstance(route, Unavailable) and isinstance(route.error, RequestsNotServed):
            await refuse(scope, receive, send, 503)
            return
        if not self._load.enter(resolved.app):
            await refuse(scope, receive, send, 503)
            return
        try:
            if isinstance(route, Local):
                await route.asgi(self._for_app(scope, decision), receive, send)
            else:
                socket = WaitingSocket(
                    self._switchboard.router, resolved.app, resolved.environment, hold=self._hold
                )
                await socket.serve(receive, send, route)
        finally:
            self._load.leave(resolved.app)

    def _decide(self, scope: Scope) -> Decision:
        """For scopes that did not come through our protocol."""
        peer = scope["client"][0] if scope.get("client") else ""
        raw = scope.get("raw_path") or scope["path"].encode("latin-1")
        path, _, authority = split_target(raw)
        return self._switchboard.decide(
            path,
            scope["query_string"],
            notable_of(scope["headers"]),
            authority or b"",
            trusted=self._switchboard.trusted.trusts(peer),
        )


def _counts(decision: Decision) -> bool:
    """Whether an answer is one of a local app to somebody who uses it."""
    route, kind = decision.route, decision.resolved.kind
    return isinstance(route, Local) and route.app != MAIN and kind is not Kind.HEALTH


def _is_page(scope: Scope, resolved: Resolved) -> bool:
    """Whether a person's browser loads a page of an app."""
    return resolved.kind is Kind.PAGE and scope["method"] == "GET" and prefers_page(scope["headers"])


class _Reply:
    """Adds X-Request-Id to the head of the answer, and remembers its status and when it was sent."""

    __slots__ = ("_header", "_send", "began", "status")

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._header: Header = (b"x-request-id", request_id)
        self.status = 0
        self.began = 0.0

    async def __call__(self, message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start", "websocket.accept"):
            headers = [entry for entry in message.get("headers", ()) if entry[0].lower() != b"x-request-id"]
            message = {**message, "headers": [*headers, self._header]}
            self.status = message.get("status", 0)
            self.began = time.perf_counter()
        await self._send(message)


async def json_answer(scope: Scope, send: Send, status: int, payload: object) -> None:
    """A small JSON answer that nobody caches."""
    headers: list[Header] = [(b"content-type", b"application/json; charset=utf-8"), NO_STORE]
    await answer(scope, send, status, msgspec.json.encode(payload), headers)


async def answer(scope: Scope, send: Send, status: int, body: bytes, headers: Sequence[Header]) -> None:
    """A complete answer; without its body for HEAD."""
    lines = list(headers)
    if status != 304:
        lines.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
