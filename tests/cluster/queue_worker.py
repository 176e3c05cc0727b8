"""A process that works on a queue and notes on a file what it does. Run as a script by test_queue_faults.py.

An item's content says what to do: `quick`, `sleep <s>`, `hold` (until the test allows the end), `block <s>`
(holds the event loop), `die` (ends the process); anything after `|` is its name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from atoll.cluster.queue import Item, Queue, RedisQueue
from atoll.cluster.queue.rabbitmq import RabbitQueue
from atoll.cluster.redis import RedisConnection


def node(adapter: str, url: str, namespace: str, lease: float) -> tuple[Queue, RedisConnection | None]:
    """A node of the queue, and what is to be closed after it."""
    if adapter == "rabbitmq":
        return RabbitQueue(url, namespace), None
    connection = RedisConnection(url, namespace)
    return RedisQueue(connection, lease=lease), connection


async def main(adapter: str, url: str, namespace: str, lease: str, file: str, concurrency: str) -> None:
    log = Path(file)

    def note(event: str, item: Item | None = None) -> None:
        content = item.content.decode() if item is not None else ""
        line = json.dumps([event, content, os.getpid(), time.time()])
        with log.open("a") as out:  # one write: lines of several processes do not mix
            out.write(line + "\n")

    class Noted(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            note(f"{record.levelname.lower()}: {record.getMessage()}")

    logging.getLogger("atoll").addHandler(Noted(logging.WARNING))

    async def work(item: Item) -> None:
        note("start", item)
        what, _, seconds = item.content.decode().partition("|")[0].partition(" ")
        try:
            if what == "sleep":
                await asyncio.sleep(float(seconds))
            elif what == "hold":
                while not log.with_suffix(".release").exists():  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.05)
            elif what == "block":
                time.sleep(float(seconds))  # noqa: ASYNC251 - the fault
                await asyncio.sleep(0)
            elif what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        except asyncio.CancelledError:
            note("cancelled", item)
            raise
        note("done", item)

    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    queue, connection = node(adapter, url, namespace, float(lease))
    await queue.subscribe("jobs", work, concurrency=int(concurrency))
    note("ready")
    await stopping.wait()
    await queue.close()
    if connection is not None:
        await connection.close()
    note("stopped")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
