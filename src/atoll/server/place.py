"""The place of a server among several processes that serve one address (CLUSTER_MODE)."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from atoll.gateway.listeners import inherited
from atoll.gateway.readiness import Readiness
from atoll.gateway.server import Seat
from atoll.gateway.shares import Shares

log = logging.getLogger(__name__)
READY = b"ready\n"
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Place:
    """What the parent process gave this one.

    Args:
        control: the parent's end says nothing; its end tells that the parent is gone.
        seat: number (kept when the process is replaced), listening sockets, and counts of connections.
    """

    control: socket.socket
    seat: Seat

    @classmethod
    def parse(cls, text: str) -> Place:
        """From the command line: `number:control:counts:listeners,...`, descriptors but the first."""
        number, control, counts, descriptors = text.split(":")
        channel = socket.socket(fileno=int(control))
        channel.setblocking(False)
        channel.set_inheritable(False)
        os.set_inheritable(int(counts), False)
        sockets = inherited(int(each) for each in descriptors.split(","))
        return cls(channel, Seat(int(number), sockets, Shares(int(counts))))

    @property
    def number(self) -> int:
        """1, 2, ..."""
        return self.seat.place

    def watch_parent(self, gone: Callable[[], None]) -> None:
        """Calls `gone` when the parent process has ended: nobody would ever stop this one."""
        asyncio.get_running_loop().add_reader(self.control, self._heard, gone)

    async def tell_ready(self, readiness: Readiness) -> None:
        """Tells the parent as soon as this process can work."""
        while not await readiness.well():  # noqa: ASYNC110 - its checks give no event to wait for
            await asyncio.sleep(LOOK_SECONDS)
        try:
            self.control.send(READY)
        except OSError as error:
            log.warning("the parent process does not listen", extra={"reason": str(error)})

    def _heard(self, gone: Callable[[], None]) -> None:
        try:
            said = self.control.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            asyncio.get_running_loop().remove_reader(self.control)
            log.error("the parent process is gone; this one stops")
            gone()
