"""Work that is done later, by whoever serves it."""

from atoll.cluster.queue.base import Consumer, DeadItem, Item, Process, Queue, QueueStatus
from atoll.cluster.queue.memory import MemoryQueue
from atoll.cluster.queue.redis import RedisQueue

__all__ = ["Consumer", "DeadItem", "Item", "MemoryQueue", "Process", "Queue", "QueueStatus", "RedisQueue"]
