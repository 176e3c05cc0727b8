"""Values that processes share because making them again is work."""

from atoll.cluster.cache.base import Cache
from atoll.cluster.cache.bloom import BloomFilters
from atoll.cluster.cache.counters import Counters, MemoryCounters
from atoll.cluster.cache.layered import LayeredCache
from atoll.cluster.cache.memory import MemoryCache
from atoll.cluster.cache.redis import RedisCache

__all__ = ["BloomFilters", "Cache", "Counters", "LayeredCache", "MemoryCache", "MemoryCounters", "RedisCache"]
