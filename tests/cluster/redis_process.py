"""A redis-server whose life a test decides over: stopped, killed, started again on the same port, emptied."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from atoll.testing.processes import free_port
from atoll.testing.services import find_redis

PATIENCE = 20.0
OPTIONS = ("--save", "", "--appendonly", "no", "--protected-mode", "no")


class RedisProcess:
    """One Redis on a fixed free port."""

    def __init__(self, folder: Path, *, listen: str = "127.0.0.1") -> None:
        self.program = str(find_redis())
        self.folder = folder
        self.listen = listen
        self.port = free_port()
        self.url = f"redis://{listen}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it with what it saved before, and waits until it answers."""
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self.program,
                    "--port",
                    str(self.port),
                    "--bind",
                    self.listen,
                    "--dir",
                    str(self.folder),
                    *OPTIONS,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while self.command("PING") != b"+PONG":
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"Redis does not answer; see {self.folder / 'redis.log'}")
            time.sleep(0.02)

    def stop(self, *, save: bool = False) -> None:
        """Ends it; without `save` everything it held is gone."""
        process = self._process
        if process is None:
            return
        self.command("SHUTDOWN SAVE" if save else "SHUTDOWN NOSAVE")
        process.wait(PATIENCE)
        self._process = None
        if not save:
            (self.folder / "dump.rdb").unlink(missing_ok=True)

    def restart(self, *, keep: bool) -> None:
        """Stops and starts it; with `keep` it comes back with its data, else empty."""
        self.stop(save=keep)
        self.start()

    def command(self, line: str) -> bytes:
        """Sends one inline command on a connection of its own; first line of the answer, b"" without."""
        try:
            with socket.create_connection((self.listen, self.port), timeout=PATIENCE) as connection:
                connection.sendall(line.encode() + b"\r\n")
                return connection.recv(4096).partition(b"\r\n")[0]
        except OSError:
            return b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
