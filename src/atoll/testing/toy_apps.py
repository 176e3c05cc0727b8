"""Apps without a database, for tests of what runs apps: they note what happens to them and can be made to
fail.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atoll.errors import ApplicationNotInstalled
from atoll.supervisor.models import AdminAccount, AppModel, Finding
from atoll.supervisor.process.base import AppRuntime

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class ToyWorld:
    """What lies outside of processes: the databases that exist, and everything that happened, in order.

    Attributes:
        databases: uid of the owner, and whether tables are installed.
        happened: "env_a start shop" and the like.
        failing: steps that raise, as "start shop". slow: seconds a step takes.
        hold: steps that wait until their event is set.
        identity: of the database service, per environment when they differ.
        findings: what `check` says, by environment.
    """

    databases: dict[str, bool] = field(default_factory=dict)
    admins: dict[str, AdminAccount | None] = field(default_factory=dict)
    happened: list[str] = field(default_factory=list)
    failing: dict[str, Exception] = field(default_factory=dict)
    hold: dict[str, asyncio.Event] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    starting: set[str] = field(default_factory=set)
    overlaps: list[str] = field(default_factory=list)

    def count(self, text: str) -> int:
        """How often something happened."""
        return self.happened.count(text)


class ToyApps:
    """The factory of one environment."""

    def __init__(self, world: ToyWorld, environment: str) -> None:
        self.world, self.environment = world, environment

    def __call__(self, model: AppModel) -> AppRuntime:
        """A new runtime."""
        return ToyApp(self.world, self.environment, model)


class ToyApp(AppRuntime):
    """Answers every request with its name, environment and secret's first characters."""

    def __init__(self, world: ToyWorld, environment: str, model: AppModel) -> None:
        self._world, self._environment, self.model = world, environment, model
        self.running = False

    async def check(self) -> list[Finding]:
        """The findings the test prepared."""
        return self._world.findings.get(self._environment, [])

    async def database_identity(self) -> str:
        """The identity the test prepared, else the same everywhere."""
        return self._world.identity.get(self._environment, "one")

    async def provision(self) -> None:
        """Creates the database."""
        await self._happens("provision")
        self._world.databases.setdefault(self.model.uid, False)

    async def install(self, admin: AdminAccount | None) -> None:
        """Installs once."""
        if not self._world.databases[self.model.uid]:
            await self._happens("install")
            self._world.databases[self.model.uid] = True
            self._world.admins[self.model.name] = admin

    async def fill(self) -> None:
        """Notes that it was asked to."""
        await self._happens("fill")

    async def start(self) -> None:
        """Runs from now on; notes when another environment is starting the same app."""
        if not self._world.databases.get(self.model.uid):
            raise ApplicationNotInstalled("The app is not installed.")
        if self.model.uid in self._world.starting:
            self._world.overlaps.append(self.model.name)
        self._world.starting.add(self.model.uid)
        try:
            await self._happens("start")
        finally:
            self._world.starting.discard(self.model.uid)
        self.running = True

    async def stop(self) -> None:
        """Notes it if it ran."""
        if self.running:
            await self._happens("stop")
        self.running = False

    async def destroy(self, *, remove_database: bool) -> None:
        """Removes the database if asked to."""
        await self._happens("drop" if remove_database else "destroy")
        if remove_database:
            self._world.databases.pop(self.model.uid, None)

    @property
    def asgi(self) -> ASGIApp:
        """See the class."""
        return self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = f"{self.model.name} in {self._environment}".encode()
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": body})

    async def _happens(self, what: str) -> None:
        step = f"{what} {self.model.name}"
        self._world.happened.append(f"{self._environment} {step}")
        if (event := self._world.hold.get(step)) is not None:
            await event.wait()
        if (error := self._world.failing.get(step)) is not None:
            raise error
