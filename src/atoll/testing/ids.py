"""Ids of records without a server."""

from __future__ import annotations

from atoll.application.fields.snowflake_id import SnowflakeIds
from atoll.cluster.worker_id import MemoryWorkerIds, WorkerId

DAY = 86_400.0


def ids(pool: MemoryWorkerIds | None = None) -> SnowflakeIds:
    """A generator with a worker id of its own for a day.

    Args:
        pool: give the same one to all generators whose ids must differ.
    """
    numbers = pool if pool is not None else MemoryWorkerIds(lease_seconds=DAY)
    return SnowflakeIds(WorkerId(numbers, numbers.grant()))
