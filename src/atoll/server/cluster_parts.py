"""What a server shares with other processes: messages, work, cache and locks, in memory or in Redis."""

from __future__ import annotations

import asyncio

from atoll.cluster.cache import Cache, LayeredCache, MemoryCache, RedisCache
from atoll.cluster.lock import Lock, MemoryLock, RedisLock
from atoll.cluster.pubsub import MemoryPubSub, PubSub, RedisPubSub
from atoll.cluster.queue import MemoryQueue, Queue, RedisQueue
from atoll.cluster.redis import RedisConnection
from atoll.errors import SettingsError
from atoll.settings import Settings


class ClusterParts:
    """The adapters that the settings ask for. Parts with one address share one pool of connections.

    Attributes:
        sync, queue, cache, locks: whole ones; each app gets a scope.
        lock_redis: the connection of the locks; None in memory.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections: dict[str, RedisConnection] = {}
        self._lasting: dict[str, RedisConnection] = {}
        self.sync = self._sync()
        self.queue = self._queue()
        self.cache = self._cache()
        self.lock_redis: RedisConnection | None = None
        if settings.lock_adapter_default == "redis":
            self.lock_redis = self.connection(settings.lock_adapter_redis_url or "")
        self.locks: Lock = MemoryLock() if self.lock_redis is None else RedisLock(self.lock_redis)

    def connection(self, url: str, *, lasting: bool = True) -> RedisConnection:
        """The connection to an address; closed with the parts.

        Args:
            lasting: what is put there must not be thrown away.
        """
        if url not in self._connections:
            self._connections[url] = RedisConnection(url, self._settings.redis_namespace)
        if lasting:
            self._lasting[url] = self._connections[url]
        return self._connections[url]

    async def check(self) -> None:
        """Raises RedisEvictsKeys when a Redis could throw away more than cached values."""
        await asyncio.gather(*(connection.refuse_eviction() for connection in self._lasting.values()))

    async def close(self) -> None:
        """Ends the adapters, then their connections; idempotent."""
        await self.queue.close()
        await self.cache.close()
        await self.sync.close()
        await self.locks.close()
        for connection in self._connections.values():
            await connection.close()

    def _sync(self) -> PubSub:
        url = self._settings.pubsub_adapter_redis_url
        return MemoryPubSub() if url is None else RedisPubSub(self.connection(url))

    def _queue(self) -> Queue:
        settings = self._settings
        if settings.queue_adapter == "redis":
            return RedisQueue(self.connection(settings.queue_adapter_redis_url or ""))
        if settings.queue_adapter == "rabbitmq":
            return _rabbit_queue(settings)
        return MemoryQueue(file=settings.storage_path / "queue" / "items.json")

    def _cache(self) -> Cache:
        settings = self._settings
        if settings.cache_default_store == "memory":
            return MemoryCache(settings.cache_memory_max)
        far = RedisCache(self.connection(settings.cache_redis_url or "", lasting=False))
        if settings.pubsub_adapter_redis_url is None:
            return far  # nobody would tell this process what others have changed
        return LayeredCache(far, self.sync.scope("cache"), settings.cache_memory_max)


def _rabbit_queue(settings: Settings) -> Queue:
    try:
        from atoll.cluster.queue.rabbitmq import RabbitQueue  # an extra
    except ImportError as error:
        raise SettingsError(
            [f"QUEUE_ADAPTER=rabbitmq: expected the extra `rabbitmq` of atoll to be installed ({error})"]
        ) from error
    return RabbitQueue(settings.queue_adapter_rabbitmq_url or "", settings.redis_namespace)
