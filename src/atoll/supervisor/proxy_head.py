"""Request and response heads as they leave the proxy: which headers pass, which are dropped, which are set.

Pure functions over bytes. Header names are lower case on the request side. Paths, queries and bodies are
never touched here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import TypeAlias

from msgspec import Struct

Header: TypeAlias = tuple[bytes, bytes]
Notable: TypeAlias = dict[bytes, bytes]
"""The headers that mean something to server or proxy, by lower-case name; see `note`."""

# Meant for one connection only (RFC 9110 7.6.1), plus what a proxy must not pass on.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# What only Atoll or a trusted proxy in front of it may say.
OURS = frozenset(
    {
        b"forwarded",
        b"x-real-ip",
        b"x-app",
        b"x-atoll-proof",
        b"x-environment",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-hostname",
        b"x-request-id",
        b"x-original-url",
        b"x-rewrite-url",
    }
)
OUR_PREFIXES = (b"x-forwarded-", b"x-atoll-")
DROPPED = HOP_BY_HOP | OURS
NOTABLE = DROPPED | {b"host", b"cookie", b"content-length", b"expect"}
# Names that may come once only, or with one value only.
SINGLE = frozenset({b"host", b"x-app", b"x-environment", b"content-length"})
CONTRADICTION = b""
"""Key in `Notable` of the name that came twice though it may not."""
# Naming one of these in Connection would change the meaning of the message, so it has no effect.
NEVER_STRIPPED = frozenset(
    {b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"expect"}
)
# What the proxy looks at in an answer; everything else passes as it is.
ANSWER_NOTABLE = HOP_BY_HOP | {b"set-cookie", b"x-request-id"}
# Names that pass without a closer look; most requests have no others.
PLAIN = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"cache-control",
        b"content-type",
        b"origin",
        b"referer",
        b"user-agent",
    }
)
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"})
# Cookies that belong to one app by name: `<prefix><app>`.
APP_COOKIES = (b"nb_auth_token_", b"nb_role_", b"nb_authenticator_")
AFFINITY_COOKIE = b"atoll_env_"
STATUS_LINES = {
    (status.value, status.phrase.encode()): b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}


class RequestHead:
    """The head of a request.

    Args:
        target: raw path and query as they came.
        headers: in the order they came, with lower-case names; `notable` are those of them in NOTABLE.
        modern: False for HTTP/1.0 clients, who understand neither chunks nor 1xx answers.

    Attributes:
        has_body: whether bytes follow the head.
        chunked: whether the body comes in chunks.
        websocket: whether the client asks to upgrade to WebSocket.
    """

    __slots__ = ("chunked", "has_body", "headers", "method", "modern", "notable", "target", "websocket")

    def __init__(
        self, method: bytes, target: bytes, headers: list[Header], notable: Notable, *, modern: bool
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.notable = notable
        self.modern = modern
        self.websocket = self.chunked = self.has_body = False
        if len(notable) > 1:
            if b"content-length" in notable:
                self.has_body = notable[b"content-length"].strip(b"0") != b""
            if b"transfer-encoding" in notable:
                self.chunked = self.has_body = True
            if b"upgrade" in notable:
                self.websocket = notable[b"upgrade"].strip().lower() == b"websocket"


class Origin(Struct):
    """Where a request came from, as the upstream will be told.

    Args:
        peer: IP address of the other end of the connection.
        trusted: whether the peer is a trusted proxy, so that what it says about earlier hops is kept.
        scheme: "http" or "https" of the connection.
        client: IP address of the first one that is no trusted proxy, b"" when that is the peer.
    """

    peer: bytes
    trusted: bool
    scheme: bytes
    client: bytes = b""


def note(notable: Notable, name: bytes, value: bytes) -> None:
    """Enters a header; repeated ones are joined as HTTP says, or marked where that makes no sense."""
    before = notable.get(name)
    if before is None:
        notable[name] = value
    elif name in SINGLE:
        if before != value or name == b"host":
            notable[CONTRADICTION] = name
    else:
        notable[name] = before + (b"; " if name == b"cookie" else b", ") + value


def notable_of(headers: Iterable[Header]) -> Notable:
    """The notable ones of headers with lower-case names."""
    notable: Notable = {}
    for name, value in headers:
        if name in NOTABLE:
            note(notable, name, value)
    return notable


def dropped(name: bytes) -> bool:
    """Whether a client's header must not pass; underscores count as dashes, as some servers read them so."""
    if name in DROPPED:
        return True
    if b"_" in name:
        name = name.replace(b"_", b"-")
        if name in DROPPED:
            return True
    return name.startswith(OUR_PREFIXES)


def strip_list(connection: bytes | None) -> frozenset[bytes]:
    """Lower-case names listed in a Connection header, without those that must stay."""
    if not connection or connection in (b"keep-alive", b"Keep-Alive", b"close"):
        return frozenset()
    return frozenset(token.strip().lower() for token in connection.split(b",")) - NEVER_STRIPPED


def request_bytes(
    head: RequestHead,
    origin: Origin,
    *,
    app: bytes,
    prefix: bytes,
    base: bytes,
    request_id: bytes,
    proof: bytes = b"",
) -> bytes:
    """The head as it goes to the upstream.

    Args:
        app: name of the app, sent as X-App.
        prefix: path below which the browser sees the app ("/apps/crm"), sent as X-Forwarded-Prefix.
        base: path of the upstream's address, put in front of the target.
        request_id: sent as X-Request-Id.
        proof: header line with CRLF in front, see `proxy_identity`.
    """
    notable = head.notable
    host = notable.get(b"host", b"")
    lines = [head.method, b" ", base, head.target, b" HTTP/1.1\r\nhost: ", host]
    add = lines.extend
    listed = strip_list(notable.get(b"connection"))
    for name, value in head.headers:
        if name in NOTABLE or (listed and name in listed) or (name not in PLAIN and dropped(name)):
            continue
        add((b"\r\n", name, b": ", value))
    if len(notable) > 1:
        if (cookie := notable.get(b"cookie")) is not None and (cookie := cookies_for(app, cookie)):
            add((b"\r\ncookie: ", cookie))
        if (length := notable.get(b"content-length")) is not None:
            add((b"\r\ncontent-length: ", length))
        if (expectation := notable.get(b"expect")) is not None:
            add((b"\r\nexpect: ", expectation))
        if head.chunked:
            lines.append(b"\r\ntransfer-encoding: chunked")
        if head.websocket:
            lines.append(b"\r\nconnection: Upgrade\r\nupgrade: websocket")
    forwarded_for, scheme = origin.peer, origin.scheme
    if origin.trusted:
        host = notable.get(b"x-forwarded-host", host)
        scheme = notable.get(b"x-forwarded-proto", scheme)
        if (earlier := notable.get(b"x-forwarded-for")) is not None:
            forwarded_for = earlier + b", " + forwarded_for
        if origin.client:
            add((b"\r\nx-real-ip: ", origin.client))
    add((b"\r\nx-forwarded-for: ", forwarded_for, b"\r\nx-forwarded-proto: ", scheme))
    add((b"\r\nx-forwarded-host: ", host, b"\r\nx-app: ", app, b"\r\nx-request-id: ", request_id))
    if prefix:
        add((b"\r\nx-forwarded-prefix: ", prefix))
    add((proof, b"\r\n\r\n"))
    return b"".join(lines)


def cookie_owner(name: bytes) -> bytes | None:
    """The app a cookie belongs to by its name, b"" for the proxy itself, None when the name says nothing."""
    if name.startswith(AFFINITY_COOKIE):
        return b""
    return next((name[len(prefix) :] for prefix in APP_COOKIES if name.startswith(prefix)), None)


def cookies_for(app: bytes, value: bytes) -> bytes:
    """A Cookie header without what belongs to other apps by name, and without our own affinity cookies."""
    if b"nb_" not in value and AFFINITY_COOKIE not in value:
        return value
    kept = []
    for part in value.split(b";"):
        if cookie_owner(part.partition(b"=")[0].strip()) in (None, app):
            kept.append(part.strip())
    return b"; ".join(kept)


class AnswerHead(Struct, gc=False):
    """The head of an upstream's answer.

    Args:
        lines: of headers that pass as they are: name, b": ", value, b"\\r\\n", and so on.
        notable: pairs of those in ANSWER_NOTABLE, with lower-case names.
        framed: False for a body that ends with the connection.
        chunked: whether the body came in chunks.
    """

    status: int
    reason: bytes
    lines: list[bytes]
    notable: list[Header]
    framed: bool
    chunked: bool


def answer_bytes(head: AnswerHead, *, app: bytes, added: bytes) -> list[bytes]:
    """The head as it goes to the client, in pieces, with its final empty line.

    Args:
        app: the app that answers; cookies of other apps cannot be set by it.
        added: header lines to add, each ending with CRLF (framing, connection, request id, cookies).
    """
    line = STATUS_LINES.get((head.status, head.reason))
    if line is None:
        line = b"HTTP/1.1 %d %b\r\n" % (head.status, head.reason)
    lines = [line, *head.lines]
    for name, value in head.notable:
        if name == b"set-cookie":
            if cookie_owner(value.partition(b"=")[0].strip()) in (None, app):
                lines += (b"set-cookie: ", value, b"\r\n")
        elif name == b"connection" and (listed := strip_list(value)):
            lines[1:] = _without(lines[1:], listed)
    lines += (added, b"\r\n")
    return lines


def _without(lines: Sequence[bytes], listed: frozenset[bytes]) -> list[bytes]:
    """Header lines without those the upstream listed in Connection."""
    kept: list[bytes] = []
    at = 0
    while at < len(lines):
        size = 3 if lines[at] == b"set-cookie: " else 4
        if size == 3 or lines[at].lower() not in listed:
            kept += lines[at : at + size]
        at += size
    return kept


def trailer_bytes(trailers: Sequence[Header]) -> bytes:
    """The end of a chunked body: the last chunk, and the trailer fields that may pass."""
    lines = [b"0\r\n"]
    for name, value in trailers:
        lower = name.lower()
        if not dropped(lower) and lower not in NEVER_STRIPPED and lower != b"set-cookie":
            lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)


def first_of(notable: Mapping[bytes, bytes], *names: bytes) -> bytes:
    """The first entry of the first of these headers that is there, b"" for none."""
    for name in names:
        if value := notable.get(name):
            return value.split(b",", 1)[0].strip()
    return b""
