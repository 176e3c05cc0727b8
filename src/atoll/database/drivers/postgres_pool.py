"""Connections to one PostgreSQL database, shared by all of a process's apps in its schemas."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import asyncpg
import msgspec

from atoll.database.config import DatabaseConfig, SslConfig
from atoll.database.drivers.postgres_errors import translate_connect
from atoll.errors import DatabaseUnavailable, SettingsError

log = logging.getLogger(__name__)
_SPARE = 2
_REST_SECONDS = 5.0
# PostgreSQL itself gives up on a client that is gone without a word after about this many seconds.
SERVER_SETTINGS = {
    "application_name": "atoll",
    "jit": "off",
    "timezone": "UTC",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


async def connect_once(config: DatabaseConfig, *, patient: bool = False) -> asyncpg.Connection[Any]:
    """A connection of its own; raises `DatabaseUnavailable` with what to check.

    Args:
        patient: statements have no time limit.
    """
    options = connect_options(config)
    if patient:
        options["command_timeout"] = None
    try:
        return await asyncpg.connect(**options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise translate_connect(error, config) from error


def connect_options(config: DatabaseConfig) -> dict[str, Any]:
    """What asyncpg needs to connect."""
    return {
        "host": config.host,
        "port": config.port,
        "user": config.user or None,
        "password": config.password or None,
        "database": config.database,
        "ssl": tls(config),
        "timeout": config.connect_timeout,
        "command_timeout": config.command_timeout,
        "server_settings": SERVER_SETTINGS,
    }


def tls(config: DatabaseConfig) -> ssl.SSLContext | str | bool:
    """asyncpg's `ssl` argument."""
    wanted = config.ssl
    mode = wanted.mode
    if mode is None and (wanted.ca or wanted.cert or wanted.key):
        mode = "verify-full" if wanted.reject_unauthorized else "require"
    if mode is None:
        mode = "disable" if _is_loopback(config.host) else "prefer"
    if mode == "disable":
        return False
    if mode == "prefer":
        return "prefer"
    try:
        context = ssl.create_default_context(cadata=_pem(wanted.ca) if wanted.ca else None)
        if mode == "require" or not wanted.reject_unauthorized:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif mode == "verify-ca":
            context.check_hostname = False
        if wanted.cert:
            _load_client_certificate(context, wanted)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            [f"TLS of the database: CA, certificate or key cannot be used ({error})"]
        ) from error
    return context


class PostgresPool:
    """Opened on the first use, closed with the last user; both may happen again.

    Beside its connections it has a few spare ones, for short questions that must not wait for others.
    """

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config
        self._pool: asyncpg.Pool[Any] | None = None
        self._spare: asyncpg.Pool[Any] | None = None
        self._users = 0
        self._calls = 0
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """One more user."""
        async with self._changing:
            if self._pool is None:
                self._pool = await self._make(self._config.pool_max)
                self._spare = await self._make(_SPARE)
            self._users += 1

    async def _make(self, size: int) -> asyncpg.Pool[Any]:
        return await asyncpg.create_pool(
            **connect_options(self._config),
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=self._config.pool_idle,
            statement_cache_size=500,
            init=_prepare,
            reset=_leave,
        )

    async def close(self) -> None:
        """One user less; the last one waits for calls under way and closes the connections."""
        async with self._changing:
            self._users -= 1
            if self._users == 0 and self._pool is not None and self._spare is not None:
                pool, spare = self._pool, self._spare
                self._pool = self._spare = None
                await pool.close()
                await spare.close()

    @property
    def has_free(self) -> bool:
        """Whether a call would get a connection without waiting for another call."""
        return self._calls < self._config.pool_max

    @asynccontextmanager
    async def connection(self, *, within: float | None = None, spare: bool = False) -> AsyncIterator[Any]:
        """A connection for the block; raises `DatabaseUnavailable` when none can be had in time.

        Args:
            within: seconds; None: as configured.
        """
        pool = self._spare if spare else self._pool
        if pool is None:
            raise DatabaseUnavailable("The database is closed.", detail=self._config.address)
        self._calls += not spare
        try:
            connection = await self._acquire(pool, self._config.pool_acquire if within is None else within)
            try:
                yield connection
            finally:
                await _release(pool, connection)
        finally:
            self._calls -= not spare

    async def _acquire(self, pool: asyncpg.Pool[Any], within: float) -> Any:
        try:
            return await pool.acquire(timeout=within)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise translate_connect(error, self._config) from error


class PostgresPools:
    """The pools of one process by where they lead, so that apps in schemas of one database share one."""

    def __init__(self) -> None:
        self._pools: WeakValueDictionary[DatabaseConfig, PostgresPool] = WeakValueDictionary()

    def get(self, config: DatabaseConfig) -> PostgresPool:
        """The pool for this server, database and user; gone with the last database that has it."""
        key = replace(config, schema=None, table_prefix="")
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = PostgresPool(key)
        return pool


async def _release(pool: asyncpg.Pool[Any], connection: Any) -> None:
    """Gives a connection back. One that does not come to rest soon is thrown away, which asyncpg has done."""
    try:
        await pool.release(connection, timeout=_REST_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.info("a connection to the database was thrown away", extra={"reason": repr(error)})


async def _prepare(connection: Any) -> None:
    decode = msgspec.json.decode
    encode_b: Callable[[str], bytes] = lambda text: b"\x01" + text.encode()  # noqa: E731
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=str.encode, decoder=decode, format="binary"
    )
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=encode_b, decoder=lambda data: decode(data[1:]), format="binary"
    )


async def _leave(connection: Any) -> None:
    # Nothing of ours outlives a transaction in a session, so asyncpg's reset, one round trip, is not needed.
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pem(text_or_path: str) -> str:
    return text_or_path if "-----BEGIN" in text_or_path else Path(text_or_path).read_text()


def _load_client_certificate(context: ssl.SSLContext, wanted: SslConfig) -> None:
    # ssl reads certificates from files only: PEM texts pass through a private folder for a moment.
    with tempfile.TemporaryDirectory() as folder:
        cert = Path(folder, "cert.pem")
        cert.write_text(_pem(wanted.cert or ""))
        key = Path(folder, "key.pem")
        key.touch(mode=0o600)
        key.write_text(_pem(wanted.key or wanted.cert or ""))
        context.load_cert_chain(cert, key)
