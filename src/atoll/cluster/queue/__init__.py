"""Work that is done later, by whoever serves it."""

from atoll.cluster.queue.base import Consumer, DeadItem, Item, Process, Queue, QueueStatus

__all__ = ["Consumer", "DeadItem", "Item", "Process", "Queue", "QueueStatus"]
