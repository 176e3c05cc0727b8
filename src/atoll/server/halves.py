"""The control half and the hosting half of a server, put together for its role."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from atoll import __version__, logs
from atoll.cluster.lock import Lock
from atoll.cluster.redis import RedisConnection
from atoll.database.drivers import Database
from atoll.errors import RedisBelongsToAnother, RedisUnavailable
from atoll.lifecycle import BackgroundTasks
from atoll.server.apps import ApplicationRuntime, Surroundings
from atoll.server.cluster_parts import ClusterParts
from atoll.server.keys import app_folder, kept_secret, storage_key
from atoll.settings import Settings
from atoll.supervisor.command.base import Commands
from atoll.supervisor.command.memory import MemoryCommands
from atoll.supervisor.command.redis import RedisCommands
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.presence.base import Presence
from atoll.supervisor.presence.memory import MemoryPresence
from atoll.supervisor.presence.redis import RedisPresence
from atoll.supervisor.router import AppRouter
from atoll.supervisor.sealing import Sealer, sealer
from atoll.supervisor.store.database import DatabaseStore
from atoll.supervisor.supervisor import Supervisor
from atoll.supervisor.worker import Environment

log = logging.getLogger(__name__)
LOCAL = "local"
MARK_SECONDS = 15.0


@dataclass
class Halves:
    """What a server has of the two halves, with what they share. Opened and closed in this order."""

    presence: Presence
    commands: Commands
    locks: Lock
    router: AppRouter
    supervisor: Supervisor | None = None
    environment: Environment | None = None
    connections: list[RedisConnection] = field(default_factory=list)
    installation: str = ""
    _tasks: BackgroundTasks = field(default_factory=lambda: BackgroundTasks("halves"))

    async def recall(self) -> None:
        """Lets requests find running apps by what was known last, while the database is waited for."""
        await asyncio.gather(*(connection.refuse_eviction() for connection in self.connections))
        await self.presence.open()
        if self.supervisor is not None:
            await self.supervisor.recall()

    async def open(self) -> None:
        """Opens the ways to the other half.

        A Supervisor marks its Redis as its own, and again whenever the mark is lost with Redis' data. Raises
        RedisBelongsToAnother when it carries the mark of another installation, RedisEvictsKeys.
        """
        await self.presence.open()
        await self.commands.open()
        if self.supervisor is not None and self.connections:
            try:
                await self._claim()
            except RedisUnavailable as error:
                log.warning("Redis cannot be reached; it is marked later", extra={"reason": error.message})
            _ = self._tasks.keep_running("mark", self._keep_claiming)

    async def stop(self) -> None:
        """Ends both halves; an environment says goodbye first."""
        if self.environment is not None:
            await self.environment.stop()
        if self.supervisor is not None:
            await self.supervisor.stop()

    async def close(self) -> None:
        """Closes the ways to the other half."""
        await self._tasks.cancel_all()
        await self.commands.close()
        await self.presence.close()
        for connection in self.connections:
            await connection.close()

    async def _claim(self) -> None:
        for connection in self.connections:
            await connection.claim(self.installation)

    async def _keep_claiming(self) -> None:
        await asyncio.sleep(MARK_SECONDS)
        try:
            await self._claim()
        except RedisUnavailable:
            log.debug("Redis cannot be reached to mark it")
        except RedisBelongsToAnother as error:
            log.error("two installations use one Redis", extra={"reason": error.message})


def assemble(settings: Settings, around: Surroundings, database: Database, parts: ClusterParts) -> Halves:
    """The halves for the role of this server.

    Args:
        database: the main app's; a Supervisor keeps the app store in it.
        parts: closed by the giver.
    """
    keys = KeyPair(kept_secret(app_folder(settings, "main") / "identity.keys", 64))
    shared = settings.app_supervisor_aes_secret_key
    seal = sealer(keys, bytes.fromhex(shared) if shared is not None else None)
    halves = _ways(settings, parts)
    halves.installation = keys.public
    if settings.app_mode != "worker":
        halves.supervisor = Supervisor(
            store=DatabaseStore(database, storage_key(settings)),
            presence=halves.presence,
            commands=halves.commands,
            sealer=seal,
            default_environments=() if settings.remote else (LOCAL,),
            default_connection="new_schema" if settings.use_db_schema_in_subapp else "new_database",
            storage=app_folder(settings, "main") if settings.remote else None,
        )
    if settings.app_mode != "supervisor":
        halves.environment = _environment(settings, around, halves, seal)
    halves.router = AppRouter(environment=halves.environment, supervisor=halves.supervisor)
    return halves


def _ways(settings: Settings, parts: ClusterParts) -> Halves:
    """How the halves of this role talk: memory in one process, Redis between several."""
    connections = [] if parts.lock_redis is None else [parts.lock_redis]
    if not settings.remote:
        return Halves(MemoryPresence(), MemoryCommands(), parts.locks, AppRouter(), connections=connections)
    configuration = RedisConnection(settings.app_supervisor_redis_url or "", settings.redis_namespace)
    commands = RedisConnection(settings.app_command_redis_url or "", settings.redis_namespace)
    presence = RedisPresence(
        configuration,
        lease_seconds=settings.environment_lease_seconds,
        heartbeat_seconds=settings.environment_heartbeat_seconds,
    )
    connections += [commands, configuration]
    return Halves(presence, RedisCommands(commands), parts.locks, AppRouter(), connections=connections)


def _environment(settings: Settings, around: Surroundings, halves: Halves, seal: Sealer) -> Environment:
    own = f"http://127.0.0.1:{settings.app_port}"
    return Environment(
        name=settings.environment_name or LOCAL,
        url=settings.environment_url or own,
        proxy_url=settings.environment_proxy_url or own,
        version=__version__,
        presence=halves.presence,
        commands=halves.commands,
        locks=halves.locks,
        sealer=seal,
        factory=lambda model: ApplicationRuntime(model, around),
        logs=logs.reader(settings),
        storage=settings.storage_path / "environment" if settings.remote else None,
        width=settings.subapp_bootstrap_concurrency,
    )
