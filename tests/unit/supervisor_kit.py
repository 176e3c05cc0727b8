"""A Supervisor and environments in one process, with what lies between them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from atoll.cluster.lock.memory import MemoryLock
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect
from atoll.supervisor.command.memory import MemoryCommands
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.presence.memory import MemoryPresence
from atoll.supervisor.router import AppRouter
from atoll.supervisor.sealing import sealer
from atoll.supervisor.store.database import DatabaseStore
from atoll.supervisor.supervisor import Supervisor
from atoll.supervisor.worker import Environment
from atoll.testing.toy_apps import ToyApps, ToyWorld

PATIENCE = 20.0


class Scene:
    """One Supervisor and its environments over memory adapters, apps being toys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = ToyWorld()
        self.presence, self.commands, self.locks = MemoryPresence(), MemoryCommands(), MemoryLock()
        self.environments: dict[str, Environment] = {}
        self.database = connect(DatabaseConfig(dialect="sqlite", storage=folder / "main.sqlite"))
        self.store = DatabaseStore(self.database, b"k" * 32)
        self.keys = KeyPair.generate()
        self.supervisor = self.new_supervisor()
        self.router = AppRouter(supervisor=self.supervisor)

    def new_supervisor(self, keys: KeyPair | None = None) -> Supervisor:
        return Supervisor(
            store=self.store,
            presence=self.presence,
            commands=self.commands,
            sealer=sealer(keys or self.keys, None),
        )

    async def environment(self, name: str, *, url: str = "", keys: KeyPair | None = None) -> Environment:
        url = url or f"http://127.0.0.1:{20000 + len(self.environments)}"
        environment = Environment(
            name=name,
            url=url,
            proxy_url=url,
            version="1",
            presence=self.presence,
            commands=self.commands,
            locks=self.locks,
            sealer=sealer(keys or KeyPair.kept(self.folder / name / "keys"), None),
            factory=ToyApps(self.world, name),
            storage=self.folder / name,
        )
        await environment.start()
        self.environments[name] = environment
        await self.supervisor.directory.changes.until(lambda: self.available(name), PATIENCE)
        return environment

    def available(self, name: str) -> bool:
        view = self.supervisor.directory.environments.get(name)
        return view is not None and view.available

    async def until(self, condition: Callable[[], bool]) -> None:
        reached = await self.supervisor.directory.changes.until(condition, PATIENCE)
        assert reached, [
            (row["name"], row["status"], row["statuses"], row["reason"])
            for row in self.supervisor.list_apps()
        ]

    def status(self, name: str) -> str | None:
        row = self.supervisor.get_app(name)
        return row["status"] if row is not None else None

    async def reaches(self, name: str, status: str | None) -> None:
        await self.until(lambda: self.status(name) == status)

    async def running_app(self, *environments: str, name: str = "") -> str:
        name = name or "app" + secrets.token_hex(4)
        await self.supervisor.create_app({"name": name, "environments": list(environments)})
        await self.reaches(name, "running")
        return name


@asynccontextmanager
async def scene(folder: Path, *environments: str) -> AsyncIterator[Scene]:
    made = Scene(folder)
    await made.database.open()
    await made.supervisor.start()
    try:
        for name in environments:
            await made.environment(name)
        yield made
    finally:
        for environment in made.environments.values():
            await environment.stop()
        await made.supervisor.stop()
        await made.database.close()
