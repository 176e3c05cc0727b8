"""Named faults: things that go wrong between processes, made to happen on purpose.

`Relay` stands between a server and a service (Redis, PostgreSQL) or another server, and can go silent, cut
or refuse connections without either side being told by the other. `Network` gives each server a machine of
its own whose cable can be pulled; it needs root, and `namespaces_missing()` says why it cannot work.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mood = Literal["pass", "silent", "refuse"]
CHUNK = 64 * 1024


class Relay:
    """A TCP relay to `host:port` with moods.

    - "pass": bytes flow, each piece after `delay` seconds in each direction.
    - "silent": what is sent is swallowed, nothing is answered, nothing is closed: a half-open connection.
      Once silent, a connection never recovers (its bytes are lost); `heal` resets it.
    - "refuse": connections are cut at once, open ones too.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.mood: Mood = "pass"
        self.delay = 0.0
        self.listen_port = 0
        self.accepted = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, listen: str = "127.0.0.1", port: int = 0) -> None:
        """Starts to listen; the port is then in `listen_port`."""
        self._server = await asyncio.start_server(self._accept, listen, port)
        self.listen_port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cuts everything and stops listening."""
        if self._server is not None:
            self._server.close()
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> int:
        """Resets all open connections; returns how many there were."""
        writers = tuple(self._writers)
        for writer in writers:
            writer.transport.abort()
        self._writers.clear()
        return len(writers) // 2

    def silence(self) -> None:
        """From now on nothing gets through and nobody is told."""
        self.mood = "silent"

    def refuse(self) -> None:
        """From now on connections are cut as soon as they come."""
        self.mood = "refuse"
        self.cut()

    def heal(self) -> None:
        """Back to normal: broken connections are reset, new ones pass."""
        if self.mood != "pass":
            self.mood = "pass"
            self.cut()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._join(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mood == "refuse":
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(far_writer)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            for each in (writer, far_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.mood == "pass":
                    writer.write(data)
                    await writer.drain()
            if self.mood == "pass" and writer.can_write_eof():
                writer.write_eof()


@contextlib.asynccontextmanager
async def relay(host: str, port: int, *, listen: str = "127.0.0.1") -> AsyncIterator[Relay]:
    """A relay that is open on `listen` for the length of a block."""
    made = Relay(host, port)
    await made.open(listen)
    try:
        yield made
    finally:
        await made.close()


# --- network namespaces ---------------------------------------------------------------------------------


def namespaces_missing() -> str | None:
    """Why network namespaces cannot be used here; None when they can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root to make network namespaces"
    if shutil.which("ip") is None:
        return "needs the command ip (package iproute2)"
    name = f"atoll-{secrets.token_hex(3)}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"the system refuses network namespaces: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return None


@dataclass
class Host:
    """One namespace on the network: a machine with an address of its own."""

    name: str
    address: str
    namespace: str
    port: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """Put in front of a command, it runs on this host."""
        return ("ip", "netns", "exec", self.namespace)

    @property
    def files(self) -> Path:
        """What lies here covers the files of /etc for programs on this host."""
        return Path("/etc/netns") / self.namespace


class Network:
    """A switch with hosts on it, each a network namespace; the caller's own machine is on it as `gateway`.

    A host can be unplugged: its packets vanish, no connection is reset, as when a cable is pulled.
    """

    def __init__(self, subnet: str = "") -> None:
        low, high = secrets.token_bytes(2)
        self._tag = f"{low:02x}{high:02x}"
        self._switch = f"at{self._tag}"
        self._net = subnet or f"10.{200 + high % 50}.{low}"
        self.gateway = f"{self._net}.1"
        self.hosts: dict[str, Host] = {}

    def open(self) -> None:
        """Makes the switch. Needs root."""
        _run("ip", "link", "add", self._switch, "type", "bridge")
        _run("ip", "address", "add", f"{self.gateway}/24", "dev", self._switch)
        _run("ip", "link", "set", self._switch, "up")

    def add(self, name: str) -> Host:
        """Plugs in a new host; a command started with its `prefix` runs there."""
        number = len(self.hosts) + 2
        host = Host(name, f"{self._net}.{number}", f"atoll-{self._tag}-{name}", f"at{self._tag}p{number}")
        self.hosts[name] = host
        inside = (*host.prefix, "ip")
        _run("ip", "netns", "add", host.namespace)
        _run("ip", "link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
        _run("ip", "link", "set", host.port, "master", self._switch, "up")
        _run(*inside, "link", "set", "lo", "up")
        _run(*inside, "address", "add", f"{host.address}/24", "dev", "eth0")
        _run(*inside, "link", "set", "eth0", "up")
        return host

    def name_hosts(self, **others: str) -> None:
        """Lets every host find every other by name, and `others` (name=address) as well."""
        known = {
            "localhost": "127.0.0.1",
            **others,
            **{each.name: each.address for each in self.hosts.values()},
        }
        lines = "".join(f"{address} {name}\n" for name, address in known.items())
        for host in self.hosts.values():
            host.files.mkdir(parents=True, exist_ok=True)
            (host.files / "hosts").write_text(lines, "utf-8")

    def unplug(self, name: str) -> None:
        """Pulls the cable of a host."""
        _run("ip", "link", "set", self.hosts[name].port, "down")

    def plug(self, name: str) -> None:
        """Puts the cable back."""
        _run("ip", "link", "set", self.hosts[name].port, "up")

    def close(self) -> None:
        """Removes everything. Processes on the hosts must have ended."""
        for host in self.hosts.values():
            subprocess.run(["ip", "link", "delete", host.port], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "delete", host.namespace], capture_output=True, check=False)
            shutil.rmtree(host.files, ignore_errors=True)
        subprocess.run(["ip", "link", "delete", self._switch], capture_output=True, check=False)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """A network for the length of a block."""
    made = Network()
    try:
        made.open()
        yield made
    finally:
        made.close()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
