"""The database suite on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, connect
from atoll.testing.conformance.database import DatabaseConformance


@pytest.fixture
async def second_database(
    anyio_backend: str, database: Database, database_config: DatabaseConfig
) -> AsyncIterator[Database]:
    opened = connect(database_config)
    await opened.open()
    yield opened
    await opened.close()


class TestDatabase(DatabaseConformance):
    """Runs once for each kind of database."""
