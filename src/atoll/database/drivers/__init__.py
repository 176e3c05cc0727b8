"""Database drivers: `connect` gives the one for a configuration."""

from atoll.database.config import DatabaseConfig
from atoll.database.drivers.base import Connection, Database, Result
from atoll.database.drivers.postgres import PostgresDatabase
from atoll.database.drivers.postgres_pool import PostgresPools
from atoll.database.drivers.sqlite import SQLiteDatabase

__all__ = ["Connection", "Database", "PostgresPools", "Result", "connect"]


def connect(config: DatabaseConfig, pools: PostgresPools | None = None) -> Database:
    """The database of `config`, not opened yet.

    Args:
        pools: the process's PostgreSQL pools; give the same object for all apps so that those in schemas of
            one database share connections. None: a pool of its own.
    """
    if config.dialect == "postgres":
        return PostgresDatabase(config, pools)
    return SQLiteDatabase(config)
