"""One serving process as its parent sees it."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Self

PLACE = "--place"


class Process:
    """A running process that serves the shared sockets. Made by `start`.

    Attributes:
        number: its place; kept by its successor.
        ready: set when it said that it is ready to work.
    """

    def __init__(self, number: int, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.ready = asyncio.Event()
        self._process = process
        self._channel = channel
        self._began = loop.time()
        loop.add_reader(channel, self._heard)

    @classmethod
    async def start(cls, number: int, counts: int, listeners: Sequence[socket.socket]) -> Self:
        """Starts a process of the same program and the present settings.

        Args:
            counts: descriptor of the memory with counts of connections.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        shared = [listener.fileno() for listener in listeners]
        place = f"{number}:{theirs.fileno()}:{counts}:{','.join(map(str, shared))}"
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "atoll", "start", PLACE, place),
                pass_fds=(theirs.fileno(), counts, *shared),
                # Ctrl-C in a terminal must reach only the parent, which then stops its children in order.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(number, process, ours)

    @property
    def pid(self) -> int:
        """Its process id, also after it ended."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """What it ended with (negative: the signal), None while it runs."""
        return self._process.returncode

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return asyncio.get_running_loop().time() - self._began

    @property
    def outcome(self) -> str:
        """How it ended, in words."""
        code = self.code
        if code is not None and code < 0:
            return f"by signal {signal.Signals(-code).name}"
        return f"with code {code}"

    async def ended(self) -> None:
        """Waits for its end, and lets go of it."""
        await self._process.wait()
        if self._channel.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()

    async def until_ready(self, seconds: float) -> bool:
        """Whether it said that it is ready, within so many seconds and before it ended."""
        ready = asyncio.ensure_future(self.ready.wait())
        ended = asyncio.ensure_future(self._process.wait())
        await asyncio.wait({ready, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, ended):
            task.cancel()
        return self.ready.is_set() and self.code is None

    def signal(self, kind: signal.Signals) -> None:
        """Sends a signal; nothing happens when it has ended."""
        if self.code is None:
            self._process.send_signal(kind)

    async def stop(self, seconds: float) -> bool:
        """Asks it to end, and kills it after so many seconds; whether it ended by itself."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await self.ended()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.ended()
            return False
        return True

    def _heard(self) -> None:
        try:
            said = self._channel.recv(64)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if said:
            self.ready.set()
        else:
            asyncio.get_running_loop().remove_reader(self._channel)
