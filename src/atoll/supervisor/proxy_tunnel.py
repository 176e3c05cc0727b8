"""Two connections joined: after an upgrade, bytes flow in both directions as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class TunnelEnd(asyncio.Protocol):
    """One end. What it receives is written to the other one, no faster than that takes it.

    When one side ends its sending direction the other side is told so and may still send (half-close). When a
    connection is lost the other one is ended too, after what was received has been written.
    """

    def __init__(self, transport: asyncio.Transport, on_end: Callable[[], None]) -> None:
        self.transport = transport
        self._on_end: Callable[[], None] | None = on_end
        self.other: TunnelEnd | None = None
        self.ended = False

    def join(self, other: TunnelEnd) -> None:
        """Connects two ends; call it on one of them."""
        self.other, other.other = other, self

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.other is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """See asyncio.Protocol."""
        self.ended = True
        other = self.other
        if other is None or other.ended or other.transport.is_closing():
            return False
        if not other.transport.can_write_eof():  # TLS has no half-close
            return False
        other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        other, self.other = self.other, None
        on_end, self._on_end = self._on_end, None
        if other is not None:
            other.other = None
            other.transport.close()
        if on_end is not None:
            on_end()

    def shutdown(self) -> None:
        """Ends both directions; what was received is still written."""
        self.transport.close()


def join(
    client: asyncio.Transport,
    upstream: asyncio.Transport,
    *,
    from_client: bytes,
    from_upstream: bytes,
    on_end: Callable[[], None],
) -> TunnelEnd:
    """Joins two connections and returns the client's end.

    Args:
        from_client, from_upstream: bytes that were already received.
        on_end: called when the client's connection has ended.
    """
    near = TunnelEnd(client, on_end)
    far = TunnelEnd(upstream, lambda: None)
    near.join(far)
    client.set_protocol(near)
    upstream.set_protocol(far)
    if from_upstream:
        client.write(from_upstream)
    if from_client:
        upstream.write(from_client)
    client.resume_reading()
    upstream.resume_reading()
    return near
