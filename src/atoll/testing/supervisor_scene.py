"""A Supervisor and environments in one process, with real things between them, hosting toy apps."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from atoll.cluster.lock import Lock, MemoryLock, RedisLock
from atoll.cluster.redis import RedisConnection
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect
from atoll.logs import LogReader
from atoll.supervisor.command.base import Commands
from atoll.supervisor.command.memory import MemoryCommands
from atoll.supervisor.command.redis import RedisCommands
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.presence.memory import MemoryPresence
from atoll.supervisor.presence.redis import RedisPresence
from atoll.supervisor.router import AppRouter
from atoll.supervisor.sealing import sealer
from atoll.supervisor.store.database import DatabaseStore
from atoll.supervisor.supervisor import Supervisor
from atoll.supervisor.worker import Environment
from atoll.testing.toy_apps import ToyApps, ToyWorld

PATIENCE = 30.0
LEASE_SECONDS = 3.0


class Ways:
    """What one process shares with others: in memory, or connections of its own to one Redis."""

    def __init__(
        self, presence: Presence, commands: Commands, locks: Lock, connection: RedisConnection | None
    ) -> None:
        self.presence, self.commands, self.locks, self.connection = presence, commands, locks, connection

    @classmethod
    def memory(cls) -> Ways:
        """One for all."""
        return cls(MemoryPresence(lease_seconds=LEASE_SECONDS), MemoryCommands(), MemoryLock(), None)

    @classmethod
    def redis(cls, url: str, namespace: str) -> Ways:
        """As a process of its own has them."""
        connection = RedisConnection(url, namespace)
        presence = RedisPresence(connection, lease_seconds=LEASE_SECONDS)
        return cls(presence, RedisCommands(connection), RedisLock(connection), connection)

    async def close(self) -> None:
        """Frees connections."""
        await self.commands.close()
        await self.presence.close()
        await self.locks.close()
        if self.connection is not None:
            await self.connection.close()


class Scene:
    """One Supervisor and its environments.

    Args:
        redis_url: without one, everything between them is in memory.
        shared_key: APP_SUPERVISOR_AES_SECRET_KEY.
    """

    def __init__(self, folder: Path, redis_url: str | None, shared_key: bytes | None) -> None:
        self.folder, self.shared_key, self._redis_url = folder, shared_key, redis_url
        self.namespace = f"scene{secrets.token_hex(4)}"
        self.world = ToyWorld()
        self.environments: dict[str, Environment] = {}
        self._memory = Ways.memory()
        self._ways: list[Ways] = []
        self._open: dict[object, Ways] = {}
        self.database = connect(DatabaseConfig(dialect="sqlite", storage=folder / "main.sqlite"))
        self.store = DatabaseStore(self.database, b"k" * 32)
        self.keys = KeyPair.kept(folder / "supervisor.key")
        self.command_seconds = 60.0
        self.supervisor = self.new_supervisor()

    def ways(self) -> Ways:
        """For one more process; closed with the scene at the latest."""
        made = self._memory if self._redis_url is None else Ways.redis(self._redis_url, self.namespace)
        self._ways.append(made)
        return made

    def new_supervisor(self, keys: KeyPair | None = None) -> Supervisor:
        """Another Supervisor process on the same store, not started."""
        ways = self.ways()
        supervisor = Supervisor(
            store=self.store,
            presence=ways.presence,
            commands=ways.commands,
            sealer=sealer(keys or self.keys, self.shared_key),
            reconcile_seconds=1.0,
            command_seconds=self.command_seconds,
            storage=self.folder / "supervisor",
        )
        self._open[supervisor] = ways
        self.router = AppRouter(supervisor=supervisor)
        return supervisor

    def new_environment(self, name: str, *, url: str = "", keys: KeyPair | None = None) -> Environment:
        """An environment process, not started; it keeps its folder when it is made again."""
        url = url or f"http://{name}.test:80"
        ways = self.ways()
        environment = Environment(
            name=name,
            url=url,
            proxy_url=url,
            version="1",
            presence=ways.presence,
            commands=ways.commands,
            locks=ways.locks,
            sealer=sealer(keys or KeyPair.kept(self.folder / name / "keys"), self.shared_key),
            factory=ToyApps(self.world, name),
            logs=LogReader(self.folder / name / "logs", name),
            storage=self.folder / name,
            pull_seconds=1.0,
        )
        self._open[environment] = ways
        return environment

    async def environment(self, name: str) -> Environment:
        """An environment that is up, as the Supervisor sees it."""
        environment = self.environments[name] = self.new_environment(name)
        await environment.start()
        await self.until(lambda: self.available(name))
        return environment

    async def stop(self, process: Supervisor | Environment) -> None:
        """Ends a process in good order."""
        await process.stop()
        await self._open.pop(process).close()

    async def close(self) -> None:
        """Ends everything."""
        for process in list(self._open):
            if isinstance(process, (Environment, Supervisor)):
                await self.stop(process)
        for ways in self._ways:
            await ways.close()
        await self.database.close()

    # -- looking

    def available(self, name: str) -> bool:
        """Whether the Supervisor sees the environment alive."""
        view = self.supervisor.directory.environments.get(name)
        return view is not None and view.available

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until it holds in what the Supervisor knows."""
        reached = await self.supervisor.directory.changes.until(condition, PATIENCE)
        assert reached, [
            (row["name"], row["status"], row["statuses"], row["reason"], row["progress"])
            for row in self.supervisor.list_apps()
        ]

    def status(self, name: str) -> str | None:
        """The app's status, None when there is none."""
        row = self.supervisor.get_app(name)
        return row["status"] if row is not None else None

    async def reaches(self, name: str, status: str | None) -> None:
        """Waits until the app has that status."""
        await self.until(lambda: self.status(name) == status)

    async def running_app(self, *environments: str, name: str = "") -> str:
        """A new app that runs."""
        name = name or "app" + secrets.token_hex(4)
        await self.supervisor.create_app({"name": name, "environments": list(environments)})
        await self.reaches(name, "running")
        return name


@asynccontextmanager
async def scene(
    folder: Path, *environments: str, redis_url: str | None = None, shared_key: bytes | None = None
) -> AsyncIterator[Scene]:
    """A scene with these environments up."""
    async with AsyncExitStack() as stack:
        made = Scene(folder, redis_url, shared_key)
        stack.push_async_callback(made.close)
        await made.database.open()
        await made.supervisor.start()
        for name in environments:
            _ = await made.environment(name)
        yield made
