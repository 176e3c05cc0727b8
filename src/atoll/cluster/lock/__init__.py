"""Locks among the processes of an installation."""

from atoll.cluster.lock.base import Lease, Lock
from atoll.cluster.lock.memory import MemoryLock
from atoll.cluster.lock.redis import RedisLock

__all__ = ["Lease", "Lock", "MemoryLock", "RedisLock"]
