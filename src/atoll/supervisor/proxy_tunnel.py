"""Two connections joined: after an upgrade to WebSocket, bytes flow in both directions as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SERVICE_RESTART = 1012
GOING_AWAY = 1001


class FrameBoundary:
    """Follows WebSocket frames only far enough to know whether one has just ended."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0  # bytes of payload that are still to come

    @property
    def reached(self) -> bool:
        """Whether a frame of our own could follow here."""
        return not self._left and not self._head

    def feed(self, data: bytes) -> None:
        """More bytes of the stream."""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                step = min(self._left, size - at)
                self._left -= step
                at += step
                continue
            wanted = self._wanted() - len(self._head)
            self._head += data[at : at + wanted]
            at += wanted
            if len(self._head) >= 2 and len(self._head) == self._wanted():
                self._left = self._length()
                self._head = b""

    def _wanted(self) -> int:
        """Length of the frame's head as far as it is known."""
        if len(self._head) < 2:
            return 2
        masked, short = self._head[1] & 0x80, self._head[1] & 0x7F
        return 2 + {126: 2, 127: 8}.get(short, 0) + (4 if masked else 0)

    def _length(self) -> int:
        short = self._head[1] & 0x7F
        extended = {126: self._head[2:4], 127: self._head[2:10]}.get(short)
        return short if extended is None else int.from_bytes(extended, "big")


class TunnelEnd(asyncio.Protocol):
    """One end. What it receives is written to the other one, no faster than that takes it.

    When one side ends its sending direction the other side is told so and may still send (half-close). When a
    connection is lost the other one is ended too, after what was received has been written.
    """

    def __init__(self, transport: asyncio.Transport, on_end: Callable[[], None]) -> None:
        self.transport = transport
        self.other: TunnelEnd | None = None
        self.ended = False
        self.written = FrameBoundary()
        self._on_end: Callable[[], None] | None = on_end

    def join(self, other: TunnelEnd) -> None:
        """Connects two ends; call it on one of them."""
        self.other, other.other = other, self

    def write(self, data: bytes) -> None:
        """Sends bytes that came from the other end."""
        self.written.feed(data)
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.other is not None:
            self.other.write(data)

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

    def shutdown(self, code: int = SERVICE_RESTART) -> None:
        """Says goodbye with a close code, if no frame is under way, and ends both directions."""
        if self.written.reached and not self.transport.is_closing():
            self.transport.write(b"\x88\x02" + code.to_bytes(2, "big"))
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
        near.write(from_upstream)
    if from_client:
        far.write(from_client)
    client.resume_reading()
    upstream.resume_reading()
    return near
