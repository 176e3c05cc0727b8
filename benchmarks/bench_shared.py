"""What instances share: cache, locks and messages on Redis, beside bare commands of the same Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from atoll.cluster.cache import Cache, LayeredCache, MemoryCache, RedisCache
from atoll.cluster.lock import RedisLock
from atoll.cluster.pubsub import Gap, RedisPubSub
from atoll.cluster.redis import RedisConnection
from benchmarks.measure import Result, at_most, rate, ratio

GROUP = "Shared by instances"
KEYS = 100
READS_PER_CHANGE = 50
BATCH = 50
VALUE = {"id": 1, "title": "x" * 100}


Act = Callable[[], Awaitable[object]]


async def run(redis_url: str, *, rounds: int, seconds: float) -> list[Result]:
    """Two connections stand for two instances. All is measured in turn, so that a busy moment hits all."""
    async with AsyncExitStack() as stack:
        one, two = RedisConnection(redis_url, "bench"), RedisConnection(redis_url, "bench")
        memory, far = MemoryCache(KEYS), RedisCache(one)
        near = LayeredCache(RedisCache(one), RedisPubSub(one), KEYS)
        changing = LayeredCache(RedisCache(two), RedisPubSub(two), KEYS)
        lock, node, other = RedisLock(one), RedisPubSub(one), RedisPubSub(two)
        for part in (two, one, memory, near, changing, lock, node, other):
            stack.push_async_callback(part.close)
        await memory.set("k0", VALUE)
        await changing.mset({f"k{number}": VALUE for number in range(KEYS)})
        rates = {
            "bare GET": lambda: one.client.get("bench:cache::value:k0"),
            "get, in memory": lambda: memory.get("k0"),
            "get, in Redis": lambda: far.get("k0"),
            "get, memory before Redis": lambda: near.get("k0"),
            "lock taken and released": lambda: _turn(lock),
        }
        times = {"bare PING": one.client.ping, "message to another instance": await _sending(node, other)}
        rated: dict[str, list[float]] = {name: [] for name in rates}
        timed: dict[str, list[float]] = {name: [] for name in times}
        hits = []
        for _ in range(rounds):
            for name, act in rates.items():
                rated[name].append(await _rate(act, seconds))
            for name, act in times.items():
                timed[name].append(await _milliseconds(act))
            hits.append(await _hit_rate(one, near, changing, seconds))
        name = (
            f"reads answered from memory, while another instance changes a key every {READS_PER_CHANGE} reads"
        )
        return [
            *_beside([rate(GROUP, name, samples, "/s") for name, samples in rated.items()]),
            rate(GROUP, name, hits, "%"),
            *_beside([at_most(GROUP, name, samples, "ms") for name, samples in timed.items()]),
        ]


def _beside(results: list[Result]) -> list[Result]:
    """Each after the first with its ratio to the first."""
    floor = results[0]
    ratios = [[each, ratio(GROUP, f"{each.name}, beside {floor.name}", each, floor)] for each in results[1:]]
    return [floor, *(line for pair in ratios for line in pair)]


async def _turn(lock: RedisLock) -> None:
    await (await lock.acquire("bench", 10.0)).release()


async def _sending(node: RedisPubSub, other: RedisPubSub) -> Act:
    """Sends one and waits until it is there."""
    came = asyncio.Event()

    async def hear(_message: bytes | Gap) -> None:
        came.set()

    async def send() -> None:
        came.clear()
        await other.publish("bench", b"x" * 100)
        await came.wait()

    await node.subscribe("bench", hear)
    return send


async def _hit_rate(one: RedisConnection, layered: Cache, changing: Cache, seconds: float) -> float:
    """How many reads of all did not become a question to Redis, in percent."""
    before = await _questions(one)
    reads, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        await changing.set(f"k{reads // READS_PER_CHANGE % KEYS}", {"id": reads})
        for _ in range(READS_PER_CHANGE):
            reads += 1
            await layered.get(f"k{reads % KEYS}")
        await asyncio.sleep(0)
    return 100 * (1 - (await _questions(one) - before) / reads)


async def _questions(connection: RedisConnection) -> int:
    stats = await connection.client.info("commandstats")
    return int(stats.get("cmdstat_get", {}).get("calls", 0))


async def _rate(act: Act, seconds: float) -> float:
    """How often per second, one after the other."""
    await act()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(BATCH):
            await act()
        done += BATCH
    return done / (time.perf_counter() - began)


async def _milliseconds(act: Act) -> float:
    """Of one, the mean of many."""
    await act()
    began = time.perf_counter()
    for _ in range(BATCH * 4):
        await act()
    return (time.perf_counter() - began) / (BATCH * 4) * 1000
