"""The reference deployment: one Supervisor and two environments as processes, on real PostgreSQL and Redis.

The variables are those of the documents. Where processes share one machine, ports and addresses differ and
nothing else does; without PostgreSQL each server keeps SQLite files in its storage folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import anyio
import asyncpg
import redis.asyncio

from atoll.testing.client import Account, AtollClient
from atoll.testing.processes import ServerProcess, free_port

OWN_DATABASES = ("nocobase_supervisor", "nocobase_worker_a", "nocobase_worker_b")
PLUGIN = "@nocobase/plugin-app-supervisor"


@dataclass(frozen=True)
class PostgresAddress:
    """A PostgreSQL server and an account that may create databases."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


class Deployment:
    """Three servers that belong together.

    Args:
        folder: each server gets a folder with storage and log of its own below it.
        redis_url: a Redis of its own, or at least a database of its own.
        postgres: None runs on SQLite.
        account: the first account everywhere.
        environments: names of the environments.
        variables: more variables for all servers; `only` for single ones, by name ("supervisor", "env_a").
    """

    def __init__(
        self,
        folder: Path,
        *,
        redis_url: str,
        postgres: PostgresAddress | None = None,
        account: Account | None = None,
        environments: Sequence[str] = ("env_a", "env_b"),
        variables: Mapping[str, str] | None = None,
        only: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.postgres = postgres
        self.account = account or Account()
        self._variables = dict(variables or {})
        self._only = dict(only or {})
        self.supervisor = self._server("supervisor", "nocobase_supervisor", self._supervisor_variables())
        self.workers = {
            name: self._server(name, f"nocobase_worker_{name.rpartition('_')[2]}", {})
            for name in environments
        }
        for name, worker in self.workers.items():
            worker.environment = self._worker_variables(name, worker.url) | worker.environment
        self.client = AtollClient(self.supervisor.url)
        self._before: set[str] = set()

    # --- variables, word for word those of the documents ------------------------------------------------

    def _common(self) -> dict[str, str]:
        values = {
            "TZ": "Asia/Shanghai",
            "APP_DISCOVERY_ADAPTER": "remote",
            "APP_SUPERVISOR_REDIS_URL": self.redis_url,
            "APP_COMMAND_ADAPTER": "redis",
            "APP_COMMAND_REDIS_URL": self.redis_url,
            "APPEND_PRESET_BUILT_IN_PLUGINS": PLUGIN,
            "INIT_ROOT_USERNAME": self.account.username,
            "INIT_ROOT_EMAIL": self.account.email,
            "INIT_ROOT_PASSWORD": self.account.password,
        }
        return values | self._variables

    def _database(self, name: str) -> dict[str, str]:
        if self.postgres is None:
            return {"DB_DIALECT": "sqlite"}
        return {
            "DB_DIALECT": "postgres",
            "DB_HOST": self.postgres.host,
            "DB_PORT": str(self.postgres.port),
            "DB_DATABASE": name,
            "DB_USER": self.postgres.user,
            "DB_PASSWORD": self.postgres.password,
        }

    def _supervisor_variables(self) -> dict[str, str]:
        return {"APP_MODE": "supervisor", "APP_PROCESS_ADAPTER": "remote"}

    def _worker_variables(self, name: str, url: str) -> dict[str, str]:
        return {
            "APP_MODE": "worker",
            "APP_PROCESS_ADAPTER": "local",
            "ENVIRONMENT_NAME": name,
            "ENVIRONMENT_URL": url,
            "ENVIRONMENT_PROXY_URL": url,
        }

    def _server(self, name: str, database: str, role: Mapping[str, str]) -> ServerProcess:
        variables = self._common() | self._database(database) | dict(role) | dict(self._only.get(name, {}))
        return ServerProcess(name, self.folder / name, variables, port=free_port())

    # --- life ---------------------------------------------------------------------------------------------

    @property
    def servers(self) -> tuple[ServerProcess, ...]:
        """Supervisor first, then the workers."""
        return (self.supervisor, *self.workers.values())

    async def start(self, *, within: float = 60.0) -> None:
        """Creates the databases, starts all servers at once, signs in and waits for all environments."""
        if self.postgres is not None and not self._before:
            await self._create_databases()
        async with anyio.create_task_group() as group:
            for server in self.servers:
                if not server.running:
                    group.start_soon(_start, server, within)
        await self.client.sign_in(self.account)
        await self.client.wait_environments(dict.fromkeys(self.workers, True), within=within)

    async def close(self) -> None:
        """Ends all servers and removes every database that was made since the start."""
        await self.client.http.aclose()
        async with anyio.create_task_group() as group:
            for server in self.servers:
                group.start_soon(server.close)
        if self.postgres is not None and self._before:
            for name in sorted(await self.databases() - self._before):
                await self.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.close()

    async def _create_databases(self) -> None:
        mine = OWN_DATABASES[: 1 + len(self.workers)]
        for name in mine:
            await self.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._before = await self.databases()
        for name in mine:
            await self.admin(f'CREATE DATABASE "{name}"')

    # --- a look behind the scenes --------------------------------------------------------------------------

    def worker(self, environment: str) -> AtollClient:
        """A client of an environment's own server, not signed in."""
        return AtollClient(self.workers[environment].url)

    async def admin(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs one statement as the database account, outside any server."""
        if self.postgres is None:
            raise RuntimeError("this deployment has no PostgreSQL")
        connection = await asyncpg.connect(
            host=self.postgres.host,
            port=self.postgres.port,
            user=self.postgres.user,
            password=self.postgres.password,
            database=database,
        )
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    async def databases(self) -> set[str]:
        """Names of all databases of the service."""
        return {row[0] for row in await self.admin("SELECT datname FROM pg_database")}

    async def app_databases(self) -> set[str]:
        """Databases that were made for apps since the start."""
        return await self.databases() - self._before - set(OWN_DATABASES)

    async def redis_content(self) -> dict[str, str]:
        """Every key of Redis with everything it holds, as text."""
        client: Any = redis.asyncio.Redis.from_url(self.redis_url)
        try:
            found: dict[str, str] = {}
            async for key in client.scan_iter(count=1000):
                found[key.decode("utf-8", "replace")] = await _content(client, key)
            return found
        finally:
            await client.aclose()

    async def flush_redis(self) -> None:
        """Loses everything Redis holds."""
        client: Any = redis.asyncio.Redis.from_url(self.redis_url)
        try:
            await client.flushall()
        finally:
            await client.aclose()


async def _start(server: ServerProcess, within: float) -> None:
    await server.start(within=within)


async def _content(client: Any, key: bytes) -> str:
    """What a key holds. `client` is untyped because redis-py's own types mix sync and async answers."""
    kind = (await client.type(key)).decode()
    match kind:
        case "string":
            value = await client.get(key)
        case "hash":
            value = await client.hgetall(key)
        case "set":
            value = await client.smembers(key)
        case "list":
            value = await client.lrange(key, 0, -1)
        case "zset":
            value = await client.zrange(key, 0, -1, withscores=True)
        case "stream":
            value = await client.xrange(key)
        case _:
            value = None
    return f"{kind} {value!r}"
