"""The connections to one environment: proven before use, kept for a while, dropped when in doubt."""

from __future__ import annotations

import asyncio
import socket
import ssl

from atoll.errors import EnvironmentUnavailable
from atoll.supervisor.proxy_head import AnswerHead, Header
from atoll.supervisor.proxy_identity import IDENTITY_PATH, Prover, check_identity, new_nonce, proof_line
from atoll.supervisor.proxy_limits import ProxyLimits
from atoll.supervisor.proxy_upstream import Reply, Upstream
from atoll.supervisor.routing import Target

ANSWER_LIMIT = 16_384


class Pool:
    """Connections to one target.

    Args:
        prover: proves to the environment that this is the Supervisor's proxy; None proves nothing.
    """

    def __init__(self, target: Target, limits: ProxyLimits, prover: Prover | None = None) -> None:
        self.target = target
        self.base = target.address.base.encode("latin-1")
        self._limits = limits
        self._prover = prover
        self._idle: list[Upstream] = []
        self._open: set[Upstream] = set()
        self._loop = asyncio.get_running_loop()
        self._tls = ssl.create_default_context() if target.address.scheme == "https" else None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def idle(self) -> int:
        """How many connections wait for work."""
        return len(self._idle)

    def take(self) -> Upstream | None:
        """The connection that was used last, or None when none is kept."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def connect(self) -> Upstream:
        """A new connection whose other end has proven to be the target.

        Raises:
            EnvironmentUnavailable: refused, too slow, or answered by somebody else.
        """
        address = self.target.address
        connection = Upstream(self)
        self._open.add(connection)
        try:
            async with asyncio.timeout(self._limits.connect):
                await self._loop.create_connection(
                    lambda: connection, address.host, address.port, ssl=self._tls
                )
                keep_alive(connection.transport)
                await self._prove(connection)
        except (OSError, TimeoutError) as error:
            connection.drop()
            raise EnvironmentUnavailable(
                f"Environment {self.target.environment} cannot be reached. It may be restarting; try again.",
                detail=f"{address}: {error!r}",
            ) from error
        except BaseException:
            connection.drop()
            raise
        return connection

    def put(self, connection: Upstream) -> None:
        """Keeps a connection that is ready for the next request."""
        if len(self._idle) >= self._limits.kept_per_target or connection not in self._open:
            connection.drop()
            return
        connection.idle_since = self._loop.time()
        self._idle.append(connection)

    def forget(self, connection: Upstream) -> None:
        """The connection is gone or serves other ends now."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def expire(self, now: float) -> None:
        """Ends connections that were not used for too long."""
        oldest = now - self._limits.kept
        for connection in [entry for entry in self._idle if entry.idle_since < oldest]:
            connection.drop()

    def close(self) -> None:
        """Ends all connections."""
        for connection in tuple(self._open):
            connection.drop()

    async def _prove(self, connection: Upstream) -> None:
        nonce = new_nonce()
        answer = _Answer(self._loop)
        connection.begin(answer)
        address = self.target.address
        connection.transport.write(
            f"GET {address.base}{IDENTITY_PATH}?nonce={nonce} HTTP/1.1\r\n"
            f"host: {address.host}:{address.port}\r\naccept: application/json\r\n\r\n".encode("latin-1")
        )
        body = await answer.complete
        to_sign = check_identity(self.target, nonce, body)
        if self._prover is not None:
            connection.proof = proof_line(self._prover, to_sign)
        if not answer.reusable:
            raise ConnectionError("the connection is closed after each request")


class _Answer(Reply):
    """A small answer taken as a whole."""

    bodyless = upgradable = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.complete: asyncio.Future[bytes] = loop.create_future()
        self.reusable = False
        self._body = b""

    def informational(self, head: AnswerHead) -> None:
        """Nothing to do."""

    def head(self, head: AnswerHead) -> None:
        """The status says nothing that the proof in the body does not say better."""

    def piece(self, data: bytes) -> None:
        """Collects the body."""
        self._body += data
        if len(self._body) > ANSWER_LIMIT:
            raise ValueError("too long for an identity")

    def flush(self) -> None:
        """Nothing to do."""

    def end(self, trailers: list[Header], *, reusable: bool) -> None:
        """Wakes up who waits."""
        self.reusable = reusable
        if not self.complete.done():
            self.complete.set_result(self._body)

    def upgraded(self, rest: bytes) -> None:
        """Cannot happen: `upgradable` is False."""

    def broken(self, error: Exception | None) -> None:
        """Wakes up who waits."""
        if not self.complete.done():
            self.complete.set_exception(ConnectionError(str(error or "closed before an answer")))

    def upstream_full(self) -> None:
        """Nothing more is sent."""

    def upstream_ready(self) -> None:
        """Nothing more is sent."""


def keep_alive(transport: asyncio.Transport) -> None:
    """Lets the system notice a peer that vanished without a word (about two minutes)."""
    found = transport.get_extra_info("socket")
    if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
