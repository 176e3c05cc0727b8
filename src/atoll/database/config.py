"""Where a database is and how to speak to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SslMode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]


@dataclass(frozen=True, slots=True)
class SslConfig:
    """TLS towards PostgreSQL.

    Args:
        mode: as in PostgreSQL's own `sslmode`. None: `prefer`, but `disable` on loopback addresses; with
            `ca`, `cert` or `key` given, `verify-full` (`require` when `reject_unauthorized` is False).
        ca, cert, key: a PEM text or the path of a PEM file.
        reject_unauthorized: False accepts any server certificate even in the verifying modes.
    """

    mode: SslMode | None = None
    ca: str | None = None
    cert: str | None = None
    key: str | None = field(default=None, repr=False)
    reject_unauthorized: bool = True


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """One database, schema or database file. Durations are seconds.

    Args:
        storage: the database file (SQLite only).
        schema: the PostgreSQL schema of the tables; None means the server's search path (`public`).
        table_prefix: put before the names of tables by those who name tables.
        pool_max: most connections at once of one process to this PostgreSQL database (all schemas together),
            and most reading connections to a SQLite file.
        pool_idle: an idle connection closes after this time.
        pool_acquire: how long a call waits for a free connection before `DatabaseUnavailable`.
        connect_timeout: limit for connecting and signing in.
        command_timeout: limit for one statement on PostgreSQL; also what notices a half-open connection.
        busy_timeout: how long a write waits for other processes that write to the SQLite file.
    """

    dialect: Literal["sqlite", "postgres"]
    storage: Path | None = None
    host: str = "127.0.0.1"
    port: int = 5432
    database: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    schema: str | None = None
    table_prefix: str = ""
    ssl: SslConfig = field(default_factory=SslConfig)
    pool_max: int = 10
    pool_idle: float = 10.0
    pool_acquire: float = 30.0
    connect_timeout: float = 5.0
    command_timeout: float = 60.0
    busy_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.dialect == "sqlite" and self.storage is None:
            raise ValueError("a SQLite database needs `storage`, the path of its file")
        if self.dialect == "postgres" and not self.database:
            raise ValueError("a PostgreSQL database needs `database`, its name")

    @property
    def address(self) -> str:
        """For messages and logs: where the database is, without secrets."""
        if self.dialect == "sqlite":
            return str(self.storage)
        schema = f" (schema {self.schema})" if self.schema else ""
        return f"postgres://{self.user}@{self.host}:{self.port}/{self.database}{schema}"
