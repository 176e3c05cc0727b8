"""The queue: items through, and how soon one begins, beside taskiq on the same broker.

Both run in this process with the same concurrency and an empty handler; taskiq uses its brokers that
acknowledge (Redis streams, RabbitMQ), as the queue does. Measured is a flood that is published while it is
worked on, and the time from publishing one item on an idle queue until its handler runs.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.receiver import Receiver
from taskiq_aio_pika import AioPikaBroker
from taskiq_redis import RedisStreamBroker

from atoll.cluster.queue import Item, MemoryQueue, Queue, RedisQueue
from atoll.cluster.queue.rabbitmq import RabbitQueue
from atoll.cluster.redis import RedisConnection
from atoll.testing.rabbitmq import rabbitmq_server
from benchmarks.measure import Result, at_most, rate, ratio

CONCURRENCY = 50
PUBLISHERS = 20
SINGLES = 100
STOP_SECONDS = 5.0
PAYLOAD = b"x" * 200


class Side:
    """One implementation: how to publish, and a count of what was begun."""

    def __init__(self, publish: Callable[[bytes], Awaitable[object]]) -> None:
        self.publish = publish
        self.begun = 0
        self.changed = asyncio.Event()

    def begin(self) -> None:
        """Called by the handler."""
        self.begun += 1
        self.changed.set()

    async def until(self, count: int) -> None:
        """Waits for that many."""
        while self.begun < count:
            self.changed.clear()
            await self.changed.wait()


Opened = Callable[[], AbstractAsyncContextManager[Side]]


async def run(redis_url: str, *, rounds: int, items: int) -> list[Result]:
    """All brokers."""
    results = await _compare("memory", lambda: _atoll(_memory), None, rounds, items)
    results += await _compare(
        "Redis", lambda: _atoll(lambda: _redis(redis_url)), lambda: _taskiq_redis(redis_url), rounds, items
    )
    with rabbitmq_server() as rabbit:
        results += await _compare(
            "RabbitMQ",
            lambda: _atoll(lambda: _rabbit(rabbit.url)),
            lambda: _taskiq_rabbit(rabbit.url),
            rounds,
            items,
        )
    return results


async def _compare(name: str, own: Opened, peer: Opened | None, rounds: int, items: int) -> list[Result]:
    """Rounds of both sides take turns, so that whatever else the machine does meets both."""
    sides = {"Atoll": own} if peer is None else {"Atoll": own, "taskiq": peer}
    floods: dict[str, list[float]] = {side: [] for side in sides}
    singles: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, opened in sides.items():
            async with opened() as running:
                floods[side].append(await _flood(running, items))
                singles[side].append(await _single(running))
    group = f"Queue: {name}"
    through = {side: rate(group, f"{side}, items", samples, "items/s") for side, samples in floods.items()}
    begins = {side: at_most(group, f"{side}, one begins", some, "ms") for side, some in singles.items()}
    results = [*through.values(), *begins.values()]
    if peer is not None:
        results.append(ratio(group, "items, to taskiq", through["Atoll"], through["taskiq"]))
        results.append(ratio(group, "time until one begins, to taskiq", begins["Atoll"], begins["taskiq"]))
    return results


async def _flood(side: Side, items: int) -> float:
    await side.publish(PAYLOAD)
    await side.until(1)
    began = time.perf_counter()

    async def some() -> None:
        for _ in range(items // PUBLISHERS):
            await side.publish(PAYLOAD)

    wanted = side.begun + items // PUBLISHERS * PUBLISHERS
    await asyncio.gather(*(some() for _ in range(PUBLISHERS)))
    async with asyncio.timeout(120):
        await side.until(wanted)
    return (wanted - 1) / (time.perf_counter() - began)


async def _single(side: Side) -> float:
    took = []
    for _ in range(SINGLES):
        began = time.perf_counter()
        wanted = side.begun + 1
        await side.publish(PAYLOAD)
        await side.until(wanted)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


@asynccontextmanager
async def _atoll(opened: Callable[[], AbstractAsyncContextManager[Queue]]) -> AsyncIterator[Side]:
    async with opened() as queue:
        side = Side(lambda content: queue.publish("bench", content))

        async def handler(_: Item) -> None:
            side.begin()

        await queue.subscribe("bench", handler, concurrency=CONCURRENCY)
        yield side
        await queue.close()


@asynccontextmanager
async def _memory() -> AsyncIterator[Queue]:
    yield MemoryQueue()


@asynccontextmanager
async def _redis(url: str) -> AsyncIterator[Queue]:
    connection = RedisConnection(url, f"bench-{secrets.token_hex(4)}")
    yield RedisQueue(connection)
    await connection.close()


@asynccontextmanager
async def _rabbit(url: str) -> AsyncIterator[Queue]:
    yield RabbitQueue(url, f"bench-{secrets.token_hex(4)}")


def _taskiq_redis(url: str) -> AbstractAsyncContextManager[Side]:
    name = f"bench-{secrets.token_hex(4)}"
    return _taskiq(RedisStreamBroker(url, queue_name=name, consumer_group_name=name))


def _taskiq_rabbit(url: str) -> AbstractAsyncContextManager[Side]:
    return _taskiq(AioPikaBroker(url, qos=CONCURRENCY))


@asynccontextmanager
async def _taskiq(broker: AsyncBroker) -> AsyncIterator[Side]:
    async def handler(content: str) -> None:
        side.begin()

    task = broker.register_task(handler, task_name="bench")
    text = PAYLOAD.decode()
    side = Side(lambda _: task.kiq(text))
    broker.is_worker_process = True  # both ends are in this process
    await broker.startup()
    receiver = Receiver(
        broker, run_startup=False, max_async_tasks=CONCURRENCY, ack_type=AcknowledgeType.WHEN_EXECUTED
    )
    finish = asyncio.Event()
    listening = asyncio.create_task(receiver.listen(finish))
    try:
        yield side
    finally:
        finish.set()
        await asyncio.wait([listening], timeout=STOP_SECONDS)
        listening.cancel()
        await asyncio.wait([listening], timeout=STOP_SECONDS)
        await broker.shutdown()
