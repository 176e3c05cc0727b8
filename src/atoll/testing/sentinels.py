"""A Redis master with a replica, watched by three sentinels."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from atoll.testing.processes import free_port
from atoll.testing.services import RedisServer, find_redis, redis_server

PATIENCE = 40.0
PASSWORD = "master-secret"
SENTINEL_PASSWORD = "watch-secret"


class Watched:
    """They have passwords, and sentinels one of their own.

    Attributes:
        servers: the first is the master at the beginning.
        processes: the sentinels.
        url: as the settings take it.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD)
        self.servers = [stack.enter_context(redis_server(*login)) for _ in range(2)]
        self.processes: list[subprocess.Popen[bytes]] = []
        self._ports: list[int] = []
        for number in range(3):
            port, process = stack.enter_context(_sentinel(folder / str(number), self.servers[0].port))
            self._ports.append(port)
            self.processes.append(process)
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        self.url = f"redis+sentinel://:{PASSWORD}@{hosts}/main/0?sentinel_password={SENTINEL_PASSWORD}"
        self._replicate()

    def kill_master(self) -> None:
        """Ends the first server where it is; what it has not given to its replica is lost."""
        os.kill(self.servers[0].pid, signal.SIGKILL)

    def order_a_switch(self) -> None:
        """Waits until the sentinels agree: they must have seen the replica in good health for a moment."""

        def ordered() -> bool:
            with self._watcher() as client:
                try:
                    client.execute_command("SENTINEL", "FAILOVER", "main")
                except redis.ResponseError:
                    return False
            return True

        _until(ordered, "the sentinel accepts the order")

    @contextmanager
    def direct(self, server: RedisServer) -> Iterator[Any]:
        """A client of one server, whatever it is at the moment."""
        client = redis.Redis(host=server.host, port=server.port, password=PASSWORD, socket_timeout=3)
        with client:
            yield client

    def _replicate(self) -> None:
        """The second server follows the first, and the sentinels know of it and of each other."""
        with self.direct(self.servers[1]) as client:
            client.replicaof("127.0.0.1", self.servers[0].port)

        def known() -> bool:
            with self._watcher() as client:
                state = client.sentinel_masters()["main"]
            return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 2)

        _until(known, "sentinels know each other and the replica")

    @contextmanager
    def _watcher(self) -> Iterator[Any]:
        client = redis.Redis(port=self._ports[0], password=SENTINEL_PASSWORD, socket_timeout=3)
        with client:
            yield client


@contextmanager
def watched_redis() -> Iterator[Watched]:
    """Runs all of it for the block. Raises ServiceMissing."""
    with tempfile.TemporaryDirectory(prefix="atoll-sentinels-") as folder, ExitStack() as stack:
        yield Watched(Path(folder), stack)


@contextmanager
def _sentinel(folder: Path, master_port: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    folder.mkdir()
    file = folder / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nrequirepass {SENTINEL_PASSWORD}\n"
        f"sentinel monitor main 127.0.0.1 {master_port} 2\n"
        f"sentinel auth-pass main {PASSWORD}\n"
        "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 4000\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(find_redis()), str(file), "--sentinel"], stdout=log, stderr=log)
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with suppress(redis.ConnectionError):  # it is starting
            if condition():
                return
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE:g} s")
        time.sleep(0.05)
