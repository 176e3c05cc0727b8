"""What is to become of one request: the app it is for, where that app is, and who asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from uuid import uuid4

from msgspec import Struct

from atoll.errors import AtollError, HostUnknown, RequestsNotServed
from atoll.gateway.resolver import API_KIND, MAIN, Kind, Resolved, read_path, resolve
from atoll.supervisor.proxy_head import AFFINITY_COOKIE, Notable, first_of
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import Forward, Route, Router, Target, Unavailable, normal_host

DECISION = "atoll.decision"
"""Key of the ASGI scope under which the protocol hands its decision to the gateway's ASGI app."""
REQUEST_ID = re.compile(rb"[!-~]{1,128}")
REMEMBERED_PATHS = 2048
REMEMBERED_LENGTH = 256  # of a path in bytes, so that nobody can fill the memory with long ones
ANSWERED_ALWAYS = frozenset({Kind.HEALTH, Kind.READY, Kind.IDENTITY})
SERVED_HERE = frozenset({Kind.READY, Kind.IDENTITY, Kind.ASSET})


class Decision(Struct):
    """The answer to "what now?" for one request.

    Args:
        route: where the app is; None when this server itself answers (readiness, identity, assets).
        request_id: sent to the app and with the answer.
        trusted: whether what the request says about where it came from is believed.
        proven: whether that is because the Supervisor's access proxy has proven itself.
        challenge: for a peer that asks for this environment's identity, see `proxy_identity`.
    """

    resolved: Resolved
    route: Route | None
    request_id: bytes
    trusted: bool = False
    proven: bool = False
    challenge: str = ""


class Switchboard:
    """Decides for each request, in memory only and without waiting.

    Args:
        serves_requests: whether it answers more than questions about its health and identity.
        hosts: names under which this server may be addressed, besides custom domains of apps. Empty: any.
    """

    def __init__(
        self,
        router: Router,
        trusted: TrustedProxies,
        hosts: Sequence[str] = (),
        *,
        serves_requests: bool = True,
    ) -> None:
        self.router = router
        self.trusted = trusted
        self._serves_requests = serves_requests
        self._hosts = frozenset(normal_host(host) for host in hosts)
        # Ids are UUIDs whose last part counts: unique, cheap, and neighbours are seen to be neighbours.
        self._request_ids = str(uuid4())[:24].encode("ascii")
        self._numbers = count(1)
        # What a path says never changes, and most requests are for few paths.
        self._by_path = lru_cache(REMEMBERED_PATHS)(read_path)

    def decide(self, path: bytes, query: bytes, notable: Notable, host: bytes, *, trusted: bool) -> Decision:
        """What is to become of a request.

        Errors in the request itself come as an `Unavailable` route for the main app, so that they are
        answered like any other.

        Args:
            notable: the headers that mean something.
            host: of the request target's absolute form; b"" when it had none.
            trusted: whether the other end of the connection is a trusted proxy or the proven Supervisor.
        """
        request_id = b""
        if trusted:
            request_id = given_request_id(notable)
            host = host or first_of(notable, b"x-hostname", b"x-forwarded-host")
        request_id = request_id or b"%b%012x" % (self._request_ids, next(self._numbers))
        host = host or notable.get(b"host", b"")
        resolved: Resolved | None = None
        try:
            by_path = self._by_path if len(path) <= REMEMBERED_LENGTH else read_path
            resolved = resolve(path, query, notable, host, self.router.app_by_host, by_path)
            if self._hosts and not resolved.chosen and normal_host(host.decode("latin-1")) not in self._hosts:
                raise HostUnknown("This server does not answer under this host name. Check the address.")
            kind = resolved.kind
            if not self._serves_requests and kind not in ANSWERED_ALWAYS:
                raise RequestsNotServed(
                    "This instance only works in the background. Send requests to another one, or change its "
                    "WORKER_MODE."
                )
            if kind is not API_KIND and (
                kind in SERVED_HERE or (kind is Kind.HEALTH and not resolved.chosen)
            ):
                return Decision(resolved, None, request_id, trusted)
            route = self.router.route(resolved.app, resolved.environment)
            return Decision(resolved, route, request_id, trusted)
        except AtollError as error:
            if resolved is None:
                kind = API_KIND if path.startswith(b"/api/") else Kind.PAGE
                resolved = Resolved(MAIN, None, kind, path, query, "", False)
            return Decision(resolved, Unavailable(resolved.app, error), request_id, trusted)


def ordered_targets(forward: Forward, notable: Notable) -> tuple[tuple[Target, ...], str]:
    """The targets with the one the affinity cookie names first, and that name ("" without a cookie)."""
    if len(forward.targets) < 2:
        return forward.targets, ""
    wanted = cookie(notable, AFFINITY_COOKIE + forward.app.encode()).decode("latin-1")
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


def cookie(notable: Notable, name: bytes) -> bytes:
    """The value of the first cookie of that name, b"" when there is none."""
    value = notable.get(b"cookie", b"")
    if name in value:
        for part in value.split(b";"):
            key, _, content = part.strip().partition(b"=")
            if key == name:
                return content
    return b""


def given_request_id(notable: Notable) -> bytes:
    """The request id a trusted proxy gave, b"" when there is none that can be passed on."""
    text = notable.get(b"x-request-id", b"").strip()
    return text if REQUEST_ID.fullmatch(text) else b""
