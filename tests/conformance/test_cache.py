"""The cache suite in memory, on Redis without and with its Bloom filter module, and layered."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from atoll.cluster.cache import Cache, LayeredCache, MemoryCache, RedisCache
from atoll.cluster.pubsub import Gap, RedisPubSub
from atoll.cluster.redis import RedisConnection
from atoll.errors import BloomFilterMissing, RedisFull, RedisUnavailable
from atoll.testing.conformance.cache import INSTANCES, PATIENCE, CacheConformance, Filling, sees
from atoll.testing.faults import relay
from atoll.testing.processes import eventually
from atoll.testing.services import RedisServer, redis_server

LEASE = 1.0


@asynccontextmanager
async def connections(url: str, namespace: str, number: int) -> AsyncIterator[list[RedisConnection]]:
    async with AsyncExitStack() as stack:
        made = [RedisConnection(url, namespace) for _ in range(number)]
        for connection in made:
            stack.push_async_callback(connection.close)
        yield made


@pytest.fixture
async def ways(redis_url: str, redis_connection: RedisConnection) -> AsyncIterator[list[RedisConnection]]:
    """One for each process."""
    async with connections(redis_url, redis_connection.namespace, INSTANCES) as made:
        yield made


async def redis_caches(ways: Sequence[RedisConnection]) -> AsyncIterator[list[Cache]]:
    made: list[Cache] = [RedisCache(way, lease=LEASE) for way in ways]
    yield made
    for cache in made:
        await cache.close()


class TestMemoryCache(CacheConformance):
    @pytest.fixture
    async def caches(self) -> AsyncIterator[list[Cache]]:
        root = MemoryCache(10_000)
        yield [root.scope("all") for _ in range(INSTANCES)]
        await root.close()


class TestRedisCache(CacheConformance):
    @pytest.fixture
    async def caches(self, ways: list[RedisConnection]) -> AsyncIterator[list[Cache]]:
        async for made in redis_caches(ways):
            yield made


class TestRedisCacheWithModule(CacheConformance):
    @pytest.fixture
    async def caches(self, redis_with_bloom: RedisServer) -> AsyncIterator[list[Cache]]:
        async with connections(redis_with_bloom.url, f"t{time.monotonic_ns()}", INSTANCES) as ways:
            async for made in redis_caches(ways):
                yield made

    async def test_the_module_is_used(self, caches: list[Cache], redis_with_bloom: RedisServer) -> None:
        await caches[0].scope("used").blooms.reserve("f")
        async with connections(redis_with_bloom.url, "t", 1) as ways:
            keys = [key async for key in ways[0].client.scan_iter(match="*used*:data:f")]
            assert [await ways[0].client.type(key) for key in keys] == [b"MBbloom--"]


class TestLayeredCache(CacheConformance):
    @pytest.fixture
    async def caches(self, ways: list[RedisConnection]) -> AsyncIterator[list[Cache]]:
        made: list[Cache] = [
            LayeredCache(RedisCache(way, lease=LEASE), RedisPubSub(way), 10_000) for way in ways
        ]
        yield made
        for cache in made:
            await cache.close()


@pytest.fixture
def own_redis(redis_url: str) -> Iterator[RedisServer]:
    """One that may be hurt; `redis_url` has made sure that there is a program for it."""
    with redis_server() as server:
        yield server


async def count(server: RedisServer, command: str) -> int:
    """How often Redis was asked for something so far."""
    async with connections(server.url, "t", 1) as ways:
        found = await ways[0].client.info("commandstats")
        return int(found.get(f"cmdstat_{command}", {}).get("calls", 0))


@pytest.mark.anyio
async def test_memory_keeps_what_was_used_last() -> None:
    cache = MemoryCache(3)
    for key in ("a", "b", "c"):
        await cache.set(key, key)
    await cache.get("a")
    await cache.scope("other").set("d", "d")
    await cache.set("e", "e")
    assert await cache.mget(["a", "b", "c", "e"]) == {"a": "a", "c": "c", "e": "e"}
    for number in range(5):
        await cache.counters.increment(str(number), ttl=60)
    assert [await cache.counters.get(str(number)) for number in range(5)] == [0, 0, 1, 1, 1]


@pytest.mark.anyio
async def test_a_scope_that_all_have_closed_leaves_memory() -> None:
    cache = MemoryCache(10)
    scope, again = cache.scope("one"), cache.scope("one")
    await scope.set("a", 1)
    await scope.close()
    assert await cache.scope("one").get("a") == 1
    await again.close()
    await cache.close()
    assert await cache.scope("one").get("a") is None


@pytest.mark.anyio
async def test_what_is_near_costs_no_round_trip(own_redis: RedisServer) -> None:
    async with connections(own_redis.url, "t", 1) as (way,):
        cache = LayeredCache(RedisCache(way), RedisPubSub(way), 10)
        await cache.mset({"a": 1, "b": 2})
        await cache.mget(["a", "b"])
        before = await count(own_redis, "get")
        for _ in range(100):
            assert await cache.get("a") == 1
            assert await cache.mget(["a", "b"]) == {"a": 1, "b": 2}
            assert await cache.wrap("b", Filling()) == 2
        assert await count(own_redis, "get") == before
        await cache.close()


@pytest.mark.anyio
async def test_a_change_announced_during_a_read_is_not_forgotten(own_redis: RedisServer) -> None:
    """The old value is on its way from Redis while its change is announced: it must not be remembered."""
    async with connections(own_redis.url, "t", 2) as (way, far_way):
        cache = LayeredCache(RedisCache(way), RedisPubSub(way), 10)
        other = LayeredCache(RedisCache(far_way), RedisPubSub(far_way), 10)
        await other.set("a", "old")
        looking, hearing, heard = cache._far.look, cache._hear, asyncio.Event()

        async def hear(message: bytes | Gap) -> None:
            await hearing(message)
            heard.set()

        async def slow(keys: list[str]) -> dict[str, tuple[bytes, float]]:
            found = await looking(keys)
            await other.set("a", "new")
            async with asyncio.timeout(PATIENCE):
                await heard.wait()
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cache, "_hear", hear)
            patch.setattr(cache._far, "look", slow)
            assert await cache.get("a") == "old"
        assert await cache.get("a") == "new"
        await cache.close()
        await other.close()


@pytest.mark.anyio
async def test_lost_messages_empty_the_memory(own_redis: RedisServer) -> None:
    async with connections(own_redis.url, "t", 2) as (way, far_way):
        node = RedisPubSub(way)
        cache, other = LayeredCache(RedisCache(way), node, 10, near=3600), RedisCache(far_way)
        await cache.set("a", "old")
        assert await cache.get("a") == "old"
        await other.set("a", "new")  # nobody announces it
        assert await cache.get("a") == "old"
        await cache._hear(Gap())
        assert await cache.get("a") == "new"
        await cache.close()


@pytest.mark.anyio
async def test_what_no_message_tells_is_seen_in_time(own_redis: RedisServer) -> None:
    async with connections(own_redis.url, "t", 2) as (way, far_way):
        cache = LayeredCache(RedisCache(way), RedisPubSub(way), 10, near=0.2)
        await cache.set("a", "old")
        assert await cache.get("a") == "old"
        await RedisCache(far_way).set("a", "new")
        await sees(cache, "a", "new")
        await cache.close()


@pytest.mark.anyio
async def test_without_redis_reads_find_nothing_and_changes_fail(own_redis: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        cable = await stack.enter_async_context(relay(own_redis.host, own_redis.port))
        url = f"redis://127.0.0.1:{cable.listen_port}"
        (way,) = await stack.enter_async_context(connections(url, "t", 1))
        for cache in (RedisCache(way), LayeredCache(RedisCache(way), RedisPubSub(way), 10)):
            await cache.set("a", 1)
            cable.silence()
            asked = time.monotonic()
            filling = Filling("filled")
            filling.go_on.set()
            assert await cache.get("a", "nothing") == "nothing"
            assert await cache.mget(["b"]) == {}
            assert await cache.ttl("b") is None
            assert await cache.wrap("b", filling) == "filled"
            for _ in range(50):
                assert await cache.get("b", "nothing") == "nothing"
            assert time.monotonic() - asked < PATIENCE, "50 reads do not wait 50 times"
            cable.refuse()
            for change in (cache.set("a", 2), cache.delete("a"), cache.reset()):
                with pytest.raises(RedisUnavailable):
                    await change
            cable.heal()

            async def back(cache: Cache = cache) -> bool:
                try:
                    return await cache.set("a", 3)
                except RedisUnavailable:
                    return False

            await eventually(back, within=PATIENCE, what="the cache works again")
            await sees(cache, "a", 3)
            await cache.close()


@pytest.mark.anyio
async def test_a_full_redis_stores_nothing_and_says_so(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with connections(own_redis.url, "t", 1) as (way,):
        cache = RedisCache(way)
        await cache.mset({"a": "old", "b": "kept"})
        await way.client.config_set("maxmemory-policy", "noeviction")
        await way.client.config_set("maxmemory", 1)
        assert not await cache.set("a", "new")
        assert "memory limit" in caplog.text
        assert await cache.get("a") is None, "an old value must not stay"
        assert await cache.get("b") == "kept"
        filling = Filling()
        filling.go_on.set()
        assert await cache.wrap("c", filling) == "made"
        with pytest.raises(RedisFull):
            await cache.counters.increment("n", ttl=60)
        await cache.reset()
        await way.client.config_set("maxmemory", 0)
        assert await cache.set("a", "new")
        await cache.close()


@pytest.mark.anyio
async def test_a_lost_bloom_filter_is_noticed(own_redis: RedisServer) -> None:
    """It must never say that a thing was not added."""
    async with connections(own_redis.url, "t", 1) as (way,):
        blooms = RedisCache(way).blooms
        for part in ("*:data:*", "*:about:*"):
            assert await blooms.reserve("f")
            await blooms.add("f", "a")
            for key in [key async for key in way.client.scan_iter(match=part)]:
                await way.client.delete(key)
            with pytest.raises(BloomFilterMissing):
                await blooms.exists("f", "a")


FILLER = """
import asyncio, sys
from atoll.cluster.cache import RedisCache
from atoll.cluster.redis import RedisConnection

async def fill():
    print("filling", flush=True)
    await asyncio.Event().wait()

async def main():
    cache = RedisCache(RedisConnection(sys.argv[1], "t"), lease=float(sys.argv[2]))
    await cache.wrap("k", fill)

asyncio.run(main())
"""


@pytest.mark.anyio
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_filler_that_dies_holds_up_nobody_for_longer_than_its_lease(
    own_redis: RedisServer, death: signal.Signals
) -> None:
    command = [sys.executable, "-c", FILLER, own_redis.url, str(LEASE)]
    with subprocess.Popen(command, stdout=-1, text=True) as filler:  # noqa: ASYNC220 - ended below
        assert filler.stdout is not None
        assert await asyncio.to_thread(filler.stdout.readline) == "filling\n"
        async with connections(own_redis.url, "t", INSTANCES) as ways:
            caches = [RedisCache(way, lease=LEASE) for way in ways]
            filling = Filling()
            filling.go_on.set()
            asking = [asyncio.create_task(cache.wrap("k", filling)) for cache in caches]
            await asyncio.sleep(LEASE * 2)
            assert filling.calls == 0, "as long as it lives, it is waited for"
            filler.send_signal(death)
            async with asyncio.timeout(LEASE + PATIENCE):
                assert await asyncio.gather(*asking) == ["made"] * INSTANCES
            assert filling.calls == 1
            for cache in caches:
                await cache.close()
        filler.kill()
