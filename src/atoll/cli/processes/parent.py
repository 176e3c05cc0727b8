"""The parent of several serving processes: it takes the address, and keeps as many of them as wanted.

It serves nothing itself and loads no application, so that hardly anything can end it. The listening sockets
stay open in it for as long as it lives: while a process is replaced, or was killed, new connections wait in
the same queue and the others take them.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Sequence

from atoll.cli.exits import CommandFailed, ExitCode
from atoll.cli.processes.process import Process
from atoll.gateway import listeners as listening
from atoll.gateway.shares import Shares
from atoll.lifecycle import BackgroundTasks

log = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A process that ran this long was healthy: the next one in its place starts at once.
HEALTHY_SECONDS = 10.0
FAILURES = 5
READY_SECONDS = 120.0
# Beyond SHUTDOWN_SECONDS, for what a process stops after its requests.
STOP_MARGIN_SECONDS = 30.0
HURRIED_STOP_SECONDS = 10.0


class Place:
    """A place to be filled with a process."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.failures = 0
        self.changing = asyncio.Lock()  # one at a time replaces its process


class Parent:
    """Keeps `count` processes on the given sockets.

    Args:
        sockets: listening; closed when the stop begins.
        shutdown_seconds: how long a process may wait for its requests when it stops.
    """

    def __init__(self, count: int, sockets: Sequence[socket.socket], shutdown_seconds: float) -> None:
        self._count = count
        self._sockets = list(sockets)
        self._shares = Shares.create()
        self._limit = shutdown_seconds + STOP_MARGIN_SECONDS
        self._places: list[Place] = []
        self._living: set[Process] = set()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._roll = asyncio.Event()
        self._failed: CommandFailed | None = None
        self._all_ready = False
        self._tasks = BackgroundTasks("processes")

    def ask_to_stop(self) -> None:
        """Begins the stop; asked again, nothing is waited for any more."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    def ask_to_roll(self) -> None:
        """Replaces all processes, one after the other; asked while it does, it does so again afterwards."""
        self._roll.set()

    async def run(self) -> None:
        """Runs until `ask_to_stop`; all processes have ended when this returns or raises.

        Raises CommandFailed when a process ends before all were ready, and when none can be kept running.
        """
        try:
            for number in range(1, self._count + 1):
                self._places.append(Place(await self._start(number)))
            for place in self._places:
                _ = self._tasks.spawn(f"keep {place.process.number}", self._keep(place))
            _ = self._tasks.spawn("ready", self._note_ready())
            _ = self._tasks.keep_running("roll", self._rolling)
            await self._stopping.wait()
        finally:
            await self._end()
        if self._failed is not None:
            raise self._failed

    # -- keeping

    async def _start(self, number: int) -> Process:
        self._living = {process for process in self._living if process.code is None}
        process = await Process.start(number, self._shares.descriptor, self._sockets)
        self._living.add(process)
        return process

    async def _note_ready(self) -> None:
        for place in self._places:
            await place.process.ready.wait()
        self._all_ready = True
        log.info("all processes ready", extra={"processes": self._count})

    async def _keep(self, place: Place) -> None:
        while True:
            process = place.process
            await process.ended()
            if place.process is not process:
                continue  # it was replaced and has stopped as it should
            self._shares.vacate(process.number)
            if not self._all_ready:
                self._give_up(process, "before all processes were ready")
                return
            place.failures = (
                0 if process.ready.is_set() and process.age > HEALTHY_SECONDS else place.failures + 1
            )
            if self._hopeless():
                self._give_up(process, f"like {FAILURES} before it, and no other is ready")
                return
            await self._replace_dead(place, process)

    def _hopeless(self) -> bool:
        return all(
            place.failures >= FAILURES
            and (place.process.code is not None or not place.process.ready.is_set())
            for place in self._places
        )

    async def _replace_dead(self, place: Place, process: Process) -> None:
        pause = min(FIRST_PAUSE * 2 ** (place.failures - 1), LONGEST_PAUSE) if place.failures else 0.0
        log.error(
            "a process ended and is started again",
            extra={"number": process.number, "pid": process.pid, "outcome": process.outcome, "pause": pause},
        )
        async with place.changing:
            if place.process is process:
                await asyncio.sleep(pause)
                place.process = await self._start(process.number)

    def _give_up(self, process: Process, when: str) -> None:
        code = process.code or 0
        known = next((each for each in ExitCode if each and each == code), ExitCode.CHILD_FAILED)
        self._failed = CommandFailed(
            known,
            f"Process {process.number} of {self._count} ended {process.outcome} {when}. "
            "Its last lines above say why.",
        )
        self._stopping.set()

    # -- replacing

    async def _rolling(self) -> None:
        await self._roll.wait()
        self._roll.clear()
        log.info("replacing all processes", extra={"processes": self._count})
        for place in self._places:
            async with place.changing:
                if not await self._replace(place):
                    return
        log.info("all processes were replaced", extra={"processes": self._count})

    async def _replace(self, place: Place) -> bool:
        old = place.process
        new = await self._start(old.number)
        if not await new.until_ready(READY_SECONDS):
            how = (
                f"ended {new.outcome}"
                if new.code is not None
                else f"was not ready within {READY_SECONDS:g} s"
            )
            log.error(
                "the new process failed; the old ones stay", extra={"number": new.number, "outcome": how}
            )
            await new.stop(HURRIED_STOP_SECONDS)
            return False
        place.process, place.failures = new, 0
        if not await old.stop(self._limit):
            log.error("a replaced process did not stop in time and was killed", extra={"pid": old.pid})
        return True

    # -- end

    async def _end(self) -> None:
        listening.close(self._sockets)
        await self._tasks.cancel_all()
        stops = [asyncio.ensure_future(process.stop(self._limit)) for process in self._living]
        hurry = asyncio.ensure_future(self._hurried())
        if stops:
            await asyncio.wait(stops)
        hurry.cancel()
        await asyncio.gather(hurry, return_exceptions=True)
        self._shares.close()

    async def _hurried(self) -> None:
        await self._hurry.wait()
        for process in self._living:
            process.signal(signal.SIGTERM)
        await asyncio.sleep(HURRIED_STOP_SECONDS)
        for process in self._living:
            process.signal(signal.SIGKILL)


async def run(count: int, host: str, port: int, shutdown_seconds: float) -> None:
    """Serves one address with `count` processes until SIGTERM or SIGINT.

    Raises PortTaken, CommandFailed.
    """
    parent = Parent(count, listening.listen(host, port), shutdown_seconds)
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(kind, parent.ask_to_stop)
    loop.add_signal_handler(signal.SIGHUP, parent.ask_to_roll)
    await parent.run()
    log.info("all processes stopped")
