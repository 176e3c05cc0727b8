"""Request and response heads as they leave the proxy: which headers pass, which are dropped, which are set.

Pure functions over bytes. Header names are lower case on the request side. Paths, queries and bodies are
never
touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

Header = tuple[bytes, bytes]

# Meant for one connection only (RFC 9110 7.6.1), plus what a proxy must not pass on.
HOP_BY_HOP = frozenset(
    {
        b"connection",
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
        b"x-environment",
        b"x-hostname",
        b"x-request-id",
        b"x-original-url",
        b"x-rewrite-url",
    }
)
OUR_PREFIXES = (b"x-forwarded-", b"x-atoll-")
DROPPED = HOP_BY_HOP | OURS
NOT_ANSWERED = HOP_BY_HOP | {b"x-request-id"}
# Naming one of these in Connection would change the meaning of the message, so it has no effect.
NEVER_STRIPPED = frozenset(
    {b"host", b"content-length", b"content-type", b"authorization", b"cookie", b"expect"}
)
# Cookies that belong to one app by name: `<prefix><app>`.
APP_COOKIES = (b"nb_auth_token_", b"nb_role_", b"nb_authenticator_")
AFFINITY_COOKIE = b"atoll_env_"
STATUS_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(slots=True)
class RequestHead:
    """The head of a request that is to be forwarded.

    Args:
        target: raw path and query in origin form.
        headers: in the order they came, with lower-case names.
        modern: False for HTTP/1.0 clients, who understand neither chunks nor 1xx answers.
        length: value of Content-Length, None when there is none.
        chunked: whether the body comes in chunks.
        websocket: whether the client asks to upgrade to WebSocket.
    """

    method: bytes
    target: bytes
    headers: Sequence[Header]
    modern: bool = True
    length: int | None = None
    chunked: bool = False
    websocket: bool = False

    @property
    def has_body(self) -> bool:
        """Whether bytes follow the head."""
        return self.chunked or bool(self.length)

    @property
    def idempotent(self) -> bool:
        """Whether doing it twice is the same as doing it once (RFC 9110 9.2.2)."""
        return self.method in IDEMPOTENT


IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as the upstream will be told.

    Args:
        peer: IP address of the other end of the connection.
        trusted: whether the peer is a trusted proxy, so that what it says about earlier hops is kept.
        scheme: "http" or "https" of the connection.
    """

    peer: bytes
    trusted: bool
    scheme: bytes


def strip_list(headers: Sequence[Header]) -> frozenset[bytes]:
    """Lower-case names listed in Connection headers, without those that must stay."""
    for name, value in headers:
        if name.lower() == b"connection" and value.lower() not in (b"keep-alive", b"close"):
            break
    else:
        return frozenset()
    names: set[bytes] = set()
    for name, value in headers:
        if name.lower() == b"connection":
            names.update(token.strip().lower() for token in value.split(b","))
    return frozenset(names - NEVER_STRIPPED)


def dropped(name: bytes) -> bool:
    """Whether a client's header must not pass; underscores count as dashes, as some servers read them so."""
    if name in DROPPED:
        return True
    if b"_" in name:
        name = name.replace(b"_", b"-")
        if name in DROPPED:
            return True
    return name.startswith(OUR_PREFIXES)


def request_bytes(
    head: RequestHead, origin: Origin, *, app: str, prefix: bytes, base: str, request_id: bytes
) -> bytes:
    """The head as it goes to the upstream.

    Args:
        app: name of the app, sent as X-App.
        prefix: path below which the browser sees the app ("/apps/crm"), sent as X-Forwarded-Prefix if not
        empty.
        base: path of the upstream's address, put in front of the target.
        request_id: sent as X-Request-Id.
    """
    lines = [head.method, b" ", base.encode("latin-1"), head.target, b" HTTP/1.1"]
    add = lines.extend
    listed = strip_list(head.headers)
    host = forwarded_for = forwarded_host = forwarded_proto = b""
    name_of_app = app.encode()
    for name, value in head.headers:
        if name == b"host":
            host = value
        elif listed and name in listed:
            continue
        elif name == b"cookie":
            value = cookies_for(name_of_app, value)
            if not value:
                continue
        elif name not in PLAIN and dropped(name):
            if origin.trusted:
                if name == b"x-forwarded-for":
                    forwarded_for = forwarded_for + b", " + value if forwarded_for else value
                elif name == b"x-forwarded-host":
                    forwarded_host = value
                elif name == b"x-forwarded-proto":
                    forwarded_proto = value
            continue
        add((b"\r\n", name, b": ", value))
    if head.chunked:
        add((b"\r\ntransfer-encoding: chunked",))
    if head.websocket:
        add((b"\r\nconnection: Upgrade\r\nupgrade: websocket",))
    add(
        (
            b"\r\nx-forwarded-for: ",
            forwarded_for + b", " + origin.peer if forwarded_for else origin.peer,
            b"\r\nx-forwarded-proto: ",
            forwarded_proto or origin.scheme,
            b"\r\nx-forwarded-host: ",
            forwarded_host or host,
            b"\r\nx-app: ",
            name_of_app,
            b"\r\nx-request-id: ",
            request_id,
        )
    )
    if prefix:
        add((b"\r\nx-forwarded-prefix: ", prefix))
    lines.append(b"\r\n\r\n")
    return b"".join(lines)


# Names that pass without a closer look; most requests have no others.
PLAIN = frozenset(
    {
        b"host",
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"cache-control",
        b"content-length",
        b"content-type",
        b"origin",
        b"referer",
        b"user-agent",
    }
)


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


def response_bytes(
    status: int,
    reason: bytes,
    headers: Sequence[Header],
    *,
    app: bytes,
    extra: bytes,
) -> bytes:
    """The head as it goes to the client, with its final empty line.

    Args:
        app: the app that answers; cookies of other apps cannot be set by it.
        reason: the upstream's reason phrase, replaced by the standard one when empty.
        extra: header lines to add, each ending with CRLF (framing, connection, request id, cookies).
    """
    lines = [b"HTTP/1.1 %d " % status, reason or STATUS_PHRASES.get(status, b""), b"\r\n"]
    add = lines.extend
    listed = strip_list(headers)
    for name, value in headers:
        lower = name.lower()
        if lower in NOT_ANSWERED or lower in listed:
            continue
        if lower == b"set-cookie" and cookie_owner(value.partition(b"=")[0].strip()) not in (None, app):
            continue
        add((name, b": ", value, b"\r\n"))
    lines.append(extra)
    lines.append(b"\r\n")
    return b"".join(lines)


def trailer_bytes(trailers: Sequence[Header]) -> bytes:
    """The end of a chunked body: the last chunk, and the trailer fields that may pass."""
    lines = [b"0\r\n"]
    for name, value in trailers:
        if not dropped(name.lower()) and name.lower() not in NEVER_STRIPPED:
            lines.extend((name, b": ", value, b"\r\n"))
    lines.append(b"\r\n")
    return b"".join(lines)
