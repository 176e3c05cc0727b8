"""All suites on Redis again: on another version of it, and behind sentinels."""

from __future__ import annotations

import pytest

from atoll.testing.sentinels import Watched
from atoll.testing.services import RedisServer

from .test_cache import TestLayeredCache, TestRedisCache, ways
from .test_lock import TestRedisLock
from .test_pubsub import TestRedisPubSub
from .test_queue import TestRedisQueue
from .test_worker_id import TestRedisWorkerIds

__all__ = [
    "TestLayeredCache",
    "TestRedisCache",
    "TestRedisLock",
    "TestRedisPubSub",
    "TestRedisQueue",
    "TestRedisWorkerIds",
    "ways",
]


@pytest.fixture(params=["other version", pytest.param("sentinels", marks=pytest.mark.slow)])
def redis_url(request: pytest.FixtureRequest) -> str:
    """In place of the one of all tests."""
    if request.param == "sentinels":
        watched: Watched = request.getfixturevalue("watched_redis_service")
        return watched.url
    other: RedisServer = request.getfixturevalue("other_redis_service")
    return other.url
