"""PostgreSQL and Redis for one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from atoll.testing.deployment import PostgresAddress
from atoll.testing.services import postgres_server, redis_server


@contextmanager
def services() -> Iterator[tuple[str, PostgresAddress]]:
    """The address of an empty Redis, and a PostgreSQL; both end with the block."""
    with redis_server() as redis, postgres_server() as postgres:
        yield redis.url, PostgresAddress(postgres.host, postgres.port, postgres.user, postgres.password)
