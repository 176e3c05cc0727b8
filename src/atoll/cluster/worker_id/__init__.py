"""Numbers that tell processes apart, so that each can make ids that nobody else makes."""

from atoll.cluster.worker_id.base import WorkerIdLease, WorkerIds
from atoll.cluster.worker_id.file import FileWorkerIds
from atoll.cluster.worker_id.kept import WorkerId
from atoll.cluster.worker_id.memory import MemoryWorkerIds
from atoll.cluster.worker_id.redis import RedisWorkerIds

__all__ = [
    "FileWorkerIds",
    "MemoryWorkerIds",
    "RedisWorkerIds",
    "WorkerId",
    "WorkerIdLease",
    "WorkerIds",
]
