"""The hosting half: one environment that runs apps and keeps them as their models say."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import psutil

from atoll.cluster.lock.base import Lock
from atoll.errors import RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.logs.reading import LogReader
from atoll.supervisor.change import Changes
from atoll.supervisor.command.base import Commands
from atoll.supervisor.models import EnvironmentCard, Reason, StatusRow
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.process.announcer import Announcer
from atoll.supervisor.process.assigned import AssignedApps
from atoll.supervisor.process.base import AppFactory
from atoll.supervisor.process.hosted import Host, HostedApp
from atoll.supervisor.process.model_cache import ModelCache
from atoll.supervisor.process.obedience import Obedience
from atoll.supervisor.process.outbox import Outbox
from atoll.supervisor.process.trust import Trust
from atoll.supervisor.proxy_identity import Signer
from atoll.supervisor.sealing import Sealer
from atoll.supervisor.start_queue import StartQueue
from atoll.supervisor.traffic import Traffic

log = logging.getLogger(__name__)

#: How long all apps together may take to stop with their environment.
_STOP_SECONDS = 20.0


class Environment(Host, Signer):
    """Runs the apps placed in it. Takes instructions from the Supervisor whose key it met first.

    Args:
        name, url, proxy_url, version: how it announces itself; the proxy URL is where the access proxy
        connects.
        presence, commands, locks: shared with the Supervisor; opened and closed by their giver.
        sealer: with this environment's key pair.
        logs: what is told when somebody asks for log lines.
        storage: folder for the trusted key and the sealed copies of models; None keeps nothing beyond the
            process (a single server, whose Supervisor is in the same process).
        width: how many apps start at the same time. step_seconds: limit for one step of a start or stop.
        pull_seconds: how often it compares with the models, pushed or not.
        report_seconds: how often it publishes what its apps' visitors ask for, if there were any.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        proxy_url: str,
        version: str,
        presence: Presence,
        commands: Commands,
        locks: Lock,
        sealer: Sealer,
        factory: AppFactory,
        logs: LogReader,
        storage: Path | None = None,
        width: int = 4,
        step_seconds: float = 120.0,
        pull_seconds: float = 3.0,
        report_seconds: float = 5.0,
    ) -> None:
        self.environment = name
        self.name, self.version, self.factory, self.step_seconds = name, version, factory, step_seconds
        self.instance = secrets.token_hex(8)
        self.queue = StartQueue(locks, width)
        self.changes = Changes()
        self.traffic = Traffic()
        self._sealer, self._report_seconds = sealer, report_seconds
        self._sequence = 0
        self._tasks = BackgroundTasks(f"environment {name}")
        self._trust = Trust(name, sealer, storage / "supervisor.key" if storage is not None else None)
        self._announcer = Announcer(presence, sealer, self._card(url, proxy_url))
        self._apps = AssignedApps(
            self,
            presence,
            self._trust,
            ModelCache(storage / "models" if storage is not None else None),
            self._announcer.complain,
            self._tasks,
            pull_seconds,
        )
        self._outbox = Outbox(self._publish_row, commands.settle)
        self._obedience = Obedience(
            self, commands, self._trust, sealer, self._apps, self._outbox, logs, self._tasks
        )

    def _card(self, url: str, proxy_url: str) -> EnvironmentCard:
        return EnvironmentCard(
            name=self.name,
            url=url,
            proxy_url=proxy_url,
            app_version=self.version,
            public_key=self._sealer.keys.public,
            instance=self.instance,
            host=socket.gethostname(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            since=datetime.now(UTC),
        )

    # -- life

    async def start(self) -> None:
        """Announces the environment and begins to work.

        Raises EnvironmentNameTaken. When Redis cannot be reached it starts all the same, with the apps it
        knows from before, and announces itself as soon as it can.
        """
        reachable = True
        try:
            await self._announcer.announce()
        except RedisUnavailable as error:
            log.warning(
                "Redis cannot be reached; the environment announces itself later",
                extra={"reason": error.message},
            )
            reachable = False
            _ = self._tasks.keep_running("announce", self._announce_later)
        await self._apps.load(reachable=reachable)
        _ = self._tasks.keep_running("outbox", self._outbox.run)
        _ = self._tasks.keep_running("pull", self._apps.keep_pulling)
        _ = self._tasks.keep_running("commands", self._obedience.run)
        _ = self._tasks.keep_running("traffic", self._keep_reporting)

    async def stop(self) -> None:
        """Says goodbye, stops all apps and ends. What should be the case is left as it is."""
        await self._tasks.cancel_all()
        await self._announcer.withdraw()
        closing = [asyncio.ensure_future(app.close()) for app in self._apps.values()]
        if closing:
            _, late = await asyncio.wait(closing, timeout=_STOP_SECONDS)
            if late:
                log.error("apps did not stop in time and are left behind", extra={"apps": len(late)})
                for task in late:
                    task.cancel()
                await asyncio.wait(late, timeout=1.0)

    async def _announce_later(self) -> None:
        await self._announcer.announce_when_possible(self._apps.show_all_again)

    # -- asked by the router

    def app(self, name: str) -> HostedApp | None:
        """The app of that name, unless it is being removed."""
        return self._apps.named(name)

    @property
    def apps(self) -> Iterable[HostedApp]:
        """All apps known here, also those on their way out."""
        return tuple(self._apps.values())

    @property
    def informed(self) -> bool:
        """Whether the last comparison with the models succeeded."""
        return self._apps.informed

    @property
    def draining(self) -> bool:
        """Whether people want this environment to take no new work."""
        return self._apps.draining

    async def catch_up(self, seconds: float) -> None:
        """Compares with the models before somebody is refused; waits at most so many seconds."""
        await self._apps.catch_up(seconds)

    def sign(self, data: bytes) -> bytes:
        """Signs who this is, for the access proxy."""
        return self._sealer.keys.sign(data)

    def believes(self, data: bytes, proof: bytes) -> bool:
        """Whether the Supervisor that this environment takes instructions from made the proof."""
        return self._trust.believes(data, proof)

    # -- Host

    def next_sequence(self) -> int:
        """See the base class."""
        self._sequence += 1
        return self._sequence

    def report(self, row: StatusRow) -> None:
        """See the base class."""
        self._outbox.put_row(row)
        self.changes.notify()

    def settled(self, uid: str, generation: int, failure: Reason | None) -> None:
        """See the base class."""
        self._obedience.settled(uid, generation, failure)

    # -- what is published

    async def _publish_row(self, row: StatusRow) -> None:
        if row.uid in self._apps:
            await self._announcer.write_row(row)
        else:
            await self._announcer.drop_row(row.uid)

    async def _keep_reporting(self) -> None:
        await self._announcer.keep_reporting(self.traffic, self._names, self._report_seconds)

    def _names(self) -> dict[str, str]:
        return {app.model.name: app.model.uid for app in self._apps.values() if not app.removed}
