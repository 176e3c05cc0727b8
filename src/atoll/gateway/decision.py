"""What is to become of one request: the app it is for, where that app is, and who asks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.errors import AtollError, BadRequest, HostUnknown
from atoll.gateway.resolver import MAIN, Kind, Resolved, resolve
from atoll.supervisor.proxy_head import AFFINITY_COOKIE, Header
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import Forward, Route, Router, Target, Unavailable, normal_host

DECISION = "atoll.decision"
"""Key of the ASGI scope under which the protocol hands its decision to the gateway's ASGI app."""
SERVED_HERE = frozenset({Kind.READY, Kind.IDENTITY, Kind.ASSET})


@dataclass(slots=True)
class Decision:
    """The answer to "what now?" for one request.

    Args:
        route: where the app is; None when this server itself answers (readiness, identity, assets).
        request_id: sent to the app and with the answer.
    """

    resolved: Resolved
    route: Route | None
    request_id: str


class Switchboard:
    """Decides for each request, in memory only and without waiting.

    Args:
        hosts: names under which this server may be addressed, besides custom domains of apps. Empty: any.
    """

    def __init__(self, router: Router, trusted: TrustedProxies, hosts: Sequence[str] = ()) -> None:
        self.router = router
        self.trusted = trusted
        self._hosts = frozenset(normal_host(host) for host in hosts)

    def decide(
        self, path: bytes, query: bytes, headers: Sequence[Header], host: bytes, peer: str
    ) -> Decision:
        """What is to become of a request.

        Errors in the request itself come as an `Unavailable` route for the main app, so that they are
        answered like any other.

        Args:
            headers: with lower-case names.
            host: of the request target's absolute form; b"" when it had none.
            peer: address of the other end of the connection.
        """
        trusted = self.trusted.trusts(peer)
        request_id = given_request_id(headers) if trusted else ""
        request_id = request_id or new_request_id()
        try:
            host = host or asked_host(headers, trusted=trusted)
            resolved = resolve(path, query, headers, host, self.router.app_by_host)
            if self._hosts and not resolved.chosen and normal_host(host.decode("latin-1")) not in self._hosts:
                raise HostUnknown("This server does not answer under this host name. Check the address.")
        except AtollError as error:
            kind = Kind.API if path.startswith(b"/api/") else Kind.PAGE
            resolved = Resolved(MAIN, None, kind, path, query, "", chosen=False)
            return Decision(resolved, Unavailable(MAIN, error), request_id)
        if resolved.kind in SERVED_HERE or (resolved.kind is Kind.HEALTH and not resolved.chosen):
            return Decision(resolved, None, request_id)
        return Decision(resolved, self.router.route(resolved.app, resolved.environment), request_id)


def ordered_targets(forward: Forward, headers: Sequence[Header]) -> tuple[tuple[Target, ...], str]:
    """The targets with the one the affinity cookie names first, and that name ("" without a cookie)."""
    if len(forward.targets) < 2:
        return forward.targets, ""
    wanted = cookie(headers, AFFINITY_COOKIE + forward.app.encode()).decode("latin-1")
    if not wanted:
        return forward.targets, ""
    first = tuple(target for target in forward.targets if target.environment == wanted)
    return first + tuple(target for target in forward.targets if target.environment != wanted), wanted


def affinity_header(app: str, target: Target, *, secure: bool) -> bytes:
    """The header line that keeps a browser on one environment of an app.

    The path is "/" because pages and API of one app lie at different paths; the name carries the app.
    """
    line = f"set-cookie: {AFFINITY_COOKIE.decode()}{app}={target.environment}; Path=/; HttpOnly; SameSite=Lax"
    return (line + ("; Secure" if secure else "") + "\r\n").encode("latin-1")


def cookie(headers: Sequence[Header], name: bytes) -> bytes:
    """The value of the first cookie of that name, b"" when there is none."""
    for header, value in headers:
        if header == b"cookie" and name in value:
            for part in value.split(b";"):
                key, _, content = part.strip().partition(b"=")
                if key == name:
                    return content
    return b""


def asked_host(headers: Sequence[Header], *, trusted: bool) -> bytes:
    """The host the client asked for; a trusted proxy may have replaced the Host header and says the first one.

    Raises BadRequest for two Host headers.
    """
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        raise BadRequest("The request has two Host headers. Send one.")
    if trusted:
        for wanted in (b"x-hostname", b"x-forwarded-host"):
            for name, value in headers:
                if name == wanted and value:
                    return value.split(b",")[0].strip()
    return hosts[0] if hosts else b""


def given_request_id(headers: Sequence[Header]) -> str:
    """The request id a trusted proxy gave, "" when there is none that can be passed on."""
    for name, value in headers:
        if name == b"x-request-id":
            text = value.decode("latin-1").strip()
            if len(text) <= 128 and text.isascii() and text.isprintable():
                return text
    return ""


def new_request_id() -> str:
    """A random UUID in its usual form. It identifies, it protects nothing."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
