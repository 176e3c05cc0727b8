"""Real Atoll servers as processes of their own, to be started, hurt and started again.

What a test (or a benchmark) says about a server that dies, hangs or comes back is only worth something when a
real process died. A `ServerProcess` is one `atoll start` with a known environment, a folder, a port and a log
file; nothing of the caller's own environment reaches it except the search path.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import anyio
import httpx
import psutil

START_COMMAND = (sys.executable, "-m", "atoll", "start")
POLL_SECONDS = 0.05
T = TypeVar("T")


class ProcessFailed(AssertionError):
    """A server did not do what was waited for; the text ends with the last lines of its log."""


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port nobody listens on now. It may be taken before it is used; callers start at once."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def eventually(
    condition: Callable[[], Awaitable[T]], *, within: float, what: str, every: float = POLL_SECONDS
) -> T:
    """The first truthy result of `condition`, asked again and again.

    Args:
        within: seconds; afterwards AssertionError, which names `what` and the last answer.
        every: seconds between two questions.
    """
    deadline = time.monotonic() + within
    while True:
        answer = await condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s, last answer {answer!r}")
        await anyio.sleep(every)


class ServerProcess:
    """One server process.

    Args:
        name: how messages and the log file call it.
        folder: working folder; holds the log `<name>.log` and, unless STORAGE_PATH says otherwise, `storage`.
        environment: its variables. APP_HOST, APP_PORT and STORAGE_PATH are added when missing.
        port: None takes a free one; a restart keeps it.
        command: what to run; the default is `atoll start` of the running interpreter.
        prefix: put in front of the command, for example to enter a network namespace.
        address: host under which the server is reached from here.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        environment: Mapping[str, str],
        *,
        port: int | None = None,
        command: Sequence[str] = START_COMMAND,
        prefix: Sequence[str] = (),
        address: str = "127.0.0.1",
    ) -> None:
        self.name = name
        self.folder = folder
        self.port = port if port is not None else int(environment.get("APP_PORT") or free_port())
        self.environment = {
            "APP_HOST": "127.0.0.1",
            "APP_PORT": str(self.port),
            "STORAGE_PATH": str(folder / "storage"),
            **environment,
        }
        self.command = (*prefix, *command)
        self.url = f"http://{address}:{self.port}"
        self.log_file = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    # --- life ---------------------------------------------------------------------------------------

    def spawn(self) -> None:
        """Starts the process and returns at once."""
        if self.running:
            raise RuntimeError(f"{self.name} runs already")
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**_bare_environment(), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def start(self, *, within: float = 30.0) -> None:
        """Starts the process and waits until it is ready."""
        self.spawn()
        await self.until_ready(within=within)

    async def stop(self, *, within: float = 30.0) -> int:
        """Asks the process to end (SIGTERM) and waits; returns its exit code."""
        self.signal(signal.SIGTERM)
        return await self.until_ended(within=within)

    async def restart(self, *, within: float = 30.0) -> None:
        """Stops the process if it runs, and starts it on the same port and folder."""
        if self.running:
            await self.stop()
        await self.start(within=within)

    async def close(self) -> None:
        """Ends the process by whatever means and forgets it. For clean-up; never fails."""
        process = self.process
        if process is None:
            return
        for kind, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            if process.poll() is not None:
                break
            self.signal(signal.SIGCONT)
            self.signal(kind)
            with contextlib.suppress(ProcessFailed):
                await self.until_ended(within=seconds)
        process.poll()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.close()

    # --- faults -------------------------------------------------------------------------------------

    def signal(self, kind: signal.Signals) -> None:
        """Sends a signal to the server; one that has ended already is left alone."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(kind)

    async def kill(self) -> None:
        """SIGKILL, and waits until the process is gone."""
        self.signal(signal.SIGKILL)
        await self.until_ended(within=10)

    # --- observation ----------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the process exists."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self.process.pid

    def memory(self) -> int:
        """Resident memory in bytes."""
        size: int = psutil.Process(self.pid).memory_info().rss
        return size

    def open_files(self) -> int:
        """Number of open file descriptors, sockets among them."""
        number: int = psutil.Process(self.pid).num_fds()
        return number

    def log(self) -> str:
        """Everything the server wrote so far, over all its starts."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    async def until_healthy(self, *, within: float = 30.0) -> None:
        """Waits for the liveness answer."""
        await self._until("/api/__health_check", within)

    async def until_ready(self, *, within: float = 30.0) -> None:
        """Waits until the server says it is ready to work."""
        await self._until("/api/__ready", within)

    async def until_ended(self, *, within: float = 30.0) -> int:
        """Waits for the process to end; returns its exit code (negative: the signal)."""
        process = self.process
        if process is None:
            raise RuntimeError(f"{self.name} was never started")
        deadline = time.monotonic() + within
        while (code := process.poll()) is None:
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} did not end within {within:g} s\n{self._tail()}")
            await anyio.sleep(POLL_SECONDS)
        return code

    async def _until(self, path: str, within: float) -> None:
        deadline = time.monotonic() + within
        last = "no answer"
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while time.monotonic() < deadline:
                if not self.running:
                    code = self.process.returncode if self.process is not None else None
                    raise ProcessFailed(f"{self.name} ended with code {code}\n{self._tail()}")
                try:
                    answer = await client.get(self.url + path)
                    if answer.status_code == 200:
                        return
                    last = f"{answer.status_code} {answer.text[:300]}"
                except httpx.TransportError as error:
                    last = type(error).__name__
                await anyio.sleep(POLL_SECONDS)
        raise ProcessFailed(f"{self.name}{path} within {within:g} s: {last}\n{self._tail()}")

    def _tail(self) -> str:
        return "\n".join(self.log().splitlines()[-25:])


@contextlib.asynccontextmanager
async def closing(*servers: ServerProcess) -> AsyncIterator[None]:
    """Ends all the servers at the end of the block, also when it fails."""
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for server in servers:
                    group.start_soon(server.close)


def _bare_environment() -> dict[str, str]:
    """What a server needs from the caller: where programs are, and nothing that configures Atoll."""
    kept = ("PATH", "PYTHONPATH", "HOME", "LANG", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "APP_ENV_PATH": os.devnull,
        "PYTHONUNBUFFERED": "1",
    }
