"""What all connections of one server share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from atoll.errors import ServerFull
from atoll.gateway.decision import Switchboard
from atoll.gateway.errors import error_json
from atoll.supervisor.access_proxy import AccessProxy
from atoll.supervisor.proxy_identity import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Times in seconds, sizes in bytes.

    Args:
        connections: client connections at the same time; more are answered 503 and closed.
        head: until a request's head is complete (also the first one of a connection).
        head_size: of a request's head.
        body: between two pieces of a request's body.
        idle: between two requests of a connection.
        send: in which a client must take at least something of what it is sent.
        hold: how long a request for an app that is starting waits for it.
        hold_page: the same for a page, which has a waiting page to show.
    """

    connections: int = 10_000
    head: float = 15.0
    head_size: int = 65_536
    body: float = 60.0
    idle: float = 75.0
    send: float = 120.0
    hold: float = 30.0
    hold_page: float = 1.0


def _full_answer() -> bytes:
    body = error_json(
        ServerFull("The server has as many connections as it may have. Try again in a few seconds.")
    )
    return (
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json; charset=utf-8\r\n"
        b"content-length: %d\r\nretry-after: 5\r\nconnection: close\r\n\r\n%b" % (len(body), body)
    )


@dataclass(slots=True)
class Edge:
    """Shared by all connections of one server.

    Args:
        signer: the environment of this server, None when it is none.
    """

    switchboard: Switchboard
    proxy: AccessProxy
    limits: EdgeLimits
    signer: Signer | None = None
    draining: bool = False
    turned_away: int = 0
    full_answer: bytes = field(default_factory=_full_answer)

    def lower_connections(self, most: int) -> None:
        """Allows fewer client connections than configured."""
        self.limits = replace(self.limits, connections=most)
