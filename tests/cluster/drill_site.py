"""Where a run with random faults takes place: three instances behind nginx, and what can be done to them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread
import httpx

from atoll.cli.nginx import configuration
from atoll.testing.client import Account, AtollClient
from atoll.testing.deployment import PostgresAddress
from atoll.testing.fault_run import Fault
from atoll.testing.fault_run.faults import EVERYBODY
from atoll.testing.faults import Relay, relay
from atoll.testing.processes import ServerProcess, closing, eventually, free_port
from atoll.testing.rabbitmq import RabbitServer
from atoll.testing.services import nginx_server

from .postgres import database
from .redis_process import RedisProcess

ACCOUNT = Account()
COUNT = 3
PROCESSES_OF_LAST = 2
WORKER_ID_SECONDS = 20
SLOWEST_DATABASE = 0.15


@dataclass
class Site:
    """A running cluster. The last instance has two processes, so that it can be rolled."""

    url: str
    token: str
    instances: list[ServerProcess]
    database: Relay
    redis_of: list[Relay]
    redis: RedisProcess
    rabbitmq: RabbitServer | None
    queue: str
    name: str
    postgres: PostgresAddress

    def http(self, url: str | None = None, timeout: float = 20.0) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=url or self.url, headers=headers, timeout=timeout, trust_env=False)

    def faults(self, pause: tuple[float, float]) -> list[Fault]:
        """All kinds. `pause`: seconds for which an instance is stopped."""
        kinds = [
            Fault("SIGKILL of an instance", self._kill, (0.5, 3)),
            Fault("SIGSTOP of an instance", self._pause, pause),
            Fault("SIGHUP: all processes replaced", self._roll, (0, 0)),
            Fault("Redis stopped, comes back", self._redis_stop, (1, 5)),
            Fault("Redis stopped, comes back empty", self._redis_empty, (1, 5)),
            Fault("Redis cut off from an instance", self._redis_cut, (3, 8)),
            Fault("database slow", self._slow, (4, 8)),
            Fault("database silent", self._silent, (2, 5)),
        ]
        if self.rabbitmq is not None:
            kinds.append(Fault("RabbitMQ restarted", self._rabbitmq, (1, 4)))
        return kinds

    @contextlib.asynccontextmanager
    async def _kill(self, chance: random.Random) -> AsyncIterator[str]:
        instance = chance.choice(self.instances)
        _signal_all(instance, signal.SIGKILL)
        await instance.until_ended()
        try:
            yield instance.name
        finally:
            instance.spawn()

    @contextlib.asynccontextmanager
    async def _pause(self, chance: random.Random) -> AsyncIterator[str]:
        instance = chance.choice(self.instances)
        _signal_all(instance, signal.SIGSTOP)
        try:
            yield instance.name
        finally:
            _signal_all(instance, signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def _roll(self, chance: random.Random) -> AsyncIterator[str]:
        instance = self.instances[-1]
        ready = instance.log().count('"server ready"')
        instance.signal(signal.SIGHUP)
        yield ""

        async def replaced() -> bool:
            return instance.log().count('"server ready"') >= ready + PROCESSES_OF_LAST

        await eventually(replaced, within=60, what="all processes are replaced", every=0.1)

    @contextlib.asynccontextmanager
    async def _redis_stop(self, chance: random.Random) -> AsyncIterator[str]:
        await anyio.to_thread.run_sync(lambda: self.redis.stop(save=True))
        try:
            yield ""
        finally:
            await anyio.to_thread.run_sync(self.redis.start)

    @contextlib.asynccontextmanager
    async def _redis_empty(self, chance: random.Random) -> AsyncIterator[str]:
        await anyio.to_thread.run_sync(self.redis.stop)
        try:
            yield ""
        finally:
            await anyio.to_thread.run_sync(self.redis.start)

    @contextlib.asynccontextmanager
    async def _redis_cut(self, chance: random.Random) -> AsyncIterator[str]:
        cable = chance.choice(self.redis_of)
        cable.silence()
        try:
            yield ""
        finally:
            cable.heal()

    @contextlib.asynccontextmanager
    async def _slow(self, chance: random.Random) -> AsyncIterator[str]:
        self.database.delay = chance.uniform(0.02, SLOWEST_DATABASE)
        try:
            yield ""
        finally:
            self.database.delay = 0.0

    @contextlib.asynccontextmanager
    async def _silent(self, chance: random.Random) -> AsyncIterator[str]:
        self.database.silence()
        try:
            yield EVERYBODY
        finally:
            self.database.heal()

    @contextlib.asynccontextmanager
    async def _rabbitmq(self, chance: random.Random) -> AsyncIterator[str]:
        assert self.rabbitmq is not None
        await anyio.to_thread.run_sync(chance.choice([self.rabbitmq.stop, self.rabbitmq.kill]))
        try:
            yield ""
        finally:
            await anyio.to_thread.run_sync(self.rabbitmq.start)


def _signal_all(instance: ServerProcess, kind: signal.Signals) -> None:
    """To the instance and its processes: each server is the head of a group of its own."""
    if instance.running:
        os.killpg(instance.pid, kind)


@contextlib.asynccontextmanager
async def site(
    folder: Path, postgres: PostgresAddress, redis: RedisProcess, rabbitmq: RabbitServer | None, name: str
) -> AsyncIterator[Site]:
    """Starts everything, and ends it after the block."""
    async with AsyncExitStack() as stack:
        variables = await stack.enter_async_context(database(postgres, name))
        slow = await stack.enter_async_context(relay(postgres.host, postgres.port))
        cables = [await stack.enter_async_context(relay("127.0.0.1", redis.port)) for _ in range(COUNT)]
        plugin = _plugin(folder / "plugin")
        common = {
            **variables,
            "DB_PORT": str(slow.listen_port),
            "STORAGE_PATH": str(folder / "storage"),
            "LOCK_ADAPTER_DEFAULT": "redis",
            "CACHE_DEFAULT_STORE": "redis",
            "QUEUE_ADAPTER": "rabbitmq" if rabbitmq else "redis",
            **({"QUEUE_ADAPTER_RABBITMQ_URL": rabbitmq.url} if rabbitmq else {}),
            "WORKER_ID_LEASE_SECONDS": str(WORKER_ID_SECONDS),
            "TRUSTED_PROXIES": "127.0.0.1",
            "INIT_ROOT_USERNAME": ACCOUNT.username,
            "INIT_ROOT_EMAIL": ACCOUNT.email,
            "INIT_ROOT_PASSWORD": ACCOUNT.password,
            "PYTHONPATH": str(plugin),
        }
        instances = []
        for number, cable in enumerate(cables):
            own = {**common, "REDIS_URL": f"redis://127.0.0.1:{cable.listen_port}"}
            if number == COUNT - 1:
                own["CLUSTER_MODE"] = str(PROCESSES_OF_LAST)
            instances.append(ServerProcess(f"instance{number}", folder, own, port=free_port()))
        await stack.enter_async_context(closing(*instances))
        for instance in instances:
            instance.spawn()
        for instance in instances:
            await instance.until_ready(within=90)
        port = stack.enter_context(nginx_server(lambda port: _nginx(instances, port)))
        async with AtollClient(f"http://127.0.0.1:{port}") as client:
            token = await client.sign_in(ACCOUNT)
        queue = "RabbitMQ" if rabbitmq else "Redis"
        url = f"http://127.0.0.1:{port}"
        yield Site(url, token, instances, slow, cables, redis, rabbitmq, queue, name, postgres)


def _nginx(instances: Sequence[ServerProcess], port: int) -> str:
    """What `atoll nginx` prints, and a header that says which instance answered."""
    addresses = [f"127.0.0.1:{instance.port}" for instance in instances]
    return "add_header X-Instance $upstream_addr always;\n" + configuration(addresses, port, "_")


def _plugin(folder: Path) -> Path:
    """A folder for PYTHONPATH that gives each process of a server the plugin of drill_server.py."""
    folder.mkdir(parents=True)
    here = Path(__file__).parent
    (folder / "sitecustomize.py").write_text(
        f"import sys\nsys.path.append({str(here)!r})\nimport drill_server\n", "utf-8"
    )
    return folder
