"""Collects what is to be written and writes it in one go, when all that has arrived has been looked at.

Writing to a socket wakes the process at its other end. When many answers come in together, writing each one
at once lets that process fall asleep in between and be woken again, which costs more than the writing itself.
"""

from __future__ import annotations

import asyncio


class Outbox:
    """The writes of one event loop that wait for the end of the present round of events."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Writes `data` at the end of this round, after all that was given before.

        Until then nothing may be written to `transport` past the outbox; call `flush` before.
        """
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Writes everything now."""
        waiting = self._waiting
        if waiting:
            self._waiting = []
            for transport, data in waiting:
                if not transport.is_closing():
                    transport.write(data)
