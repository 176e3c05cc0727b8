"""A load balancer for tests: one address, each new connection to the next server that takes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from atoll.lifecycle import end_tasks
from atoll.testing.processes import eventually, free_port


class Balancer:
    """Passes bytes on. `url` may be used before it listens."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.targets: Sequence[int] = ()
        self._next = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: Counter[int] = Counter()

    @contextlib.asynccontextmanager
    async def listening(self, ports: Sequence[int]) -> AsyncIterator[None]:
        """Listens during the block."""
        self.targets = ports
        server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()
            await end_tasks(self._tasks)
            await asyncio.sleep(0)  # aborted transports end in the next turn of the loop

    async def drained(self, port: int) -> None:
        """Waits until no connection to that server is left."""

        async def none() -> bool:
            return not self._open[port]

        await eventually(none, within=30, what=f"connections to {port} have ended", every=0.01)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.targets:
            self._next += 1
            port = self.targets[self._next % len(self.targets)]
            with contextlib.suppress(ConnectionError):
                await self._pass_on(reader, writer, port)
                return

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        self._open[port] += 1
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._open[port] -= 1
            far_writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
